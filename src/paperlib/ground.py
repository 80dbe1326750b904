"""Areas and lengths on the ground, in any coordinate reference system (CRS).

Coordinates of a CRS are not metres on the ground: at 44 degrees a square metre of EPSG:3857 covers 0.52 m2, and degrees
and feet are no metres at all. All measures are therefore taken in the Lambert azimuthal equal-area projection around the
place itself, on the ellipsoid of the CRS. Its areas are exact everywhere; its lengths are within 0.01 % of the truth up to
180 km from its centre. It has no seam at the dateline or the poles.
"""

import functools
from typing import Any

import geopandas as gpd
import numpy as np
from affine import Affine
from pyproj import CRS, Transformer

from .errors import InputError

#: Areas are computed for pixels this many rows apart, and are taken to be the same over this many columns: between them
#: the area of a pixel of land cover maps changes by less than 0.001 %.
ROWS, COLUMNS = 64, 256


@functools.lru_cache(maxsize=64)
def _equal_area(crs: CRS, x: float, y: float) -> Transformer:
    """From `crs` to metres in the equal-area projection that is centred on a place of it."""
    earth = crs.geodetic_crs and crs.ellipsoid
    if not earth:
        raise InputError(
            f"{crs.name} is no place on the Earth, so nothing can be measured in it.",
            "Assign the coordinate reference system that the coordinates are in, for example with gdal_edit.py -a_srs.",
            kind="crs.unknown",
        )
    axes = {"a": earth.semi_major_metre, "b": earth.semi_minor_metre}
    degrees = Transformer.from_crs(crs, CRS.from_dict({"proj": "longlat", **axes}), always_xy=True)
    longitude, latitude = degrees.transform(x, y)
    if not (abs(longitude) <= 540 and abs(latitude) <= 90):
        raise InputError(
            f"The coordinates ({x:g}, {y:g}) are no place in {crs.name}.",
            "Assign the coordinate reference system that they are in.",
            kind="crs.place",
        )
    local = CRS.from_dict({"proj": "laea", "lon_0": longitude, "lat_0": latitude, **axes, "units": "m"})
    return Transformer.from_crs(crs, local, always_xy=True)


def local_crs(crs: Any, bounds: tuple[float, float, float, float]) -> CRS:
    """The equal-area CRS, in metres, around the middle of `bounds` (left, bottom, right, top in `crs`).

    Areas, distances and buffers are those on the ground once geometries are there:
    `polygons.to_crs(ground.local_crs(polygons.crs, polygons.total_bounds))`.
    Raises `InputError` for a CRS that is not tied to the Earth, and for coordinates that are no place in it.
    """
    left, bottom, right, top = map(float, bounds)
    return _equal_area(CRS.from_user_input(crs), (left + right) / 2, (bottom + top) / 2).target_crs  # type: ignore[return-value]


def to_ground(geometries: gpd.GeoSeries | gpd.GeoDataFrame) -> gpd.GeoSeries | gpd.GeoDataFrame:
    """The same geometries in `local_crs`: their `.area`, `.length`, `.distance`, `.buffer` are metres on the ground."""
    return geometries.to_crs(local_crs(geometries.crs, geometries.total_bounds)) if len(geometries) else geometries


def pixel_areas(transform: Affine, crs: Any, shape: tuple[int, int]) -> np.ndarray:
    """Square metres on the ground of each pixel of a grid, float64 (row, group of `COLUMNS` columns).

    `transform` maps (column, row) to coordinates in `crs`; `shape` is (rows, columns). The last group may have fewer
    columns. Raises `InputError` for a CRS that is not tied to the Earth.
    """
    rows, columns = shape
    starts = np.arange(0, columns, COLUMNS)
    middle = (starts + np.minimum(starts + COLUMNS, columns) - 1) / 2
    nodes = np.linspace(0, rows - 1, -(-rows // ROWS) + 1)
    across, down = _steps(transform, crs, *np.meshgrid(nodes, middle, indexing="ij"))
    areas = np.abs(across[0] * down[1] - across[1] * down[0])
    return np.stack([np.interp(np.arange(rows), nodes, group) for group in areas.T], axis=1)


def pixel_size(transform: Affine, crs: Any, shape: tuple[int, int]) -> tuple[float, float]:
    """Height and width in metres on the ground of the middle pixel of a grid of `shape` (rows, columns)."""
    row, column = (np.array((size - 1) / 2) for size in shape)
    across, down = _steps(transform, crs, row, column)
    return float(np.hypot(*down)), float(np.hypot(*across))


def _steps(transform: Affine, crs: Any, row: np.ndarray, column: np.ndarray) -> tuple[tuple, tuple]:
    """From the upper left corner of pixels one column and one row on: (x, y) in metres on the ground, each as `row`."""
    centre = transform @ (float(np.mean(column)) + 0.5, float(np.mean(row)) + 0.5)
    project = _equal_area(CRS.from_user_input(crs), *centre)
    places = [(column + right, row + below) for right, below in ((0, 0), (1, 0), (0, 1))]
    corners = [transform @ place for place in places]  # type: ignore[operator]  # of arrays too
    (x, y), across, down = (project.transform(*corner) for corner in corners)
    return (across[0] - x, across[1] - y), (down[0] - x, down[1] - y)


def areas_of_codes(codes: np.ndarray, transform: Affine, crs: Any) -> np.ndarray:
    """Square metres on the ground that each code covers, float64 (256,), for an image of uint8 codes (y, x)."""
    total = np.zeros(256)
    row = 256 * np.arange(codes.shape[0])[:, None]
    for number, area in enumerate(pixel_areas(transform, crs, codes.shape).T):
        part = codes[:, number * COLUMNS : (number + 1) * COLUMNS]
        counts = np.bincount((part + row).ravel(), minlength=256 * len(area)).reshape(-1, 256)
        total += area @ counts
    return total
