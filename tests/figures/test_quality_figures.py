"""Figures of better maps and better labels are whole, described, and come with what is drawn."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

from paperlib.evaluation.calibration import reliability
from paperlib.figures import importance_figures, labelling_figures, quality_figures
from paperlib.figures.trust.few_labels_figure import few_labels_figure
from paperlib.nomenclature import legend

LEGEND = legend([1, 3, 7])
DATES = pd.to_datetime(["2018-02-15", "2018-05-15", "2018-08-15", "2018-11-15"])
SIDE = 30


@pytest.fixture(scope="module")
def scene() -> xr.DataArray:
    values = np.random.default_rng(0).uniform(0.05, 0.4, (3, 4, SIDE, SIDE)).astype(np.float32)
    coords = {
        "band": ["B2", "B3", "B4"], "time": DATES, "y": 4_836_000.0 - 10 * np.arange(SIDE),
        "x": 356_000.0 + 10 * np.arange(SIDE), "mask": (("time", "y", "x"), np.zeros((4, SIDE, SIDE), bool)),
    }  # fmt: skip
    return xr.DataArray(values, dims=("band", "time", "y", "x"), coords=coords)


def squares(number: int, codes=(1, 3, 7)) -> gpd.GeoDataFrame:
    shapes = [shapely.box(356_020 + 30 * place, 4_835_800, 356_040 + 30 * place, 4_835_820) for place in range(number)]
    rows = {"rank": range(1, number + 1), "code": np.resize(codes, number)}
    return gpd.GeoDataFrame(rows, geometry=shapes, crs=32631)


def test_reliability_shows_each_place_and_both_kinds_of_probabilities(is_whole):
    random = np.random.default_rng(1)
    table = reliability(random.dirichlet(np.ones(3), 300), random.integers(0, 3, 300))
    lines = {"as trained": table, "calibrated": table.assign(accuracy=table["confidence"])}

    def draw():
        return quality_figures.reliability_figure({"test polygons": lines, "whole map": lines})

    is_whole(draw)
    assert set(draw().data["where"]) == {"test polygons", "whole map"} and len(draw().data) == 40


def test_layers_are_maps_in_per_cent(is_whole, scene):
    layer = scene.isel(band=0, time=0, drop=True).drop_vars("mask") * 0 + 40
    layer[0, 0] = 255
    is_whole(lambda: quality_figures.layers_figure({"margin": layer, "entropy": layer}))


def test_the_trade_begins_where_nothing_is_smoothed(is_whole):
    rows = [("TempCNN", "as classified", np.nan, 0.7, 0.4), ("TempCNN", "one", "bayesian", 0.72, 0.39),
            ("TempCNN", "two", "bayesian", 0.73, 0.35), ("TempCNN", "three", "majority", 0.71, 0.3)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["classifier", "way", "method", "accuracy", "narrow"])
    is_whole(lambda: quality_figures.trade_figure(table))
    bayesian = quality_figures.trade_figure(table).axes[0].lines[0]
    np.testing.assert_allclose(bayesian.get_xydata(), [[0, 0], [-1, 2], [-5, 3]])


def test_objects_have_the_colours_of_their_classes(is_whole):
    is_whole(lambda: quality_figures.objects_figure({"before": squares(6), "after": squares(3)}, LEGEND))
    first = quality_figures.objects_figure({"before": squares(3)}, LEGEND).axes[0].collections[0]
    colours = [tuple(round(255 * value) for value in colour[:3]) for colour in first.get_facecolors()]
    assert colours == [tuple(bytes.fromhex(cover.colour[1:])) for cover in LEGEND]


def test_evidence_shows_the_polygon_beside_both_classes(is_whole):
    grid = pd.MultiIndex.from_product([["NDVI", "B4"], DATES.strftime("%Y-%m-%d")], names=["channel", "date"])
    names = ("value", "own", "own_spread", "other", "other_spread", "against")
    compared = pd.DataFrame({name: np.linspace(0.1, 0.3, 8) for name in names}, grid).reset_index()
    is_whole(lambda: labelling_figures.evidence_figure(compared, ["NDVI", "B4"], LEGEND[0], LEGEND[1]))


def test_places_and_chips_are_outlined(is_whole, scene):
    is_whole(lambda: labelling_figures.places_figure(squares(4), squares(2), scene))
    chip = np.full((20, 20, 3), 0.5)
    figure = labelling_figures.chips_figure(
        [chip, chip], ["2018-02-15", "2018-08-15"], np.array([(7, 5), (12, 5), (12, 10), (7, 10), (7, 5)])
    )
    assert len(figure.axes) == 2 and "2018-02-15, 2018-08-15" in figure.alt
    cut = labelling_figures.chips_figure(
        [chip[:10], chip[:10]], ["2018-02-15", "2018-08-15"], np.array([(7, 5), (12, 5)])
    )
    assert (
        cut.get_figheight() < 0.6 * figure.get_figheight()
    )  # no empty space where the edge of the scene cuts the image
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata()[[0, 2]], [[6.5, 4.5], [11.5, 9.5]])


def test_suggestions_are_drawn_beside_random_places(is_whole):
    columns = {"suggested": [0.5, 0.7], "suggested ±": [0.02, 0.02], "random": [0.5, 0.6], "random ±": [0.02, 0.02]}
    table = pd.DataFrame({"classifier": "TempCNN", "polygons": [16, 24], **columns})
    is_whole(lambda: labelling_figures.suggestion_figure(table))


def test_importance_is_drawn_with_intervals(is_whole):
    rows = [
        ("date", "2018-02-15", 0.2, 0.1, 0.3),
        ("date", "2018-05-15", 0.0, -0.1, 0.1),
        ("channel", "NDVI", 0.4, 0.3, 0.5),
    ]
    table = pd.DataFrame(rows, columns=["kind", "name", "loss", "low", "high"])
    is_whole(lambda: importance_figures.importance_figure(table), rows_are_named=True)
    assert "most by NDVI" in importance_figures.importance_figure(table).alt


def test_few_labels_has_a_panel_a_scene_and_kind_and_a_line_a_classifier(is_whole):
    models = (("iota2_base", "single pixels", 0.0), ("Galileo", "single pixels", 0.1), ("3D-CNN", "neighbours", 0.05))
    rows = [
        (scene, size, name, sees, 0.7 + shift, 0.6 + shift, 0.75 + shift)
        for scene in ("one", "other")
        for size in ("1", "2", "all")
        for name, sees, shift in models
    ]
    table = pd.DataFrame(rows, columns=["scene", "polygons", "model", "sees", "macro_f1", "low", "high"])
    is_whole(lambda: few_labels_figure(table))
    figure = few_labels_figure(table)
    assert [ax.get_title() for ax in figure.axes] == ["one", "other", "", ""]
    assert [text.get_text() for text in figure.axes[2].get_xticklabels()] == ["1", "2", "all"]
    shown = [{line.get_label() for line in ax.containers} for ax in figure.axes]
    assert shown == [{"iota2_base", "Galileo"}] * 2 + [{"3D-CNN", "Galileo"}] * 2  # one that both kinds have
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["iota2_base", "Galileo", "3D-CNN"]
