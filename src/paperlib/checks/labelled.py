"""Findings of labels in their scene: the split, what it leaks, labelled pixels, and bands that labels show to be swapped."""

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from .. import ground, nomenclature
from ..errors import Finding, counted
from ..features.alike import find_alike, keep_together, pixels_inside
from ..gathering import together
from ..labels.classes import class_title, legend_of
from ..labels.rows import rows_text
from ..labels.splitting import split
from ..scenes.sensors import roles_of
from ..scenes.series import read_window
from ..settings import Labels, Settings
from .faults import attempt, note

#: A class is rare whose pixels are so many times fewer than those of the largest.
RARE = 20
#: Polygons of each vegetation class that are read to compare red with near infrared.
LOOKED_AT = 8


def check_alike(
    scene: xr.DataArray, table: gpd.GeoDataFrame, labels: Labels, findings: list[Finding]
) -> gpd.GeoDataFrame:
    """The polygons in groups that also hold those that show one object; finds them, and those of pool and test set."""
    table, found = keep_together(table, find_alike(scene, table, labels.near), bool(labels.group_field))
    findings += found
    return table


def check_split(table: gpd.GeoDataFrame, settings: Settings, findings: list[Finding]) -> gpd.GeoDataFrame | None:
    """The split of the classes that can be split; finds those that cannot, and polygons near those of training."""
    marked = (table["set"] == "test").any()
    needed, parts = (2, "train and validation") if marked else (3, "train, validation and test")
    legend = legend_of(table)
    if len(legend) == 1:
        value = f"all labels are of one class, {class_title(legend[0])[6:]}; a classifier needs two or more"
        fix = "Label other classes too, or choose another column with --field."
        note(findings, "error", "classes", value, "label file", fix)
    for cover in legend:
        members = table[table["code"] == cover.code]
        pool = members[members["set"] == "pool"]
        groups = pool["group"].nunique()
        subject, place = class_title(cover), rows_text(members["polygon_id"])
        if groups < needed:
            together = "" if groups == len(pool) else f" in {counted(groups, 'group')}"
            value = f"{counted(len(pool), 'polygon')}{together} to divide among {parts}; {needed} are needed"
            value += f", {len(members) - len(pool)} are test"
            note(findings, "error", subject, value, place, "Draw more, or leave the class out.")
            table = table.drop(members.index)
        elif groups < 3:
            what = "polygon" if groups == len(pool) else "group"
            value = f"{counted(groups, what)} in the pool: one to train on, one to validate"
            note(findings, "warning", subject, value, place, f"Draw more: its scores hang on a single {what}.")
        if marked and len(members) == len(pool):
            note(findings, "warning", subject, "no test polygon", place, "Mark some as test, or none of any class.")
    return split(table, settings.sample.validation, settings.seed) if table["code"].nunique() > 1 else None


def check_reach(divided: gpd.GeoDataFrame, reach: float, findings: list[Finding]) -> None:
    """Polygons nearer to one of training than the networks see, in metres."""
    moved = ground.to_ground(divided)
    train = moved[moved["set"] == "train"]
    for name in ("validation", "test"):
        members = moved[divided["set"] == name].reset_index(drop=True)
        if len(members) and len(train):
            near = members.iloc[np.unique(train.sindex.query(members.geometry, predicate="dwithin", distance=reach)[0])]
            if len(near):
                all_of = f"of {len(members)} {name} polygons"
                value = (
                    counted(len(near), f"{all_of} lies", f"{all_of} lie")
                    + f" within {reach:.0f} m of a training polygon"
                )
                fix = "Draw polygons farther apart, or read their scores as better than those of new places."
                note(findings, "warning", "split", value, rows_text(near["polygon_id"]), fix)


def check_labelled(
    scene: xr.DataArray,
    table: gpd.GeoDataFrame,
    shares: np.ndarray | None,
    findings: list[Finding],
) -> pd.Series:
    """Labelled pixels: contested, never usable; and swapped bands. Returns the usable pixels of each polygon_id."""
    claims = claimed_pixels(scene, table)
    own = claims[~claims.duplicated(["y", "x"], keep=False)]
    lost = attempt(findings, "masks", scene.attrs["source"], _never_usable, scene, own, shares)
    lost = pd.Series(0, table["polygon_id"]) if lost is None else lost
    table = table.set_index("polygon_id", drop=False)
    for name, part in (("centres", claims), ("own", own)):
        table[name] = part.groupby("polygon_id").size().reindex(table.index, fill_value=0)
    table["usable"] = table["own"] - lost.reindex(table.index, fill_value=0)
    if len(own) < len(claims):
        value = counted(
            len(claims.drop_duplicates(["y", "x"])) - len(own),
            "pixel lies in several polygons and is left out",
            "pixels lie in several polygons and are left out",
        )
        there = claims.loc[claims.index.difference(own.index), "polygon_id"].drop_duplicates()
        note(findings, "warning", "overlap", value, rows_text(there), "Cut these polygons where they overlap.")
    for wrong, value, fix in (
        (table["centres"] == 0, "too small: no centre of a pixel lies inside", "Draw them larger, or delete them."),
        (
            (table["centres"] > 0) & (table["own"] == 0),
            "every pixel lies in another polygon too",
            "Remove the overlap.",
        ),
        ((table["own"] > 0) & (table["usable"] == 0), "masked on all dates", "Delete them, or draw others."),
    ):
        if wrong.any():
            note(findings, "warning", "polygons", value, rows_text(table["polygon_id"][wrong]), fix)
    if {"red", "nir"} <= set(roles_of(scene.band.values, scene.attrs.get("sensor", ""))):
        attempt(findings, "bands", scene.attrs["source"], _check_green, scene, own, table, findings)
    return table["usable"]


