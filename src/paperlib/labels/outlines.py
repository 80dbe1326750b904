"""Geometries of a label file: which are usable, mended, plain; points as pixels; parts as polygons of their own."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .. import ground

#: No coordinate of a place is larger, in any unit of length.
FARTHEST = 1e10
AREAS, POINTS = ("Polygon", "MultiPolygon"), ("Point", "MultiPoint")


def plain(geometries: gpd.GeoSeries) -> gpd.GeoSeries:
    """The geometries without Z and M; a collection becomes its polygons, where it has any."""
    flat = geometries.force_2d()
    mixed = flat.geom_type == "GeometryCollection"
    flat[mixed] = [_areas_of(collection) for collection in flat[mixed]]
    return flat


def _areas_of(collection: shapely.Geometry) -> shapely.Geometry:
    parts = [part for part in shapely.get_parts(collection) if part.geom_type in AREAS]
    return shapely.union_all(parts) if parts else collection


def not_numbers(geometries: gpd.GeoSeries) -> pd.Series:
    """Which have a coordinate that is infinite, not a number, or farther off than any place on the Earth."""
    coordinates, row = shapely.get_coordinates(geometries.to_numpy(), return_index=True)
    wrong = np.zeros(len(geometries), bool)
    with np.errstate(invalid="ignore"):
        wrong[row[~(np.abs(coordinates) <= FARTHEST).all(axis=1)]] = True
    return pd.Series(wrong, geometries.index)


def repaired(geometries: gpd.GeoSeries) -> gpd.GeoSeries:
    """Valid outlines of invalid ones (shapely.make_valid); lines and points that come out are dropped."""
    mended = gpd.GeoSeries(shapely.make_valid(geometries.to_numpy()), geometries.index, crs=geometries.crs)
    return plain(mended)


def areas(geometries: gpd.GeoSeries) -> np.ndarray:
    """Square metres on the ground (row,)."""
    return ground.to_ground(geometries).area.to_numpy()


def exchanged(shapes: gpd.GeoSeries, crs: Any) -> shapely.Geometry:
    """The box in `crs` that shapes would lie in if their x and y were exchanged; empty where that is no place."""
    left, bottom, right, top = shapes.total_bounds
    moved = gpd.GeoSeries([shapely.box(bottom, left, top, right)], crs=shapes.crs).to_crs(crs)
    return moved.iloc[0] if np.isfinite(moved.total_bounds).all() else shapely.Point()


def pixels_of(
    points: gpd.GeoSeries, bounds: tuple[float, float, float, float], pixel: tuple[float, float]
) -> gpd.GeoSeries:
    """The pixel that each point lies in, as a square; `pixel` is (width, height) in units of the CRS.

    The grid begins in the upper left corner of `bounds`. Points on its right or lower edge belong to the last pixels.
    """
    left, bottom, right, top = bounds
    column = np.floor((points.x - left) / pixel[0]).mask(points.x == right, round((right - left) / pixel[0]) - 1)
    row = np.floor((top - points.y) / pixel[1]).mask(points.y == bottom, round((top - bottom) / pixel[1]) - 1)
    x, y = left + column * pixel[0], top - row * pixel[1]
    return gpd.GeoSeries(shapely.box(x, y - pixel[1], x + pixel[0], y), points.index, crs=points.crs)


def buffered(points: gpd.GeoSeries, metres: float) -> gpd.GeoSeries:
    """Discs of a radius in metres on the ground."""
    return ground.to_ground(points).buffer(metres).to_crs(points.crs)


def extent_text(bounds: tuple[float, float, float, float]) -> str:
    """Left, bottom, right, top as text."""
    digits = 0 if max(map(abs, bounds)) > 1000 else 4
    return "(" + ", ".join(f"{value:.{digits}f}" for value in bounds) + ")"


def fitting_crs(shapes: gpd.GeoSeries, own: Any, crs: Any, bounds: tuple[float, float, float, float] | None) -> str:
    """What to do about shapes that all lie elsewhere: the CRS that their numbers would fit, where there is one.

    `own`: the CRS that their file states; `crs`, `bounds`: those of the scene.
    """
    left, bottom, right, top = shapes.total_bounds
    if bounds is not None and shapely.box(left, bottom, right, top).intersects(shapely.box(*bounds)):
        return f"Is the file's CRS right? Its numbers fit the scene's, {crs.name}: assign that (QGIS: Layer CRS)."
    if bounds is not None and exchanged(shapes, crs).intersects(shapely.box(*bounds)):
        return "Are x and y (longitude and latitude) exchanged? The other way round they lie in the scene."
    if own.is_projected and -180 <= left <= right <= 180 and -90 <= bottom <= top <= 90:
        return "Is the file's CRS right? Its numbers fit degrees: assign EPSG:4326 (QGIS: Layer CRS)."
    return "Is the file's CRS right? Assign the one that the numbers are in (QGIS: Layer CRS), or give another scene."
