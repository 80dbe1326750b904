"""Features of a window of a scene, as every classifier takes them: bands without gaps, and spectral indices."""

import math

import numpy as np
import xarray as xr

from ..scenes.series import read_window
from .indices import channel_names, fill_gaps, write_indices


def days_since_first(scene: xr.DataArray) -> np.ndarray:
    """Days (date,) from the first date of the scene."""
    return (scene.time.values - scene.time.values[0]) / np.timedelta64(1, "D")


def read_features(
    scene: xr.DataArray, y: slice = slice(None), x: slice = slice(None), memory: np.ndarray | None = None
) -> np.ndarray:
    """Gap-filled bands and indices of a window of a (band, time, y, x) scene, float32 (channel, time, y, x), loaded.

    NaN where a pixel has no usable date. Not normalised. `memory`: at least as many float32, which the result then
    takes: of new memory the system clears every page first.
    """
    y, x = slice(*y.indices(scene.sizes["y"])), slice(*x.indices(scene.sizes["x"]))
    bands = tuple(scene.band.values)
    shape = (len(channel_names(bands)), scene.sizes["time"], y.stop - y.start, x.stop - x.start)
    out = np.empty(shape, np.float32) if memory is None else memory[: math.prod(shape)].reshape(shape)
    mask = read_window(scene, y, x, out[: len(bands)])
    fill_gaps(out[: len(bands)], mask, days_since_first(scene))
    write_indices(out, bands)
    return out
