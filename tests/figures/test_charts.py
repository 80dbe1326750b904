"""Charts equal the reference images; nothing is clipped or unlabelled, and pyplot keeps no trace.

After a change that is meant, make the images again, here as in test_map_figures.py and test_evidence_figures.py:
    python -m pytest tests/figures/test_charts.py -o addopts= --mpl-generate-path=tests/baseline
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from paperlib import nomenclature
from paperlib.features.samples import Samples
from paperlib.figures import charts, score_figures, theme
from paperlib.nomenclature import LandCover
from paperlib.reproduction import paper, tables

DATES = pd.to_datetime(["2018-02-15", "2018-05-15", "2018-08-15", "2018-11-15"])


@pytest.fixture
def scene() -> xr.DataArray:
    """No values; a seventh of the second date is masked."""
    mask = np.zeros((4, 40, 40), bool)
    mask[1].flat[:230] = True
    coords = {"time": DATES, "mask": (("time", "y", "x"), mask)}
    return xr.DataArray(np.zeros((1, 4, 40, 40)), dims=("band", "time", "y", "x"), coords=coords)


@pytest.fixture
def series() -> pd.DataFrame:
    time = np.arange(4)
    rows = [
        (cover.name, cover.code, cover.colour, channel, date, level, 0.05, 100)
        for row, cover in enumerate(nomenclature.CLASSES)
        for column, channel in enumerate(theme.CHANNELS)
        for date, level in zip(DATES, 0.5 + 0.4 * np.sin(time / 2 + row + column / 4), strict=True)
    ]
    return pd.DataFrame(rows, columns=["class_name", "code", "colour", "channel", "date", "mean", "std", "n"])


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
        for row, cover in enumerate(nomenclature.CLASSES)
    ]
    return pd.DataFrame(rows, columns=["model", "training", "set", "code", "f1"])


@pytest.fixture
def trainings() -> pd.DataFrame:
    rows = [(model, training, training == 0) for model in ("TempCNN", "iota2_base") for training in (0, 1)]
    return pd.DataFrame(rows, columns=["model", "training", "chosen"])


@pytest.fixture
def draw(scene, series, samples, history, confusions, results, trainings):
    """Draws one of FIGURES by name, out of the data above."""
    drawings = {
        "series": lambda: charts.series_figure(series, ["NDVI", "B12", "absent"]),
        "features": lambda: charts.features_figure(series, paper.FIGURE_8_CLASSES[:3]),
        "indices": lambda: charts.indices_figure(samples, nomenclature.CLASSES),
        "learning": lambda: score_figures.learning_figure(history),
        "learning_of_one": lambda: score_figures.learning_figure(history[history["model"] == "TempCNN"]),
        "confusion": lambda: score_figures.confusion_figure(confusions, nomenclature.CLASSES),
        "scores": lambda: score_figures.scores_figure(
            results, trainings, nomenclature.CLASSES, tables.printed_scores()
        ),
        "scores_without_the_paper": lambda: score_figures.scores_figure(
            results[results["code"].isin([1, 3])], trainings, nomenclature.legend([1, 3])
        ),
    }
    assert set(drawings) == set(FIGURES)
    return lambda name: drawings[name]()


FIGURES = (
    "series", "features", "indices", "learning", "learning_of_one", "confusion", "scores",
    "scores_without_the_paper",
)  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.mpl_image_compare(baseline_dir="../baseline", tolerance=3, style="default", savefig_kwargs={"dpi": 40})
def test_figure(draw, name):
    return draw(name)


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_whole_and_leaves_no_trace(draw, name, is_whole):
    is_whole(lambda: draw(name), rows_are_named=name in ("indices", "scores", "scores_without_the_paper"))


# -- what the pictures say ---------------------------------------------------------------------------------------------


def test_one_date_alone_shows_each_class_with_its_spread_at_that_date(series, is_whole):
    alone = series[series["date"] == DATES[1]]
    is_whole(lambda: charts.series_figure(alone))
    panel = charts.series_figure(alone, ["NDVI"]).axes[0]
    bars = np.array([one.lines[2][0].get_segments()[0] for one in panel.containers])  # (class, end, x and y)
    np.testing.assert_allclose(np.diff(bars[..., 1], axis=1), 2 * 0.05)
    assert len(set(bars[:, 0, 0])) == len(bars) == 8  # none hides another
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["2018-05-15"]


def test_series_of_other_channels_draws_the_first_there_are(series):
    drawn = [ax.get_ylabel() for ax in charts.series_figure(series, channels=["EVI"]).axes if ax.get_visible()]
    assert len(drawn) == 4 and drawn[0].startswith(series["channel"].iloc[0])


def test_classes_of_another_nomenclature_keep_name_and_colour(series, samples, confusions):
    """Code 1 is the paper's built-up land; here it is something else."""
    names = {one: f"Own kind {place}" for place, one in enumerate(series["class_name"].unique())}
    own = series.assign(class_name=series["class_name"].map(names), colour="#123456")
    figure = charts.series_figure(own)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(names.values())
    assert {line.get_color() for line in figure.axes[0].lines} == {"#123456"}
    titles = [ax.get_title() for ax in charts.features_figure(own, paper.FIGURE_8_CLASSES).axes if ax.get_visible()]
    assert titles == list(names.values())  # all, where the paper's examples are not there
    legend = tuple(LandCover(code, f"A kind with quite a long name {code}", "#123456") for code in range(1, 9))
    labels = [text.get_text() for text in score_figures.confusion_figure(confusions, legend).axes[0].get_yticklabels()]
    assert labels[0].startswith("A kind") and len(labels[0]) <= 18


