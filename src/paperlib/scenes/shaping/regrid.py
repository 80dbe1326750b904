"""A series on another grid, lazily: the places of a window's pixels are computed exactly, so windows equal the whole.

GDAL's own warps are approximate to an eighth of a pixel and depend on the window. Here the centres of a window are
transformed once, for all bands and dates of it, which is faster too.
"""

import math

import numpy as np
from affine import Affine
from pyproj import CRS as ProjectedCRS
from pyproj import Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from rasterio.crs import CRS
from rasterio.warp import calculate_default_transform, transform_bounds

from ...errors import InputError
from ..rasters import Grid
from ..series import Series

#: Pixel sizes that sensors have, in metres; one within a fifth of the default is taken.
SIZES = (1, 2, 3, 5, 10, 15, 20, 30, 60, 100, 250, 500, 1000)
NEAR = 0.2


def is_north_up(grid: Grid) -> bool:
    """Whether rows go south, columns east, in the axes of the CRS."""
    step = grid.transform
    return not (step.b or step.d) and step.a > 0 and step.e < 0


def metric_grid(grid: Grid, where: str) -> Grid:
    """The grid that a series is brought to: UTM for geographic coordinates, north-up in its own CRS for others.

    Raises `InputError` for a geographic CRS whose coordinates are no degrees.
    """
    if not grid.crs.is_geographic:
        return grid if is_north_up(grid) else _turned(grid)
    corners = [grid.transform @ corner for corner in _corners(grid)]
    west, east = (f(x for x, _ in corners) for f in (min, max))
    south, north = (f(y for _, y in corners) for f in (min, max))
    if not (-361 < west < east < 541 and -90.01 < south < north < 90.01):
        raise InputError(
            f"{where}: its CRS {grid.crs} is in degrees, but x is {west:g} to {east:g}, y {south:g} to {north:g}.",
            "Give the file the CRS of these coordinates, for example with rio edit-info --crs.", kind="scene.crs",
        )  # fmt: skip
    middle = ((west + east) / 2 + 180) % 360 - 180, (south + north) / 2
    zones = query_utm_crs_info("WGS 84", AreaOfInterest(*middle, *middle))
    crs = CRS.from_epsg(int(zones[0].code)) if zones else CRS.from_epsg(6933)
    default = calculate_default_transform(grid.crs, crs, grid.width, grid.height, west, south, east, north)[0]
    size = _size(default.a)
    left, bottom, right, top = transform_bounds(grid.crs, crs, west, south, east, north)
    left, top = size * math.floor(left / size), size * math.ceil(top / size)
    return Grid(
        crs, Affine(size, 0, left, 0, -size, top), math.ceil((top - bottom) / size), math.ceil((right - left) / size)
    )


def _corners(grid: Grid) -> list[tuple[int, int]]:
    return [(column, row) for column in (0, grid.width) for row in (0, grid.height)]


def _size(default: float) -> float:
    nearest = min(SIZES, key=lambda size: abs(size / default - 1))
    return float(nearest) if abs(nearest / default - 1) <= NEAR else float(f"{default:.3g}")


def _turned(grid: Grid) -> Grid:
    """A north-up grid over a rotated, mirrored or upside-down one, of the same pixel size."""
    step = grid.transform
    places = [step @ corner for corner in _corners(grid)]
    (left, right), (bottom, top) = (
        (min(values), max(values)) for values in ([x for x, _ in places], [y for _, y in places])
    )
    size = math.hypot(step.a, step.d), math.hypot(step.b, step.e)
    width, height = (max(1, round(side / each)) for side, each in zip((right - left, top - bottom), size, strict=True))
    return Grid(grid.crs, Affine(size[0], 0, left, 0, -size[1], top), height, width)