def check_classes(divided: gpd.GeoDataFrame, usable: pd.Series, largest_leaf: int, findings: list[Finding]) -> None:
    """A class without a usable pixel in one of its sets, classes that are rare, and too few pixels for a forest.

    `usable`: pixels of each polygon_id.
    """
    divided = divided.assign(usable=divided["polygon_id"].map(usable))
    for cover in legend_of(divided):
        for name, part in divided[divided["code"] == cover.code].groupby("set"):
            if part["usable"].sum() == 0:
                place = rows_text(part["polygon_id"])
                fix = "Draw larger ones elsewhere, or remove what overlaps them."
                note(findings, "error", class_title(cover), f"no usable pixel for {name}", place, fix)
    train = divided[divided["set"] == "train"].groupby("code")["usable"].sum()
    if train.sum() <= 2 * largest_leaf:
        value = f"{train.sum():.0f} for training: a map by iota2_base or iota2_ctx may show a single class"
        fix = f"Label more than {2 * largest_leaf} pixels, or let forests split smaller nodes (--set train.largest_leaf=1)."
        note(findings, "warning", "pixels", value, "training set", fix, kind="training.few")
    elif (small := train[2 * train < largest_leaf].index).size:
        shown = ", ".join(cover.name for cover in legend_of(divided) if cover.code in small)
        value = f"{shown}: fewer than half of what a node of forests holds ({largest_leaf}); maps by iota2_base or "
        value += "iota2_ctx may not show them"
        fix = "Label more of them, or let forests split smaller nodes (--set train.largest_leaf=1)."
        note(findings, "warning", "pixels", value, "training set", fix, kind="training.few")
    rare = train[train * RARE < train.max()]
    if len(rare):
        names = {cover.code: cover.name for cover in legend_of(divided)}
        value = ", ".join(f"{names[code]} {100 * train[code] / train.sum():.2g} %" for code in rare.index)
        fix = "Draw more of them; oversampling repeats what there is."
        place = f"training pixels; {names[train.idxmax()]} has {100 * train.max() / train.sum():.0f} %"
        note(findings, "warning", "imbalance", value, place, fix)


def claimed_pixels(scene: xr.DataArray, table: gpd.GeoDataFrame) -> pd.DataFrame:
    """Every pixel whose centre lies in a polygon: columns polygon_id, y, x (row and column). As `polygons.burn` sees it."""
    parts, transform = [], scene.rio.transform()
    for number, outline in zip(table["polygon_id"], table.geometry, strict=True):
        rows, columns = pixels_inside(outline, transform, scene.shape[-2:])
        parts.append(pd.DataFrame({"polygon_id": number, "y": rows, "x": columns}))
    return pd.concat(parts, ignore_index=True)


def _never_usable(scene: xr.DataArray, own: pd.DataFrame, shares: np.ndarray | None) -> pd.Series:
    """How many pixels of each polygon_id are masked on all dates. The clearest dates first: few need a second one."""
    order = np.argsort(shares) if shares is not None else range(scene.sizes["time"])
    # from the top down: neighbours lie in the same blocks of the files
    parts = sorted((part for _, part in own.groupby("polygon_id")), key=lambda part: part["y"].min())
    lost = [pd.Series(dtype=int)]
    for y, x, numbers in together([_window(part) for part in parts]):
        pixels = pd.concat([parts[number] for number in numbers])
        left = np.ones(len(pixels), bool)
        for date in order:
            mask = scene.mask[date : date + 1, y, x].compute(scheduler="synchronous").values[0]
            left &= mask[pixels["y"] - y.start, pixels["x"] - x.start]
            if not left.any():
                break
        lost.append(pd.Series(left.astype(int)).groupby(pixels["polygon_id"].to_numpy()).sum())
    return pd.concat(lost)


def _window(pixels: pd.DataFrame) -> tuple[slice, slice]:
    """The smallest window (y, x) with these pixels."""
    rows, columns = (slice(pixels[name].min(), pixels[name].max() + 1) for name in ("y", "x"))
    return rows, columns


def _check_green(scene: xr.DataArray, own: pd.DataFrame, table: gpd.GeoDataFrame, findings: list[Finding]) -> None:
    """Vegetation that is redder than near infrared: bands swapped."""
    green = {cover.code for cover in legend_of(table) if nomenclature.is_vegetation(cover.name)}
    bands, values = scene.band.values.tolist(), []
    looked_at = [
        own[own["polygon_id"] == number]
        for _, members in table[table["code"].isin(green) & (table["own"] > 0)].groupby("code")
        for number in members["polygon_id"].iloc[:: max(1, len(members) // LOOKED_AT)][:LOOKED_AT]
    ]
    for y, x, numbers in together([_window(pixels) for pixels in looked_at]):
        out = np.empty((*scene.shape[:2], y.stop - y.start, x.stop - x.start), np.float32)
        out[:, read_window(scene, y, x, out)] = np.nan
        pixels = pd.concat([looked_at[number] for number in numbers])
        values.append(out[..., pixels["y"] - y.start, pixels["x"] - x.start].reshape(len(bands), -1))
    joined = np.concatenate(values, axis=1) if values else np.empty((len(bands), 0))
    roles = roles_of(bands, scene.attrs.get("sensor", ""))
    red, near = (joined[bands.index(roles[role])] for role in ("red", "nir"))
    both = ~np.isnan(red + near)
    if both.any() and np.median((near - red)[both]) < 0:
        value = f"in vegetation {roles['nir']} is lower than {roles['red']}: medians "
        value += f"{np.median(near[both]):.3f} and {np.median(red[both]):.3f}"
        fix = "Are the bands in the order that is said? Correct their names or their order."
        note(findings, "warning", "bands swapped", value, scene.attrs["source"], fix)
