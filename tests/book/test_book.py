"""The gate notices a book that is not whole; outputs are kept only while what made them is unchanged."""

import importlib.util
import json
import os
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

BOOK = Path(__file__).parents[2] / "book"
sys.path.insert(0, str(BOOK))  # as for `python book/check.py`


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load(BOOK / "check.py")
fresh = load(BOOK / "_ext" / "fresh.py")
absent = load(BOOK / "_ext" / "absent.py")


A = '<div class="cell_output docutils container" id="b">1</div><a href="https://example.org">elsewhere</a>'


@pytest.fixture
def book(tmp_path):
    """A small book that is whole: two pages, one of them a notebook."""
    (tmp_path / "_toc.yml").write_text("root: index\nparts: [{chapters: [{file: a}]}]\n")
    (tmp_path / "index.md").write_text("# Title\n")
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), tmp_path / "a.ipynb")
    html = tmp_path / "_build" / "html"
    html.mkdir(parents=True)
    (html / "index.html").write_text('<h1 id="top">Title</h1><a href="a.html#b">b</a><a href="#top">top</a>')
    (html / "a.html").write_text(A)
    return tmp_path


def test_a_whole_book_passes(book):
    assert check.faults(book) == []


def add(book, html):
    with open(book / "_build" / "html" / "a.html", "a") as file:
        file.write(html)


def spoil_page(book):
    (book / "_build" / "html" / "a.html").unlink()
    (book / "_build" / "html" / "index.html").write_text("<h1>Title</h1>")


def spoil_output(book):
    (book / "_build" / "html" / "a.html").write_text('<p id="b">nothing ran</p>')


def spoil_traceback(book):
    (book / "_build" / "html" / "a.html").write_text(
        '<div class="cell_output" id="b"><div class="output traceback">x</div></div>'
    )


def spoil_warning(book):
    (book / "_build" / "html" / "a.html").write_text(
        '<div class="cell_output" id="b"><div class="output stderr">x</div></div>'
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


def spoil_glue(book):
    add(book, "<p>{glue:text}`score`</p>")


def spoil_prose(book):
    cells = [new_markdown_cell("It reaches 0.93 on the test set."), new_code_cell("1")]
    nbformat.write(new_notebook(cells=cells), book / "a.ipynb")
    later = (book / "a.ipynb").stat().st_mtime + 1
    os.utime(book / "_build" / "html" / "a.html", (later, later))


def spoil_weight(book):
    add(book, f"<!-- {'x' * 1_500_000} -->")


def spoil_weight_of_pictures(book):
    (book / "_build" / "html" / "_images").mkdir()
    (book / "_build" / "html" / "_images" / "large.png").write_bytes(bytes(1_500_000))
    add(book, '<img src="_images/large.png" alt="large">')


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_page, "page missing"), (spoil_output, "not executed"), (spoil_traceback, "a traceback"),
        (spoil_warning, "a warning printed"), (spoil_report, "notebook failed: a.err.log"),
        (spoil_source, "page without source: index"), (spoil_age, "older than its source"),
        (spoil_stored, "stored with outputs"), (spoil_glue, "not glued"), (spoil_prose, "typed in prose"),
        (spoil_weight, "weighs 1.5 MB"), (spoil_weight_of_pictures, "weighs 1.5 MB"),
    ],
)  # fmt: skip
def test_each_fault_is_named(book, spoil, message):
    spoil(book)
    faults = check.faults(book)
    assert len(faults) == 1 and message in faults[0], faults


def test_every_page_that_is_read_says_what_follows():
    """How-to pages and the reference are looked up; the others are read in their order."""
    looked_up = {"index", "gallery", "downloads", "numbers", "glossary", "cite", "references"}
    names = [name for name in check.pages(BOOK / "_toc.yml") if "/" not in name and name not in looked_up]
    assert len(names) >= 25
    for name in names:
        path = next(path for path in (BOOK / f"{name}.md", BOOK / f"{name}.ipynb") if path.is_file())
        text = path.read_text()
        if path.suffix == ".ipynb":
            text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")
        follows = text.partition("## What follows\n")[2]
        assert "{doc}`" in follows and f"{{doc}}`{name}`" not in follows, name


def test_the_first_page_lists_the_pages_in_the_order_of_the_contents():
    """Part by part; of how-to pages and of the reference of the library, the first stands for all."""
    text = (BOOK / "index.ipynb").read_text()
    for part in yaml.safe_load((BOOK / "_toc.yml").read_text())["parts"]:
        rows = re.findall(r"\| \{doc\}`([^`]+)`", text.partition(f"### {part['caption']}\\n")[2].partition("### ")[0])
        files = [chapter["file"] for chapter in part["chapters"]]
        assert rows and [row for row in rows if "/" not in row] == [
            name for name in files if "/" not in name and name not in ("3-benchmark", "references")
        ]
        assert {row.split("/")[0] for row in rows} >= {name.split("/")[0] for name in files if "/" in name}


