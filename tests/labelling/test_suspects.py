"""Polygons with a wrong class lead the list, with the class they look like and the date and band that say so."""

import sqlite3
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pytest

from paperlib import Experiment
from paperlib.errors import InputError
from paperlib.features.samples import of_polygons
from paperlib.labelling.out_of_fold import fold_of, labels_of, out_of_fold
from paperlib.labelling.suspects import find_suspects, write_suspects
from paperlib.settings import Train
from support.commands import paperlib
from support.labelled import INPUTS, LEGEND, in_superpixels, make_run, make_samples, relabelled

WRONG = {104: 2, 117: 0}  # polygons of classes 1 and 2, whose labels are to say otherwise


@pytest.fixture(scope="module")
def found():
    samples = make_samples()
    for polygon, index in WRONG.items():
        samples = relabelled(samples, polygon, index)
    return find_suspects(make_run(samples), folds=3, seeds=(0, 1))


def test_wrong_labels_lead_the_list_with_what_they_look_like(found):
    first = found.table.head(2).set_index("polygon_id")
    assert set(first.index) == set(WRONG) and first["suspect"].all() and found.number == 2
    assert first.loc[104, ["class_name", "looks_like"]].tolist() == ["Röhricht", "Water"]
    assert first.loc[117, ["class_name", "looks_like"]].tolist() == ["Crop", "Röhricht"]
    assert (first["probability"] < first["other_probability"]).all() and found.table["rank"].tolist() == list(
        range(1, 31)
    )
    assert "B4 on 2018-08-15" in first.loc[104, "against"] and "2018-02-15" not in first.loc[104, "against"]


def test_the_verdict_tells_clean_labels_from_wrong_ones():
    clean = find_suspects(make_run(make_samples()), folds=3, seeds=(0,))
    assert clean.number == 0 and str(clean.verdict()).startswith("The labels look clean: 0 of 30")
    samples = make_samples()
    for polygon in range(100, 105):
        samples = relabelled(samples, polygon, (polygon - 99) % 3)
    assert "hold mistakes: 5 of 30" in str(find_suspects(make_run(samples), folds=3, seeds=(0,)).verdict())


def test_nobody_judges_what_it_has_learnt_from():
    """Labels without any meaning: who had seen a polygon would know its class, who has not is right in a third."""
    samples = make_samples(60, size=1, noise=1.0)
    samples.x.uniform_(generator=None)
    choice = Train(largest_leaf=1)
    label = labels_of(samples)
    probability = out_of_fold(
        "iota2_base", samples, dict(zip(label.index, label.index, strict=True)), INPUTS, LEGEND, choice, 5, (0,)
    )
    assert (probability.to_numpy().argmax(1) == label).mean() < 0.6
    np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-5)


def test_groups_stay_whole_and_each_class_is_spread():
    label = labels_of(make_samples(60))
    group = {polygon: polygon // 2 for polygon in label.index}
    fold = fold_of(label, group, 5, seed=3)
    assert fold.groupby(fold.index // 2).nunique().max() == 1
    assert fold.value_counts().max() - fold.value_counts().min() <= 4
    assert label.groupby(fold).nunique().min() == 3
    assert not fold.equals(fold_of(label, group, 5, seed=4)) and fold.equals(fold_of(label, group, 5, seed=3))


@pytest.mark.parametrize("name", ["TempCNN", "iota2_ctx"])
def test_networks_and_superpixels_judge_as_well(name):
    samples = relabelled(make_samples(24, size=2), 104, 2)
    samples = in_superpixels(samples) if name == "iota2_ctx" else samples
    label = labels_of(samples)
    choice = Train(epochs=12, patches=2, learning_rate=5e-3)
    group = dict(zip(label.index, label.index, strict=True))
    probability = out_of_fold(name, samples, group, INPUTS, LEGEND, choice, 3, (0,))
    assert probability.loc[104].idxmax() == 1 and (probability.idxmax(axis=1) == label).mean() > 0.8


def test_labels_that_cannot_be_judged_are_named():
    samples = make_samples(9, size=2)
    label = labels_of(samples)
    group = dict(zip(label.index, label.index, strict=True))
    with pytest.raises(InputError, match="9 polygons or groups do not make 10 folds"):
        fold_of(label, group, 10, 0)
    with pytest.raises(InputError, match="are of one class"):
        fold_of(label * 0, group, 3, 0)
    with pytest.raises(InputError, match=r"one polygon or group alone \(polygon_id \[104\]\)"):
        fold_of(label.where(label != 1, 0).where(label.index != 104, 1), group, 3, 0)


def test_a_polygon_whose_class_no_training_has_is_not_judged():
    samples = of_polygons(make_samples(9, size=2), [100, 101, 102, 103, 104, 105, 106])
    label = labels_of(samples)
    group = dict(zip(label.index, label.index, strict=True))
    found = out_of_fold("TempCNN", samples, group, INPUTS, LEGEND, Train(epochs=1), 3, (0,))
    lacking = found.index[found[0].isna()]
    assert (
        len(lacking) and label[lacking].isin([1, 2]).all()
    )  # classes of two polygons: one held, one chooses the epoch


def test_the_files_open_with_a_style_and_the_page_shows_each_suspect(found, tmp_path):
    write_suspects(found, tmp_path / "out", number=2)
    polygons = gpd.read_file(tmp_path / "out" / "suspects.gpkg", layer="suspects")
    assert polygons.crs == found.table.crs and polygons["rank"].tolist() == found.table["rank"].tolist()
    with sqlite3.connect(tmp_path / "out" / "suspects.gpkg") as file:
        ((name, style, default),) = file.execute("SELECT f_table_name, styleQML, useAsDefault FROM layer_styles")
    file.close()
    root = ElementTree.fromstring(style.split("\n", 1)[1])
    values = {one.get("value") for one in root.iter("category")}
    assert (
        name == "suspects"
        and default
        and values - {""} == {cover.name for cover in LEGEND} == set(polygons["looks_like"])
    )
    assert root.find("renderer-v2").get("attr") == 'if("score" > 0, "looks_like", \'\')'
    text = (tmp_path / "out" / "suspects.html").read_text()
    assert text.count("<img") == 2 and "labelled Röhricht, looks like Water" in text and "B4 on 2018-08-15" in text


def test_suspects_of_a_scene_by_the_command_line(lagoon, lagoon_store, tmp_path):
    words = (
        "suspects",
        *lagoon,
        "--preset",
        "tiny",
        "--store",
        lagoon_store,
        "--folds",
        3,
        "--seeds",
        1,
        "--number",
        1,
    )
    done = paperlib(*words, "--out", "out", folder=tmp_path)
    assert done.returncode == 0 and "suspects: out/suspects.gpkg" in done.stdout, done.stderr
    listed = gpd.read_file(tmp_path / "out" / "suspects.gpkg", layer="suspects")
    polygons = Experiment("tiny", *lagoon, store=lagoon_store).polygons
    assert set(listed["polygon_id"]) == set(
        polygons["polygon_id"][polygons["set"] != "test"]
    )  # never those of the test set
    done = paperlib(*words, "--folds", 99, "--out", "other", folder=tmp_path)
    assert done.returncode == 2 and "do not make 99 folds" in done.stderr and not (tmp_path / "other").exists()
