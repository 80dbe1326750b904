"""Open a series of images as one lazy labelled array."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import xarray as xr

from ..errors import InputError
from ..settings import RESAMPLINGS
from .dates import select_dates
from .formats.cube import open_cube
from .formats.stack import open_stack
from .formats.theia import BAND_FILE, choose_bands, find_products, open_theia

STACKS = (".tif", ".tiff", ".vrt")
CUBES = (".nc", ".nc4")


def open_scene(
    path: str | Path, resampling: str = "bilinear", bands: Sequence[str] | None = None, dates: Sequence | None = None
) -> xr.DataArray:
    """Open a monthly series as one lazy array; pixels are read when a part of it is computed, and only that part.

    Parameters
    ----------
    path: one of
        a Theia L3A product folder, or a folder of them (native file names);
        a date-major GeoTIFF stack (all bands of the first date, then of the second, ...) with its dates in the argument
        `dates`, in its band descriptions ("2018-04-29 B2"), or in a text file `<stem>.dates.txt` beside it: one date a
        line and, where the bands are not those of the paper in its order, a line like "bands: B2 B3 B4 B8";
        a NetCDF file or Zarr folder with one variable (band, time, y, x) or one variable (time, y, x) a band, and
        optionally `mask` (time, y, x). Integers are reflectance x 10000, floats are reflectance.
    resampling: "nearest", "bilinear" or "cubic": how 20 m bands of products come to the 10 m grid.
    bands: the bands wanted, in this order. Default: those of `sensors.BANDS` that the scene holds.
    dates: ISO or YYYYMMDD texts, or dates. Of a stack: those of its layers; else a selection. Default: all.

    Returns
    -------
    float32 reflectance (band, time, y, x), NaN where nodata; coordinates band, time (ascending), y, x (pixel centres
    in metres, north up), spatial_ref, and mask (time, y, x): True where a pixel must not be used (nodata in a band;
    cloud where products have MASKS). attrs: source, product ("theia_l3a", "stack" or "cube"), resampling, scale (the
    stored value of reflectance 1). Slice y and x in one step and before choosing bands or a date: otherwise dask
    reads whole blocks of 1024 x 1024 pixels.

    Raises `InputError` when the path is not there or not one of these, a file cannot be read, or a band, a date or the
    CRS is missing.
    """
    if resampling not in RESAMPLINGS:
        raise InputError(f"resampling = {resampling!r}; choose one of {', '.join(RESAMPLINGS)}.")
    if isinstance(bands, str) or (bands is not None and len(set(bands)) != len(bands)):
        raise InputError(f"bands = {bands!r}; a list of different names is expected, like bands=['B2', 'B8'].")
    if isinstance(dates, str):
        raise InputError(f"dates = {dates!r}; a list is expected, like dates=['2018-08-15'].")
    path, kind = Path(path), kind_of(path)
    attrs = {"source": str(path), "resampling": resampling}
    if kind == "cube":
        return open_cube(path, bands, dates, **attrs)
    if kind == "stack":
        return open_stack(path, bands, dates, **attrs)
    products = find_products(path)
    chosen = select_dates(pd.DatetimeIndex([product.date for product in products]), dates, path)
    products = [products[index] for index in chosen]
    return open_theia(products, choose_bands(products, bands), **attrs)


def kind_of(path: str | Path) -> str:
    """ "theia_l3a", "stack" or "cube". Raises `InputError` when there is nothing, or nothing known."""
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist. Give a folder of products, a GeoTIFF stack, a NetCDF or Zarr cube.")
    if path.is_dir():
        is_zarr = path.suffix == ".zarr" or any((path / name).exists() for name in ("zarr.json", ".zgroup"))
        return "cube" if is_zarr else "theia_l3a"
    suffix = path.suffix.lower()
    if suffix in STACKS and BAND_FILE.fullmatch(path.name):
        raise InputError(f"{path} is one band of a product; give the folder that holds it: {path.parent}")
    if suffix not in STACKS + CUBES:
        raise InputError(
            f"{path} is no known scene: a folder of Theia L3A products, a GeoTIFF stack ({', '.join(STACKS)}), a "
            f"NetCDF file ({', '.join(CUBES)}) or a .zarr folder is expected."
        )
    return "stack" if suffix in STACKS else "cube"
