"""Drawings show what the networks are: another network gives another drawing. Images are compared as in test_charts.py."""

from itertools import combinations

import pytest
from torch import nn

from paperlib import models
from paperlib.errors import InputError
from paperlib.figures.networks import diagrams

INPUT = {"channels": 13, "dates": 11}
KEPT = {"baseline_dir": "../baseline", "tolerance": 3, "style": "default", "savefig_kwargs": {"dpi": 60}}


def network(name: str, **changes) -> nn.Module:
    return models.build(name, **{**INPUT, "classes": 8, **changes})


def words(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


@pytest.mark.mpl_image_compare(**KEPT)
@pytest.mark.parametrize("name", ["TempCNN", "2D-CNN", "3D-CNN"])
def test_figure_convolution(name):
    return diagrams.convolution_figure(network(name), **INPUT)


@pytest.mark.mpl_image_compare(**KEPT)
@pytest.mark.parametrize(("name", "side"), [("TempCNN", 1), ("3D-CNN", 8), ("SpatioTempCNN", 8)])
def test_figure_network(name, side):
    return diagrams.network_figure(network(name), **INPUT, side=side)


def test_another_network_is_drawn_otherwise():
    changed = network("TempCNN")
    changed.convolutions[4] = nn.Conv2d(32, 64, (5, 1), padding=(2, 0), bias=False)
    changed.convolutions[7] = nn.Dropout(0.3)
    before, after = (words(diagrams.network_figure(one, **INPUT)) for one in (network("TempCNN"), changed))
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        ("Conv 3 × 1, 64 filters", "Conv 5 × 1, 64 filters"),
        ("BatchNorm, ReLU, Dropout 0.1", "BatchNorm, ReLU, Dropout 0.3"),
    ]


def test_shapes_are_those_of_the_scene_at_hand():
    figure = diagrams.network_figure(models.build("3D-CNN", channels=4, dates=5, classes=3), 4, 5, side=9)
    shown = words(figure)
    assert {"4 × 5 × 9 × 9", "32 × 5 × 7 × 7", "64 × 1 × 3 × 3", "3 × 1 × 3 × 3", "3 at each pixel"} <= set(shown)
    assert figure.data["parameters"].sum() > 0 and "Conv 5 × 1 × 1, 64 filters" in figure.alt


def test_fusion_is_drawn_with_its_weight():
    assert "0.2 × temporal + 0.8 × spatiotemporal" in words(
        diagrams.network_figure(network("SpatioTempCNN", fusion=0.2), **INPUT, side=8)
    )


def test_kernel_of_the_drawing_is_that_of_the_layer():
    wide = network("TempCNN")
    wide.convolutions[0] = nn.Conv2d(13, 32, (5, 1), padding=(2, 0), bias=False)
    for changed, cells in ((network("TempCNN"), 3), (wide, 5)):
        drawn = diagrams.convolution_figure(changed, **INPUT).axes[0].texts
        assert sum(text.get_weight() == "bold" and text.get_text().isdigit() for text in drawn) == 3 * cells, cells


def test_patch_too_small_for_three_steps_is_named():
    with pytest.raises(InputError, match="no three steps over 10 pixels"):
        wide = network("2D-CNN")
        wide.convolutions[0] = nn.Conv2d(143, 32, 9, padding=4)
        diagrams.convolution_figure(wide, **INPUT, side=10)


@pytest.mark.parametrize("name", models.NAMES)
@pytest.mark.parametrize("dates", [1, 2, 40])
def test_short_and_long_series_are_drawn(name, dates):
    few = models.build(name, 4, dates, 3)
    for figure in (diagrams.network_figure(few, 4, dates, 9), diagrams.convolution_figure(few, 4, dates)):
        figure.canvas.draw()
        boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()[:5] in ("step ", "input")]
        assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
        assert "1 dates" not in words(figure)


@pytest.mark.parametrize("name", models.NAMES)
def test_nothing_leaves_the_page(name):
    for figure in (
        diagrams.network_figure(network(name), **INPUT, side=32),
        diagrams.convolution_figure(network(name), **INPUT),
    ):
        figure.canvas.draw()
        for text in figure.axes[0].texts:
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1, text
