"""Reading a window at once gives what the lazy array gives, whatever was done to the scene before."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import rasterio
import xarray as xr

from paperlib import open_scene
from paperlib.features.inputs import Inputs
from paperlib.scenes import series
from paperlib.scenes.formats.theia import find_products
from paperlib.scenes.series import read_window, rows_cached
from paperlib.simulation.scene import simulate_scene
from support.rasters import write_stack

Y, X = slice(5, 110), slice(8, 120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return simulate_scene(tmp_path_factory.mktemp("scene") / "s", size=128, pool=24, test=16, seed=3)


@pytest.fixture(scope="module")
def stack(folder, tmp_path_factory) -> Path:
    return write_stack(open_scene(folder).compute(), tmp_path_factory.mktemp("stack") / "scene.tif")


@pytest.fixture(scope="module", params=["products", "stack", "cube"])
def scene(request, folder, stack, tmp_path_factory) -> xr.DataArray:
    products = open_scene(folder)
    if request.param == "products":
        return products
    if request.param == "stack":
        return open_scene(stack)
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
    assert np.isfinite(
        Inputs.of(scene).read(scene)[(slice(None), slice(None), *place)]
    ).all()  # filled from the dates around it


def test_each_layer_is_read_once(folder, monkeypatch):
    scene, asked = open_scene(folder), []
    original = series.RasterFile.read
    monkeypatch.setattr(series.RasterFile, "read", lambda self, *rest: asked.append(self.path) or original(self, *rest))
    Inputs.of(scene).read(scene, Y, X)
    assert len(asked) == len(set(asked)) == 11 * (10 + 1)  # bands and flags


def test_features_of_a_window_are_those_of_the_whole(scene):
    np.testing.assert_array_equal(Inputs.of(scene).read(scene, Y, X), Inputs.of(scene).read(scene)[..., Y, X])


def test_a_stack_gives_what_its_products_give(folder, stack):
    products, same = open_scene(folder), open_scene(stack)
    (values, mask), (found, masked) = read(products), read(same)
    np.testing.assert_array_equal(masked, mask)
    np.testing.assert_allclose(found[:, ~mask], values[:, ~mask], atol=1e-6)


def test_layers_of_a_file_are_read_together(stack, monkeypatch):
    """Stored pixel by pixel, all are decoded for one."""
    scene, asked = open_scene(stack), []
    original = series.RasterFile.read
    monkeypatch.setattr(
        series.RasterFile, "read", lambda self, bands, *rest: asked.append(list(bands)) or original(self, bands, *rest)
    )
    Inputs.of(scene).read(scene, Y, X)
    assert asked == [list(range(1, 111))]
    asked.clear()
    assert scene[2:5, 3:5, Y, X].values.shape[:2] == (3, 2)
    assert sorted(asked) == [[33, 34, 35], [43, 44, 45]]  # blocks are read side by side


def test_two_years_of_files_stay_open(folder, tmp_path, monkeypatch):
    """More than the 128 that xarray keeps by default: one opened again has lost its decoded blocks."""
    for path in (one for one in folder.rglob("*") if one.is_file()):
        for year in ("2018", "2019"):
            link = tmp_path / str(path.relative_to(folder)).replace("2018", year)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.exists() or link.symlink_to(path)
    opened, original = [], rasterio.open
    monkeypatch.setattr(
        rasterio, "open", lambda path, *rest, **more: opened.append(path) or original(path, *rest, **more)
    )
    with xr.set_options(file_cache_maxsize=128):
        scene = open_scene(tmp_path)
        opened.clear()  # headers
        for y in (slice(0, 64), slice(64, 128)):
            Inputs.of(scene).read(scene, y, X)
    assert len(opened) == len(set(opened)) == 22 * (10 + 1)


def test_cache_has_room_for_the_decoded_rows(folder, stack, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=10**15))
    files = [path for one in find_products(folder) for path in (*one.bands.values(), one.flags)]
    for scene, paths in ((open_scene(folder), files), (open_scene(stack), [stack])):
        decoded = 0
        for path in paths:
            with rasterio.open(path) as file:
                decoded += file.read().nbytes
        rows = 10**6
        with rows_cached(scene, rows) as environment:
            room = environment.options["GDAL_CACHEMAX"]
        assert 1.1 < room / (rows / scene.sizes["y"] * decoded) < 1.5
        with rows_cached(scene[..., :20], rows) as environment:  # lines are as long as the file
            assert environment.options["GDAL_CACHEMAX"] == room
        with rows_cached(scene, 1) as environment:
            assert environment.options["GDAL_CACHEMAX"] == series.CACHE


def test_cache_leaves_half_of_the_memory(folder, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=4 * series.CACHE))
    scene = open_scene(folder)
    with pytest.warns(UserWarning, match=r"10000000 rows .* GB .*Lower map.window"):
        environment = rows_cached(scene, 10**7)
    assert environment.options["GDAL_CACHEMAX"] == 2 * series.CACHE
