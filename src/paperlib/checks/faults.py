"""Faults of a scene's files and of a polygon file, all that there are and not only the first; no pixel is read."""

import re
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr

from .. import nomenclature
from ..errors import Finding, InputError
from ..labels.polygons import LARGEST_ID, POOL, load_polygons, own_nomenclature
from ..scenes import sensors
from ..scenes.formats.theia import choose_grid, find_products, read_scale
from ..scenes.rasters import read_header
from ..scenes.scene import open_scene

#: What the column `set` of a polygon file may say.
SETS_OF_FILES = (*POOL, "test")


def note(findings: list[Finding], level: str, subject: str, value: str, place, fix: str) -> None:
    """Add a finding, once."""
    found = Finding(level, subject, value, str(place), fix)
    if found not in findings:
        findings.append(found)


def attempt(findings: list[Finding], subject: str, place, function: Callable, *arguments, **keywords):
    """What a function returns. Where it raises: None, and an error finding; its warnings become warning findings."""
    result = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(*arguments, **keywords)
        except InputError as error:
            note(findings, "error", subject, *_told(error, place))
        except Exception as error:  # a library's, on data that nobody thought of: the report must still be made
            fix = "Nobody foresaw this: write the file again with QGIS or GDAL, and report it if it stays."
            note(findings, "error", subject, f"{type(error).__name__}: {error}", place, fix)
    for one in caught:
        if one.category is UserWarning:  # others are for programmers
            note(findings, "warning", subject, *_told(one.message, place))
    return result


def _told(error: Exception | Warning, place) -> tuple[str, str, str]:
    """Value, place and fix of a message, whose last sentence says what to do."""
    text = str(error)
    parts = re.fullmatch(r"(?s)(.+[^.]\.)\s+([A-Z].+)", text) or re.fullmatch(r"(?s)(.+);\s+(.+)", text)
    value, fix = parts.groups() if parts else (text, "Put right what the value says, and check again.")
    return value, str(place), fix


# -- scene -------------------------------------------------------------------------------------------------------------


def open_listing(path: Path, findings: list[Finding]) -> xr.DataArray | None:
    """The scene; where it cannot be opened None, and every fault of every product's headers is found."""
    first: list[Finding] = []
    scene = attempt(first, "scene", path, open_scene, path)
    if scene is None and path.is_dir():
        listed: list[Finding] = []
        attempt(listed, "scene", path, _product_faults, path, listed)
        first = listed or first
    findings += first
    return scene


def _product_faults(folder: Path, findings: list[Finding]) -> None:
    products = find_products(folder)
    held = [band for band in sensors.BANDS if any(band in product.bands for product in products)]
    headers, scales = {}, {}
    for product in products:
        absent = [band for band in held if band not in product.bands]
        if absent:
            files = ", ".join(f"..._FRC_{band}.tif" for band in absent)
            fix = f"Get {files} of this date again, or move its product elsewhere."
            place = f"{product.date:%Y-%m-%d}, {product.folder}"
            note(findings, "error", "bands missing", ", ".join(absent), place, fix)
        for path in (product.bands[band] for band in held if band in product.bands):
            header = attempt(findings, "band file", path, read_header, path)
            if header:
                headers[path] = header
        if product.metadata:
            scales[product.metadata] = attempt(findings, "metadata", product.metadata, read_scale, product.metadata)
    # The grid that most files lie on is right, the others are wrong.
    fine = {path: header.grid for path, header in headers.items() if abs(header.grid.transform.a - 10) < 1e-6}
    grids = list((fine or {path: header.grid for path, header in headers.items()}).items())
    reference = max(grids, key=lambda one: sum(one[1] == other for _, other in grids))[0] if grids else None
    for path, header in headers.items():
        right = headers[reference].grid
        if header.grid.crs != right.crs:
            fix = f"Reproject it, for example with gdalwarp -t_srs {right.crs}."
            note(findings, "error", "grid", f"{header.grid.crs}; most files are in {right.crs}", path, fix)
            continue
        try:
            choose_grid({reference: headers[reference], path: header})
        except InputError as error:
            note(findings, "error", "grid", str(error), path, "Get it again, or bring it to that grid with gdalwarp.")
        if header.dtype.kind == "u":
            fix = "Convert it to int16, for example with gdal_translate -ot Int16."
            note(findings, "error", "type", f"{header.dtype}; int16 is expected", str(path), fix)
    common = max(scales.values(), key=list(scales.values()).count, default=None)
    for path, scale in scales.items():
        if scale is not None and scale != common:
            fix = "Bring all dates to one scale, and say it in their metadata."
            note(findings, "error", "scale", f"{scale:g}; other dates have {common:g}", str(path), fix)


