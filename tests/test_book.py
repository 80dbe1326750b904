"""The gate notices a book that is not whole; outputs are kept only while what made them is unchanged."""

import importlib.util
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

BOOK = Path(__file__).parents[1] / "book"


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load(BOOK / "check.py")
fresh = load(BOOK / "_ext" / "fresh.py")
absent = load(BOOK / "_ext" / "absent.py")


@pytest.fixture
def book(tmp_path):
    """A small book that is whole: two pages, one of them a notebook."""
    (tmp_path / "_toc.yml").write_text("root: index\nparts: [{chapters: [{file: a}]}]\n")
    (tmp_path / "index.md").write_text("# Title\n")
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), tmp_path / "a.ipynb")
    html = tmp_path / "_build" / "html"
    html.mkdir(parents=True)
    (html / "index.html").write_text("<p>Title</p>")
    (html / "a.html").write_text('<div class="cell_output docutils container">1</div>')
    return tmp_path


def test_a_whole_book_passes(book):
    assert check.faults(book) == []


def spoil_page(book):
    (book / "_build" / "html" / "a.html").unlink()


def spoil_output(book):
    (book / "_build" / "html" / "a.html").write_text("<p>nothing ran</p>")


def spoil_traceback(book):
    (book / "_build" / "html" / "a.html").write_text(
        '<div class="cell_output"><div class="output traceback">x</div></div>'
    )


def spoil_warning(book):
    (book / "_build" / "html" / "a.html").write_text(
        '<div class="cell_output"><div class="output stderr">x</div></div>'
    )


def spoil_report(book):
    (book / "_build" / "html" / "reports").mkdir()
    (book / "_build" / "html" / "reports" / "a.err.log").write_text("ValueError")


def spoil_source(book):
    (book / "index.md").unlink()


def spoil_age(book):
    os.utime(book / "_build" / "html" / "a.html", (1, 1))


def spoil_stored(book):
    cell = new_code_cell("1", execution_count=1, outputs=[new_output("execute_result", {"text/plain": "1"})])
    nbformat.write(new_notebook(cells=[cell]), book / "a.ipynb")
    later = (book / "a.ipynb").stat().st_mtime + 1
    os.utime(book / "_build" / "html" / "a.html", (later, later))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_page, "page missing"), (spoil_output, "not executed"), (spoil_traceback, "a traceback"),
        (spoil_warning, "a warning printed"), (spoil_report, "notebook failed: a.err.log"),
        (spoil_source, "page without source: index"), (spoil_age, "older than its source"),
        (spoil_stored, "stored with outputs"),
    ],
)  # fmt: skip
def test_each_fault_is_named(book, spoil, message):
    spoil(book)
    faults = check.faults(book)
    assert len(faults) == 1 and message in faults[0], faults


def test_outputs_are_made_again_when_code_versions_or_preset_change(tmp_path, monkeypatch):
    for folder in ("src", "data/bouconne"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(BOOK.parent / "src" / "paperlib" / "paper.py", tmp_path / "src")
    (tmp_path / "constraints.txt").write_text("torch==2.13.0\n")
    monkeypatch.setattr(fresh, "PROJECT", tmp_path)
    states = [fresh.state(), fresh.state()]
    assert states[0] == states[1]
    (tmp_path / "src" / "paper.py").write_text("# changed\n")
    states.append(fresh.state())
    (tmp_path / "constraints.txt").write_text("torch==2.12.0\n")
    states.append(fresh.state())
    (tmp_path / "data" / "bouconne" / "image.tif").write_text("x")
    states.append(fresh.state())
    monkeypatch.setenv("PAPERLIB_PRESET", "other")
    states.append(fresh.state())
    assert len(set(states)) == 5


# -- what the book of another scene leaves out -------------------------------------------------------------------------


def source_of(cells, name="page.ipynb"):
    """A page's source as Sphinx gives it, after the extension has seen it."""
    app = SimpleNamespace(env=SimpleNamespace(doc2path=lambda page, base: name))
    source = [json.dumps({"cells": cells})]
    absent.leave_printed_out(app, "page", source)
    return [cell["metadata"].get("tags", []) for cell in json.loads(source[0])["cells"]]


def test_printed_values_are_left_out_of_the_book_of_another_scene_alone(monkeypatch):
    cells = [{"metadata": {"tags": ["printed"]}}, {"metadata": {}}, {"metadata": {"tags": ["full-width"]}}]
    monkeypatch.delenv("PAPERLIB_SCENE", raising=False)
    assert source_of(cells) == [["printed"], [], ["full-width"]]
    monkeypatch.setenv("PAPERLIB_SCENE", "mine.nc")
    assert source_of(cells) == [["printed", "remove-cell"], [], ["full-width"]]
    assert source_of(cells, "page.md") == [["printed"], [], ["full-width"]]


def test_title_of_a_page_comes_from_its_source(tmp_path):
    (tmp_path / "a.md").write_text("no title yet\n\n# The title\n")
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Of a notebook\n\ntext")]), tmp_path / "b.ipynb")
    assert [absent.title_of(tmp_path / name) for name in "abc"] == ["The title", "Of a notebook", None]
