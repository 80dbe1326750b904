"""Maps by windows equal maps in one pass, with georeference, colours, and no class where there are no data."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import rasterio
import rioxarray  # noqa: F401  (gives .rio)
import torch
import xarray as xr
from rio_cogeo.cogeo import cog_validate

from paperlib import models, nomenclature
from paperlib.devices import has_bfloat16
from paperlib.errors import InputError
from paperlib.evaluation.scoring import logits_of
from paperlib.features.inputs import Inputs
from paperlib.features.normaliser import Normaliser
from paperlib.features.patches import extract
from paperlib.mapping import inference, scene_maps
from paperlib.mapping.inference import Engine
from paperlib.mapping.scene_maps import map_scene, read_map
from paperlib.reproduction import paper
from paperlib.scenes import sensors
from paperlib.training.classifier import Classifier

LEGEND = nomenclature.legend([1, 3, 7, 11])
SHAPE = (37, 53)  # no multiple of a window: the last windows are partial
WHOLE = (slice(0, SHAPE[0]), slice(0, SHAPE[1]))
GAP = np.zeros(SHAPE, bool)  # what no date shows: a pixel, a strip as of an orbit's edge, a corner
GAP[4, 6] = GAP[25, 3:9] = GAP[26, 4:9] = GAP[:, 30:39] = GAP[33:, 46:] = True


@pytest.fixture(scope="module")
def scene() -> xr.DataArray:
    """A small random scene with gaps on all dates, and one date masked somewhere else."""
    rng = np.random.default_rng(5)
    values = rng.uniform(0.01, 0.6, (10, 3, *SHAPE)).astype(np.float32)
    mask = np.zeros((3, *SHAPE), bool)
    mask[:, GAP] = True
    mask[1, 10:20, 20:30] = True
    values[:, mask] = np.nan
    return xr.DataArray(
        values,
        dims=("band", "time", "y", "x"),
        coords={
            "band": list(sensors.BANDS), "time": pd.to_datetime(paper.DATES[:3]),
            "y": 4835675.0 - 10 * np.arange(SHAPE[0]), "x": 356045.0 + 10 * np.arange(SHAPE[1]),
            "mask": (("time", "y", "x"), mask),
        },
    ).rio.write_crs(32631)  # fmt: skip


def build(name: str, scene: xr.DataArray) -> Classifier:
    """A network with random weights whose batch statistics are those of the scene: its classes vary over the map."""
    torch.manual_seed(1)
    inputs, normaliser = Inputs.of(scene), Normaliser(torch.zeros(13), torch.ones(13))
    model = models.build(name, channels=13, dates=3, classes=len(LEGEND))
    x = normaliser.apply(torch.from_numpy(inputs.read_around(scene, *WHOLE, model.halo)[0])[None])
    for module in model.modules():
        if hasattr(module, "momentum"):
            module.momentum = None  # plain averages, so that one pass sets them
    model.train()(x)
    return Classifier(name, model.eval(), inputs, normaliser, LEGEND, {})


def one_pass(classifier: Classifier, scene: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Class index and probability of the whole scene at once, in the precision that its map takes; -1 without data."""
    engine = Engine(classifier)
    engine.choose_precision(scene)
    engine.block = max(SHAPE)
    values, usable = classifier.inputs.read_around(scene, *WHOLE, classifier.halo)
    index, probability = engine.classify(values)
    return np.where(usable, index, -1), probability


