"""Polygons that show one object: those with the same series, and near ones of a class whose series are alike.

Pieces of one field, polygons inside one coarse pixel and copies resemble each other far more than two fields do. Where one
of them trains a classifier and another one validates it, scores are too good; so they stay in one set.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy
import shapely
import xarray as xr
from affine import Affine
from rasterio.features import rasterize

from .. import ground
from ..errors import NOTHING_TO_DO, Finding, counted
from ..gathering import together
from ..labels.objects import needed_polygons
from ..labels.rows import rows_text
from ..scenes.series import read_window

#: Difference in reflectance (root mean square over bands and dates) below which near polygons of a class are one object.
ALIKE = 0.015
#: Series whose largest difference in reflectance is below this are the same.
SAME = 2e-4
#: Side in pixels of the window whose pixels of a polygon are averaged; dates that a series must have.
SIDE, DATES = 5, 3
#: Of more polygons than this, only those with a neighbour of their class are read.
MANY = 5000


class Pairs(NamedTuple):
    """Pairs of polygon_id (pair, 2): with the same series, and near ones of a class whose series are alike."""

    same: np.ndarray
    alike: np.ndarray

    def save(self, path: Path) -> None:
        """Write the pairs to a JSON file."""
        path.write_text(json.dumps({name: pairs.tolist() for name, pairs in self._asdict().items()}))

    @classmethod
    def load(cls, path: Path) -> "Pairs":
        """Read pairs written by `save`."""
        return cls(
            **{name: np.array(pairs, int).reshape(-1, 2) for name, pairs in json.loads(path.read_text()).items()}
        )


def find_alike(scene: xr.DataArray, polygons: gpd.GeoDataFrame, near: float) -> Pairs:
    """Which polygons have the same series, and which of a class lie within `near` metres and have series that are alike.

    `polygons` has columns polygon_id, code and geometry, in the scene's CRS. Of each polygon a window of up to `SIDE`
    pixels is read, in which those count whose centre lies in it; polygons with fewer than `DATES` dates are left out.
    """
    polygons = polygons.reset_index(drop=True)
    close = neighbours(polygons, near)
    rows = np.arange(len(polygons)) if len(polygons) <= MANY else np.unique(close)
    return pair_alike(polygons, close, read_series(scene, polygons.geometry.iloc[rows]))


def read_series(scene: xr.DataArray, outlines: gpd.GeoSeries) -> dict[int, np.ndarray]:
    """Two series (2, band * date) of each outline by its index: of the pixel in its middle, and the mean around it.

    `outlines` are in the scene's CRS; those with too few dates are left out. NaN where masked.
    """
    transform, shape = scene.rio.transform(), scene.shape[-2:]
    middles = {row: _around_middle(*pixels_inside(outline, transform, shape)) for row, outline in outlines.items()}
    pixels = {row: middle for row, middle in middles.items() if len(middle[0])}
    rows, found = list(pixels), {}
    around = (pixels[row][:2] for row in rows)
    windows = [(slice(min(y), max(y) + 1), slice(min(x), max(x) + 1)) for y, x in around]
    for y, x, numbers in together(windows):
        out = np.empty((*scene.shape[:2], y.stop - y.start, x.stop - x.start), np.float32)
        out[:, read_window(scene, y, x, out)] = np.nan
        for row in (rows[number] for number in numbers):
            down, across, middle = pixels[row]
            found[row] = _series(out[..., down - y.start, across - x.start], middle)
    return {row: values for row in rows if (values := found[row]) is not None}


def pair_alike(polygons: gpd.GeoDataFrame, close: np.ndarray, series: dict[int, np.ndarray]) -> Pairs:
    """The pairs of polygons by their series, as `read_series` gives them by row; `close` as of `neighbours`."""
    numbers = polygons["polygon_id"].to_numpy()
    alike = [pair for pair in close if set(pair) <= set(series) and _difference(*(series[row] for row in pair)) < ALIKE]
    return Pairs(_numbered(_same(series), numbers), _numbered(alike, numbers))


def keep_together(
    polygons: gpd.GeoDataFrame, pairs: Pairs, grouped: bool = False
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """The polygons with groups in which the pairs are joined, and what is to be said of it.

    `polygons` has columns polygon_id, code, class_name, set and group, as `labels.load_polygons` returns them. Pairs of the
    pool are joined, but for those of a class that then had too few groups to be divided. Pairs of a polygon of the pool
    and one of the test set are a warning, since the test set is the user's. `grouped`: whether the user named a column
    of groups.
    """
    findings: list[Finding] = []
    row = pd.Series(np.arange(len(polygons)), polygons["polygon_id"])
    part, code = polygons["set"].to_numpy(), polygons["code"].to_numpy()
    same, alike = (row.reindex(found.ravel()).to_numpy().reshape(-1, 2) for found in pairs)
    for words, found in (("the same", same), ("nearly the same", alike)):
        across = found[part[found[:, 0]] != part[found[:, 1]]]
        test = np.unique(across[part[across] == "test"])
        if len(test):
            value = f"test polygons that have {words} series as a polygon of the pool: {len(test)}"
            fix = "Mark both as test or neither, so that what is tested was not trained on."
            _note(findings, value, polygons["polygon_id"].iloc[test], fix, "labels.leak")
    same, alike = (found[part[found[:, 0]] == part[found[:, 1]]] for found in (same, alike))
    joined = _joined(polygons, [same, alike])
    short = _too_few(polygons, joined)
    if short:
        same, alike = (found[~np.isin(code[found], list(short)).any(axis=1)] for found in (same, alike))
        joined = _joined(polygons, [same, alike])
        value = f"polygons of {', '.join(short.values())} all have nearly the same series and are divided all the same"
        fix = "Draw others elsewhere: scores of these classes are too good as they are."
        _note(findings, value, [], fix, "labels.alike")
    changed = joined != polygons["group"].to_numpy()
    members = np.flatnonzero(np.isin(joined, joined[changed]))
    if len(members):
        value = (
            f"{len(members)} polygons have the series of another one, or nearly that of a near one of their class: they"
        )
        value += f" stay together, as {counted(len(np.unique(joined[members])), 'group')}"
        named = "" if grouped else "a column of fields or farms with --group-field, or "
        fix = f"{NOTHING_TO_DO} To group otherwise, name {named}another distance with --near METRES."
        _note(findings, value, polygons["polygon_id"].iloc[members], fix, "labels.alike")
    return polygons.assign(group=joined), findings


def _note(findings: list[Finding], value: str, numbers, fix: str, kind: str) -> None:
    findings.append(Finding("warning", "split", value, rows_text(numbers) if len(numbers) else "", fix, kind))


def neighbours(polygons: gpd.GeoDataFrame, near: float) -> np.ndarray:
    """Pairs of rows (pair, 2) of one class that are at most `near` metres apart."""
    if not near or not len(polygons):
        return np.empty((0, 2), int)
    local = ground.to_ground(polygons)
    one, other = local.sindex.query(local.geometry, predicate="dwithin", distance=near)
    code = polygons["code"].to_numpy()
    return np.column_stack([one, other])[(one < other) & (code[one] == code[other])]


def pixels_inside(outline: shapely.Geometry, transform: Affine, shape: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels whose centre lies in an outline, as `labels.burn` sees it.

    `transform` and `shape` (rows, columns) are those of the scene: reading them for each outline would be slow.
    """
    left, bottom, right, top = outline.bounds
    (first, low), (last, high) = ~transform @ (left, top), ~transform @ (right, bottom)
    # one pixel where a polygon only touches the scene's edge
    x, y = (
        slice(max(0, min(int(start), size - 1)), max(1, min(int(stop) + 1, size)))
        for size, start, stop in ((shape[1], first, last), (shape[0], low, high))
    )
    here = transform @ Affine.translation(x.start, y.start)
    inside = rasterize([outline], (y.stop - y.start, x.stop - x.start), transform=here, dtype="uint8")
    rows, columns = np.nonzero(inside)
    return rows + y.start, columns + x.start


