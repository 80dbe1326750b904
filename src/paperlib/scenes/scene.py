"""Open a series of images as one lazy labelled array."""

import re
from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from ..errors import InputError
from .cubes.cube import open_cube
from .cubes.several import FILES, find_cubes, open_cubes
from .formats.l2a import find_folders, open_l2a
from .formats.loose import find_images, open_loose
from .formats.stac_items import open_items
from .formats.stack import open_stack
from .formats.theia import BAND_FILE, open_theia
from .meaning.choices import check_choices

#: Kind of a scene -> its reader, which takes a path and `Choices` and returns the lazy array.
READERS = {
    "theia_l3a": open_theia, "l2a": open_l2a, "files": open_loose, "stack": open_stack, "cube": open_cube,
    "cubes": open_cubes, "stac": open_items,
}  # fmt: skip
STACKS = (".tif", ".tiff", ".vrt", ".img", ".dat", ".bsq", ".bil", ".bip", ".jp2")
CUBES = FILES
#: Suffix of a file -> kind of the scene. Folders are recognised by their contents.
KINDS = dict.fromkeys(STACKS, "stack") | dict.fromkeys(FILES, "cube") | dict.fromkeys((".json", ".geojson"), "stac")


def open_scene(
    path: str | Path,
    resampling: str = "bilinear",
    bands: Sequence[str] | None = None,
    dates: Sequence | None = None,
    *,
    sensor: str = "",
    scale: float | None = None,
    offset: float | None = None,
    offset_dates: str = "",
    nodata: float | None = None,
    mask_classes: Sequence[int] | None = None,
    pixel: str = "",
    every: str = "",
    pattern: str = "",
) -> xr.DataArray:
    """Open a series of images as one lazy array; pixels are read when a part of it is computed, and only that part.

    Parameters
    ----------
    path: one of
        a Theia L3A product folder, or a folder of them (native file names);
        a Sentinel-2 L2A product of ESA (.SAFE) or Theia, or a folder of them;
        a STAC item or item collection (.json) whose images lie on disk or behind https addresses;
        a folder of GeoTIFF or JPEG 2000 files, one a date and band, one a date, or one a band, by their names;
        a GeoTIFF stack with its dates and bands in its layer descriptions ("2018-04-29 B2"), or date-major (all bands of
        the first date, then of the second, ...) with its dates in the argument `dates`, or in a text file
        `<stem>.dates.txt` beside it: one date a line and, where the bands are not the ten of Sentinel-2 in the order of
        `sensors.BANDS`, lines like "bands: B2 B3 B4 B8" and "order: band-major";
        a NetCDF file, a folder of them, or a Zarr folder, with one variable (band, time, y, x) or one variable (time, y, x)
        a band, in any order and under the usual names, and optionally quality layers.
    resampling: "nearest", "bilinear" or "cubic": how coarser bands and other grids come to the grid of the scene.
    bands: the bands wanted, in this order. Default: the default bands of the sensor that the scene holds.
    dates: ISO or YYYYMMDD texts, or dates. Of a stack: those of its layers; else a selection. Default: all.
    sensor: a name of `sensors.SENSORS`, where names of bands leave it open.
    scale, offset: reflectance is stored value x scale + offset. A scale above 2 is what reflectance 1 is stored as, an
        offset beyond 2 is in stored units. Default: what the files declare; without that integers are reflectance x 10000,
        floats are reflectance.
    offset_dates: dates to which `offset` applies, like "2018-08-15,2018-11-15", or ranges like "2022-01-25..", "..2022";
        others keep what the files declare. Default: all.
    nodata: the stored value where there is nothing. Default: what the files declare; without that 0 of unsigned
        integers, -9999 and less of others.
    mask_classes: classes of the quality layer that must not be used (SCL 3, 8, 9, ...), or bits of one of bits (QA_PIXEL).
    pixel: "centre" or "corner": what x and y of a cube are. Default: centres, but of stackstac's cubes corners.
    every: "month", or days like "16D": composites of such periods, each the median of its usable acquisitions.
    pattern: how files are named, like "{}_{date}_{band}"; of a stack without names "date-major" or "band-major".

    Returns
    -------
    float32 reflectance (band, time, y, x), NaN where nodata; coordinates band, time (ascending), y, x (pixel centres
    in metres, north up), spatial_ref, and mask (time, y, x): True where a pixel must not be used (nodata in a band;
    cloud where there is a quality layer). attrs: source, product (as `kind_of` says), resampling, scale (the stored value
    of reflectance 1), sensor ("" where it is not known). Several acquisitions of a day are one date. Slice y and x in one
    step and before choosing bands or a date: otherwise dask reads whole blocks of 1024 x 1024 pixels.

    Raises `InputError` when the path is not there or not one of these, a file cannot be read, a band, a date or the CRS
    is missing, or something stays ambiguous; warns (`InputWarning`) of what is assumed or left out.
    """
    choices = check_choices(
        resampling=resampling, bands=bands, dates=dates, sensor=sensor, scale=scale, offset=offset,
        offset_dates=offset_dates, nodata=nodata, mask_classes=mask_classes, pixel=pixel, every=every, pattern=pattern,
    )  # fmt: skip
    return READERS[kind_of(path)](Path(path), choices)


def kind_of(path: str | Path) -> str:
    """ "theia_l3a", "l2a", "files", "stack", "cube", "cubes" or "stac".

    Raises `InputError` when there is nothing, or nothing known.
    """
    path = Path(path)
    if not path.exists() and re.match(r"https?:/", str(path)):
        raise InputError(
            f"{path} is an address, not a path.",
            "Save the STAC item or item collection behind it as a .json file and give that; or use `paperlib fetch`.",
            kind="scene.path",
        )
    if not path.exists():
        raise InputError(
            f"{path} does not exist.",
            f"Check the path, seen from {Path.cwd()}. Give a folder of images, a GeoTIFF stack, a NetCDF or Zarr cube.",
            kind="scene.path",
        )
    if path.is_dir():
        if path.suffix == ".zarr" or any((path / name).exists() for name in ("zarr.json", ".zgroup", ".zmetadata")):
            return "cube"
        if find_folders(path):
            return "l2a"
        images = find_images(path)
        if not images and find_cubes(path):
            return "cubes"
        return "files" if images and not any(BAND_FILE.fullmatch(image.name) for image in images) else "theia_l3a"
    suffix = path.suffix.lower()
    if suffix in STACKS and BAND_FILE.fullmatch(path.name):
        raise InputError(
            f"{path} is one band of a product.", f"Give the folder that holds it: {path.parent}", kind="scene.path"
        )
    if suffix not in KINDS:
        raise InputError(
            f"{path} is no known scene.",
            f"{_hint(path)}A folder of images, a stack ({', '.join(STACKS[:3])}, ...), a NetCDF file ({', '.join(FILES)}) "
            "or a .zarr folder is expected.",
            kind="scene.path",
        )
    return KINDS[suffix]


def _hint(path: Path) -> str:
    """What a file of another kind probably is."""
    suffix = path.suffix.lower()
    if suffix in (".zip", ".tar", ".gz", ".tgz", ".7z"):
        return "Unpack it and give what was in it. "
    if suffix in (".gpkg", ".shp", ".kml", ".csv", ".fgb"):
        return "Are these the labels? The scene comes first: SCENE POLYGONS. "
    return ""
