"""Suggested places are unsure, unlike what is known and each other, free of labels; filled in, they are trained on."""

import warnings
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize
from scipy.ndimage import binary_dilation

from paperlib import Experiment
from paperlib.errors import InputError, InputWarning
from paperlib.labelling.places import SMALLEST, _read, find_places
from paperlib.labelling.suggest import choose, differing, suggest_places, uncertainty, write_suggestions
from paperlib.labels import load_polygons
from paperlib.mapping.inference import Engine
from paperlib.scenes.windowing import windows
from paperlib.settings import Labels
from support.commands import paperlib


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_each_choice_is_unsure_and_far_from_all_before(seed, number):
    random = np.random.default_rng(seed)
    probability, feature = random.dirichlet(np.ones(4), 40), random.normal(size=(40, 6))
    known = random.normal(size=(5, 6))
    chosen = choose(probability, feature, known, number)
    assert len(set(chosen)) == number
    held = list(known)
    for place in chosen:  # by the definition, one after the other
        far = np.array([min(np.linalg.norm(one - other) for other in held) for one in feature])
        worth = uncertainty(probability) * far
        assert worth[place] == pytest.approx(worth.max(), abs=1e-6)
        held.append(feature[place])


def test_twins_are_not_both_chosen_and_sure_places_come_last():
    feature = np.array([[0.0, 0], [0, 0.001], [5, 5], [9, 0]])
    probability = np.array([[0.5, 0.5], [0.5, 0.5], [0.52, 0.48], [1.0, 0.0]])
    assert set(choose(probability, feature, np.array([[20.0, 20]]), 2)) in ({0, 2}, {1, 2})
    assert choose(probability, feature, np.array([[20.0, 20]]), 9).tolist()[-1] in (1, 3)


def test_dates_that_differ_are_shown():
    images = np.zeros((4, 2, 2, 3))
    images[1], images[2], images[3] = 0.1, 1.0, 0.5
    assert differing(images, 2).tolist() == [0, 2] and differing(images, 3).tolist() == [0, 2, 3]
    images[2, :, 0] = np.nan  # under a cloud
    images[2, :, 1] = 0.2
    assert differing(images, 2).tolist() == [0, 3]
    assert differing(images[:1], 3).tolist() == [0]


@pytest.fixture(scope="module")
def small(lagoon, lagoon_store):
    return Experiment("tiny", *lagoon, store=lagoon_store)


def test_places_are_free_of_labels_uniform_and_classified_as_the_map(small):
    classifier, labelled = small.classifier("iota2_base"), small.dataset.burned["polygon"].values >= 0
    places = find_places(small.scene, classifier, labelled, side=3, number=60)
    near = np.pad(labelled, 3)
    codes, index = small.class_map("iota2_base").values, [cover.code for cover in small.legend]
    agreed = 0
    corner = places.bounds[:, :2]
    for number, (row, column) in enumerate(corner):
        assert not near[row : row + 9, column : column + 9].any()  # with three pixels around
        votes = np.bincount(codes[row : row + 3, column : column + 3].ravel(), minlength=256)
        agreed += votes.argmax() == index[places.probability[number].argmax()]
    assert len(places) >= 20 and agreed > 0.9 * len(places)
    corners = corner[:, None] - corner
    assert (np.abs(corners).max(2) + 9 * np.eye(len(places)) >= 3).all()  # they do not overlap
    series = torch.from_numpy(small.dataset.inputs.read(small.scene))
    mean = small.dataset.normaliser.apply(series[None])[0].numpy()
    row, column = corner[7]
    expected = mean[:, :, row : row + 3, column : column + 3].mean((2, 3)).ravel()
    np.testing.assert_allclose(places.feature[7], expected, rtol=1e-4, atol=1e-5)


def test_each_predicted_class_keeps_its_more_uniform_half(small, monkeypatch):
    classifier, labelled = small.classifier("iota2_base"), small.dataset.burned["polygon"].values >= 0
    counts = []
    for share in (1, 0.5):
        monkeypatch.setattr("paperlib.labelling.places.UNIFORM", share)
        places = find_places(small.scene, classifier, labelled, side=3, number=10_000)
        counts.append(np.bincount(places.probability.argmax(1), minlength=len(small.legend)))
    assert (counts[0] > 4).sum() >= 3
    assert counts[1].tolist() == np.ceil(counts[0] / 2).tolist()


def test_a_classifier_of_superpixels_gives_the_classes_of_its_map(small):
    whole = next(windows((small.scene.sizes["y"], small.scene.sizes["x"]), 60))
    series, usable, shares = _read(whole, small.scene, Engine(small.classifier("iota2_ctx")))
    codes = np.array([cover.code for cover in small.legend])[shares.argmax(0)]
    assert usable.all() and len(series) == len(small.dataset.inputs.channels()) * len(small.dates)
    np.testing.assert_array_equal(codes, small.class_map("iota2_ctx").values[whole.core])
    found = suggest_places(small, 3, "iota2_ctx", side=3, candidates=30)
    assert len(found.table) == 3 and found.table["probability"].between(0, 1).all()


def test_colours_mean_the_same_on_the_images_of_all_places(small):
    found = suggest_places(small, 6, side=3)
    slopes = []
    for rank in found.table["rank"]:
        figure, around = found.chips(rank), found.around[rank - 1]
        day = around.sel(time=figure.axes[0].get_title()).values[around["band"].values.tolist().index("B4")]
        drawn = figure.axes[0].images[0].get_array()[..., 0] ** (1 / 0.7)
        inside = (drawn > 0.05) & (drawn < 0.95)
        assert day.shape == drawn.shape
        if inside.sum() > 10:
            slopes.append(np.polyfit(day[inside], drawn[inside], 1)[0])
    assert len(slopes) > 2
    np.testing.assert_allclose(slopes, slopes[0], rtol=1e-3)


