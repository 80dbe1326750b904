"""Twice as many pixels, with the values that GDAL gives."""

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT

from paperlib.scenes.upsample import double_bilinear, double_nearest

OURS = {"nearest": double_nearest, "bilinear": double_bilinear}


def by_gdal(raw: np.ndarray, nodata: int | None, resampling: str) -> np.ndarray:
    height, width = raw.shape
    profile = {"driver": "GTiff", "dtype": raw.dtype, "count": 1, "crs": 32631, "nodata": nodata}
    with MemoryFile() as memory:
        with memory.open(height=height, width=width, transform=from_origin(0, 20 * height, 20, 20), **profile) as file:
            file.write(raw, 1)
        with (
            rasterio.Env(GDAL_NUM_THREADS=1),
            memory.open() as file,
            WarpedVRT(
                file, crs=file.crs, transform=from_origin(0, 20 * height, 10, 10), height=2 * height, width=2 * width,
                resampling=Resampling[resampling], src_nodata=nodata, nodata=nodata,
            ) as warped,
        ):  # fmt: skip
            return warped.read(1)


@pytest.mark.parametrize("resampling", OURS)
@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(st.integers(8, 20), st.integers(8, 20)),
    holes=st.sampled_from([0, 0.1, 0.6]),
    seed=st.integers(0, 99),
)
def test_values_are_those_of_gdal(resampling, shape, holes, seed):
    random = np.random.default_rng(seed)
    raw = random.integers(0, 12000, shape).astype(np.int16)
    raw[random.random(shape) < holes] = -10000
    expected = by_gdal(raw, -10000, resampling)
    found = OURS[resampling](np.pad(raw, 1, mode="edge"), -10000)
    inside = slice(2, -2)  # at its outer edge GDAL sees no further pixel, as we see the edge's own
    assert np.array_equal(found[inside, inside], expected[inside, inside])


@given(st.integers(-9999, 16000), st.sampled_from([None, -10000]))
def test_a_plain_image_stays_plain(value, nodata):
    raw = np.full((5, 6), value, np.int16)
    for double in OURS.values():
        assert (double(raw, nodata) == value).all() and double(raw, nodata).shape == (6, 8)


def test_weights_are_nine_three_three_one():
    raw = np.zeros((3, 3), np.int16)
    raw[1, 1], raw[0, 0], raw[0, 1], raw[1, 0] = 1600, 160, 16, 32
    assert double_bilinear(raw, None)[0, 0] == 900 + 10 + 3 + 6
