"""Deflated chunks of NetCDF-4 files, inflated by Intel's ISA-L (the package isal), which needs half the time of zlib.

HDF5, below NetCDF-4, inflates with zlib, one chunk at a time whatever the number of threads. Here threads do not wait for
each other. HDF5 still says where a chunk lies and how it was packed, and reads what is packed in another way.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
from isal import isal_zlib

from .arrays import Chunked

#: What may have been done to a chunk before it was stored, in this order: HDF5's numbers of its filters.
SHUFFLED, DEFLATED = [h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE], [h5py.h5z.FILTER_DEFLATE]


def deflated_arrays(path: Path, group: str | None, names: Iterable[str]) -> dict[str, "Deflated"]:
    """Variables of these names in a group of a NetCDF-4 file, those that are deflated in chunks; none of other files."""
    if not path.is_file() or not h5py.is_hdf5(path):
        return {}
    with h5py.File(path) as file:
        stored = {name: file.get(f"{group or ''}/{name}") for name in names}
        return {
            name: Deflated(path, dataset)
            for name, dataset in stored.items()
            if isinstance(dataset, h5py.Dataset) and _filters(dataset) in (SHUFFLED, DEFLATED)
            if dataset.dtype.isnative
        }


def _filters(dataset: h5py.Dataset) -> list[int] | None:
    if dataset.chunks is None or dataset.dtype.kind not in "iuf":
        return None
    created = dataset.id.get_create_plist()
    return [created.get_filter(number)[0] for number in range(created.get_nfilters())]


class Deflated(Chunked):
    """A deflated variable of a NetCDF-4 file, as an array of xarray that reads what it is indexed with.

    Threads may read at the same time. Raises `OSError` for a chunk that cannot be inflated.
    """

    def __init__(self, path: Path, dataset: h5py.Dataset):
        self.path, self.name = path, dataset.name
        self.shape, self.dtype, self.chunks = dataset.shape, dataset.dtype, dataset.chunks
        self.shuffled, self.fill = _filters(dataset) == SHUFFLED, dataset.fillvalue

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
