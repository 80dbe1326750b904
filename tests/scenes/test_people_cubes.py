"""Cubes as openEO, stackstac, odc-stac, xarray, gdalcubes, xcube and others write them, each written here."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from affine import Affine
from rasterio.features import rasterize
from shapely import box

from paperlib import InputError, open_scene
from paperlib.errors import InputWarning
from paperlib.features.inputs import Inputs
from paperlib.scenes.cubes import variables
from paperlib.scenes.findings import problems
from paperlib.scenes.meaning.judging import refuse_values
from paperlib.scenes.sensors import BANDS, roles_of
from paperlib.scenes.shaping.saving import save_cube
from support.series import COLUMNS, DAYS, GRID, LEFT, PADDED, ROWS, TOP, VALUES, X, Y, quiet, stored

COMMON = {
    "B2": "blue", "B3": "green", "B4": "red", "B8": "nir", "B5": "rededge1", "B6": "rededge2", "B7": "rededge3",
    "B8A": "nir08", "B11": "swir16", "B12": "swir22",
}  # fmt: skip
LANDSAT = {"B2": "SR_B2", "B3": "SR_B3", "B4": "SR_B4", "B8": "SR_B5", "B11": "SR_B6", "B12": "SR_B7"}


def plain(names=PADDED, values=VALUES, **coords) -> xr.DataArray:
    """One variable (band, time, y, x) with a CRS."""
    axes = {"band": list(names.values()), "time": DAYS, "y": Y, "x": X} | coords
    chosen = values[[BANDS.index(band) for band in names]]
    return xr.DataArray(chosen, axes, ("band", "time", "y", "x"), "sr").rio.write_crs(32631)


def same(scene: xr.DataArray, expected: np.ndarray = VALUES, bands=BANDS, tolerance=1e-6) -> None:
    """The scene's reflectance, missing pixels, bands, dates and places are those written."""
    assert tuple(scene.band.values) == tuple(bands) and list(scene.indexes["time"]) == list(DAYS)
    np.testing.assert_allclose(scene.values, expected, atol=tolerance)
    np.testing.assert_array_equal(scene.mask.values, np.isnan(expected).any(axis=0))
    assert scene.rio.transform() == GRID and scene.rio.crs.to_epsg() == 32631


# -- names and axes ----------------------------------------------------------------------------------------------------


@pytest.mark.form(
    "images",
    "openEO, CDSE",
    "NetCDF; dimension t, bands B02 and so on, nodata in an attribute",
    "paperlib check openeo.nc labels.gpkg",
)
def test_openeo_netcdf(tmp_path):
    """Time is t, bands have two digits, a variable crs, nodata as an attribute of the file."""
    data = xr.Dataset(
        {name: (("t", "y", "x"), stored()[n]) for n, name in enumerate(PADDED.values())}, {"t": DAYS, "y": Y, "x": X}
    )
    crs = rasterio.crs.CRS.from_epsg(32631).to_wkt()
    data["crs"] = xr.DataArray(0, attrs={"crs_wkt": crs, "spatial_ref": crs})
    for name in PADDED.values():
        data[name].attrs |= {"grid_mapping": "crs", "long_name": f"Sentinel-2 {name}"}
    data.attrs["nodata"] = -9999
    data.to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))


@pytest.mark.form(
    "images", "any", "one variable (band, time, y, x), in any order of dimensions", "paperlib check cube.nc labels.gpkg"
)
@pytest.mark.parametrize("dims", [("time", "band", "y", "x"), ("x", "y", "band", "time"), ("y", "x", "time", "band")])
def test_any_order_of_dimensions(tmp_path, dims):
    plain().transpose(*dims).to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))


@pytest.mark.form(
    "images", "any", "dimensions t, date, bands, variable, northing, easting", "paperlib check cube.nc labels.gpkg"
)
@pytest.mark.parametrize("names", [
    {"time": "t", "band": "bands"}, {"time": "date", "band": "variable"},
    {"band": "channel", "y": "northing", "x": "easting"},
    {"time": "datetime", "y": "Y", "x": "X"},
])  # fmt: skip
def test_any_usual_name_of_dimensions(tmp_path, names):
    plain().rename(names).to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))


