"""The forest behind the networks' contract."""

import numpy as np
import pytest
import torch

from paperlib.errors import InputError
from paperlib.forest import Forest
from paperlib.samples import Samples
from paperlib.training import evaluate


@pytest.fixture(scope="module")
def samples() -> Samples:
    random = torch.Generator().manual_seed(0)
    kind = torch.arange(60) % 2
    x = torch.randn(60, 3, 2, 4, 4, generator=random)
    x[:, 0] += 2 * kind[:, None, None, None]
    label = torch.where(torch.rand(60, 4, 4, generator=random) < 0.5, 2 * kind[:, None, None], -1)
    return Samples(x, label, torch.where(label >= 0, 1, -1), ("B2", "B3", "B4"))


@pytest.fixture(scope="module")
def forest(samples) -> Forest:
    model = Forest(classes=4)
    model.fit(samples, seed=0)
    return model


def test_obeys_the_contract_with_a_column_for_absent_classes(forest, samples):
    logits = forest(samples.x[:5])
    assert logits.shape == (5, 4, 4, 4) and logits.dtype == torch.float32
    probability = logits.softmax(1)
    assert (probability[:, [1, 3]] < 1e-5).all()  # classes 1 and 3 were never seen


def test_answers_as_scikit_learn_pixel_by_pixel(forest, samples):
    x = samples.x[7:9]
    vector = x[1, :, :, 2, 3].flatten()[None].numpy()
    expected = forest.forest.predict_proba(vector)[0]
    np.testing.assert_allclose(forest(x).softmax(1)[1, [0, 2], 2, 3].numpy(), expected, atol=1e-5)
    assert evaluate(forest, samples).confusion.trace() > 0.8 * (samples.label >= 0).sum().item()


def test_printed_hyperparameters(forest):
    chosen = forest.forest.get_params()
    assert (chosen["n_estimators"], chosen["max_depth"], chosen["min_samples_split"]) == (100, 50, 21)
    assert all(
        (tree.tree_.n_node_samples[tree.tree_.children_left >= 0] > 20).all() for tree in forest.forest.estimators_
    )


def test_same_seed_same_forest_other_seed_another(samples):
    def answers(seed):
        model = Forest(classes=4)
        model.fit(samples, seed=seed)
        return model(samples.x[:3])

    assert torch.equal(answers(1), answers(1)) and not torch.equal(answers(1), answers(2))


def test_round_trip_without_pickle(forest, samples, tmp_path):
    forest.save(tmp_path / "forest.skops")
    again = Forest.load(tmp_path / "forest.skops")
    assert torch.equal(again(samples.x[:5]), forest(samples.x[:5]))


def test_a_file_with_other_types_is_refused(tmp_path):
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    skops.io.dump({"forest": np.random.RandomState, "classes": InputError}, tmp_path / "bad.skops")
    with pytest.raises(UntrustedTypesFoundException):
        Forest.load(tmp_path / "bad.skops")


def test_nothing_to_learn_from(samples):
    blank = Samples(samples.x, torch.full_like(samples.label, -1), samples.polygon, samples.channels)
    with pytest.raises(InputError, match="no labelled pixel"):
        Forest(classes=4).fit(blank, seed=0)
