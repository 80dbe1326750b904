"""Change between two class maps of one grid and legend: areas of each transition, and a map of them with its confidence."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rasterio.errors import RasterioError

from ... import ground, store
from ...errors import InputError
from ...mapping.class_map import ClassMap
from ...mapping.gis import write_categories, write_style
from ...mapping.layers import NODATA_PERCENT, Layer, percent, percent_layer, profile_of, write_layer
from ...nomenclature import NODATA_CLASS, LandCover, made_colours
from ...outputs import writing
from ...training.polygon_scores import PolygonScores
from .transitions import Transitions, correct

#: Codes of a map of change: what stayed, and what does not fit among 255 codes.
UNCHANGED, OTHER = 1, 255
GREY, BLACK = "#e8e8e8", "#404040"
SCORES = "scores.json"


def write_change(
    first: ClassMap, second: ClassMap, folder: Path, scores: Sequence[PolygonScores] | None = None
) -> Transitions:
    """Write what changed from the first to the second map to a folder, whole or not at all, and return the areas.

    change.tif (1 unchanged, then a code for each transition that occurs, 0 where either map has no class), change.qml and
    change.tif.aux.xml (its legend, for QGIS and GDAL), changes.csv (code, from, to, hectares of the legend);
    confidence.tif (per cent: the product of both confidences, the probability that both classes are right if the maps err
    independently; where both maps have a confidence); transitions.csv (hectares of every pair of classes).

    `scores`: those of both maps, which correct the areas (`transitions.correct`); None: the scores.json beside the maps,
    where both have one. Raises `InputError` for maps of different legends (kind "change.legend") or grids ("change.grid"),
    for scores of other classes, and where `folder` cannot be written.
    """
    _require_same_grid(first, second)
    legend = common_legend(first, second)
    beside = [scores_beside(one) for one in (first, second)] if scores is None else scores
    known = [one for one in beside if one is not None]
    mapped = _areas(first, second, legend)
    found = correct(mapped, legend, known[0], known[1]) if len(known) == 2 else Transitions(legend, mapped)
    codes, changes = _codes(found)
    crs, transform, shape = first.grid
    with writing(folder, folder=True, needed=2 * shape[0] * shape[1], errors=(RasterioError,)) as target:
        profile = profile_of(crs, transform, shape)
        layer = Layer("change", NODATA_CLASS, "nearest", coded=True)
        covers = tuple(LandCover(row.code, row.name, row.colour) for row in changes.itertuples())
        write_layer(target, layer, profile, covers, lambda: _change_images(first, second, legend, codes), {}, folder)
        if all(one.path.with_name("confidence.tif").is_file() for one in (first, second)):
            sure = percent_layer("confidence")
            write_layer(target, sure, profile, covers, lambda: _confidence_images(first, second), {}, folder)
        write_style(target / "change.qml", covers)
        write_categories(target / "change.tif.aux.xml", covers)
        changes.drop(columns="colour").round(2).to_csv(target / "changes.csv", index=False)
        found.table().round(2).to_csv(target / "transitions.csv", index=False)
        sources = {"maps": [one.path.parent.name for one in (first, second)], "sha256": [first.digest, second.digest]}
        corrected = {"corrected by": [one.where for one in known]} if len(known) == 2 else {}
        store.write_json(target / "change.json", {**found.to_dict(), **sources, **corrected})
    return found


def scores_beside(one: ClassMap) -> PolygonScores | None:
    """The scores that lie beside a map; None where there are none."""
    path = one.path.with_name(SCORES)
    return PolygonScores.from_dict(store.read_json(path)) if path.is_file() else None


def common_legend(first: ClassMap, second: ClassMap) -> tuple[LandCover, ...]:
    """The legend of both maps. Raises `InputError` where they have different ones."""
    (before, declared), (after, also_declared) = _legend(first), _legend(second)
    codes = sorted(set(before) | set(after))
    contradictions = [
        f"code {code} is {before[code].name} in the first and {after[code].name} in the second"
        for code in codes
        if code in before and code in after and before[code].name != after[code].name
    ]
    if declared and also_declared:
        alone = [(code, before.get(code, after.get(code))) for code in codes if (code in before) != (code in after)]
        contradictions += [f"{cover.name} (code {code}) is in one of them alone" for code, cover in alone if cover]
    if contradictions:
        raise InputError(
            f"The maps have different legends: {'; '.join(contradictions)}.",
            "Map both with one model, or with models of the same classes.", kind="change.legend",
        )  # fmt: skip
    return tuple(cover for _, cover in sorted((after | before).items()))


def _legend(one: ClassMap) -> tuple[dict[int, LandCover], bool]:
    """Classes of a map by code, and whether it declares them all or they are the codes that it has."""
    beside = one.path.with_name("classes.csv")
    if beside.is_file():
        table = pd.read_csv(beside, dtype=str, keep_default_na=False)
        columns = (table[name] for name in ("code", "name", "colour", "source"))
        rows = zip(*columns, strict=True)
        covers = [LandCover(int(code), name, colour, "" if own == code else own) for code, name, colour, own in rows]
        return {cover.code: cover for cover in covers}, True
    names = one.categories or one.names
    colours = made_colours(map(str, names))
    return {code: LandCover(code, name, colours[str(code)]) for code, name in names.items()}, bool(one.categories)


def _require_same_grid(first: ClassMap, second: ClassMap) -> None:
    (crs, transform, shape), (other_crs, other_transform, other_shape) = first.grid, second.grid
    words = [
        f"{name} {ours} and {theirs}"
        for name, ours, theirs, same in (
            ("CRS", crs, other_crs, crs == other_crs),
            ("size", "{} x {}".format(*shape), "{} x {}".format(*other_shape), shape == other_shape),
            (
                "corner and pixel",
                list(transform)[:6],
                list(other_transform)[:6],
                transform.almost_equals(other_transform, 1e-6),
            ),
        )
        if not same
    ]
    if words:
        raise InputError(
            f"The maps have different grids: {'; '.join(words)}.",
            "Warp one to the grid of the other (gdalwarp -r near), or map both scenes on one grid.", kind="change.grid",
        )  # fmt: skip


def _strips(first: ClassMap, second: ClassMap, name: str | None = None) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """First row and values (y, x) of both maps, strip by strip."""
    for (top, one), (_, other) in zip(first.strips(name), second.strips(name), strict=True):
        yield top, one, other


def _pairs(one: np.ndarray, other: np.ndarray, legend: tuple[LandCover, ...]) -> np.ndarray:
    """Number of the transition of each pixel, from x classes + to; the last number where either map has no class."""
    index = np.full(256, len(legend))
    index[[cover.code for cover in legend]] = np.arange(len(legend))
    before, after = index[one], index[other]
    return np.where((before < len(legend)) & (after < len(legend)), before * len(legend) + after, len(legend) ** 2)


def _areas(first: ClassMap, second: ClassMap, legend: tuple[LandCover, ...]) -> np.ndarray:
    """Hectares on the ground of each transition (from, to)."""
    crs, transform, _ = first.grid
    total = np.zeros(len(legend) ** 2 + 1)
    for top, one, other in _strips(first, second):
        area = ground.pixel_areas(transform @ transform.translation(0, top), crs, one.shape)
        weights = np.repeat(area, ground.COLUMNS, axis=1)[:, : one.shape[1]]
        total += np.bincount(_pairs(one, other, legend).ravel(), weights.ravel(), minlength=len(total))
    return total[:-1].reshape(len(legend), len(legend)) / 1e4


def _codes(found: Transitions) -> tuple[np.ndarray, pd.DataFrame]:
    """Code of each transition (number,), and the legend: columns code, name, from, to, hectares, colour."""
    number, mapped = len(found.legend), found.mapped
    codes = np.full(number**2 + 1, NODATA_CLASS, np.uint8)
    codes[: number**2 : number + 1] = UNCHANGED
    moved = [
        place for place in np.argsort(-mapped, axis=None, kind="stable") if place % (number + 1) and mapped.flat[place]
    ]
    kept, rest = sorted(moved[: OTHER - UNCHANGED - 1]), moved[OTHER - UNCHANGED - 1 :]
    rows = [(UNCHANGED, "unchanged", "", "", float(np.trace(mapped)), GREY)]
    for code, place in enumerate(kept, start=UNCHANGED + 1):
        codes[place] = code
        before, after = (found.legend[side] for side in divmod(place, number))
        rows.append((code, f"{before.name} to {after.name}", before.name, after.name, mapped.flat[place], after.colour))
    if rest:
        codes[rest] = OTHER
        rows.append((OTHER, "other changes", "", "", float(mapped.ravel()[rest].sum()), BLACK))
    return codes, pd.DataFrame(rows, columns=["code", "name", "from", "to", "hectares", "colour"])


def _change_images(first: ClassMap, second: ClassMap, legend: tuple[LandCover, ...], codes: np.ndarray) -> Iterator:
    for top, one, other in _strips(first, second):
        yield (slice(top, top + len(one)), slice(0, one.shape[1])), codes[_pairs(one, other, legend)]


def _confidence_images(first: ClassMap, second: ClassMap) -> Iterator:
    for top, one, other in _strips(first, second, "confidence.tif"):
        held = (one != NODATA_PERCENT) & (other != NODATA_PERCENT)
        both = percent(one.astype(np.float32) * other / 100)
        yield (slice(top, top + len(one)), slice(0, one.shape[1])), np.where(held, both, np.uint8(NODATA_PERCENT))
