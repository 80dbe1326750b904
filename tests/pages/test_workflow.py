"""One command from files to products: on real data, and on a cube with other dates, bands and classes."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from paperlib import Experiment
from paperlib.errors import InputError
from paperlib.mapping.scene_maps import read_map
from paperlib.pages import workflow
from paperlib.pages.walkthrough import LEGEND, write_scene
from paperlib.reproduction import real_scene

NAMES = ["TempCNN", "iota2_base"]
PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_store(monkeypatch):
    monkeypatch.setenv("PAPERLIB_STORE", "")  # so that it is restored afterwards
    monkeypatch.delenv("PAPERLIB_STORE")
    monkeypatch.setenv("PAPERLIB_QUIET", "1")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory) -> tuple[Path, Path]:
    """A monthly cube of nine bands with two months without data, and polygons of five classes of their own."""
    return write_scene(tmp_path_factory.mktemp("foreign"))


def test_a_foreign_cube_goes_all_the_way(foreign, tmp_path):
    lines = []
    workflow.run_all(*map(str, foreign), tmp_path, "tiny", NAMES, report=lines.append)
    assert json.loads((tmp_path / "check.json").read_text()) is not None and (tmp_path / "check.txt").is_file()
    table = pd.read_csv(tmp_path / "trainings.csv")
    assert set(table["model"]) == set(NAMES) and table["macro_f1_test"].between(0, 1).all()
    text = (tmp_path / "table-4.csv").read_text()
    assert "Irrigated <crops>" in text and "Woodland" not in text and "paper" not in text
    for name in NAMES:
        codes = read_map(tmp_path / "maps" / name / "class.tif")
        assert set(np.unique(codes)) <= {0, *LEGEND["code"]} and codes.shape == (128, 128)
        areas = pd.read_csv(tmp_path / "maps" / name / "areas.csv")
        assert areas["class_name"].tolist() == LEGEND["name"]
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "artifacts").rglob("weights.safetensors")}
    assert kept
    workflow.run_all(*map(str, foreign), tmp_path, "tiny", NAMES, report=lines.append)  # again: nothing is trained anew
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "artifacts").rglob("weights.safetensors")}


@pytest.mark.parametrize("kind", ["stack", "native products of one date"])
def test_real_data_in_one_command(kind, shared_data, tmp_path):
    """As a user gives it, in a folder of its own."""
    scene = shared_data / "theia_l3a"
    if kind == "stack":
        scene = tmp_path / real_scene.IMAGE
        scene.symlink_to(shared_data / "bouconne" / real_scene.IMAGE)
        real_scene.fetch_bouconne(tmp_path)
    polygons = PROJECT / "data" / "bouconne" / real_scene.POLYGONS
    command = [sys.executable, "-m", "paperlib", "run", str(scene), str(polygons), "--out", "out", "--preset", "tiny"]
    done = subprocess.run(
        [*command, "--model", "iota2_base", "--no-book"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "mapped: out/maps/iota2_base" in done.stdout and "trained iota2_base" in done.stdout
    assert (tmp_path / "out" / "maps" / "iota2_base" / "class.qml").is_file()


def test_what_cannot_run_is_said_before_any_work(foreign, tmp_path):
    lines = []
    with pytest.raises(InputError, match="errors above say what to mend"):
        workflow.run_all(str(foreign[0]), str(tmp_path / "gone.gpkg"), tmp_path, "tiny", NAMES, report=lines.append)
    assert "does not exist" in " ".join(lines[0].split()) and not (tmp_path / "maps").exists()
    with pytest.raises(InputError, match="Unknown model '4D-CNN'"):
        workflow.run_all(*map(str, foreign), tmp_path, "tiny", ["4D-CNN"])


def test_a_book_needs_a_checkout(foreign, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"no checkout of the project.*--no-book"):
        workflow.run_all(*map(str, foreign), tmp_path / "out", "tiny")
    assert not (tmp_path / "out").exists()


def test_the_book_of_another_scene_is_told_by_the_environment(foreign, monkeypatch):
    monkeypatch.setenv("PAPERLIB_SCENE", str(foreign[0]))
    monkeypatch.setenv("PAPERLIB_POLYGONS", str(foreign[1]))
    run = Experiment("tiny")
    assert not run.simulated and run.settings.scene.path == str(foreign[0])
    assert [cover.code for cover in run.legend] == LEGEND["code"]


# -- the book of a scene -----------------------------------------------------------------------------------------------


def test_pages_that_know_nothing_of_a_scene_are_left_out():
    listed = [
        chapter["file"]
        for part in workflow.contents_for_scene(PROJECT / "book")["parts"]
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


def test_the_book_of_a_scene_leaves_no_link_dangling(foreign, tmp_path, monkeypatch):
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
    monkeypatch.setenv("PAPERLIB_STORE", str(tmp_path / "store"))
    out = tmp_path / "out"
    out.mkdir()
    workflow.build_book(Experiment("tiny", *foreign), "tiny", out)
    html = out / "book" / "_build" / "html"
    assert {page.stem for page in html.glob("*.html")} >= {"index", *kept}
    assert not (html / "audit.html").exists() and not (html / "simulation.html").exists()
    assert dangling(html) == []
    own, index = (html / "own.html").read_text(), (html / "index.html").read_text()
    assert "<em>The paper against itself</em>" in own  # the title of a page that is left out, without a link
    assert "shown" in own and "Printed in the paper" not in own
    assert "how credible the simulated scene is" not in index and "Table 1" in index  # rows of a table
    assert "lagoon.nc" in (html / "3-1-training-data.html").read_text()
