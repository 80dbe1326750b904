"""The pre-flight: one report of all that is wrong or doubtful in a scene and its polygons, before hours of work.

Headers, the attribute table and outlines are checked whole, and every labelled pixel's mask. Statistics of values and
masks are of a sample (see `pixel_faults`).
"""

import textwrap
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from affine import Affine
from rasterio.features import rasterize

from .. import nomenclature
from ..errors import Finding
from ..labels.classes import legend_of
from ..labels.splitting import split
from ..models import WIDEST
from ..scenes import sensors
from ..scenes.series import read_window
from ..settings import Sample, Settings
from .faults import attempt, listed, note, open_listing, polygon_faults, polygon_ids
from .pixel_faults import ACROSS, SIDE, WHOLE, pixel_faults

#: A gap is wide from so many times the median gap on; a class is rare whose pixels are so many times fewer.
GAP, RARE = 3, 20
#: Bytes of GDAL's cache of decoded blocks.
CACHE = 256 * 1024**2
#: Polygons of each vegetation class that are read to compare red with near infrared.
LOOKED_AT = 8


def check(scene: str | Path, polygons: str | Path, settings: Settings | None = None) -> list[Finding]:
    """Findings about a scene (as `scene.open_scene` takes it) and a polygon file, errors first.

    `settings` are those of the run, whose split is checked. Never raises for the data: what cannot be opened
    is a finding, and the rest is still checked.
    """
    chosen, findings = settings or Settings(), []
    with rasterio.Env(GDAL_CACHEMAX=CACHE):
        _check_all(Path(scene), Path(polygons), chosen.sample, chosen.seed, findings)
    return sorted(dict.fromkeys(findings), key=lambda found: found.level)


