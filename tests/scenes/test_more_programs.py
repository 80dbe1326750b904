"""Series as further programs write them: names, dates, layouts and masks beside those of the other tests."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr

from paperlib import InputError, open_scene
from paperlib.errors import InputWarning
from paperlib.regions.tiles import find_tiles
from paperlib.scenes.cubes.several import are_dates
from paperlib.scenes.fingerprints import fingerprint
from paperlib.scenes.meaning.judging import value_problems
from paperlib.scenes.sensors import BANDS, roles_of
from support.series import COLUMNS, DAYS, GRID, PADDED, ROWS, VALUES, X, Y, quiet, stored

COMMON = ("blue", "green", "red", "nir", "rededge1", "rededge2", "rededge3", "nir08", "swir16", "swir22")
OLI = {"B2": "SR_B2", "B3": "SR_B3", "B4": "SR_B4", "B8": "SR_B5", "B11": "SR_B6", "B12": "SR_B7"}
ETM = {"B2": "SR_B1", "B3": "SR_B2", "B4": "SR_B3", "B8": "SR_B4", "B11": "SR_B5", "B12": "SR_B7"}
L30 = {"B2": "B02", "B3": "B03", "B4": "B04", "B8A": "B05", "B11": "B06", "B12": "B07"}
LANDSAT = np.where(np.isnan(VALUES), 0, np.rint((np.nan_to_num(VALUES) + 0.2) / 2.75e-5)).astype("uint16")
LAYERS = [f"{day:%Y-%m-%d} {band}" for day in DAYS for band in BANDS]


def image(band: str, date: int, values: np.ndarray | None = None) -> np.ndarray:
    return (stored() if values is None else values)[BANDS.index(band), date]


def flat(value: float, dtype: str = "uint8") -> np.ndarray:
    return np.full((ROWS, COLUMNS), value, dtype)


def tif(path: Path, *images, names=None, nodata=-9999, scale=1.0, offset=0.0, driver="GTiff") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {"height": ROWS, "width": COLUMNS, "crs": 32631, "transform": GRID, "dtype": images[0].dtype}
    with rasterio.open(path, "w", driver=driver, count=len(images), nodata=nodata, **profile) as file:
        file.write(np.stack(images))
        file.descriptions = tuple(names or [None] * len(images))
        if driver == "GTiff":
            file.scales, file.offsets = [scale] * len(images), [offset] * len(images)


def cube(values=VALUES, **coords) -> xr.DataArray:
    axes = {"band": list(PADDED.values()), "time": DAYS, "y": Y, "x": X} | coords
    return xr.DataArray(values, axes, ("band", "time", "y", "x"), "sr").rio.write_crs(32631)


def same(scene: xr.DataArray, bands=BANDS, tolerance=1e-6) -> None:
    """Reflectance, missing pixels, dates and grid are those written."""
    assert tuple(scene.band.values) == BANDS and list(scene.indexes["time"]) == list(DAYS)
    np.testing.assert_allclose(scene.values, VALUES, atol=tolerance)
    np.testing.assert_array_equal(scene.mask.values, np.isnan(VALUES).any(axis=0))
    assert scene.rio.transform() == GRID


def by_role(scene: xr.DataArray, **ours) -> None:
    """Each role has the values of the band of ours that it stands for, at every date."""
    assert set(scene.band.values) == set(ours) and list(scene.indexes["time"]) == list(DAYS)
    for role, band in ours.items():
        np.testing.assert_allclose(scene.sel(band=role), VALUES[BANDS.index(band)], atol=2e-5)


# -- sensors -----------------------------------------------------------------------------------------------------------


@pytest.mark.form(
    "images",
    "NASA, USGS",
    "a folder of both sensors of HLS, or of Landsat 7 and 8",
    "paperlib check FOLDER labels.gpkg",
)
@pytest.mark.parametrize("kind", ["hls", "landsat", "items"])
def test_sensors_of_a_folder_meet_by_the_roles_of_their_bands(tmp_path, kind):
    """SR_B4 is near infrared of Landsat 7 and red of Landsat 8; B05 of HLS L30 is near infrared, of S30 a red edge."""
    items = []
    for t, day in enumerate(DAYS):
        if kind == "landsat":
            bands, start = (OLI, "LC08") if t % 2 else (ETM, "LE07")
            name = f"{start}_L2SP_198030_{day:%Y%m%d}_20200902_02_T1"
            for band, theirs in bands.items():
                tif(tmp_path / name / f"{name}_{theirs}.TIF", image(band, t, LANDSAT), nodata=0)
            continue
        name = f"HLS.{'L30' if t % 2 else 'S30'}.T31TCJ.{day:%Y%j}T105031.v2.0"
        bands = L30 if t % 2 else PADDED
        for band, theirs in bands.items():
            tif(tmp_path / f"{name}.{theirs}.tif", image(band, t), scale=1e-4)
        assets = {theirs: {"href": f"./{name}.{theirs}.tif"} for theirs in bands.values()}
        properties = {"datetime": f"{day:%Y-%m-%d}T10:30:00Z", "platform": "landsat-8"}
        items.append({"type": "Feature", "id": name, "properties": properties, "assets": assets})
    (tmp_path / "items.json").write_text(json.dumps({"features": items}))
    with pytest.warns(InputWarning, match="read by their roles") as caught:
        scene = open_scene(tmp_path / "items.json" if kind == "items" else tmp_path)
    if kind == "landsat":
        by_role(scene, blue="B2", green="B3", red="B4", nir="B8", swir1="B11", swir2="B12")
    else:
        assert "B08 are left out" in str(caught[0].message)
        by_role(scene, blue="B2", green="B3", red="B4", nir08="B8A", swir1="B11", swir2="B12")
    assert roles_of(scene.band.values)["nir"] in ("nir", "nir08")


def test_images_of_an_unknown_sensor_beside_known_ones_are_refused(tmp_path):
    for t, day in enumerate(DAYS):
        tif(tmp_path / f"site_{day:%Y%m%d}_B04.tif", image("B4", t))
        for sensor, theirs in (("LC08", "SR_B4"), ("LE07", "SR_B3")):
            tif(tmp_path / f"{sensor}_L2SP_198030_{day:%Y%m%d}_20200902_02_T1_{theirs}.TIF", image("B4", t))
    with pytest.raises(InputError, match="whose sensor is not known, with B04"):
        open_scene(tmp_path)


def test_the_thematic_mapper_without_a_word_is_said(tmp_path):
    names = dict(zip(ETM, ("B1", "B2", "B3", "B4", "B5", "B7"), strict=True))
    values = VALUES[[BANDS.index(band) for band in names]]
    cube(values, band=list(names.values())).to_dataset("band").to_netcdf(tmp_path / "c.nc")
    with pytest.warns(InputWarning, match="taken for those of Landsat 4, 5 or 7"):
        scene = open_scene(tmp_path / "c.nc")
    assert roles_of(scene.band.values, scene.attrs["sensor"])["nir"] == "B4"


@pytest.mark.form(
    "images", "Planet", "scenes of four or eight bands with their udm2", "paperlib check FOLDER labels.gpkg"
)
@pytest.mark.parametrize("named", [True, False])
def test_planet_scenes_with_their_masks(tmp_path, named):
    layers = {"coastal_blue": "B2", "blue": "B2", "green_i": "B3", "green": "B3", "yellow": "B4", "red": "B4"}
    layers |= {"rededge": "B5", "nir": "B8"}
    mask = {"clear": 1, "snow": 0, "shadow": 0, "light_haze": 0, "heavy_haze": 0, "cloud": 0, "confidence": 90}
    mask |= {"unusable_data": 0}
    for t, day in enumerate(DAYS):
        start = f"{day:%Y%m%d}_102341_10_2419_3B"
        names = list(layers) if named else None
        images = [image(band, t, stored(empty=0, dtype="uint16")) for band in layers.values()]
        tif(tmp_path / f"{start}_AnalyticMS_SR_8b_clip.tif", *images, names=names, nodata=0)
        images = [flat(value) for value in mask.values()]
        images[0][:10], images[5][:10] = 0, 1
        tif(tmp_path / f"{start}_udm2_clip.tif", *images, names=list(mask) if named else None, nodata=None)
    with pytest.warns(InputWarning, match="coastal_blue, snow, light_haze, heavy_haze, confidence left out"):
        scene = open_scene(tmp_path)
    assert scene.attrs["sensor"] == "planet" and scene.mask[:, :10].all() and not scene.mask[:, 10:].any()
    np.testing.assert_allclose(scene.sel(band="nir")[:, 10:], VALUES[BANDS.index("B8"), :, 10:], atol=1e-6)


# -- names and dates ---------------------------------------------------------------------------------------------------


@pytest.mark.form(
    "images", "any", "dates like 15-02-2018, Feb2018, 201802 or folders 2018/2/15", "paperlib check FOLDER labels.gpkg"
)
@pytest.mark.parametrize(
    "name",
    [
        "field_%d-%m-%Y_{}.tif", "%Y/%-m/%-d/{}.tif", "S2_%d%b%Y_{}.tif", "S2_%Y-%b-%d_{}.tif",
        "HLSS30.020_{}_doy%Y%j_aid0001_31N.tif", "HLSS30.020_{}_doy%Y%j000000_aid0001_31N.tif", "{}.%Y.%m.%d.tif",
    ],
)  # fmt: skip
def test_dates_as_people_write_them(tmp_path, name):
    for t, day in enumerate(DAYS):
        for band, theirs in PADDED.items():
            tif(tmp_path / f"{day:{name}}".format(theirs), image(band, t))
    same(quiet(tmp_path))


@pytest.mark.parametrize("name", ["S2_median_%b%Y.tif", "S2_median_%Y%m.tif", "mosaic_%Y_%m.tif"])
def test_months_alone_are_their_first_day(tmp_path, name):
    for t, day in enumerate(DAYS):
        tif(tmp_path / f"{day:{name}}", *(image(band, t) for band in BANDS), names=BANDS)
    assert [f"{day:%m-%d}" for day in quiet(tmp_path).indexes["time"]] == ["02-01", "05-01", "08-01", "11-01"]


def test_a_day_that_could_be_a_month_is_said(tmp_path):
    for month in (2, 5):
        tif(tmp_path / f"field_03-{month:02}-2018_B4.tif", image("B4", 0))
    with pytest.warns(InputWarning, match="taken for day, month, year"):
        scene = open_scene(tmp_path)
    assert [f"{day:%m-%d}" for day in scene.indexes["time"]] == ["02-03", "05-03"]


@pytest.mark.parametrize("form", ["X%Y.%m.%d_{}", "{}_%Y-%m-%d", "{} (%d/%m/%Y)"])
def test_descriptions_of_layers_in_other_forms(tmp_path, form):
    names = [f"{day:{form}}".format(band) for band in BANDS for day in DAYS]
    tif(tmp_path / "s.tif", *stored().reshape(40, ROWS, COLUMNS), names=names)
    same(quiet(tmp_path / "s.tif"))


@pytest.mark.form("images", "ENVI, Erdas", "a stack in ENVI's or Erdas' format", "paperlib check s.dat labels.gpkg")
@pytest.mark.parametrize("driver, suffix", [("ENVI", "dat"), ("HFA", "img")])
def test_stacks_of_envi_and_erdas(tmp_path, driver, suffix):
    path = tmp_path / f"s.{suffix}"
    tif(path, *stored().swapaxes(0, 1).reshape(40, ROWS, COLUMNS), names=LAYERS, driver=driver)
    same(quiet(path))
    before = fingerprint(path)
    if driver == "ENVI":  # what the header says counts too
        header = path.with_suffix(".hdr")
        header.write_text(header.read_text().replace("-9999", "-9998"))
        assert fingerprint(path) != before


@pytest.mark.form(
    "images", "Earth Engine", "an image a date with all bands of S2_SR_HARMONIZED", "paperlib check FOLDER labels.gpkg"
)
def test_an_image_a_date_with_all_layers_of_earth_engine(tmp_path):
    others = ["B1", "B9", "AOT", "WVP", "SCL", "TCI_R", "TCI_G", "TCI_B", "MSK_CLDPRB", "MSK_SNWPRB"]
    others += ["MSK_CLASSI_OPAQUE", "MSK_CLASSI_CIRRUS", "MSK_CLASSI_SNOW_ICE", "QA10", "QA20", "QA60"]
    for t, day in enumerate(DAYS):
        images = [image(band, t, stored(empty=0, dtype="uint16")) for band in BANDS]
        images += [flat(4 if name == "SCL" else 0, "uint16") for name in others]
        name = f"{day:%Y%m%d}T105031_{day:%Y%m%d}T105028_T31TCJ.tif"
        tif(tmp_path / name, *images, names=[*BANDS, *others], nodata=None)
    with pytest.warns(InputWarning, match="MSK_CLDPRB, MSK_SNWPRB, MSK_CLASSI_OPAQUE"):
        same(open_scene(tmp_path))


@pytest.mark.form(
    "images",
    "sits, Brazil Data Cube",
    "composites with their counts of observations",
    "paperlib check FOLDER labels.gpkg",
)
def test_composites_of_the_brazil_data_cube(tmp_path):
    for t, day in enumerate(DAYS):
        start = f"S2-16D_V2_089098_{day:%Y%m%d}"
        for band, theirs in PADDED.items():
            tif(tmp_path / f"{start}_{theirs}.tif", image(band, t))
        for name, value in {"CLEAROB": 3, "TOTALOB": 4, "PROVENANCE": 135, "SCL": 4}.items():
            tif(tmp_path / f"{start}_{name}.tif", flat(value), nodata=None)
    with pytest.warns(InputWarning, match="files of CLEAROB, PROVENANCE, TOTALOB"):
        same(open_scene(tmp_path))


@pytest.mark.parametrize(
    "name, bands",
    [
        ("MOD13Q1.A%Y%j.h18v04.061.2021345123456_250m_16_days_NDVI.tif", ["NDVI"]),
        ("global_monthly_%Y_%m_mosaic_L15-1021E-1356N.tif", ["blue", "green", "red", "nir"]),
    ],
)
def test_products_whose_files_do_not_name_their_layers(tmp_path, name, bands):
    for t, day in enumerate(DAYS):
        tif(tmp_path / f"{day:{name}}", *(image("B4", t) for _ in bands))
    assert list(quiet(tmp_path).band.values) == bands


def test_files_of_other_programs_are_no_images(tmp_path):
    """macOS writes ._NAME beside each file on a disk that is not its own; SNAP calls the only layer of a mask Band 1."""
    for t, day in enumerate(DAYS):
        for band, theirs in PADDED.items():
            tif(tmp_path / f"site_{day:%Y%m%d}_{theirs}.tif", image(band, t))
            (tmp_path / f"._site_{day:%Y%m%d}_{theirs}.tif").write_bytes(b"\0\5\x16\7Mac OS X")
        tif(tmp_path / f"site_{day:%Y%m%d}_quality_cloud_confidence.tif", flat(7), names=["Band 1"], nodata=None)
    with pytest.warns(InputWarning, match="files of quality_cloud_confidence are left out"):
        same(open_scene(tmp_path))


# -- cubes -------------------------------------------------------------------------------------------------------------


def _bytes(data: xr.DataArray) -> xr.DataArray:
    return data.assign_coords(band=np.array(list(PADDED.values()), "S3"))


def _common(data: xr.DataArray) -> xr.DataArray:
    return data.assign_coords(band=np.arange(1, 11), common_name=("band", list(COMMON)))


def _listed(data: xr.DataArray) -> xr.DataArray:
    return data.assign_coords(band=np.arange(10)).assign_attrs(band_names=list(PADDED.values()))


def _wavelengths(data: xr.DataArray) -> xr.DataArray:
    lengths = [490.0, 560.0, 665.0, 842.0, 705.0, 740.0, 783.0, 865.0, 1610.0, 2190.0]
    return data.assign_coords(band=lengths).rename(band="wavelength")


def _day_of_year(data: xr.DataArray) -> xr.DataArray:
    return data.assign_coords(time=[int(f"{day:%Y%j}") for day in DAYS])


def _months(data: xr.DataArray) -> xr.DataArray:
    return data.assign_coords(time=("time", [0, 3, 6, 9], {"units": "months since 2018-02-15"}))


def _fill(data: xr.DataArray) -> xr.DataArray:
    """NetCDF's own fill value, which no attribute declares."""
    return data.fillna(9.969209968386869e36).assign_attrs(missing="").drop_attrs(deep=False)


