"""Image files as openEO, FORCE, sen2r, sits, USGS, NASA, Earth Engine and others name and write them."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterio.shutil
import xarray as xr
from affine import Affine
from rasterio.features import rasterize
from rasterio.vrt import WarpedVRT
from shapely import box

from paperlib import InputError, open_scene
from paperlib.errors import InputWarning
from paperlib.scenes.findings import problems
from paperlib.scenes.meaning.judging import refuse_values
from paperlib.scenes.sensors import BANDS, roles_of
from support.series import COLUMNS, DAYS, GRID, PADDED, ROWS, VALUES, quiet, stored

LANDSAT = {"B2": "B2", "B3": "B3", "B4": "B4", "B8": "B5", "B11": "B6", "B12": "B7"}
CLOUD = (slice(20, 30), slice(5, 15))


def write(path: Path, images, nodata=None, names=None, tags=None, transform=GRID, crs="EPSG:32631", **profile) -> Path:
    """A GeoTIFF of images (layer, y, x)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = np.asarray(images)
    shape = dict(zip(("count", "height", "width"), images.shape, strict=True))
    with rasterio.open(
        path, "w", driver="GTiff", dtype=images.dtype, crs=crs, transform=transform, nodata=nodata, **shape, **profile
    ) as file:
        file.write(images)
        if names:
            file.descriptions = names
        if tags:
            file.scales, file.offsets = ([tag] * len(images) for tag in tags)
    return path


def digital(band: str, date: int, empty=-9999, dtype="int16", gain=1e-4, offset=0.0) -> np.ndarray:
    image = VALUES[BANDS.index(band), date]
    return np.where(np.isnan(image), empty, np.rint((np.nan_to_num(image) - offset) / gain)).astype(dtype)


def same(scene: xr.DataArray, tolerance=1e-6, cloud=None, bands=BANDS, names=None) -> None:
    """Reflectance, missing pixels, dates and places are those written, band by band."""
    assert sorted(scene.band.values) == sorted(names or bands) and list(scene.indexes["time"]) == list(DAYS)
    expected = VALUES[[BANDS.index(band) for band in bands]]
    scene = scene.sel(band=list(names or bands))
    np.testing.assert_allclose(scene.values, expected, atol=tolerance)
    mask = np.isnan(expected).any(axis=0)
    if cloud is not None:
        mask[:, *cloud] = True
    np.testing.assert_array_equal(scene.mask.values, mask)
    assert scene.rio.transform() == GRID and scene.rio.crs.to_epsg() == 32631


# -- names of files ----------------------------------------------------------------------------------------------------


@pytest.mark.form("images", "any", "folder of GeoTIFF, one a date and band", "paperlib check images labels.gpkg")
def test_a_file_a_date_and_band(tmp_path):
    for t, day in enumerate(DAYS):
        for band in ("B2", "B4", "B8"):
            write(tmp_path / "s" / f"MySite_{day:%Y%m%d}_{PADDED[band]}_10m.tif", digital(band, t)[None], -9999)
    same(quiet(tmp_path / "s"), bands=("B2", "B4", "B8"))


@pytest.mark.form(
    "images", "SCP of QGIS", "band sets, dates in the names of folders", "paperlib check images labels.gpkg"
)
def test_dates_in_folders_alone(tmp_path):
    """Band sets of SCP."""
    for t, day in enumerate(DAYS):
        for band in BANDS:
            write(tmp_path / "s" / f"{day:%Y-%m-%d}" / f"RT_{PADDED[band]}.tif", digital(band, t)[None], -9999)
    same(quiet(tmp_path / "s"))


@pytest.mark.form(
    "images", "openEO", "GeoTIFF a date, bands named in the STAC items beside", "paperlib check images labels.gpkg"
)
def test_openeo_names_bands_in_the_items_beside(tmp_path):
    for t, day in enumerate(DAYS):
        path = write(
            tmp_path / "s" / f"openEO_{day:%Y-%m-%d}Z.tif", [digital(b, t, -32768) for b in BANDS[::-1]], -32768
        )
        asset = {"href": f"./{path.name}", "eo:bands": [{"name": PADDED[band]} for band in BANDS[::-1]]}
        item = {"type": "Feature", "id": path.name, "properties": {"datetime": f"{day:%Y-%m-%d}T00:00:00Z"}}
        path.with_suffix(".tif.json").write_text(json.dumps(item | {"assets": {path.name: asset}}))
    same(quiet(tmp_path / "s"))


