"""The page `formats` lists what the tests try today, and its commands and the how-to page know the options that exist."""

import ast
import csv
import re
from pathlib import Path

import pytest

from paperlib.commands.options import SETTING_OPTIONS

PROJECT = Path(__file__).parents[2]
TESTS = [*sorted((PROJECT / "tests" / "scenes").glob("*.py")), *sorted((PROJECT / "tests" / "labels").glob("*.py"))]
TABLE = PROJECT / "benchmarks" / "results" / "formats.csv"
FLAGS = {f"--{name.rpartition('.')[2].replace('_', '-')}" for name in SETTING_OPTIONS}


def marked() -> set[tuple[str, ...]]:
    """Arguments of the markers `form`, with the test of each."""
    found = set()
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text())):
            for decorator in getattr(node, "decorator_list", ()):
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.form":
                    test = f"{path.relative_to(PROJECT / 'tests').as_posix()}::{node.name}"
                    found.add((*(ast.literal_eval(argument) for argument in decorator.args), test))
    return found


def kept() -> list[dict[str, str]]:
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_is_that_of_the_tests():
    """Stale: run benchmarks/formats.py."""
    columns = ("data", "written by", "form", "command", "test")
    assert {tuple(row[column] for column in columns) for row in kept()} == marked()
    assert {row["outcome"] for row in kept()} <= {"read", "not tried here"} and all(int(r["tests"]) for r in kept())


@pytest.mark.parametrize("row", kept(), ids=lambda row: row["form"][:40])
def test_each_command_has_options_that_exist(row):
    assert re.match(r"paperlib (check|convert) \S+ \S+", row["command"])
    assert set(re.findall(r"--[a-z-]+", row["command"])) <= FLAGS


def test_the_how_to_page_explains_every_option():
    text = (PROJECT / "book" / "how-to" / "read-your-data.md").read_text()
    named = set(re.findall(r"--[a-z][a-z-]*", text))
    assert named == FLAGS