def _mapping(data: xr.DataArray) -> xr.DataArray:
    """A grid mapping of CF alone, which no attribute names."""
    attrs = {"grid_mapping_name": "transverse_mercator", "longitude_of_central_meridian": 3.0, "false_easting": 5e5}
    attrs |= {"false_northing": 0.0, "latitude_of_projection_origin": 0.0, "scale_factor_at_central_meridian": 0.9996}
    attrs |= {"semi_major_axis": 6378137.0, "inverse_flattening": 298.257223563}
    return data.drop_vars("spatial_ref").assign_coords(utm=((), 0, attrs))


@pytest.mark.parametrize("change", [_bytes, _common, _listed, _wavelengths, _day_of_year, _months, _fill, _mapping])
def test_further_layouts_of_one_variable(tmp_path, change):
    data = change(cube())
    data.encoding = {}
    data.to_dataset(name="sr").to_netcdf(tmp_path / "c.nc", encoding={"sr": {"_FillValue": None}})
    same(quiet(tmp_path / "c.nc"))


def test_what_the_file_declares_holds_for_its_variables(tmp_path):
    data = cube(stored(1000, 0, "uint16")).to_dataset("band")
    data.assign_attrs(scale_factor=1e-4, add_offset=-0.1, nodata=0).to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))


