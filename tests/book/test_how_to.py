"""The code and commands of the how-to pages are taken from the pages and run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
import yaml

from paperlib.__main__ import cli
from paperlib.regions import find_tiles
from paperlib.runs.batches.notebooks import read_batch
from paperlib.simulation.scene import simulate_scene
from paperlib.simulation.years import simulate_year
from support.commands import paperlib
from support.stores import copy_store

PROJECT = Path(__file__).parents[2]
PAGES = PROJECT / "book" / "how-to"
BIN = Path(sys.executable).parent


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a how-to page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (PAGES / f"{page}.md").read_text(), re.M | re.S)


@pytest.fixture
def checkout(store, tmp_path, monkeypatch):
    """A folder that looks like the project, in which a reader types commands; the store is a copy of that of the session."""
    for part in ("book", "data", "examples", "pyproject.toml"):
        (tmp_path / part).symlink_to(PROJECT / part)
    shutil.copytree(PROJECT / "src" / "paperlib", tmp_path / "src" / "paperlib")
    if store.is_dir():
        copy_store(store, tmp_path / "store")
    monkeypatch.setenv("PAPERLIB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PAPERLIB_QUIET", "1")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "src"))
    monkeypatch.setenv("PATH", f"{BIN}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_python(code: str) -> str:
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_one_notebook(checkout):
    run, ask = blocks("one-notebook", "bash")
    subprocess.run(shlex.split(run.replace("\\\n", "")), check=True, capture_output=True)
    assert "Simulated scene" in (checkout / "ground-truth.ipynb").read_text()
    shown = subprocess.run(shlex.split(ask), check=True, capture_output=True, text=True).stdout
    page = (PAGES / "one-notebook.md").read_text()
    assert set(re.findall(r"^\s+(\w+): .*\(default", shown, re.M)) == {
        "preset", "scene", "polygons", "seed", "settings",
    }  # fmt: skip
    assert all(f"`{name}`" in page for name in ("preset", "scene", "polygons", "seed", "settings"))


def test_batch(checkout):
    """The file is read, every notebook and parameter of it checked; test_batch.py runs batches."""
    text = blocks("batch", "yaml")[0]
    (checkout / "seeds.yml").write_text(text)
    assert len(read_batch(checkout / "seeds.yml")) == 6 and text.startswith("# seeds.yml")
    commands = "".join(blocks("batch", "bash")).splitlines()
    assert "paperlib batch seeds.yml" in commands and "paperlib batch examples/bouconne.yml" in commands
    assert len(read_batch(PROJECT / "examples" / "bouconne.yml")) == len(
        yaml.safe_load((PROJECT / "examples" / "bouconne.yml").read_text())["runs"]
    )


def test_added_model_is_in_table_4_by_itself(filled_store, checkout):
    """The page's two files are written, and its last block runs in a new process."""
    network, names, use = blocks("add-a-model", "python")
    path = checkout / network.splitlines()[0].removeprefix("# ")
    assert network.count("\n") - network.count("\n\n") <= 20 and not path.exists()
    path.write_text(network)
    package = checkout / names.splitlines()[0].removeprefix("# ")
    _, line, _, table = names.splitlines()
    text = package.read_text()
    assert text.count(table.split("=")[0] + "= {}\n") == 1
    text = text.replace(table.split("=")[0] + "= {}", table)
    package.write_text(text.replace("from ..errors import", f"{line}\nfrom ..errors import"))
    contract = (
        "import torch\nfrom paperlib import models\n"
        "network = models.build('GRU', 13, 11, 8).eval()\n"
        "assert network(torch.randn(2, 13, 11, 6, 5)).shape == (2, 8, 6, 5)\n"
        "whole = network(x := torch.randn(1, 13, 11, 3, 3))\n"
        "torch.testing.assert_close(network(x[..., 1:2, 1:2])[..., 0, 0], whole[..., 1, 1])\n"
    )
    *before, last = use.strip().splitlines()
    whole = last.rsplit("[", 1)[0]
    shown = run_python("\n".join([contract, *before, f"print({whole}.to_csv(), run.map('GRU'), sep='')"]))
    header, sources, *rows = shown.splitlines()[:-1]
    column = [number for number, pair in enumerate(zip(header.split(","), sources.split(","), strict=True))
              if pair == ("GRU", "ours")]  # fmt: skip
    assert len(column) == 1, "one column of ours"
    scores = [row.split(",")[column[0]] for row in rows if row.startswith(("Validation", "Test"))]
    assert sum(re.fullmatch(r"0\.\d+|1\.0", score) is not None for score in scores) >= 16
    assert (Path(shown.splitlines()[-1]) / "class.tif").is_file()


