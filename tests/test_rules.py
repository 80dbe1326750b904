"""Rules of the house that no other test would notice being broken."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
import yaml

PROJECT = Path(__file__).parents[1]
SOURCE = PROJECT / "src" / "paperlib"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
NOTEBOOKS = sorted((PROJECT / "book").glob("*.ipynb"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_are_short_and_everything_public_is_described(path):
    text = path.read_text()
    assert text.count("\n") <= 300, "split it: one module, one subject"
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    public = [node for node in tree.body if not getattr(node, "name", "_").startswith("_")]
    methods = [one for node in public if isinstance(node, ast.ClassDef) for one in node.body]
    for node in public + methods:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_everything_public_has_types(path):
    """mypy checks the types themselves, in `make check`."""
    tree = ast.parse(path.read_text())
    holders = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
    for holder in holders:
        for node in holder.body:
            if not isinstance(node, ast.FunctionDef) or (node.name[0] == "_" and node.name != "__init__"):
                continue
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [entry.arg for entry in arguments if entry.annotation is None and entry.arg not in ("self", "cls")]
            assert not bare, f"{node.name}: arguments without a type: {bare}"
            assert node.returns or node.name == "__init__", f"{node.name}: no type of what it returns"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_thin(path):
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells), "stored with outputs: run `make format`"
    parameters = [cell for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(parameters) == 1
    for line in parameters[0].source.splitlines():
        assert re.fullmatch(r"\w+ = .+  # (str|int|float|bool|dict): .+", line), (
            f"literal with type and comment: {line!r}"
        )
        ast.literal_eval(line.split(" = ", 1)[1].split("  #")[0])
    for cell in cells:
        tree = ast.parse(cell.source)
        banned = ast.FunctionDef | ast.ClassDef | ast.For | ast.While | ast.With | ast.Try
        assert not [node for node in ast.walk(tree) if isinstance(node, banned)], cell.source
        assert "matplotlib" not in cell.source and not re.search(r"""["']/""", cell.source)
        assert len(cell.source.splitlines()) <= 12
    assert "page.provenance" in cells[-1].source


def test_environment_variables_are_read_in_one_place_and_set_nowhere():
    """A variable set in this process would stay for the next run; children get theirs by `env=`."""
    for path in [*MODULES, *(PROJECT / "book" / "_ext").glob("*.py")]:
        text = path.read_text()
        if "os.environ" in text and "PAPERLIB_" in text:
            assert path.name == "environment.py" or path not in MODULES, path
            assert not re.search(r"os\.environ\[[^]]*\] = |os\.environ\.(update|setdefault)|putenv", text), path


def test_names_of_tests_say_what_is_tested():
    for path in (PROJECT / "tests").rglob("test_*.py"):
        pronouns = re.findall(
            r"^def (test_(?:it|its|they|them|this|these|that|those)_\w+)", path.read_text(), re.MULTILINE
        )
        assert not pronouns, f"{path.name}: {pronouns}"


def test_every_page_is_in_the_table_of_contents():
    toc = yaml.safe_load((PROJECT / "_toc.yml").read_text())
    listed = {toc["root"]} | {chapter["file"] for part in toc["parts"] for chapter in part["chapters"]}
    book = PROJECT / "book"
    sources = [path.relative_to(book) for suffix in ("md", "ipynb") for path in book.rglob(f"*.{suffix}")]
    pages = {path.with_suffix("").as_posix() for path in sources if path.parts[0] not in ("_build", "vendor")}
    assert listed == pages


def test_links_into_the_book_are_relative():
    for name in ("_config.yml", "_toc.yml"):
        link = PROJECT / "book" / name
        assert link.is_symlink() and link.readlink() == Path("..") / name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_errors_and_warnings_of_users_have_a_kind(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id in ("InputError", "InputWarning"):
            assert "kind" in {keyword.arg for keyword in node.keywords}, f"line {node.lineno}: name the rule"
        if ast.unparse(node.func) == "warnings.warn":
            assert not isinstance(node.args[0], ast.Constant | ast.JoinedStr), f"line {node.lineno}: InputWarning(...)"


def test_a_space_stands_before_the_sign_of_per_cent():
    for path in MODULES:
        found = re.findall(r"\{[^{}]*:\.\d%\}(?!\"\[)", path.read_text())
        assert not found or path.stem in ("scene_maps",), f"{path.name}: write {{100 * share:.1f}} %, not {found}"