def test_names_of_dimensions_by_cf_attributes(tmp_path):
    data = plain().rename(time="when", y="up", x="right")
    data["up"].attrs, data["right"].attrs = {"standard_name": "projection_y_coordinate"}, {"axis": "X"}
    data["when"].attrs = {"standard_name": "time"}
    data.to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))


@pytest.mark.form(
    "images",
    "odc-stac, FORCE, Digital Earth, xcube",
    "NetCDF or Zarr, one variable a band, under common names",
    "paperlib check cube.nc labels.gpkg",
)
@pytest.mark.parametrize("names", [
    COMMON, {band: f"S2-L2A-{PADDED[band]}" for band in BANDS}, {band: band.lower() for band in BANDS},
    {band: f"{PADDED[band]}_10m" for band in BANDS}, {band: f"Sentinel-2 {PADDED[band]}" for band in BANDS},
    {
        "B2": "BLUE", "B3": "GREEN", "B4": "RED", "B8": "BROADNIR", "B5": "REDEDGE1", "B6": "REDEDGE2", "B7": "REDEDGE3",
        "B8A": "NIR", "B11": "SWIR1", "B12": "SWIR2",
    },
    {
        "B2": "nbart_blue", "B3": "nbart_green", "B4": "nbart_red", "B8": "nbart_nir_1", "B5": "nbart_red_edge_1",
        "B6": "nbart_red_edge_2", "B7": "nbart_red_edge_3", "B8A": "nbart_nir_2", "B11": "nbart_swir_2",
        "B12": "nbart_swir_3",
    },
], ids=lambda names: names["B2"])  # fmt: skip
def test_any_usual_name_of_bands(tmp_path, names):
    plain(names).to_dataset("band").to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))


def test_names_of_bands_in_long_name(tmp_path):
    data = plain(dict(zip(BANDS, "abcdefghij", strict=True))).to_dataset("band")
    for band, name in zip(BANDS, "abcdefghij", strict=True):
        data[name].attrs["long_name"] = f"Sentinel-2 {PADDED[band]}"
    data.to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))


@pytest.mark.form("images", "xarray", "Dataset.to_array().to_netcdf()", "paperlib check cube.nc labels.gpkg")
def test_to_array_of_a_dataset(tmp_path):
    plain().to_dataset("band").to_array().to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))


@pytest.mark.form("images", "gdalcubes", "NetCDF; time as months since", "paperlib check cube.nc labels.gpkg")
def test_months_since(tmp_path):
    """gdalcubes: xarray cannot decode the unit."""
    data = plain(time=np.array([0, 3, 6, 9], "int32")).to_dataset("band")
    data["time"].attrs = {"units": "months since 2018-02-01T00:00:00", "calendar": "gregorian", "axis": "T"}
    for name in PADDED.values():
        data[name].attrs |= {"scale_factor": 1.0, "add_offset": 0.0}
    data.to_netcdf(tmp_path / "c.nc")
    scene = quiet(tmp_path / "c.nc")
    assert [f"{day:%m-%d}" for day in scene.indexes["time"]] == ["02-01", "05-01", "08-01", "11-01"]
    np.testing.assert_allclose(scene.values, VALUES, atol=1e-6)


def test_two_layers_of_one_band_are_named(tmp_path):
    plain().to_dataset("band").assign(blue=lambda data: data["B02"]).to_netcdf(tmp_path / "c.nc")
    with pytest.raises(InputError, match=r"B02 and blue are B2.*--bands") as caught:
        open_scene(tmp_path / "c.nc")
    assert caught.value.kind == "scene.bands"


@pytest.mark.form(
    "images", "any", "bands under names of one's own", "paperlib check cube.nc labels.gpkg --bands foo,b8"
)
def test_a_band_that_is_not_understood_is_an_error_or_used_as_it_is(tmp_path):
    plain().to_dataset("band").assign(foo=lambda data: data["B02"] * 2).to_netcdf(tmp_path / "c.nc")
    with pytest.raises(InputError, match=r"foo is not understood.*--bands"):
        open_scene(tmp_path / "c.nc")
    scene = quiet(tmp_path / "c.nc", bands=["foo", "b8"])
    assert list(scene.band.values) == ["foo", "B8"]
    np.testing.assert_allclose(scene[0].values, 2 * VALUES[0], atol=1e-6)


