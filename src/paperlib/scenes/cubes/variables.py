"""Reading the variables of a cube: windows, and the chunks they touch, each decoded once while it is in use."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import psutil
import xarray as xr

from ...errors import InputError
from ..meaning.values import Meaning
from ..quality import Rule
from ..rasters import is_nodata

#: Bytes of decoded chunks that a cube keeps, of all its variables, and of one chunk up to which it is worth keeping.
KEPT, LARGEST_CHUNK = max(1_000_000_000, psutil.virtual_memory().total // 8), 250_000_000
#: Bytes of an image up to which one that is stored without chunks is read whole.
IMAGE = 16_000_000


class Variable:
    """A variable of a cube, read by windows in the order (band, time, y, x) of its dimensions; those it lacks are left out.

    Where chunks are stored that reach beyond windows, decoded ones are kept, up to `share` of `KEPT` bytes, so that
    neighbouring windows find them. Threads may read at the same time.
    """

    def __init__(self, path: Path, array: xr.DataArray, share: float = 1.0):
        self._limit = share * KEPT
        self.path, self.dims = path, tuple(dim for dim in ("band", "time", "y", "x") if dim in array.dims)
        self.array = array.variable.transpose(*self.dims)
        self.chunks = _chunks(self.array)
        self._kept: OrderedDict[tuple[int, ...], np.ndarray] = OrderedDict()
        self._reading: dict[tuple[int, ...], Lock] = {}
        self._bytes, self._lock = 0, Lock()

    @property
    def dtype(self) -> np.dtype:
        """The stored type; CF's _Unsigned counts."""
        own = self.array.dtype
        unsigned = str(self.array.attrs.get("_Unsigned", "")).lower() == "true"
        return np.dtype(f"u{own.itemsize}") if unsigned and own.kind == "i" else own

    def read(self, **place: slice | list[int]) -> np.ndarray:
        """Stored values of slices by dimension, and of numbers of bands."""
        key: tuple[Any, ...] = tuple(place.get(dim, slice(None)) for dim in self.dims)
        bands = key[0] if self.dims[0] == "band" and isinstance(key[0], list) else None
        try:
            if self.chunks is None:
                values = np.asarray(self.array[key].values)
            elif bands is not None:
                values = self._from_chunks((slice(min(bands), max(bands) + 1), *key[1:]))[
                    [n - min(bands) for n in bands]
                ]
            else:
                values = self._from_chunks(key)
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(
                f"{self.path} cannot be read ({error}).", "Is it complete? Get it again.", kind="scene.unreadable"
            ) from error
        return values.view(self.dtype) if values.dtype != self.dtype else values

    def _from_chunks(self, key: Sequence[slice]) -> np.ndarray:
        chunks = self.chunks or self.array.shape
        ranges = [part.indices(size)[:2] for part, size in zip(key, self.array.shape, strict=True)]
        out = np.empty([max(0, stop - start) for start, stop in ranges], self.array.dtype)
        if not out.size:
            return out
        numbers = [
            range(start // chunk, (stop - 1) // chunk + 1) for (start, stop), chunk in zip(ranges, chunks, strict=True)
        ]
        for number in product(*numbers):
            first = [n * chunk for n, chunk in zip(number, chunks, strict=True)]
            block = self._chunk(number)
            inner, outer = [], []
            for (start, stop), low, size in zip(ranges, first, block.shape, strict=True):
                a, b = max(start, low), min(stop, low + size)
                inner.append(slice(a - low, b - low))
                outer.append(slice(a - start, b - start))
            out[tuple(outer)] = block[tuple(inner)]
        return out

    def _chunk(self, number: tuple[int, ...]) -> np.ndarray:
        """One decoded chunk; two threads that ask for the same decode it once."""
        with self._lock:
            if number in self._kept:
                self._kept.move_to_end(number)
                return self._kept[number]
            turn = self._reading.setdefault(number, Lock())
        with turn:
            with self._lock:
                if number in self._kept:
                    return self._kept[number]
            place = tuple(
                slice(n * chunk, min((n + 1) * chunk, size))
                for n, chunk, size in zip(number, self.chunks or self.array.shape, self.array.shape, strict=True)
            )
            block = np.asarray(self.array[place].values)
            with self._lock:
                self._reading.pop(number, None)
                self._kept[number] = block
                self._bytes += block.nbytes
                while self._bytes > self._limit and len(self._kept) > 1:
                    self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return block

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_kept": OrderedDict(), "_bytes": 0, "_lock": None, "_reading": {}}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._lock = Lock()


def _chunks(array: xr.Variable) -> tuple[int, ...] | None:
    """Stored chunks by dimension; None where they are as large as the variable, too large to keep, or not stored."""
    preferred = array.encoding.get("preferred_chunks") or {}
    sizes = [size for dim in array.dims if isinstance(size := preferred.get(dim), int) and size > 0]
    if len(sizes) < array.ndim:
        image = array.shape[-2:]
        whole = np.prod(image) * array.dtype.itemsize <= IMAGE
        return (*(1 for _ in array.shape[:-2]), *image) if whole and array.dims[-2:] == ("y", "x") else None
    if np.prod(sizes) * array.dtype.itemsize > LARGEST_CHUNK:
        return None
    return tuple(sizes)


class BandSource(NamedTuple):
    """A band of a cube: its variable, its number there (None for a variable of one band), and what values mean."""

    variable: Variable
    number: int | None
    meaning: Meaning


class CubeSeries:
    """Series of the variables of a cube, at some of its dates; see `series.Series`.

    order: the places in the cube of the dates of this series. quality: quality layers, with the rule of each.
    """

    def __init__(
        self, bands: Sequence[BandSource], quality: Sequence[tuple[Variable, int | None, Rule]], order: Sequence[int]
    ):
        self.bands, self.quality, self.order = list(bands), list(quality), list(order)

    def read(self, y: slice, x: slice, out: np.ndarray) -> np.ndarray:
        """As `series.Series` says."""
        bands, dates = (slice(0, size) for size in out.shape[:2])
        self._fill(bands, dates, y, x, out)
        return self._mask(out, dates, y, x)

    def values(self, band: slice, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        out = np.empty([part.stop - part.start for part in (band, time, y, x)], np.float32)
        self._fill(band, time, y, x, out)
        return out

    def mask(self, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        return self._mask(self.values(slice(0, len(self.bands)), time, y, x), time, y, x)

    def saturated(self, y: slice, x: slice) -> list[float]:
        """Share of a window's stored values that are saturated, by date; a nodata value does not count."""
        counts = []
        for source in self.bands:
            raw = _read(source.variable, [source.number], slice(0, len(self.order)), y, x)[0]
            high = source.meaning.valid[1]
            bad = np.zeros(raw.shape, bool) if high is None else (raw >= high) & (raw != source.meaning.nodata)
            counts.append(bad.mean(axis=(1, 2)))
        return np.mean(counts, axis=0).tolist()

    def _fill(self, band: slice, time: slice, y: slice, x: slice, out: np.ndarray) -> None:
        whole: dict[int, list[int]] = {}
        for place, source in enumerate(self.bands[band]):
            whole.setdefault(id(source.variable), []).append(place)
        for places in whole.values():
            sources = [self.bands[band][place] for place in places]
            for start, stop, wanted in _runs(self.order[time]):
                raw = _read(sources[0].variable, [s.number for s in sources], slice(start, stop), y, x)
                for image, place, source in zip(raw, places, sources, strict=True):
                    out[place][wanted] = _reflectance(image, source.meaning)

    def _mask(self, values: np.ndarray, time: slice, y: slice, x: slice) -> np.ndarray:
        out = np.isnan(values).any(axis=0)
        for variable, number, rule in self.quality:
            if "time" not in variable.dims:
                out |= rule.unusable(_read(variable, [number], slice(None), y, x)[0])
                continue
            for start, stop, wanted in _runs(self.order[time]):
                out[wanted] |= rule.unusable(_read(variable, [number], slice(start, stop), y, x)[0])
        return out


def _runs(order: Sequence[int]) -> list[tuple[int, int, list[int]]]:
    """Runs of stored dates that lie side by side: first, last + 1, and the places of the series that they fill."""
    runs: list[tuple[int, int, list[int]]] = []
    for place, stored in enumerate(order):
        if runs and stored == runs[-1][1]:
            runs[-1] = (runs[-1][0], stored + 1, [*runs[-1][2], place])
        else:
            runs.append((stored, stored + 1, [place]))
    return runs


def _read(variable: Variable, numbers: Sequence[int | None], time: slice, y: slice, x: slice) -> np.ndarray:
    """Stored values (band, time, y, x) of bands of one variable; without time where the variable has none."""
    if "band" not in variable.dims:
        return variable.read(time=time, y=y, x=x)[None]
    return variable.read(band=[number or 0 for number in numbers], time=time, y=y, x=x)


def _reflectance(raw: np.ndarray, meaning: Meaning) -> np.ndarray:
    values = raw.astype(np.float32)
    low, high = meaning.valid
    empty = is_nodata(raw, meaning.nodata)
    if low is not None:
        empty = empty | (raw <= low)
    if high is not None:
        empty = empty | (raw >= high)
    if meaning.divisor != 1:
        values /= np.float32(meaning.divisor)
    if meaning.offset:
        values += np.float32(meaning.offset)
    if empty.any():
        values[empty] = np.nan
    return values