# -- polygons ----------------------------------------------------------------------------------------------------------


def polygon_faults(path: Path, findings: list[Finding], crs, bounds) -> gpd.GeoDataFrame | None:
    """The polygons that have no fault of their own, in `crs`; None where the file cannot be used at all.

    Columns polygon_id, code, set, geometry. `crs` and `bounds` are those of the scene, None where there is none; then
    the polygons come in metres of their place.
    """
    whole: list[Finding] = []
    attempt(whole, "polygon file", path, load_polygons, path, crs, bounds)
    if any("outside the scene" in found.value for found in whole):  # polygons that are found below, one by one
        whole = [found for found in whole if found.level == "warning"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are among those of `load_polygons`
        try:
            table = gpd.read_file(path)
            usable = len(table) > 0 and table.crs is not None and "code" in table
        except Exception:  # `load_polygons` has said why
            usable = False
    if not usable:
        findings += whole
        return None
    rows: list[Finding] = []
    table = attempt(rows, "polygon file", path, _row_faults, table, path, rows)
    if any(found.level == "error" for found in rows):  # then `load_polygons` stopped at the first of these
        whole = [found for found in whole if found.level == "warning"]
    findings += whole + rows
    if table is not None and len(table):
        moved = attempt(findings, "polygon file", path, table.to_crs, crs or table.estimate_utm_crs())
        table = moved if moved is None else attempt(findings, "polygons", path, _place_faults, moved, bounds, findings)
    return table


def _row_faults(table: gpd.GeoDataFrame, path: Path, findings: list[Finding]) -> gpd.GeoDataFrame:
    """Rows without a fault; each kind of fault becomes one finding that names every row."""
    ids = pd.to_numeric(table.get("polygon_id", pd.Series(np.nan, table.index)), errors="coerce")
    numbered = ids.is_unique and ids.between(0, LARGEST_ID).all() and (ids % 1 == 0).all()
    if "polygon_id" in table and not numbered:
        wrong = table["polygon_id"][ids.duplicated(keep=False) | ~ids.between(0, LARGEST_ID) | (ids % 1 != 0)]
        fix = "Give every polygon its own whole number; until then they are numbered by row, and so is the split."
        value = f"{listed(wrong.astype(str).unique())} repeated, or not a whole number"
        note(findings, "warning", "polygon numbers", value, f"rows {listed(wrong.index + 1)}", fix)
    numbers = ids.astype(int) if numbered else pd.Series(np.arange(1, len(table) + 1), table.index)
    codes = pd.to_numeric(table["code"], errors="coerce")
    sets = table["set"] if "set" in table else pd.Series("pool", table.index)
    shapes = table.geometry
    empty = shapes.isna() | shapes.is_empty
    kind = ~empty & ~shapes.geom_type.isin(["Polygon", "MultiPolygon"])
    invalid = ~empty & ~kind & ~shapes.is_valid
    known = "Give them a class code of the nomenclature in the column `code`."
    pool = f"Write one of {', '.join(SETS_OF_FILES)}."
    mend = "Repair them (QGIS: Fix geometries; geopandas: make_valid)."
    bad = pd.Series(False, table.index)
    for wrong, subject, values, fix in (
        (codes.isna() | (codes % 1 != 0) | (codes.abs() > 2**31), "class codes", table["code"], known),
        (~sets.isin(SETS_OF_FILES), "column set", sets, pool),
        (empty, "geometry", pd.Series("none", table.index), "Delete these rows, or draw their polygons."),
        (kind, "geometry", shapes.geom_type, "Delete them, or draw polygons."),
        (invalid, "outline invalid", pd.Series(shapely.is_valid_reason(shapes.values), table.index), mend),
    ):
        bad |= wrong
        if wrong.any():
            value = f"{wrong.sum()} of {len(table)}: {listed(values[wrong].astype(str).unique())}"
            note(findings, "error", subject, value, polygon_ids(numbers[wrong], numbered), fix)
    codes = codes.where(~bad, 0).astype(int)
    own = own_nomenclature(table.assign(code=codes)[~bad], path)
    for code in sorted(codes[~bad].unique()):
        try:
            nomenclature.legend([code], own or nomenclature.CLASSES)
        except InputError as error:
            wrong = ~bad & (codes == code)
            value, place, fix = _told(error, polygon_ids(numbers[wrong], numbered))
            note(findings, "error", "class code unknown", f"{wrong.sum()} polygons: {value}", place, fix)
            bad |= wrong
    clean = {"polygon_id": numbers, "code": codes, "set": np.where(sets == "test", "test", "pool")}
    if own:  # for `legend_of`
        clean["class_name"] = codes.map({cover.code: cover.name for cover in own})
        clean["colour"] = codes.map({cover.code: cover.colour for cover in own})
    return gpd.GeoDataFrame(clean, geometry=shapes.values, crs=table.crs)[~bad]


def _place_faults(table: gpd.GeoDataFrame, bounds, findings: list[Finding]) -> gpd.GeoDataFrame:
    """Polygons that touch the scene; finds those outside, drawn twice, and overlapping. Areas are in square metres."""
    if bounds is not None:
        scene = shapely.box(*bounds)
        outside = ~(table.intersects(scene) & np.isfinite(table.bounds).all(axis=1))
        if outside.any():
            fix = "Is the file's CRS right?" if outside.all() else "Delete them, or give a scene that holds them."
            where = f"the scene has {extent(bounds)}, they {extent(table[outside].total_bounds)}"
            value = f"{outside.sum()} of {len(table)} polygons; {where} (left, bottom, right, top)"
            note(findings, "error", "outside the scene", value, polygon_ids(table["polygon_id"][outside]), fix)
        table = table[~outside]
        lost = table.area - table.intersection(scene).area
        beyond = lost > 1e-3 * table.area
        if beyond.any():
            part = 100 * lost.sum() / table.area.sum()
            value = f"{beyond.sum()} polygons reach out of it: {lost.sum():.0f} m2, {part:.1f} % of the polygons' area"
            fix = "Nothing, where that is meant: what lies outside is not used."
            note(findings, "warning", "outside the scene", value, polygon_ids(table["polygon_id"][beyond]), fix)
    outline = pd.Series(table.normalize().to_wkb(), table.index)
    for _, same in table[outline.duplicated(keep=False)].groupby(outline):
        classes = listed(sorted(same["code"].unique()))
        value = f"{len(same)} polygons with one outline, class {classes}: none of its pixels counts"
        place = polygon_ids(same["polygon_id"])
        note(findings, "warning", "drawn twice", value, place, "Keep one of them.")
    one, other = table.sindex.query(table.geometry, predicate="intersects")
    once = (one < other) & (outline.to_numpy()[one] != outline.to_numpy()[other])
    one, other = table.iloc[one[once]], table.iloc[other[once]]
    area = shapely.area(shapely.intersection(one.geometry.values, other.geometry.values))
    differ = one["code"].to_numpy() != other["code"].to_numpy()
    for kind, these in (("different classes", differ), ("one class", ~differ)):
        pairs = these & (area > 1e-3)  # rounding makes neighbours overlap by less
        if pairs.any():
            value = f"{pairs.sum()} pairs of {kind}, {area[pairs].sum():.0f} m2: pixels there count for neither"
            fix = "Look which of them is right there, and cut the other."
            numbers = zip(one["polygon_id"][pairs], other["polygon_id"][pairs], strict=True)
            place = "polygon_id " + listed(f"{first} and {second}" for first, second in numbers)
            note(findings, "warning", "overlap", value, place, fix)
    return table


def listed(values: Iterable) -> str:
    """All of them, with commas between."""
    return ", ".join(str(value) for value in values)


def polygon_ids(numbers: pd.Series, numbered: bool = True) -> str:
    """Where polygons are: by their numbers, or by rows where the file does not number them."""
    return f"polygon_id {listed(numbers)}" if numbered else f"row {listed(numbers)}"


def extent(bounds) -> str:
    """Left, bottom, right, top as text."""
    return "(" + listed(f"{value:.0f}" for value in bounds) + ")"
