"""Maps: by windows as in one pass, georeferenced, coloured, honest about pixels without data."""

import numpy as np
import pandas as pd
import pytest
import rasterio
import rioxarray  # noqa: F401  (gives .rio)
import torch
import xarray as xr

from paperlib import models, paper
from paperlib.mapping import classify, features, map_scene, read_map
from paperlib.samples import Normaliser

LEGEND = paper.legend([1, 3, 7, 11])
SHAPE = (37, 53)  # no multiple of a window: the last windows are partial


@pytest.fixture(scope="module")
def scene() -> xr.DataArray:
    """A small random scene with one pixel that no date shows and one date masked somewhere else."""
    rng = np.random.default_rng(5)
    values = rng.uniform(0.01, 0.6, (10, 3, *SHAPE)).astype(np.float32)
    mask = np.zeros((3, *SHAPE), bool)
    mask[:, 4, 6] = True
    mask[1, 20:30, 20:30] = True
    values[:, mask] = np.nan
    return xr.DataArray(
        values,
        dims=("band", "time", "y", "x"),
        coords={
            "band": list(paper.BANDS), "time": pd.to_datetime(paper.DATES[:3]),
            "y": 4835675.0 - 10 * np.arange(SHAPE[0]), "x": 356045.0 + 10 * np.arange(SHAPE[1]),
            "mask": (("time", "y", "x"), mask),
        },
    ).rio.write_crs(32631)  # fmt: skip


@pytest.fixture(scope="module")
def normaliser() -> Normaliser:
    low, high = torch.zeros(13), torch.ones(13)
    return Normaliser(low, high)


def build(name: str, scene: xr.DataArray, normaliser: Normaliser) -> torch.nn.Module:
    """A network with random weights whose batch statistics are those of the scene: its classes vary over the map."""
    torch.manual_seed(1)
    model = models.build(name, channels=13, dates=3, classes=len(LEGEND))
    x = normaliser.apply(torch.from_numpy(features(scene))[None])
    for module in model.modules():
        if hasattr(module, "momentum"):
            module.momentum = None  # plain averages, so that one pass sets them
    model.train()(x)
    return model.eval()


@pytest.mark.parametrize("name", models.NAMES)
@pytest.mark.parametrize("window", [16, 40])
def test_windows_equal_one_pass(name, window, scene, normaliser, tmp_path):
    model = build(name, scene, normaliser)
    map_scene(model, scene, normaliser, LEGEND, tmp_path, window=window)
    index, probability = classify(model, features(scene), normaliser)
    codes = np.array([cover.code for cover in LEGEND])
    expected = np.where(index < 0, 0, codes[index])
    assert np.array_equal(read_map(tmp_path / "class.tif").values, expected)
    confidence = read_map(tmp_path / "confidence.tif").values
    assert np.abs(confidence[index >= 0] - 100 * probability[index >= 0]).max() <= 0.51
    assert len(np.unique(expected)) > 2  # a constant map would pass for the wrong reason


def test_a_halo_too_small_is_noticed(scene, normaliser, tmp_path):
    model = build("3D-CNN", scene, normaliser)
    model.receptive_field = 1
    map_scene(model, scene, normaliser, LEGEND, tmp_path, window=16)
    index, _ = classify(model, features(scene), normaliser)
    codes = np.array([cover.code for cover in LEGEND])
    assert not np.array_equal(read_map(tmp_path / "class.tif").values, np.where(index < 0, 0, codes[index]))


def test_files_carry_place_colours_names_and_nodata(scene, normaliser, tmp_path):
    map_scene(build("TempCNN", scene, normaliser), scene, normaliser, LEGEND, tmp_path, window=32)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class.tif", "confidence.tif"]
    with rasterio.open(tmp_path / "class.tif") as classes, rasterio.open(tmp_path / "confidence.tif") as confidence:
        assert classes.crs == confidence.crs == scene.rio.crs
        assert classes.transform == scene.rio.transform()
        assert classes.shape == SHAPE and classes.dtypes == ("uint8",)
        assert (classes.nodata, confidence.nodata) == (0, 255)
        assert classes.colormap(1)[11] == (0x00, 0x80, 0xFF, 255)
        assert classes.tags(1)["class_3"] == "Woodland broad-leaved trees"
        assert classes.read(1)[4, 6] == 0 and confidence.read(1)[4, 6] == 255
        assert (classes.read(1) == 0).sum() == 1


def test_filled_dates_have_values(scene):
    values = features(scene)
    assert values.shape == (13, 3, *SHAPE) and values.dtype == np.float32
    assert np.isnan(values).any(axis=(0, 1)).sum() == 1
    assert values[:10, 1, 25, 25] == pytest.approx(
        (scene.values[:, 0, 25, 25] * 31 + scene.values[:, 2, 25, 25] * 28) / 59, abs=1e-5
    )  # halfway in days, not in steps: 28 days after the first date, 31 before the last
