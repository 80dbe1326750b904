"""The pre-flight: one report of all that is wrong or doubtful in a scene and its polygons, before hours of work.

Headers, the attribute table and outlines are checked whole, and every labelled pixel's mask. Statistics of values and
masks are of a sample (see `pixel_faults`).
"""

import textwrap
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import rasterio
import xarray as xr

from .. import ground, models
from ..errors import Finding, counted
from ..labels.burning import pixel_of
from ..labels.classes import legend_of, legend_table
from ..regions.tiles import find_tiles
from ..scenes import sensors
from ..scenes.meaning.choices import keywords_of
from ..settings import Settings
from . import few_labels
from .faults import attempt, label_faults, listed, note, scene_faults
from .labelled import check_alike, check_classes, check_labelled, check_reach, check_split
from .pixel_faults import ACROSS, SIDE, WHOLE, pixel_faults
from .regional import inspect_region
from .summary import scene_text, wrapped

#: A gap is wide from so many times the median gap on.
GAP = 3
#: Bytes of GDAL's cache of decoded blocks.
CACHE = 256 * 1024**2


class Inspection(NamedTuple):
    """What the pre-flight sees: every finding, errors first; the labels that a run would use, None without any; and what
    was understood of the scene (`summary.scene_text`) and which classifiers suit so many labels (`few_labels`).
    """

    findings: list[Finding]
    labels: gpd.GeoDataFrame | None
    scene: str = ""

    def text(self) -> str:
        """The legend of the labels, what was understood of the scene, and the findings, for a terminal."""
        legend = "" if self.labels is None else f"{legend_table(legend_of(self.labels), self.labels)}\n\n"
        return legend + (f"{self.scene}\n\n" if self.scene else "") + report(self.findings)


def check(scene: str | Path, polygons: str | Path, settings: Settings | None = None) -> list[Finding]:
    """Findings about a scene and its labels, errors first; see `inspect`."""
    return inspect(scene, polygons, settings).findings


def inspect(scene: str | Path, polygons: str | Path, settings: Settings | None = None) -> Inspection:
    """Examine a scene (as `scene.open_scene` takes it) or region, and a label file (as `labels.load_polygons` takes it).

    `settings` are those of the run, whose split is checked. Never raises for the data: what cannot be opened is a finding,
    and the rest is still checked.
    """
    chosen: Settings = settings or Settings()
    findings: list[Finding] = []
    with rasterio.Env(GDAL_CACHEMAX=CACHE):
        region = attempt(findings, "region", scene, find_tiles, scene)
        inspect_all = inspect_region if region else _inspect_all
        table, seen = inspect_all(Path(scene), Path(polygons), chosen, findings)
    if table is not None and len(table):
        seen = "\n".join(filter(None, [seen, wrapped("labels", few_labels.advice(table))]))
    return Inspection(sorted(dict.fromkeys(findings), key=lambda finding: finding.level), table, seen)


def _inspect_all(
    scene: Path, polygons: Path, chosen: Settings, findings: list[Finding]
) -> tuple[gpd.GeoDataFrame | None, str]:
    opened = scene_faults(scene, findings, **keywords_of(chosen.scene))
    grid: dict = {}
    if opened is not None:
        grid = {"crs": opened.rio.crs, "bounds": opened.rio.bounds(), "pixel": pixel_of(opened)}
        grid["days"] = opened.indexes["time"]
    table = label_faults(polygons, findings, options=chosen.labels, **grid)
    shares, seen = None, ""
    if opened is not None:
        attempt(findings, "scene", scene, _check_series, opened, chosen, findings)
        shares = attempt(findings, "pixels", scene, pixel_faults, opened, findings)
        seen = scene_text(opened, shares)
    if table is not None and len(table):
        if opened is not None:
            together = attempt(findings, "split", scene, check_alike, opened, table, chosen.labels, findings)
            table = table if together is None else together
        divided = attempt(findings, "split", polygons, check_split, table, chosen, findings)
        if divided is not None:
            pixel = 10.0 if opened is None else max(ground_pixel(opened))
            attempt(findings, "split", polygons, check_reach, divided, models.reach() * pixel, findings)
        if opened is not None:
            usable = attempt(findings, "polygons", polygons, check_labelled, opened, table, shares, findings)
            if divided is not None and usable is not None:
                leaf = chosen.train.largest_leaf
                attempt(findings, "classes", polygons, check_classes, divided, usable, leaf, findings)
    return table, seen


def ground_pixel(scene: xr.DataArray) -> tuple[float, float]:
    """Height and width of a pixel in metres on the ground."""
    return ground.pixel_size(scene.rio.transform(), scene.rio.crs, (scene.sizes["y"], scene.sizes["x"]))


def exit_code(findings: list[Finding]) -> int:
    """0: nothing found; 1: warnings; 2: a run is not possible."""
    return max((2 if finding.level == "error" else 1 for finding in findings), default=0)


def report(findings: list[Finding]) -> str:
    """The findings as text for a terminal: what, where and what to do, below each other."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.level.upper():8}{finding.subject}")
        for name, content in (("found", finding.value), ("where", finding.place), ("fix", finding.fix)):
            if not content:
                continue
            first, later = f"        {name:6}", " " * 14
            lines += textwrap.wrap(
                content, 118, initial_indent=first, subsequent_indent=later,
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
    errors = sum(finding.level == "error" for finding in findings)
    counts = [counted(errors, "error"), counted(len(findings) - errors, "warning")]
    verdict = f"{', '.join(counts)}." if findings else "Nothing wrong was found."
    sampled = f"Pixels were checked in {ACROSS} windows of {SIDE} along each side of more than {WHOLE}."
    return "\n".join([*lines, verdict, sampled])


# -- scene -------------------------------------------------------------------------------------------------------------


def _check_series(scene: xr.DataArray, chosen: Settings, findings: list[Finding]) -> None:
    """Dates, bands and patches."""
    sample = chosen.sample
    source, days = scene.attrs["source"], scene.indexes["time"]
    names = [f"{day:%Y-%m-%d}" for day in days]
    if len(days) < 2:
        note(findings, "warning", "dates", "one date alone; a series is expected", names[0], "Add dates.")
    gaps = np.diff(days) / np.timedelta64(1, "D")
    for gap in np.flatnonzero(gaps > GAP * np.median(gaps)) if len(gaps) > 1 else ():
        value = f"a gap of {gaps[gap]:.0f} days; the median is {np.median(gaps):.0f}"
        fix = "Add the dates between: there the series of every pixel is a straight line."
        note(findings, "warning", "dates", value, f"{names[gap]} to {names[gap + 1]}", fix)
    absent = [band for band in sensors.BANDS if band not in scene.band.values]
    other = scene.attrs.get("sensor", "") not in ("", "sentinel-2")
    if 0 < len(absent) < len(sensors.BANDS) / 2 and not chosen.scene.bands and not other:
        fix = "Add them, or do without: what is trained on fewer bands needs a scene of the same bands."
        note(findings, "warning", "bands", f"no {listed(absent)}; Sentinel-2 has {listed(sensors.BANDS)}", source, fix)
    if sample.patch <= 2 * models.reach():
        value = f"{sample.patch} pixels; the networks see {models.reach()} to each side of a pixel"
        note(findings, "error", "patch", value, "sample.patch", f"Raise it to {2 * models.reach() + 1} or more.")
