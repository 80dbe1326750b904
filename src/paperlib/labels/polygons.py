"""Read a label file: every row that can be used, and every fault of those that cannot."""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ..errors import NOTHING_TO_DO, Finding, InputError, InputWarning, counted
from ..settings import Labels
from . import outlines
from .classes import choose_legend
from .formats import columns
from .formats.files import read_table
from .objects import gather_objects
from .rows import Rows

Bounds = tuple[float, float, float, float]


def load_polygons(
    path: str | Path,
    crs: Any = None,
    bounds: Bounds | None = None,
    pixel: tuple[float, float] | None = None,
    options: Labels | None = None,
    **choices,
) -> gpd.GeoDataFrame:
    """Labelled polygons of any vector file or table of points, reprojected to `crs`.

    Parameters
    ----------
    path: what `formats.files.read_table` reads.
    crs, bounds, pixel: the scene's CRS, its extent (left, bottom, right, top), and width and height of its pixels. Without
        `pixel`, points stay points.
    options: which columns, layer and encoding are used, and how rows are mended and kept together; see `settings.Labels`.
    choices: single fields of `options`, like `field="landuse"`.

    Returns columns polygon_id, code (1 to 255, as in maps), class_name, colour, source (the file's own code where it
    differs from `code`), set ("pool", "test"), group (rows of one number stay in one set; see `objects.gather_objects`),
    and geometry.

    Rows without a class, without geometry or with an invalid outline are left out with an `InputWarning` that names them;
    if they are half of the rows or more, that is an error. Raises `InputError` for the first error of `problems`.
    """
    path, options = Path(path), replace(options or Labels(), **choices)
    table = read_table(path, options)
    polygons, findings = examine(table, path, crs, bounds, pixel, options)
    errors = [finding for finding in findings if finding.level == "error"]
    if errors or polygons is None:
        first = errors[0]
        more = f" {len(errors) - 1} more errors: `paperlib check` lists them." if len(errors) > 1 else ""
        place = f" ({first.place})" if first.place and first.place != str(path) else ""
        value = first.value.removeprefix(f"{path}: ").rstrip(".")
        raise InputError(f"{path}: {value}{place}.", f"{first.fix}{more}", kind=first.kind, place=first.place)
    for finding in findings:
        place = f" ({finding.place})" if finding.place != str(path) else ""
        warning = InputWarning(
            f"{path.name}: {finding.value}{place}.", finding.fix, kind=finding.kind, place=finding.place
        )
        warnings.warn(warning, stacklevel=2)
    return polygons


def problems(
    table: gpd.GeoDataFrame,
    path: str | Path,
    crs: Any = None,
    bounds: Bounds | None = None,
    options: Labels | None = None,
) -> list[Finding]:
    """Every fault of a table that `formats.files.read_table` returned: columns, classes, sets, outlines and places.

    `load_polygons` raises the first error of this list, and the pre-flight shows all of it.
    """
    return examine(table, Path(path), crs, bounds, None, options or Labels())[1]


def examine(
    table: gpd.GeoDataFrame,
    path: Path,
    crs: Any = None,
    bounds: Bounds | None = None,
    pixel: tuple[float, float] | None = None,
    options: Labels | None = None,
) -> tuple[gpd.GeoDataFrame | None, list[Finding]]:
    """The usable rows of a table as `load_polygons` returns them, None where there are none; and every fault."""
    options = options or Labels()
    try:
        chosen = columns.choose_columns(table, options)
    except InputError as error:
        return None, [error.finding("label file", str(path))]
    table = table.reset_index(drop=True)
    if table.crs is None:  # of points; see `formats.tables`
        if crs is None:
            problem = "the coordinates are no degrees, and there is no scene whose CRS they could have"
            return None, [
                Finding("error", "label file", problem, str(path), "Give the scene too, or degrees.", "labels.crs")
            ]
        table = table.set_crs(crs)
    rows = Rows(_used_columns(table, chosen), chosen, path)
    _report_guesses(rows, chosen)
    _check_attributes(rows, table, chosen)
    _check_spellings(rows, options)
    _check_outlines(rows, options)
    legend = _legend(rows, options) if len(rows.table) else None
    if legend is not None:
        rows.table = rows.table if crs is None else rows.table.to_crs(crs)
        _check_place(rows, bounds)
    if legend is None or rows.table.empty:
        return None, rows.findings
    covers = rows.table["label"].map(legend.classes)
    for part in ("code", "name", "colour", "source"):
        rows.table[part] = covers.map(lambda cover, part=part: getattr(cover, part))
    polygons, found = gather_objects(rows.table.rename(columns={"name": "class_name"}), bounds, pixel, options)
    return polygons, [*rows.findings, *(replace(finding, place=str(path)) for finding in found)]