@pytest.mark.form(
    "images", "FORCE", "TSI: one file a band, dates as layer descriptions", "paperlib check images labels.gpkg"
)
def test_force_series_have_a_file_a_band(tmp_path):
    names = dict(zip(("B2", "B3", "B4", "B8A", "B5", "B6", "B7", "B8", "B11", "B12"), FORCE, strict=True))
    for band, name in names.items():
        path = tmp_path / "s" / f"2018-2018_001-365_HL_TSA_SEN2L_{name}_TSI.tif"
        write(path, [digital(band, t) for t in range(len(DAYS))], -9999, [f"{day:%Y%m%d}" for day in DAYS])
    same(quiet(tmp_path / "s"))


FORCE = ("BLU", "GRN", "RED", "NIR", "RE1", "RE2", "RE3", "BNR", "SW1", "SW2")


@pytest.mark.form("images", "FORCE", "BAP: one file a date, beside INF files", "paperlib check images labels.gpkg")
def test_force_composites_and_their_information_files(tmp_path):
    order = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
    names = ("BLUE", "GREEN", "RED", "REDEDGE1", "REDEDGE2", "REDEDGE3", "BROADNIR", "NIR", "SWIR1", "SWIR2")
    for t, day in enumerate(DAYS):
        write(tmp_path / f"{day:%Y%m%d}_LEVEL3_SEN2L_BAP.tif", [digital(band, t) for band in order], -9999, names)
        write(tmp_path / f"{day:%Y%m%d}_LEVEL3_SEN2L_INF.tif", np.full((6, ROWS, COLUMNS), 3, "int16"), -9999)
    with pytest.warns(InputWarning, match="4 files of INF are left out"):
        same(open_scene(tmp_path).compute())