@pytest.mark.parametrize(
    ("html", "message"),
    [
        ('<a href="gone.html">x</a>', "dead link: gone.html"),
        ('<a href="_sources/gone.ipynb" download>x</a>', "dead link"),
        ('<a href="index.html#gone">x</a>', "link to a missing anchor: index.html#gone"),
        ('<a href="#gone">x</a>', "link to a missing anchor: #gone"),
        ('<img src="gone.png">', "loads a missing file: gone.png"),
        ('<script src="https://cdn.example.org/x.js"></script>', "asks another host"),
        ('<script src="//cdn.example.org/x.js"></script>', "asks another host"),
        ('<link rel="stylesheet" href="https://fonts.example.org/x.css">', "asks another host"),
        ('<link rel="preconnect" href="https://fonts.example.org">', "asks another host"),
        ('<img srcset="https://example.org/x.png 2x">', "asks another host"),
        ("<style>@font-face{src:url(https://example.org/x.woff2)}</style>", "asks another host"),
        ("<p style=\"background:url('//example.org/x.png')\">x</p>", "asks another host"),
        ("<script>fetch('https://example.org/data.json')</script>", "asks another host"),
        ('<script type="module">import("https://example.org/x.mjs")</script>', "asks another host"),
    ],
)
def test_each_fault_of_a_built_page_is_named(book, html, message):
    add(book, html)
    faults = check.faults(book)
    assert len(faults) == 1 and message in faults[0] and faults[0].startswith("a: "), faults


def test_a_figure_table_or_equation_that_no_page_has_is_named(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("".join(f'<p id="{name}">x</p>' for name in check.built_pages.NUMBERED))
    assert check.built_pages.missing_numbers([path, tmp_path / "gone.html"]) == []
    path = tmp_path / "b.html"
    path.write_text("".join(f'<p id="{name}">x</p>' for name in check.built_pages.NUMBERED if not name.endswith("-3")))
    lost = [f"{name} of the paper is on no page" for name in ("figure-3", "table-3", "equation-3")]
    assert check.built_pages.missing_numbers([path]) == lost


def test_a_style_sheet_that_asks_another_host_is_named(book):
    (book / "_build" / "html" / "x.css").write_text("body{background:url(https://example.org/x.png)}")
    add(book, '<link rel="stylesheet" href="x.css">')
    assert check.faults(book) == ["a: asks another host: https://example.org/x.png"]


@pytest.mark.parametrize(
    "prose",
    [
        "The mean is {glue:text}`mean:.3f`, printed {printed}`0.804`, with {given}`95 %` intervals.",
        "See section 3.5.2, sections 2.2 and 3.6, {doc}`3-6-results` and [there](https://example.org/v1.25).",
        "# 3.6 Results\n\nPython 3.11, under CC BY 4.0, with `0.5` as code, $w = 0.5$ as formula, 11 dates of 2018-07-08.",
        "```python\ndropout = 0.1\n```\nand torch 2.13.0 and\n$$p = 0.5 q$$",
    ],
)
def test_what_is_no_result_is_no_alarm(prose):
    assert check.prose.typed_numbers(prose) == []


@pytest.mark.parametrize(
    ("prose", "numbers"),
    [
        ("3D-CNN reaches 0.756, TempCNN -0.05 less.", ["0.756", "-0.05"]),
        ("About 80 % of 290 polygons, or 12.5 per cent", ["80 %", "12.5"]),
        ("Section 3.6 says 0.9.", ["0.9"]),
        ("| a | 0.5 |", ["0.5"]),
    ],
)
def test_typed_results_are_found(prose, numbers):
    assert check.prose.typed_numbers(prose) == numbers


def test_outputs_are_made_again_when_code_versions_or_preset_change(tmp_path, monkeypatch):
    for folder in ("src", "data/bouconne"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(BOOK.parent / "src" / "paperlib" / "reproduction" / "paper.py", tmp_path / "src")
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
    absent.leave_cells_out(app, "page", source)
    return [cell["metadata"].get("tags", []) for cell in json.loads(source[0])["cells"]]


def test_printed_values_are_left_out_of_the_book_of_another_scene_alone(monkeypatch):
    cells = [{"metadata": {"tags": ["printed"]}}, {"metadata": {}}, {"metadata": {"tags": ["full-width"]}}]
    monkeypatch.delenv("PAPERLIB_SCENE", raising=False)
    assert source_of(cells) == [["printed"], [], ["full-width"]]
    monkeypatch.setenv("PAPERLIB_SCENE", "mine.nc")
    assert source_of(cells) == [["printed", "remove-cell"], [], ["full-width"]]
    assert source_of(cells, "page.md") == [["printed"], [], ["full-width"]]


def test_cells_that_take_the_real_image_are_left_out_without_it(monkeypatch):
    """Code that yields nothing is not shown."""
    monkeypatch.delenv("PAPERLIB_SCENE", raising=False)
    cells = [{"metadata": {"tags": ["image"]}}, {"metadata": {}}]
    monkeypatch.setattr(absent.real_scene, "bouconne_files", lambda: None)
    assert source_of(json.loads(json.dumps(cells))) == [["image", "remove-cell"], []]
    monkeypatch.setattr(absent.real_scene, "bouconne_files", lambda: ("image", "polygons"))
    assert source_of(json.loads(json.dumps(cells))) == [["image"], []]


def test_title_of_a_page_comes_from_its_source(tmp_path):
    (tmp_path / "a.md").write_text("no title yet\n\n# The title\n")
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Of a notebook\n\ntext")]), tmp_path / "b.ipynb")
    assert [absent.title_of(tmp_path / name) for name in "abc"] == ["The title", "Of a notebook", None]
