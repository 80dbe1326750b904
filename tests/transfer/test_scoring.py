"""Scores of a model on polygons of another place: classes matched by code and name, what one side lacks said."""

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import torch

from paperlib import load_model, nomenclature
from paperlib.errors import InputError
from paperlib.nomenclature import LandCover
from paperlib.training.polygon_scores import PolygonScores
from paperlib.transfer import score
from paperlib.transfer.scoring import match_classes
from support.commands import paperlib

CROP, WATER, BARE = LandCover(7, "Crop", "#ffff00"), LandCover(11, "Water", "#0000ff"), LandCover(10, "Bare", "#888888")


@pytest.fixture(scope="module")
def polygons(run, tmp_path_factory) -> Path:
    """The test polygons of the scene."""
    table = gpd.read_file(run.dataset.folder / "polygons.gpkg")
    path = tmp_path_factory.mktemp("polygons") / "test.gpkg"
    table[table["set"] == "test"].to_file(path)
    return path


@pytest.mark.parametrize("name", ["TempCNN", "iota2_base"])
def test_test_polygons_get_the_scores_of_the_training(run, models, polygons, name):
    chosen = load_model(models / name)
    found = score(chosen, run.scene, polygons)
    assert np.array_equal(found.scores.confusion, chosen.scores["test"].confusion) and not found.remarks


def test_pixels_inside_and_outside_the_area_are_scored_apart(run, model, polygons):
    found = score(model, run.scene, polygons)
    parts = [part for part in (found.inside, found.outside) if part]
    assert np.array_equal(sum(part.confusion for part in parts), found.scores.confusion)
    burned = run.dataset.burned
    index = model.area.index(
        model.classifier.normaliser.apply(torch.from_numpy(model.classifier.inputs.read(run.scene))[None])[0].flatten(2)
    ).reshape(burned["label"].shape)
    test = np.isin(burned["polygon"], gpd.read_file(polygons)["polygon_id"])
    assert found.share_outside == pytest.approx((index[test] > model.area.threshold).mean())
    none = score(replace(model, area=replace(model.area, threshold=-1.0)), run.scene, polygons)
    assert none.inside is None and none.share_outside == 1 and none.table["score"].tolist()[-1] == "accuracy outside"
    inside, outside = none.table.iloc[-2], none.table.iloc[-1]
    whole = none.table.query("score == 'overall accuracy'").iloc[0]
    assert np.isnan(inside["estimate"]) and inside["pixels"] == 0 and outside["estimate"] == whole["estimate"]
    assert none.to_dict()["scores"][-2]["estimate"] is None


def test_classes_of_one_side_alone_are_said(run, model, polygons, tmp_path):
    table = gpd.read_file(polygons)
    names = table["class_name"].to_numpy(object)
    water = table["code"] == 11
    table = table[~(table["code"] == 10)].assign(
        code=np.where(water, 99, table["code"])[table["code"] != 10],
        class_name=np.where(water, "Snow", names)[table["code"] != 10],
    )
    table.to_file(tmp_path / "other.gpkg")
    found = score(model, run.scene, tmp_path / "other.gpkg")
    unknown, absent = found.remarks
    assert (
        unknown == f"Unknown to the model and left out, wrong wherever they are mapped: Snow ({water.sum()} polygons)."
    )
    names = {cover.code: cover.name for cover in run.legend}
    assert absent == f"Without polygons here: {names[10]}, {names[11]}."
    rows = found.scores.confusion.sum(1)
    assert (rows == 0).sum() == 2 and found.scores.table["estimate"].isna().sum() == 2


def test_the_command_prints_and_keeps_scores(run, model, models, polygons, tmp_path):
    (tmp_path / "model").symlink_to(models / "TempCNN")
    scene = run.dataset.folder
    answer = paperlib("score", scene, polygons, "--trained", "model", "--out", "scores.json", folder=tmp_path)
    assert answer.returncode == 0, answer.stderr
    kept = PolygonScores.from_dict(json.loads((tmp_path / "scores.json").read_text()))
    assert "outside the area of applicability: " in answer.stdout and "accuracy inside" in answer.stdout
    assert np.array_equal(kept.counts, model.scores["test"].counts) and kept.where.startswith("test.gpkg in simulated-")
    line = next(line for line in answer.stdout.splitlines() if "macro F1" in line)
    estimate, low, high = (float(word) for word in line.split()[3:6])
    assert estimate == pytest.approx(kept.macro_f1, abs=6e-4) and low < estimate < high
    wrong = gpd.read_file(polygons).assign(class_name=lambda table: table["class_name"].replace("Water", "Sand"))
    wrong.to_file(tmp_path / "wrong.gpkg")
    named = nomenclature.legend([11])[0].name
    if named != "Water":
        wrong.assign(class_name=wrong["class_name"].replace(named, "Sand")).to_file(tmp_path / "wrong.gpkg")
    answer = paperlib("score", scene, "wrong.gpkg", "--trained", "model", folder=tmp_path)
    assert answer.returncode == 2 and f"11 is Sand here and {named} in the model" in answer.stderr


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ((CROP, WATER), {7: 7, 11: 11}),
        ((CROP._replace(code=3), WATER._replace(name="WATER")), {3: 7, 11: 11}),
        ((LandCover(7, "class 7", "#ffffff"),), {7: 7}),  # codes alone
        ((BARE, WATER), {11: 11}),
        ((LandCover(1, "crop", "#ffffff", source="cr"),), {1: 7}),
    ],
)
def test_classes_are_matched_by_name_then_by_code(classes, expected):
    assert match_classes(classes, (CROP, WATER)) == expected


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ((CROP, LandCover(11, "Meadow", "#ffffff")), "11 is Meadow here and Water in the model"),
        ((LandCover(7, "Water", "#ffffff"),), "7 is Water here and Crop in the model"),
        ((BARE,), "none is shared"),
    ],
)
def test_a_legend_that_contradicts_the_model_is_refused(classes, words):
    with pytest.raises(InputError, match=words) as caught:
        match_classes(classes, (CROP, WATER))
    assert caught.value.kind == "labels.legend"


def test_scores_of_another_format_are_refused():
    with pytest.raises(InputError, match="no scores of polygons") as caught:
        PolygonScores.from_dict({"counts": []})
    assert caught.value.kind == "scores.format"
