"""The zone of a finished map that one can stand for: as a sentence, a table of the zones tried, and a mask."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import InputError
from ...mapping.class_map import ClassMap
from ...mapping.layers import Images, Layer, profile_of, write_layer
from ..answers import class_names, joined
from ..design import Design
from .certified import Zone, certify, zones_by_confidence

#: Value of the mask where the map has no class.
NODATA = 255


@dataclass(frozen=True)
class MapZone:
    """The largest zone of a map, by its confidence, that is wrong in at most `error` of its area.

    `least` is the confidence (%) from which on pixels belong to it, 101 where there is no such zone; `hectares` its area on
    the ground; `error` and `risk` (of stating this falsely) are shares of 1; `stratified`: whether the sample has several
    strata, whose limits are added.
    """

    certified: Zone
    least: int
    hectares: float
    error: float
    risk: float
    stratified: bool = False

    @property
    def sentence(self) -> str:
        """What can be said to the user of the map."""
        limit, certainty = f"{100 * self.error:.3g} %", f"with {100 * (1 - self.risk):.3g} % certainty"
        if self.certified.number < 0:
            advice = " A simple random sample of as many points (paperlib design --simple) states one more often."
            return (
                f"No part of the map can be stated to be wrong in at most {limit} of its area {certainty}."
                f"{advice if self.stratified else ''}"
            )
        return (
            f"Where its confidence is {self.least} % or more ({100 * self.certified.coverage:.0f} % of the map, "
            f"{self.hectares:,.1f} ha), the map is wrong in at most {limit} of the area, {certainty} (exact; the limit "
            f"found is {100 * self.certified.upper:.1f} %)."
        )


def certify_map(
    class_map: ClassMap, reference: pd.Series, design: Design, error: float = 0.1, risk: float = 0.05
) -> MapZone:
    """The largest zone of a map, by its confidence, that is wrong in at most `error`.

    `class_map` has confidence.tif (percent) beside it; `reference` by id, as `points.read_points` gives it. Zones need
    strata that are classes, or one stratum (the whole map). Raises `InputError` where there is no confidence, for strata of
    other kinds, for an error that is no share, and as `report.assess` and `certify` do.
    """
    if not 0 < error < 1:
        raise InputError(
            f"The error that a zone may have is {error:g}; a share between 0 and 1 is expected.", "Give one like 0.1.",
            kind="accuracy.zone",
        )  # fmt: skip
    if not class_map.path.with_name("confidence.tif").is_file():
        raise InputError(
            f"There is no confidence.tif beside {class_map.path}, by which zones are ordered.",
            "Give a map that `paperlib map` has written.",
            kind="accuracy.confidence",
        )
    if design.choices["edge"] or design.choices["strata"]:
        raise InputError(
            "A zone needs a sample whose strata are the classes or the whole map; this design has others.",
            "Draw a sample without --edges and --strata.",
            kind="accuracy.zone",
        )
    table, names = joined(design, reference, [class_map]), class_map.names
    wrong = table["code"].map(names) != class_names(table["reference"], names, new_classes=True)
    codes = [0] if design.choices["simple"] else sorted(names)
    pixels, percent = np.zeros((101, len(codes)), np.int64), pd.Series(0, table.index)
    for (top, code), (_, confidence) in zip(class_map.strips(), class_map.strips("confidence.tif"), strict=True):
        for number, wanted in enumerate(codes):
            inside = code > 0 if design.choices["simple"] else code == wanted
            pixels[:, number] += np.bincount(np.minimum(confidence[inside], 100), minlength=101)
        rows = table[(table["row"] >= top) & (table["row"] < top + len(code))]
        percent[rows.index] = confidence[rows["row"] - top, rows["column"]]
    points = pd.DataFrame({"confidence": percent, "stratum": table["stratum"], "wrong": wrong})
    least, units, labelled, mistaken = zones_by_confidence(pixels, points)
    zone = certify(units, labelled, mistaken, error, risk)
    zone.levels.insert(0, "confidence", least)
    hectares = sum(class_map.hectares.values()) * zone.coverage
    return MapZone(zone, int(least[zone.number]) if zone.number >= 0 else 101, hectares, error, risk, len(codes) > 1)


def write_zone(zone: MapZone, class_map: ClassMap, folder: Path) -> None:
    """Write zone.tif (1 inside, 0 outside, 255 without a class) and zone.csv, a row for each zone, to a folder.

    There is no mask where there is no zone. zone.csv: confidence (%), coverage of the map, pixels, labelled points, wrong
    ones, and whether the zone is accepted. Raises `InputError` where the disk is full.
    """
    crs, transform, shape = class_map.grid

    def masks() -> Images:
        for (top, code), (_, confidence) in zip(class_map.strips(), class_map.strips("confidence.tif"), strict=True):
            mask = np.where(code == 0, NODATA, confidence >= zone.least).astype(np.uint8)
            yield (slice(top, top + len(code)), slice(0, shape[1])), mask

    table = zone.certified.levels.rename(columns={"units": "pixels"})
    table.round(6).to_csv(folder / "zone.csv", index=False)
    if zone.certified.number < 0:
        return
    tags = {"confidence": str(zone.least), "error": f"{zone.error:g}", "risk": f"{zone.risk:g}"}
    write_layer(folder, Layer("zone", NODATA, "nearest"), profile_of(crs, transform, shape), (), masks, tags)
