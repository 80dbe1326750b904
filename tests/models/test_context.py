"""iota2_ctx: histograms, the chain of forests, and equality of samples and maps."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paperlib.mapping.scene_maps import map_scene, read_map
from paperlib.models.context import ContextForest, histograms


@pytest.fixture(scope="module")
def model(run) -> ContextForest:
    return run.classifier("iota2_ctx")


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
    found = run.trained.normalised_superpixels["train"]
    numbers, label = found.superpixel[0, 0], found.label[0, 0]
    whole = np.bincount(run.dataset.superpixels.values.ravel())
    for number, pixels in zip(*np.unique(numbers, return_counts=True), strict=True):
        assert pixels == whole[number]
    assert (label >= 0).sum() == run.samples["train"].counts(8).sum()
    assert set(numbers[label >= 0].tolist()) == set(numbers.tolist())  # each is touched by a polygon


def test_samples_are_classified_as_the_map(run, model):
    """The scores of Table 4 are those of the map, pixel by pixel."""
    samples = run.trained.normalised_superpixels["test"]
    with torch.inference_mode():
        predicted = model(samples.x, samples.superpixel).argmax(1)[0, 0].numpy()
    codes = np.array([cover.code for cover in run.legend])
    polygon, labelled = samples.polygon[0, 0].numpy(), samples.label[0, 0].numpy() >= 0
    mapped = run.class_map("iota2_ctx").values
    for number in np.unique(polygon[labelled]):
        inside = run.dataset.burned["polygon"].values == number
        expected = np.sort(codes[predicted[polygon == number]])
        np.testing.assert_array_equal(np.sort(mapped[inside]), expected)


def test_windows_map_as_one_pass(run, model, tmp_path):
    for window in (64, 1000):
        (tmp_path / str(window)).mkdir()
        map_scene(
            model, run.scene, run.dataset.normaliser, run.legend, tmp_path / str(window), window=window,
            superpixels=run.dataset.superpixels,
        )  # fmt: skip
    one, many = (read_map(tmp_path / name / "class.tif").values for name in ("1000", "64"))
    np.testing.assert_array_equal(one, many)


def test_context_decides_what_features_leave_open():
    """Two classes alike in half of their pixels; superpixels hold one class each: only the chain can tell them apart."""
    random = torch.Generator().manual_seed(0)
    numbers = torch.arange(40).repeat_interleave(50)
    kind = numbers % 2
    clear = torch.rand(2000, generator=random) < 0.5
    x = torch.randn(1, 2, 1, 1, 2000, generator=random) * 0.5
    x[0, 0, 0, 0] += 4 * (clear * (2 * kind - 1))
    label = kind[None, None].clone()
    label[..., 1000:] = -1
    from paperlib.features.samples import Samples

    model = ContextForest(classes=2)
    model.fit(Samples(x, label, label, ("B2", "B3"), numbers[None, None]), seed=0)
    answer = model(x, numbers[None, None]).argmax(1)[0, 0]
    first = torch.from_numpy(model.forests[0].predict(x[0, :, 0, 0].T.numpy()))
    assert (first[1000:] == kind[1000:]).float().mean() < 0.85
    assert (answer[1000:] == kind[1000:]).float().mean() > 0.95


def test_round_trip_without_pickle(run, model, tmp_path):
    samples = run.trained.normalised_superpixels["test"]
    model.save(tmp_path / "forest.skops")
    again = ContextForest.load(tmp_path / "forest.skops")
    assert torch.equal(again(samples.x, samples.superpixel), model(samples.x, samples.superpixel))