def test_a_nodata_value_that_the_type_cannot_hold_is_none(tmp_path):
    data = cube(stored(0, 0, "uint16"))
    data.attrs["nodata"] = -9999
    data.to_netcdf(tmp_path / "c.nc")
    scene = quiet(tmp_path / "c.nc")
    same(scene)
    assert [finding.kind for finding in value_problems(scene)] == ["scene.nodata"]


def test_kilometres_are_brought_to_metres(tmp_path):
    data = cube(x=X / 1000, y=Y / 1000)
    data.x.attrs["units"] = data.y.attrs["units"] = "km"
    data.to_netcdf(tmp_path / "c.nc")
    with pytest.warns(InputWarning, match="in kilometres"):
        scene = open_scene(tmp_path / "c.nc")
    np.testing.assert_allclose(tuple(scene.rio.transform())[:6], tuple(GRID)[:6])


@pytest.mark.form("images", "xarray", "a group of a NetCDF file or Zarr folder", "paperlib check cube.nc labels.gpkg")
def test_the_only_group_with_images_is_read(tmp_path):
    cube().to_dataset("band").to_netcdf(tmp_path / "c.nc", group="S2")
    with pytest.warns(InputWarning, match="its group S2 is read"):
        same(open_scene(tmp_path / "c.nc"))
    for group in ("S2", "other"):
        cube().to_dataset("band").to_netcdf(tmp_path / "d.nc", group=group, mode="a")
    with pytest.raises(InputError, match="several groups: /S2, /other"):
        open_scene(tmp_path / "d.nc")


