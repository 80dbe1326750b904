"""Figures: as in the kept images, nothing clipped or unlabelled, colours true to the legend, no trace in pyplot.

After a change that is meant, make the images again:
    python -m pytest tests/test_figures.py -o addopts= --mpl-generate-path=tests/baseline
"""

import geopandas as gpd
import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from matplotlib.colors import to_rgb
from shapely import box

from paperlib import drawing, figures, map_figures, paper
from paperlib.errors import InputError
from paperlib.samples import Samples

DATES = pd.to_datetime(["2018-02-15", "2018-05-15", "2018-08-15", "2018-11-15"])
SIDE = 40
LEFT, TOP = 356_000.0, 4_836_000.0


@pytest.fixture
def scene() -> xr.DataArray:
    """Smooth reflectance that changes over the dates, with a cloud and a corner without data on the second."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    season = np.array([0.2, 0.5, 0.9, 0.4])[:, None, None]
    values = np.stack([0.1 * (1 + number) * (0.3 + season * x + (1 - season) * y) for number in range(4)])
    mask = np.zeros((4, SIDE, SIDE), bool)
    mask[1, 5:15, 5:20] = True
    mask[1, 30:, :8] = True
    values[:, 1, 30:, :8] = np.nan
    return xr.DataArray(
        values.astype(np.float32),
        dims=("band", "time", "y", "x"),
        coords={
            "band": ["B2", "B3", "B4", "B8"],
            "time": DATES,
            "y": TOP - 5 - 10 * np.arange(SIDE),
            "x": LEFT + 5 + 10 * np.arange(SIDE),
            "mask": (("time", "y", "x"), mask),
        },
    )


@pytest.fixture
def polygons() -> gpd.GeoDataFrame:
    """Three squares a class, one in each set."""
    rows = [
        (cover.code, cover.name, part, box(left, bottom, left + 20, bottom + 20))
        for row, cover in enumerate(paper.CLASSES)
        for column, part in enumerate(("train", "validation", "test"))
        for left, bottom in [(LEFT + 40 + 130 * column, TOP - 390 + 48 * row)]
    ]
    columns = ["code", "class_name", "set", "geometry"]
    return gpd.GeoDataFrame(rows, columns=columns, crs="EPSG:32631")


@pytest.fixture
def codes(scene) -> xr.DataArray:
    """A map with every class in a stripe and no data in one corner."""
    stripes = np.array([cover.code for cover in paper.CLASSES], np.uint8)[np.arange(SIDE) * 8 // SIDE]
    values = np.tile(stripes, (SIDE, 1))
    values[:4, :4] = 0
    return xr.DataArray(values, dims=("y", "x"), coords={"y": scene["y"], "x": scene["x"]})


@pytest.fixture
def confidence(scene) -> xr.DataArray:
    values = np.tile(np.linspace(20, 100, SIDE).astype(np.uint8), (SIDE, 1))
    values[:4, :4] = 255
    return xr.DataArray(values, dims=("y", "x"), coords={"y": scene["y"], "x": scene["x"]})


@pytest.fixture
def series() -> pd.DataFrame:
    time = np.arange(4)
    rows = [
        (cover.name, cover.code, channel, date, level, 0.05, 100)
        for row, cover in enumerate(paper.CLASSES)
        for column, channel in enumerate(drawing.CHANNELS)
        for date, level in zip(DATES, 0.5 + 0.4 * np.sin(time / 2 + row + column / 4), strict=True)
    ]
    return pd.DataFrame(rows, columns=["class_name", "code", "channel", "date", "mean", "std", "n"])


@pytest.fixture
def samples() -> Samples:
    """Index k of class c lies in [c, c + 1) + 10 k; every third pixel is unlabelled, with absurd values."""
    label = torch.arange(8).repeat_interleave(12).reshape(8, 3, 4)
    spread = torch.linspace(0, 0.99, 12).reshape(1, 1, 3, 4)
    level = label[:, None].float() + spread
    x = torch.stack([level, level + 10, level + 20], 1)
    x = x.repeat(1, 1, 2, 1, 1)
    label[:, :, ::3] = -1
    x.movedim(2, 4)[:, :, :, ::3] = 1e6
    return Samples(x=x, label=label, polygon=torch.zeros_like(label), channels=("NDVI", "NDWI", "BI"))


@pytest.fixture
def history() -> pd.DataFrame:
    rows = [
        (model, training, epoch, 2 * 0.7**epoch, 2.2 * 0.75**epoch + 0.1 * training, f1)
        for model in ("TempCNN", "2D-CNN")
        for training in (0, 1)
        for epoch, f1 in enumerate((0.4, 0.6, 0.85 - 0.1 * training, 0.7, 0.65), start=1)
    ]
    return pd.DataFrame(rows, columns=["model", "training", "epoch", "training_loss", "loss", "macro_f1"])


@pytest.fixture
def confusions() -> dict[str, np.ndarray]:
    first = np.diag([9000, 800, 12000, 700, 4000, 11000, 0, 150000])
    first[0, 3] = 3000
    return {"TempCNN": first, "2D-CNN": first + np.eye(8, k=1, dtype=int) * 400}


@pytest.fixture
def results() -> pd.DataFrame:
    rows = [
        (model, training, part, cover.code, 0.95 - 0.06 * row - 0.1 * training - (0.05 if part == "test" else 0))
        for model in ("TempCNN", "iota2_base")
        for training in (0, 1)
        for part in ("validation", "test")
        for row, cover in enumerate(paper.CLASSES)
    ]
    return pd.DataFrame(rows, columns=["model", "training", "set", "code", "f1"])


@pytest.fixture
def trainings() -> pd.DataFrame:
    rows = [(model, training, training == 0) for model in ("TempCNN", "iota2_base") for training in (0, 1)]
    return pd.DataFrame(rows, columns=["model", "training", "chosen"])


@pytest.fixture
def draw(scene, polygons, codes, confidence, series, samples, history, confusions, results, trainings):
    """Draws one of FIGURES by name, out of the data above."""
    bounds = (LEFT, TOP - 10 * SIDE, LEFT + 10 * SIDE, TOP)
    window = scene.isel(y=slice(0, 30), x=slice(0, 30))
    drawings = {
        "scene": lambda: map_figures.scene_figure(scene, polygons=polygons),
        "availability": lambda: figures.availability_figure(scene),
        "split": lambda: map_figures.split_figure(polygons, bounds),
        "maps": lambda: map_figures.maps_figure(
            {"truth": codes, "TempCNN": codes, "2D-CNN": codes}, window, paper.CLASSES
        ),
        "confidence": lambda: map_figures.confidence_figure({"TempCNN": confidence, "2D-CNN": confidence}),
        "whole_map": lambda: map_figures.whole_map_figure(codes, confidence, paper.CLASSES),
        "series": lambda: figures.series_figure(series, ["NDVI", "B12", "absent"]),
        "features": lambda: figures.features_figure(series, figures.FIGURE_8_CLASSES[:3]),
        "indices": lambda: figures.indices_figure(samples, paper.CLASSES),
        "learning": lambda: figures.learning_figure(history),
        "learning_of_one": lambda: figures.learning_figure(history[history["model"] == "TempCNN"]),
        "confusion": lambda: figures.confusion_figure(confusions, paper.CLASSES),
        "scores": lambda: figures.scores_figure(results, trainings, paper.CLASSES),
        "scores_without_the_paper": lambda: figures.scores_figure(
            results, trainings, paper.legend([1, 3]), printed=False
        ),
    }
    assert set(drawings) == set(FIGURES)
    return lambda name: drawings[name]()


FIGURES = (
    "scene", "availability", "split", "maps", "confidence", "whole_map", "series", "features", "indices", "learning",
    "learning_of_one", "confusion", "scores", "scores_without_the_paper",
)  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.mpl_image_compare(baseline_dir="baseline", tolerance=3, style="default", savefig_kwargs={"dpi": 40})
def test_figure(draw, name):
    return draw(name)


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_whole_and_leaves_no_trace(draw, name):
    before = dict(matplotlib.rcParams)
    figure = draw(name)
    assert dict(matplotlib.rcParams) == before
    assert plt.get_fignums() == []  # pyplot would show it a second time

    assert figure._repr_png_().startswith(b"\x89PNG")  # what a notebook shows
    needed, given = figure.get_tightbbox(), figure.get_size_inches()
    assert needed.x0 >= -0.01 and needed.y0 >= -0.01, "clipped at the left or at the foot"
    assert needed.x1 <= given[0] + 0.01 and needed.y1 <= given[1] + 0.01, "clipped at the right or at the top"
    assert 4 <= given[0] <= 8

    panels = [ax for ax in figure.axes if ax.get_visible()]
    assert any(ax.get_xlabel() for ax in panels)
    assert any(ax.get_ylabel() for ax in panels) or name in ("indices", "scores", "scores_without_the_paper")
    assert not any("[metre]" in ax.get_xlabel() + ax.get_ylabel() for ax in panels)


# -- what the pictures say ---------------------------------------------------------------------------------------------


def test_map_colours_are_those_of_the_legend(scene, codes):
    figure = map_figures.maps_figure({"TempCNN": codes}, scene, paper.CLASSES)
    image = figure.axes[1].images[0].get_array()
    for cover in paper.CLASSES:
        assert np.allclose(image[20, np.flatnonzero(codes.values[20] == cover.code)], to_rgb(cover.colour))
    assert np.allclose(image[0, 0], 1)  # no data is white
    assert figure.legends[0].get_texts()[-1].get_text() == "no data"


def test_maps_are_cut_to_the_window_where_they_lie(scene, codes):
    window = scene.isel(y=slice(10, 30), x=slice(15, 35))
    panel = map_figures.maps_figure({"TempCNN": codes}, window, paper.CLASSES).axes[1]
    expected = drawing.colours_of(codes.values[10:30, 15:35], paper.CLASSES)
    assert np.array_equal(panel.images[0].get_array(), expected)
    assert panel.images[0].get_extent() == [LEFT + 150, LEFT + 350, TOP - 300, TOP - 100]
    again = map_figures.maps_figure({"TempCNN": codes.values[10:30, 15:35]}, window, paper.CLASSES).axes[1]
    assert np.array_equal(again.images[0].get_array(), expected)


def test_map_from_south_to_north_is_drawn_north_up(scene, codes):
    expected = map_figures.whole_map_figure(codes, codes, paper.CLASSES).axes[0].images[0]
    turned = map_figures.whole_map_figure(codes[::-1], codes, paper.CLASSES).axes[0].images[0]
    assert np.array_equal(turned.get_array(), expected.get_array()) and turned.get_extent() == expected.get_extent()


def test_a_whole_tile_is_thinned_out():
    dims = {"y": TOP - 10 * np.arange(10_980), "x": LEFT + 10 * np.arange(10_980)}
    tile = xr.DataArray(np.broadcast_to(np.uint8(3), (10_980, 10_980)), dims=("y", "x"), coords=dims)
    assert max(drawing.thin(tile).shape) <= 1200


def test_composite_ignores_masked_pixels_and_greys_missing_ones(scene):
    bands = drawing.COMPOSITES["true colour"]
    expected = drawing.composite(scene, bands)
    assert expected[1, 35, 2].tolist() == [0.8, 0.8, 0.8] and expected.min() >= 0 and expected.max() <= 1
    bright = scene.copy(deep=True)
    bright.values[:, 1, 5:15, 5:20] = 1.0  # the masked cloud
    clear = ~scene["mask"].values
    assert np.allclose(drawing.composite(bright, bands)[clear], expected[clear])


def test_scene_without_a_blue_band_shows_the_near_infrared_alone(scene):
    assert len(map_figures.scene_figure(scene.sel(band=["B3", "B4", "B8"])).axes) == 4


def test_scene_that_cannot_be_drawn_says_why(scene):
    with pytest.raises(InputError, match=r"2018-03-01.*2018-02-15"):
        map_figures.scene_figure(scene, dates=["2018-03-01"])
    with pytest.raises(InputError, match=r"B2, B3.*B8"):
        map_figures.scene_figure(scene.sel(band=["B2", "B3"]))
    assert len(map_figures.maps_figure({}, scene.sel(band=["B3", "B4", "B8"]), paper.CLASSES).axes) == 1


def test_series_of_other_channels_says_which_there_are(series):
    with pytest.raises(InputError, match=r"EVI.*NDVI"):
        figures.series_figure(series, channels=["EVI"])


def test_best_epoch_is_starred(history):
    panel = figures.learning_figure(history).axes[2]  # macro F1 of the first model
    stars = [line.get_xydata()[0].tolist() for line in panel.lines if line.get_marker() == "*"]
    assert stars == [[3, 0.85], [3, 0.75]]


def test_scores_are_those_of_the_chosen_training(results, trainings):
    validation, test = figures.scores_figure(results, trainings, paper.CLASSES, printed=False).axes
    for panel, part in ((validation, "validation"), (test, "test")):
        chosen = results[(results["model"] == "TempCNN") & (results["training"] == 0) & (results["set"] == part)]
        drawn = next(line for line in panel.lines if line.get_marker() == "o").get_xdata()
        assert np.allclose(drawn, [*chosen["f1"], chosen["f1"].mean()])


def test_indices_are_of_labelled_pixels(samples):
    for number, panel in enumerate(figures.indices_figure(samples, paper.CLASSES).axes):
        for index, patch in enumerate(panel.patches):
            x = patch.get_path().vertices[:, 0]
            assert index + 10 * number <= x.min() and x.max() < index + 1 + 10 * number