def _used_columns(table: gpd.GeoDataFrame, chosen: columns.Columns) -> gpd.GeoDataFrame:
    """Columns polygon_id, label, name, colour, set, number, group, geometry of all rows; nothing is checked."""
    frame = pd.DataFrame(index=table.index)
    frame["polygon_id"], _ = columns.read_numbers(table.get(chosen.number), table.index)
    frame["label"], _ = columns.read_classes(table[chosen.label])
    frame["set"], _ = columns.read_sets(table.get(chosen.set), table.index)
    for part in ("name", "colour"):
        column = table.get(getattr(chosen, part))
        frame[part] = "" if column is None else columns.texts_of(column)
    frame["colour"] = frame["colour"].str.lower()
    for part in ("number", "group"):
        frame[part] = table.get(getattr(chosen, part))
    return gpd.GeoDataFrame(frame, geometry=table.geometry.array, crs=table.crs)


def _check_attributes(rows: Rows, table: gpd.GeoDataFrame, chosen: columns.Columns) -> None:
    """Rows whose class cannot be read, that have none, or whose set is unknown."""
    column = table[chosen.label]
    _, wrong = columns.read_classes(column)
    value = f"class codes are no whole numbers, like {_examples(column[wrong])} in `{chosen.label}`"
    rows.drop(wrong, "class codes", value, "Mend them, or choose another column with --field.", "code")
    _leave_out_suggestions(rows, table)
    value, fix = f"rows have no class in `{chosen.label}`", "Give them a class, or choose another column with --field."
    rows.drop(rows.table["label"].isna(), "class codes", value, fix, "no class", "warning")
    column = table.get(chosen.set)
    _, wrong = columns.read_sets(column, table.index)
    if wrong.any():
        value = f"values of `{chosen.set}` name no set: {_examples(column[wrong])}"
        fix = (
            f"Write one of {', '.join((*columns.POOL[:3], *columns.TEST))}, or choose another column with --set-field."
        )
        rows.drop(wrong, "column set", value, fix, "set")
    own = 0 if column is None else columns.texts_of(column).str.lower().isin(columns.VALIDATION).sum()
    if own:
        rest = "marked for validation and divided anew, with the pool"
        value = counted(own, f"row of `{chosen.set}` is {rest}", f"rows of `{chosen.set}` are {rest}")
        rows.add("warning", "column set", value, str(rows.path), "Mark them as test, if they are.", "set")


def _leave_out_suggestions(rows: Rows, table: gpd.GeoDataFrame) -> None:
    """Places that `labelling.suggest` wrote and nobody has labelled yet: however many, they are no fault of the file."""
    if not {"looks_like", "unsure"} <= set(table):
        return
    waiting = (rows.table["label"].isna() & table["unsure"].notna()).reindex(rows.table.index)
    if waiting.any():
        value = f"{waiting.sum()} suggested places have no class yet; they are left out"
        rows.add("warning", "class codes", value, rows.place(waiting), NOTHING_TO_DO, "no class")
        rows.table, rows.total = rows.table[~waiting], rows.total - int(waiting.sum())


def _check_spellings(rows: Rows, options: Labels) -> None:
    """Classes that differ in capitals, accents and signs alone; they are joined where that is asked for."""
    groups = columns.spellings(rows.table["label"])
    if not groups:
        return
    listed = "; ".join(" / ".join(group) for group in groups)
    value, fix = (
        f"classes differ in capitals, accents or signs alone: {listed}",
        "If they are one, give --join-spellings.",
    )
    if options.join_spellings:
        common = {spelling: group[0] for group in groups for spelling in group}
        rows.table["label"] = rows.table["label"].map(lambda label: common.get(label, label))
        value, fix = (
            f"classes are joined under the first of their spellings: {listed}",
            "Look whether each is one class.",
        )
    rows.add("warning", "class names", value, str(rows.path), fix, "spelling")


def _examples(values: pd.Series, number: int = 4) -> str:
    held = list(dict.fromkeys(values.map(repr)))
    return ", ".join(held[:number]) + (", ..." if len(held) > number else "")


