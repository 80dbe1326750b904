"""Findings of the files: the scene's, from `scenes.findings`; those of labels; and where polygons overlap."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
import xarray as xr

from .. import ground
from ..errors import Finding, InputError, InputWarning, counted
from ..labels.formats.files import read_table
from ..labels.polygons import examine
from ..labels.rows import rows_text
from ..scenes.findings import problems
from ..scenes.meaning.judging import value_problems
from ..scenes.scene import open_scene
from ..settings import Labels
from .label_times import other_times


def note(
    findings: list[Finding], level: str, subject: str, value: str, place: object, fix: str, kind: str = ""
) -> None:
    """Add a finding, once. Its kind is by default the first word of the subject, as in "check.dates"."""
    add(findings, Finding(level, subject, value, str(place), fix, kind or f"check.{subject.split()[0]}"))


def add(findings: list[Finding], finding: Finding) -> None:
    """Add a finding, once."""
    if finding not in findings:
        findings.append(finding)


def of_tile(name: str, own: list[Finding], findings: list[Finding]) -> None:
    """Add the findings of a tile of a region, with its name in their subjects."""
    for finding in own:
        add(findings, replace(finding, subject=f"tile {name}: {finding.subject}"))


def attempt(findings: list[Finding], subject: str, place: object, function: Callable, *arguments, **keywords) -> Any:
    """The result of a function. An error becomes an error finding with the result None, warnings become warning findings."""
    result = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(*arguments, **keywords)
        except InputError as error:
            add(findings, error.finding(subject, str(place)))
        except Exception as error:  # a library's, on data that nobody thought of: the report must still be made
            fix = "Nobody foresaw this: write the file again with QGIS or GDAL, and report it if it stays."
            note(findings, "error", subject, f"{type(error).__name__}: {error}", place, fix, "unforeseen")
    for warning in caught:
        if isinstance(warning.message, InputWarning):  # others are for programmers
            add(findings, warning.message.finding(subject, str(place)))
    return result


def scene_faults(path: Path, findings: list[Finding], **choices) -> xr.DataArray | None:
    """The scene; where it cannot be opened None, and every fault of its files is found.

    `choices` are the keywords of `scene.open_scene`.
    """
    warned: list[Finding] = []
    scene = attempt(warned, "scene", path, open_scene, path, **choices)
    if scene is not None:
        warned += attempt(findings, "scene", path, value_problems, scene) or []
    else:
        warned = attempt(findings, "scene", path, problems, path, **choices) or warned
    for finding in warned:
        add(findings, finding)
    return scene


def label_faults(
    path: Path,
    findings: list[Finding],
    crs: Any = None,
    bounds: tuple[float, float, float, float] | None = None,
    pixel: tuple[float, float] | None = None,
    options: Labels | None = None,
    days: pd.DatetimeIndex | None = None,
) -> gpd.GeoDataFrame | None:
    """The labels that have no fault of their own, as `load_polygons` returns them; None where there are none.

    `crs`, `bounds`, `pixel` and `days` are those of the scene. Without a scene, labels come in metres of their place.
    """
    options = options or Labels()
    table = attempt(findings, "label file", path, read_table, path, options)
    if table is None:
        return None
    if crs is None and table.crs is not None:
        crs = attempt([], "label file", path, table.estimate_utm_crs) or table.crs
    examined = attempt(findings, "label file", path, examine, table, path, crs, bounds, pixel, options)
    if examined is None:
        return None
    polygons, faults = examined
    for finding in faults:
        add(findings, finding)
    if days is not None:
        for finding in attempt(findings, "labels", path, other_times, table, days, str(path)) or ():
            add(findings, finding)
    if polygons is not None:
        attempt(findings, "labels", path, _overlaps, polygons, bounds, findings)
    return polygons


def _overlaps(table: gpd.GeoDataFrame, bounds, findings: list[Finding]) -> None:
    """Polygons that reach out of the scene, are drawn twice, or overlap. Areas are square metres on the ground."""
    local = ground.to_ground(table.geometry)
    if bounds is not None:
        inside = table.intersection(shapely.box(*bounds))
        lost = local.area - inside.to_crs(local.crs).area
        beyond = lost > 1e-3 * local.area
        if beyond.any():
            part = 100 * lost.sum() / local.area.sum()
            value = f"{counted(beyond.sum(), 'polygon reaches', 'polygons reach')} out of it: "
            value += f"{lost.sum():.0f} m2, {part:.1f} % of the polygons' area"
            fix = "Nothing, where that is meant: what lies outside is not used."
            place = rows_text(table["polygon_id"][beyond])
            note(findings, "warning", "outside the scene", value, place, fix, "labels.beyond")
    outline = pd.Series(table.normalize().to_wkb(), table.index)
    for _, same in table[outline.duplicated(keep=False)].groupby(outline):
        classes = listed(sorted(same["code"].unique()))
        value = f"{len(same)} polygons with one outline, class {classes}: none of its pixels counts"
        place = rows_text(same["polygon_id"])
        note(findings, "warning", "drawn twice", value, place, "Keep one of them.", "labels.twice")
    first, second = table.sindex.query(table.geometry, predicate="intersects")
    once = (first < second) & (outline.to_numpy()[first] != outline.to_numpy()[second])
    first, second = first[once], second[once]
    area = shapely.area(shapely.intersection(local.values[first], local.values[second]))
    numbers, codes = table["polygon_id"].to_numpy(), table["code"].to_numpy()
    differ = codes[first] != codes[second]
    for kind, chosen in (("different classes", differ), ("one class", ~differ)):
        pairs = chosen & (area > 1e-3)  # rounding makes neighbours overlap by less
        if pairs.any():
            value = f"{pairs.sum()} pairs of {kind}, {area[pairs].sum():.0f} m2: pixels there count for neither"
            fix = "Look which of them is right there, and cut the other."
            numbered = zip(numbers[first[pairs]], numbers[second[pairs]], strict=True)
            place = rows_text(f"{number} and {neighbour}" for number, neighbour in numbered)
            note(findings, "warning", "overlap", value, place, fix, "labels.overlap")


def listed(values: Iterable) -> str:
    """All of them, with commas between."""
    return ", ".join(str(value) for value in values)
