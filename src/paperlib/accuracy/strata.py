"""The stratum of each pixel of a class map, strip by strip."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window
from scipy.ndimage import maximum_filter, minimum_filter

from ..errors import InputError
from ..mapping.class_map import ROWS, ClassMap
from ..nomenclature import NODATA_CLASS

#: Number of the stratum of pixels near the edge of another class; class codes and strata of rasters lie below it.
EDGE = 70_000

#: Number where there is no stratum.
NONE = -1


def strata(class_map: ClassMap, raster: str | Path | None = None, edge: int = 0) -> Iterator[tuple[int, np.ndarray]]:
    """First row and stratum numbers int32 (y, x) of one strip of rows after the other, `NONE` where there is none.

    Parameters
    ----------
    class_map: its classes are the strata, under their codes, unless a raster is given.
    raster: strata of one's own, on the grid of the map; 0 and nodata are no stratum.
    edge: pixels at most so many rows and columns from another class form a stratum of their own, `EDGE`; 0: none. Errors
        of omission lie there, so that points there narrow the intervals of rare classes (Olofsson and others, 2020,
        Remote Sensing of Environment 236, 111492).

    Raises `InputError` where the raster lies on another grid.
    """
    other = _open_strata(class_map, raster) if raster else None
    try:
        for top, codes in class_map.strips(halo=edge):
            above = min(top, edge)
            core = slice(above, above + ROWS)
            number = codes[core].astype(np.int32)
            if other is not None:
                number = other.read(1, window=Window(0, top, number.shape[1], len(number))).astype(np.int32)
                number[number == other.nodata] = 0
            if edge:
                number[_near_edge(codes, edge)[core]] = EDGE
            yield top, np.where((number == 0) | (codes[core] == NODATA_CLASS), NONE, number)
    finally:
        if other is not None:
            other.close()


def _near_edge(codes: np.ndarray, distance: int) -> np.ndarray:
    """Pixels with another class within a square of `distance` pixels around them; nodata is no class."""
    side = 2 * distance + 1
    lowest = minimum_filter(np.where(codes == NODATA_CLASS, 255, codes), side, mode="nearest")
    return (maximum_filter(codes, side, mode="nearest") != lowest) & (codes != NODATA_CLASS)


def _open_strata(class_map: ClassMap, path: str | Path):
    try:
        raster = rasterio.open(path)
    except rasterio.RasterioIOError as error:
        raise InputError(
            f"The strata {path} cannot be read ({error}).", "Name a GeoTIFF of whole numbers.", kind="strata.unreadable"
        ) from error
    if (raster.crs, raster.transform, raster.shape) != class_map.grid:
        raster.close()
        raise InputError(
            f"The strata {path} lie on another grid than the map {class_map.path}.",
            "Bring them to the grid of the map, for example with gdalwarp -te ... -tr ... -r near.",
            kind="strata.grid",
        )
    return raster
