"""Arrays of xarray whose values are put together from stored chunks."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing


class Chunked(BackendArray):
    """An array stored in chunks of one shape; of those at its ends, only the part inside the array counts.

    Who inherits says what chunks hold (`_chunks`). Threads may read at the same time.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    chunks: tuple[int, ...]

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _chunks(self, corners: Sequence[tuple[int, ...]]) -> Iterator[np.ndarray]:
        """Values of the whole chunks whose first ones lie at `corners`. Raises `OSError` for one that is damaged."""
        raise NotImplementedError

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


def read_through(cube: xr.Dataset, arrays: Mapping[str, Chunked]) -> xr.Dataset:
    """A cube opened as it is stored, with variables that are read through these arrays where shape and type agree."""
    read = cube.assign(
        {
            name: xr.Variable(old.dims, indexing.LazilyIndexedArray(array), old.attrs, old.encoding)
            for name, array in arrays.items()
            for old in [cube[name].variable]
            if (array.shape, array.dtype) == (old.shape, old.dtype)
        }
    )
    read.set_close(cube.close)  # a file that stays open cannot be written again
    return read
