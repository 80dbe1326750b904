"""Scenes: native products, stacks and cubes become the same lazy array, and what is wrong is said clearly."""

import os
import pickle
import shutil
from pathlib import Path

import dask
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from hypothesis import example, given
from hypothesis import strategies as st
from rasterio.transform import Affine, from_origin

from paperlib.errors import InputError
from paperlib.scenes import rasters, sensors, series
from paperlib.scenes.fingerprints import fingerprint
from paperlib.scenes.formats import theia
from paperlib.scenes.meaning.dates import parse_dates
from paperlib.scenes.scene import open_scene
from paperlib.scenes.windowing import windows
from support import spoiling
from support.spoiling import generated

pytestmark = pytest.mark.filterwarnings(
    "ignore:Consolidated metadata", "ignore:The data type", "ignore:Use `@` matmul:PendingDeprecationWarning"
)

LEFT, TOP, ROWS, COLUMNS = 300000, 4900020, 24, 32
DATES = ("20180215", "20180315", "20180415")
BOUCONNE_DATES = ("2018-04-29", "2018-05-13", "2018-07-08", "2018-08-15", "2018-09-15", "2018-10-15", "2018-11-15")


def write_raster(path: Path, layers: np.ndarray, step=10, left=LEFT, top=TOP, crs=32631, **profile) -> Path:
    """A GeoTIFF of layers (layer, y, x) or one layer (y, x)."""
    layers = layers[None] if layers.ndim == 2 else layers
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"transform": from_origin(left, top, step, step), "crs": crs} | profile
    count, height, width = layers.shape
    with rasterio.open(
        path, "w", driver="GTiff", dtype=layers.dtype, count=count, height=height, width=width, **profile
    ) as target:
        target.write(layers)
    return path


def write_product(
    root: Path, date: str, bands=sensors.BANDS, tile="T31TCJ", version="V1-1", flags=None, xml=None
) -> Path:
    """One product folder with native names; band number b of BANDS counts up from 1000 b."""
    name = f"SENTINEL2X_{date}-000000-000_L3A_{tile}_D_{version}"
    folder = root / name
    for band in bands:
        step = 1 if band in sensors.BANDS_10M else 2
        shape = ROWS // step, COLUMNS // step
        ramp = np.arange(shape[0] * shape[1], dtype=np.int16).reshape(shape)
        values = 1000 * (sensors.BANDS.index(band) + 1) // 2 + ramp + DATES.index(date) if date in DATES else ramp
        write_raster(folder / f"{name}_FRC_{band}.tif", values.astype(np.int16), 10 * step)
    if flags is not None:
        write_raster(folder / "MASKS" / f"{name}_FLG_R1.tif", flags.astype(np.uint8))
    if xml is not None:
        (folder / f"{name}_MTD_ALL.xml").write_text(xml)
    return folder


def band_file(folder: Path, band: str) -> Path:
    return next(folder.glob(f"*_FRC_{band}.tif"))


def change(path: Path, function) -> None:
    """Rewrite a raster with its pixels changed by a function."""
    with rasterio.open(path, "r+") as target:
        target.write(function(target.read()))


def expect(match: str, *arguments, **keywords) -> None:
    with pytest.raises(InputError, match=match):
        open_scene(*arguments, **keywords)


@pytest.fixture
def products(tmp_path) -> Path:
    root = tmp_path / "products"
    for date in reversed(DATES):
        write_product(root, date)
    return root


def same(one: xr.DataArray, other: xr.DataArray) -> None:
    """Equal values, mask, coordinates and CRS."""
    xr.testing.assert_equal(one.compute(), other.compute())
    assert one.rio.crs == other.rio.crs
    assert one.rio.transform() == other.rio.transform()


# -- Theia L3A products ------------------------------------------------------------------------------------------------


def test_products_are_one_labelled_lazy_array(products):
    scene = open_scene(products)
    assert scene.dims == ("band", "time", "y", "x") and scene.shape == (10, 3, ROWS, COLUMNS)
    assert scene.name == "reflectance" and scene.dtype == np.float32 and scene.chunks is not None
    assert tuple(scene.band.values) == sensors.BANDS
    assert scene.time.dtype == "datetime64[ns]" and list(scene.time.dt.strftime("%Y%m%d").values) == list(DATES)
    assert scene.rio.crs.to_epsg() == 32631 and scene.rio.transform() == from_origin(LEFT, TOP, 10, 10)
    assert scene.attrs == {
        "source": str(products), "product": "theia_l3a", "resampling": "bilinear", "scale": 10000, "sensor": "sentinel-2",
    }  # fmt: skip
    assert scene.mask.dims == ("time", "y", "x") and scene.mask.dtype == bool and not scene.mask.values.any()
    ramp = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    assert np.array_equal(np.rint(scene.sel(band="B3")[1].values * 10000), 1000 + ramp + 1)