@pytest.mark.parametrize("name", [*models.NAMES, "L-TAE", "U-TAE"])
@pytest.mark.parametrize("window", [16, 40])
@pytest.mark.parametrize("mixed", [False, True])
def test_windows_equal_one_pass(name, window, mixed, scene, tmp_path, monkeypatch):
    if mixed:  # where the processor has it
        monkeypatch.setattr(inference, "WORTH", 0)
        monkeypatch.setattr(inference, "PROBE", 16)
        monkeypatch.setattr(inference, "AGREEMENT", 0)
    classifier = build(name, scene)
    map_scene(classifier, scene, tmp_path, window=window)
    index, probability = one_pass(classifier, scene)
    with rasterio.open(tmp_path / "class.tif") as file:
        assert ("mixed" in file.tags()["precision"]) == (mixed and has_bfloat16(torch.device("cpu")))
    codes = np.array([cover.code for cover in LEGEND])
    expected = np.where(index < 0, 0, codes[index])
    assert np.array_equal(read_map(tmp_path / "class.tif").values, expected)
    confidence = read_map(tmp_path / "confidence.tif").values
    assert np.abs(confidence[index >= 0] - 100 * probability[index >= 0]).max() <= (1.01 if mixed else 0.51)
    assert len(np.unique(expected)) > 2  # a constant map would pass for the wrong reason


def test_every_layer_equals_one_pass_and_a_temperature_changes_no_class(scene, tmp_path):
    classifier = build("2D-CNN", scene)
    map_scene(classifier, scene, tmp_path / "plain", window=40)
    map_scene(replace(classifier, temperature=0.2), scene, tmp_path, window=16, every=True)
    class_map = "class.tif"
    assert (tmp_path / class_map).read_bytes() == (tmp_path / "plain" / class_map).read_bytes()
    names = [path.stem for path in sorted(tmp_path.glob("*.tif"))]
    assert names == ["class", "confidence", "entropy", "margin", "probabilities"]
    values, _ = classifier.inputs.read_around(scene, *WHOLE, classifier.halo)
    with torch.inference_mode():
        logits = classifier.model(classifier.normaliser.apply(torch.from_numpy(values)[None]))[0]
    expected = (logits / 0.2).softmax(0).numpy()
    with rasterio.open(tmp_path / "probabilities.tif") as file:
        stored = file.read()
        assert file.descriptions == tuple(cover.name for cover in LEGEND) and file.scales == (1e-4,) * 4
    assert np.array_equal(stored[0] == file.nodata, GAP)
    assert np.abs(1e-4 * stored - expected)[:, ~GAP].max() < 2e-4
    expected.sort(axis=0)
    share = -(expected * np.log(expected)).sum(0) / np.log(4)
    for name, whole in {"confidence": expected[-1], "margin": expected[-1] - expected[-2], "entropy": share}.items():
        found = read_map(tmp_path / f"{name}.tif").values
        assert np.array_equal(found == 255, GAP) and np.abs(found - 100 * whole)[~GAP].max() < 0.52
        assert cog_validate(tmp_path / f"{name}.tif")[0] and np.ptp(found[~GAP]) > 20
    assert cog_validate(tmp_path / "probabilities.tif")[0]


def test_a_halo_too_small_is_noticed(scene, tmp_path):
    classifier = build("3D-CNN", scene)
    classifier.model.receptive_field = 1
    with pytest.raises(ValueError, match="broadcast"):
        map_scene(classifier, scene, tmp_path, window=16)


@pytest.mark.parametrize("name", ["2D-CNN", "3D-CNN", "SpatioTempCNN", "U-TAE"])
def test_a_labelled_pixel_gets_in_its_patch_the_answer_of_the_map(name, scene, tmp_path):
    """At the scene's end, beside gaps and elsewhere; the margin of patches is that of the widest network."""
    classifier = build(name, scene)
    number = np.full(SHAPE, -1, np.int64)
    for polygon, (y, x) in enumerate([(0, 0), (0, 26), (20, 39), (22, 2), (31, 44), (30, 24), (9, 9), (2, 5)]):
        number[y : y + 6, x : x + 8] = polygon
    burned = xr.Dataset({"label": (("y", "x"), np.where(number < 0, -1, 0)), "polygon": (("y", "x"), number)})
    polygons = pd.DataFrame({"polygon_id": range(8), "code": 1, "class_name": "one"})
    with pytest.warns(UserWarning, match="no usable date"):
        samples = extract(scene, burned, polygons, 16, models.reach())
    logits = logits_of(classifier.model, samples.map(classifier.normaliser.apply)).softmax(1).numpy()
    _, probability = one_pass(classifier, scene)
    place = (number >= 0) & ~GAP
    order = pd.DataFrame({"polygon": samples.polygon[samples.label >= 0].numpy(), "sure": logits.max(1)})
    mapped = pd.DataFrame({"polygon": number[place], "sure": probability[place]})
    order, mapped = (table.sort_values(["polygon", "sure"])["sure"].to_numpy() for table in (order, mapped))
    assert len(order) == len(mapped) > 250
    np.testing.assert_allclose(order, mapped, atol=1e-5)