@pytest.mark.form("images", "rioxarray, GDAL", "a stack saved as NetCDF", "paperlib check stack.nc labels.gpkg")
@pytest.mark.parametrize("kind", ["rioxarray", "gdal", "names"])
def test_images_of_one_date_and_band_each(tmp_path, kind):
    layers = stored().swapaxes(0, 1).reshape(40, ROWS, COLUMNS)
    names, places = [f"{day:%Y%m%d}_{band}" for day in DAYS for band in BANDS], {"y": Y, "x": X}
    empty = {"_FillValue": np.int16(-9999)}
    if kind == "rioxarray":
        attrs = {"long_name": names} | empty
        data = xr.DataArray(
            layers, {"band": range(1, 41)} | places, ("band", "y", "x"), attrs=attrs, name="stack"
        ).to_dataset()
    else:
        called = {name if kind == "names" else f"Band{n}": (name, n - 1) for n, name in enumerate(names, 1)}
        data = xr.Dataset(
            {key: (("y", "x"), layers[n], empty | ({"long_name": name} if kind == "gdal" else {}))
             for key, (name, n) in called.items()}, places,
        )  # fmt: skip
    data.rio.write_crs(32631).to_netcdf(tmp_path / "c.nc")
    same(quiet(tmp_path / "c.nc"))