@pytest.mark.form(
    "images",
    "sen2r",
    "one file a date, layers without names",
    "paperlib check images labels.gpkg --bands B1,B2,B3,B4,B5,B6,B7,B8,B8A,B11,B12",
)
def test_layers_without_names_are_named_by_an_option(tmp_path):
    """sen2r: eleven layers; 051 is the orbit, 10 the pixel size."""
    order = ("B2", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")
    for t, day in enumerate(DAYS):
        path = tmp_path / "s" / f"S2A2A_{day:%Y%m%d}_051_site_BOA_10.tif"
        write(path, [digital(band, t, 65535, "uint16") for band in order], 65535)
    with pytest.raises(InputError, match=r"11 layers without names.*--bands B1,B2"):
        open_scene(tmp_path / "s")
    scene = quiet(tmp_path / "s", bands=("B1", *order[1:]))
    same(scene[1:], names=None)


@pytest.mark.form(
    "images", "sits", "satellite_sensor_tile_band_date, GeoTIFF or JPEG 2000", "paperlib check images labels.gpkg"
)
@pytest.mark.parametrize("suffix", ["tif", "jp2"])
def test_local_cubes_of_sits(tmp_path, suffix):
    """The tile is six digits, and no date."""
    for t, day in enumerate(DAYS):
        for band in BANDS:
            path = tmp_path / "s" / f"SENTINEL-2_MSI_012010_{PADDED[band]}_{day:%Y-%m-%d}.tif"
            write(path, digital(band, t, 0, "uint16")[None], 0)
            if suffix == "jp2":
                options = {"REVERSIBLE": "YES", "QUALITY": "100"}
                rasterio.shutil.copy(path, path.with_suffix(".jp2"), driver="JP2OpenJPEG", **options)
                path.unlink()
                for side in path.parent.glob("*.aux.xml"):
                    side.unlink()
    same(quiet(tmp_path / "s"))


@pytest.mark.form(
    "images",
    "USGS",
    "folders of Landsat Collection 2 as downloaded, with QA_PIXEL",
    "paperlib check images labels.gpkg",
)
def test_landsat_collection_2(tmp_path):
    """Two dates in a name, scale and offset that no tag says, QA_PIXEL by bits, a grid of its own each."""
    for t, day in enumerate(DAYS):
        name = f"LC08_L2SP_198030_{day:%Y%m%d}_20200902_02_T1"
        for band, theirs in LANDSAT.items():
            image = digital(band, t, 0, "uint16", 2.75e-5, -0.2)[None]
            write(tmp_path / name / f"{name}_SR_{theirs}.TIF", image, 0)
        quality = np.where(np.isnan(VALUES[0, t]), 1, 21824).astype("uint16")
        quality[CLOUD] = 22280
        write(tmp_path / name / f"{name}_QA_PIXEL.TIF", quality[None], 1)
    scene = quiet(tmp_path)
    same(scene, 2e-5, CLOUD, tuple(LANDSAT), [f"SR_{name}" for name in LANDSAT.values()])
    assert roles_of(scene.band.values, scene.attrs["sensor"])["nir"] == "SR_B5"


@pytest.mark.form("images", "NASA", "HLS as downloaded, with Fmask", "paperlib check images labels.gpkg")
def test_hls(tmp_path):
    """Year and day of the year; the scale stands in a tag; Fmask by bits."""
    fmask = np.zeros((1, ROWS, COLUMNS), "uint8")
    fmask[0, *CLOUD] = 2
    for t, day in enumerate(DAYS):
        name = f"HLS.S30.T31TCJ.{day:%Y%j}T105031.v2.0"
        for band in BANDS:
            write(tmp_path / f"{name}.{PADDED[band]}.tif", digital(band, t)[None], -9999, tags=(1e-4, 0.0))
        write(tmp_path / f"{name}.Fmask.tif", fmask, 255)
    scene = quiet(tmp_path)
    same(scene, cloud=CLOUD)
    assert scene.attrs["sensor"] == "hls-s30"


@pytest.mark.form(
    "images",
    "Earth Engine",
    "toBands(), layers by image id and band",
    "paperlib check stack.tif labels.gpkg --nodata 0",
)
def test_earth_engine_stack(tmp_path):
    """toBands(): the image's id and the band; no nodata tag, 0 outside."""
    names = [f"{day:%Y%m%d}T105131_{day:%Y%m%d}T105128_T31TCJ_{band}" for day in DAYS for band in BANDS]
    images = [digital(band, t, 0, "uint16") for t in range(len(DAYS)) for band in BANDS]
    same(quiet(write(tmp_path / "s.tif", images, None, names)))
    assert any("--nodata 0" in finding.fix for finding in problems(tmp_path / "s.tif"))


@pytest.mark.form(
    "images",
    "any",
    "names of files that only their owner understands",
    "paperlib check images labels.gpkg --pattern {}.{band}.{}.{date}.x",
)
def test_a_pattern_of_the_user(tmp_path):
    for t, day in enumerate(DAYS):
        for band in ("B4", "B8"):
            write(tmp_path / "s" / f"red.{band}.20200101.{day:%Y%m%d}.x.tif", digital(band, t)[None], -9999)
    same(quiet(tmp_path / "s", pattern="{}.{band}.{}.{date}.x"), bands=("B4", "B8"))
    same(quiet(tmp_path / "s"), bands=("B4", "B8"))  # the first date is the same in all files
    with pytest.raises(InputError, match=r"does not fit the pattern.*--pattern"):
        open_scene(tmp_path / "s", pattern="{date}_{band}")
    with pytest.raises(InputError, match=r"\{when\} is not known"):
        open_scene(tmp_path / "s", pattern="{when}_{band}")


def test_a_band_that_lacks_at_a_date_is_named(tmp_path):
    for t, day in enumerate(DAYS):
        for band in ("B4", "B8")[: 1 if t == 2 else 2]:
            write(tmp_path / "s" / f"{day:%Y%m%d}_{band}.tif", digital(band, t)[None], -9999)
    with pytest.raises(InputError, match=r"B8 is missing at 2018-08-15.*--bands B4"):
        open_scene(tmp_path / "s")
    assert quiet(tmp_path / "s", bands=["B4"]).sizes["time"] == 4


@pytest.mark.form("images", "any", "STAC item collection with images on disk", "paperlib check items.json labels.gpkg")
def test_stac_items_with_local_images(tmp_path):
    items = []
    for t, day in enumerate(DAYS):
        assets = {}
        for band, name in (("B4", "red"), ("B8", "nir"), ("B5", "rededge1")):
            path = write(tmp_path / "data" / f"{t}_{name}.tif", digital(band, t, 0, "uint16", 1e-4, -0.1)[None], None)
            about = {"raster:bands": [{"scale": 1e-4, "offset": -0.1, "nodata": 0}], "roles": ["data"]}
            assets[name] = {"href": f"data/{path.name}"} | about
        scl = np.full((1, ROWS, COLUMNS), 4, "uint8")
        scl[0, *CLOUD] = 9
        write(tmp_path / "data" / f"{t}_scl.tif", scl)
        assets |= {"scl": {"href": f"data/{t}_scl.tif"}, "thumbnail": {"href": "t.jpg", "roles": ["thumbnail"]}}
        properties = {"datetime": f"{day:%Y-%m-%d}T10:50:31Z", "platform": "sentinel-2b"}
        items.append({"type": "Feature", "id": str(t), "properties": properties, "assets": assets})
    path = tmp_path / "items.json"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    same(quiet(path), cloud=CLOUD, bands=("B4", "B8", "B5"))
    items[0]["assets"]["red"]["href"] = "http://example.org/red.tif"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    with pytest.raises(InputError, match=r"example.org.*Give an https address"):
        open_scene(path)


# -- values ------------------------------------------------------------------------------------------------------------


def stack(path: Path, images=None, nodata=-9999, described=True, **more) -> Path:
    images = stored().swapaxes(0, 1).reshape(-1, ROWS, COLUMNS) if images is None else images
    names = [f"{day:%Y-%m-%d} {PADDED[band]}" for day in DAYS for band in BANDS] if described else None
    return write(path, images, nodata, names, **more)


@pytest.mark.form(
    "images", "any", "GeoTIFF with scale and offset in band tags, also by date", "paperlib check stack.tif labels.gpkg"
)
def test_scale_and_offset_of_tags_and_of_dates(tmp_path):
    """The scale of each layer counts, also where offsets change between dates; compared with GDAL's own."""
    later = np.array([0, 0, 1000, 1000])[:, None, None, None]
    images = np.where(np.isnan(VALUES.swapaxes(0, 1)), 0, np.rint(np.nan_to_num(VALUES.swapaxes(0, 1)) * 10000) + later)
    path = stack(tmp_path / "s.tif", images.reshape(-1, ROWS, COLUMNS).astype("uint16"), 0)
    with rasterio.open(path, "r+") as file:
        file.scales = [1e-4] * file.count
        file.offsets = [0.0] * 20 + [-0.1] * 20
    same(quiet(path))
    with rasterio.open(path) as file:
        raw = file.read(1, masked=True)
        np.testing.assert_allclose(
            quiet(path)[0, 0].values, (raw * file.scales[0] + file.offsets[0]).filled(np.nan), atol=1e-6
        )


@pytest.mark.form(
    "images", "any", "offsets that differ between dates",
    "paperlib check stack.tif labels.gpkg --offset -0.1 --offset-dates 2022-01-25..",
)  # fmt: skip
def test_an_offset_of_some_dates_alone(tmp_path):
    """Where the files say nothing, and where they say another one."""
    later = np.array([0, 0, 1000, 1000])[:, None, None, None]
    images = np.where(np.isnan(VALUES.swapaxes(0, 1)), 0, np.rint(np.nan_to_num(VALUES.swapaxes(0, 1)) * 10000) + later)
    path = stack(tmp_path / "s.tif", images.reshape(-1, ROWS, COLUMNS).astype("uint16"), 0)
    same(quiet(path, offset=-0.1, offset_dates="2018-08-15.."))
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = [1e-4] * file.count, [-0.1] * file.count
    same(quiet(path, offset=0.0, offset_dates="..2018-07"))


@pytest.mark.form("images", "any", "images of 8 bits", "paperlib check stack.tif labels.gpkg --scale 0.00392")
def test_eight_bits_are_refused_in_training_until_they_are_meant(tmp_path):
    images = np.where(np.isnan(VALUES), 0, np.clip(np.nan_to_num(VALUES) / 0.35 * 255, 1, 255))
    path = stack(tmp_path / "s.tif", images.swapaxes(0, 1).reshape(-1, ROWS, COLUMNS).astype("uint8"), 0)
    (finding,) = problems(path)
    assert finding.level == "error" and "8 bits" in finding.value and "--scale" in finding.fix
    with pytest.raises(InputError, match=r"8 bits.*--scale"):
        refuse_values(quiet(path))
    scene = quiet(path, scale=0.35 / 255)
    refuse_values(scene)
    np.testing.assert_allclose(np.nanmedian(scene), np.nanmedian(np.clip(VALUES, 0, 0.35)), atol=2e-3)


@pytest.mark.form(
    "images",
    "GDAL",
    "GeoTIFF with a mask inside, beside (.msk) or as alpha layer",
    "paperlib check stack.tif labels.gpkg",
)
@pytest.mark.parametrize("kind", ["inside", "beside", "alpha"])
def test_masks_of_files(tmp_path, kind):
    """Stored numbers there look like reflectance; GDAL's own mask is the truth."""
    images = np.maximum(stored(0, 500).swapaxes(0, 1).reshape(-1, ROWS, COLUMNS), 1)
    inside = np.full((ROWS, COLUMNS), 255, "uint8")
    inside[:, -8:] = 0
    if kind == "alpha":
        path = write(tmp_path / "s.tif", [*images, inside], None, photometric="MINISBLACK")
        with rasterio.open(path, "r+") as file:
            file.descriptions = [f"{day:%Y-%m-%d} {PADDED[band]}" for day in DAYS for band in BANDS] + [None]
            file.colorinterp = [rasterio.enums.ColorInterp.gray] * 40 + [rasterio.enums.ColorInterp.alpha]
    else:
        path = stack(tmp_path / "s.tif", images, None)
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=kind == "inside"), rasterio.open(path, "r+") as file:
            file.write_mask(inside)
    with rasterio.open(path) as file:
        outside = (file.read(file.count) if kind == "alpha" else file.read_masks(1)) == 0
    scene = quiet(path)
    assert outside.sum() == 8 * ROWS and scene.sizes["band"] == 10
    np.testing.assert_array_equal(scene.mask.values, np.broadcast_to(outside, scene.shape[1:]))
    np.testing.assert_array_equal(np.isnan(scene.values), np.broadcast_to(outside, scene.shape))
    out = np.empty(scene.shape, np.float32)
    mask = open_scene(path).encoding["series"][1].read(slice(0, ROWS), slice(0, COLUMNS), out)
    np.testing.assert_array_equal(out, scene.values)
    np.testing.assert_array_equal(mask, scene.mask.values)


