"""From rows to objects: points become pixels, pieces of one object become one polygon, and neighbours form groups.

What a classifier is trained on must not be part of what it is tested on. Pieces of one field resemble each other far more
than two fields do, so they are one polygon, or at least stay in one set.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy
import shapely

from .. import ground
from ..errors import NOTHING_TO_DO, Finding, counted
from ..settings import Labels
from . import outlines
from .formats.columns import LARGEST_ID, texts_of

#: Polygons nearer than this touch, in metres on the ground.
TOUCH = 0.1


def gather_objects(
    rows: gpd.GeoDataFrame,
    bounds: tuple[float, float, float, float] | None,
    pixel: tuple[float, float] | None,
    options: Labels,
) -> tuple[gpd.GeoDataFrame, list[Finding]]:
    """Rows as polygons with numbers and groups, and what was done to them.

    `rows` has columns polygon_id, number and group (as the file has them), code, class_name, colour, source, set, geometry.
    Points become the pixel of the grid `bounds`, `pixel` that they lie in, or discs of `options.buffer` metres. Polygons of
    one number, class and set become one. Parts of polygons become polygons where their class has too few of them.
    Rows get the same number in `group` if they share a value of the group column, touch each other and are of one class,
    or lie in one block of `options.blocks` metres.
    """
    findings: list[Finding] = []
    rows = _points(rows, bounds, pixel, options.buffer, findings)
    rows = _parts(_whole(_once(rows, findings), findings), findings)
    rows = rows.assign(group=_groups(rows, options, findings))
    order = ["polygon_id", "code", "class_name", "colour", "source", "set", "group", "geometry"]
    return rows.reset_index(drop=True)[order], findings


def _note(findings: list[Finding], subject: str, value: str, place: str, fix: str, kind: str) -> None:
    findings.append(Finding("warning", subject, value, place, fix, f"labels.{kind}"))


def _points(rows: gpd.GeoDataFrame, bounds, pixel, buffer: float, findings: list[Finding]) -> gpd.GeoDataFrame:
    several = rows.geom_type == "MultiPoint"
    if several.any():
        single = rows.explode(index_parts=False, ignore_index=True) if several.all() else pd.concat(
            [rows[~several], rows[several].explode(index_parts=False)], ignore_index=True
        )  # fmt: skip
        value = counted(several.sum(), "feature of several points becomes", "features of several points become")
        value += f" {counted(len(single) - (~several).sum(), 'point')}"
        _note(findings, "points", value, "", "Nothing, where each point is a sample.", "multipoint")
        rows = _renumber(single)
    points = rows.geom_type == "Point"
    if not points.any() or (pixel is None and not buffer):
        return rows
    number = points.sum()
    rows = rows.copy()
    if buffer:
        rows.loc[points, "geometry"] = outlines.buffered(rows.geometry[points], buffer)
        value = f"{counted(number, 'point')}: the labelled pixels are those within {buffer:g} m"
    else:
        assert bounds is not None and pixel is not None, "points stay points without the grid of a scene"
        rows.loc[points, "geometry"] = outlines.pixels_of(rows.geometry[points], bounds, pixel)
        value = f"{counted(number, 'point')}: the labelled pixel is the one that each lies in"
    keys = rows[["code", "set"]].assign(outline=rows.geometry.to_wkb())
    again = points & keys.duplicated()
    if again.any():
        value += f"; {again.sum()} in the pixel of another point of the same class left out"
    fix = "For more pixels around each point, give --buffer METRES." if not buffer else "Nothing, if that is meant."
    _note(findings, "points", value, "", fix, "points")
    return rows[~again]


def _once(rows: gpd.GeoDataFrame, findings: list[Finding]) -> gpd.GeoDataFrame:
    """Rows without those that repeat the outline, class and set of another one."""
    again = rows[["code", "set"]].assign(outline=rows.normalize().to_wkb()).duplicated()
    if again.any():
        numbers = ", ".join(map(str, rows["polygon_id"][again][:10]))
        value = f"rows with the outline and class of another one are left out: {again.sum()} (polygon_id {numbers})"
        _note(findings, "drawn twice", value, "", "Nothing, or delete them in the file.", "twice")
    return rows[~again]


def _leak(rows: gpd.GeoDataFrame, keys: pd.Series, findings: list[Finding]) -> None:
    """Numbers that are in the pool and in the test set: parts of one object are trained on and tested."""
    sets = rows["set"].groupby([keys, rows["code"]]).nunique()
    both = [number for number, _ in sets[sets > 1].index]
    if both and len(both) < sets.size / 2:
        value = f"objects that are in the pool and in the test set, by their numbers: {', '.join(both[:10])}"
        _note(findings, "polygon numbers", value, "", "Mark all rows of one number alike: pool or test.", "leak")


def _whole(rows: gpd.GeoDataFrame, findings: list[Finding]) -> gpd.GeoDataFrame:
    """Polygons of one number, class and set as one polygon; every row with a number of its own."""
    keys = texts_of(rows["number"])
    areal = rows.geom_type.isin(outlines.AREAS)
    identity = pd.DataFrame({"number": keys, "code": rows["code"], "set": rows["set"]})
    shared = areal & (keys != "") & identity.duplicated(keep=False)
    # a number that a whole file shares says nothing
    shared &= ~keys.isin(keys.value_counts().loc[lambda n: n > len(rows) / 2].index) | (keys.nunique() > 2)
    if shared.any():
        merged = rows[shared].dissolve(["number", "code", "set"], as_index=False, sort=False)
        numbers = ", ".join(keys[shared].drop_duplicates().iloc[:10])
        value = (
            f"{shared.sum()} rows are pieces of {counted(len(merged), 'polygon')}, whose numbers they share: {numbers}"
        )
        fix = "Nothing, where equal numbers mean one object; else rename the column of numbers."
        _note(findings, "polygon numbers", value, "", fix, "pieces")
        rows = gpd.GeoDataFrame(pd.concat([rows[~shared], merged[rows.columns]], ignore_index=True), crs=rows.crs)
    numbers = texts_of(rows["number"])
    _leak(rows[numbers != ""], numbers[numbers != ""], findings)
    given = pd.to_numeric(numbers, errors="coerce")
    if given.between(0, LARGEST_ID).all() and (given % 1 == 0).all() and len(rows):
        if given.is_unique:
            return rows.assign(polygon_id=given.astype(int))
        again = given[given.duplicated()].drop_duplicates().astype(int)
        value = f"numbers repeat in different classes or sets, like {', '.join(map(str, again[:5]))}: rows are numbered anew"
        fix = f"{NOTHING_TO_DO} To keep rows of one number in one set, name the column with --group-field."
        _note(findings, "polygon numbers", value, "", fix, "numbers")
    return rows if rows["polygon_id"].is_unique else _renumber(rows)


def _renumber(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return rows.assign(polygon_id=np.arange(1, len(rows) + 1))


def needed_polygons(rows: pd.DataFrame) -> int:
    """How many polygons of the pool each class needs: one a set."""
    return 2 if (rows["set"] == "test").any() else 3


def _parts(rows: gpd.GeoDataFrame, findings: list[Finding]) -> gpd.GeoDataFrame:
    """Parts of polygons as polygons of their own, in classes that have too few to be divided."""
    pool = rows["set"] == "pool"
    counts = rows[pool].groupby("code").size().reindex(rows["code"].unique(), fill_value=0)
    several = shapely.get_num_geometries(rows.geometry.to_numpy()) > 1
    few = rows["code"].isin(counts.index[counts < needed_polygons(rows)]) & pool & several
    if not few.any():
        return rows
    parts = rows[few].explode(index_parts=False, ignore_index=True)
    first = ~parts["polygon_id"].duplicated()
    largest = int(rows["polygon_id"].max())
    parts.loc[~first, "polygon_id"] = np.arange(largest + 1, largest + 1 + (~first).sum())
    value = counted(few.sum(), "feature of several parts becomes", "features of several parts become")
    value += f" {len(parts)} polygons, since their classes have too few"
    _note(findings, "parts", value, "", "Nothing, where each part is an object of its own.", "parts")
    return gpd.GeoDataFrame(pd.concat([rows[~few], parts], ignore_index=True), crs=rows.crs)


def _groups(rows: gpd.GeoDataFrame, options: Labels, findings: list[Finding]) -> np.ndarray:
    """A number for each row; rows of one number stay in one set. It is the smallest polygon_id of the group."""
    rows = rows.reset_index(drop=True)
    pairs = []
    if options.group_field:
        keys = texts_of(rows["group"])
        for members in keys[keys != ""].groupby(keys).indices.values():
            pairs.append(np.column_stack([np.full(len(members) - 1, members[0]), members[1:]]))
    touching = _touching(rows)
    while True:
        label = _connected(len(rows), [*pairs, touching])
        lost = _too_few(rows, label, touching)
        if not len(lost):
            break
        value = f"polygons of {', '.join(lost)} all touch each other, so they are divided although they touch"
        fix = "Draw others elsewhere, or keep whole squares together with --blocks METRES: scores are too good as they are."
        _note(findings, "touching", value, "", fix, "touching")
        touching = touching[~rows["class_name"].iloc[touching[:, 0]].isin(lost).to_numpy()]
    if len(touching):
        members = np.unique(touching)
        groups = len(np.unique(label[members]))
        value = (
            f"{len(members)} polygons touch others of their class: they stay together, as {counted(groups, 'group')}"
        )
        fix = NOTHING_TO_DO
        if not options.group_field:
            fix = f"{NOTHING_TO_DO} To group otherwise, name a column of parcels or farms with --group-field."
        _note(findings, "touching", value, "", fix, "touching")
    if options.blocks:
        place = ground.to_ground(rows.geometry).centroid
        middle = pd.DataFrame({"x": place.x, "y": place.y}).groupby(label).transform("mean")
        block = np.floor(middle / options.blocks).astype(int)
        label = block.groupby(["x", "y"]).ngroup().to_numpy()
    return rows["polygon_id"].groupby(label).transform("min").to_numpy()


def _touching(rows: gpd.GeoDataFrame) -> np.ndarray:
    """Pairs of rows (pair, 2) of one class and set that touch or overlap."""
    local = rows if rows.crs is None or not len(rows) else ground.to_ground(rows)
    one, other = local.sindex.query(local.geometry, predicate="dwithin", distance=TOUCH)
    code, part = rows["code"].to_numpy(), rows["set"].to_numpy()
    same = (one < other) & (code[one] == code[other]) & (part[one] == part[other])
    return np.column_stack([one[same], other[same]])


def _connected(number: int, pairs: list[np.ndarray]) -> np.ndarray:
    one, other = np.concatenate(pairs).astype(int).T if sum(map(len, pairs)) else (np.empty(0, int),) * 2
    graph = scipy.sparse.coo_matrix((np.ones(len(one)), (one, other)), (number, number))
    return scipy.sparse.csgraph.connected_components(graph, directed=False)[1]


def _too_few(rows: gpd.GeoDataFrame, label: np.ndarray, touching: np.ndarray) -> list[str]:
    """Classes of the pool that had enough polygons and, because they touch, have too few groups."""
    pool = rows.assign(label=label)[rows["set"] == "pool"].groupby("class_name")
    counts = pool.agg(polygons=("polygon_id", "size"), groups=("label", "nunique"))
    needed = needed_polygons(rows)
    involved = set(rows["class_name"].iloc[touching[:, 0]]) if len(touching) else set()
    lost = counts[(counts["polygons"] >= needed) & (counts["groups"] < needed)].index
    return [name for name in lost if name in involved]