# -- sensors -----------------------------------------------------------------------------------------------------------


@pytest.mark.form(
    "images", "any", "cube of Landsat 8 or 9, bands SR_B2 to SR_B7", "paperlib check landsat.nc labels.gpkg"
)
def test_landsat_keeps_its_names_and_has_roles(tmp_path):
    plain(LANDSAT).to_dataset("band").to_netcdf(tmp_path / "c.nc")
    scene = quiet(tmp_path / "c.nc")
    same(scene, VALUES[[0, 1, 2, 3, 8, 9]], LANDSAT.values())
    roles = roles_of(scene.band.values, scene.attrs["sensor"])
    assert (roles["green"], roles["red"], roles["nir"]) == ("SR_B3", "SR_B4", "SR_B5")


@pytest.mark.form(
    "images", "any", "cube of Landsat 8, bands B2 to B7", "paperlib check landsat.nc labels.gpkg --sensor landsat-8"
)
def test_landsat_without_a_word_is_said(tmp_path):
    plain({band: name.removeprefix("SR_") for band, name in LANDSAT.items()}).to_netcdf(tmp_path / "c.nc")
    with pytest.warns(InputWarning, match="Landsat.*near infrared is B5.*--sensor"):
        scene = open_scene(tmp_path / "c.nc")
    assert roles_of(scene.band.values, scene.attrs["sensor"])["nir"] == "B5"
    assert "nir" not in roles_of(scene.band.values, quiet(tmp_path / "c.nc", sensor="sentinel-2").attrs["sensor"])


@pytest.mark.form(
    "images", "any", "VV and VH beside optical bands", "paperlib check cube.nc labels.gpkg --bands VV,VH,B4,B8"
)
def test_radar_beside_optical_bands_is_left_out_with_a_word(tmp_path):
    data = plain().to_dataset("band")
    data["VV"], data["VH"] = data["B02"] * 0 - 12, data["B02"] * 0 - 18
    data.to_netcdf(tmp_path / "c.nc")
    with pytest.warns(InputWarning, match="VV, VH left out") as caught:
        same(open_scene(tmp_path / "c.nc").compute())
    assert len([warning for warning in caught if warning.category is InputWarning]) == 1
    scene = quiet(tmp_path / "c.nc", bands=["VV", "VH", "B4", "B8"])
    assert list(scene.band.values) == ["VV", "VH", "B4", "B8"] and np.nanmedian(scene[0]) == -12


@pytest.mark.form("images", "any", "VV and VH alone, or one series of NDVI", "paperlib check ndvi.nc labels.gpkg")
@pytest.mark.parametrize("names", [("VV", "VH"), ("NDVI",)])
def test_radar_or_an_index_alone(tmp_path, names):
    data = xr.concat([plain()[0] * 0 - 12.5 for _ in names], pd.Index(names, name="band"))
    data.rename("x1").to_netcdf(tmp_path / "c.nc")
    scene = quiet(tmp_path / "c.nc")
    assert tuple(scene.band.values) == names and np.nanmedian(scene) == -12.5


@pytest.mark.form(
    "images",
    "any",
    "cubes of Planet (blue, green, red, nir) and MODIS (sur_refl_b01)",
    "paperlib check planet.nc labels.gpkg",
)
def test_planet_and_modis(tmp_path):
    names = dict(zip(BANDS[:4], ("blue", "green", "red", "nir"), strict=True))
    plain(names).to_dataset("band").to_netcdf(tmp_path / "planet.nc")
    assert roles_of(quiet(tmp_path / "planet.nc").band.values)["nir"] == "nir"
    plain({"B4": "sur_refl_b01", "B8": "sur_refl_b02"}).to_dataset("band").to_netcdf(tmp_path / "modis.nc")
    assert quiet(tmp_path / "modis.nc").attrs["sensor"] == "modis"


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.form(
    "images",
    "any",
    "nodata, missing_value, _FillValue or nodatavals, of variable or file",
    "paperlib check cube.nc labels.gpkg",
)
@pytest.mark.parametrize("where", ["variable", "file"])
@pytest.mark.parametrize("key", ["nodata", "missing_value", "_FillValue", "nodatavals"])
@pytest.mark.parametrize("empty, dtype", [(-9999, "int16"), (0, "uint16"), (-32768, "int16")])
def test_nodata_however_it_is_declared(tmp_path, where, key, empty, dtype):
    data = plain(values=stored(0, empty, dtype)).to_dataset(name="sr")
    if where == "file" and key in ("_FillValue", "missing_value"):
        key = "nodata"
    (data["sr"] if where == "variable" else data).attrs[key] = np.dtype(dtype).type(empty)
    data.to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))


