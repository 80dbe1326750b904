"""A trained classifier is saved, loaded without anything else, and refused where its files are not as they were written."""

import json
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch

from paperlib import models
from paperlib.errors import InputError, InputWarning
from paperlib.evaluation import metrics
from paperlib.evaluation.calibration import fit_temperature
from paperlib.features.inputs import Inputs
from paperlib.features.samples import Samples
from paperlib.nomenclature import LandCover
from paperlib.settings import Train
from paperlib.training.classifier import FILE, Classifier, decisive
from paperlib.training.trials import write_training
from support.samples import MARGIN, with_margin

INPUTS = Inputs(("B3", "B4", "B8"), {"green": "B3", "red": "B4", "nir": "B8"}, ("NDVI",), (45.0, 134.0, 226.0), 10.0)
LEGEND = (LandCover(7, "Crop", "#fedf60"), LandCover(11, "Water", "#0080ff"), LandCover(1, "Röhricht", "#ff0000"))
QUICK = Train(epochs=2, patches=4)


def make(number=12, size=5, seed=0, classes=3) -> Samples:
    """Patches whose class is the channel that is high, not normalised, with a margin; each patch is one superpixel."""
    random = torch.Generator().manual_seed(seed)
    kind = torch.arange(number) % classes
    x = 0.1 * torch.rand(number, 4, 3, size, size, generator=random) + 0.1
    x[torch.arange(number), kind] += 0.3
    label = torch.where(torch.rand(number, size, size, generator=random) < 0.4, kind[:, None, None], -1)
    label[:, 0, 0] = kind
    polygon = torch.where(label >= 0, torch.arange(number)[:, None, None], -1)
    superpixel = torch.arange(number)[:, None, None].expand_as(label).contiguous()
    return with_margin(Samples(x, label, polygon, INPUTS.channels(), superpixel))


def train(name: str, number=12, size=5) -> Classifier:
    parts = {"train": make(number, size), "validation": make(number, size, seed=1)}
    return Classifier.train(name, parts, INPUTS, LEGEND, QUICK, seed=3)


@pytest.fixture(scope="module", params=["TempCNN", "2D-CNN", "SpatioTempCNN-gated", "iota2_base", "iota2_ctx"])
def classifier(request) -> Classifier:
    return train(request.param)