def test_the_page_says_where_each_place_is(small, tmp_path):
    found = suggest_places(small, 2, side=3)
    write_suggestions(found, tmp_path / "out")
    point = found.table.representative_point().to_crs(4326).iloc[1]
    assert f"longitude {point.y:.5f}, {point.x:.5f}." in (tmp_path / "out" / "suggestions.html").read_text()


def test_superpixels_are_places_too(small):
    classifier, labelled = small.classifier("iota2_base"), small.dataset.burned["polygon"].values >= 0
    places = find_places(small.scene, classifier, labelled, side=0, number=40)
    burned = [rasterize([one], labelled.shape, dtype=np.uint8).astype(bool) for one in places.outline]
    assert len(places) >= 2 and np.sum(burned, 0).max() == 1  # they do not overlap
    near = binary_dilation(labelled, np.ones((7, 7)))
    values = small.dataset.normaliser.apply(torch.from_numpy(small.dataset.inputs.read(small.scene))[None])[0]
    for number, inside in enumerate(burned):
        assert inside.sum() >= SMALLEST and not (inside & near).any()
        expected = values[..., torch.from_numpy(inside)].mean(-1).flatten()
        np.testing.assert_allclose(places.feature[number], expected, rtol=1e-3, atol=1e-4)
    found = suggest_places(small, 2, side=0)
    assert found.table.area.min() >= SMALLEST * 100 and not found.table.intersects(small.polygons.union_all()).any()
    assert "outlined" in found.chips(1).alt


def test_filled_in_places_are_trained_on_as_they_come(small, lagoon, lagoon_store, tmp_path):
    words = ("suggest", *lagoon, "--preset", "tiny", "--store", lagoon_store, "--number", 5, "--side", 3)
    done = paperlib(*words, "--out", "out", folder=tmp_path)
    assert done.returncode == 0 and "places to label: out/suggestions.gpkg" in done.stdout, done.stderr
    assert (tmp_path / "out" / "suggestions.html").read_text().count("<img") == 5
    file = tmp_path / "out" / "suggestions.gpkg"
    table = gpd.read_file(file, layer="suggestions")
    new = table["code"].isna()
    assert new.sum() == 5 == table["rank"].notna().sum() and len(table) == len(small.polygons) + 5
    assert not table[new].union_all().intersects(table[~new].union_all().buffer(2.9 * 10))
    table.loc[new, "code"] = table.loc[~new, "code"].iloc[0]
    table.to_file(file, layer="suggestions")  # as QGIS saves what was typed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        again = Experiment("tiny", lagoon[0], file, store=lagoon_store)
        assert len(again.polygons) == len(small.polygons) + 5
        assert again.legend == small.legend
    tested = [set(run.polygons["polygon_id"][run.polygons["set"] == "test"]) for run in (small, again)]
    assert tested[0] == tested[1]  # the same polygons test before and after


def test_the_file_has_the_columns_that_the_settings_ask_for_and_places_without_a_class_are_no_fault(small, tmp_path):
    options = Labels(field="landuse", set_field="part", group_field="farm")
    found = replace(suggest_places(small, 40, side=3), labels=options)
    write_suggestions(found, tmp_path / "out")
    file = tmp_path / "out" / "suggestions.gpkg"
    table = gpd.read_file(file, layer="suggestions")
    assert {"landuse", "part", "farm"} <= set(table) and not {"code", "set", "group"} & set(table)
    new = table["landuse"].isna()
    assert table["farm"][new].nunique() == 40 and not set(table["farm"][new]) & set(table["farm"][~new])
    table.loc[new.idxmax(), "landuse"] = table["landuse"].iloc[-1]
    table.loc[(~new).idxmax(), "landuse"] = None  # a fault, which is no reason to count the places as faults
    table[table["part"] != "test"].to_file(file, layer="suggestions")
    with pytest.warns(InputWarning, match="no class") as said:
        read = load_polygons(file, options=options)
    assert [str(one.message).split(":")[1][:30] for one in said] == [
        " 39 suggested places have no c",
        " 1 of 23 rows have no class in",
    ]
    known = (small.polygons["set"] != "test") & (small.polygons["polygon_id"] != table["polygon_id"][(~new).idxmax()])
    assert len(read) == known.sum() + 1 < 39 and (read["set"] == "pool").all()
    assert read["group"].nunique() == small.polygons.loc[known, "group"].nunique() + 1


def test_what_cannot_be_suggested_is_said(small):
    with pytest.raises(InputError, match="0 places are asked for"):
        suggest_places(small, 0)
    classifier, labelled = small.classifier("iota2_base"), np.ones((96, 96), bool)
    with pytest.raises(InputError, match="No square of 5 pixels is free of labels"):
        find_places(small.scene, classifier, labelled)
    with pytest.raises(InputError, match="Places of 200 pixels"):
        find_places(small.scene, classifier, labelled, side=200)


def test_of_a_region_places_lie_in_all_tiles_away_from_the_labels_of_each(region_run):
    found = suggest_places(region_run, 12, side=3, candidates=200)
    table, outlines = found.table, region_run.dataset.region.footprints(region_run.dataset.region.crs)
    assert table["tile"].nunique() > 1 and set(table["tile"]) == set(found.scenes)
    assert all(
        outlines[tile].buffer(1).contains(place) for tile, place in zip(table["tile"], table.geometry, strict=True)
    )
    assert table.crs == region_run.polygons.crs
    assert not table.intersects(region_run.polygons.union_all()).any()
    far = table["tile"] != region_run.dataset.shown
    assert len(found.chips(int(table.loc[far, "rank"].iloc[0])).axes) == 3