def _around_middle(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Those of the pixels of a polygon that lie around the one in its middle, and the place of that one among them."""
    if not len(rows):
        return rows, columns, 0
    middle = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    near = np.maximum(abs(rows - rows[middle]), abs(columns - columns[middle])) <= SIDE // 2
    return rows[near], columns[near], int(np.count_nonzero(near[:middle]))


def _series(seen: np.ndarray, middle: int) -> np.ndarray | None:
    """Two series (2, band * date) of pixels (band, date, pixel): of the one in the middle, and their mean; NaN if masked."""
    count = (~np.isnan(seen)).sum(axis=-1)
    mean = np.nansum(seen, axis=-1) / np.where(count, count, np.nan)
    if (count > 0).any(axis=0).sum() < min(DATES, seen.shape[1]):
        return None
    return np.stack([seen[..., middle].ravel(), mean.ravel()])


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    """Root mean square difference of two mean series; infinite where they share fewer than half of their values."""
    apart = one[1] - other[1]
    both = ~np.isnan(apart)
    return float(np.sqrt(np.mean(apart[both] ** 2))) if 2 * both.sum() >= len(apart) else np.inf


def _same(series: dict[int, np.ndarray]) -> list[tuple[int, int]]:
    """Pairs of rows whose middle pixels have the same series; each row after the first of a kind is paired with that one."""
    rows = np.array(list(series), int)
    if len(rows) < 2:
        return []
    values = np.stack([series[row][0] for row in rows])
    filled = np.nan_to_num(values)
    held = ~np.isnan(values)
    pairs, left = [], np.ones(len(rows), bool)
    for place in range(len(rows) - 1):
        if not left[place]:
            continue
        both = held[place] & held[place + 1 :]
        apart = np.where(both, np.abs(filled[place] - filled[place + 1 :]), 0).max(axis=1)
        alike = (apart < SAME) & (2 * both.sum(axis=1) >= values.shape[1])
        pairs += [(rows[place], rows[place + 1 + other]) for other in np.flatnonzero(alike)]
        left[place + 1 :][alike] = False
    return pairs


def _numbered(pairs, numbers: np.ndarray) -> np.ndarray:
    return numbers[np.array(pairs, int).reshape(-1, 2)]


def _joined(polygons: gpd.GeoDataFrame, pairs: list[np.ndarray]) -> np.ndarray:
    """The group of each polygon once the pairs of rows are joined: the smallest number of the groups in it."""
    groups, place = np.unique(polygons["group"].to_numpy(), return_inverse=True)
    one, other = place[np.concatenate(pairs).astype(int)].T
    size = len(groups)
    graph = scipy.sparse.coo_matrix((np.ones(len(one)), (one, other)), (size, size))
    label = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    smallest = pd.Series(groups).groupby(label).transform("min").to_numpy()
    return smallest[place]


def _too_few(polygons: gpd.GeoDataFrame, joined: np.ndarray) -> dict[int, str]:
    """Classes, code -> name, with enough groups of the pool that have too few once these are joined."""
    pool = polygons.assign(joined=joined)[polygons["set"] == "pool"].groupby("code")
    counts = pool.agg(before=("group", "nunique"), after=("joined", "nunique"), name=("class_name", "first"))
    needed = needed_polygons(polygons)
    short = counts[(counts["before"] >= needed) & (counts["after"] < needed)]
    return dict(zip(short.index, short["name"], strict=True))