@pytest.mark.form("images", "openEO, SNAP", "a folder with a NetCDF file a date", "paperlib check FOLDER labels.gpkg")
@pytest.mark.parametrize("timed", [True, False])
def test_a_netcdf_file_a_date(tmp_path, timed):
    for t, day in enumerate(DAYS):
        part = cube().isel(time=[t]) if timed else cube().isel(time=t, drop=True)
        part.to_dataset("band").to_netcdf(tmp_path / f"openEO_{day:%Y-%m-%d}Z.nc")
    assert find_tiles(tmp_path) == ()  # dates of one place, no tiles of a region
    scene = open_scene(tmp_path)
    same(scene)
    part = scene[2:5, 1:3, 3:9, 2:20]  # through dask: parts of it, which cross files
    np.testing.assert_allclose(part.compute().values, VALUES[2:5, 1:3, 3:9, 2:20], atol=1e-6)
    np.testing.assert_array_equal(part.mask.compute(), np.isnan(VALUES[0, 1:3, 3:9, 2:20]))
    chosen = open_scene(tmp_path, dates=["2018-05-15", "2018-11-15"])
    np.testing.assert_allclose(chosen.compute().values, VALUES[:, 1::2], atol=1e-6)
    before = fingerprint(tmp_path)
    (tmp_path / "openEO_2018-02-15Z.nc").unlink()  # which is still open
    cube().isel(time=[0], x=slice(5, None)).to_dataset("band").to_netcdf(tmp_path / "openEO_2018-02-15Z.nc")
    assert fingerprint(tmp_path) != before
    with pytest.raises(InputError, match="different pixels"):
        open_scene(tmp_path)


