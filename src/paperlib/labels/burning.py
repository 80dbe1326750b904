"""Labelled pixels: burn polygons onto the grid of a scene, and count what they hold."""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from rasterio.enums import MergeAlg
from rasterio.features import rasterize

from ..errors import InputError, InputWarning
from ..nomenclature import LandCover

SETS = ("train", "validation", "test")


def pixel_of(scene: xr.DataArray) -> tuple[float, float]:
    """Width and height of the pixels of a scene, in units of its CRS."""
    width, height = scene.rio.resolution()
    return abs(width), abs(height)


def burn(polygons: gpd.GeoDataFrame, scene: xr.DataArray, legend: tuple[LandCover, ...]) -> xr.Dataset:
    """Polygons on the scene's grid: `label` (y, x) int16 class index, `polygon` (y, x) int32 polygon_id, -1 elsewhere.

    A pixel belongs to a polygon when its centre lies inside. A pixel inside two polygons belongs to neither: it must
    not count for two classes or two sets; attrs["contested"] is how many there are, and a warning says so, as it does
    of polygons left without a pixel. Raises `InputError` for a class that has no pixel in one of the sets it has
    polygons in.
    """
    grid = {"out_shape": (scene.sizes["y"], scene.sizes["x"]), "transform": scene.rio.transform()}
    position = {cover.code: index for index, cover in enumerate(legend)}
    shapes, index = polygons.geometry, polygons["code"].map(position)
    number = rasterize(zip(shapes, polygons["polygon_id"], strict=True), fill=-1, dtype="int32", **grid)
    label = rasterize(zip(shapes, index, strict=True), fill=-1, dtype="int16", **grid)
    contested = rasterize(shapes, default_value=1, dtype="uint16", merge_alg=MergeAlg.add, **grid) > 1
    number[contested] = label[contested] = -1
    burned = xr.Dataset(
        {"label": (("y", "x"), label), "polygon": (("y", "x"), number)}, {"y": scene.y, "x": scene.x},
        {"contested": int(contested.sum())},
    )  # fmt: skip
    _check_pixels(burned, polygons, legend, f"{abs(scene.rio.resolution()[0]):g} m")
    return burned


def _check_pixels(burned: xr.Dataset, polygons: gpd.GeoDataFrame, legend, pixel: str) -> None:
    held = polygons["polygon_id"].isin(np.unique(burned["polygon"].values[burned["polygon"].values >= 0]))
    counts = pixel_counts(burned, polygons, legend).query("polygons > 0 and pixels == 0")
    if len(counts):
        which = "; ".join(
            f"{row.class_name}, {row.set}: polygon_id "
            f"{polygons['polygon_id'][(polygons['code'] == row.code) & (polygons['set'] == row.set)].tolist()[:10]}"
            for row in counts.itertuples()
        )
        raise InputError(
            f"No pixel is labelled for {which}. No centre of a pixel of {pixel} lies inside these polygons, or other "
            "polygons overlap them there.",
            "Draw larger ones, or remove the overlap.",
            kind="labels.pixels",
        )
    if burned.attrs["contested"]:
        problem = f"{burned.attrs['contested']} pixels lie in several polygons and are left out."
        warnings.warn(
            InputWarning(problem, "Cut these polygons where they overlap.", kind="labels.overlap"), stacklevel=3
        )
    if not held.all():
        ids = polygons.loc[~held, "polygon_id"].tolist()
        problem = f"{len(ids)} polygons hold no pixel of {pixel}: polygon_id {ids[:10]}."
        warnings.warn(InputWarning(problem, "Draw them larger, or delete them.", kind="labels.small"), stacklevel=3)


def pixel_counts(burned: xr.Dataset, polygons: gpd.GeoDataFrame, legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Polygons and labelled pixels by class and set: columns code, class_name, set, polygons, pixels.

    Where polygons form groups that stay together, a column groups counts them.
    """
    number = burned["polygon"].values
    ids, pixels = np.unique(number[number >= 0], return_counts=True)
    table = polygons[["polygon_id", "code", "set"]].assign(
        pixels=polygons["polygon_id"].map(dict(zip(ids, pixels, strict=True))).fillna(0).astype(int)
    )
    columns = {"polygons": ("polygon_id", "size"), "pixels": ("pixels", "sum")}
    if "group" in polygons and not polygons["group"].is_unique:
        table, columns = table.assign(group=polygons["group"]), columns | {"groups": ("group", "nunique")}
    counts = table.groupby(["code", "set"]).agg(**columns)
    sets = SETS if polygons["set"].isin(SETS).all() else ("pool", "test")  # before the split
    every = pd.MultiIndex.from_product([[cover.code for cover in legend], sets], names=["code", "set"])
    counts = counts.reindex(every, fill_value=0).reset_index()
    counts.insert(1, "class_name", counts["code"].map({cover.code: cover.name for cover in legend}))
    return counts
