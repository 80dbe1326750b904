"""Reading the variables of a cube: windows, and the chunks they touch, each decoded once while it is in use."""

import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import psutil
import xarray as xr

from ...errors import InputError

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
        if self._needs_whole(ranges) and self._kept.keys().isdisjoint(product(*numbers)):
            return np.asarray(self.array[tuple(slice(*part) for part in ranges)].values)
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

    def _needs_whole(self, ranges: Sequence[tuple[int, int]]) -> bool:
        """Whether no other part of the chunks in these ranges is left for a neighbouring window."""
        return all(
            start % chunk == 0 and (stop % chunk == 0 or stop == size)
            for (start, stop), chunk, size in zip(
                ranges, self.chunks or self.array.shape, self.array.shape, strict=True
            )
        )

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