def _report_guesses(rows: Rows, chosen: columns.Columns) -> None:
    for part, what, option in (("label", "classes", "--field"), ("name", "names of the classes", "--name-field")):
        if part in chosen.guessed:
            value = f"the {what} are taken from the column `{getattr(chosen, part)}`"
            rows.add("warning", "columns", value, str(rows.path), f"Name another column with {option}.", "guess")


def _check_outlines(rows: Rows, options: Labels) -> None:
    """Geometries that are missing, no places, of another kind, or invalid; what is repaired is replaced."""
    rows.table = rows.table.set_geometry(outlines.plain(rows.table.geometry))
    shapes = rows.table.geometry
    value = "outlines have coordinates that are infinite or no numbers"
    fix = "Get them from their source again, or delete them."
    rows.drop(outlines.not_numbers(shapes), "geometry", value, fix, "coordinates")
    value, fix = "rows have no geometry", "Delete these rows, or draw their polygons."
    rows.drop(shapes.isna() | shapes.is_empty, "geometry", value, fix, "no geometry", "warning")
    kinds = rows.table.geometry.geom_type
    wrong = ~kinds.isin((*outlines.AREAS, *outlines.POINTS))
    value = f"geometries are no polygon and no point ({', '.join(sorted(kinds[wrong].unique()))})"
    rows.drop(wrong, "geometry", value, "Delete them, or draw polygons.", "kind", "warning")
    invalid = ~rows.table.geometry.is_valid
    if invalid.any() and options.repair:
        _repair(rows, invalid)
        invalid &= ~rows.table.geometry.geom_type.isin(outlines.AREAS) | ~rows.table.geometry.is_valid
    reasons = sorted(set(shapely.is_valid_reason(rows.table.geometry[invalid].to_numpy())))
    value = f"outlines are invalid ({', '.join(reasons[:5])})"
    fix = "Mend them with --repair, or in QGIS with Fix geometries."
    rows.drop(invalid, "outline invalid", value, fix, "invalid", "warning")


def _repair(rows: Rows, invalid: pd.Series) -> None:
    before = rows.table.geometry[invalid]
    after = outlines.repaired(before)
    rows.table.loc[invalid, "geometry"] = after
    change = outlines.areas(after).sum() - np.abs(outlines.areas(before)).sum()
    value = f"{invalid.sum()} invalid outlines are repaired, which changes their area by {change:+.0f} m2"
    rows.add("warning", "outline invalid", value, rows.place(invalid), "Look at them over the image.", "repaired")


def _legend(rows: Rows, options: Labels):
    """The legend of the rows; rows of classes that a given nomenclature does not have are left out as errors."""
    try:
        legend = choose_legend(rows.table[["label", "name", "colour"]], rows.path, options.nomenclature)
    except InputError as error:
        rows.findings.append(error.finding("classes", str(rows.path)))
        return None
    unknown = ~rows.table["label"].isin(legend.classes)
    if unknown.any():
        names = ", ".join(sorted(rows.table["label"][unknown].unique())[:10])
        fix = f"Add them to {legend.origin}, recode the labels"
        fix += ", or leave --nomenclature out: then the classes are the file's own." if options.nomenclature else "."
        rows.drop(unknown, "class code unknown", f"classes that {legend.origin} does not have: {names}", fix, "unknown")
    return legend


def _check_place(rows: Rows, bounds: Bounds | None) -> None:
    """Rows outside the scene, and outlines that a projection far from home made invalid."""
    shapes = rows.table.geometry
    lost = outlines.not_numbers(shapes)
    outside = lost if bounds is None else lost | ~shapes.intersects(shapely.box(*bounds))
    if outside.any():
        extent = rows.shapes[outside[outside].index].total_bounds
        own = f"in the file's CRS, {rows.crs.name}, they have {outlines.extent_text(extent)}"
        scene = "" if bounds is None else f"; the scene has {outlines.extent_text(bounds)}"
        there = (
            ""
            if lost[outside].any() or bounds is None
            else f", they {outlines.extent_text(shapes[outside].total_bounds)} in its CRS"
        )
        where = f"polygons lie outside the scene{scene}{there}; {own} (left, bottom, right, top)"
        fix = (
            outlines.fitting_crs(rows.shapes, rows.crs, rows.table.crs, bounds)
            if outside.all()
            else "Delete them, or give a scene that holds them."
        )
        rows.drop(outside, "outside the scene", where, fix, "outside")
    invalid = ~rows.table.geometry.is_valid
    value = f"outlines become invalid in {shapes.crs.name}"
    rows.drop(invalid, "outline invalid", value, "Draw them in the scene's CRS.", "invalid", "warning")