@pytest.mark.parametrize("place", ["", "T31TCJ", "products/T31TCJ"])
def test_products_are_found_one_by_one_flat_and_nested(tmp_path, place):
    root = tmp_path / "here"
    folders = [write_product(root / place, date, bands=("B2", "B5")) for date in DATES[:2]]
    if place.count("/") < 1:
        same(open_scene(root), open_scene(root / place))
    assert open_scene(folders[1]).time.size == 1
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in root.rglob("*.tif"):
        shutil.copy(path, flat / path.name.replace(".tif", "_crop.tif"))
    same(open_scene(flat), open_scene(root / place))


def test_native_crops_equal_the_stack_of_the_same_date(shared_data):
    crops = open_scene(shared_data / "theia_l3a", resampling="nearest")
    stack = open_scene(shared_data / "bouconne" / "2018_3A_Theia_Bouconne.tif", dates=BOUCONNE_DATES)
    row, column = np.searchsorted(-crops.y, -stack.y[0]), np.searchsorted(crops.x, stack.x[0])
    window = crops.isel(y=slice(row, row + stack.sizes["y"]), x=slice(column, column + stack.sizes["x"])).compute()
    date = stack.isel(time=[3]).compute()
    assert np.array_equal(window.x, date.x) and np.array_equal(window.y, date.y)
    assert window.time.values[0] == date.time.values[0] == np.datetime64("2018-08-15")
    assert date.size == 10 * 246 * 227 and tuple(date.band.values) == sensors.BANDS
    assert np.array_equal(np.rint(window * 10000).astype(np.int16), np.rint(date * 10000).astype(np.int16))
    assert not window.mask.any() and not date.mask.any()


def test_crops_are_masked_where_the_20_m_grid_ends(shared_data):
    mask = open_scene(shared_data / "theia_l3a", resampling="cubic").mask.values[0]
    assert not mask[:-2].any() and mask[-2:].all()