def _check_all(scene: Path, polygons: Path, sample: Sample, seed: int, findings: list[Finding]) -> None:
    opened = open_listing(scene, findings)
    place = (opened.rio.crs, opened.rio.bounds()) if opened is not None else (None, None)
    table = attempt(findings, "polygon file", polygons, polygon_faults, polygons, findings, *place)
    shares = None
    if opened is not None:
        attempt(findings, "scene", scene, _check_series, opened, sample, findings)
        shares = attempt(findings, "pixels", scene, pixel_faults, opened, findings)
    if table is not None and len(table):
        divided = attempt(findings, "split", polygons, _check_split, table, sample, seed, findings)
        if divided is not None:
            pixel = 10.0 if opened is None else abs(opened.rio.resolution()[0])
            attempt(findings, "split", polygons, _check_reach, divided, WIDEST // 2 * pixel, findings)
        if opened is not None:
            attempt(findings, "polygons", polygons, _check_labelled, opened, table, divided, shares, findings)


def exit_code(findings: list[Finding]) -> int:
    """0: nothing found; 1: warnings; 2: a run is not possible."""
    return max((2 if found.level == "error" else 1 for found in findings), default=0)


def report(findings: list[Finding]) -> str:
    """The findings as text for a terminal: what, where and what to do, below each other."""
    lines = []
    for found in findings:
        lines.append(f"{found.level.upper():8}{found.subject}")
        for name, content in (("found", found.value), ("where", found.place), ("fix", found.fix)):
            first, later = f"        {name:6}", " " * 14
            lines += textwrap.wrap(
                content, 118, initial_indent=first, subsequent_indent=later,
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
    errors = sum(found.level == "error" for found in findings)
    counts = [f"{n} {noun}{'s' * (n != 1)}" for n, noun in ((errors, "error"), (len(findings) - errors, "warning"))]
    verdict = f"{', '.join(counts)}." if findings else "Nothing wrong was found."
    told = f"Statistics of pixels: of sides above {WHOLE} pixels, {ACROSS} windows of {SIDE} pixels along each."
    return "\n".join([*lines, verdict, told])


# -- scene -------------------------------------------------------------------------------------------------------------


def _check_series(scene: xr.DataArray, sample: Sample, findings: list[Finding]) -> None:
    """Dates, bands, grid and size."""
    source, days = scene.attrs["source"], scene.indexes["time"]
    names = [f"{day:%Y-%m-%d}" for day in days]
    if len(days) < 2:
        note(findings, "warning", "dates", "one date alone; a series is expected", names[0], "Add dates.")
    gaps = np.diff(days) / np.timedelta64(1, "D")
    for one in np.flatnonzero(gaps > GAP * np.median(gaps)) if len(gaps) > 1 else ():
        value = f"a gap of {gaps[one]:.0f} days; the median is {np.median(gaps):.0f}"
        fix = "Add the dates between: there the series of every pixel is a straight line."
        note(findings, "warning", "dates", value, f"{names[one]} to {names[one + 1]}", fix)
    absent = [band for band in sensors.BANDS if band not in scene.band.values]
    if absent:
        fix = "Add them, or do without: what is trained on fewer bands needs a scene of the same bands."
        note(findings, "warning", "bands", f"no {listed(absent)}; the paper has {listed(sensors.BANDS)}", source, fix)
    step, size = [abs(one) for one in scene.rio.resolution()], (scene.sizes["y"], scene.sizes["x"])
    if not scene.rio.crs.is_projected or max(abs(one - 10) for one in step) > 0.01:
        value = f"pixels of {step[0]:g} x {step[1]:g} in {scene.rio.crs}; 10 x 10 metres are expected"
        note(findings, "warning", "grid", value, source, "Bring it to a grid of 10 m, for example with gdalwarp.")
    if min(size) < sample.patch:
        value = f"{size[0]} x {size[1]} pixels; a patch has {sample.patch} x {sample.patch}"
        note(findings, "error", "size", value, source, "Give a larger scene, or lower sample.patch.")
    if sample.patch <= 2 * (WIDEST // 2):
        value = f"{sample.patch} pixels; the networks see {WIDEST // 2} to each side of a pixel"
        note(findings, "error", "patch", value, "sample.patch", f"Raise it to {2 * (WIDEST // 2) + 1} or more.")


# -- polygons ----------------------------------------------------------------------------------------------------------


def _check_split(
    table: gpd.GeoDataFrame, sample: Sample, seed: int, findings: list[Finding]
) -> gpd.GeoDataFrame | None:
    """The split of the classes that can be split; finds those that cannot, and polygons near those of training."""
    marked = (table["set"] == "test").any()
    needed, parts = (2, "train and validation") if marked else (3, "train, validation and test")
    legend = legend_of(table)
    for cover in legend:
        mine = table[table["code"] == cover.code]
        pool = mine[mine["set"] == "pool"]
        subject, place = f"class {cover.code} {cover.name}", polygon_ids(mine["polygon_id"])
        if len(pool) < needed:
            value = (
                f"{len(pool)} polygons to divide among {parts}; {needed} are needed, {len(mine) - len(pool)} are test"
            )
            note(findings, "error", subject, value, place, "Draw more, or leave the class out.")
            table = table.drop(mine.index)
        elif len(pool) < 3:
            value = f"{len(pool)} polygons in the pool: one to train on, one to validate"
            note(findings, "warning", subject, value, place, "Draw more: its scores hang on a single polygon.")
        if marked and len(mine) == len(pool):
            note(findings, "warning", subject, "no test polygon", place, "Mark some as test, or none of any class.")
    return split(table, sample.validation, seed) if len(table) else None


def _check_reach(divided: gpd.GeoDataFrame, reach: float, findings: list[Finding]) -> None:
    """Polygons nearer to one of training than the networks see, in metres."""
    train = divided[divided["set"] == "train"]
    for name in ("validation", "test"):
        mine = divided[divided["set"] == name].reset_index(drop=True)
        if len(mine) and len(train):
            near = mine.iloc[np.unique(train.sindex.query(mine.geometry, predicate="dwithin", distance=reach)[0])]
            if len(near):
                value = f"{len(near)} of {len(mine)} {name} polygons lie within {reach:g} m of a training polygon"
                fix = "Draw polygons farther apart, or read their scores as better than those of new places."
                note(findings, "warning", "split", value, polygon_ids(near["polygon_id"]), fix)


def _check_labelled(scene, table, divided, shares, findings: list[Finding]) -> None:
    """Labelled pixels: too few, contested, never usable, of one class too many; and swapped bands."""
    claims = _claims(scene, table)
    own = claims[~claims.duplicated(["y", "x"], keep=False)]
    lost = attempt(findings, "masks", scene.attrs["source"], _never_usable, scene, own, shares)
    lost = pd.Series(0, table["polygon_id"]) if lost is None else lost
    table = table.set_index("polygon_id", drop=False)
    for name, part in (("centres", claims), ("own", own)):
        table[name] = part.groupby("polygon_id").size().reindex(table.index, fill_value=0)
    table["usable"] = table["own"] - lost.reindex(table.index, fill_value=0)
    if len(own) < len(claims):
        value = f"{len(claims.drop_duplicates(['y', 'x'])) - len(own)} pixels lie in several polygons and are left out"
        there = claims.loc[claims.index.difference(own.index), "polygon_id"].drop_duplicates()
        note(findings, "warning", "overlap", value, polygon_ids(there), "Cut these polygons where they overlap.")
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
            note(findings, "warning", "polygons", value, polygon_ids(table["polygon_id"][wrong]), fix)
    if divided is not None:
        _check_classes(divided.assign(usable=divided["polygon_id"].map(table["usable"])), findings)
    if {"B4", "B8"} <= set(scene.band.values.tolist()):
        attempt(findings, "bands", scene.attrs["source"], _check_green, scene, own, table, findings)


def _check_classes(divided: gpd.GeoDataFrame, findings: list[Finding]) -> None:
    """A class without a usable pixel in one of its sets, and classes that are rare."""
    for cover in legend_of(divided):
        for name, part in divided[divided["code"] == cover.code].groupby("set"):
            if part["usable"].sum() == 0:
                place = polygon_ids(part["polygon_id"])
                fix = "Draw larger ones elsewhere, or remove what overlaps them."
                note(findings, "error", f"class {cover.code} {cover.name}", f"no usable pixel for {name}", place, fix)
    train = divided[divided["set"] == "train"].groupby("code")["usable"].sum()
    rare = train[train * RARE < train.max()]
    if len(rare):
        names = {cover.code: cover.name for cover in legend_of(divided)}
        value = ", ".join(f"{names[code]} {100 * train[code] / train.sum():.2g} %" for code in rare.index)
        fix = "Draw more of them; oversampling repeats what there is."
        place = f"training pixels; {names[train.idxmax()]} has {100 * train.max() / train.sum():.0f} %"
        note(findings, "warning", "imbalance", value, place, fix)


def _claims(scene: xr.DataArray, table: gpd.GeoDataFrame) -> pd.DataFrame:
    """Every pixel whose centre lies in a polygon: columns polygon_id, y, x (row and column). As `polygons.burn` sees it."""
    transform, parts = scene.rio.transform(), []
    for number, outline in zip(table["polygon_id"], table.geometry, strict=True):
        left, bottom, right, top = outline.bounds
        (first, low), (last, high) = ~transform @ (left, top), ~transform @ (right, bottom)
        # one pixel where a polygon only touches the scene's edge
        x, y = (
            slice(max(0, min(int(one), size - 1)), max(1, min(int(other) + 1, size)))
            for size, one, other in ((scene.sizes["x"], first, last), (scene.sizes["y"], low, high))
        )
        here = transform @ Affine.translation(x.start, y.start)
        inside = rasterize([outline], (y.stop - y.start, x.stop - x.start), transform=here, dtype="uint8")
        rows, columns = np.nonzero(inside)
        parts.append(pd.DataFrame({"polygon_id": number, "y": rows + y.start, "x": columns + x.start}))
    return pd.concat(parts, ignore_index=True)


def _never_usable(scene: xr.DataArray, own: pd.DataFrame, shares: np.ndarray | None) -> pd.Series:
    """How many pixels of each polygon_id are masked on all dates. The clearest dates first: few need a second one."""
    order = np.argsort(shares) if shares is not None else range(scene.sizes["time"])
    lost = {}
    # from the top down: neighbours lie in the same blocks of the files
    for number, pixels in sorted(own.groupby("polygon_id"), key=lambda one: one[1]["y"].min()):
        y, x = (slice(pixels[name].min(), pixels[name].max() + 1) for name in ("y", "x"))
        rows, columns = pixels["y"] - y.start, pixels["x"] - x.start
        left = np.ones(len(pixels), bool)
        for date in order:
            mask = scene.mask[date : date + 1, y, x].compute(scheduler="synchronous").values[0]
            left &= mask[rows, columns]
            if not left.any():
                break
        lost[number] = left.sum()
    return pd.Series(lost, dtype=int)


def _check_green(scene: xr.DataArray, own: pd.DataFrame, table: gpd.GeoDataFrame, findings: list[Finding]) -> None:
    """Vegetation that is redder than near infrared: bands swapped."""
    green = {cover.code for cover in legend_of(table) if nomenclature.is_vegetation(cover.name)}
    bands, values = scene.band.values.tolist(), []
    for _, members in table[table["code"].isin(green) & (table["own"] > 0)].groupby("code"):
        for number in members["polygon_id"].iloc[:: max(1, len(members) // LOOKED_AT)][:LOOKED_AT]:
            pixels = own[own["polygon_id"] == number]
            y, x = (slice(pixels[name].min(), pixels[name].max() + 1) for name in ("y", "x"))
            out = np.empty((*scene.shape[:2], y.stop - y.start, x.stop - x.start), np.float32)
            out[:, read_window(scene, y, x, out)] = np.nan
            values.append(out[..., pixels["y"] - y.start, pixels["x"] - x.start].reshape(len(bands), -1))
    values = np.concatenate(values, axis=1) if values else np.empty((len(bands), 0))
    red, near = (values[bands.index(band)] for band in ("B4", "B8"))
    both = ~np.isnan(red + near)
    if both.any() and np.median((near - red)[both]) < 0:
        value = f"in vegetation B8 is lower than B4: medians {np.median(near[both]):.3f} and {np.median(red[both]):.3f}"
        fix = "Are the bands in the order that is said? Correct their names or their order."
        note(findings, "warning", "bands swapped", value, scene.attrs["source"], fix)
