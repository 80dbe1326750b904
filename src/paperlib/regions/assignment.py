"""Whose labels are whose: each polygon of a region belongs to one tile, whose images it labels."""

import math
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr

from .. import ground
from ..errors import InputError, InputWarning, counted
from ..features.alike import pixels_inside
from ..labels.burning import pixel_of
from ..labels.rows import rows_text
from ..scenes.series import read_window
from .region import Region


def assign(polygons: gpd.GeoDataFrame, region: Region) -> gpd.GeoDataFrame:
    """The polygons with a column `tile`: the name of the tile whose images they label.

    A polygon goes to the tile with the most usable dates on its pixels; of equally many, to the first by name. What a tile
    does not reach counts as not usable, so a polygon across the border of a tile goes where most of it lies. Polygons
    without a usable pixel are left out with a warning. `polygons` are in `region.crs`. Raises `InputError` for polygons
    outside all tiles, and for those of different classes that overlap where each belongs to another tile.
    """
    outlines = region.footprints(region.crs)
    names = list(outlines)
    tree = shapely.STRtree([outlines[name] for name in names])
    rows, places = tree.query(polygons.geometry.to_numpy(), predicate="intersects")
    lost = np.setdiff1d(np.arange(len(polygons)), rows)
    if len(lost):
        raise InputError(
            f"{counted(len(lost), 'polygon lies', 'polygons lie')} outside the tiles of "
            f"{region.path} ({_rows(polygons, lost)}).",
            "Delete them, or add the tiles that hold them.", kind="labels.outside",
        )  # fmt: skip
    usable = np.zeros((len(names), len(polygons)), int)
    for place in np.unique(places):  # one tile after the other, so that few are open
        scene = region.scene(names[place])
        mine = rows[places == place]
        there = polygons.geometry.iloc[mine].to_crs(scene.rio.crs)
        usable[place, mine] = [usable_dates(scene, outline) for outline in there]
    result = polygons.assign(tile=np.array(names, object)[usable.argmax(0)])
    empty = np.flatnonzero(usable.max(0) == 0)
    if len(empty):
        problem = f"Polygons without a pixel with a usable date are left out: {len(empty)} ({_rows(polygons, empty)})."
        fix = "Draw them larger or elsewhere, or add dates."
        warnings.warn(InputWarning(problem, fix, kind="labels.small"), stacklevel=2)
        result = result.drop(index=result.index[empty])
    _refuse_contradictions(result, math.prod(pixel_of(region.scene(region.reference))))
    return result.reset_index(drop=True)


def usable_dates(scene: xr.DataArray, outline: shapely.Geometry) -> int:
    """Usable dates of a scene, summed over the pixels whose centre lies in an outline (in its CRS)."""
    rows, columns = pixels_inside(outline, scene.rio.transform(), scene.shape[-2:])
    if not len(rows):
        return 0
    y, x = (slice(int(places.min()), int(places.max()) + 1) for places in (rows, columns))
    # bands are read along: their blocks are needed next, and reading masks alone through dask takes longer
    masked = read_window(scene, y, x, np.empty((*scene.shape[:2], y.stop - y.start, x.stop - x.start), np.float32))
    return int((~masked[:, rows - rows.min(), columns - columns.min()]).sum())


def in_tile(polygons: gpd.GeoDataFrame, name: str, scene: xr.DataArray) -> gpd.GeoDataFrame:
    """The polygons of one tile, in the CRS of its scene."""
    return polygons[polygons["tile"] == name].to_crs(scene.rio.crs).reset_index(drop=True)


def tile_counts(polygons: gpd.GeoDataFrame) -> pd.DataFrame:
    """How many polygons of each set belong to each tile: one row a tile, one column a set."""
    return polygons.groupby(["tile", "set"]).size().unstack(fill_value=0).rename_axis(columns=None)


def _refuse_contradictions(polygons: gpd.GeoDataFrame, pixel: float) -> None:
    """Raise `InputError` where tiles would learn different classes of one place: half a pixel of it or more.

    In one tile such pixels belong to neither polygon (`labels.burn`).
    """
    one, other = polygons.sindex.query(polygons.geometry, predicate="intersects")
    code, tile = polygons["code"].to_numpy(), polygons["tile"].to_numpy()
    apart = (one < other) & (code[one] != code[other]) & (tile[one] != tile[other])
    one, other = one[apart], other[apart]
    shapes = polygons.geometry.to_numpy()
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other])) >= pixel / 2
    if not shared.any():
        return
    one, other = one[shared], other[shared]
    first, second = one[0], other[0]
    places = polygons.geometry.iloc[[first]].intersection(polygons.geometry.iloc[[second]], align=False)
    raise InputError(
        f"Labels of overlapping tiles contradict each other at {len(one)} places: polygon_id "
        f"{polygons['polygon_id'].iloc[first]} is {polygons['class_name'].iloc[first]} in tile {tile[first]}, "
        f"{polygons['polygon_id'].iloc[second]} is {polygons['class_name'].iloc[second]} in tile {tile[second]}, on "
        f"{ground.to_ground(places).area.iloc[0]:.0f} m2 of both.",
        "Decide what is there, and cut one of them.", kind="region.labels",
        place=_rows(polygons, np.unique([one, other])),
    )  # fmt: skip


def _rows(polygons: gpd.GeoDataFrame, rows: np.ndarray) -> str:
    return rows_text(polygons["polygon_id"].iloc[rows])
