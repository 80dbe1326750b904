"""iota2_ctx: histograms, the chain of forests, and equality of samples and maps."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paperlib.features.superpixels import REACH
from paperlib.mapping.scene_maps import map_scene, read_map
from paperlib.models.context import ContextForest, histograms
from paperlib.training.classifier import Classifier


@pytest.fixture(scope="module")
def classifier(run) -> Classifier:
    return run.classifier("iota2_ctx")


def test_the_receptive_field_of_the_classifier_with_context_is_that_of_a_superpixel():
    assert ContextForest.receptive_field == 2 * REACH + 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=50))
def test_histograms_are_shares_within_superpixels(pairs):
    index, numbers = np.array(pairs).T
    numbers = np.unique(numbers, return_inverse=True)[1]
    found = histograms(index, numbers, classes=4)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-6)
    for row, number in zip(found, numbers, strict=True):
        mine = index[numbers == number]
        np.testing.assert_allclose(row, [(mine == kind).mean() for kind in range(4)], rtol=1e-6)


def test_samples_hold_whole_superpixels_and_label_only_polygons(run):
    found = run.dataset.superpixel_samples["train"]
    numbers, label = found.superpixel[0, 0], found.label[0, 0]
    whole = np.bincount(run.dataset.superpixels.values.ravel())
    for number, pixels in zip(*np.unique(numbers, return_counts=True), strict=True):
        assert pixels == whole[number]
    assert (label >= 0).sum() == run.samples["train"].counts(8).sum()
    assert set(numbers[label >= 0].tolist()) == set(numbers.tolist())  # each is touched by a polygon


def test_samples_are_classified_as_the_map(run, classifier):
    """The scores of Table 4 are those of the map, pixel by pixel."""
    samples = run.dataset.superpixel_samples["test"]
    predicted = classifier.probabilities(samples.x, samples.superpixel).argmax(1)[0, 0].numpy()
    labelled = samples.label[0, 0].numpy() >= 0
    assert np.array_equal(classifier.evaluate(samples).predicted, predicted[labelled])
    codes = np.array([cover.code for cover in run.legend])
    polygon = samples.polygon[0, 0].numpy()
    mapped = run.class_map("iota2_ctx").values
    for number in np.unique(polygon[labelled]):
        inside = run.dataset.burned["polygon"].values == number
        expected = np.sort(codes[predicted[polygon == number]])
        np.testing.assert_array_equal(np.sort(mapped[inside]), expected)


def test_windows_map_as_one_pass_with_superpixels_given_or_made(run, classifier, tmp_path):
    for window, superpixels in ((64, run.dataset.superpixels), (1000, None)):
        map_scene(classifier, run.scene, tmp_path / str(window), window=window, superpixels=superpixels)
    one, many = (read_map(tmp_path / name / "class.tif").values for name in ("1000", "64"))
    np.testing.assert_array_equal(one, many)


def test_context_decides_what_features_leave_open():
    """Two classes are alike in half of their pixels, and each superpixel holds one class: only the chain separates them."""
    random = torch.Generator().manual_seed(0)
    numbers = torch.arange(40).repeat_interleave(50)
    kind = numbers % 2
    clear = torch.rand(2000, generator=random) < 0.5
    x = torch.randn(1, 2, 1, 1, 2000, generator=random) * 0.5
    x[0, 0, 0, 0] += 4 * (clear * (2 * kind - 1))
    label = kind[None, None].clone()
    label[..., 1000:] = -1
    model = ContextForest(channels=2, dates=1, classes=2)
    model.fit(x, label, numbers[None, None], seed=0)
    answer = model(x, superpixel=numbers[None, None]).argmax(1)[0, 0]
    first = torch.from_numpy(model.estimators[0].predict(x[0, :, 0, 0].T.numpy()))
    assert (first[1000:] == kind[1000:]).float().mean() < 0.85
    assert (answer[1000:] == kind[1000:]).float().mean() > 0.95


def test_round_trip_without_pickle(run, classifier, tmp_path):
    samples = run.dataset.superpixel_samples["test"]
    classifier.save(tmp_path)
    again = Classifier.load(tmp_path)
    probabilities = (known.probabilities(samples.x, samples.superpixel) for known in (again, classifier))
    assert torch.equal(*probabilities)