def test_minus_9999_without_a_word(tmp_path):
    plain(values=stored()).to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))
    plain(values=np.nan_to_num(VALUES, nan=-9999)).to_netcdf(tmp_path / "f.nc")
    same(quiet(tmp_path / "f.nc"))


@pytest.mark.form(
    "images",
    "xarray, NCO, CDO",
    "CF packing: scale_factor, add_offset, _FillValue",
    "paperlib check cube.nc labels.gpkg",
)
def test_scale_and_offset_of_cf(tmp_path):
    packing = {"dtype": "uint16", "scale_factor": 1e-4, "add_offset": -0.1, "_FillValue": 0}
    plain().to_dataset("band").to_netcdf(tmp_path / "c.nc", encoding={name: packing for name in PADDED.values()})
    same(quiet(tmp_path / "c.nc"))


@pytest.mark.form(
    "images",
    "any",
    "baseline 04.00 and later, 1000 not taken off",
    "paperlib check cube.nc labels.gpkg --offset -0.1 --nodata 0",
)
def test_an_offset_that_was_not_taken_off_is_found(tmp_path):
    path = tmp_path / "c.nc"
    plain(values=stored(1000, 0, "uint16")).to_netcdf(path)
    (finding,) = [finding for finding in problems(path) if finding.kind == "scene.offset"]
    assert finding.level == "warning" and "1000" in finding.value and "--offset -0.1" in finding.fix
    assert any(finding.kind == "scene.nodata" and "--nodata 0" in finding.fix for finding in problems(path))
    for offset in (-0.1, -1000):
        same(quiet(path, offset=offset))
    assert [finding.kind for finding in problems(path, offset=-0.1, nodata=0)] == []


def test_offsets_that_differ_between_dates_are_found(tmp_path):
    mixed = stored(0, 0, "uint16")
    mixed[:, 2:] = stored(1000, 0, "uint16")[:, 2:]
    plain(values=mixed).to_netcdf(tmp_path / "c.nc")
    (finding,) = [finding for finding in problems(tmp_path / "c.nc", nodata=0) if finding.kind == "scene.offset"]
    assert "2018-08-15, 2018-11-15" in finding.value and "2018-02-15" not in finding.value
    assert "--offset -0.1 --offset-dates 2018-08-15,2018-11-15" in finding.fix
    for dates in ("2018-08-15,2018-11-15", "2018-06..", "2018-08-15..2018-08-15, 2018-11..2018-12", "2018-08..2019"):
        same(quiet(tmp_path / "c.nc", nodata=0, offset=-0.1, offset_dates=dates))
    for dates in ("..", "yesterday", "2018-13..", ""):
        with pytest.raises(InputError, match=r"dates|offset"):
            open_scene(tmp_path / "c.nc", offset=None if not dates else -0.1, offset_dates=dates or "2018")


@pytest.mark.form(
    "images", "openEO, any", "floats that are reflectance x 10000", "paperlib check cube.nc labels.gpkg --scale 0.0001"
)
def test_floats_times_10000_are_mended_with_a_word(tmp_path):
    path = tmp_path / "c.nc"
    plain(values=VALUES * 10000).to_netcdf(path)
    with pytest.warns(InputWarning, match="x 10000.*--scale 0.0001"):
        same(open_scene(path).compute())
    same(quiet(path, scale=0.0001))
    same(quiet(path, scale=10000))
    assert np.nanmedian(quiet(path, scale=1)) > 100  # meant


@pytest.mark.form("images", "any", "reflectance in per cent", "paperlib check cube.nc labels.gpkg --scale 0.01")
def test_per_cents_are_refused_until_they_are_meant(tmp_path):
    path = tmp_path / "c.nc"
    plain(values=VALUES * 100).to_netcdf(path)
    with pytest.raises(InputError, match=r"cannot be reflectance.*--scale 0.01"):
        open_scene(path)
    same(quiet(path, scale=0.01))


