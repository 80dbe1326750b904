"""What lies around a window: reflected at the scene's end, filled from the nearest pixel, alike in every window."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_cdt

from paperlib.features.halo import fill_nearest, reflected, take


@given(st.integers(1, 9), st.integers(0, 20), st.integers(0, 20))
def test_beyond_its_end_a_scene_is_reflected_as_numpy_and_torch_do(length, before, after):
    values = np.arange(length)
    expected = np.pad(values, (before, after), mode="reflect")
    assert np.array_equal(values[reflected(-before, length + after, length)], expected)
    if max(before, after) < length:
        padded = torch.nn.functional.pad(torch.arange(length)[None].float(), (before, after), mode="reflect")
        assert np.array_equal(padded[0].numpy(), expected)


def test_rows_and_columns_are_taken_together():
    values, rows, columns = np.random.default_rng(0).random((2, 3, 5, 6)), np.array([1, 0, 1, 4]), np.array([5, 5, 2])
    out = np.empty((2, 3, 4, 3))
    take(values, rows, columns, out)
    np.testing.assert_array_equal(out, values[..., rows[:, None], columns])


@given(st.integers(0, 2**31), st.integers(0, 4), st.floats(0.02, 1))
def test_a_gap_gets_the_nearest_pixel_within_reach(seed, reach, share):
    random = np.random.default_rng(seed)
    usable = random.random((15, 16)) < share
    values = np.where(usable, np.arange(240.0).reshape(15, 16), np.nan)
    filled = np.stack([values, -values])
    fill_nearest(filled, usable, reach)
    np.testing.assert_array_equal(filled[0], -filled[1])
    np.testing.assert_array_equal(filled[0][usable], values[usable])
    rows, columns = np.nonzero(usable)
    distance = distance_transform_cdt(~usable, metric="chessboard") if usable.any() else np.full(usable.shape, 99)
    for y, x in np.argwhere(~usable):
        inside = reach <= y < 15 - reach and reach <= x < 16 - reach
        if not inside or distance[y, x] > reach:
            assert np.isnan(filled[0, y, x])
            continue
        source = divmod(int(filled[0, y, x]), 16)
        assert max(abs(source[0] - y), abs(source[1] - x)) == distance[y, x]
        near = np.maximum(abs(rows - y), abs(columns - x)) == distance[y, x]
        assert np.hypot(source[0] - y, source[1] - x) == np.hypot(rows - y, columns - x)[near].min()


@pytest.mark.parametrize("wider", [3, 5])
def test_a_gap_is_filled_alike_with_more_reach_and_in_any_window(wider):
    """So patches, whose margin is that of the widest network, hold what maps see."""
    random = np.random.default_rng(0)
    usable = random.random((40, 41)) < 0.1
    values = np.where(usable, random.random((40, 41)), np.nan)
    whole, part = values.copy(), values[7:30, 5:33].copy()
    fill_nearest(whole[None], usable, wider)
    fill_nearest(part[None], usable[7:30, 5:33], 3)
    inner, same = part[3:-3, 3:-3], whole[10:27, 8:30]
    filled = ~np.isnan(inner)
    assert filled.sum() > usable[10:27, 8:30].sum()
    np.testing.assert_array_equal(inner[filled], same[filled])
