"""Lazy arrays over files: the pixels of a window are read when a window is computed, and no others."""

import math
import random
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import dask
import dask.array
import numpy as np
import pandas as pd
import psutil
import rasterio
import rioxarray  # noqa: F401  (gives every xarray object its .rio)
import xarray as xr

from ..errors import InputWarning
from .quality import Rule
from .rasters import Grid, RasterFile

#: Orders of dates: in one order, threads on neighbouring windows would wait for each other at each file. A generator of its
#: own, so that what a user has seeded stays as it is.
_ORDERS = random.Random()

#: Bytes of GDAL's cache of decoded blocks, at least: a row of windows over a tile of eleven dates as products.
CACHE = 512 * 1024**2

#: Side in pixels of the largest block that is read at once; a smaller window is read alone.
CHUNK = 1024


class Series(Protocol):
    """What `assemble` needs; each argument is a slice with start and stop, without step."""

    def read(self, y: slice, x: slice, out: np.ndarray) -> np.ndarray:
        """All bands and dates: `values` into out float32 (band, time, y, x), and the `mask` as result."""

    def values(self, band: slice, time: slice, y: slice, x: slice) -> np.ndarray:
        """Reflectance, float32 (band, time, y, x), NaN where nodata."""

    def mask(self, time: slice, y: slice, x: slice) -> np.ndarray:
        """True where a pixel must not be used, bool (time, y, x)."""


class Values(NamedTuple):
    """What is known of the stored values of a scene, for those who judge them (`scene.encoding["values"]`)."""

    dtype: str = ""
    declared: bool = True  # whether the files or the user say the scale
    said: bool = False  # whether the user says it, so that the values are meant
    zero: bool = False  # whether 0 is taken for nothing although no file says so
    unnamed: bool = False  # whether the order of layers is assumed
    saturated: Callable[[], list[float]] | None = None  # share of saturated values by date


class Layer(NamedTuple):
    """One layer of a raster file, by its number from 1; reflectance is stored value / divisor + offset."""

    file: RasterFile
    number: int
    divisor: float = 1.0
    offset: float = 0.0


class QualityLayer(NamedTuple):
    """One quality layer of a raster file (number 0: the file's own mask), and which of its pixels must not be used."""

    file: RasterFile
    number: int
    rule: Rule