@pytest.mark.form(
    "images",
    "any",
    "Landsat Collection 2 numbers without scale",
    "paperlib check cube.nc labels.gpkg --scale 0.0000275 --offset -0.2",
)
def test_landsat_numbers_are_no_reflectance(tmp_path):
    path = tmp_path / "c.nc"
    numbers = np.where(np.isnan(VALUES), 0, (np.nan_to_num(VALUES) + 0.2) / 2.75e-5).astype("uint16")
    plain(LANDSAT, numbers).to_dataset("band").to_netcdf(path)
    (error,) = [finding for finding in problems(path) if finding.level == "error"]
    assert "--scale 0.0000275 --offset -0.2" in error.fix
    with pytest.raises(InputError, match="Landsat"):
        refuse_values(open_scene(path))
    right = quiet(path, scale=0.0000275, offset=-0.2)
    refuse_values(right)
    same(right, VALUES[[0, 1, 2, 3, 8, 9]], LANDSAT.values(), tolerance=3e-5)


def test_saturated_values_are_not_used_and_named(tmp_path):
    wrong = stored(0, 0, "uint16")
    wrong[:, 1] = 64000
    plain(values=wrong).to_netcdf(tmp_path / "c.nc")
    scene = quiet(tmp_path / "c.nc", nodata=0)
    assert scene.mask[1].all() and not scene.mask[0].all()
    (finding,) = [finding for finding in problems(tmp_path / "c.nc", nodata=0) if finding.kind == "scene.saturated"]
    assert "2018-05-15 100 %" in finding.value


# -- quality layers ----------------------------------------------------------------------------------------------------

CLOUD = np.zeros((len(DAYS), ROWS, COLUMNS), bool)
CLOUD[2, 10:20, 10:20] = True


def masked(values=VALUES) -> np.ndarray:
    return np.isnan(values).any(axis=0) | CLOUD


@pytest.mark.form(
    "images",
    "any",
    "SCL, Fmask, QA_PIXEL, CLM, QA60 or a boolean mask in the cube",
    "paperlib check cube.nc labels.gpkg",
)
@pytest.mark.parametrize("name, cloudy, clear, dtype", [
    ("SCL", 9, 4, "uint8"), ("SCL", 3, 4, "float32"), ("scl", 8, 5, "int16"), ("Fmask", 2, 64, "uint8"),
    ("QA_PIXEL", 22280, 21824, "uint16"), ("qa_pixel", 1, 21824, "uint16"), ("CLM", 1, 0, "uint8"),
    ("cloud_mask", 1, 0, "int8"),
    ("clouds", 1, 0, "uint8"), ("valid", 0, 1, "uint8"), ("dataMask", 0, 1, "uint8"),
    ("QA60", 1024, 0, "uint16"),
])  # fmt: skip
@pytest.mark.parametrize("layout", ["variable", "band"])
def test_quality_layers_mask_and_are_no_band(tmp_path, name, cloudy, clear, dtype, layout):
    layer = np.where(CLOUD, cloudy, clear).astype(dtype)
    if dtype == "float32":
        layer[np.isnan(VALUES).any(axis=0)] = np.nan
    if layout == "variable":
        data = plain().to_dataset("band")
        data[name] = (("time", "y", "x"), layer)
    else:
        data = xr.concat([plain(), plain()[:1].assign_coords(band=[name]).copy(data=layer[None].astype("f4"))], "band")
    data.to_netcdf(tmp_path / "c.nc")
    scene = quiet(tmp_path / "c.nc")
    assert tuple(scene.band.values) == BANDS
    np.testing.assert_array_equal(scene.mask.values, masked())


def test_a_mask_that_is_true_where_there_is_something(tmp_path):
    """The sense of a layer called mask is found from where the images are empty."""
    data = plain().to_dataset("band")
    data["mask"] = (("time", "y", "x"), (~masked()).astype("uint8"))
    data.to_netcdf(tmp_path / "c.nc")
    np.testing.assert_array_equal(quiet(tmp_path / "c.nc").mask.values, masked())


