"""Lazy arrays over raster files: the pixels of a window are read when a window is computed, and no others."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import dask.array
import numpy as np
import pandas as pd
import rasterio
import rioxarray  # noqa: F401  (gives every xarray object its .rio)
import xarray as xr
from affine import Affine
from dask.utils import SerializableLock
from rasterio import windows
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.vrt import WarpedVRT
from xarray.backends import CachingFileManager

from .errors import InputError

#: Side in pixels of the largest block that is read at once; a smaller window is read alone.
CHUNK = 1024
NODATA = -10000
#: Reach of the widest resampling kernel (cubic) in stored pixels, and one for rounding.
KERNEL = 3


class Grid(NamedTuple):
    """A north-up pixel grid; the transform maps (column, row) to metres."""

    crs: CRS
    transform: Affine
    height: int
    width: int

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in metres."""
        return rasterio.transform.array_bounds(self.height, self.width, self.transform)


class Header(NamedTuple):
    """What a raster file says of itself, without its pixels."""

    grid: Grid
    count: int
    dtype: np.dtype
    nodata: float | None
    descriptions: tuple[str | None, ...]


def read_header(path: Path) -> Header:
    """Header of a raster file. Raises `InputError` when it cannot be read, has no CRS or is not north-up."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # the error below says it better
            with rasterio.open(path) as source:
                header = Header(
                    Grid(source.crs, source.transform, source.height, source.width),
                    source.count, np.dtype(source.dtypes[0]), source.nodata, source.descriptions,
                )  # fmt: skip
    except RasterioError as error:
        raise InputError(f"{path} cannot be read as a raster ({error}). Is it complete? Get it again.") from error
    if header.grid.crs is None:
        raise InputError(f"{path} has no CRS. Give it one, for example: rio edit-info --crs EPSG:32631 {path}")
    turn = header.grid.transform
    if turn.b or turn.d or turn.a <= 0 or turn.e >= 0:
        raise InputError(
            f"{path} is rotated or not north-up: its transform is {tuple(turn)[:6]}, expected (width, 0, left, 0, "
            "-height, top). Bring it to a north-up grid, for example with gdalwarp."
        )
    return header


class RasterFile:
    """A raster file whose windows are read as they are asked for, on another grid when `grid` is given.

    The handle is xarray's: opened at the first read, kept among the last 128 used, closed with its last owner. A lock
    a file, because GDAL handles must not be shared by threads: different files are still read in parallel.
    """

    def __init__(self, path: Path, nodata: float | None, grid: Grid | None = None, resampling: str = "nearest"):
        self.path, self.nodata, self.grid, self.resampling = path, nodata, grid, Resampling[resampling]
        self._manager = CachingFileManager(rasterio.open, path, mode="r")
        self._lock = SerializableLock()

    @contextmanager
    def _source(self) -> Iterator[rasterio.DatasetReader]:
        try:
            with self._lock, self._manager.acquire_context() as source:
                yield source
        except RasterioError as error:
            raise InputError(f"{self.path} cannot be read ({error}). Is it complete? Get it again.") from error

    def read(self, index: int, y: slice, x: slice) -> np.ndarray:
        """Pixels (y, x) of band `index` (from 1) as stored. Raises `InputError` naming the file when that fails."""
        window = windows.Window.from_slices(y, x)
        with self._source() as source:
            if self.grid is None:
                return source.read(index, window=window)
            # src_nodata keeps nodata pixels out of the interpolation, nodata fills what the file does not reach; where
            # there is neither, leaving them away gives the same pixels in half the time.
            nodata = None if self._is_whole(source, index, window) else self.nodata
            with WarpedVRT(
                source, crs=self.grid.crs, transform=windows.transform(window, self.grid.transform),
                height=window.height, width=window.width, resampling=self.resampling, src_nodata=nodata, nodata=nodata,
            ) as warped:  # fmt: skip
                return warped.read(index)

    def empty(self, index: int, y: slice, x: slice) -> np.ndarray:
        """True (y, x) where band `index` has no data; cheaper than `read` where it has data everywhere."""
        window = windows.Window.from_slices(y, x)
        if self.grid is not None:
            with self._source() as source:
                if self._is_whole(source, index, window):
                    return np.zeros((window.height, window.width), bool)
        return is_nodata(self.read(index, y, x), self.nodata)

    def _is_whole(self, source: rasterio.DatasetReader, index: int, window: windows.Window) -> bool:
        """Whether all stored pixels that the resampling of a window can touch exist and hold data."""
        own = windows.from_bounds(*windows.bounds(window, self.grid.transform), source.transform)
        top, left = (math.floor(start) - KERNEL for start in (own.row_off, own.col_off))
        bottom, right = math.ceil(own.row_off + own.height) + KERNEL, math.ceil(own.col_off + own.width) + KERNEL
        if top < 0 or left < 0 or bottom > source.height or right > source.width:
            return False
        return not is_nodata(source.read(index, window=((top, bottom), (left, right))), self.nodata).any()


def is_nodata(raw: np.ndarray, nodata: float | None) -> np.ndarray:
    """True where stored pixels are the nodata value, or NaN."""
    empty = np.isnan(raw) if raw.dtype.kind == "f" else np.zeros(raw.shape, bool)
    return empty if nodata is None else empty | (raw == nodata)


class Series(Protocol):
    """What `assemble` needs; each argument is a slice with start and stop, without step."""

    def values(self, band: slice, time: slice, y: slice, x: slice) -> np.ndarray:
        """Reflectance, float32 (band, time, y, x), NaN where nodata."""

    def mask(self, time: slice, y: slice, x: slice) -> np.ndarray:
        """True where a pixel must not be used, bool (time, y, x)."""


class RasterSeries:
    """Series of single layers of raster files.

    layers[t][b] is (file, band index from 1); flags[t] a file of WASP flags or None; `scale` what reflectance 1 is.
    """

    def __init__(self, layers: Sequence[Sequence[tuple[RasterFile, int]]], flags: Sequence, scale: float):
        self.layers, self.flags, self.scale = layers, flags, scale

    def values(self, band: slice, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `Series` says."""
        out = np.empty([part.stop - part.start for part in (band, time, y, x)], np.float32)
        for t, date in enumerate(self.layers[time]):
            for b, (file, index) in enumerate(date[band]):
                raw = file.read(index, y, x)
                np.divide(raw, np.float32(self.scale), out=out[b, t], dtype=np.float32, casting="unsafe")
                out[b, t][is_nodata(raw, file.nodata)] = np.nan
        return out

    def mask(self, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `Series` says."""
        out = np.zeros([part.stop - part.start for part in (time, y, x)], bool)
        for t, (date, flags) in enumerate(zip(self.layers[time], self.flags[time], strict=True)):
            for file, index in date:
                out[t] |= file.empty(index, y, x)
            if flags is not None:
                out[t] |= flags.read(1, y, x) <= 1  # 0 nodata, 1 cloud
        return out


class _Lazy:
    """What dask needs to read windows with a function of slices: dask folds the slicing of a block into the read."""

    def __init__(self, read: Callable[..., np.ndarray], shape: tuple[int, ...], dtype):
        self.read, self.shape, self.dtype, self.ndim = read, shape, np.dtype(dtype), len(shape)

    def __getitem__(self, key) -> np.ndarray:
        asked = [
            np.arange(size)[part] for size, part in zip(self.shape, key, strict=True)
        ]  # numbers where an axis goes
        if not all(part.size for part in asked):
            return np.empty([part.size for part in asked if part.ndim], self.dtype)
        starts = [int(part.min()) for part in asked]
        out = self.read(*(slice(start, int(part.max()) + 1) for start, part in zip(starts, asked, strict=True)))
        for axis in reversed(range(self.ndim)):
            part = asked[axis] - starts[axis]
            if part.ndim == 0 or not np.array_equal(part, np.arange(out.shape[axis])):
                out = out.take(part, axis)
        return out


def _lazy(read: Callable[..., np.ndarray], shape: tuple[int, ...], dtype, chunks: tuple[int, ...]) -> dask.array.Array:
    # fancy stays True: with fancy=False dask (2026.8) does not fold slices, and a window would read whole blocks.
    return dask.array.from_array(_Lazy(read, shape, dtype), chunks, name=False, meta=np.empty((), dtype))


def assemble(series: Series, bands: Sequence[str], dates: pd.DatetimeIndex, grid: Grid, **attrs) -> xr.DataArray:
    """The lazy labelled array that `scene.open_scene` describes, of a series with these bands and dates.

    Values and mask are two arrays with one layer each, so computing a window reads that window and not the blocks
    around it (a mask derived from the values by dask would read them whole).
    """
    shape = (len(bands), len(dates), grid.height, grid.width)
    values = _lazy(series.values, shape, np.float32, (len(bands), 1, CHUNK, CHUNK))
    mask = _lazy(series.mask, shape[1:], bool, (1, CHUNK, CHUNK))
    to_metres = grid.transform
    array = xr.DataArray(
        values,
        dims=("band", "time", "y", "x"),
        coords={
            "band": np.array(bands, dtype=str),
            "time": dates.to_numpy("datetime64[ns]"),
            "y": to_metres.f + to_metres.e * (np.arange(grid.height) + 0.5),
            "x": to_metres.c + to_metres.a * (np.arange(grid.width) + 0.5),
            "mask": (("time", "y", "x"), mask),
        },
        name="reflectance",
        attrs=attrs,
    )
    # Without a stored GeoTransform, which slicing would leave stale: .rio.transform() follows from x and y.
    return array.rio.write_crs(grid.crs)
