"""The forest fulfils the contract of the networks."""

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier

from paperlib.errors import InputError
from paperlib.evaluation.scoring import evaluate
from paperlib.features.samples import Samples
from paperlib.models import forest as forest_module
from paperlib.models.forest import DEPTH, Forest, grow, vote_shares


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
    model = Forest(3, 2, classes=4)
    model.fit(samples.x, samples.label, seed=0)
    return model


def test_obeys_the_contract_with_a_column_for_absent_classes(forest, samples):
    logits = forest(samples.x[:5])
    assert logits.shape == (5, 4, 4, 4) and logits.dtype == torch.float32
    probability = logits.softmax(1)
    assert (probability[:, [1, 3]] < 1e-5).all()  # classes 1 and 3 were never seen


def test_answers_as_scikit_learn_pixel_by_pixel(forest, samples):
    x = samples.x[7:9]
    vector = x[1, :, :, 2, 3].flatten()[None].numpy()
    expected = forest.estimators[0].predict_proba(vector)[0]
    np.testing.assert_allclose(forest(x).softmax(1)[1, [0, 2], 2, 3].numpy(), expected, atol=1e-5)
    assert evaluate(forest, samples).confusion.trace() > 0.8 * (samples.label >= 0).sum().item()


def blobs(pixels: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (pixel, feature) of three overlapping classes with a share of wrong labels."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 3, pixels)
    x = random.normal(size=(pixels, 20)) + 1.2 * y[:, None] * (np.arange(20) < 6)
    wrong = random.random(pixels) < noise
    return x.astype(np.float32), np.where(wrong, random.integers(0, 3, pixels), y)


def test_grows_as_opencv_would():
    forest = grow(*blobs(2000, noise=0.15), seed=0)
    assert len(forest.estimators_) == 100 and forest.max_features == 4  # round(sqrt(20))
    for tree in forest.estimators_:
        inner = tree.tree_.children_left >= 0
        assert tree.get_depth() <= 25 and (tree.tree_.n_node_samples[inner] > 20).all()


def test_each_tree_has_one_vote():
    x, y = blobs(500, noise=0.3)
    forest = grow(x, y, seed=0)
    votes = np.stack([tree.predict_proba(x) for tree in forest.estimators_])
    assert set(np.unique(votes)) == {0.0, 1.0} and (votes.sum(2) == 1).all()
    np.testing.assert_allclose(vote_shares(forest, x, 3), votes.mean(0), atol=1e-6)
    np.testing.assert_array_equal(vote_shares(forest, x, 3), forest.predict_proba(x).astype(np.float32))


def test_growth_stops_once_the_out_of_bag_error_is_small():
    x, y = blobs(2000, noise=0)
    x += 8 * y[:, None]  # nothing overlaps any more
    assert len(grow(x, y, seed=0).estimators_) < 30


def test_growth_in_steps_gives_the_trees_of_growth_at_once(monkeypatch):
    x, y = blobs(1000, noise=0)
    x += 2 * y[:, None]
    grown, fit = [], RandomForestClassifier.fit

    def counted(self, *rest):
        grown.append(self.n_estimators)
        return fit(self, *rest)

    monkeypatch.setattr(RandomForestClassifier, "fit", counted)

    def trees(processors: int) -> list[tuple]:
        grown.clear()
        monkeypatch.setattr(forest_module, "processors", lambda: processors)
        made = grow(x, y, seed=3)
        assert made.n_jobs == 1 and made.n_estimators == len(made.estimators_)
        return [(tree.tree_.feature.tolist(), tree.tree_.threshold.tolist()) for tree in made.estimators_]

    once = trees(100)
    assert grown == [100] and 1 < len(once) < 50
    for processors in (1, 3):
        assert trees(processors) == once and len(grown) > 1
        assert grown[-1] < max(len(once) + processors, 1.25 * len(once) + 1)  # hardly more than are kept


@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_answers_as_opencv(noise):
    """The paper's engine on the same pixels: classes agree about as well as those of two of its own forests."""
    (x, y), (fresh, _) = blobs(2000, noise), blobs(4000, noise, seed=1)
    oracle = cv2.ml.RTrees_create()
    oracle.setMaxDepth(50)
    oracle.setMinSampleCount(20)
    oracle.setActiveVarCount(4)
    oracle.setTermCriteria((cv2.TERM_CRITERIA_MAX_ITER | cv2.TERM_CRITERIA_EPS, 100, 0.01))
    oracle.train(x, cv2.ml.ROW_SAMPLE, y.astype(np.int32))
    theirs = oracle.predict(fresh)[1].ravel().astype(int)
    ours, other = (vote_shares(grow(x, y, seed), fresh, 3).argmax(1) for seed in (0, 1))
    assert oracle.getMaxDepth() == DEPTH
    assert (ours == theirs).mean() > (ours == other).mean() - 0.02 > 0.9


def test_same_seed_same_forest_other_seed_another(samples):
    def answers(seed):
        model = Forest(3, 2, classes=4)
        model.fit(samples.x, samples.label, seed=seed)
        return model(samples.x[:3])

    assert torch.equal(answers(1), answers(1)) and not torch.equal(answers(1), answers(2))


def test_round_trip_without_pickle(forest, samples, tmp_path):
    forest.save(tmp_path)
    again = Forest(3, 2, classes=4)
    again.load(tmp_path)
    assert torch.equal(again(samples.x[:5]), forest(samples.x[:5]))


@pytest.mark.fault("a forest file that holds other code", "refused; nothing of it is executed", "nothing")
def test_a_file_with_other_types_is_refused(tmp_path):
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    skops.io.dump({"forest": np.random.RandomState, "classes": InputError}, tmp_path / "forest.skops")
    with pytest.raises(UntrustedTypesFoundException):
        Forest(3, 2, classes=4).load(tmp_path)


def test_nothing_to_learn_from(samples):
    with pytest.raises(InputError, match="no labelled pixel"):
        Forest(3, 2, classes=4).fit(samples.x, torch.full_like(samples.label, -1))


@pytest.fixture
def busy():
    """Threads take turns after a microsecond, as on a machine that does much else."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_threads_leave_the_filters_of_warnings_alone(busy):
    """Otherwise a warning of a library that is ignored becomes an error somewhere later, now and then."""
    x, y = blobs(300, noise=0.3)
    grow(x, y, seed=0).predict_proba(x)  # libraries add filters of their own when they are imported
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "of a library")
        before = list(warnings.filters)
        for seed in range(10):
            forest = grow(x, y, seed)
            with ThreadPoolExecutor(4) as pool:
                votes = list(pool.map(lambda part, forest=forest: vote_shares(forest, part, 3), np.array_split(x, 8)))
            assert warnings.filters == before
            np.testing.assert_array_equal(np.concatenate(votes), forest.predict_proba(x).astype(np.float32))
