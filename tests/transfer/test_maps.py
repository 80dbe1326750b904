"""A trained model maps scenes without polygons: the same bytes at home, bands and dates matched elsewhere."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from paperlib import open_scene
from paperlib.errors import InputError, InputWarning
from paperlib.mapping.scene_maps import read_map
from paperlib.scenes.shaping.saving import save_cube
from paperlib.transfer import SceneStatistics, Travel, open_for, write_map
from support.commands import paperlib
from support.stac_rules import validate


@pytest.fixture(scope="module")
def mapped(model, part, tmp_path_factory):
    """The map of the part, and what was reported."""
    folder, lines = tmp_path_factory.mktemp("part") / "map", []
    travel = write_map(model, part, folder, report=lines.append)
    return folder, lines, travel


def test_the_scene_of_the_training_gets_the_same_bytes(run, model, tmp_path):
    write_map(model, run.scene, tmp_path / "map", window=50, report=lambda text: None)
    for name in ("class.tif", "confidence.tif"):
        assert (tmp_path / "map" / name).read_bytes() == (run.map("TempCNN") / name).read_bytes()


def test_bands_in_another_order_a_year_later_give_the_same_map(model, mapped, turned, tmp_path):
    scene = open_for(model.classifier.inputs, turned)
    assert tuple(scene.band.values) == model.classifier.inputs.bands != tuple(open_scene(turned).band.values)
    write_map(model, scene, tmp_path / "map", report=lambda text: None)
    write_map(model, open_scene(turned), tmp_path / "as-opened", report=lambda text: None)  # matched window by window
    expected = read_map(mapped[0] / "class.tif").values
    for name in ("map", "as-opened"):
        assert (
            read_map(tmp_path / name / "class.tif").values == expected
        ).mean() > 0.999  # stored once more as float32


def test_the_item_names_the_model_and_what_is_beside_the_map(model, mapped):
    folder, _, travel = mapped
    item = json.loads((folder / "item.json").read_text())
    validate(item)
    told = item["properties"]["paperlib:model"]
    assert told["name"] == "TempCNN" and told["sha256"] == model.digest and told["scene"] == "simulated"
    confidence = read_map(folder / "confidence.tif").values
    mean = confidence[confidence != 255].mean() / 100
    assert item["properties"]["paperlib:travel"]["confidence"] == pytest.approx(mean, abs=1e-4)
    table = pd.read_csv(folder / "travel.csv")
    assert len(table) == travel.home.mean.size and table["outside"].between(0, 1).all()


def test_at_home_nothing_is_far(run, model, mapped):
    home = model_travel(model, run.scene)
    assert not home.warnings() and home.distance == 0
    _, lines, travel = mapped
    assert lines[0].startswith("Beyond the range of the training: ")
    assert f"Distance of the mean series from that of the training: {travel.distance:.2f} standard deviations." in lines


def model_travel(model, scene) -> Travel:
    there = SceneStatistics.of(model.classifier, model.quantiles, model.area, scene)
    return Travel(model.quantiles.channels, model.quantiles.days, model.home, there)


def test_what_is_far_is_warned_of_with_its_number(model, part):
    travel = model_travel(model, (part.compute() * 0.3).assign_attrs(part.attrs))
    outside, distance, beyond, _ = travel.warnings(confidence=0.01)
    more = np.nanmean(travel.there.outside) - np.nanmean(travel.home.outside)
    assert more > 0.1 and outside.startswith(f"{100 * more:.1f} % more of the values than at home")
    assert f"{travel.distance:.2f} standard deviations" in distance and travel.distance > 0.5
    more = travel.there.outside_area - model.home.outside_area
    assert beyond == f"{100 * more:.1f} % more of the pixels than at home lie outside the area of applicability"
    lost = model.home.confidence - 0.01
    assert travel.warnings(confidence=0.01)[-1] == f"the mean confidence is {100 * lost:.1f} % lower than at home"


def test_pixels_that_a_class_never_seen_brings_are_warned_of(model):
    """Of a scene with 6 % more pixels outside the area, and 4 % more values beyond the range, than that of the training."""
    home = replace(model.home, outside=model.home.outside - 0.04, outside_area=model.home.outside_area - 0.06)
    travel = Travel(model.quantiles.channels, model.quantiles.days, home, model.home)
    assert [words.partition(" %")[0] for words in travel.warnings()] == ["4.0", "6.0"]


def test_statistics_survive_json(model):
    again = SceneStatistics.from_dict(json.loads(json.dumps(model.home.to_dict())))
    assert again.confidence == model.home.confidence and again.pixels == model.home.pixels
    np.testing.assert_array_equal(again.mean, model.home.mean)


def test_a_missing_band_and_a_short_season_are_one_line(models, part, turned, tmp_path):
    (tmp_path / "model").symlink_to(models / "TempCNN")
    save_cube(part.sel(band=["B2", "B3", "B4"]), tmp_path / "few.nc")
    answer = paperlib("map", "few.nc", "--trained", "model", "--out", "maps", folder=tmp_path)
    assert answer.returncode == 2 and "B8 (nir), B5 (rededge1)" in answer.stderr and not (tmp_path / "maps").exists()
    save_cube(part[:, 2:], tmp_path / "short.nc")
    answer = paperlib("map", "short.nc", "--trained", "model", "--out", "maps", folder=tmp_path)
    assert answer.returncode == 2 and not (tmp_path / "maps").exists()
    assert "15 February (nearest date 2018-04-15, 59 days off), 15 March" in answer.stderr
    assert "up to 15 days are bridged" in answer.stderr
    answer = paperlib("map", turned, "--trained", "model", "--trained", "model", "--out", "maps", folder=tmp_path)
    assert answer.returncode == 2 and "TempCNN is given twice" in answer.stderr


def test_several_models_map_as_one(models, model, part, tmp_path):
    save_cube(part, tmp_path / "part.nc")
    (tmp_path / "models").symlink_to(models)
    ask = ("map", "part.nc", "--trained", "models", "--ensemble")
    answer = paperlib(*ask, "--out", "maps", folder=tmp_path)
    assert answer.returncode == 0 and "mapped: maps/ensemble" in answer.stdout, answer.stderr
    item = json.loads((tmp_path / "maps" / "ensemble" / "item.json").read_text())
    validate(item)
    members = [member["name"] for member in item["properties"]["paperlib:model"]["members"]]
    assert members == sorted(path.name for path in models.iterdir()) and len(members) > 1
    assert "disagreement" in item["assets"] and not (tmp_path / "maps" / "ensemble" / "scores.json").exists()
    answer = paperlib(*ask, "--applicability", "--out", "more", folder=tmp_path)
    assert answer.returncode == 2 and "that of one model" in answer.stderr and not (tmp_path / "more").exists()
    (tmp_path / "one").symlink_to(models / "TempCNN")
    answer = paperlib("map", "part.nc", "--trained", "one", "--ensemble", "--out", "more", folder=tmp_path)
    assert answer.returncode == 2 and "needs two models or more" in answer.stderr


def test_layers_of_applicability_lie_beside_the_map_and_in_its_item(model, part, tmp_path):
    lines = []
    write_map(model, part, tmp_path / "map", applicability=True, report=lines.append)
    item = json.loads((tmp_path / "map" / "item.json").read_text())
    validate(item)
    assert {"dissimilarity", "applicability"} <= set(item["assets"])
    inside = read_map(tmp_path / "map" / "applicability.tif").values
    share = (inside == 0).sum() / (inside != 255).sum()
    assert item["properties"]["paperlib:travel"]["outside_area"] == pytest.approx(share, abs=1e-4)
    assert any(line.startswith(f"Outside the area of applicability: {100 * share:.1f} % of the map") for line in lines)


def test_dates_ten_days_later_are_bridged(model, part, mapped):
    later = part.assign_coords(time=part.time + np.timedelta64(10, "D"))
    model.classifier.inputs.check(later)
    with pytest.warns(InputWarning, match=r"more than 15 days .* 15 June \(nearest date 2018-05-25, 21 days off\)"):
        model.classifier.inputs.check(later.isel(time=[0, 1, 2, 3, 5, 6, 7, 8, 9, 10]))
    with pytest.raises(InputError, match="do not cover the season"):
        model.classifier.inputs.check(part.assign_coords(time=part.time + np.timedelta64(20, "D")))
