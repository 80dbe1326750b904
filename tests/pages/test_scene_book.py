"""The book of a scene: pages that know nothing of a scene are left out, and no link is left dangling."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from paperlib import Experiment
from paperlib.pages import scene_book
from support.commands import paperlib

PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_store(monkeypatch):
    monkeypatch.setenv("PAPERLIB_STORE", "")  # so that it is restored afterwards
    monkeypatch.delenv("PAPERLIB_STORE")
    monkeypatch.setenv("PAPERLIB_QUIET", "1")


def test_a_book_needs_a_checkout(lagoon, tmp_path):
    done = paperlib("run", *lagoon, "--out", "out", "--preset", "tiny", folder=tmp_path)
    assert done.returncode == 2 and "no checkout of the project" in done.stderr and "--no-book" in done.stderr
    assert not (tmp_path / "out").exists()


def test_notebooks_of_the_build_find_the_run_in_their_environment(tmp_path, monkeypatch):
    changes = {"train.learning_rate": 1e-5, "scene.bands": ["B4", "B8"], "scene.nodata": -1, "seed": 5}
    (tmp_path / "a.tif").touch()
    run = Experiment("paper", tmp_path / "a.tif", tmp_path / "a.gpkg", settings=changes, store=tmp_path / "store")
    monkeypatch.setenv("PAPERLIB_SETTINGS", "{train.epochs: 3}")  # of this process, and not of the run
    given = scene_book._environment(run)
    for name in (name for name in given if name.startswith("PAPERLIB_")):
        monkeypatch.setenv(name, given[name])
    assert Experiment().settings == run.settings and Experiment().store == run.store


def test_pages_that_know_nothing_of_a_scene_are_left_out():
    listed = [
        chapter["file"]
        for part in scene_book.contents_for_scene(PROJECT / "book")["parts"]
        for chapter in part["chapters"]
    ]
    assert {"2-methods", "3-6-results", "3-7-maps", "claims", "explore", "references"} <= set(listed)
    assert not {"simulation", "real-scene", "audit", "performance", "reliability"} & set(listed)


class Links(HTMLParser):
    """Addresses and names of a page."""

    def __init__(self, page: Path):
        super().__init__()
        self.addresses, self.names = [], set()
        self.feed(page.read_text())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.addresses += [found[name] for name in ("href", "src") if found.get(name)]
        self.names |= {found[name] for name in ("id", "name") if found.get(name)}


def dangling(html: Path) -> list[str]:
    """Links inside a built book that lead nowhere."""
    pages = {page: Links(page) for page in html.glob("*.html")}
    lost = []
    for page, links in pages.items():
        for address in links.addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            known = pages.get(target)
            if not target.exists() or (parts.fragment and known and parts.fragment not in known.names):
                lost.append(f"{page.name}: {address}")
    return lost


def test_the_book_of_a_scene_leaves_no_link_dangling(lagoon, lagoon_store, tmp_path, monkeypatch):
    """The pages with most links, one that is computed, and two that are left out."""
    checkout = tmp_path / "checkout"
    shutil.copytree(PROJECT / "book", checkout / "book", ignore=shutil.ignore_patterns("_build"), symlinks=True)
    for name in ("src", "pyproject.toml", "data", "benchmarks", "constraints.txt", "_config.yml", "CITATION.cff"):
        (checkout / name).symlink_to(PROJECT / name)
    kept = ["1-introduction", "3-1-training-data", "own", "references"]
    parts = [{"caption": "All", "chapters": [{"file": name} for name in [*kept, "audit", "simulation"]]}]
    (checkout / "_toc.yml").write_text(json.dumps({"format": "jb-book", "root": "index", "parts": parts}))
    index = checkout / "book" / "index.ipynb"  # what it says of figures and tables on pages that are not built here
    index.write_text(re.sub(r"\{(numref|eq)\}`(?!table-1`)([\w-]+)`", r"\2", index.read_text()))
    cells = [
        new_markdown_cell("# Own\n\nSee {doc}`audit` and {doc}`3-1-training-data`."),
        new_code_cell('scene = ""  # str: a scene', metadata={"tags": ["parameters"]}),
        new_markdown_cell("Printed in the paper.", metadata={"tags": ["printed"]}),
        new_code_cell('"shown"'),
    ]
    nbformat.write(new_notebook(cells=cells), checkout / "book" / "own.ipynb")
    monkeypatch.chdir(checkout)
    monkeypatch.setenv("PAPERLIB_STORE", str(lagoon_store))
    out = tmp_path / "out"
    out.mkdir()
    run = Experiment("tiny", *lagoon, settings={"train.epochs": 1})  # nobody reads the scores
    scene_book.build_book(run, out)
    html = out / "book" / "_build" / "html"
    assert {page.stem for page in html.glob("*.html")} >= {"index", *kept}
    assert not (html / "audit.html").exists() and not (html / "simulation.html").exists()
    assert dangling(html) == []
    own, index = (html / "own.html").read_text(), (html / "index.html").read_text()
    assert "<em>The paper against itself</em>" in own  # the title of a page that is left out, without a link
    assert "shown" in own and "Printed in the paper" not in own
    assert "how credible the simulated scene is" not in index and "Table 1" in index  # rows of a table
    assert "lagoon.nc" in (html / "3-1-training-data.html").read_text()
