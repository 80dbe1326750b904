"""One command from files to products: on real data, and on a cube with other dates, bands and classes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paperlib import Experiment
from paperlib.errors import InputError
from paperlib.mapping.scene_maps import read_map
from paperlib.pages.walkthrough import LEGEND
from paperlib.reproduction import real_scene
from paperlib.runs import workflow
from support.commands import paperlib

NAMES = ["TempCNN", "iota2_base"]
PROJECT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_store(monkeypatch):
    monkeypatch.setenv("PAPERLIB_STORE", "")  # so that it is restored afterwards
    monkeypatch.delenv("PAPERLIB_STORE")
    monkeypatch.setenv("PAPERLIB_QUIET", "1")


def test_a_foreign_cube_goes_all_the_way(lagoon, tmp_path):
    lines = []
    workflow.run_all(*map(str, lagoon), tmp_path, "tiny", NAMES, report=lines.append)
    assert json.loads((tmp_path / "check.json").read_text()) is not None and (tmp_path / "check.txt").is_file()
    table = pd.read_csv(tmp_path / "trainings.csv")
    assert set(table["model"]) == set(NAMES) and table["macro_f1_test"].between(0, 1).all()
    text = (tmp_path / "table-4.csv").read_text()
    assert "Irrigated <crops>" in text and "Woodland" not in text and "paper" not in text
    for name in NAMES:
        codes = read_map(tmp_path / "maps" / name / "class.tif")
        assert set(np.unique(codes)) <= {0, *LEGEND["code"]} and codes.shape == (96, 96)
        areas = pd.read_csv(tmp_path / "maps" / name / "areas.csv")
        assert areas["class_name"].tolist() == LEGEND["name"]
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "artifacts").rglob("weights.safetensors")}
    assert kept
    workflow.run_all(*map(str, lagoon), tmp_path, "tiny", NAMES, report=lines.append)  # again: nothing is trained anew
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
    options = ["--out", "out", "--preset", "tiny", "--model", "iota2_base", "--no-book"]
    done = paperlib("run", scene, polygons, *options, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "mapped: out/maps/iota2_base" in done.stdout and "trained iota2_base" in done.stdout
    assert (tmp_path / "out" / "maps" / "iota2_base" / "class.qml").is_file()


def test_a_model_is_trained_once_and_maps_a_scene_without_polygons(lagoon, tmp_path):
    """The same scene again gives the same map as the run that trained the classifier; it is read from its folder alone."""
    scene, polygons = lagoon
    options = ["--model", "TempCNN", "--preset", "tiny", "--store", tmp_path / "store"]
    trained = paperlib("train", scene, polygons, *options, "--save", "models", "--json", folder=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert [row["model"] for row in json.loads(trained.stdout)] == ["TempCNN"]
    mapped = paperlib("map", scene, polygons, *options, "--out", "maps", folder=tmp_path)
    assert mapped.returncode == 0, mapped.stderr
    shutil.rmtree(tmp_path / "store")
    command = [sys.executable, "-m", "paperlib", "map", scene, "--trained", "models", "--out", "again"]
    command += ["--probabilities"]
    alone = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert alone.returncode == 0 and alone.stdout == "mapped: again/TempCNN\n", alone.stderr
    assert "WARNING" not in alone.stderr and "in the scene of the training" in alone.stderr
    first, second = tmp_path / "maps" / "TempCNN", tmp_path / "again" / "TempCNN"
    more = {"travel.csv", "margin.tif", "entropy.tif", "probabilities.tif"}
    assert {path.name for path in first.iterdir()} | more == {path.name for path in second.iterdir()}
    assert more - {"travel.csv"} <= {
        Path(asset["href"]).name for asset in json.loads((second / "item.json").read_text())["assets"].values()
    }
    for name in ("class.tif", "confidence.tif", "areas.csv", "class.qml", "scores.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    assert not (tmp_path / "data").exists() and not (tmp_path / "store").exists()  # nothing but the map is written


@pytest.mark.parametrize("more", [[], ["polygons.gpkg", "--trained", "there"]])
def test_a_map_takes_polygons_or_a_trained_model(more, tmp_path):
    answer = paperlib("map", "scene", *more, "--out", "maps", folder=tmp_path)
    assert answer.returncode == 2 and "Give POLYGONS, or --trained FOLDER." in answer.stderr


def test_what_cannot_run_is_said_before_any_work(lagoon, tmp_path):
    lines = []
    with pytest.raises(InputError, match="errors above say what to mend"):
        workflow.run_all(str(lagoon[0]), str(tmp_path / "gone.gpkg"), tmp_path, "tiny", NAMES, report=lines.append)
    assert "does not exist" in " ".join(lines[0].split()) and not (tmp_path / "maps").exists()
    with pytest.raises(InputError, match="Unknown model '4D-CNN'"):
        workflow.run_all(*map(str, lagoon), tmp_path, "tiny", ["4D-CNN"])


@pytest.mark.filterwarnings("ignore:.*they stay together")
def test_the_book_of_another_scene_is_told_by_the_environment(lagoon, monkeypatch):
    monkeypatch.setenv("PAPERLIB_SCENE", str(lagoon[0]))
    monkeypatch.setenv("PAPERLIB_POLYGONS", str(lagoon[1]))
    run = Experiment("tiny")
    assert not run.simulated and run.settings.scene.path == str(lagoon[0])
    assert [cover.code for cover in run.legend] == LEGEND["code"]
