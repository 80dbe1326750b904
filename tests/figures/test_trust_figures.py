"""Figures of the pages on trust are whole, described, and come with what is drawn."""

import numpy as np
import pandas as pd
import xarray as xr

from paperlib.figures.trust.area_figure import area_figure
from paperlib.figures.trust.validation_figure import validation_figure


def test_every_draw_is_a_point(is_whole):
    random = np.random.default_rng(0)
    rows = [(case, method, draw) for case in ("a", "b", "c") for method in ("pixels", "kNNDM") for draw in range(4)]
    table = pd.DataFrame(rows, columns=["case", "method", "draw"])
    table["overall accuracy, said"], table["overall accuracy, worth"] = random.random((2, len(table)))
    is_whole(lambda: validation_figure(table))
    assert len(validation_figure(table).data) == len(table)


def test_inside_outside_right_and_wrong_have_their_colours(is_whole):
    random = np.random.default_rng(0)
    coords = {"y": 4_836_000.0 - 10 * np.arange(20), "x": 356_000.0 + 10 * np.arange(30)}
    index = xr.DataArray(random.random((20, 30)), dims=("y", "x"), coords=coords)
    right = xr.DataArray(random.random((20, 30)) < 0.7, dims=("y", "x"), coords=coords)
    is_whole(lambda: area_figure(index, 0.5, right))
    shown = set(area_figure(index, 0.5, right).data["kind"])
    assert shown == {"inside, right", "inside, wrong", "outside, right", "outside, wrong"}
