"""Chunks of Zarr folders, a file each, decoded by the thread that asks for them.

zarr-python hands each chunk to an event loop and to threads of its own, which takes as long as decoding a chunk of usual
size. Here its metadata still say where a chunk lies and how it was packed. What lies elsewhere (in archives, shards or
remote stores) or was packed in a way that is not known here is left to zarr-python.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numcodecs
import numpy as np
import zarr
from isal import igzip, isal_zlib
from zarr.codecs import TransposeCodec

from .arrays import Chunked


class Zlib(numcodecs.Zlib):
    """The codec of this name, which inflates faster; registered, zarr-python reads Zarr 2 with it."""

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Inflated bytes of a chunk, in `out` where it is given."""
        try:
            plain = isal_zlib.decompress(buf)
        except isal_zlib.error as error:  # type: ignore[misc]  # its stub says an instance
            raise OSError(f"a chunk is damaged: {error}") from error
        return numcodecs.compat.ndarray_copy(plain, out)


class GZip(numcodecs.GZip):
    """The codec of this name, which inflates faster; registered, zarr-python reads Zarr 2 with it."""

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Inflated bytes of a chunk, in `out` where it is given."""
        try:
            plain = igzip.decompress(buf)
        except (isal_zlib.error, EOFError) as error:  # type: ignore[misc]
            raise OSError(f"a chunk is damaged: {error}") from error
        return numcodecs.compat.ndarray_copy(plain, out)


class Blosc(numcodecs.Blosc):
    """The codec of this name, which does not read beyond the end of a chunk that was cut off."""

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decoded bytes of a chunk, in `out` where it is given."""
        there = memoryview(buf).cast("B")
        written = int.from_bytes(there[12:16], "little")  # by the header of the chunk
        if len(there) < max(16, written):
            raise OSError(f"a chunk is damaged: it has {len(there)} bytes instead of {max(16, written)}")
        return super().decode(buf, out)


for _codec in (Zlib, GZip, Blosc):
    numcodecs.register_codec(_codec)

#: Codecs of Zarr 3 from bytes to bytes, by the names that its specification gives them.
CODECS = {"gzip": GZip(), "zstd": numcodecs.Zstd(), "blosc": Blosc()}


class Packing(NamedTuple):
    """How chunks were packed: stored type, order of axes in which values lie, and codecs in the order of encoding."""

    dtype: np.dtype
    axes: tuple[int, ...]
    codecs: tuple[numcodecs.abc.Codec, ...]


def stored_arrays(folder: Path, group: str | None, names: Iterable[str]) -> dict[str, "Stored"]:
    """Arrays of these names in a group of a Zarr folder, those of numbers whose chunks are files that can be decoded."""
    found = {}
    for name in names:
        path = folder / (group or "").strip("/") / name
        try:
            array = zarr.open_array(path, mode="r")
            packing = _packing(array)
            if packing and array.dtype.kind in "biuf":
                found[name] = Stored(path, array, packing)
        except (OSError, ValueError, NotImplementedError):  # chunks of several shapes, metadata that lie elsewhere
            continue
    return found


def _packing(array: zarr.Array) -> Packing | None:
    axes = tuple(range(array.ndim))
    if array.metadata.zarr_format == 2:
        turned = axes[::-1] if array.order == "F" else axes
        return Packing(array.dtype, turned, (*array.filters, *array.compressors))
    written: dict[str, Any] = array.serializer.to_dict()  # type: ignore[union-attr]  # Zarr 3 has one
    codecs: list[Any] = [codec.to_dict() for codec in array.compressors]  # type: ignore[union-attr]
    packed = [codec["name"] for codec in codecs]
    if array.shards is not None or written["name"] != "bytes" or not CODECS.keys() >= set(packed):
        return None
    for codec in array.filters:
        if not isinstance(codec, TransposeCodec):
            return None
        axes = tuple(axes[number] for number in codec.order)
    order = written.get("configuration", {}).get("endian", "little")  # of single bytes it says none
    return Packing(array.dtype.newbyteorder(order), axes, tuple(CODECS[name] for name in packed))


class Stored(Chunked):
    """An array of a Zarr folder, as an array of xarray that reads what it is indexed with.

    A chunk without a file holds the fill value. Raises `OSError` for one that cannot be decoded.
    """

    def __init__(self, path: Path, array: zarr.Array, packing: Packing):
        self.path, self.metadata, self.packing = path, array.metadata, packing
        self.shape, self.chunks, self.dtype = array.shape, array.chunks, array.dtype.newbyteorder("=")
        self.fill = 0 if array.fill_value is None else array.fill_value

    def _chunks(self, corners: Sequence[tuple[int, ...]]) -> Iterator[np.ndarray]:
        for corner in corners:
            number = tuple(low // chunk for low, chunk in zip(corner, self.chunks, strict=True))
            file = self.path / self.metadata.encode_chunk_key(number)
            try:
                packed = file.read_bytes()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):  # nothing was written there
                yield np.full(self.chunks, self.fill, self.dtype)
                continue
            try:
                yield self._decode(packed)
            except Exception as error:  # each codec has its own
                raise OSError(f"its file {file} cannot be decoded: {error}") from error

    def _decode(self, packed: bytes) -> np.ndarray:
        dtype, axes, codecs = self.packing
        plain: Any = packed
        for codec in reversed(codecs):
            plain = codec.decode(plain)
        values = numcodecs.compat.ensure_ndarray_like(plain).view(dtype).reshape(-1, order="A")
        return values.reshape([self.chunks[axis] for axis in axes]).transpose(np.argsort(axes))
