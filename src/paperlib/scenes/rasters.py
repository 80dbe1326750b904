"""Raster files whose windows are read as they are asked for, on another grid where one is wanted."""

import math
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
import xarray as xr
from affine import Affine
from dask.utils import SerializableLock
from rasterio import windows
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import calculate_default_transform
from xarray.backends import CachingFileManager

from ..errors import InputError
from .upsample import double_bilinear, double_nearest

NODATA = -10000
#: GDAL's transforms are approximate to an eighth of a pixel unless told otherwise, and differ between windows.
EXACT = {"tolerance": 1e-6}
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
    """The header of a raster file: grid, layers and what their values mean, without pixels."""

    grid: Grid
    layers: int  # without alpha layers
    dtype: np.dtype
    nodata: float | None
    descriptions: tuple[str | None, ...]
    scales: tuple[float, ...] = ()  # of band tags; 1 where none is declared
    offsets: tuple[float, ...] = ()
    masked: bool = False  # whether a mask inside the file, or a .msk beside it, says where it is empty
    alpha: int = 0  # the layer, from 1, that is 0 where the file is empty
    nodatas: tuple[float | None, ...] = ()  # of each layer, as layers of a VRT may have their own


def read_header(path: Path | str, any_grid: bool = False, opener: Callable | None = None) -> Header:
    """Header of a raster file; `opener` opens a path that `rasterio.open` cannot; None: that.

    Raises `InputError` when it cannot be read, has no CRS, or, unless `any_grid`, is not north-up.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # the error below says it better
            with (opener or rasterio.open)(path) as source:
                header = _header_of(source)
    except (RasterioError, UnicodeDecodeError) as error:  # the second: descriptions that are no UTF-8
        raise InputError(
            f"{path} cannot be read as a raster ({error}).", "Is it complete? Get it again.", kind="scene.unreadable"
        ) from error
    if header.dtype.kind not in "iuf":
        raise InputError(f"{path} holds {header.dtype}.", "Whole or real numbers are expected.", kind="scene.type")
    if header.grid.crs is None:
        fix = f"Give it one, for example: rio edit-info --crs EPSG:32631 {path}"
        raise InputError(f"{path} has no CRS.", fix, kind="scene.crs")
    turn = header.grid.transform
    smallest = 1e-12 * max(abs(turn.c), abs(turn.f))  # of pixels whose places can still be told apart
    whole = np.isfinite(tuple(turn)).all() and abs(turn.determinant) > smallest**2
    if not whole or not (any_grid or (turn.a > smallest and -turn.e > smallest and not turn.b and not turn.d)):
        raise InputError(
            f"{path} is rotated or not north-up: its transform is {tuple(turn)[:6]}, expected (width, 0, left, 0, "
            "-height, top).",
            "Bring it to a north-up grid, for example with gdalwarp.",
            kind="scene.grid",
        )
    return header


def _header_of(source: rasterio.DatasetReader) -> Header:
    layers = [number for number, role in enumerate(source.colorinterp) if role != ColorInterp.alpha] or [0]
    flags = source.mask_flag_enums[layers[0]]
    return Header(
        Grid(source.crs, source.transform, source.height, source.width),
        len(layers),
        np.dtype(source.dtypes[0]),
        source.nodata,
        tuple(source.descriptions[number] for number in layers),
        tuple(source.scales[number] for number in layers),
        tuple(source.offsets[number] for number in layers),
        MaskFlags.per_dataset in flags and not {MaskFlags.nodata, MaskFlags.alpha} & set(flags),
        next((number for number, role in enumerate(source.colorinterp, 1) if role == ColorInterp.alpha), 0),
        tuple(source.nodatavals[number] for number in layers),
    )


def keep_open(files: int) -> None:
    """Let so many files stay open beside as many others, up to half of what the system allows a process.

    By default xarray keeps 128. Of a scene with more, as of twelve dates of ten bands and flags, reads would open files
    again whose decoded blocks GDAL has forgotten.
    """
    allowed = 2 * files
    if sys.platform != "win32":
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        allowed = allowed if most == resource.RLIM_INFINITY else min(allowed, most // 2)
    if allowed > xr.get_options()["file_cache_maxsize"]:
        xr.set_options(file_cache_maxsize=allowed)


class RasterFile:
    """A raster file whose windows are read as they are asked for, on another grid when `grid` is given.

    The handle is xarray's: opened at the first read, kept among the last used (see `keep_open`), closed with its last
    owner. A lock a file, because GDAL handles must not be shared by threads: different files are still read in parallel.
    """

    def __init__(
        self,
        path: Path | str,
        nodata: float | None,
        grid: Grid | None = None,
        resampling: str = "nearest",
        valid: tuple[float | None, float | None] = (None, None),
        opener: Callable | None = None,
    ):
        """`valid`: stored values up to the first and from the second on mean that there is nothing. `opener`: as above."""
        self.path, self.nodata, self.grid, self.resampling = path, nodata, grid, Resampling[resampling]
        self.low, self.high = valid
        self._manager = CachingFileManager(opener or rasterio.open, path, mode="r")
        self._lock = SerializableLock()

    @contextmanager
    def _source(self) -> Iterator[rasterio.DatasetReader]:
        try:
            with self._lock, self._manager.acquire_context() as source:
                yield source
        except (RasterioError, UnicodeDecodeError) as error:  # the second: as of the header
            raise InputError(
                f"{self.path} cannot be read ({error}).", "Is it complete? Get it again.", kind="scene.unreadable"
            ) from error

    @property
    def _grid(self) -> Grid:
        """The grid that the file is brought to; only asked for where there is one."""
        assert self.grid is not None
        return self.grid

    def is_empty(self, raw: np.ndarray) -> np.ndarray:
        """True where stored pixels hold nothing."""
        empty = is_nodata(raw, self.nodata)
        if self.low is not None:
            empty = empty | (raw <= self.low)
        if self.high is not None:
            empty = empty | (raw >= self.high)
        return empty

    def read(self, indexes: Sequence[int], y: slice, x: slice) -> Sequence[np.ndarray]:
        """Pixels (y, x) of each of these bands (from 1) as stored. Raises `InputError` naming the file when that fails.

        Index 0 is the file's own mask: 0 where it is empty. Bands that are stored pixel by pixel are decoded all at once:
        ask for those that are wanted together.
        """
        with self._source() as source:
            if self.grid is None and 0 not in indexes:
                return source.read(list(indexes), window=windows.Window.from_slices(y, x))
            if self.grid is None:
                return [source.read_masks(1, window=windows.Window.from_slices(y, x))]
            return [self._resampled(source, index, y, x) for index in indexes]

    def _resampled(self, source: rasterio.DatasetReader, index: int, y: slice, x: slice) -> np.ndarray:
        if index and self._half is not None:
            return self._read_doubled(source, index, (y, x), self._half)
        if index and self._shift is not None:
            return self._read_shifted(source, index, (y, x), self._shift)
        window = windows.Window.from_slices(y, x)
        # src_nodata keeps nodata pixels out of the interpolation, nodata fills what the file does not reach; where
        # there is neither, leaving them away gives the same pixels in half the time.
        nodata = None if not index or self._is_whole(source, index, window) else self.nodata
        with WarpedVRT(
            source, crs=self._grid.crs, transform=windows.transform(window, self._grid.transform),
            height=window.height, width=window.width, resampling=self.resampling, src_nodata=nodata, nodata=nodata,
            add_alpha=not index, **EXACT, **self._kernel,
        ) as warped:  # fmt: skip
            return warped.read(index) if index else warped.dataset_mask()

    @cached_property
    def _kernel(self) -> dict[str, str]:
        """How many stored pixels an interpolation reaches, fixed: by default GDAL derives it from each window."""
        if self.resampling == Resampling.nearest:
            return {}
        source = self._manager.acquire()
        default, _, _ = calculate_default_transform(
            source.crs, self._grid.crs, source.width, source.height, *source.bounds
        )
        step = self._grid.transform
        return {"XSCALE": f"{min(1, default.a / step.a):.9g}", "YSCALE": f"{min(1, default.e / step.e):.9g}"}

    @cached_property
    def _shift(self) -> tuple[int, int] | None:
        """Rows and columns from the file's corner to the grid's, where pixels coincide; None for another grid."""
        source = self._manager.acquire()
        ours, theirs = self._grid.transform, source.transform
        offset = (ours.f - theirs.f) / ours.e, (ours.c - theirs.c) / ours.a
        same = np.allclose(tuple(theirs)[:2] + tuple(theirs)[3:5], tuple(ours)[:2] + tuple(ours)[3:5], atol=1e-9)
        fits = same and np.allclose(offset, np.rint(offset), atol=1e-3)
        return (round(offset[0]), round(offset[1])) if fits and source.crs == self._grid.crs else None

    def _read_shifted(
        self, source: rasterio.DatasetReader, index: int, place: tuple[slice, slice], offset: tuple[int, int]
    ) -> np.ndarray:
        """Pixels of a window of the grid, from the same pixels of the file; its nodata value where it does not reach."""
        wanted = [slice(part.start + start, part.stop + start) for part, start in zip(place, offset, strict=True)]
        fill = 0 if self.nodata is None else self.nodata
        out = np.full([part.stop - part.start for part in wanted], fill, source.dtypes[index - 1])
        held = [
            slice(max(part.start, 0), min(part.stop, size)) for part, size in zip(wanted, source.shape, strict=True)
        ]
        if all(part.start < part.stop for part in held):
            inner = tuple(
                slice(part.start - whole.start, part.stop - whole.start)
                for part, whole in zip(held, wanted, strict=True)
            )
            out[inner] = source.read(index, window=windows.Window.from_slices(*held))
        return out

    @cached_property
    def _half(self) -> tuple[int, int] | None:
        """Rows and columns from the file's corner to the grid's, where the file's integer pixels are twice as large.

        None for anything else, and for cubic resampling; then GDAL resamples, which gives the same, slower. Asked once,
        while the file is locked: to answer takes as long as to read a window.
        """
        source = self._manager.acquire()
        ours, theirs = self._grid.transform, source.transform
        offset = (ours.f - theirs.f) / ours.e, (ours.c - theirs.c) / ours.a
        fits = np.allclose((theirs.a, theirs.e), (2 * ours.a, 2 * ours.e)) and np.allclose(offset, np.rint(offset))
        plain = self.resampling != Resampling.cubic and np.dtype(source.dtypes[0]).kind in "iu"
        return tuple(round(one) for one in offset) if fits and plain and source.crs == self._grid.crs else None

    def _read_doubled(
        self, source: rasterio.DatasetReader, index: int, place: tuple[slice, slice], offset: tuple[int, int]
    ) -> np.ndarray:
        """Pixels of a window, from stored pixels of twice its size; the file's nodata value where it does not reach."""
        wanted = [range(part.start + start, part.stop + start) for part, start in zip(place, offset, strict=True)]
        # a stored pixel more on each side, for the interpolation
        coarse = [range(part.start // 2 - 1, -(-part.stop // 2) + 1) for part in wanted]
        held = [
            (min(max(part.start, 0), size - 1), max(min(part.stop, size), 1))
            for part, size in zip(coarse, source.shape, strict=True)
        ]
        raw = source.read(index, window=tuple(held))
        beyond = [(low - part.start, part.stop - high) for part, (low, high) in zip(coarse, held, strict=True)]
        if any(count > 0 for pair in beyond for count in pair):
            raw = np.pad(raw, [tuple(max(count, 0) for count in pair) for pair in beyond], mode="edge")
        double = double_nearest if self.resampling == Resampling.nearest else double_bilinear
        rows, columns = (
            slice(part.start - 2 * low.start - 2, part.stop - 2 * low.start - 2)
            for part, low in zip(wanted, coarse, strict=True)
        )
        fine = double(raw, self.nodata)[rows, columns]
        for axis, (part, size) in enumerate(zip(wanted, source.shape, strict=True)):
            if part.start < 0 or part.stop > 2 * size:
                outside = (np.array(part) < 0) | (np.array(part) >= 2 * size)
                fine[(slice(None),) * axis + (outside,)] = 0 if self.nodata is None else self.nodata
        return fine

    def _is_whole(self, source: rasterio.DatasetReader, index: int, window: windows.Window) -> bool:
        """Whether all stored pixels that the resampling of a window can touch exist and hold data."""
        own = windows.from_bounds(*windows.bounds(window, self._grid.transform), source.transform)
        top, left = (math.floor(start) - KERNEL for start in (own.row_off, own.col_off))
        bottom, right = math.ceil(own.row_off + own.height) + KERNEL, math.ceil(own.col_off + own.width) + KERNEL
        if top < 0 or left < 0 or bottom > source.height or right > source.width:
            return False
        return not is_nodata(source.read(index, window=((top, bottom), (left, right))), self.nodata).any()


def is_nodata(raw: np.ndarray, nodata: float | None) -> np.ndarray:
    """True where stored pixels are the nodata value, infinite, or NaN."""
    if raw.dtype.kind != "f":
        return np.zeros(raw.shape, bool) if nodata is None else raw == nodata
    return ~np.isfinite(raw) if nodata is None else ~np.isfinite(raw) | (raw == nodata)
