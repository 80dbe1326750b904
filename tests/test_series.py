"""Reading a window at once gives what the lazy array gives, whatever was done to the scene before."""

import numpy as np
import pytest
import xarray as xr

from paperlib import open_scene, series
from paperlib.features import features
from paperlib.series import read_window
from paperlib.simulate import simulate

Y, X = slice(5, 110), slice(8, 120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("scene") / "s", size=128, pool=24, test=16, seed=3)


@pytest.fixture(scope="module", params=["products", "cube"])
def scene(request, folder, tmp_path_factory) -> xr.DataArray:
    products = open_scene(folder)
    if request.param == "products":
        return products
    path = tmp_path_factory.mktemp("cube") / "scene.nc"
    cube = products.compute()
    cube = cube.to_dataset(name="reflectance").reset_coords("mask")
    cube["mask"] = cube["mask"].astype("uint8")
    cube["reflectance"].attrs = {}
    cube.to_netcdf(path, engine="h5netcdf")
    return open_scene(path)


def read(scene: xr.DataArray, y: slice = Y, x: slice = X) -> tuple[np.ndarray, np.ndarray]:
    out = np.empty((*scene.shape[:2], y.stop - y.start, x.stop - x.start), np.float32)
    return out, read_window(scene, y, x, out)


def test_a_window_read_at_once_equals_the_lazy_one(scene):
    values, mask = read(scene)
    window = scene[..., Y, X]
    np.testing.assert_array_equal(values, window.values)
    np.testing.assert_array_equal(mask, window.mask.values)
    assert mask.any() and not mask.all()


def test_what_was_done_to_a_scene_counts(scene):
    """A changed scene must not be read from its files as if it had not been."""
    changes = {
        "scaled": lambda s: s * 2,
        "replaced": lambda s: s.copy(data=np.ones(s.shape, np.float32)),
        "turned in time": lambda s: s.isel(time=slice(None, None, -1)),
        "other bands": lambda s: s.isel(band=[1, 0, *range(2, s.sizes["band"])]),
        "moved": lambda s: s.roll(x=3, roll_coords=False),
        "cut": lambda s: s[..., 5:, 5:],
    }
    for name, change in changes.items():
        changed = change(scene)
        values, _ = read(changed)
        np.testing.assert_array_equal(values, changed[..., Y, X].values, err_msg=name)


def test_a_date_that_lacks_one_band_is_masked_whatever_the_mask_says(folder):
    scene = open_scene(folder)[..., :20, :20].compute()
    place = tuple(np.argwhere(~scene.mask.values[:10].any(axis=0))[0])
    scene[2, 4][place] = np.nan
    assert not scene.mask[4][place] and read(scene, slice(0, 20), slice(0, 20))[1][(4, *place)]
    assert np.isfinite(features(scene)[(slice(None), slice(None), *place)]).all()  # filled from the dates around it


def test_each_layer_is_read_once(folder, monkeypatch):
    scene, asked = open_scene(folder), []
    original = series.RasterFile.read
    monkeypatch.setattr(series.RasterFile, "read", lambda self, *rest: asked.append(self.path) or original(self, *rest))
    features(scene, Y, X)
    assert len(asked) == len(set(asked)) == 11 * (10 + 1)  # bands and flags


def test_features_of_a_window_are_those_of_the_whole(scene):
    np.testing.assert_array_equal(features(scene, Y, X), features(scene)[..., Y, X])