class RegriddedSeries:
    """A series read on another grid; see `series.Series`. Its mask is taken from the nearest pixel.

    `resampling`: "nearest", or "bilinear" (also for "cubic"): the mean of the four pixels around, without those that
    hold nothing; a pixel whose nearest one holds nothing stays empty.
    """

    def __init__(self, inner: Series, own: Grid, target: Grid, resampling: str):
        self.inner, self.own, self.target = inner, own, target
        self.nearest = resampling == "nearest"
        self.row_bytes = getattr(inner, "row_bytes", 0)
        self._crs = None if own.crs == target.crs else (target.crs.to_wkt(), own.crs.to_wkt())

    def read(self, y: slice, x: slice, out: np.ndarray) -> np.ndarray:
        """As `series.Series` says."""
        row, column, (rows, columns) = self._places(y, x)
        bands, dates = out.shape[:2]
        if rows.start >= rows.stop or columns.start >= columns.stop:
            out[...] = np.nan
            return np.ones(out.shape[1:], bool)
        raw = np.empty((bands, dates, rows.stop - rows.start, columns.stop - columns.start), np.float32)
        mask = self.inner.read(rows, columns, raw)
        place = row - rows.start, column - columns.start
        self._take(raw, place, out)
        return _gather_nearest(mask, place, True) | np.isnan(out).any(axis=0)

    def values(self, band: slice, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        row, column, (rows, columns) = self._places(y, x)
        out = np.full([part.stop - part.start for part in (band, time, y, x)], np.nan, np.float32)
        if rows.start < rows.stop and columns.start < columns.stop:
            raw = self.inner.values(band, time, rows, columns)
            self._take(raw, (row - rows.start, column - columns.start), out)
        return out

    def mask(self, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        row, column, (rows, columns) = self._places(y, x)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return np.ones([part.stop - part.start for part in (time, y, x)], bool)
        mask = self.inner.mask(time, rows, columns)
        return _gather_nearest(mask, (row - rows.start, column - columns.start), True)

    def _places(self, y: slice, x: slice) -> tuple[np.ndarray, np.ndarray, tuple[slice, slice]]:
        """Rows and columns (y, x) of the own grid, as fractions, of the centres of a window, and the window around them."""
        columns, rows = np.meshgrid(np.arange(x.start, x.stop) + 0.5, np.arange(y.start, y.stop) + 0.5)
        step = self.target.transform
        east, north = step.a * columns + step.b * rows + step.c, step.d * columns + step.e * rows + step.f
        if self._crs is not None:
            east, north = _transformer(*self._crs).transform(east, north)
        own = ~self.own.transform
        column, row = own.a * east + own.b * north + own.c, own.d * east + own.e * north + own.f
        # A centre on an edge of two pixels belongs to neither by rounding alone: decide it the same way everywhere.
        column, row = np.round(column, 6), np.round(row, 6)
        window = []
        for place, size in ((row, self.own.height), (column, self.own.width)):
            inside = place[np.isfinite(place) & (place > -1) & (place < size + 1)]
            first, last = (inside.min(), inside.max()) if inside.size else (0, -9)
            window.append(slice(max(0, math.floor(first) - 1), min(size, math.floor(last) + 2)))
        return row, column, (window[0], window[1])

    def _take(self, raw: np.ndarray, place: tuple[np.ndarray, np.ndarray], out: np.ndarray) -> None:
        for source, target in zip(raw.reshape(-1, *raw.shape[2:]), out.reshape(-1, *out.shape[2:]), strict=True):
            target[...] = _gather_nearest(source, place, np.nan)
            if not self.nearest:
                _interpolate(source, place, target)


_TRANSFORMERS: dict[tuple[str, str], Transformer] = {}


def _transformer(source: str, target: str) -> Transformer:
    if (source, target) not in _TRANSFORMERS:
        _TRANSFORMERS[source, target] = Transformer.from_crs(
            ProjectedCRS.from_wkt(source), ProjectedCRS.from_wkt(target), always_xy=True
        )
    return _TRANSFORMERS[source, target]


def _gather_nearest(image: np.ndarray, place: tuple[np.ndarray, np.ndarray], fill) -> np.ndarray:
    """Pixels (..., y, x) of an image at these rows and columns, `fill` beyond it."""
    row, column = place
    height, width = image.shape[-2:]
    with np.errstate(invalid="ignore"):
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    r, c = (np.where(inside, part, 0).astype(np.intp) for part in place)
    return np.where(inside, image[..., r, c], np.asarray(fill, image.dtype))


def _interpolate(source: np.ndarray, place: tuple[np.ndarray, np.ndarray], target: np.ndarray) -> None:
    """Bilinear values of an image (y, x) into `target`, where the nearest pixel is not empty."""
    full = np.isfinite(target)
    if not full.any():
        return
    row, column = (part[full] - 0.5 for part in place)
    top, left = np.floor(row).astype(np.intp), np.floor(column).astype(np.intp)
    down, right = row - top, column - left
    total, weight = np.zeros(len(row)), np.zeros(len(row))
    for i, vertical in ((0, 1 - down), (1, down)):
        for j, horizontal in ((0, 1 - right), (1, right)):
            r = np.clip(top + i, 0, source.shape[0] - 1)
            c = np.clip(left + j, 0, source.shape[1] - 1)
            value, share = source[r, c], vertical * horizontal
            there = np.isfinite(value)
            total += np.where(there, value, 0) * share
            weight += share * there
    target[full] = total / np.where(weight > 0, weight, 1)