def test_another_place_is_mapped_scored_and_compared(models, tmp_path, monkeypatch):
    """Scenes are smaller than the page's and the model is that of the session; what makes them there is parsed alone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").symlink_to(models)
    small = {"size": 96, "pool": 24, "test": 16, "seed": 31}
    simulate_scene(tmp_path / "scenes" / "first", **small)
    simulate_year(tmp_path / "scenes" / "second", **small)
    commands = [shlex.split(line)[1:] for block in blocks("map-elsewhere", "bash") for line in block.splitlines()]
    assert [words[0] for words in commands] == [
        "simulate",
        "train",
        "map",
        "score",
        "simulate",
        "map",
        "score",
        "change",
    ]
    known, said = typer.main.get_command(cli).commands, {}
    for name, *words in (commands[0], commands[1], commands[4]):
        parsed = known[name].make_context(name, words).params
        assert parsed["preset"] == "tiny" and str(parsed.get("save") or "models/TempCNN") == "models/TempCNN"
    for words in [*commands[2:4], *commands[5:]]:
        answer = paperlib(*words, folder=tmp_path)
        assert answer.returncode == 0, answer.stderr
        said[words[0]] = answer
    assert "macro F1" in said["score"].stdout and "corrected by the confusion" in said["change"].stdout
    assert (tmp_path / "change" / "change.tif").is_file()
    (code,) = blocks("map-elsewhere", "python")
    exec(code, found := {})
    assert found["table"].query("score == 'macro F1'")["estimate"].between(0, 1).all()


@pytest.fixture
def elsewhere(run, tmp_path, monkeypatch):
    """A working directory for the code of the page on weights, which uses the run of these tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("paperlib.Experiment", lambda preset: run, raising=False)
    return {}


def test_weights_in_plain_torch_and_exported(elsewhere, run):
    code = blocks("use-the-weights", "python")
    assert not any("paperlib" in block for block in code[3:5]), "without this library"
    for block in code:
        exec(block, elsewhere)
    series = run.samples["test"].x[0]
    with torch.inference_mode():
        ours = run.classifier("2D-CNN").model(run.trained.normalised["test"].x[:1])[0].argmax(0)
    codes = np.array([cover.code for cover in run.legend])[ours.numpy()]
    assert np.array_equal(elsewhere["classify"](series).numpy(), codes)
    x = torch.randn_like(elsewhere["example"])
    with torch.inference_mode():
        torch.testing.assert_close(elsewhere["elsewhere"](x), run.classifier("3D-CNN").model(x), rtol=1e-4, atol=1e-4)


def test_map_a_region(tmp_path):
    """The list of the page and that of the examples name their tiles; the commands of the page exist with their options."""
    (listed,) = blocks("map-a-region", "yaml")
    for place in ("scenes/31TCJ", "archive/north.zarr", "data/region/T31TCJ", "data/region/T31TCH", "examples"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "region.yml").write_text(listed)
    assert [tile.name for tile in find_tiles(tmp_path / "region.yml")] == ["31TCJ", "north"]
    shutil.copy(PROJECT / "examples" / "region.yml", tmp_path / "examples" / "region.yml")
    assert [tile.name for tile in find_tiles(tmp_path / "examples" / "region.yml")] == ["31TCJ", "south"]
    commands = typer.main.get_command(cli).commands
    for line in "".join(blocks("map-a-region", "bash")).splitlines():
        _, name, *words = shlex.split(line)
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("page", ["better-maps", "better-labels"])
def test_commands_of_better_maps_and_labels_take_their_options(page):
    """Their results are tested with each command; here no option of a page may be unknown."""
    commands = typer.main.get_command(cli).commands
    lines = [line for block in blocks(page, "bash") for line in block.splitlines() if line.startswith("paperlib ")]
    for line in lines:
        _, name, *words = shlex.split(line)
        context = commands[name].make_context(name, words)
        assert context.params.get("out") or name == "train"
    assert len(lines) >= 4
    options = set(re.findall(r"`(--[a-z-]+)[` ]", (PAGES / f"{page}.md").read_text()))
    known = {flag for name in commands for option in commands[name].params for flag in option.opts}
    assert options and options <= known
