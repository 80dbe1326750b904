"""A small series of reflectance in memory, for tests that write it as other programs do."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from affine import Affine

from paperlib import open_scene
from paperlib.scenes.sensors import BANDS

LEFT, TOP, ROWS, COLUMNS = 350000, 4840000, 40, 30
GRID = Affine(10, 0, LEFT, 0, -10, TOP)
DAYS = pd.DatetimeIndex([f"2018-{month:02}-15" for month in (2, 5, 8, 11)])
X, Y = LEFT + 10 * np.arange(COLUMNS) + 5.0, TOP - 10 * np.arange(ROWS) - 5.0
PADDED = {band: band if band == "B8A" else f"B{int(band[1:]):02d}" for band in BANDS}
#: Vegetation by band: dark in the visible, bright in the near infrared.
SPECTRUM = np.array([0.03, 0.05, 0.04, 0.35, 0.09, 0.26, 0.32, 0.36, 0.18, 0.09], np.float32)


def reflectance() -> np.ndarray:
    """(band, time, y, x): vegetation with a season and texture; a corner is missing at each date."""
    random = np.random.default_rng(4)
    # Two textures that change places along the spectrum: neighbours in wavelength are alike.
    place = np.array([0, 1, 2, 6, 3, 4, 5, 7, 8, 9])[:, None, None, None] / 9
    one, other = random.uniform(-0.3, 0.3, (2, 1, ROWS, COLUMNS))
    texture = 1 + one * (1 - place) + other * place
    season = np.array([0.6, 1.0, 1.2, 0.8])[None, :, None, None]
    values = (SPECTRUM[:, None, None, None] * season * texture).astype(np.float32)
    values = np.round(values, 4)
    values[:, :, :5, :5] = np.nan
    return values


VALUES = reflectance()


def quiet(path: Path, **choices) -> xr.DataArray:
    """The scene, opened without any warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        return open_scene(path, **choices).compute()


def stored(offset: int = 0, empty: int = -9999, dtype: str = "int16") -> np.ndarray:
    return np.where(np.isnan(VALUES), empty, np.rint(np.nan_to_num(VALUES) * 10000) + offset).astype(dtype)
