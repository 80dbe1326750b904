"""What errors and findings tell users to do can be done: every option and setting that a fix names exists."""

import ast
import re
from pathlib import Path

import pytest
import typer

from paperlib import settings
from paperlib.__main__ import cli

SOURCE = Path(__file__).parents[1] / "src" / "paperlib"
#: Calls whose texts reach users as problem and fix.
MESSAGES = ("InputError", "InputWarning", "Finding", "note", "add", "drop", "_note")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]+")
SETTING = re.compile(r"\b(?:scene|labels|sample|train|map)\.[a-z_]+")
KIND = re.compile(r"[a-z]+\.[a-z _]+")
#: Keyword arguments of Python are no way out for who gave a command.
KEYWORD = re.compile(r"\b(?:with|by|say|give|choose|specify) (?:\w+ )?[a-z_]+=", re.IGNORECASE)
#: Commands of other programs, with their options.
OTHERS = re.compile(r"\b(?:rio|pip|gdal\w+|ogr\w+) .*")


def options() -> set[str]:
    """Every option of every command."""
    command = typer.main.get_command(cli)
    commands = [command, *command.commands.values()]
    return {name for one in commands for option in one.params for name in (*option.opts, *option.secondary_opts)}


def messages() -> list[tuple[str, str]]:
    """Place and text of every message, where the parts that are computed are left out."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            name = getattr(getattr(node, "func", None), "id", getattr(getattr(node, "func", None), "attr", ""))
            if isinstance(node, ast.Call) and name in MESSAGES:
                for part in (*node.args, *(keyword.value for keyword in node.keywords)):
                    found += [(f"{path.name}:{node.lineno}", text) for text in texts(part)]
            elif isinstance(node, ast.Assign) and any(
                getattr(one, "id", "") in ("fix", "value", "problem") for one in node.targets
            ):
                found += [(f"{path.name}:{node.lineno}", text) for text in texts(node.value)]
    return found


def texts(node: ast.AST) -> list[str]:
    constants = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return [text for text in constants if isinstance(text, str) and not KIND.fullmatch(text)]


def test_the_walk_sees_messages():
    assert len(messages()) > 300 and any("--layer" in text for _, text in messages())


def test_every_option_that_a_message_names_exists():
    known, own = options(), [(place, OTHERS.sub("", text)) for place, text in messages()]
    wrong = [(place, name) for place, text in own for name in OPTION.findall(text) if name not in known]
    assert not wrong


def unfinished(source: str) -> list[int]:
    """Lines of errors and warnings whose problem is half a sentence that the cure was to end."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args]
    calls = [node for node in calls if getattr(node.func, "id", "") in ("InputError", "InputWarning")]
    ends = [(node.lineno, getattr(node.args[0], "values", [node.args[0]])[-1]) for node in calls]
    return [
        line for line, end in ends if isinstance(end, ast.Constant) and str(end.value).rstrip()[-1:] in (";", ":", ",")
    ]


def test_a_problem_is_a_sentence_of_its_own():
    assert unfinished("InputError(f'{path} is no scene;', 'give another.')") == [1]
    assert not [(path.name, line) for path in sorted(SOURCE.rglob("*.py")) for line in unfinished(path.read_text())]


def test_every_setting_that_a_message_names_exists():
    known = set(settings.known())
    assert not [(place, name) for place, text in messages() for name in SETTING.findall(text) if name not in known]


def test_no_message_names_an_argument_of_python_as_the_way_out():
    assert not [(place, text) for place, text in messages() if KEYWORD.search(text)]


def test_an_option_that_does_not_exist_would_be_seen():
    assert "--layer" in options() and "--leyer" not in options()
    assert OPTION.findall("Choose one with --leyer or --set-field.") == ["--leyer", "--set-field"]
    assert KEYWORD.search("Choose with bands=['B2'].") and not KEYWORD.search("Write --set train.epochs=40.")


@pytest.mark.parametrize(
    "name", ["field", "layer", "set-field", "group-field", "blocks", "encoding", "nomenclature", "repair"]
)
def test_commands_on_labels_have_the_options_of_labels(name):
    command = typer.main.get_command(cli)
    for one in ("check", "train", "map", "run"):
        assert any(f"--{name}" in option.opts for option in command.commands[one].params), one
