"""Divide polygons into training, validation and test sets, and measure how well the sets are separated."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .. import ground
from ..errors import InputError
from ..nomenclature import LandCover
from .classes import class_title, legend_of

#: Draws of groups that hold several classes, until each class is in each set.
TRIES = 200


def split(polygons: gpd.GeoDataFrame, validation: float = 0.3, seed: int = 0, test: float = 0.3) -> gpd.GeoDataFrame:
    """Polygons with `set` train, validation or test, drawn group by group and class by class.

    Polygons with one value in the column `group` (default: each polygon alone) stay in one set. Of each class the share
    `validation` of the pool's groups goes to validation, at least one and never all. Where no polygon is marked test, the
    share `test` of each class is set aside first. A group that holds several classes counts for each of them. The same seed
    gives the same split, whatever the order of the file, where it numbers its polygons. Raises `InputError` for a class with
    too few groups, polygons all of one class, groups that cannot be divided so that each class is in each set, and a share
    that is not between 0 and 1.
    """
    for name, share in (("validation", validation), ("test", test)):
        if not 0 < share < 1:
            raise InputError(
                f"{name} = {share!r}; a share of the polygons between 0 and 1 is expected.", "Give one like 0.3.",
                kind="labels.share",
            )  # fmt: skip
    result = polygons.sort_values("polygon_id", ignore_index=True)
    shares = {"validation": validation}
    if not (result["set"] == "test").any():
        shares = {"test": test, **shares}
    pool = result[result["set"] == "pool"]
    groups = (pool["group"] if "group" in pool else pool["polygon_id"]).rename("group")
    held = pd.crosstab(groups, pool["code"]) > 0  # (group, code)
    held = held.reindex(groups.drop_duplicates())
    _check_numbers(result, held, len(shares))
    random = np.random.default_rng(seed)
    for _ in range(TRIES):
        sets = _draw(held, legend_of(result), shares, random)
        if sets is not None:
            result.loc[pool.index, "set"] = groups.map(sets)
            return result
    raise InputError(
        f"The {len(held)} groups of polygons cannot be divided so that every class is in {', '.join((*shares, 'train'))}.",
        "Lower --blocks, or choose a --group-field with more and smaller groups.",
        kind="labels.groups",
    )


def _check_numbers(polygons: gpd.GeoDataFrame, held: pd.DataFrame, drawn: int) -> None:
    """Raise `InputError` for polygons all of one class, and a class that has fewer groups than there are sets to fill."""
    legend = legend_of(polygons)
    if len(legend) == 1:
        raise InputError(
            f"All {len(polygons)} labels are of {class_title(legend[0])}; a classifier needs two classes or more.",
            "Label other classes too, or choose another column with --field.", kind="labels.one_class",
        )  # fmt: skip
    for cover in legend:
        number = int(held[cover.code].sum()) if cover.code in held else 0
        if number <= drawn:
            parts, needed = (("train and validation", "two"), ("train, validation and test", "three"))[drawn - 1]
            mine = polygons[(polygons["code"] == cover.code) & (polygons["set"] == "pool")]
            groups = "" if len(mine) == number else f" in {number} groups"
            raise InputError(
                f"C{class_title(cover)[1:]} has {len(mine)} polygons{groups} to divide among {parts} (polygon_id "
                f"{mine['polygon_id'].tolist()[:10]}); it needs {needed} or more{' groups' if groups else ''}.",
                "Draw more, or leave the class out.",
                kind="labels.few",
            )


def _draw(
    held: pd.DataFrame, legend: tuple[LandCover, ...], shares: dict[str, float], random: np.random.Generator
) -> dict[int, str] | None:
    """The set of each group, by `held` (group, code); None where some class lacks a set."""
    sets = pd.Series("train", held.index, dtype=object)
    codes = [cover.code for cover in legend]
    if (held.sum(axis=1) > 1).any():  # the rarest first: it has the least choice
        codes = held[codes].sum().sort_values(kind="stable").index.tolist()
    taken = pd.Series(False, held.index)
    for code in codes:
        mine = held.index[held[code]]
        left = random.permutation(mine[~taken[mine].to_numpy()])
        total = len(mine)
        for remaining, (name, share) in zip(range(len(shares), 0, -1), shares.items(), strict=True):
            wanted = min(max(1, round(share * total)), total - remaining)
            there = int((taken[mine] & (sets[mine] == name)).sum())
            number = max(0, wanted - there)
            sets[left[:number]] = name
            left, total = left[number:], total - wanted
        taken[mine] = True
    whole = all(set(sets[held.index[held[code]]]) == {"train", *shares} for code in codes)
    return sets.to_dict() if whole else None


def separation(polygons: gpd.GeoDataFrame, reach: Mapping[str, float]) -> pd.DataFrame:
    """How far the polygons of validation and test are from those of training; `reach` names distances in metres.

    One row a pair of sets: the polygons of the first set; how many of them are also in the second, by number, group or
    outline (0 proves the split); how many overlap one there, and the area of that overlap in square metres; the smallest
    distance in metres; and for each reach how many polygons of the first set, and which share of them, lie nearer than that
    to a polygon of the second. Distances are between outlines. Metres are those on the ground.
    """
    rows = []
    keys = [name for name in ("polygon_id", "group") if name in polygons]
    local = ground.to_ground(polygons)
    for first in ("validation", "test"):
        ours, theirs = (local[local["set"] == name].reset_index(drop=True) for name in (first, "train"))
        same = ours.normalize().to_wkb().isin(theirs.normalize().to_wkb())
        for key in keys:
            same |= ours[key].isin(theirs[key])
        mine, other = theirs.sindex.query(ours.geometry, predicate="intersects")
        shared = shapely.area(shapely.intersection(ours.geometry.values[mine], theirs.geometry.values[other]))
        _, distance = theirs.sindex.nearest(ours.geometry, return_all=False, return_distance=True)
        row = {
            "pair": f"{first} - train", "polygons": len(ours), "on both sides": int(same.sum()),
            "overlapping": len(np.unique(mine[shared > 1e-3])), "overlap (m2)": round(float(shared.sum()), 1),
            "smallest distance (m)": round(float(distance.min()), 1) if len(distance) else np.nan,
        }  # fmt: skip
        for name, metres in reach.items():
            near = int((distance < metres).sum())
            row |= {f"within {name} ({metres:.0f} m)": near, f"{name} (%)": round(100 * near / max(1, len(ours)), 1)}
        rows.append(row)
    return pd.DataFrame(rows)
