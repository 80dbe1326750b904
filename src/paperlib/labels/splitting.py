"""Divide polygons into training, validation and test sets, and measure how well the sets are separated."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ..errors import InputError
from .classes import legend_of


def split(polygons: gpd.GeoDataFrame, validation: float = 0.3, seed: int = 0, test: float = 0.3) -> gpd.GeoDataFrame:
    """Polygons with `set` train, validation or test, drawn by polygon and class by class (section 3.2).

    Of each class the share `validation` of the pool's polygons goes to validation, at least one and never all. Where no
    polygon is marked test, the share `test` of each class is set aside first. The same seed gives the same split,
    whatever the order of the file, where it numbers its polygons. Raises `InputError` for a class with too few polygons
    and a share that is not between 0 and 1.
    """
    for name, share in (("validation", validation), ("test", test)):
        if not 0 < share < 1:
            raise InputError(f"{name} = {share!r}; a share of the polygons between 0 and 1 is expected, like 0.3.")
    result = polygons.sort_values("polygon_id", ignore_index=True)
    random = np.random.default_rng(seed)
    drawn = [("validation", validation)]
    if not (result["set"] == "test").any():
        drawn.insert(0, ("test", test))
    for cover in legend_of(result):
        pool = random.permutation(result.index[(result["code"] == cover.code) & (result["set"] == "pool")])
        if len(pool) <= len(drawn):
            parts, needed = (("train and validation", "two"), ("train, validation and test", "three"))[len(drawn) - 1]
            raise InputError(
                f"Class {cover.code} {cover.name} has {len(pool)} polygons to divide among {parts} (polygon_id "
                f"{result['polygon_id'][pool].tolist()}); it needs {needed} or more. Draw more, or drop the class."
            )
        for left, (name, share) in zip(range(len(drawn), 0, -1), drawn, strict=True):
            number = min(max(1, round(share * len(pool))), len(pool) - left)
            result.loc[pool[:number], "set"] = name
            pool = pool[number:]
        result.loc[pool, "set"] = "train"
    return result


def separation(polygons: gpd.GeoDataFrame, reach: Mapping[str, float]) -> pd.DataFrame:
    """How far the polygons of validation and test are from those of training; `reach` names distances in metres.

    One row a pair of sets: the polygons of the first set; how many of them are also in the second, by number or by
    outline (0 proves the split); how many overlap one there, and the area of that overlap in square metres; the
    smallest distance in metres; and for each reach how many polygons of the first set, and which share of them, lie
    nearer than that to a polygon of the second. Distances are between outlines.
    """
    rows = []
    for first in ("validation", "test"):
        ours, theirs = (polygons[polygons["set"] == name].reset_index(drop=True) for name in (first, "train"))
        same = ours["polygon_id"].isin(theirs["polygon_id"])
        same |= ours.normalize().to_wkb().isin(theirs.normalize().to_wkb())
        mine, other = theirs.sindex.query(ours.geometry, predicate="intersects")
        shared = shapely.area(shapely.intersection(ours.geometry.values[mine], theirs.geometry.values[other]))
        _, distance = theirs.sindex.nearest(ours.geometry, return_all=False, return_distance=True)
        row = {
            "pair": f"{first} - train", "polygons": len(ours), "on both sides": int(same.sum()),
            "overlapping": len(np.unique(mine[shared > 0])), "overlap (m2)": round(float(shared.sum()), 1),
            "smallest distance (m)": round(float(distance.min()), 1) if len(distance) else np.nan,
        }  # fmt: skip
        for name, metres in reach.items():
            near = int((distance < metres).sum())
            row |= {f"within {name} ({metres:g} m)": near, f"{name} (%)": round(100 * near / max(1, len(ours)), 1)}
        rows.append(row)
    return pd.DataFrame(rows)
