"""Galileo is trained, scored, mapped, saved and loaded as the other classifiers are, from one imitation a scene."""

import numpy as np
import pytest
import torch

from paperlib import Experiment, load_model
from paperlib.errors import InputError
from paperlib.runs import keys
from paperlib.training import galileo_weights, imitation
from paperlib.training.imitation import draw_pixels, months_of
from paperlib.transfer import write_models
from support.stores import copy_store

FEW = {"train.imitated": 400}


@pytest.fixture
def weights(shared_data, tmp_path, monkeypatch):
    """The weights where a run looks for them; an imitation of few steps counts as good."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(imitation, "SEEN", 15_000)
    monkeypatch.setattr(imitation, "ENOUGH", 0.3)
    return galileo_weights.fetch_weights(str(shared_data / "galileo" / galileo_weights.FILE))


def test_the_whole_chain(run, store, weights, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("PAPERLIB_QUIET", raising=False)
    assert run.dataset.folder  # the scene, which the copy then has
    here = Experiment("tiny", settings=FEW, store=copy_store(store, tmp_path / "store"))
    table = here.trainings(["Galileo"])
    assert "imitated on 400 pixels of the scene: R2 0." in capsys.readouterr().err
    assert table["macro_f1_test"].iloc[0] > 0.3 and table["chosen"].all()
    codes = {cover.code for cover in here.legend}
    classes = here.class_map("Galileo").values
    assert set(np.unique(classes)) <= codes and len(np.unique(classes)) > 2
    (folder,) = write_models(here, ["Galileo"], tmp_path / "model", "")
    assert "Presto Authors" in (folder / "README.md").read_text()
    weights.unlink()  # a saved model needs them no more
    model = load_model(folder)
    x = here.samples["test"].x[:2]
    expected = here.classifier("Galileo").probabilities(x)
    assert torch.equal(model.classifier.probabilities(x), expected)
    assert len(list((tmp_path / "store" / "imitation").iterdir())) == 1

    # other labels of the same scene, and another seed: the same imitation
    other = here.override({"seed": 3, "sample.validation": 0.5, "labels.near": 0})
    inputs = here.trained.inputs
    assert keys.imitation_key(other.settings, inputs) == keys.imitation_key(here.settings, inputs)


@pytest.mark.fault("Galileo without its weights", "one error that names `paperlib fetch galileo`", "nothing")
def test_without_weights_the_command_is_named(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        Experiment("tiny", store=store).trained.training("Galileo")
    assert error.value.fix == "Run: paperlib fetch galileo"


def test_shuffled_dates_are_refused(store, weights):
    shuffled = Experiment("tiny", settings={"sample.dates": "shuffled"}, store=store)
    with pytest.raises(InputError, match="cannot be trained on shuffled dates"):
        shuffled.trained.training("Galileo")


def test_pixels_are_drawn_from_all_scenes_and_hold_data(run):
    scene, inputs = run.scene, run.dataset.inputs
    half = scene.isel(x=slice(0, 90)), scene.isel(x=slice(90, None))
    pixels = draw_pixels(half, inputs, 300)
    assert pixels.shape == (300, len(inputs.channels()), len(inputs.days)) and not pixels.isnan().any()
    assert len(pixels.unique(dim=0)) > 290 and torch.equal(pixels, draw_pixels(half, inputs, 300))
    whole = inputs.read(scene).reshape(*pixels.shape[1:], -1)
    left = inputs.read(half[0]).reshape(*pixels.shape[1:], -1)
    held = {column.tobytes() for column in whole.transpose(2, 0, 1).astype(np.float32)}
    mine = {column.tobytes() for column in left.transpose(2, 0, 1).astype(np.float32)}
    rows = [row.numpy().astype(np.float32).tobytes() for row in pixels]
    assert all(row in held for row in rows)
    assert 0.4 < np.mean([row in mine for row in rows]) < 0.6  # half of them of each scene, whatever its size


def test_months_follow_the_calendar_of_the_series():
    assert months_of((0.0, 59.0, 60.0, 365.0, 396.0), "2019-01-05").tolist() == [0, 2, 2, 0, 1]
    assert months_of((59.0, 60.0, 365.0), "2020-01-05").tolist() == [1, 2, 11]
