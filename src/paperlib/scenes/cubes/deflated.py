"""Chunks of cubes, inflated by Intel's ISA-L (the package isal), which needs half the time of zlib.

HDF5, below NetCDF-4, inflates with zlib, one chunk at a time whatever the number of threads. Here threads do not wait for
each other. HDF5 still says where a chunk lies and how it was packed, and reads what is packed in another way.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numcodecs
import numpy as np
import xarray as xr
from isal import isal_zlib
from xarray.backends import BackendArray
from xarray.core import indexing

#: What may have been done to a chunk before it was stored, in this order: HDF5's numbers of its filters.
SHUFFLED, DEFLATED = [h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE], [h5py.h5z.FILTER_DEFLATE]


def inflate_directly(cube: xr.Dataset, path: Path, group: str | None = None) -> xr.Dataset:
    """A cube that was opened as it is stored; those of its variables that are deflated in chunks are read by `Deflated`.

    path, group: where it was opened. What is no HDF5 file is returned as it is.
    """
    if not path.is_file() or not h5py.is_hdf5(path):
        return cube
    with h5py.File(path) as file:
        stored = {name: file.get(f"{group or ''}/{name}") for name in cube.data_vars}
        arrays = {
            name: Deflated(path, dataset)
            for name, dataset in stored.items()
            if isinstance(dataset, h5py.Dataset) and _filters(dataset) in (SHUFFLED, DEFLATED)
            if (dataset.shape, dataset.dtype) == (cube[name].shape, cube[name].dtype) and dataset.dtype.isnative
        }
    if not arrays:
        return cube
    return cube.assign(
        {
            name: xr.Variable(old.dims, indexing.LazilyIndexedArray(array), old.attrs, old.encoding)
            for name, array in arrays.items()
            for old in [cube[name].variable]
        }
    )


class Zlib(numcodecs.Zlib):
    """Zarr's codec of this name, which inflates faster; registered, Zarr reads with it."""

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Inflated bytes of a chunk, in `out` where it is given."""
        try:
            plain = isal_zlib.decompress(buf)
        except isal_zlib.error as error:  # type: ignore[misc]  # its stub says an instance
            raise OSError(f"a chunk is damaged: {error}") from error
        return numcodecs.compat.ndarray_copy(plain, out)


numcodecs.register_codec(Zlib)


def _filters(dataset: h5py.Dataset) -> list[int] | None:
    if dataset.chunks is None or dataset.dtype.kind not in "iuf":
        return None
    created = dataset.id.get_create_plist()
    return [created.get_filter(number)[0] for number in range(created.get_nfilters())]


class Deflated(BackendArray):
    """A deflated variable of a NetCDF-4 file, as an array of xarray that reads what it is indexed with.

    Threads may read at the same time. Raises `OSError` for a chunk that cannot be inflated.
    """

    def __init__(self, path: Path, dataset: h5py.Dataset):
        self.path, self.name = path, dataset.name
        self.shape, self.dtype, self.chunks = dataset.shape, dataset.dtype, dataset.chunks
        self.shuffled, self.fill = _filters(dataset) == SHUFFLED, dataset.fillvalue

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[int | slice, ...]) -> np.ndarray:
        """Values at integers and slices; the box that holds them is put together from its chunks."""
        ranges = [
            range(size)[part] if isinstance(part, slice) else range(part, part + 1)
            for part, size in zip(key, self.shape, strict=True)
        ]
        kept = tuple(slice(None) if isinstance(part, slice) else 0 for part in key)
        if not all(map(len, ranges)):
            return np.empty([len(part) for part in ranges], self.dtype)[kept]
        box = [(min(part), max(part) + 1) for part in ranges]
        out = np.empty([stop - start for start, stop in box], self.dtype)
        numbers = [
            range(start // chunk, (stop - 1) // chunk + 1)
            for (start, stop), chunk in zip(box, self.chunks, strict=True)
        ]
        corners = [
            tuple(n * chunk for n, chunk in zip(number, self.chunks, strict=True)) for number in product(*numbers)
        ]
        for corner, values in zip(corners, self._chunks(corners), strict=True):
            first = [max(start, low) for (start, _), low in zip(box, corner, strict=True)]
            last = [min(stop, low + chunk) for (_, stop), low, chunk in zip(box, corner, self.chunks, strict=True)]
            target = tuple(slice(a - start, b - start) for a, b, (start, _) in zip(first, last, box, strict=True))
            inside = tuple(slice(a - low, b - low) for a, b, low in zip(first, last, corner, strict=True))
            out[target] = values[inside]
        steps = tuple(slice(None, None, part.step) for part in ranges)
        return out[steps][kept]

    def _chunks(self, corners: Sequence[tuple[int, ...]]) -> Iterator[np.ndarray]:
        """Values of the chunks whose first ones lie at `corners`. The file is open only as long as they are read."""
        with h5py.File(self.path) as file:
            dataset = file[self.name].id
            for corner in corners:
                if dataset.get_chunk_info_by_coord(corner).byte_offset is None:  # nothing was written there
                    yield np.full(self.chunks, self.fill, self.dtype)
                else:
                    yield self._inflate(*dataset.read_direct_chunk(corner))

    def _inflate(self, left_out: int, packed: bytes) -> np.ndarray:
        """Values of a packed chunk; left_out: bits of the filters, by their place, that it did not go through."""
        size = int(np.prod(self.chunks)) * self.dtype.itemsize
        try:
            plain = packed if left_out & (1 << self.shuffled) else isal_zlib.decompress(packed, bufsize=size)
        except isal_zlib.error as error:  # type: ignore[misc]
            raise OSError(f"a chunk of {self.name} is damaged: {error}") from error
        if len(plain) != size:
            raise OSError(f"a chunk of {self.name} has {len(plain)} bytes instead of {size}")
        values = np.frombuffer(plain, np.uint8)
        if self.shuffled and not left_out & 1:  # the first bytes of all values come first
            values = _in_order(values.reshape(self.dtype.itemsize, -1))
        return values.view(self.dtype).reshape(self.chunks)


def _in_order(planes: np.ndarray) -> np.ndarray:
    """Bytes value by value, of planes (byte, value)."""
    out = np.empty(planes.shape[::-1], np.uint8)
    for number, plane in enumerate(planes):
        out[:, number] = plane
    return out.reshape(-1)