def test_files_carry_place_colours_names_and_nodata(scene, tmp_path):
    map_scene(build("TempCNN", scene), scene, tmp_path, window=32)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class.tif", "confidence.tif"]
    with rasterio.open(tmp_path / "class.tif") as classes, rasterio.open(tmp_path / "confidence.tif") as confidence:
        assert classes.crs == confidence.crs == scene.rio.crs
        assert classes.transform == scene.rio.transform()
        assert classes.shape == SHAPE and classes.dtypes == ("uint8",)
        assert (classes.nodata, confidence.nodata) == (0, 255)
        assert classes.colormap(1)[11] == (0x00, 0x80, 0xFF, 255)
        assert classes.tags(1)["class_3"] == "Woodland broad-leaved trees"
        assert classes.read(1)[4, 6] == 0 and confidence.read(1)[4, 6] == 255
        assert np.array_equal(classes.read(1) == 0, GAP) and np.array_equal(confidence.read(1) == 255, GAP)


def test_filled_dates_have_values(scene):
    values = Inputs.of(scene).read(scene)
    assert values.shape == (13, 3, *SHAPE) and values.dtype == np.float32
    assert np.array_equal(np.isnan(values).any(axis=(0, 1)), GAP)
    assert values[:10, 1, 15, 25] == pytest.approx(
        (scene.values[:, 0, 15, 25] * 31 + scene.values[:, 2, 15, 25] * 28) / 59, abs=1e-5
    )  # halfway in days, not in steps: 28 days after the first date, 31 before the last


def test_features_in_memory_that_held_others(scene):
    expected = Inputs.of(scene).read(scene)[..., 2:20, 3:40]
    memory = np.full(expected.size + 5, 7, np.float32)
    found = Inputs.of(scene).read(scene, slice(2, 20), slice(3, 40), memory)
    assert np.shares_memory(found, memory)
    np.testing.assert_array_equal(found, expected)


KILLED = """
import sys, time
from pathlib import Path
from paperlib import Experiment
from paperlib.mapping import scene_maps

run, folder, stop = Experiment("tiny"), Path(sys.argv[1]), int(sys.argv[2])
save, made = scene_maps._save, []

def slowly(path, array):
    save(path, array)
    made.append(path)
    if len(made) == stop:
        (folder / "stopped").touch()
        time.sleep(60)

scene_maps._save = slowly
scene_maps.allocation.processors = lambda: 1
classifier = run.classifier("2D-CNN")
scene_maps.map_scene(classifier, run.scene, folder, window=24)
"""


@pytest.fixture(scope="module")
def start(run, store):
    """Starts a process that maps the tiny scene in 32 windows into a folder; it stops a minute after some of them."""
    run.classifier("2D-CNN")

    def begin(folder, stop) -> subprocess.Popen:
        folder.mkdir()
        environment = os.environ | {"PAPERLIB_STORE": str(store), "PAPERLIB_QUIET": "1"}
        return subprocess.Popen([sys.executable, "-c", KILLED, str(folder), str(stop)], env=environment)

    return begin