class RasterSeries:
    """Series of single layers of raster files.

    `layers[t][b]` is the layer of a date and band; `quality[t]` are the quality layers of a date; `row_bytes` is what a
    row of all files takes when decoded, over the whole width of the files.
    """

    def __init__(self, layers: Sequence[Sequence[Layer]], quality: Sequence[Sequence[QualityLayer]], row_bytes: float):
        self.layers, self.quality, self.row_bytes = layers, quality, row_bytes
        every = (((b, t), layer) for t, date in enumerate(layers) for b, layer in enumerate(date))
        self._erased = [any(layer.rule.erase for layer in date) for date in quality]
        #: Files of each date with the places (band, time) of their layers, at the first date of each file.
        self._files: list[list[tuple[RasterFile, dict[Any, int]]]] = [[] for _ in layers]
        for file, places in _by_file(every):
            self._files[next(iter(places))[1]].append((file, places))

    def read(self, y: slice, x: slice, out: np.ndarray) -> np.ndarray:
        """As `Series` says; each layer is read once."""
        mask = np.zeros(out.shape[1:], bool)
        dates = list(enumerate(self._files))
        for t, files in _ORDERS.sample(dates, len(dates)):
            for file, places in files:
                for place, raw in zip(places, file.read(list(places.values()), y, x), strict=True):
                    mask[place[1]] |= _scale(raw, self.layers[place[1]][place[0]], out[place])
            if not self._erased[t]:
                self._add_quality(t, y, x, mask[t])
        for t in (t for t, erased in enumerate(self._erased) if erased):  # once all images of a file are there
            self._add_quality(t, y, x, mask[t], out[:, t])
        return mask

    def values(self, band: slice, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `Series` says."""
        out = np.empty([part.stop - part.start for part in (band, time, y, x)], np.float32)
        for t, images in enumerate(out.swapaxes(0, 1), time.start):
            date = self.layers[t][band]
            for file, places in _by_file(enumerate(date)):
                for b, raw in zip(places, file.read(list(places.values()), y, x), strict=True):
                    _scale(raw, date[b], images[b])
            if self._erased[t]:
                self._add_quality(t, y, x, np.zeros(out.shape[2:], bool), images)
        return out

    def mask(self, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `Series` says."""
        out = np.zeros([part.stop - part.start for part in (time, y, x)], bool)
        for t, mask in enumerate(out, time.start):
            for file, places in _by_file(enumerate(self.layers[t])):
                for raw in file.read(list(places.values()), y, x):
                    mask |= file.is_empty(raw)
            self._add_quality(t, y, x, mask)
        return out

    def _add_quality(self, t: int, y: slice, x: slice, mask: np.ndarray, images: np.ndarray | None = None) -> None:
        """Add the quality layers of a date to its mask (y, x); images (band, y, x) become NaN where they are erased."""
        for layer in self.quality[t]:
            bad = layer.rule.unusable(layer.file.read([layer.number], y, x)[0])
            mask |= bad
            if layer.rule.erase and images is not None:
                images[:, bad] = np.nan


def _scale(raw: np.ndarray, layer: Layer, out: np.ndarray) -> np.ndarray:
    """Reflectance of a layer into out (y, x), NaN where it holds nothing; where that is, as result."""
    out[...] = raw  # then dividing in place: faster than a division that converts
    out /= np.float32(layer.divisor)
    if layer.offset:
        out += np.float32(layer.offset)
    empty = layer.file.is_empty(raw)
    if empty.any():
        np.copyto(out, np.nan, where=empty)
    return empty


def _by_file(layers: Iterable[tuple[Any, Layer]]) -> list[tuple[RasterFile, dict[Any, int]]]:
    """Files, each with the band indices of its layers by their places, out of places and layers."""
    files: dict[RasterFile, dict[Any, int]] = {}
    for place, layer in layers:
        files.setdefault(layer.file, {})[place] = layer.number
    return list(files.items())


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
    array = array.rio.write_crs(grid.crs)
    array.encoding["series"] = values.name, series  # for `read_window`
    return array


def read_window(scene: xr.DataArray, y: slice, x: slice, out: np.ndarray) -> np.ndarray:
    """Read a window of a scene: reflectance into out float32 (band, time, y, x), and its mask (time, y, x) as result.

    The mask is True wherever a band is NaN, also of a scene whose own mask does not say so.
    Of a scene as `assemble` made it, each layer is read once and without dask, whose tasks cost more than small windows
    do. Threads may read at the same time.
    """
    name, series = scene.encoding.get("series", (None, None))
    if name is not None and getattr(scene.data, "name", None) == name:  # as opened: nothing selected, nothing changed
        return series.read(y, x, out)
    window = scene[..., y, x]
    out[...], mask = dask.compute(window.data, window.mask.data, scheduler="synchronous")
    return mask | np.isnan(out).any(axis=0)


def rows_cached(scene: xr.DataArray, rows: int) -> rasterio.Env:
    """While it is entered GDAL keeps what it has decoded for so many rows of a scene, over its whole width.

    Files are often stored in lines: a window decodes lines as long as the file, and its neighbours find them there.
    With too small a cache each window would decode them again. A quarter is added for lines of two rows of windows.
    Warns where that is more than half of the machine's memory, which is then what GDAL gets.
    """
    _, series = scene.encoding.get("series", (None, None))
    bytes_a_row = getattr(series, "row_bytes", 0)  # GDAL does not read cubes
    wanted, most = max(CACHE, math.ceil(1.25 * rows * bytes_a_row)), psutil.virtual_memory().total // 2
    if wanted > most:
        warnings.warn(
            InputWarning(
                f"{rows} rows of this scene take {wanted / 1e9:.1f} GB when decoded, more than half of this machine's "
                "memory: files in lines will be decoded several times, which is slow.",
                "Lower map.window, or take fewer dates.",
                kind="scene.memory",
            ),
            stacklevel=2,
        )
    return rasterio.Env(GDAL_CACHEMAX=min(wanted, most))