def test_a_failed_save_leaves_the_classifier_that_was_there(tmp_path, monkeypatch):
    train("TempCNN").save(tmp_path / "own")
    before = {path.name: path.read_bytes() for path in (tmp_path / "own").iterdir()}
    changed = train("TempCNN", size=6)
    monkeypatch.setattr("paperlib.store.write_json", lambda *rest: 1 / 0)  # after the weights
    with pytest.raises(ZeroDivisionError):
        changed.save(tmp_path / "own")
    assert {path.name: path.read_bytes() for path in (tmp_path / "own").iterdir()} == before
    with pytest.raises(ZeroDivisionError):
        changed.save(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_classifier_is_the_same_after_a_trip_to_disk(classifier, tmp_path):
    classifier = replace(classifier, temperature=1.7)
    classifier.save(tmp_path / "new" / "folder")
    again = Classifier.load(tmp_path / "new" / "folder")
    assert (again.name, again.inputs, again.legend, again.about) == (
        classifier.name, classifier.inputs, classifier.legend, classifier.about,
    )  # fmt: skip
    assert again.temperature == 1.7
    assert again.normaliser.to_dict() == classifier.normaliser.to_dict() and again.normaliser.pixels > 0
    samples = make(seed=2)
    first, second = (known.probabilities(samples.x, samples.superpixel) for known in (classifier, again))
    side = 5 + 2 * (MARGIN - classifier.halo)
    assert torch.equal(first, second) and first.shape == (12, 3, side, side)
    torch.testing.assert_close(first.sum(1), torch.ones(12, side, side))
    assert (
        again.halo == classifier.halo == (4 if classifier.name == "2D-CNN" else 3 if "Spatio" in classifier.name else 0)
    )
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted([FILE, again.model.weights])


def test_scores_are_those_of_its_probabilities(classifier):
    samples = make(seed=2)
    evaluation = classifier.evaluate(samples)
    label = classifier.model.answered(samples.label)
    predicted = classifier.probabilities(samples.x, samples.superpixel).argmax(1)[label >= 0]
    reference = label[label >= 0]
    assert np.array_equal(evaluation.predicted, predicted)
    for row, column in np.ndindex(3, 3):
        assert evaluation.confusion[row, column] == int(((reference == row) & (predicted == column)).sum())


def test_a_training_is_calibrated_on_its_validation_polygons_before_it_is_kept(tmp_path):
    classifier, parts = train("iota2_base"), {"validation": make(seed=1), "test": make(seed=2)}
    some = parts["validation"].label[::3]
    parts["validation"].label[::3] = torch.where(some < 0, some, (some + 1) % 3)  # the forest is too sure of itself
    assert classifier.temperature == 1
    (tmp_path / "one").mkdir()
    write_training(tmp_path / "one", classifier, parts)
    kept = Classifier.load(tmp_path / "one")
    held_out = classifier.evaluate(parts["validation"])
    assert kept.temperature == fit_temperature(held_out.logits, held_out.label) > 1
    x = parts["test"].x
    assert torch.equal(classifier.probabilities(x).argmax(1), kept.probabilities(x).argmax(1))
    logits = classifier.model(classifier.normaliser.apply(x))
    torch.testing.assert_close(kept.probabilities(x), (logits / kept.temperature).softmax(1))


def test_what_is_known_of_the_training_travels_along(classifier):
    about = classifier.about
    assert about["seed"] == 3 and about["training_seconds"] >= 0
    assert (about.get("epochs") == 2) == classifier.model.trained_in_epochs == (classifier.record is not None)
    assert set(about["options"]) == set(classifier.model.options)


def test_a_folder_without_a_classifier_is_named(tmp_path):
    with pytest.raises(InputError, match=r"classifier\.json is missing") as error:
        Classifier.load(tmp_path)
    assert error.value.kind == "classifier.missing"


@pytest.fixture
def saved(tmp_path):
    train("iota2_base").save(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "change",
    [
        lambda content: {**content, "format": "paperlib classifier 0"},
        lambda content: {name: value for name, value in content.items() if name != "inputs"},
        lambda content: {**content, "legend": [{"code": 1}]},
        lambda content: [],
    ],
)
def test_another_format_is_refused(saved, change):
    path = saved / FILE
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(InputError) as error:
        Classifier.load(saved)
    assert error.value.kind == "classifier.format" and error.value.fix


def test_a_file_that_is_no_json_is_refused(saved):
    (saved / FILE).write_text("no JSON")
    with pytest.raises(InputError) as error:
        Classifier.load(saved)
    assert error.value.kind == "classifier.format"


@pytest.mark.fault("weights of a classifier changed, cut short or gone", "an error names the file", "nothing")
@pytest.mark.parametrize("spoil", ["change", "cut", "remove"])
def test_weights_that_are_not_those_saved_are_refused(saved, spoil):
    path = saved / "forest.skops"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content if spoil == "change" else content[:100])
    if spoil == "remove":
        path.unlink()
    with pytest.raises(InputError, match=r"forest\.skops is missing, or not the file") as error:
        Classifier.load(saved)
    assert error.value.kind == "classifier.weights"


@pytest.mark.parametrize("name", [*models.CLASSIFIERS, *models.VARIANTS, *models.OTHERS])
@pytest.mark.parametrize(("number", "size"), [(3, 1), (4, 1), (6, 1), (9, 2), (30, 1)])
def test_any_number_of_samples_from_one_a_class_gives_scores(name, number, size):
    few = number * size**2 <= 36 and name in models.FORESTS
    with pytest.warns(InputWarning, match="may show a single class") if few else nullcontext() as warned:
        evaluation = train(name, number, size).evaluate(make(9, size, seed=2))
    assert np.isfinite(evaluation.loss) and evaluation.confusion.sum() > 0
    if few:
        assert warned[0].message.kind == "training.few" and "--set train.largest_leaf=1" in warned[0].message.fix


def test_small_leaves_learn_from_few_pixels():
    """The better choice that the warning names: 24 pixels, of which a forest with leaves of 20 makes one class."""
    parts = {"train": make(24, 1), "validation": make(24, 1, seed=1)}
    with pytest.warns(InputWarning, match="24 pixels are too few"):
        coarse = Classifier.train("iota2_base", parts, INPUTS, LEGEND, QUICK)
    fine = Classifier.train("iota2_base", parts, INPUTS, LEGEND, Train(largest_leaf=1))
    truth = make(60, 1, seed=2)
    assert (coarse.evaluate(truth).confusion.sum(0) > 0).sum() == 1
    assert metrics.macro_f1(fine.evaluate(truth).confusion) > 0.95


def test_only_what_matters_to_a_classifier_is_decisive():
    settings = Train()
    for name in (*models.CLASSIFIERS, *models.VARIANTS, *models.OTHERS):
        known = decisive(name, settings, oversampling=True)
        epochs = models.find(name).trained_in_epochs
        assert ("epochs" in known) == ("oversample" in known) == epochs
        assert ("fusion" in known) == (name == "SpatioTempCNN") and "trainings" not in known
        assert ("dropout" in known) == (epochs and name != "TempCNN-2019")
