"""A model folder explains itself, and is refused where a file is missing, changed or of another version."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from paperlib import load_model
from paperlib.errors import InputError
from paperlib.evaluation import metrics
from paperlib.transfer import find_models, write_models
from paperlib.transfer.model_folder import CARD, MANIFEST, digest


@pytest.fixture
def copy(models, tmp_path):
    return shutil.copytree(models / "TempCNN", tmp_path / "model")


@pytest.mark.parametrize("name", ["TempCNN", "iota2_base"])
def test_a_model_comes_with_all_that_its_use_takes(run, models, name):
    model, x = load_model(models / name), run.samples["test"].x[:2]
    classifier = model.classifier
    assert classifier.inputs == run.trained.inputs and model.legend == run.legend and model.name == name
    assert torch.equal(classifier.probabilities(x), run.classifier(name).probabilities(x))
    facts = json.loads((models / name / MANIFEST).read_text())
    assert facts["receptive_field"] == classifier.model.receptive_field and facts["provenance"]["commit"]
    assert facts["scene"]["dates"] == run.dates and facts["settings"]["train.epochs"] == 2
    assert facts["polygons"]["polygons"] == run.polygons["set"].value_counts().to_dict()
    assert not [value for value in facts["settings"].values() if isinstance(value, str) and "/" in value]
    assert model.digest == digest(models / name / MANIFEST)
    assert set(facts["files"]) | {CARD, MANIFEST} == {path.name for path in (models / name).iterdir()}


def test_scores_are_those_of_the_chosen_training(run, models):
    model = load_model(models / "TempCNN")
    assert set(model.scores) == {"validation", "test"}
    for part, found in model.scores.items():
        confusion = run.trained.confusions(part, ["TempCNN"])["TempCNN"]
        assert np.array_equal(found.confusion, confusion)
        table = found.table.set_index(["score", "class"])
        assert table.loc[("macro F1", "all"), "estimate"] == pytest.approx(metrics.macro_f1(confusion))
        by_class = table.loc["F1", "estimate"].to_numpy()
        np.testing.assert_allclose(by_class, metrics.f1(confusion))
        assert (table["low"] <= table["estimate"]).all() and (table["estimate"] <= table["high"]).all()
        assert table["low"].min() >= 0 and table["high"].max() <= 1
        assert table.loc["F1", "pixels"].sum() == confusion.sum() == table.loc[("macro F1", "all"), "pixels"]


def test_quantiles_are_those_of_the_training_pixels(run, models):
    quantiles = load_model(models / "TempCNN").quantiles
    samples = run.trained.varied["train"]
    series = samples.pixels().x[..., 0, 0].numpy()
    assert quantiles.channels == samples.channels and quantiles.values.shape == (9, *series.shape[1:])
    np.testing.assert_allclose(quantiles.values[4], np.median(series, axis=0), rtol=1e-6)
    outside = quantiles.outside(np.moveaxis(series, 0, -1))
    assert outside.min() > 0.015 and outside.max() < 0.024  # of few pixels, below 1 % and above 99 %
    table = pd.read_csv(models / "TempCNN" / "quantiles.csv")
    assert table.columns.tolist()[:3] == ["channel", "day", "0.01"] and len(table) == series[0].size


def test_the_card_says_what_the_model_is(run, models):
    text = (models / "TempCNN" / CARD).read_text()
    best = load_model(models / "TempCNN").scores["test"].macro_f1
    for part in (run.dates[0], "15 February", "SIMULATED", "B8 (nir)", "single pixels", f"| macro F1 | all | {best:.3f} |",
                 "load_model"):  # fmt: skip
        assert part in text, part
    assert all(f"| {cover.code} | {cover.own_code} | {cover.name} |" in text for cover in run.legend)


def test_one_model_lies_in_the_folder_itself(run, tmp_path):
    assert write_models(run, ("iota2_base",), tmp_path / "own", "CC BY 4.0") == [tmp_path / "own"]
    assert "Licence: CC BY 4.0." in (tmp_path / "own" / CARD).read_text()
    assert load_model(tmp_path / "own").name == "iota2_base" and find_models(tmp_path / "own") == [tmp_path / "own"]


def test_several_models_are_named(models, tmp_path):
    assert find_models(models) == [models / name for name in ("TempCNN", "iota2_base")]
    with pytest.raises(InputError, match="several models: TempCNN, iota2_base") as caught:
        load_model(models)
    assert caught.value.kind == "model.several"
    with pytest.raises(InputError, match=r"model\.json is missing") as caught:
        load_model(tmp_path)
    assert caught.value.kind == "model.missing"


def spoil(path, **changes) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.fault("a file of a model folder missing or changed", "an error names the file", "nothing")
@pytest.mark.parametrize("name", ["classifier.json", "weights.safetensors", "quantiles.csv", "scores.json"])
@pytest.mark.parametrize("kind", ["model.file", "model.changed"])
def test_a_file_that_is_missing_or_changed_is_named(copy, name, kind):
    path = copy / name
    content = path.read_bytes()
    path.unlink()
    if kind == "model.changed":
        path.write_bytes(content.replace(b"1", b"2", 1))
    with pytest.raises(InputError, match=name.replace(".", r"\.")) as caught:
        load_model(copy)
    assert caught.value.kind == kind and "\n" not in str(caught.value)


def test_the_card_may_be_edited(copy):
    (copy / CARD).write_text("Licence: CC BY 4.0")
    assert load_model(copy).name == "TempCNN"


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"version": 2, "paperlib": "9.1"}, "model.newer", r"written by a newer paperlib \(9\.1\)"),
        ({"format": "other"}, "model.format", "its format is not"),
        ({"version": "1"}, "model.format", "its format is not"),
        ({"files": {}}, "model.format", "list of files"),
    ],
)
def test_another_version_or_format_is_one_line(copy, changes, kind, words):
    spoil(copy / MANIFEST, **changes)
    with pytest.raises(InputError, match=words) as caught:
        load_model(copy)
    assert caught.value.kind == kind and caught.value.fix


def test_a_manifest_that_is_no_json_is_refused(copy):
    (copy / MANIFEST).write_text("no JSON")
    with pytest.raises(InputError, match="it is no JSON") as caught:
        load_model(copy)
    assert caught.value.kind == "model.format"
