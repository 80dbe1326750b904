"""Polygons of a class map: outlines without gaps or overlaps, with class, area and mean confidence.

The map is cut into blocks, each is outlined and simplified as a coverage (every border is one line for both sides; GEOS,
after Visvalingam and Whyatt, 1993), and what a block's edge has cut is joined again. Simplifying leaves the edges of blocks
as they are, so that joined outlines fit.
"""

import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine
from rasterio.features import shapes, sieve
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from skimage.measure import label

from .. import ground
from ..errors import InputError
from ..nomenclature import NODATA_CLASS
from ..scenes.windowing import Window, windows
from .class_map import ClassMap

#: Side in pixels of the blocks that are outlined at once.
BLOCK = 1024
#: Value of a confidence map where there is none.
NO_CONFIDENCE = 255


def vectorise(
    class_map: ClassMap, minimum_area: float = 0, tolerance: float = 0, block: int = BLOCK
) -> gpd.GeoDataFrame:
    """Polygons of the classes of a map, in its CRS; pixels of a class that touch at sides are one polygon.

    Parameters
    ----------
    class_map: the classes; the mean confidence comes from confidence.tif beside it, where there is one.
    minimum_area: square metres on the ground; smaller objects take the class of their largest neighbour. Where all
        neighbours are small too, or are no class, objects may stay smaller.
    tolerance: units of the CRS: bends of outlines smaller than a triangle of tolerance x tolerance / 2 are smoothed.
    block: side in pixels of what is outlined at once; the memory needed follows from it and from the number of polygons.

    Returns columns code, class_name, hectares (on the ground), confidence (per cent, NaN without), geometry. Together the
    polygons cover what the map covers, without gaps or overlaps. Raises `InputError` for a map without any class, and for
    a negative area or tolerance.
    """
    if minimum_area < 0 or tolerance < 0:
        raise InputError(
            f"A minimum area of {minimum_area:g} and a tolerance of {tolerance:g} are asked for.",
            "Give 0 or more for --minimum-area (m2) and --tolerance (units of the map).", kind="vectors.choice",
        )  # fmt: skip
    codes = _without_small(class_map, minimum_area)
    if not codes.any():
        raise InputError(f"{class_map.path} has no pixel with a class.", "Give another map.", kind="map.empty")
    numbers, table = _objects(codes, _confidence(class_map), block)
    parts = [_outlines(numbers, part, class_map.grid[1], tolerance) for part in windows(codes.shape, block)]
    pieces = pd.concat(parts).sort_index()
    group = _joined(numbers, codes, len(table), block)
    joined = [shapely.union_all(list(part)) if len(part) > 1 else part.iloc[0] for _, part in pieces.groupby(group)]
    sums = table.groupby(group).agg(code=("code", "first"), known=("known", "sum"), confidence=("confidence", "sum"))
    polygons = gpd.GeoDataFrame(
        {
            "code": sums["code"], "class_name": sums["code"].map(class_map.names),
            "hectares": 0.0, "confidence": sums["confidence"] / sums["known"].where(sums["known"] > 0),
        },
        geometry=joined, crs=class_map.grid[0],
    )  # fmt: skip
    polygons["hectares"] = ground.to_ground(polygons.geometry).area / 10_000
    return polygons.sort_values(["code", "hectares"], ascending=[True, False], ignore_index=True)


def _without_small(class_map: ClassMap, minimum_area: float) -> np.ndarray:
    """Class codes of the whole map, uint8 (y, x): a byte a pixel, since an object may reach over all of it."""
    with rasterio.open(class_map.path) as file:
        codes = file.read(1)
    crs, transform, shape = class_map.grid
    pixels = math.ceil(minimum_area / math.prod(ground.pixel_size(transform, crs, shape)) - 1e-6)
    size = 1
    while size < pixels:  # in steps: GDAL joins an object only to one that reaches the size itself
        size = min(2 * size, pixels)
        codes = sieve(codes, size, mask=codes != NODATA_CLASS, connectivity=4)
    return codes


def _confidence(class_map: ClassMap) -> np.ndarray | None:
    path = Path(class_map.path).with_name("confidence.tif")
    if not path.is_file():
        return None
    with rasterio.open(path) as file:
        return file.read(1)


def _objects(codes: np.ndarray, confidence: np.ndarray | None, block: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Objects of each block: their numbers int32 (y, x), -1 where there is no class, and one row for each.

    Columns code, known (pixels with a confidence), confidence (their sum).
    """
    numbers, tables, count = np.full(codes.shape, -1, np.int32), [], 0
    for part in windows(codes.shape, block):
        found = label(codes[part.core], background=NODATA_CLASS, connectivity=1)
        inside = found > 0
        index, number = found[inside] - 1, int(found.max(initial=0))
        numbers[part.core][inside] = index + count
        held = np.zeros(inside.sum()) if confidence is None else confidence[part.core][inside].astype(float)
        known = (held != NO_CONFIDENCE) & (confidence is not None)
        code = np.zeros(number, np.int64)
        code[index] = codes[part.core][inside]
        counts, sums = np.bincount(index, known, number), np.bincount(index, held * known, number)
        tables.append(pd.DataFrame({"code": code, "known": counts, "confidence": sums}))
        count += number
    return numbers, pd.concat(tables, ignore_index=True)


def _outlines(numbers: np.ndarray, part: Window, transform: Affine, tolerance: float) -> pd.Series:
    """Outline of each object of a block, by its number."""
    rows, columns = part.core
    inside, place = numbers[part.core], transform * Affine.translation(columns.start, rows.start)
    found = [(int(number), shape) for shape, number in shapes(inside, mask=inside >= 0, transform=place)]
    geometries = np.array([shapely.geometry.shape(shape) for _, shape in found])
    if tolerance and len(geometries):
        geometries = shapely.coverage_simplify(geometries, tolerance, simplify_boundary=False)
    return pd.Series(geometries, index=[number for number, _ in found], dtype=object)


def _joined(numbers: np.ndarray, codes: np.ndarray, count: int, block: int) -> np.ndarray:
    """Group (object,) of each object: objects of one class on both sides of a block's edge are of one group."""
    pairs = []
    for first, second in ((numbers, codes), (numbers.T, codes.T)):
        edges = np.arange(block, len(first), block)
        above, below = first[edges - 1], first[edges]
        alike = (second[edges - 1] == second[edges]) & (above >= 0)
        pairs.append(np.stack([above[alike], below[alike]]))
    left, right = np.concatenate(pairs, axis=1)
    links = coo_array((np.ones(len(left), bool), (left, right)), shape=(count, count))
    return connected_components(links, directed=False)[1]
