"""Open a monthly series as one lazy labelled array, cut it into windows, and tell whether its files changed."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import xarray as xr

from ..errors import InputError
from ..settings import RESAMPLINGS
from . import sensors
from .cube import open_cube
from .dates import parse_dates, select_dates
from .rasters import NODATA, RasterFile, read_header
from .series import RasterSeries, assemble
from .theia import BAND_FILE, choose_bands, find_products, open_theia

STACKS = (".tif", ".tiff", ".vrt")
CUBES = (".nc", ".nc4")
LAYER = re.compile(r"(?P<date>\d{4}-?\d{2}-?\d{2})[ _](?P<band>\w+)")


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
    path, kind = Path(path), _kind(path)
    attrs = {"source": str(path), "resampling": resampling}
    if kind == "cube":
        return open_cube(path, bands, dates, **attrs)
    if kind == "stack":
        return open_stack(path, bands, dates, **attrs)
    products = find_products(path)
    chosen = select_dates(pd.DatetimeIndex([product.date for product in products]), dates, path)
    products = [products[index] for index in chosen]
    return open_theia(products, choose_bands(products, bands), **attrs)


def _kind(path: str | Path) -> str:
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


def open_stack(path: Path, bands: Sequence[str] | None, dates: Sequence | None, **attrs) -> xr.DataArray:
    """The lazy array of `open_scene` of a date-major GeoTIFF stack. Reads its header and dates only."""
    header = read_header(path)
    days, held = _described(path, header.descriptions) or _sidecar(path) or (None, None)
    if dates is not None:
        days = parse_dates(dates, "argument dates")
    if days is None:
        raise InputError(
            f"The dates of {path} are not known. Say them in one of three ways: open_scene(path, dates=['2018-04-29', "
            f"...]); band descriptions like '2018-04-29 B2'; or a file {_dates_file(path)} with one date a line."
        )
    held = held or sensors.BANDS
    if header.count != len(days) * len(held):
        raise InputError(
            f"{path} has {header.count} layers; {len(days)} dates x {len(held)} bands ({' '.join(held)}) are "
            f"{len(days) * len(held)}. Correct the dates, or say the bands of each date in a line 'bands: B2 B3 ...' "
            f"of {_dates_file(path).name}. To take some of the dates, slice the scene."
        )
    chosen = tuple(bands) if bands is not None else held
    absent = [band for band in chosen if band not in held]
    if absent:
        raise InputError(f"{path} has no band {', '.join(absent)}; it has {' '.join(held)}.")
    order = select_dates(days, None, path)
    integer = header.dtype.kind in "iu"
    file = RasterFile(path, NODATA if header.nodata is None and integer else header.nodata)
    scale = 10000.0 if integer else 1.0
    layers = [[(file, 1 + date * len(held) + held.index(band)) for band in chosen] for date in order]
    row_bytes = header.count * header.dtype.itemsize * header.grid.width
    series = RasterSeries(layers, [None] * len(order), scale, row_bytes)
    return assemble(series, chosen, days[order], header.grid, product="stack", scale=scale, **attrs)


def _described(path: Path, descriptions: Sequence[str | None]) -> tuple[pd.DatetimeIndex, tuple[str, ...]] | None:
    """Dates and bands of layer descriptions like "2018-04-29 B2"; None where not every layer has one."""
    matches = [LAYER.fullmatch((text or "").strip()) for text in descriptions]
    if not all(matches):
        return None
    layers = [(match["date"], match["band"]) for match in matches]
    dates, bands = (tuple(dict.fromkeys(part)) for part in zip(*layers, strict=True))
    if layers != [(date, band) for date in dates for band in bands]:
        raise InputError(
            f"The layers of {path} are described as {', '.join(descriptions[:3])}, ...; date-major order with the same "
            f"bands at each date is expected: all bands of the first date, then of the second."
        )
    return parse_dates(dates, path), bands


def _dates_file(path: Path) -> Path:
    return path.with_suffix(".dates.txt")


def _sidecar(path: Path) -> tuple[pd.DatetimeIndex, tuple[str, ...] | None] | None:
    """Dates, and bands if said, of the text file beside a stack; None where there is none."""
    beside = _dates_file(path)
    if not beside.is_file():
        return None
    try:
        lines = [line.strip() for line in beside.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{beside} cannot be read ({error}). A text file with one date a line is expected.") from error
    said = [line.partition(":")[2].split() for line in lines if line.lower().startswith("bands:")]
    dates = parse_dates([line for line in lines if not line.lower().startswith("bands:")], beside)
    if any(len(set(names)) != len(names) for names in said) or len(said) > 1:
        raise InputError(f"{beside}: one line 'bands: B2 B3 ...' with different names is expected, found {said}.")
    return dates, tuple(said[0]) if said else None


class Window(NamedTuple):
    """Part of a scene; each is (rows, columns)."""

    core: tuple[slice, slice]  # the pixels this window is responsible for, in scene indices
    read: tuple[slice, slice]  # core and its halo, clipped to the scene
    inner: tuple[slice, slice]  # where core lies inside read


def windows(
    shape: tuple[int, int], size: int | tuple[int, int], halo: int = 0, within: tuple[slice, slice] | None = None
) -> Iterator[Window]:
    """Windows whose cores of up to `size` pixels cover every pixel of `shape` (rows, columns) exactly once.

    `size`: of both sides, or (rows, columns). `halo` is in pixels. `within` (rows, columns): the cores cover that part
    alone, while their halos reach beyond it.
    Raises `InputError` for a size below 1 or a halo below 0.
    """
    sizes = (size, size) if isinstance(size, int) else size
    if min(sizes) < 1 or halo < 0:
        raise InputError(f"window size = {size}, halo = {halo}; a size of 1 or more, a halo of 0 or more is expected.")
    covered = within or tuple(slice(0, length) for length in shape)
    rows, columns = (
        [_cut(start, min(start + size, part.stop), halo, length) for start in range(part.start, part.stop, size)]
        for part, length, size in zip(covered, shape, sizes, strict=True)
    )
    for row in rows:
        for column in columns:
            yield Window(*zip(row, column, strict=True))


def _cut(start: int, stop: int, halo: int, length: int) -> tuple[slice, slice, slice]:
    first = max(start - halo, 0)
    return slice(start, stop), slice(first, min(stop + halo, length)), slice(start - first, stop - first)


def window_around(scene: xr.DataArray, x: float, y: float, size: int) -> dict[str, slice]:
    """Rows and columns of a window of `size` x `size` pixels around a place in metres, shifted inside the scene."""
    window = {}
    for dim, place in (("y", y), ("x", x)):
        nearest = int(abs(scene[dim].values - place).argmin())
        start = max(0, min(nearest - size // 2, scene.sizes[dim] - size))
        window[dim] = slice(start, start + size)
    return window


def fingerprint(path: str | Path) -> str:
    """Twelve hexadecimal digits of the names, sizes and modification times of the files behind a scene or vector file.

    Files beside them (previews, notes) do not count. Raises `InputError` when the path does not exist or, as a folder,
    holds no scene.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist.")
    root = path if path.is_dir() else path.parent
    if path.is_dir() and _kind(path) == "theia_l3a":
        files = [file for product in find_products(path) for file in product.files]
    elif path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file()]
    elif path.suffix.lower() == ".shp":
        files = list(root.glob(f"{path.stem}.*"))
    else:
        beside = (path, _dates_file(path), path.with_suffix(".classes.csv"))  # the last of polygons
        files = [file for file in beside if file.is_file()]
    states = [(file.relative_to(root).as_posix(), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(sorted(states)).encode()).hexdigest()[:12]
