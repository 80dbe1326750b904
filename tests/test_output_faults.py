"""Every command into output that cannot be: one line, exit code 2, nothing half-written, and again with room."""

import io
import subprocess
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from paperlib import Experiment, open_scene
from paperlib.__main__ import app
from support.disks import files_end_at, on_own_disk

DATES = ["2018-05-15", "2018-07-08", "2018-09-15", "2018-11-15"]
PLACES = ("taken", "taken/below")


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Path:
    """A folder with a stack of four dates, polygons, a land cover raster and its mapping; and a store with a map."""
    folder = tmp_path_factory.mktemp("given")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_STORE", str(folder / "store"))
        run = Experiment("tiny")
        source = Path(run.scene.attrs["source"])
    scene = open_scene(source).sel(time=DATES).compute()
    gone = scene.mask.values[None] | np.isnan(scene.values)
    layers = np.where(gone, -10000, np.rint(np.nan_to_num(scene.values) * 10000)).astype("int16").swapaxes(0, 1)
    profile = {"driver": "GTiff", "height": 192, "width": 192, "crs": scene.rio.crs, "transform": scene.rio.transform()}
    with rasterio.open(folder / "stack.tif", "w", count=40, dtype="int16", nodata=-10000, **profile) as file:
        file.write(layers.reshape(-1, 192, 192))
        file.descriptions = [f"{day} {band}" for day in DATES for band in scene.band.values]
    with rasterio.open(folder / "cover.tif", "w", count=1, dtype="uint8", **profile) as file:
        file.write(((np.indices((192, 192)) // 24).sum(axis=0) % 2 + 1).astype("uint8"), 1)
    (folder / "mapping.csv").write_text("source,code\n1,3\n2,7\n")
    polygons = next(path for parent in (source, *source.parents) for path in parent.glob("polygons.gpkg"))
    gpd.read_file(polygons).to_file(folder / "polygons.gpkg")
    return folder


def commands(given: Path, place: Path) -> dict[str, list[str]]:
    """The arguments of each command that writes a folder to `place`, or a file below it."""
    files = [str(given / name) for name in ("stack.tif", "polygons.gpkg")]
    model = ["--model", "iota2_base", "--preset", "tiny", "--store", str(given / "store")]
    drawn = [str(given / name) for name in ("cover.tif", "mapping.csv", "stack.tif")]
    return {
        "map": ["map", *files, *model, "--out", str(place)],
        "run": ["run", *files, *model, "--no-book", "--out", str(place)],
        "simulate": ["simulate", str(place), "--preset", "tiny"],
        "labels": ["labels", *drawn, "--out", str(place / "below.gpkg")],
    }


def start(arguments: list[str], limit: int = 2**40) -> subprocess.CompletedProcess:
    """Run a command in this process, where no file can have more bytes than `limit`."""
    out, told = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(told), files_end_at(limit):
        patch.setattr(sys, "argv", ["paperlib", *arguments])
        with pytest.raises(SystemExit) as ended, warnings.catch_warnings():
            warnings.simplefilter("default")  # no errors
            app()
    return subprocess.CompletedProcess(arguments, ended.value.code, out.getvalue(), told.getvalue())


def refused(done: subprocess.CompletedProcess, place: str) -> str:
    """The line that says why; asserts that there is one, and only one after a report of the check."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("paperlib: ") and "Fewer than" not in line]
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert len(lines) == 1 and done.stderr.splitlines()[-1] == lines[0] and place in lines[0], done.stderr
    return lines[0]


@pytest.mark.parametrize("command", ["map", "run", "simulate", "labels"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.fault("output that is a file or lies below one", "one line with the path, before any work", "nothing")
def test_a_file_in_the_way(given, tmp_path, command, place):
    (tmp_path / "taken").write_text("a file that is there\n")
    line = refused(start(commands(given, tmp_path / place)[command]), str(tmp_path / place))
    assert "file" in line and [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert (tmp_path / "taken").read_text() == "a file that is there\n"


def test_a_file_in_a_folder_that_is_not_there(given, tmp_path):
    line = refused(start(commands(given, tmp_path / "nowhere")["labels"]), "nowhere/below.gpkg")
    assert "does not exist" in line and not list(tmp_path.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", ["map", "run", "simulate", "labels"])
@pytest.mark.fault("room ends while a command writes", "one line; nothing under a final name", "the new output")
def test_room_that_ends(given, tmp_path, command):
    arguments = commands(given, tmp_path / "out")[command]
    if command == "labels":
        (tmp_path / "out").mkdir()
    if command in ("map", "run"):  # so that its copy alone lacks room
        assert not start(commands(given, tmp_path / "first")["map"]).returncode
    line = refused(start(arguments, limit=16384), str(tmp_path / "out"))
    assert "free there" in line and "Make room" in line
    left = contents(tmp_path / "out") if (tmp_path / "out").exists() else {}
    assert set(left) <= {"check.txt", "check.json", "trainings.csv"}, left.keys()
    done = start(arguments)
    assert not done.returncode, done.stderr
    if command == "map":
        assert contents(tmp_path / "out") == contents(tmp_path / "first")


@pytest.mark.parametrize("command", ["map", "simulate", "labels"])
@pytest.mark.fault(
    "a small disk that becomes full", "one line with bytes needed and free; nothing half-written", "nothing"
)
def test_a_small_disk(given, tmp_path, command):
    start(commands(given, tmp_path / "first")["map"])
    (tmp_path / "disk").mkdir()
    place = tmp_path / "disk" / "out" if command != "labels" else tmp_path / "disk"
    done = on_own_disk(
        tmp_path / "disk", [sys.executable, "-m", "paperlib", *commands(given, place)[command]], size="32k"
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert "are needed and" in done.stderr and "free there" in done.stderr
    assert not [line for line in done.stdout.splitlines() if "out/" in line or "below" in line]


@pytest.mark.fault("a disk that can only be read", "one line", "nothing")
def test_a_read_only_disk(given, tmp_path):
    (tmp_path / "disk").mkdir()
    command = [sys.executable, "-m", "paperlib", *commands(given, tmp_path / "disk" / "out")["map"]]
    done = on_own_disk(tmp_path / "disk", command, read_only=True)
    assert "Read-only" in refused(done, str(tmp_path / "disk" / "out"))


def test_labels_are_written_only_to_formats_that_keep_all(given, tmp_path):
    line = refused(start([*commands(given, tmp_path)["labels"][:-1], str(tmp_path / "below.csv")]), "below.csv")
    assert ".gpkg" in line


def test_labels_do_not_replace_a_file(given, tmp_path):
    (tmp_path / "below.gpkg").write_text("drawn by hand")
    refused(start(commands(given, tmp_path)["labels"]), "is there already")
    assert (tmp_path / "below.gpkg").read_text() == "drawn by hand"
