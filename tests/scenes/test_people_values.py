"""What stored values mean where files say it in unusual ways, or not at all: each test writes its own file."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr

from paperlib.checks.preflight import check
from paperlib.errors import InputError
from paperlib.scenes.findings import problems
from paperlib.scenes.meaning.judging import refuse_values
from paperlib.scenes.sensors import BANDS
from paperlib.scenes.shaping.saving import save_cube
from support.series import COLUMNS, DAYS, GRID, PADDED, ROWS, VALUES, X, Y, quiet, stored

NAMES = [f"{day:%Y-%m-%d} {PADDED[band]}" for day in DAYS for band in BANDS]


def stack(path: Path, values: np.ndarray, nodata=None, scale=None, offset=None, names=NAMES) -> Path:
    """A GeoTIFF stack of values (band, time, y, x), date by date, with one scale and offset in all band tags."""
    layers = values.swapaxes(0, 1).reshape(-1, ROWS, COLUMNS)
    profile = {"count": len(layers), "height": ROWS, "width": COLUMNS, "dtype": layers.dtype, "nodata": nodata}
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:32631", transform=GRID, **profile) as file:
        file.write(layers)
        if names:
            file.descriptions = names
        if scale is not None:
            file.scales, file.offsets = [scale] * len(layers), [offset] * len(layers)
    return path


def cube(path: Path, values: np.ndarray, **attrs) -> Path:
    axes = {"band": list(PADDED.values()), "time": DAYS, "y": Y, "x": X}
    data = xr.DataArray(values, axes, ("band", "time", "y", "x"), "sr").rio.write_crs(32631)
    data.attrs |= attrs
    data.to_netcdf(path)
    return path


def same(scene: xr.DataArray, expected: np.ndarray = VALUES, tolerance: float = 1e-6) -> None:
    np.testing.assert_allclose(scene.values, expected, atol=tolerance)
    np.testing.assert_array_equal(scene.mask.values, np.isnan(expected).any(axis=0))


@pytest.mark.parametrize("scale, offset", [(1.0, -1000.0), (1e-4, -0.1), (1e-4, -1000.0)])
def test_an_offset_in_tags_in_stored_units_or_in_reflectance(tmp_path, scale, offset):
    same(quiet(stack(tmp_path / "s.tif", stored(1000, 0, "uint16"), 0, scale, offset)))


def test_a_scale_that_is_given_keeps_the_offset_that_the_file_declares(tmp_path):
    path = stack(tmp_path / "s.tif", stored(1000, 0, "uint16"), 0, 1e-4, -0.1)
    same(quiet(path, scale=1e-4))
    same(quiet(path, scale=10000))
    same(quiet(path, scale=1e-4, offset=0.0), VALUES + np.float32(0.1))


def test_a_scene_that_was_cast_to_integers_keeps_its_scale(tmp_path):
    """attrs["scale"] of an opened scene is what reflectance 1 is stored as, and travels into a file that xarray writes."""
    scene = quiet(stack(tmp_path / "s.tif", stored(), -9999))
    assert scene.attrs["scale"] == 10000
    whole = (scene.fillna(-0.9999) * scene.attrs["scale"]).round().astype("int16").drop_vars("mask")
    whole.attrs = {"scale": scene.attrs["scale"]}
    whole.to_dataset(name="sr").to_netcdf(tmp_path / "cast.nc")
    same(quiet(tmp_path / "cast.nc"))
    whole.attrs = {"scale": 1e-4}
    whole.to_dataset(name="sr").to_netcdf(tmp_path / "factor.nc")
    same(quiet(tmp_path / "factor.nc"))
    save_cube(quiet(tmp_path / "cast.nc"), tmp_path / "again.zarr")
    same(quiet(tmp_path / "again.zarr"))


@pytest.mark.parametrize("key", ["nodata_value", "no_data_value", "NoDataValue", "FillValue", "missing", "NODATA"])
def test_nodata_under_other_names(tmp_path, key):
    same(quiet(cube(tmp_path / "c.nc", stored(0, -1), **{key: np.int16(-1)})))


def test_values_below_the_valid_range_are_nothing(tmp_path):
    same(quiet(cube(tmp_path / "c.nc", stored(0, -3000), valid_range=np.array([-100, 16000], "int16"))))
    same(quiet(cube(tmp_path / "m.nc", stored(0, -3000), valid_min=np.int16(0))))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_nothing(tmp_path, value):
    values = np.where(np.isnan(VALUES), value, VALUES).astype("float32")
    same(quiet(stack(tmp_path / "s.tif", values)))
    same(quiet(cube(tmp_path / "c.nc", values)))


def test_a_layer_that_is_called_alpha_is_a_mask(tmp_path):
    """Files a date whose last layer is alpha by its name alone; what is stored there looks like reflectance."""
    inside = np.full((ROWS, COLUMNS), 65535, "uint16")
    inside[:, -8:] = 0
    (tmp_path / "scene").mkdir()
    for t, day in enumerate(DAYS):
        path = tmp_path / "scene" / f"{day:%Y%m%d}.tif"
        layers = np.concatenate([np.maximum(stored(0, 500)[:, t], 1).astype("uint16"), inside[None]])
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=11,
            height=ROWS,
            width=COLUMNS,
            dtype="uint16",
            crs="EPSG:32631",
            transform=GRID,
        ) as file:
            file.write(layers)
            file.descriptions = [*PADDED.values(), "alpha"]
    scene = quiet(tmp_path / "scene")
    assert scene.sizes["band"] == 10
    np.testing.assert_array_equal(scene.mask.values, np.broadcast_to(inside == 0, scene.shape[1:]))


@pytest.mark.parametrize("factor, kind", [(1000, "reflectance x 1000"), (255 / 0.35, "8 bits in files of 16")])
def test_numbers_that_are_too_dark_for_reflectance_are_refused_until_they_are_meant(tmp_path, factor, kind):
    raw = np.where(np.isnan(VALUES), -9999, np.rint(np.nan_to_num(VALUES) * factor)).astype("int16")
    path = stack(tmp_path / "s.tif", raw, -9999)
    (finding,) = problems(path)
    assert finding.level == "error" and "brightest" in finding.value and "--scale 0.001" in finding.fix
    with pytest.raises(InputError, match=r"brightest.*--scale"):
        refuse_values(quiet(path))
    refuse_values(quiet(path, scale=1e-4))
    same(quiet(path, scale=1 / factor), tolerance=0.6 / factor)


def test_one_value_in_all_bands_is_named(tmp_path):
    values = stored(0, -1)
    path = stack(tmp_path / "s.tif", values)
    (finding,) = problems(path)
    assert finding.kind == "scene.nodata" and "-0.0001 in all bands" in finding.value and "--nodata" in finding.fix
    same(quiet(path, nodata=-1))
    assert problems(path, nodata=-1) == []


def test_bands_in_another_order_are_found_without_the_ten_of_sentinel_2(tmp_path):
    """Near infrared first, as some programs write four bands."""
    values = stored(0, -9999)[[BANDS.index(band) for band in ("B8", "B2", "B3", "B4")]]
    for name, order in (("wrong", "B2 B3 B4 B8"), ("right", "B8 B2 B3 B4")):
        path = stack(tmp_path / f"{name}.tif", values, -9999, names=None)
        days = [f"{day:%Y-%m-%d}" for day in DAYS]
        path.with_suffix(".dates.txt").write_text("\n".join([*days, f"bands: {order}"]))
    (finding,) = problems(tmp_path / "wrong.tif")
    assert finding.kind == "scene.order" and "near infrared (B8) is darker than blue (B2)" in finding.value
    assert problems(tmp_path / "right.tif") == []


def test_bands_of_another_sensor_are_not_said_to_lack(tmp_path):
    landsat = {"B2": "B2", "B3": "B3", "B4": "B4", "B8": "B5", "B11": "B6", "B12": "B7"}
    axes = {"band": list(landsat.values()), "time": DAYS, "y": Y, "x": X}
    values = VALUES[[BANDS.index(band) for band in landsat]]
    data = xr.DataArray(values, axes, ("band", "time", "y", "x"), "sr").rio.write_crs(32631)
    data = data.to_dataset().assign_attrs(platform="landsat-8")
    data.to_netcdf(tmp_path / "c.nc")
    assert quiet(tmp_path / "c.nc").attrs["sensor"] == "landsat-8"
    assert not [finding for finding in check(tmp_path / "c.nc", tmp_path / "none.gpkg") if finding.subject == "bands"]
