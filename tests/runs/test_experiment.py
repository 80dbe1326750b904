"""The whole chain at preset tiny: the chosen training, artifacts found again, and a real scene."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
import rasterio
import torch

from paperlib import Experiment, devices, store
from paperlib.errors import InputError
from paperlib.mapping.scene_maps import map_scene, read_map
from paperlib.reproduction import real_scene

QUICK = ("2D-CNN", "iota2_base")


def test_nothing_is_read_before_it_is_asked_for():
    Experiment("tiny", "/nowhere/scene.tif", "/nowhere/polygons.gpkg")


def test_scene_that_does_not_exist_is_named():
    with pytest.raises(InputError, match=r"/nowhere/scene\.tif"):
        Experiment("tiny", "/nowhere/scene.tif", "/nowhere/polygons.gpkg").scene  # noqa: B018


def test_unknown_model_is_named(run):
    with pytest.raises(InputError, match=r"'4D-CNN'.*TempCNN"):
        run.trained.training("4D-CNN")


def test_every_labelled_pixel_is_in_one_sample(run):
    counts = run.dataset.pixel_counts().groupby("set")["pixels"].sum()
    for name, samples in run.samples.items():
        assert int((samples.label >= 0).sum()) == counts[name] > 0


def test_normaliser_knows_training_pixels_alone(run):
    other = Experiment("tiny")
    other.dataset.samples = {"train": run.samples["train"]}  # validation and test are not even there
    assert other.dataset.normaliser.to_dict() == run.dataset.normaliser.to_dict()


def test_training_is_found_again_and_scores_agree(run):
    folder = run.trained.training("2D-CNN")
    stamp = (folder / "scores.json").stat().st_mtime_ns
    again = Experiment("tiny")
    assert again.trained.training("2D-CNN") == folder and (folder / "scores.json").stat().st_mtime_ns == stamp

    history = pd.read_csv(folder / "history.csv")
    confusions = pd.read_csv(folder / "confusions.csv")
    assert set(confusions["epoch"]) == set(history["epoch"])
    scores = json.loads((folder / "scores.json").read_text())
    best = confusions[confusions["epoch"] == scores["best_epoch"]].sort_values(["reference", "predicted"])
    final, during = np.array(scores["confusion"]["validation"]), best["pixels"].to_numpy().reshape(8, 8)
    assert (final.sum(1) == during.sum(1)).all()
    # epochs are judged in the precision of training, the final score in float32: pixels of all but equal classes may move
    moved = np.abs(final - during).sum() / 2
    assert moved <= (0.01 * final.sum() if devices.has_bfloat16(torch.device("cpu")) else 0)
    assert history["macro_f1"].idxmax() + 1 == scores["best_epoch"]


def test_the_chosen_training_is_the_best_on_validation():
    from paperlib.training.trials import trainings_frame

    def scores(number, validation, test):
        return {"model": "m", "training": number, "confusion": {"validation": validation, "test": test}}

    good, bad = [[5, 0], [0, 5]], [[3, 2], [2, 3]]
    table = trainings_frame([scores(0, bad, good), scores(1, good, bad)])
    assert table["chosen"].tolist() == [False, True]


def test_map_agrees_with_the_scores_on_test_polygons(run):
    """Two ways to the same numbers: patches of the test polygons, and the map of the whole scene."""
    for name in QUICK:
        codes = np.array([cover.code for cover in run.legend])
        mapped = run.class_map(name).values
        chosen = run.polygons.loc[run.polygons["set"] == "test", "polygon_id"]
        place = np.isin(run.dataset.burned.polygon.values, chosen) & (run.dataset.burned.label.values >= 0)
        agreement = np.zeros((8, 8), int)
        np.add.at(agreement, (run.dataset.burned.label.values[place], np.searchsorted(codes, mapped[place])), 1)
        scored = run.trained.confusions("test", [name])[name]
        assert np.array_equal(agreement, scored)


def test_maps_of_all_trainings_are_each_by_its_own(run, tmp_path):
    two = run.override({"train.trainings": 2})
    first, second = two.maps.classes_by_training("iota2_base")
    np.testing.assert_array_equal(first, two.class_map("iota2_base"))
    other = 1 - two.trained.chosen("iota2_base")
    map_scene(two.trained.classifier("iota2_base", other), two.scene, tmp_path / "other")
    np.testing.assert_array_equal(second, read_map(tmp_path / "other" / "class.tif"))
    assert (first != second).any()


def test_provenance_lies_beside_every_artifact(run):
    run.map("iota2_base")
    finished = [path for path in store.open_store().glob("[!.]*/*-*") if path.is_dir()]  # others may be under way
    assert finished
    for folder in finished:
        assert json.loads((folder / "provenance.json").read_text())["settings"]


def test_real_scene_end_to_end(shared_data, tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_STORE", str(tmp_path / "store"))
    for name in (real_scene.IMAGE, real_scene.POLYGONS):
        shutil.copy(shared_data / "bouconne" / name, tmp_path)
    image = real_scene.fetch_bouconne(tmp_path)
    real = Experiment("tiny", str(image), str(tmp_path / real_scene.POLYGONS), settings={"labels.near": 0})
    table = real.trainings(["iota2_base"])
    assert len(real.legend) == 7 and not real.simulated
    assert table["macro_f1_test"].item() > 0.85  # pure interiors; a full forest of 100 trees reaches 0.967
    with rasterio.open(real.map("iota2_base") / "class.tif") as classes:
        assert classes.shape == (246, 227) and (classes.read(1) > 0).all()
    with pytest.raises(InputError, match="known truth"):
        real.truth  # noqa: B018


def test_native_crops_with_their_own_polygons(shared_data, tmp_path, monkeypatch):
    """Another real scene: one date, product files, 16 polygons in another CRS, with their own class names."""
    import geopandas as gpd

    monkeypatch.setenv("PAPERLIB_STORE", str(tmp_path / "store"))
    codes = {"eau": 11, "feuillu": 3, "resineux": 2, "culture": 7, "sol nu": 10, "bati": 1, "milieu ouvert": 6}
    polygons = gpd.read_file(shared_data / "theia_l3a" / "ROI.gpkg")
    kept = polygons[polygons["type"].isin(codes)].assign(code=lambda table: table["type"].map(codes))
    assert len(kept) >= 10, sorted(polygons["type"].unique())
    kept.assign(set=["train", "test"] * (len(kept) // 2))[["code", "set", "geometry"]].to_file(tmp_path / "p.gpkg")
    real = Experiment("tiny", str(shared_data / "theia_l3a"), str(tmp_path / "p.gpkg"))
    with pytest.raises(InputError, match=r"single|two or more|needs 2"):  # one training polygon a class cannot be split
        real.polygons  # noqa: B018


def test_two_stores_in_one_process_do_not_mix(tmp_path, monkeypatch):
    monkeypatch.delenv("PAPERLIB_STORE", raising=False)
    before = dict(os.environ)
    roots = [tmp_path / name for name in ("one", "other")]
    runs = [Experiment("tiny", store=root, settings={"scene.size": 96, "scene.pool": 30}) for root in roots]
    folders = [run.dataset.folder for run in runs]
    assert [folder.relative_to(root).parts[0] for folder, root in zip(folders, roots, strict=True)] == ["scene"] * 2
    assert runs[0].override({"train.epochs": 3}).store == roots[0]
    assert dict(os.environ) == before and not (tmp_path / "data").exists()


def test_overrides_share_the_dataset_unless_they_change_it():
    run = Experiment("tiny")
    assert run.override({"train.epochs": 3, "sample.dates": "shuffled"}).dataset is run.dataset
    assert run.override({"sample.patch": 24}).dataset is not run.dataset
    assert run.override({"train.epochs": 3}).settings == Experiment("tiny", settings={"train.epochs": 3}).settings


def test_runs_without_indices_or_of_one_date_train_and_map(run):
    """The map reads what the training read: bands alone, or one date, whose gaps the other dates fill."""
    for overrides, channels, dates in (({"sample.indices": False}, 10, 11), ({"sample.dates": run.dates[5]}, 13, 1)):
        varied = run.override(overrides)
        inputs = varied.classifier("iota2_base").inputs
        assert (len(inputs.channels()), len(inputs.days)) == (channels, dates)
        codes = np.array([cover.code for cover in run.legend])
        test = run.polygons.loc[run.polygons["set"] == "test", "polygon_id"]
        place = np.isin(run.dataset.burned.polygon.values, test) & (run.dataset.burned.label.values >= 0)
        predicted = np.searchsorted(codes, varied.class_map("iota2_base").values[place])
        agreement = np.zeros((8, 8), int)
        np.add.at(agreement, (run.dataset.burned.label.values[place], predicted), 1)
        assert np.array_equal(agreement, varied.trained.confusions("test", ["iota2_base"])["iota2_base"])
    with pytest.raises(InputError, match="shuffled dates has scores but no maps"):
        run.override({"sample.dates": "shuffled"}).map("iota2_base")


def test_a_classifier_maps_another_year_and_refuses_what_it_cannot_read(run, tmp_path):
    """The same scene a year later, a few days off: nearly the same map. Without a band: an error that names it."""
    classifier = run.classifier("iota2_base")
    later = run.scene.isel(y=slice(0, 60), x=slice(0, 60)).compute()
    later = later.assign_coords(time=later.time + np.timedelta64(367, "D"))
    map_scene(classifier, later, tmp_path / "later")
    same = read_map(tmp_path / "later" / "class.tif").values == run.class_map("iota2_base").values[:60, :60]
    assert 0.9 < same.mean() < 1
    with pytest.raises(InputError, match=r"B11 .*missing") as error:
        map_scene(classifier, later.sel(band=[band for band in later.band.values if band != "B11"]), tmp_path / "less")
    assert error.value.kind == "scene.bands" and not (tmp_path / "less").exists()
