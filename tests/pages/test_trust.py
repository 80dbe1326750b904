"""What the pages on trust compute: draws of polygons, folds that keep apart what they promise, and sentences from tables."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.ndimage import distance_transform_edt

from paperlib.features.inputs import Inputs
from paperlib.nomenclature import legend
from paperlib.pages.trust import believe, kept, validation
from paperlib.settings import Train
from paperlib.simulation.landscape import draw_landscape

INPUTS = Inputs(("B3", "B4", "B8"), {"green": "B3", "red": "B4", "nir": "B8"}, ("NDVI",), (45.0, 134.0, 226.0), 10.0)
SIDE, EACH = 160, 6


@pytest.fixture(scope="module")
def world():
    """A landscape whose objects differ from others of their class by as much as classes differ from each other."""
    random = np.random.default_rng(0)
    landscape = draw_landscape(SIDE, random)
    classes = legend(np.unique(landscape.codes).tolist())
    index = np.searchsorted([cover.code for cover in classes], landscape.codes)
    own = random.normal(0, 0.1, (landscape.objects.max() + 1, 9))[landscape.objects]  # (y, x, 9)
    mean = random.normal(0.5, 0.1, (len(classes), 9))[index]
    x = np.moveaxis(mean + own + random.normal(0, 0.01, own.shape), -1, 0).reshape(3, 3, SIDE, SIDE)
    values = np.concatenate([x, x[:1]]).astype(np.float32)
    return validation.World(values, landscape, INPUTS, classes)


@pytest.fixture(scope="module", params=[False, True], ids=["dense", "clustered"])
def draw(world, request):
    labels = validation.draw_labels(world.landscape, EACH, request.param, np.random.default_rng(1))
    return validation.Draw.of(world, labels)


def test_every_class_has_its_polygons_and_each_lies_in_one_object(world, draw):
    table = draw.table()
    assert table["label"].value_counts().tolist() == [EACH] * len(world.legend)
    frame = pd.DataFrame({"object": world.landscape.objects.flat[draw.place], "label": world.index.flat[draw.place]})
    assert (frame.groupby(draw.polygon).nunique() == 1).all(axis=None)


def test_clustered_polygons_leave_most_of_the_scene_without_any(world):
    far = []
    for clustered in (False, True):
        labels = validation.draw_labels(world.landscape, EACH, clustered, np.random.default_rng(1))
        far.append(np.median(distance_transform_edt(labels < 0)))
    assert far[1] > 1.5 * far[0]


def test_folds_keep_apart_what_they_promise(draw):
    polygon = draw.polygon
    parts = {method: draw.folds(method, 0) for method in validation.METHODS[:4]}
    within = {method: pd.Series(fold).groupby(polygon).nunique().max() for method, fold in parts.items()}
    assert within["pixels"] > 1 and {within[method] for method in parts if method != "pixels"} == {1}
    block = (draw.table()[["y", "x"]] // validation.BLOCK).astype(int).apply(tuple, axis=1)
    fold = pd.Series(parts["blocks"]).groupby(polygon).first()
    assert fold.groupby(block).nunique().max() == 1


def test_pixels_of_the_same_object_on_both_sides_flatter(world, monkeypatch):
    monkeypatch.setattr(validation, "FOLDS", 3)
    labels = validation.draw_labels(world.landscape, EACH, False, np.random.default_rng(1))
    draw = validation.Draw.of(world, labels)
    table = validation.compare(draw, "iota2_base", Train(largest_leaf=1), 0, ("pixels", "polygons"))
    oa = table[table["score"] == "overall accuracy"].set_index("method")
    assert oa.loc["pixels", "said"] > oa.loc["polygons", "said"] + 0.1
    assert oa.loc["pixels", "said"] > oa["worth"].iloc[0] + 0.1 and oa["worth"].nunique() == 1


def test_a_gradient_of_no_days_changes_nothing_and_one_of_many_moves_the_edges(world):
    np.testing.assert_allclose(world.with_gradient(0).x[:3], world.x[:3], atol=1e-6)
    moved = np.abs(world.with_gradient(60).x[:3] - world.x[:3]).mean((0, 1, 2))
    assert moved[0] > 5 * moved[SIDE // 2] and moved[-1] > 5 * moved[SIDE // 2]


@pytest.fixture
def measured():
    rows = [
        (case, draw, 1, method, bias + 0.8 + 0.01 * draw, 0.8, 0.85)
        for case, shift in (("a, dense", 0.0), ("a, clustered", 0.1))
        for draw in range(3)
        for method, bias in (("pixels", 0.15), ("polygons, alike together", 0.02 + shift), ("kNNDM", -0.1))
    ]
    names = [f"overall accuracy, {name}" for name in ("said", "worth", "worth inside objects")]
    return pd.DataFrame(rows, columns=["case", "draw", "scene", "method", *names])


def test_bias_and_spread_of_validations(measured):
    table = kept.bias_table(measured).set_index(["case", "method"])
    row = table.loc[("a, dense", "pixels")]
    assert row["draws"] == 3 and row["bias"] == pytest.approx(0.16) and row["spread"] == pytest.approx(0.01)
    assert row["bias inside objects"] == pytest.approx(0.11)
    answer = kept.validation_answer(table.reset_index(), "a, clustered")
    assert answer.startswith("kNNDM -0.09 (± 0.01), polygons, alike together +0.13") and "worth 0.80" in answer
    assert "+0.03 (a, dense), +0.13 (a, clustered)" in kept.default_answer(table.reset_index())
    assert row["error"] == pytest.approx((0.16**2 + 0.01**2 * 2 / 3) ** 0.5)
    others = {"method": "kNNDM", "other": "polygons, alike together"}
    assert "in 1 of 2 cases" in kept.offered_answer(table.reset_index(), **others)
    assert "9 points (kNNDM), 13 points (polygons, alike together) in a, clustered" in kept.errors_answer(
        table.reset_index(), ("kNNDM", "polygons, alike together")
    )


def test_the_earliest_date_of_maps_is_the_first_of_the_last_good_ones():
    table = pd.DataFrame({
        "classifier": "a", "score": "macro F1", "date": ["2", "3", "4", "1"], "map": [0.7, 0.79, 0.8, 0.79],
        "loss": [0.1, 0.01, 0.0, 0.01], "map ±": [np.nan, 0.1, 0.1, 0.1], "scenes": [3, 3, 3, 2],
    })  # fmt: skip
    scores, earliest = kept.season_curves(table)
    assert earliest["earliest"].tolist() == ["3"] and scores["low"].notna().all()
    dates = pd.DataFrame({"map": ["2", "4"], "low": ["1", "1"], "high": ["2", "3"]})
    assert "in 1 of 2 scenes" in kept.season_held(dates)
    assert scores["date"].tolist() == ["2", "3", "4"]  # not every scene has the first date
    assert "a from 3 on" in kept.season_answer(table)


def test_what_points_of_a_map_promise():
    zones = pd.DataFrame({"map": ["a", "b"], "points": [200, 400], "false": [0.01, 0.034], "draws": 2000})
    assert "each of 2 designs, at most 3.4 % of the draws" in kept.false_answer(zones)
    pairs = {"points where they differ": [100, 200], "one sample for both": [500, 700], "two samples": [1400, 1600]}
    said = kept.comparison_answer(pd.DataFrame(pairs))
    assert said.startswith("150 points where maps differ") and said.endswith(
        "or 1500 of two separate assessments: 10.0 times fewer."
    )


def test_hours_of_a_tile_grow_with_its_pixels():
    columns = {"classifier": ["a"], "representatives": [600], "outside": [0.1], "same_answer": [0.9]}
    hours = kept.tile_hours(pd.DataFrame(columns | {"seconds": [3.6], "map_seconds": [7.2]}), kept.TILE // 100)
    assert hours["area (h)"].iloc[0] == pytest.approx(0.1) and hours["map (h)"].iloc[0] == pytest.approx(0.2)
    assert "takes 0.1 hours beside 0.2 for the map of a." in kept.tile_answer(hours)


def test_accuracy_inside_and_outside():
    index = xr.DataArray([[0.1, 0.2], [0.9, np.nan]], dims=("y", "x"))
    found = believe.Believed(index, 0.5, xr.DataArray([[True, False], [False, True]], dims=("y", "x")))
    assert found.accuracy(False) == 0.5 and found.accuracy(True) == 0.0
    assert believe.answer(found, "a").endswith("50.0 % inside and 0.0 % outside.")
    travel = pd.DataFrame({"classifier": ["a", "a"], "scene": ["1", "2"], "outside_area": 0.1, "oa": 0.7,
                           "oa_inside": [0.8, 0.6], "oa_outside": 0.7})  # fmt: skip
    assert "a in 1 of 2 scenes (mean gain +0.00)" in believe.gains(travel)
