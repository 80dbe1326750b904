"""One command from files to products: on real data, and on a cube with other dates, bands and classes."""

import json
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from paperlib import Experiment, fetch, open_scene, workflow
from paperlib.errors import InputError
from paperlib.mapping import read_map
from paperlib.polygons import classes_file
from paperlib.simulate import simulate

NAMES = ["TempCNN", "iota2_base"]
PROJECT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def no_store(monkeypatch):
    monkeypatch.setenv("PAPERLIB_STORE", "")  # so that it is restored afterwards
    monkeypatch.delenv("PAPERLIB_STORE")
    monkeypatch.setenv("PAPERLIB_QUIET", "1")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory) -> tuple[Path, Path]:
    """A monthly NetCDF cube of nine bands in integers with months without data, and polygons of classes 41, 42, ..."""
    folder = simulate(tmp_path_factory.mktemp("foreign") / "s", size=192, pool=40, test=24, seed=5)
    scene = open_scene(folder, bands=["B2", "B3", "B4", "B5", "B6", "B7", "B8", "B11", "B12"])
    scene = scene.isel(time=[0, 2, 4, 5, 6, 8, 10]).compute()
    raw = xr.where(scene.mask, -10000, (scene * 10000).round()).transpose(*scene.dims).fillna(-10000).astype("int16")
    raw[:, 3, :, :96] = -10000  # a month that the western half lacks
    raw[:, 5] = -10000  # one that all of it lacks
    cube = raw.drop_vars("mask").rio.write_crs(scene.rio.crs).to_dataset(name="reflectance")
    path = folder.parent / "cube.nc"
    cube.to_netcdf(path, engine="h5netcdf")
    polygons = gpd.read_file(folder / "polygons.gpkg")
    codes = {code: 41 + index for index, code in enumerate(sorted(polygons["code"].unique()))}
    polygons["code"] = polygons["code"].map(codes)
    polygons = polygons[polygons["code"] < 47][["code", "geometry"]]  # six classes, no set: one is drawn
    own = folder.parent / "own.gpkg"
    polygons.to_file(own)
    legend = {"code": range(41, 47), "name": [f"kind {code}" for code in range(41, 47)]}
    pd.DataFrame(legend | {"colour": [f"#{code:02x}80{code:02x}" for code in range(41, 47)]}).to_csv(
        classes_file(own), index=False
    )
    return path, own


def test_a_foreign_cube_goes_all_the_way(foreign, tmp_path):
    lines = []
    workflow.run_all(*map(str, foreign), tmp_path, "tiny", NAMES, report=lines.append)
    assert json.loads((tmp_path / "check.json").read_text()) is not None and (tmp_path / "check.txt").is_file()
    table = pd.read_csv(tmp_path / "trainings.csv")
    assert set(table["model"]) == set(NAMES) and table["macro_f1_test"].between(0, 1).all()
    text = (tmp_path / "table-4.csv").read_text()
    assert "kind 44" in text and "Woodland" not in text and "paper" not in text
    for name in NAMES:
        codes = read_map(tmp_path / "maps" / name / "class.tif")
        assert set(np.unique(codes)) <= {0, *range(41, 47)} and codes.shape == (192, 192)
        areas = pd.read_csv(tmp_path / "maps" / name / "areas.csv")
        assert areas["class_name"].tolist() == [f"kind {code}" for code in range(41, 47)]
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "artifacts").rglob("weights.safetensors")}
    assert kept
    workflow.run_all(*map(str, foreign), tmp_path, "tiny", NAMES, report=lines.append)  # again: nothing is trained anew
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "artifacts").rglob("weights.safetensors")}


def test_real_data_in_one_command(shared_data, tmp_path):
    """As a user gives it, in a folder of its own."""
    image = tmp_path / fetch.IMAGE
    image.symlink_to(shared_data / "bouconne" / fetch.IMAGE)
    fetch.fetch_bouconne(tmp_path)
    polygons = PROJECT / "data" / "bouconne" / fetch.POLYGONS
    command = [sys.executable, "-m", "paperlib", "run", str(image), str(polygons), "--out", "out", "--preset", "tiny"]
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
    assert [cover.code for cover in run.legend] == list(range(41, 47))