@pytest.fixture
def go_on(run, monkeypatch):
    """Maps the same into a folder, in this process; returns how many windows were left to do."""
    save, made = scene_maps._save, []
    monkeypatch.setattr(scene_maps, "_save", lambda path, array: (save(path, array), made.append(path)))
    monkeypatch.setattr(scene_maps.allocation, "processors", lambda: 1)

    def finish(folder) -> int:
        made.clear()
        map_scene(run.classifier("2D-CNN"), run.scene, folder, window=24)
        return len(made)

    return finish


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory):
    """The same map, made without a disturbance."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene_maps.allocation, "processors", lambda: 1)
        map_scene(run.classifier("2D-CNN"), run.scene, folder, window=24)
    return folder


@pytest.mark.fault(
    "a map killed (SIGKILL) in the middle, with a window half written",
    "the windows done are kept; the same maps, byte by byte",
    "the windows in work",
)
def test_a_killed_map_goes_on_and_ends_with_the_same_bytes(start, whole, go_on, tmp_path):
    killed = tmp_path / "killed"
    process = start(killed, stop=5)
    deadline = time.monotonic() + 200
    while not (killed / "stopped").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL and not list(killed.glob("*.tif"))
    (killed / "windows" / "0-24-48-96.partial").write_bytes(b"half")  # what a kill in the middle of a write leaves
    assert go_on(killed) == 27  # five of 32 were there
    for name in ("class.tif", "confidence.tif"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert sorted(path.name for path in killed.iterdir()) == ["class.tif", "confidence.tif", "stopped"]


@pytest.mark.fault(
    "a block of an image unreadable while mapping", "an error that names it; complete windows are kept", "nothing"
)
def test_an_error_in_a_window_ends_the_map_and_keeps_what_is_complete(scene, tmp_path, monkeypatch):
    classifier = build("TempCNN", scene)
    real = Inputs.read

    def broken(inputs, scene, y, x, memory=None):
        if x.start >= 32:
            raise InputError("block unreadable")
        return real(inputs, scene, y, x, memory)

    monkeypatch.setattr(Inputs, "read", broken)
    monkeypatch.setattr(scene_maps.allocation, "processors", lambda: 1)
    with pytest.raises(InputError, match="block unreadable"):
        map_scene(classifier, scene, tmp_path, window=8)
    kept = list((tmp_path / "windows").glob("*.npy"))
    assert kept and not list(tmp_path.glob("*.tif"))
    monkeypatch.setattr(Inputs, "read", real)
    map_scene(classifier, scene, tmp_path, window=8)
    index, _ = one_pass(classifier, scene)
    codes = np.array([cover.code for cover in LEGEND])
    assert np.array_equal(read_map(tmp_path / "class.tif").values, np.where(index < 0, 0, codes[index]))


def test_maps_are_valid_cogs_and_say_their_precision(scene, tmp_path):
    map_scene(build("TempCNN", scene), scene, tmp_path)
    for name in ("class.tif", "confidence.tif"):
        valid, errors, _ = cog_validate(tmp_path / name)
        assert valid, errors
        with rasterio.open(tmp_path / name) as file:
            assert re.fullmatch(r"float32|mixed bfloat16, (100|99\.\d+)\d*%.*", file.tags()["precision"])


@pytest.mark.fault("no room for the map's file", "an error with the free space; the same command goes on", "nothing")
def test_a_full_disk_is_named_and_nothing_is_lost(whole, go_on, tmp_path):
    """The system refuses to let a file grow beyond 20 KB: results of windows fit, the map does not."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(InputError, match="could not be written whole") as error:
            go_on(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "give the same command again" in str(error.value)
    assert not (tmp_path / "class.tif").exists() and len(list((tmp_path / "windows").iterdir())) == 32
    assert go_on(tmp_path) == 0 and read_map(tmp_path / "class.tif").shape == (192, 192)
    assert (tmp_path / "class.tif").read_bytes() == (whole / "class.tif").read_bytes()