@pytest.mark.parametrize("good", [False, True])
def test_a_mask_whose_sense_the_images_do_not_tell_is_said(tmp_path, good):
    """Of images that are full everywhere the rarer value is bad; where that is 0, it is said, and clouds are bright."""
    values = np.nan_to_num(VALUES, nan=0.05) + np.where(CLOUD, np.float32(0.4), 0)
    data = plain(values=values).to_dataset("band")
    data["mask"] = (("time", "y", "x"), (good != CLOUD).astype("uint8"))
    data.to_netcdf(tmp_path / "c.nc")
    if good:
        with pytest.warns(InputWarning, match="is not said; it is taken for good"):
            scene = open_scene(tmp_path / "c.nc")
    else:
        scene = quiet(tmp_path / "c.nc")
    np.testing.assert_array_equal(scene.mask.values, CLOUD)


@pytest.mark.form(
    "images",
    "any",
    "a quality layer of which other classes are to be masked",
    "paperlib check cube.nc labels.gpkg --mask-classes 3,8,9,10",
)
def test_flag_meanings_of_cf_and_mask_classes(tmp_path):
    data = plain().to_dataset("band")
    data["clm"] = (("time", "y", "x"), np.where(CLOUD, 7, 5).astype("uint8"))
    data["clm"].attrs = {"flag_values": np.array([5, 7], "u1"), "flag_meanings": "clear_land opaque_cloud"}
    data.to_netcdf(tmp_path / "c.nc")
    np.testing.assert_array_equal(quiet(tmp_path / "c.nc").mask.values, masked())
    assert quiet(tmp_path / "c.nc", mask_classes=[5, 7]).mask.all()
    np.testing.assert_array_equal(quiet(tmp_path / "c.nc", mask_classes=[9]).mask.values, np.isnan(VALUES).any(axis=0))


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.form("images", "any", "several acquisitions of one day", "paperlib check cube.nc labels.gpkg")
def test_two_acquisitions_of_a_day_are_joined_with_a_word(tmp_path):
    half = VALUES.copy()
    half[:, 0, :, 15:] = np.nan
    other = plain(values=VALUES)[:, :1].assign_coords(time=DAYS[:1] + pd.Timedelta("10h51min"))
    data = xr.concat([plain(values=half).assign_coords(time=DAYS + pd.Timedelta("10h50min")), other], "time")
    data.to_netcdf(tmp_path / "c.nc")
    with pytest.warns(InputWarning, match="5 acquisitions on 4 days.*2018-02-15"):
        scene = open_scene(tmp_path / "c.nc")
    same(scene.compute())
    part = scene[:, 0:2, 3:9, 12:20].compute()
    np.testing.assert_allclose(part.values, VALUES[:, 0:2, 3:9, 12:20], atol=1e-6)


@pytest.mark.form(
    "images", "any", "irregular or dense dates, made regular", "paperlib check cube.nc labels.gpkg --every month"
)
def test_composites_of_a_period_are_medians(tmp_path):
    days = pd.date_range("2017-11-03", periods=20, freq="5D")
    values = np.stack([VALUES[:, n % 4] for n in range(20)], axis=1)
    plain(values=values, time=days).to_netcdf(tmp_path / "c.nc")
    scene = quiet(tmp_path / "c.nc", every="month")
    assert [f"{day:%Y-%m-%d}" for day in scene.indexes["time"]] == [
        "2017-11-15",
        "2017-12-15",
        "2018-01-15",
        "2018-02-15",
    ]
    for place, month in enumerate((11, 12, 1, 2)):
        expected = np.nanmedian(values[:, days.month == month, 10:], axis=1)
        np.testing.assert_allclose(scene[:, place, 10:].values, expected, atol=1e-6)
    fine = quiet(tmp_path / "c.nc", every="16D")
    assert fine.sizes["time"] == 7 and f"{fine.indexes['time'][4]:%Y-%m-%d}" == "2018-01-09"  # anew on 1 January