@pytest.mark.parametrize("resampling", ["nearest", "bilinear", "cubic"])
def test_20_m_bands_come_by_georeference(tmp_path, resampling):
    """A plane in metres stays a plane: a 20 m grid that starts 10 m higher must not move the picture."""
    name = f"SENTINEL2X_{DATES[0]}-000000-000_L3A_T31TCJ_D_V1-1_FRC"
    y10, y20 = (TOP + 10 * (step == 20) - step * (np.arange(ROWS // (step // 10)) + 0.5) for step in (10, 20))
    write_raster(tmp_path / f"{name}_B2.tif", np.repeat(y10[:, None] - TOP + 1000, COLUMNS, 1).astype(np.int16))
    plane = np.repeat(y20[:, None] - TOP + 1000, COLUMNS // 2, 1).astype(np.int16)
    write_raster(tmp_path / f"{name}_B5.tif", plane, 20, top=TOP + 10)
    fine, coarse = (np.rint(values * 10000) for values in open_scene(tmp_path, resampling=resampling).values[:, 0])
    difference = (coarse - fine)[3:-4, 3:-3]
    assert np.abs(difference).max() == (5 if resampling == "nearest" else 0)


@pytest.mark.parametrize("resampling", ["nearest", "bilinear", "cubic"])
def test_nodata_is_nan_masked_and_left_out_of_the_interpolation(products, resampling):
    def hole(values):
        values[:] = 3000
        values[:, 5, 6] = -10000
        return values

    folder = sorted(products.iterdir())[1]
    change(band_file(folder, "B5"), hole)
    change(band_file(folder, "B2"), lambda values: np.where(np.arange(COLUMNS) == 31, -10000, values))
    scene = open_scene(products, resampling=resampling).compute()
    coarse = scene.sel(band="B5")[1].values
    assert np.isnan(coarse[10:12, 12:14]).all()
    assert np.allclose(coarse[np.isfinite(coarse)], 0.3) and np.isnan(coarse).sum() == 4
    assert np.isnan(scene.sel(band="B2")[1, :, 31]).all()
    assert np.array_equal(scene.mask.values, np.isnan(scene.values).any(axis=0)) and not scene.mask[[0, 2]].any()


def test_a_nodata_tag_of_the_file_is_used(tmp_path):
    folder = write_product(tmp_path, DATES[0], bands=("B2",))
    layer = np.full((ROWS, COLUMNS), 500, np.int16)
    layer[0, 0], layer[0, 1] = -1, -10000
    write_raster(band_file(folder, "B2"), layer, nodata=-1)
    assert open_scene(tmp_path).mask.values[0, 0, :3].tolist() == [True, False, False]


def test_flags_mask_nodata_and_cloud_only(tmp_path):
    flags = np.resize(np.arange(7), (ROWS, COLUMNS))
    write_product(tmp_path, DATES[0], flags=flags)
    write_product(tmp_path, DATES[1])
    scene = open_scene(tmp_path).compute()
    assert np.array_equal(scene.mask.values[0], flags <= 1) and not scene.mask[1].any()
    assert np.isfinite(scene).all(), "a cloud keeps its reflectance"


def test_quantification_comes_from_the_metadata(tmp_path):
    xml = "<a><b><REFLECTANCE_QUANTIFICATION_VALUE>{}</REFLECTANCE_QUANTIFICATION_VALUE></b></a>"
    write_product(tmp_path, DATES[0], xml=xml.format(1000))
    scene = open_scene(tmp_path)
    assert scene.attrs["scale"] == 1000 and np.isclose(scene.values[0, 0, 0, 1], 0.501)
    other = write_product(tmp_path, DATES[1], xml=xml.format(10000))
    expect("different reflectance scales", tmp_path)
    for wrong in ("<a><b>", xml.format("many"), xml.format(0), xml.format("nan")):
        (other / f"{other.name}_MTD_ALL.xml").write_text(wrong)
        expect("MTD_ALL.xml(: REFLECTANCE| is no valid)", tmp_path)


def test_bands_and_dates_can_be_chosen(products):
    scene = open_scene(products, bands=["B8A", "B2"], dates=["2018-04-15", np.datetime64("2018-02-15")])
    whole = open_scene(products)
    same(scene, whole.sel(band=["B8A", "B2"]).isel(time=[0, 2]))


def test_20_m_bands_alone_come_to_a_10_m_grid(products):
    same(open_scene(products, bands=["B5", "B11"]), open_scene(products).sel(band=["B5", "B11"]))


@pytest.mark.fault("a band missing at one date", "an error that names band, date and the file expected", "nothing")
def test_a_missing_band_or_date_is_named(products):
    band_file(sorted(products.iterdir())[1], "B8A").unlink()
    expect(r"B8A is missing at 2018-03-15", products)
    expect(r"B1 is missing at 2018-02-15, 2018-03-15", products, bands=["B2", "B1"])
    expect(r"no date 2018-09-15; it has 2018-02-15, 2018-03-15", products, dates=["2018-09-15"])
    assert open_scene(products, bands=["B2"]).sizes["time"] == 3
    assert open_scene(products, dates=["20180215"]).sizes["band"] == 10


@pytest.mark.fault("two products of one date, two tiles, two files of a band", "an error that names both", "nothing")
def test_ambiguous_folders_are_refused(products):
    twice = write_product(products, DATES[0], version="V2-0")
    expect("Two products of one date, 2018-02-15.*V1-1.*V2-0", products)
    shutil.rmtree(twice)
    other = write_product(products, "20180515", tile="T31TDJ")
    expect("several tiles: T31TCJ, T31TDJ", products)
    shutil.rmtree(other)
    path = band_file(sorted(products.iterdir())[0], "B2")
    shutil.copy(path, path.with_name(path.name.replace(".tif", "_crop.tif")))
    expect("two files of one band and date", products)


@pytest.mark.fault(
    "bands on different grids or in different CRS", "an error that names the file that differs", "nothing"
)
def test_products_must_share_their_grid(products):
    path = band_file(sorted(products.iterdir())[2], "B3")
    layer = np.ones((ROWS, COLUMNS), np.int16)
    write_raster(path, layer, left=LEFT + 10)
    expect(f"{path.name} lies on another grid", products)
    write_raster(path, layer, crs=32630)
    expect(f"{path.name} is in EPSG:32630", products)
    write_raster(path, layer)
    coarse = band_file(sorted(products.iterdir())[2], "B5")
    write_raster(coarse, layer, 20, left=LEFT + 50000)
    expect(f"{coarse.name} lies beside", products)
    write_raster(coarse, layer, 20, crs=32630)
    expect(f"{coarse.name} is in EPSG:32630", products)
    write_raster(coarse, layer.astype(np.uint16), 20)
    expect(f"{coarse.name} holds uint16", products)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_unusable_files_are_named(products):
    path = band_file(sorted(products.iterdir())[0], "B4")
    layer = np.ones((ROWS, COLUMNS), np.int16)
    write_raster(path, layer, crs=None)
    expect(f"{path.name} has no CRS", products)
    write_raster(path, layer, transform=Affine.rotation(10) @ from_origin(LEFT, TOP, 10, 10))
    expect(f"{path.name} is rotated", products)
    path.write_bytes(b"")
    expect(f"{path.name} cannot be read", products)


def test_paths_that_are_no_scene_are_refused(tmp_path):
    expect("nowhere does not exist", tmp_path / "nowhere")
    expect("it is empty", tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    expect(r"FRC_B2.tif.* were looked for.*there lies notes.txt", tmp_path)
    expect("notes.txt is no known scene", tmp_path / "notes.txt")
    folder = write_product(tmp_path, DATES[0], bands=("B2",))
    expect("is one band of a product. Give the folder", band_file(folder, "B2"))
    expect(
        "resampling = 'lanczos' is not possible. Choose one of nearest, bilinear, cubic", folder, resampling="lanczos"
    )
    expect("A list of different names", folder, bands="B2")
    expect("A list is expected", folder, dates="2018-02-15")
    expect("cannot be read: 'soon'", folder, dates=["soon"])


# -- laziness ----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("a band file cut short", "an error that names the file", "nothing")
def test_opening_reads_no_pixels_and_truncated_pixels_are_named(products):
    path = band_file(sorted(products.iterdir())[0], "B2")
    size = path.stat().st_size
    os.truncate(path, size - ROWS * COLUMNS)  # the header stands first, half of the pixels are gone
    scene = open_scene(products)
    with pytest.raises(InputError, match=f"{path.name} cannot be read"):
        scene.compute()


def test_a_window_reads_its_own_pixels_only(tmp_path, monkeypatch):
    name = f"SENTINEL2X_{DATES[0]}-000000-000_L3A_T31TCJ_D_V1-1_FRC"
    side = 10980  # a whole tile, sparse on disk
    for band, step in (("B2", 10), ("B5", 20)):
        with rasterio.open(
            tmp_path / f"{name}_{band}.tif", "w", driver="GTiff", dtype="int16", count=1, height=side * 10 // step,
            width=side * 10 // step, crs=32631, transform=from_origin(LEFT, TOP, step, step), tiled=True, sparse_ok=True,
        ):  # fmt: skip
            pass
    asked = []
    read = rasters.RasterFile.read

    def record(file, index, y, x):
        if file.path.parent == tmp_path:
            asked.append((y.stop - y.start, x.stop - x.start))
        return read(file, index, y, x)

    monkeypatch.setattr(rasters.RasterFile, "read", record)
    scene = open_scene(tmp_path)
    assert not asked and scene.sizes["y"] == side
    scene.isel(y=slice(5000, 5040), x=slice(200, 230)).compute()
    assert asked and set(asked) == {(40, 30)}


@pytest.mark.parametrize("resampling", ["nearest", "bilinear", "cubic"])
def test_windows_equal_slices_of_the_whole(products, monkeypatch, resampling):
    monkeypatch.setattr(series, "CHUNK", 10)
    generator = np.random.default_rng(1)
    for path in products.rglob("*.tif"):  # noise with a few holes, so that interpolation meets both
        change(
            path, lambda values: np.where(generator.random(values.shape) < 0.01, -10000, generator.integers(0, 9999))
        )
    scene = open_scene(products, resampling=resampling)
    with dask.config.set(scheduler="threads", num_workers=4):
        whole = scene.compute()
        for window in windows((ROWS, COLUMNS), 7, 2):
            part = scene.isel(y=window.read[0], x=window.read[1]).compute()
            xr.testing.assert_identical(part, whole.isel(y=window.read[0], x=window.read[1]))
            assert part.rio.transform() == from_origin(
                LEFT + 10 * window.read[1].start, TOP - 10 * window.read[0].start, 10, 10
            )
    xr.testing.assert_identical(scene[[3, 0], 1, ::-2, 4:20:3].compute(), whole[[3, 0], 1, ::-2, 4:20:3])
    xr.testing.assert_identical(scene[2, [2, 0], [5, 1], 3].compute(), whole[2, [2, 0], [5, 1], 3])
    xr.testing.assert_identical(scene[:, :, 3:3].compute(), whole[:, :, 3:3])


def test_a_scene_can_go_to_another_process(products):
    scene = open_scene(products)
    same(pickle.loads(pickle.dumps(scene)), scene)


# -- stacks ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def layers() -> np.ndarray:
    return np.arange(30 * 4 * 5, dtype=np.int16).reshape(30, 4, 5)


def test_a_stack_with_dates_in_the_argument_is_sorted(tmp_path, layers):
    path = write_raster(tmp_path / "stack.tif", layers)
    scene = open_scene(path, dates=["20180415", "2018-02-15", pd.Timestamp("2018-03-15")])
    assert scene.attrs["product"] == "stack" and scene.attrs["scale"] == 10000
    assert tuple(scene.band.values) == sensors.BANDS and list(scene.time.dt.month.values) == [2, 3, 4]
    assert np.array_equal(np.rint(scene[3, 0].values * 10000), layers[10 + 3])
    assert np.array_equal(np.rint(scene[3, 2].values * 10000), layers[3])
    same(open_scene(path, dates=["20180415", "20180215", "20180315"], bands=["B12", "B2"]), scene[[9, 0]])


def test_a_stack_with_a_sidecar_or_descriptions(tmp_path, layers):
    path = write_raster(tmp_path / "my.stack.tif", layers[:6])
    expect(r"dates.*not known.*my.stack.dates.txt.*layer descriptions", path)
    (tmp_path / "my.stack.dates.txt").write_text("2018-03-15\n20180215\n\nbands: B8 B4 B3\n")
    scene = open_scene(path)
    assert tuple(scene.band.values) == ("B8", "B4", "B3")
    assert np.array_equal(np.rint(scene[0].values * 10000), layers[[3, 0]])
    other = write_raster(tmp_path / "other.tif", layers[:6])
    with rasterio.open(other, "r+") as target:
        target.descriptions = [f"{date} {band}" for date in ("2018-03-15", "20180215") for band in ("B8", "B4", "B3")]
    same(open_scene(other), scene)
    with rasterio.open(other, "r+") as target:
        target.descriptions = [f"{date} {band}" for band in ("B8", "B4", "B3") for date in ("2018-03-15", "20180215")]
    scene = open_scene(other)  # the descriptions count, in any order
    assert np.array_equal(np.rint(scene[0].values * 10000), layers[[1, 0]])


def test_a_stack_of_floats_is_reflectance(tmp_path):
    values = np.array([[[0.25, np.nan, -1]]], np.float32)
    path = write_raster(tmp_path / "stack.tif", np.repeat(values, 10, 0), nodata=-1)
    scene = open_scene(path, dates=["2018-02-15"]).compute()
    assert scene.attrs["scale"] == 1 and scene.mask.values.ravel().tolist() == [False, True, True]
    assert np.array_equal(scene[0, 0, 0], [0.25, np.nan, np.nan], equal_nan=True)


@pytest.mark.fault(
    "a stack without dates, or with layers that do not fit them",
    "an error with the ways to say the dates",
    "nothing",
)
def test_a_stack_that_does_not_fit_is_explained(tmp_path, layers):
    path = write_raster(tmp_path / "stack.tif", layers)
    expect("30 layers; 2 dates x 10 bands.*are 20", path, dates=["2018-02-15", "2018-03-15"])
    expect("2018-02-15 comes twice", path, dates=["2018-02-15", "20180215", "2018-03-15"])
    expect("no band B9", path, dates=DATES, bands=["B9"])
    (tmp_path / "stack.dates.txt").write_text("2018-02-15\nMarch\n2018-04-15\n")
    expect("stack.dates.txt cannot be read: 'March'", path)
    (tmp_path / "stack.dates.txt").write_text("")
    expect("stack.dates.txt cannot be read: there are none", path)
    (tmp_path / "stack.dates.txt").write_text("bands: B2 B2\n2018-02-15")
    expect("different names", path)


# -- cubes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scene.nc", "scene.zarr"])
def test_a_saved_scene_opens_again_equal(products, name):
    write_product(products, "20180515", flags=np.resize(np.arange(7), (ROWS, COLUMNS)))
    change(band_file(sorted(products.iterdir())[0], "B2"), lambda values: np.where(values > 600, -10000, values))
    scene = open_scene(products, bands=["B8", "B5", "B2"])
    path = products / name
    (scene.to_netcdf if name.endswith(".nc") else scene.to_zarr)(path)
    again = open_scene(path)
    same(again, scene)
    assert again.attrs["product"] == "cube" and again.attrs["scale"] == 1 and again.chunks is not None
    part = {"y": slice(3, 9), "x": slice(7, 8), "time": slice(1, 3)}
    xr.testing.assert_equal(again.isel(part).compute(), scene.isel(part).compute())
    same(open_scene(path, bands=["B2"], dates=["2018-04-15"]).drop_vars("mask"),
         scene.isel(band=[2], time=[2]).drop_vars("mask"))  # fmt: skip


def cube(values: np.ndarray, dims=("band", "time", "y", "x"), **coords) -> xr.DataArray:
    """A DataArray of values (band, time, y, x), transposed to dims."""
    bands, dates, rows, columns = values.shape
    coords = {
        "band": list(sensors.BANDS[:bands]), "time": pd.date_range("2018-02-15", periods=dates, unit="ns"),
        "y": TOP - 5.0 - 10 * np.arange(rows), "x": LEFT + 5.0 + 10 * np.arange(columns),
    } | coords  # fmt: skip
    return xr.DataArray(values, coords, ("band", "time", "y", "x"), "sr").transpose(*dims)


INTEGERS = np.arange(2 * 3 * 4 * 5, dtype=np.int16).reshape(2, 3, 4, 5)


@pytest.mark.parametrize("tagged", [False, True])
def test_a_cube_of_integers_in_another_order(tmp_path, tagged):
    values = INTEGERS.copy()
    values[1, 2, 0, 0] = -10000
    data = cube(values, ("time", "y", "x", "band")).rio.write_crs(32631)
    data.to_netcdf(tmp_path / "c.nc", encoding={"sr": {"_FillValue": -10000}} if tagged else {})
    scene = open_scene(tmp_path / "c.nc").compute()
    assert scene.attrs["scale"] == 10000 and scene.dims == ("band", "time", "y", "x")
    assert np.array_equal(np.isnan(scene.values), values == -10000)
    assert np.array_equal(np.rint(scene.fillna(-1) * 10000), values)
    assert scene.mask.values.sum() == 1 and scene.mask.values[2, 0, 0]


def test_a_cube_with_a_scale_factor_is_reflectance(tmp_path):
    data = cube(INTEGERS / 10000.0).rio.write_crs(32631)
    data.to_netcdf(tmp_path / "c.nc", encoding={"sr": {"dtype": "int16", "scale_factor": 0.0001, "_FillValue": -10000}})
    assert np.allclose(open_scene(tmp_path / "c.nc"), INTEGERS / 10000.0, atol=1e-6)


def test_a_cube_that_is_upside_down_with_a_variable_a_band_and_a_mask(tmp_path):
    values = INTEGERS / np.float32(10000)
    mask = np.zeros((3, 4, 5), np.int8)
    mask[0, 1, 2] = 1
    whole = cube(values, time=pd.DatetimeIndex(["2018-03-15", "2018-02-15", "2018-04-15"]).as_unit("ns"))
    data = whole.to_dataset("band").assign(mask=(("time", "y", "x"), mask)).rio.write_crs(32631)
    data.isel(y=slice(None, None, -1), x=slice(None, None, -1)).to_netcdf(tmp_path / "c.nc")
    scene = open_scene(tmp_path / "c.nc").compute()
    assert scene.rio.transform() == from_origin(LEFT, TOP, 10, 10)
    assert np.array_equal(scene.values, values[:, [1, 0, 2]]) and tuple(scene.band.values) == ("B2", "B3")
    assert np.array_equal(scene.mask.values, mask[[1, 0, 2]].astype(bool))
    same(open_scene(tmp_path / "c.nc", bands=["B3"]), scene[[1]])


@pytest.mark.fault(
    "a cube without CRS, irregular, rotated, or of unknown shape", "an error that says what to write", "nothing"
)
def test_cubes_that_cannot_be_used_are_explained(tmp_path):
    path = tmp_path / "c.nc"
    good = cube(INTEGERS / np.float32(10000)).rio.write_crs(32631)

    def refused(match, data, **keywords):
        data.to_netcdf(path)
        expect(match, path, **keywords)

    refused("c.nc has no CRS", cube(INTEGERS))
    refused("no band B8; it has B2, B3", good, bands=["B8"])
    refused("no date 2019", good, dates=["2019-01-01"])
    refused("no coordinate band", good.drop_vars("band"))
    refused("coordinate y is not regular", good.assign_coords(y=[0.0, -10, -20, -90]))
    refused("coordinate x has shape", good.isel(x=[0]))
    refused("one variable with dimensions band, time, y, x is expected.*sr", good.rename(y="place"))
    refused("foo, bar is not understood", good.assign_coords(band=["foo", "bar"]))
    refused("mask has dimensions", good.to_dataset().assign(mask=(("time", "x"), np.zeros((3, 5)))))
    refused("several bands B2", good.assign_coords(band=["B2", "B2"]))
    refused("B2 and blue are B2", good.assign_coords(band=["B2", "blue"]))
    refused("cannot be reflectance.*--scale", good * 10000)
    turned = {"GeoTransform": "300000 10 1 4900020 1 -10"}
    refused("is rotated", good.assign_coords(spatial_ref=good.spatial_ref.assign_attrs(turned)))
    path.write_bytes(b"nothing")
    expect("c.nc cannot be read", path)
    (tmp_path / "c.zarr").mkdir()
    expect("c.zarr cannot be read", tmp_path / "c.zarr")


# -- windows and fingerprints ------------------------------------------------------------------------------------------


SIDE = st.integers(1, 70)


@given(st.tuples(st.integers(1, 60), st.integers(1, 60)), SIDE | st.tuples(SIDE, SIDE), st.integers(0, 12))
def test_windows_cover_every_pixel_once(shape, size, halo):
    count = np.zeros(shape, int)
    places = np.arange(shape[0] * shape[1]).reshape(shape)
    sizes = size if isinstance(size, tuple) else (size, size)
    for window in windows(shape, size, halo):
        count[window.core] += 1
        assert np.array_equal(places[window.read][window.inner], places[window.core])
        for core, read, length, largest in zip(window.core, window.read, shape, sizes, strict=True):
            assert 0 < core.stop - core.start <= largest and core.stop <= length
            assert read == slice(max(core.start - halo, 0), min(core.stop + halo, length))
    assert (count == 1).all()


@pytest.mark.parametrize("size, halo", [(0, 1), ((4, 0), 1), (4, -1)])
def test_windows_refuse_what_cannot_be(size, halo):
    with pytest.raises(InputError, match="window size"):
        list(windows((5, 5), size, halo))


def test_fingerprint_changes_with_the_files_of_the_scene_only(products, tmp_path):
    before = fingerprint(products)
    assert len(before) == 12 and int(before, 16) >= 0
    (products / "notes.txt").write_text("x")
    assert fingerprint(products) == before
    path = band_file(sorted(path for path in products.iterdir() if path.is_dir())[0], "B2")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1000))
    assert fingerprint(products) != before
    moved = fingerprint(products)
    path.unlink()
    assert fingerprint(products) != moved
    stack = write_raster(tmp_path / "stack.tif", np.ones((2, 2), np.int16))
    alone = fingerprint(stack)
    stack.with_suffix(".dates.txt").write_text("2018-02-15")
    assert fingerprint(stack) != alone
    for name in ("p.shp", "p.dbf"):
        (tmp_path / name).write_text("x")
    shape = fingerprint(tmp_path / "p.shp")
    (tmp_path / "p.dbf").write_text("xx")
    assert fingerprint(tmp_path / "p.shp") != shape
    with pytest.raises(InputError, match="does not exist"):
        fingerprint(tmp_path / "nowhere")


# -- spoilt files ------------------------------------------------------------------------------------------------------


def opened(path: Path, **choice) -> xr.DataArray | None:
    """The scene, which must be whole; None where an error names the file."""
    try:
        scene = open_scene(path, **choice).compute()
    except InputError as error:
        assert path.name in str(error) and len(str(error)) < 3000
        return None
    days = pd.DatetimeIndex(scene.time)
    assert scene.dtype == np.float32 and scene.size and scene.mask.dtype == bool
    assert days.is_unique and days.is_monotonic_increasing and not days.hasnans
    assert len(set(scene.band.values)) == scene.sizes["band"] and scene.rio.crs is not None
    assert np.isfinite(scene.x).all() and np.isfinite(scene.y).all()
    assert (np.diff(scene.x) > 0).all() and (np.diff(scene.y) < 0).all()
    assert 0 < scene.attrs["scale"] < np.inf and not np.isinf(scene.values).any()
    return scene


LAUGHS = '<!DOCTYPE a [<!ENTITY l "9">' + "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1 or str()};" * 10}">' for n in range(1, 10)
) + "]><a><REFLECTANCE_QUANTIFICATION_VALUE>&l9;</REFLECTANCE_QUANTIFICATION_VALUE></a>"  # fmt: skip
OUTSIDE = (
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///proc/sys/kernel/pid_max">]>'
    "<a><REFLECTANCE_QUANTIFICATION_VALUE>&x;</REFLECTANCE_QUANTIFICATION_VALUE></a>"
)
SCALED = "<a><REFLECTANCE_QUANTIFICATION_VALUE>{}</REFLECTANCE_QUANTIFICATION_VALUE></a>"


@pytest.mark.parametrize("text", [LAUGHS, OUTSIDE])
@pytest.mark.fault(
    "metadata (XML) that name another file, or grow without end", "an error; nothing else is read", "nothing"
)
def test_entities_of_metadata_are_neither_followed_nor_grown(tmp_path, text):
    path = tmp_path / "x_MTD_ALL.xml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"x_MTD_ALL\.xml is no valid metadata file"):
        theia.read_scale(path)


@generated
@given(st.one_of(
    spoiling.TEXTS.map(lambda text: SCALED.format(text).encode("utf-8", "replace")),
    spoiling.spoilt_bytes(b'<?xml version="1.0" encoding="UTF-8"?>' + SCALED.format(10000).encode()),
))  # fmt: skip
@example(b'<?xml version="1.0" encoding="klingon"?><a/>')
@example(SCALED.format("inf").encode())
@example(b"<a>" * 100_000 + b"</a>" * 100_000)
@pytest.mark.fault("metadata (XML) spoilt in any way (generated)", "the scale it says, or an error", "nothing")
def test_spoilt_metadata_give_a_scale_or_an_error(tmp_path, content):
    path = tmp_path / "x_MTD_ALL.xml"
    path.write_bytes(content)
    try:
        assert 1 <= theia.read_scale(path) <= 1e6
    except InputError as error:
        assert "x_MTD_ALL.xml" in str(error)


@generated
@given(st.lists(st.one_of(
    st.dates().map(str), st.from_regex(r"\d{4}-?\d{2}-?\d{2}", fullmatch=True), spoiling.VALUES,
    st.tuples(st.dates().map(str), spoiling.TEXTS).map("".join),
), max_size=3))  # fmt: skip
@example(["2018-08-15 or so"])
@example(["20180815-2019"])
@example(["2018-08-15T00:00:00.000000000", "20180816T105621"])
def test_anything_in_place_of_dates_gives_the_days_as_written_or_an_error(values):
    try:
        days = parse_dates(values, "here")
    except InputError as error:
        assert str(error).startswith("Dates of here") and len(str(error)) < 3000
    else:
        assert len(days) == len(values) and days.dtype == "datetime64[ns]" and days.is_unique and not days.hasnans
        for day, value in zip(days, values, strict=True):
            assert str(value).strip().replace("-", "").startswith(f"{day:%Y%m%d}")


@generated
@given(st.one_of(
    st.lists(st.one_of(st.sampled_from(["2018-02-15", "20180315", "bands: B2 B3", "Bands: B8 B4", ""]), spoiling.TEXTS),
             max_size=4).map(lambda lines: "\n".join(lines).encode("utf-8", "replace")),
    spoiling.spoilt_bytes(b"2018-02-15\n2018-03-15\nbands: B2 B3\n"),
))  # fmt: skip
@example(b"\xff\xfe\xfa")
@pytest.mark.fault("a file of dates spoilt in any way (generated)", "the dates it says, or an error", "nothing")
def test_a_spoilt_file_of_dates_gives_its_dates_or_an_error(tmp_path, content):
    path = write_raster(tmp_path / "stack.tif", np.ones((4, 2, 3), np.int16))
    path.with_suffix(".dates.txt").write_bytes(content)
    try:
        scene = open_scene(path)
    except InputError as error:
        assert "stack." in str(error)
    else:
        assert scene.sizes["time"] * scene.sizes["band"] == 4


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of rasterio, logging what is no text
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.filterwarnings("ignore::paperlib.errors.InputWarning")
@generated
@given(data=st.data())
@pytest.mark.fault("a GeoTIFF with any bytes spoilt (generated)", "pixels, or an error that names it", "nothing")
def test_a_spoilt_stack_is_whole_or_an_error(tmp_path, data):
    path = tmp_path / "stack.tif"
    path.unlink(missing_ok=True)
    write_raster(path, np.arange(120, dtype=np.int16).reshape(20, 2, 3), nodata=-1)
    with rasterio.open(path, "r+") as target:
        target.descriptions = [f"{date} {band}" for date in ("2018-03-15", "20180215") for band in sensors.BANDS]
    for beside in tmp_path.glob("*.aux.xml"):
        beside.unlink()
    path.write_bytes(data.draw(spoiling.spoilt_bytes(path.read_bytes())))
    opened(path)


AXES = {"x": 350005 + 10 * np.arange(3), "y": 4839995 - 10 * np.arange(2), "time": ["2018-02-15", "2018-03-15"]}


def cube_of(draw) -> xr.Dataset:
    """A cube with up to two things wrong: its coordinates, its dimensions, its type, its attributes."""
    axes = {name: list(values) for name, values in AXES.items()} | {"band": list(sensors.BANDS)}
    attributes, dtype, crs = {}, draw(st.sampled_from(["f4", "i2", "u1", "f8"])), "EPSG:32631"
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(["value", "order", "lose", "scale", "crs"]))
        name = draw(st.sampled_from(sorted(axes)))
        if kind == "value" and axes[name]:
            values = st.floats() if name in "xy" else spoiling.TEXTS
            axes[name][draw(st.integers(0, len(axes[name]) - 1))] = draw(values)
        elif kind == "order":
            axes[name] = draw(st.permutations(axes[name]))
        elif kind == "lose":
            axes[name] = axes[name][: draw(st.integers(1, 2))]
        elif kind == "scale":
            attributes["scale_factor"] = draw(st.sampled_from([0.0, 1e-4, -1.0, float("nan"), float("inf")]))
        else:
            crs = draw(st.sampled_from(["EPSG:4326", "EPSG:3857", None]))
    shape = [len(axes[name]) for name in ("band", "time", "y", "x")]
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    cube = xr.Dataset({"r": (("band", "time", "y", "x"), values, attributes)}, axes)
    return cube if crs is None else cube.rio.write_crs(crs)


