"""Every fault of a scene as findings, for the pre-flight: what `open_scene` raises first, and all that is like it."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import Finding, InputError, InputWarning
from . import sensors
from .formats.theia import choose_grid, find_products, read_scale
from .meaning.judging import value_problems
from .rasters import Header, read_header
from .scene import kind_of, open_scene


def problems(path: str | Path, **choices: Any) -> list[Finding]:
    """Everything wrong ("error") or doubtful ("warning") about a scene; empty where `open_scene` opens it in silence.

    `choices` are the keywords of `scene.open_scene`. Reads headers, and of images a few pixels to judge the values.
    The first error is the one that `open_scene` raises, or, of a folder of products, every fault of every product.
    """
    findings: list[Finding] = []
    scene = _attempt(findings, "scene", path, open_scene, path, **choices)
    if scene is not None:
        findings += value_problems(scene)
    folder = Path(path)
    if scene is None and folder.is_dir() and kind_of(folder) == "theia_l3a":
        listed: list[Finding] = []
        _attempt(listed, "scene", folder, _product_faults, folder, listed)
        findings = listed or findings
    return list(dict.fromkeys(findings))


def _attempt(findings: list[Finding], subject: str, place: str | Path, function: Callable, *arguments, **keywords):
    """What a function returns; None where it raises `InputError`, which becomes a finding, as its warnings do."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(*arguments, **keywords)
        except InputError as error:
            findings.append(error.finding(subject, str(place)))
            result = None
    findings += [each.message.finding(subject, str(place)) for each in caught if isinstance(each.message, InputWarning)]
    return result


def _product_faults(folder: Path, findings: list[Finding]) -> None:
    """Every fault of every product of Theia L3A in a folder: bands, band files, metadata, grids, scales."""
    products = find_products(folder)
    held = [band for band in sensors.BANDS if any(band in product.bands for product in products)]
    headers: dict[Path, Header] = {}
    scales: dict[Path, float] = {}
    for product in products:
        absent = [band for band in held if band not in product.bands]
        if absent:
            files = ", ".join(f"..._FRC_{band}.tif" for band in absent)
            fix = f"Get {files} of this date again, or move its product elsewhere."
            place = f"{product.date:%Y-%m-%d}, {product.folder}"
            findings.append(Finding("error", "bands missing", ", ".join(absent), place, fix, "scene.bands"))
        for path in (product.bands[band] for band in held if band in product.bands):
            header = _attempt(findings, "band file", path, read_header, path)
            if header:
                headers[path] = header
        if product.metadata:
            scale = _attempt(findings, "metadata", product.metadata, read_scale, product.metadata)
            if scale is not None:
                scales[product.metadata] = scale
    _grid_faults(headers, findings)
    common = max(scales.values(), key=list(scales.values()).count, default=None)
    for path, scale in scales.items():
        if scale != common:
            fix = "Bring all dates to one scale, and write it in their metadata."
            value = f"{scale:g}; other dates have {common:g}"
            findings.append(Finding("error", "scale", value, str(path), fix, "scene.scale"))


def _grid_faults(headers: dict[Path, Header], findings: list[Finding]) -> None:
    """Files on another grid than most, and files of an unsigned type."""
    fine = {path: header.grid for path, header in headers.items() if abs(header.grid.transform.a - 10) < 1e-6}
    grids = list((fine or {path: header.grid for path, header in headers.items()}).items())
    # The grid that most files lie on is right, the others are wrong.
    if not grids:
        return
    reference = max(grids, key=lambda pair: sum(pair[1] == other for _, other in grids))[0]
    for path, header in headers.items():
        right = headers[reference].grid
        if header.grid.crs != right.crs:
            fix = f"Reproject it, for example with gdalwarp -t_srs {right.crs}."
            value = f"{header.grid.crs}; most files are in {right.crs}"
            findings.append(Finding("error", "grid", value, str(path), fix, "scene.grid"))
            continue
        try:
            choose_grid({reference: headers[reference], path: header})
        except InputError as error:
            fix = "Get it again, or bring it to that grid with gdalwarp."
            findings.append(Finding("error", "grid", error.problem, str(path), fix, "scene.grid"))
        if header.dtype.kind == "u":
            fix = "Convert it to int16, for example with gdal_translate -ot Int16."
            value = f"{header.dtype}; int16 is expected"
            findings.append(Finding("error", "type", value, str(path), fix, "scene.type"))