# -- masks and values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("where", ["cube", "files"])
def test_probabilities_of_cloud_are_no_mask(tmp_path, beside, where):
    """Earth Search has them under `cloud`. Beside an SCL they are left out, alone more than half is cloud."""
    share = np.broadcast_to(np.where(np.arange(ROWS)[:, None] < 10, 80, 12), (ROWS, COLUMNS)).astype("uint8")
    if where == "cube":
        data = cube().to_dataset("band").assign(cloud=(("time", "y", "x"), np.stack([share] * len(DAYS))))
        data = data.assign(SCL=xr.full_like(data["cloud"], 4)) if beside else data
        data.to_netcdf(path := tmp_path / "c.nc")
    else:
        path = tmp_path
        for t, day in enumerate(DAYS):
            for band in BANDS:
                tif(path / f"site_{day:%Y%m%d}_{band}.tif", image(band, t))
            tif(path / f"site_{day:%Y%m%d}_cloud.tif", share, nodata=None)
            if beside:
                tif(path / f"site_{day:%Y%m%d}_SCL.tif", flat(4), nodata=None)
    with pytest.warns(InputWarning, match="cloud left out" if beside else "more than 50 % are taken for cloud"):
        scene = open_scene(path)
    assert bool(scene.mask[:, 6:10, 6:].all()) is not beside and not scene.mask[:, 10:].any()


@pytest.mark.parametrize(
    "names, expected",
    [
        (["s2_2018.nc", "s2_2019.nc"], True), (["a_20180515.nc", "a_20180815.nc"], True),
        (["31TCJ.nc", "31TCK.nc"], False), (["31TCJ_2018.nc", "31TCK_2018.nc"], False),
        (["a_20180515.nc", "b_20180515.nc"], False),
    ],
)  # fmt: skip
def test_files_of_one_place_are_told_from_tiles_by_their_names(names, expected):
    assert are_dates([Path(name) for name in names]) is expected