@pytest.mark.filterwarnings("ignore::paperlib.errors.InputWarning")  # what is assumed
@generated
@given(data=st.data())
@pytest.mark.fault("a NetCDF cube with anything wrong (generated)", "its pixels, or an error that names it", "nothing")
def test_a_spoilt_cube_is_whole_or_an_error(tmp_path, data):
    path = tmp_path / "cube.nc"
    path.unlink(missing_ok=True)
    try:
        cube_of(data.draw).to_netcdf(path)
    except ValueError:  # it cannot be written: a text with \0
        return
    opened(path)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # of h5netcdf, closing what it never opened
@pytest.mark.filterwarnings("ignore::paperlib.errors.InputWarning")
@generated
@given(data=st.data())
def test_a_cube_with_spoilt_bytes_is_whole_or_an_error(tmp_path, data):
    path = tmp_path / "cube.nc"
    if not (tmp_path / "whole.nc").exists():
        values = np.ones((2, 2, 2, 3), np.float32)
        cube = xr.Dataset({"r": (("band", "time", "y", "x"), values)}, AXES | {"band": ["B2", "B3"]})
        cube.rio.write_crs("EPSG:32631").to_netcdf(tmp_path / "whole.nc")
    path.write_bytes(data.draw(spoiling.spoilt_bytes((tmp_path / "whole.nc").read_bytes())))
    opened(path)
