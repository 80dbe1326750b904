"""Reading the variables of a cube: windows, and the chunks they touch, each decoded once while it is in use."""

import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
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
#: Bytes of decoded chunks up to which they are read in one call.
AT_ONCE = 64_000_000
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
                values = self._from_chunks((slice(min(bands), max(bands) + 1), *key[1:]))
                places = [n - min(bands) for n in bands]
                values = values if places == list(range(len(values))) else values[places]
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
        most = max(1, AT_ONCE // (int(np.prod(chunks)) * self.array.dtype.itemsize))
        for part in _split_box(numbers, most):
            for number, block in self._load(part).items():
                first = [n * chunk for n, chunk in zip(number, chunks, strict=True)]
                inner, outer = [], []
                for (start, stop), low, size in zip(ranges, first, block.shape, strict=True):
                    a, b = max(start, low), min(stop, low + size)
                    inner.append(slice(a - low, b - low))
                    outer.append(slice(a - start, b - start))
                out[tuple(outer)] = block[tuple(inner)]
        return out

    def _load(self, box: Sequence[range]) -> dict[tuple[int, ...], np.ndarray]:
        """Decoded chunks of a box by their numbers. Threads that ask for the same decode them once.

        Those that are not kept are read in one call where they fill the box: each call costs as much as a small chunk.
        """
        numbers = list(product(*box))
        with self._lock:
            # Always in the order of their numbers, so that threads cannot wait for each other.
            turns = [self._reading.setdefault(number, Lock()) for number in numbers if number not in self._kept]
        with ExitStack() as stack:
            for turn in turns:
                stack.enter_context(turn)
            with self._lock:
                found = {number: self._kept[number] for number in numbers if number in self._kept}
                for number in found:
                    self._kept.move_to_end(number)
            lacking = [number for number in numbers if number not in found]
            boxes = [box] if len(lacking) == len(numbers) else [[range(n, n + 1) for n in one] for one in lacking]
            for part in boxes if lacking else ():
                found |= self._decode(part)
            with self._lock:
                for number in lacking:
                    self._reading.pop(number, None)
                    if number not in self._kept:
                        self._kept[number] = found[number]
                        self._bytes += found[number].nbytes
                while self._bytes > self._limit and len(self._kept) > 1:
                    self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return found

    def _decode(self, box: Sequence[range]) -> dict[tuple[int, ...], np.ndarray]:
        """Chunks of a box by their numbers, in one call of the library that decodes them."""
        chunks = self.chunks or self.array.shape
        starts = [numbers.start * chunk for numbers, chunk in zip(box, chunks, strict=True)]
        stops = [numbers.stop * chunk for numbers, chunk in zip(box, chunks, strict=True)]
        held = np.asarray(self.array[tuple(map(slice, starts, stops))].values)
        if all(len(numbers) == 1 for numbers in box):
            return {tuple(numbers.start for numbers in box): held}
        places = {
            number: tuple(
                slice((n - numbers.start) * chunk, (n - numbers.start + 1) * chunk)
                for n, numbers, chunk in zip(number, box, chunks, strict=True)
            )
            for number in product(*box)
        }
        return {number: held[place].copy() for number, place in places.items()}  # of its own, to be let go alone

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_kept": OrderedDict(), "_bytes": 0, "_lock": None, "_reading": {}}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._lock = Lock()


def _split_box(box: Sequence[range], most: int) -> Iterator[list[range]]:
    """Boxes of at most so many chunks (at least one each) that make up a box, in order."""
    if math.prod(map(len, box)) <= most:
        yield list(box)
        return
    axis = next(number for number, numbers in enumerate(box) if len(numbers) > 1)
    half = len(box[axis]) // 2
    for part in (box[axis][:half], box[axis][half:]):
        yield from _split_box([*box[:axis], part, *box[axis + 1 :]], most)


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
    dated: whether the user's offset concerns a date of the cube (default: all); of others the file's own counts.
    """

    def __init__(
        self, bands: Sequence[BandSource], quality: Sequence[tuple[Variable, int | None, Rule]], order: Sequence[int],
        dated: Sequence[bool] = (),
    ):  # fmt: skip
        self.bands, self.quality, self.order = list(bands), list(quality), list(order)
        self.undated = [not dated[index] for index in self.order] if dated and not all(dated) else []

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
                    _write_reflectance(image, source.meaning, out[place, wanted[0] : wanted[-1] + 1])
        if self.undated:
            others = np.flatnonzero(self.undated[time])
            for image, source in zip(out, self.bands[band], strict=True):
                image[others] += np.float32(source.meaning.undated - source.meaning.offset)

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


def _write_reflectance(raw: np.ndarray, meaning: Meaning, out: np.ndarray) -> None:
    """Reflectance of stored values into out, both of one shape; NaN where they hold nothing."""
    out[...] = raw  # then in place: faster than a division that converts
    low, high = meaning.valid
    empty = is_nodata(raw, meaning.nodata)
    if low is not None:
        empty = empty | (raw <= low)
    if high is not None:
        empty = empty | (raw >= high)
    if meaning.divisor != 1:
        out /= np.float32(meaning.divisor)
    if meaning.offset:
        out += np.float32(meaning.offset)
    if empty.any():
        np.copyto(out, np.nan, where=empty)