def test_without_an_index_bands_are_drawn_by_class(samples):
    few = replace(samples, channels=("B5", "B6", "B7"))
    labels = [ax.get_xlabel() for ax in charts.indices_figure(few, nomenclature.CLASSES).axes]
    assert labels == [f"{band} reflectance (–)" for band in few.channels]


def test_best_epoch_is_starred(history):
    panel = score_figures.learning_figure(history).axes[2]  # macro F1 of the first model
    stars = [line.get_xydata()[0].tolist() for line in panel.lines if line.get_marker() == "*"]
    assert stars == [[3, 0.85], [3, 0.75]]


def test_scores_are_those_of_the_chosen_training(results, trainings):
    validation, test = score_figures.scores_figure(results, trainings, nomenclature.CLASSES).axes
    for panel, part in ((validation, "validation"), (test, "test")):
        chosen = results[(results["model"] == "TempCNN") & (results["training"] == 0) & (results["set"] == part)]
        drawn = next(line for line in panel.lines if line.get_marker() == "o").get_xdata()
        assert np.allclose(drawn, [*chosen["f1"], chosen["f1"].mean()])


def test_indices_are_of_labelled_pixels(samples):
    for number, panel in enumerate(charts.indices_figure(samples, nomenclature.CLASSES).axes):
        for index, patch in enumerate(panel.patches):
            x = patch.get_path().vertices[:, 0]
            assert index + 10 * number <= x.min() and x.max() < index + 1 + 10 * number


def test_scores_come_with_what_is_drawn(results, trainings):
    table = score_figures.scores_figure(results, trainings, nomenclature.CLASSES, tables.printed_scores()).data
    table = table.set_index(["set", "model", "source", "class_name"])["f1"].sort_index()
    assert table["test", "3D-CNN", "printed", "Water"] == paper.TABLE_4_TEST[11][paper.MODELS.index("3D-CNN")]
    assert table["test", "3D-CNN", "printed", "Mean"] == paper.TABLE_4_TEST_MEAN[paper.MODELS.index("3D-CNN")]
    name = trainings["model"].iloc[0]
    own = table["validation", name, "ours"]
    assert own["Mean"] == pytest.approx(own.drop("Mean").mean())


def test_boxes_and_matrices_come_with_what_is_drawn(samples, confusions):
    table = charts.indices_figure(samples, nomenclature.CLASSES).data.set_index(["index", "class_name"])
    label, x = samples.label.numpy(), samples.x.numpy()
    water = np.stack([x[:, 1, date][label == 7] for date in range(x.shape[2])])
    assert table.loc[("NDWI", "Water"), "quantile_0.5"] == pytest.approx(np.median(water))
    pixels = score_figures.confusion_figure(confusions, nomenclature.CLASSES).data
    one = pixels.query("model == '2D-CNN' and reference == 'Built up' and predicted == 'Woodland needle-leaved trees'")
    assert one["pixels"].item() == confusions["2D-CNN"][0, 1]


def test_channels_of_other_sensors_are_drawn(series):
    """Landsat's bands look as Sentinel-2's of the same role; radar has lines of its own, and is no reflectance."""
    names = {"NDVI": "VV", "NDWI": "VH", "BI": "SR_B5"}
    other = series[series["channel"].isin(names)].assign(channel=lambda table: table["channel"].map(names))
    lines = charts.features_figure(other).axes[0].get_lines()
    colours = [line.get_color() for line in lines]
    assert len(lines) == 3 and len(set(colours)) == 3 and theme.CHANNELS["B8"][0] in colours
    labels = [ax.get_ylabel() for ax in charts.series_figure(other).axes[:3]]
    assert sorted(labels) == ["SR_B5 reflectance (–)", "VH", "VV"]
