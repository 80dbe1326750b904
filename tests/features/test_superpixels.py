"""Superpixels on a grid fixed to the scene."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from paperlib.features.superpixels import REACH, SPACING, segment, segment_scene
from paperlib.mapping.scene_maps import read_map


def test_windows_segment_as_one_pass(run, tmp_path):
    """The scene's side is no multiple of the grid; windows of 60 pixels meet inside it."""
    segment_scene(run.scene, run.dataset.normaliser, tmp_path / "one.tif", window=1000)
    segment_scene(run.scene, run.dataset.normaliser, tmp_path / "many.tif", window=60)
    one, many = (read_map(tmp_path / f"{name}.tif") for name in ("one", "many"))
    assert (one.values == many.values).mean() > 0.999
    assert one.rio.crs == run.scene.rio.crs and one.rio.transform() == run.scene.rio.transform()


@settings(max_examples=15, deadline=None)
@given(height=st.integers(10, 45), width=st.integers(10, 45), seed=st.integers(0, 5))
def test_every_pixel_belongs_to_a_near_cell(height, width, seed):
    values = np.random.default_rng(seed).normal(0.5, 0.3, (2, 3, height, width)).astype(np.float32)
    numbers = segment(values)
    columns = -(-width // SPACING)
    assert numbers.shape == (height, width) and numbers.min() >= 0
    assert numbers.max() < columns * -(-height // SPACING)
    for rows, cols in (found for found in ndimage.find_objects(numbers + 1) if found):
        assert rows.stop - rows.start <= REACH + 1 and cols.stop - cols.start <= REACH + 1


def test_superpixels_follow_edges():
    values = np.zeros((1, 1, 60, 60), np.float32)
    values[..., 27:] = 1  # an edge off the grid
    numbers = segment(values)
    assert not np.intersect1d(numbers[:, :27], numbers[:, 27:]).size


def test_the_number_of_channels_changes_nothing():
    values = np.random.default_rng(0).random((1, 2, 40, 40)).astype(np.float32)
    assert (segment(values) == segment(np.repeat(values, 7, axis=0))).mean() > 0.99