def test_a_period_without_an_acquisition_is_masked_and_filled_where_it_is_used(tmp_path):
    """In the scene it is empty; what classifiers read is interpolated between the periods beside it."""
    days = pd.DatetimeIndex(["2018-02-15", "2018-03-15", "2018-05-15", "2018-06-15"])
    plain(time=days).to_netcdf(tmp_path / "c.nc")
    scene = open_scene(tmp_path / "c.nc", every="month")
    assert scene.sizes["time"] == 5 and scene.mask[2].values.all() and np.isnan(scene[:, 2].values).all()
    inputs = Inputs.of(scene)
    memory = np.empty(inputs.numbers_a_pixel() * ROWS * COLUMNS, np.float32)
    read = inputs.read(scene, slice(0, ROWS), slice(0, COLUMNS), memory)[: len(BANDS), :, 10:]
    before, after = VALUES[:, 1, 10:], VALUES[:, 2, 10:]
    weight = np.float32(31 / 61)  # 15 March, 15 April, 15 May
    np.testing.assert_allclose(read[:, 2], before * (1 - weight) + after * weight, atol=1e-6)


@pytest.mark.form("images", "any", "irregular dates over years, as they are", "paperlib check cube.nc labels.gpkg")
def test_irregular_series_work_as_they_are(tmp_path):
    days = pd.DatetimeIndex(["2016-12-30", "2017-01-02", "2017-06-01", "2018-06-01"])
    plain(time=days).to_netcdf(tmp_path / "c.nc")
    assert list(quiet(tmp_path / "c.nc").indexes["time"]) == list(days)


# -- places ------------------------------------------------------------------------------------------------------------


def burned(scene: xr.DataArray, polygon) -> np.ndarray:
    return rasterize([polygon], scene.shape[2:], transform=scene.rio.transform(), dtype="uint8")


def stackstac(**attrs) -> xr.DataArray:
    data = plain().drop_vars("spatial_ref").transpose("time", "band", "y", "x").rename("stackstac-1")
    data = data.assign_coords(x=X - 5, y=Y + 5)
    data.attrs, data.encoding = {"crs": "epsg:32631", "resolution": 10.0} | attrs, {}
    return data


@pytest.mark.form(
    "images",
    "stackstac",
    "NetCDF; coordinates are corners of pixels",
    "paperlib check stackstac.nc labels.gpkg --pixel corner",
)
def test_corners_of_stackstac_are_recognised(tmp_path):
    stackstac().to_netcdf(tmp_path / "c.nc")
    with pytest.warns(InputWarning, match="upper left corners.*--pixel"):
        scene = open_scene(tmp_path / "c.nc")
    same(scene.compute())
    place = box(LEFT + 100, TOP - 200, LEFT + 150, TOP - 120)
    expected = rasterize([place], (ROWS, COLUMNS), transform=GRID, dtype="uint8")
    np.testing.assert_array_equal(burned(scene, place), expected)
    same(quiet(tmp_path / "c.nc", pixel="corner"))
    assert quiet(tmp_path / "c.nc", pixel="centre").rio.transform() == GRID @ Affine.translation(-0.5, -0.5)


def test_corners_of_a_cube_whose_y_goes_north(tmp_path):
    stackstac().isel(y=slice(None, None, -1)).to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc", pixel="corner"))


def test_coordinates_that_look_like_corners_are_said(tmp_path):
    plain().assign_coords(x=X - 5, y=Y + 5).to_netcdf(tmp_path / "c.nc")
    with pytest.warns(InputWarning, match="whole multiples.*--pixel corner"):
        open_scene(tmp_path / "c.nc")


@pytest.mark.form(
    "images", "odc-stac", "rows from south to north, CRS as coordinate epsg", "paperlib check cube.nc labels.gpkg"
)
def test_south_up_and_crs_as_a_coordinate(tmp_path):
    data = plain().drop_vars("spatial_ref").isel(y=slice(None, None, -1)).assign_coords(epsg=32631)
    data.to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))


