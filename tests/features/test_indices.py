"""Indices as printed; gap filling against numpy's interpolation, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperlib.features.indices import fill_gaps, interpolate, possible_indices, write_indices

ROLES = {"green": "B3", "red": "B4", "nir": "B8"}


def test_indices_follow_the_roles_of_the_bands():
    assert possible_indices(ROLES) == ("NDVI", "NDWI", "BI")
    assert possible_indices({"nir": "wide", "green": "g"}) == ("NDWI",)
    assert possible_indices({"blue": "B2"}) == ()


def with_indices(values: np.ndarray, bands: tuple[str, ...]) -> np.ndarray:
    out = np.full((len(bands) + 3, *values.shape[1:]), 9, np.float32)
    out[: len(bands)] = values
    write_indices(out, bands, possible_indices(ROLES), ROLES)
    return out


def test_indices_are_those_of_the_paper():
    bands = ("B4", "B2", "B8", "B3")
    pixels = np.array([[0.1, 0.3, -0.1], [0.9, 0.9, 0.9], [0.4, 0.1, 0.3], [0.2, 0.6, 0.2]], np.float32)
    expected = np.array([[0.6, -0.5, 2.0], [-1 / 3, 5 / 7, -0.2], [0.5, 0.5, 0.5]])
    values = np.stack([pixels, pixels], axis=1)  # (band, date, pixel)
    result = with_indices(values, bands)
    assert result.dtype == np.float32 and np.array_equal(result[:4], values)
    assert np.allclose(result[4:], expected[:, None], atol=1e-6)


def test_zero_denominators_give_zero_and_nan_stays():
    nan = np.nan
    pixels = np.array([[0, 0, 0], [0.5, -0.5, 0], [nan, 0.5, 0], [0.5, nan, 0.2], [0.5, 0.5, nan]]).T[:, None]
    with np.errstate(all="raise"):
        result = with_indices(pixels, ("B4", "B8", "B3"))[3:, 0].T
    expected = [[0, 0, 0], [0, -1, 0], [nan, -1, nan], [nan, nan, 2.5], [0, nan, nan]]
    assert np.allclose(result, expected, equal_nan=True)


def test_channels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="expected 3: B8, B4, NDVI"):
        write_indices(np.zeros((2, 1, 1), np.float32), ("B8", "B4"), ("NDVI",), ROLES)


@given(st.integers(1, 8).flatmap(lambda n: st.tuples(
    st.lists(st.integers(1, 60), min_size=n, max_size=n), st.integers(0, 2**32 - 1), st.floats(0, 1))))  # fmt: skip
def test_gaps_are_interpolated_in_time(case):
    steps, seed, share = case
    days = np.cumsum(steps)
    generator = np.random.default_rng(seed)
    values = generator.random((2, len(days), 3, 4), np.float32)
    mask = generator.random((len(days), 3, 4)) < share
    values[0][mask & (generator.random(mask.shape) < 0.5)] = np.nan  # nodata under the mask
    filled = values.copy()
    fill_gaps(filled, mask, days)
    for band, y, x in np.ndindex(2, 3, 4):
        series, usable = values[band, :, y, x], ~mask[:, y, x]
        expected = np.interp(days, days[usable], series[usable]) if usable.any() else np.full(len(days), np.nan)
        assert np.allclose(filled[band, :, y, x], expected, atol=1e-6, equal_nan=True)
        assert np.array_equal(filled[band, usable, y, x], series[usable])


def test_shapes_and_days_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not ascend"):
        fill_gaps(np.zeros((1, 2, 1, 1), np.float32), np.zeros((2, 1, 1), bool), [5, 5])


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.lists(st.floats(-50, 600), min_size=1, max_size=5))
def test_other_days_are_interpolated_and_held_at_the_ends(steps, wanted):
    days, wanted = np.cumsum(steps), sorted(wanted)
    values = np.random.default_rng(len(days)).random((2, len(days), 3, 4), np.float32)
    out = np.empty((2, len(wanted), 3, 4), np.float32)
    interpolate(values, days, wanted, out)
    for band, y, x in np.ndindex(2, 3, 4):
        np.testing.assert_allclose(out[band, :, y, x], np.interp(wanted, days, values[band, :, y, x]), atol=1e-6)
    interpolate(values, days, days, same := np.empty_like(values))
    assert np.array_equal(same, values)
