"""Indices as printed, in numpy and torch; gap filling against numpy's interpolation, pixel by pixel."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paperlib import paper
from paperlib.indices import add_indices, channel_names, fill_gaps


def test_channel_names_follow_the_bands():
    assert channel_names(paper.BANDS) == (*paper.BANDS, "NDVI", "NDWI", "BI")
    assert channel_names(("B8", "B3")) == ("B8", "B3", "NDWI")
    assert channel_names(["B2"]) == ("B2",)


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_indices_are_those_of_the_paper(kind, axis):
    bands = ("B4", "B2", "B8", "B3")
    pixels = np.array([[0.1, 0.9, 0.4, 0.2], [0.3, 0.9, 0.1, 0.6], [-0.1, 0.9, 0.3, 0.2]])
    expected = np.array([[0.6, -1 / 3, 0.5], [-0.5, 5 / 7, 0.5], [2.0, -0.2, 0.5]])
    values = np.moveaxis(np.stack([pixels, pixels]), -1, axis)
    result = add_indices(kind(values), bands, axis)
    assert type(result) is type(kind(values)) and str(result.dtype).endswith("float32")
    whole = np.moveaxis(np.asarray(result), axis, -1)
    assert np.array_equal(whole[..., :4], np.stack([pixels, pixels]).astype(np.float32))
    assert np.allclose(whole[..., 4:], expected, atol=1e-6)


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_zero_denominators_give_zero_and_nan_stays(kind):
    nan = np.nan
    pixels = kind(np.array([[0, 0, 0], [0.5, -0.5, 0], [nan, 0.5, 0], [0.5, nan, 0.2], [0.5, 0.5, nan]]))
    with np.errstate(all="raise"):
        result = np.asarray(add_indices(pixels, ("B4", "B8", "B3"), 1))[:, 3:]
    expected = [[0, 0, 0], [0, -1, 0], [nan, -1, nan], [nan, nan, 2.5], [0, nan, nan]]
    assert np.allclose(result, expected, equal_nan=True)


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(
    st.lists(st.integers(1, 60), min_size=n, max_size=n), st.integers(0, 2**32 - 1), st.floats(0, 1))))  # fmt: skip
def test_gaps_are_interpolated_in_time(case):
    steps, seed, share = case
    days = np.cumsum(steps)
    generator = np.random.default_rng(seed)
    values = generator.random((2, len(days), 3, 4), np.float32)
    mask = generator.random((len(days), 3, 4)) < share
    values[0][mask & (generator.random(mask.shape) < 0.5)] = np.nan  # nodata under the mask
    before = values.copy()
    filled = fill_gaps(values, mask, days)
    assert np.array_equal(values, before, equal_nan=True) and filled.dtype == np.float32
    for band, y, x in np.ndindex(2, 3, 4):
        series, usable = values[band, :, y, x], ~mask[:, y, x]
        expected = np.interp(days, days[usable], series[usable]) if usable.any() else np.full(len(days), np.nan)
        assert np.allclose(filled[band, :, y, x], expected, atol=1e-6, equal_nan=True)
        assert np.array_equal(filled[band, usable, y, x], series[usable])


def test_a_date_with_nan_in_one_band_is_not_usable():
    values = np.array([[1, np.nan, 3], [1, 9, 3]], np.float32)[:, :, None, None]
    assert np.array_equal(fill_gaps(values, np.zeros((3, 1, 1), bool), [0, 1, 2])[:, 1].ravel(), [2, 2])


def test_shapes_and_days_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not ascend"):
        fill_gaps(np.zeros((1, 2, 1, 1), np.float32), np.zeros((2, 1, 1), bool), [5, 5])