@pytest.mark.form(
    "images",
    "xcube, Open Data Cube",
    "NetCDF or Zarr in latitude and longitude",
    "paperlib check lat_lon.zarr labels.gpkg",
)
@pytest.mark.parametrize("names", [("longitude", "latitude"), ("lon", "lat")])
@pytest.mark.parametrize("form", ["c.nc", "c.zarr"])
def test_degrees_are_brought_to_metres_and_windows_equal_the_whole(tmp_path, names, form):
    """Without a CRS, by the names alone."""
    lon, lat = 1.2 + 1.2e-4 * np.arange(COLUMNS), 43.7 - 9e-5 * np.arange(ROWS)
    data = plain(x=lon, y=lat).drop_vars("spatial_ref").rename(x=names[0], y=names[1])
    data = data.to_dataset("band")
    data.to_netcdf(tmp_path / form) if form == "c.nc" else data.to_zarr(tmp_path / form, zarr_format=2)
    with pytest.warns(InputWarning, match="EPSG:326"), pytest.warns(InputWarning, match="names no CRS"):
        lazy = open_scene(tmp_path / form, resampling="nearest")
    scene = lazy.compute()
    assert scene.rio.crs.to_epsg() == 32631 and scene.rio.resolution() == (10, -10)
    assert set(np.unique(scene.values[np.isfinite(scene.values)])) <= set(np.unique(VALUES[np.isfinite(VALUES)]))
    for y, x in ((slice(0, 9), slice(3, 11)), (slice(7, 30), slice(11, 25)), (slice(30, 41), slice(0, 29))):
        xr.testing.assert_equal(lazy[..., y, x].compute(), scene[..., y, x])


def test_a_grid_of_its_own_kind_a_single_date_and_a_variable_without_time(tmp_path):
    data = plain()[:, 0].to_dataset("band")
    data["valid"] = (("y", "x"), np.ones((ROWS, COLUMNS), "uint8"))
    data.to_netcdf(tmp_path / "c.nc")
    scene = quiet(tmp_path / "c.nc")
    assert scene.sizes["time"] == 1 and f"{scene.indexes['time'][0]:%Y-%m-%d}" == "2018-02-15"


@pytest.mark.form("images", "any", "Zarr 2 and 3, also with large chunks", "paperlib check cube.zarr labels.gpkg")
@pytest.mark.parametrize("version", [2, 3])
def test_zarr_with_chunks_larger_than_a_window_is_decoded_once(tmp_path, version, monkeypatch):
    data = plain().to_dataset("band")
    data.to_zarr(
        tmp_path / "c.zarr",
        zarr_format=version,
        consolidated=version == 2,
        encoding={name: {"chunks": (2, ROWS, COLUMNS)} for name in PADDED.values()},
    )
    read, really = [], variables.Variable._decode
    decode = lambda self, box: read.extend((id(self), *number) for number in product(*box)) or really(self, box)  # noqa: E731
    monkeypatch.setattr(variables.Variable, "_decode", decode)
    scene = open_scene(tmp_path / "c.zarr")  # of floats, windows are read to see what they mean
    series = scene.encoding["series"][1]
    out = np.empty((10, 4, 10, COLUMNS), np.float32)
    for start in range(0, 40, 10):
        series.read(slice(start, start + 10), slice(0, COLUMNS), out)
        expected = VALUES[[BANDS.index(band) for band in scene.band.values], :, start : start + 10]
        np.testing.assert_allclose(out, expected, atol=1e-6)
    kept = {id(band.variable): band.variable for band in series.bands}.values()
    assert len(read) == len(set(read)) == 20 == sum(len(variable._kept) for variable in kept)  # each chunk once


@pytest.mark.form("images", "paperlib", "clean cube, NetCDF or Zarr", "paperlib convert scene.nc clean.zarr")
@pytest.mark.parametrize("name", ["out.zarr", "out.nc"])
def test_a_scene_is_saved_as_it_was_understood(tmp_path, name):
    """Names, scale, offset, clouds and dates; what is written opens without a word and the same."""
    data = plain(COMMON, stored(1000, 0, "uint16")).to_dataset("band")
    data["SCL"] = (("time", "y", "x"), np.where(CLOUD, 9, 4).astype("uint8"))
    data.to_netcdf(tmp_path / "c.nc")
    scene = quiet(tmp_path / "c.nc", offset=-0.1)
    save_cube(open_scene(tmp_path / "c.nc", offset=-0.1), tmp_path / name)
    again = quiet(tmp_path / name)
    np.testing.assert_array_equal(again.values, scene.values)
    np.testing.assert_array_equal(again.mask.values, scene.mask.values)
    assert again.rio.transform() == GRID and again.attrs["sensor"] == "sentinel-2"
    assert list(again.band.values) == list(scene.band.values) and list(again.indexes["time"]) == list(DAYS)
    with pytest.raises(InputError, match=r"OUT\.zarr or OUT\.nc"):
        save_cube(scene, tmp_path / "out.tif")