def test_layers_of_a_vrt_have_nodata_values_of_their_own(tmp_path):
    text = f'<VRTDataset rasterXSize="{COLUMNS}" rasterYSize="{ROWS}"><SRS>EPSG:32631</SRS>'
    text += f"<GeoTransform>{', '.join(map(str, GRID.to_gdal()))}</GeoTransform>"
    for n, band in enumerate(BANDS):
        tif(tmp_path / f"{band}.tif", *stored(empty=(empty := -9999 if n % 2 else 0))[n], nodata=empty)
    for number, layer in enumerate(LAYERS, 1):
        band, date = layer.split()[1], (number - 1) // 10
        text += f'<VRTRasterBand dataType="Int16" band="{number}"><Description>{layer}</Description>'
        text += f"<NoDataValue>{-9999 if BANDS.index(band) % 2 else 0}</NoDataValue><SimpleSource>"
        text += f'<SourceFilename relativeToVRT="1">{band}.tif</SourceFilename><SourceBand>{date + 1}</SourceBand>'
        text += "</SimpleSource></VRTRasterBand>"
    (tmp_path / "s.vrt").write_text(text + "</VRTDataset>")
    same(quiet(tmp_path / "s.vrt"))


@pytest.mark.parametrize(
    "late, early, declared, expected",
    [
        (1000, 1000, 0.0, "although the file declares a scale without one"),
        (1000, 0, -0.1, "--offset 0 --offset-dates 2018-02-15,2018-05-15"),
        (0, 0, -0.1, "--offset 0 if that is so"),
        (1000, 1000, -0.1, ""),
    ],
)
def test_a_declared_offset_that_the_values_contradict_is_found(tmp_path, late, early, declared, expected):
    for t, day in enumerate(DAYS):
        values = stored(late if t > 1 else early, 0, "uint16")
        images = [image(band, t, values) for band in BANDS]
        tif(tmp_path / f"S2_{day:%Y%m%d}.tif", *images, names=BANDS, nodata=0, scale=1e-4, offset=declared)
    found = [
        finding.value + finding.fix for finding in value_problems(quiet(tmp_path)) if finding.kind == "scene.offset"
    ]
    assert len(found) == bool(expected) and expected in "".join(found)
    if "--offset-dates" in expected:
        mended = open_scene(tmp_path, offset=0.0, offset_dates="2018-02-15,2018-05-15")
        same(mended.compute())
        assert not value_problems(mended)


def test_numbers_of_16_bits_as_reflectance_are_refused(tmp_path):
    values = np.where(np.isnan(VALUES), 0, np.rint(np.nan_to_num(VALUES) * 65535)).astype("uint16")
    tif(tmp_path / "s.tif", *values.swapaxes(0, 1).reshape(40, ROWS, COLUMNS), names=LAYERS, nodata=0)
    (finding,) = value_problems(quiet(tmp_path / "s.tif"))
    assert finding.level == "error" and "--scale 65535" in finding.fix
    same(quiet(tmp_path / "s.tif", scale=65535.0), tolerance=1e-4)


@pytest.mark.parametrize(
    "name, said",
    [
        ("S2A_MSIL2A_20180515T105031.SAFE.zip", "Unpack it"),
        ("labels.gpkg", "The scene comes first"),
        ("https://example.org/items/S2A", "Save the STAC item"),
    ],
)
def test_what_is_no_scene_is_said(tmp_path, name, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "://" not in name:
        Path(name).write_bytes(b"")
    with pytest.raises(InputError, match=said):
        open_scene(name)


def test_products_of_level_1c_are_said(tmp_path):
    (tmp_path / "S2A_MSIL1C_20180515T105031_N0206_R051_T31TCJ_20180515T131517.SAFE").mkdir()
    with pytest.raises(InputError, match="get those of level 2A"):
        open_scene(tmp_path)