@pytest.mark.form(
    "images",
    "any",
    "GeoTIFF with a nodata value that no tag declares",
    "paperlib check stack.tif labels.gpkg --nodata 7777",
)
def test_nodata_that_no_tag_says(tmp_path):
    same(quiet(stack(tmp_path / "s.tif", nodata=None)))
    other = stack(tmp_path / "o.tif", stored(0, 7777).swapaxes(0, 1).reshape(-1, ROWS, COLUMNS), None)
    same(quiet(other, nodata=7777))


# -- order of layers ---------------------------------------------------------------------------------------------------


def ordered(tmp_path: Path, name: str) -> Path:
    values = stored(0, -10000)  # (band, time, y, x)
    esa = values[[BANDS.index(band) for band in ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")]]
    images = {"fine": values.swapaxes(0, 1), "band_major": values, "esa_order": esa.swapaxes(0, 1)}[name]
    path = stack(tmp_path / f"{name}.tif", images.reshape(-1, ROWS, COLUMNS), -10000, described=False)
    path.with_suffix(".dates.txt").write_text("\n".join(f"{day:%Y-%m-%d}" for day in DAYS))
    return path


@pytest.mark.form(
    "images",
    "any",
    "GeoTIFF stack, all dates of a band together",
    "paperlib check stack.tif labels.gpkg --pattern band-major",
)
def test_another_order_of_layers_is_found_from_the_values(tmp_path):
    assert problems(ordered(tmp_path, "fine")) == []
    for name, words in (("band_major", "all dates of the first band"), ("esa_order", "ESA's order")):
        (finding,) = problems(ordered(tmp_path, name))
        assert finding.kind == "scene.order" and words in finding.value and "--pattern band-major" in finding.fix
    same(quiet(tmp_path / "band_major.tif", pattern="band-major"))
    same(quiet(tmp_path / "esa_order.tif", bands=["B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12"]))
    with (tmp_path / "band_major.dates.txt").open("a") as file:
        file.write("\norder: band-major\n")
    same(quiet(tmp_path / "band_major.tif"))


# -- places ------------------------------------------------------------------------------------------------------------


@pytest.mark.form("images", "any", "dates on grids of their own", "paperlib check images labels.gpkg")
def test_images_on_grids_of_their_own_are_joined(tmp_path):
    """Dates that are shifted by whole pixels: nothing is resampled, the scene covers them all."""
    for t, day in enumerate(DAYS):
        for band in ("B4", "B8"):
            image, move = digital(band, t)[t:, t:], Affine.translation(t, t)
            write(tmp_path / "s" / f"{day:%Y%m%d}_{band}.tif", image[None], -9999, transform=GRID @ move)
    scene = quiet(tmp_path / "s")
    assert scene.rio.transform() == GRID and scene.shape[2:] == (ROWS, COLUMNS)
    for t in range(len(DAYS)):
        np.testing.assert_allclose(scene[:, t, t:, t:].values, VALUES[[2, 3], t, t:, t:], atol=1e-6)
        assert scene.mask[t, :t].all() and scene.mask[t, :, :t].all()
    lazy = open_scene(tmp_path / "s")[..., 1:9, 2:13]
    xr.testing.assert_equal(lazy.compute(), scene[..., 1:9, 2:13])


@pytest.mark.form("images", "any", "dates in another UTM zone", "paperlib check images labels.gpkg")
def test_windows_of_a_warped_scene_equal_the_whole(tmp_path):
    """Files in another zone beside those of the scene, in windows and whole, against one exact warp of GDAL."""
    for t, day in enumerate(DAYS):
        crs, path = "EPSG:32631" if t else "EPSG:32630", tmp_path / "s" / f"{day:%Y%m%d}_B4.tif"
        image = digital("B4", t)[None]
        if t:
            write(path, image, -9999)
            continue
        with (
            rasterio.open(write(tmp_path / "here.tif", image, -9999)) as here,
            WarpedVRT(here, crs=crs, tolerance=1e-6) as there,
        ):
            write(path, there.read(), -9999, transform=there.transform, crs=crs)
    for resampling in ("nearest", "bilinear"):
        lazy = open_scene(tmp_path / "s", resampling=resampling)
        whole = lazy.compute()
        for y, x in ((slice(0, 7), slice(0, 9)), (slice(5, 31), slice(8, 21)), (slice(30, 40), slice(17, 30))):
            xr.testing.assert_equal(lazy[..., y, x].compute(), whole[..., y, x])
    with rasterio.open(tmp_path / "s" / "20180215_B4.tif") as source, WarpedVRT(
        source, crs="EPSG:32631", transform=whole.rio.transform(), height=whole.sizes["y"], width=whole.sizes["x"],
        tolerance=1e-6, XSCALE="1", YSCALE="1", resampling=rasterio.enums.Resampling.bilinear,
    ) as exact:  # fmt: skip
        expected = exact.read(1, masked=True).astype(float).filled(np.nan) / 10000
    np.testing.assert_allclose(whole[0, 0].values, expected, atol=2e-4)


@pytest.mark.form("images", "Earth Engine, any", "GeoTIFF in degrees", "paperlib check stack.tif labels.gpkg")
@pytest.mark.parametrize("epsg", [4326, 4258])
def test_degrees_against_an_exact_warp_and_a_burn(tmp_path, epsg):
    with (
        rasterio.open(stack(tmp_path / "utm.tif")) as here,
        WarpedVRT(here, crs=f"EPSG:{epsg}", tolerance=1e-6) as there,
    ):
        path = stack(tmp_path / "s.tif", there.read(), transform=there.transform, crs=f"EPSG:{epsg}")
    with pytest.warns(InputWarning, match=f"degrees.*EPSG:{epsg}.*10 m"):
        lazy = open_scene(path, resampling="nearest")
    scene = lazy.compute()
    assert scene.rio.resolution() == (10, -10)
    with rasterio.open(path) as source, WarpedVRT(
        source, crs=scene.rio.crs, transform=scene.rio.transform(), height=scene.sizes["y"], width=scene.sizes["x"],
        tolerance=1e-6,
    ) as exact:  # fmt: skip
        expected = exact.read(1, masked=True).astype(float).filled(np.nan) / 10000
    np.testing.assert_allclose(scene[0, 0].values, expected, atol=1e-6)
    for y, x in ((slice(0, 7), slice(0, 9)), (slice(5, 31), slice(8, 21))):
        xr.testing.assert_equal(lazy[..., y, x].compute(), scene[..., y, x])


@pytest.mark.form("images", "any", "south-up, pixel-is-point, BigTIFF", "paperlib check stack.tif labels.gpkg")
@pytest.mark.parametrize("form", ["south-up", "point", "bigtiff"])
def test_forms_of_geotiff(tmp_path, form):
    images = stored().swapaxes(0, 1).reshape(-1, ROWS, COLUMNS)
    if form == "south-up":
        turned = Affine(10, 0, GRID.c, 0, 10, GRID.f - 10 * ROWS)
        path = stack(tmp_path / "s.tif", images[:, ::-1], transform=turned)
    elif form == "point":
        with rasterio.Env(GTIFF_POINT_GEO_IGNORE=False):
            path = stack(tmp_path / "s.tif")
            with rasterio.open(path, "r+") as file:
                file.update_tags(AREA_OR_POINT="Point")
    else:
        path = stack(tmp_path / "s.tif", bigtiff="YES")
    with rasterio.open(path) as file:
        place = box(*rasterio.windows.bounds(rasterio.windows.Window(4, 6, 5, 7), file.transform))
        expected = rasterize([place], (ROWS, COLUMNS), transform=file.transform, dtype="uint8")
    scene = quiet(path)
    found = rasterize([place], (ROWS, COLUMNS), transform=scene.rio.transform(), dtype="uint8")
    np.testing.assert_array_equal(found if form != "south-up" else found[::-1], expected)
    same(scene)


@pytest.mark.form("images", "GDAL", "VRT", "paperlib check stack.vrt labels.gpkg")
def test_a_vrt_of_files(tmp_path):
    stack(tmp_path / "source.tif")
    rasterio.shutil.copy(tmp_path / "source.tif", tmp_path / "s.vrt", driver="VRT")
    same(quiet(tmp_path / "s.vrt"))


@pytest.mark.form(
    "images", "Theia", "Sentinel-2 L2A products, also cut to an area", "paperlib check products labels.gpkg"
)
def test_products_of_l2a_cut_to_an_odd_size(tmp_path):
    """A cut of 29 x 36 pixels of 10 m with 15 x 18 of 20 m: read by georeference, as a scene."""
    name = "SENTINEL2A_20180815-105021-460_L2A_T31TCJ_C_V2-2"
    fine, coarse = np.full((1, 29, 36), 1000, "int16"), np.full((1, 15, 18), 2000, "int16")
    for band in BANDS:
        ten = band in ("B2", "B3", "B4", "B8")
        step = GRID if ten else GRID @ Affine.scale(2)
        write(tmp_path / name / f"{name}_FRE_{band}.tif", fine if ten else coarse, -10000, transform=step)
    cloud = np.zeros((1, 29, 36), "uint8")
    cloud[0, :3] = 1
    write(tmp_path / name / "MASKS" / f"{name}_CLM_R1.tif", cloud)
    for path in (tmp_path, tmp_path / name):
        scene = quiet(path)
        assert scene.shape == (10, 1, 29, 36) and scene.mask[0, :3].all() and not scene.mask[0, 3:].any()
        assert (scene.sel(band="B5")[0] == np.float32(0.2)).all() and (scene.sel(band="B4") == np.float32(0.1)).all()


def test_nothing_to_read_is_explained(tmp_path):
    write(tmp_path / "s" / "photo.tif", np.ones((3, 4, 5), "uint8"))
    with pytest.raises(InputError, match=r"no date is found.*--pattern"):
        open_scene(tmp_path / "s")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        assert [finding.level for finding in problems(tmp_path / "s")] == ["error"]
    assert pd.Timestamp("2018-02-15") == DAYS[0]
