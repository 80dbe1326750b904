"""Which of two maps is better: points only where they differ, and an exact sign test.

Where two maps agree they are right or wrong together, so that points there say nothing of the difference.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from ..errors import InputError, counted
from ..mapping.class_map import ClassMap
from .answers import class_names, joined
from .design import Design, about
from .exact_intervals import clopper_pearson


@dataclass(frozen=True)
class Comparison:
    """Points at which the first map alone, the second alone, and neither is right; p-value of "equally often".

    `difference` is the overall accuracy of the first map less that of the second, with limits `low` and `high`.
    """

    first: int
    second: int
    neither: int
    p_value: float
    difference: float
    low: float
    high: float


def draw_differences(first: ClassMap, second: ClassMap, number: int, seed: int = 0) -> Design:
    """Draw `number` pixels at random among those to which two maps give different classes.

    Classes are compared by name. Raises `InputError` for maps on different grids, and where fewer pixels differ.
    """
    if first.grid != second.grid:
        raise InputError(
            f"{first.path} and {second.path} lie on different grids.",
            "Bring one to the grid of the other, for example with gdalwarp -r near.",
            kind="map.grid",
        )
    rows, common = [], 0
    for top, codes, others, differ in _strips(first, second):
        common += int(((codes > 0) & (others > 0)).sum())
        places = np.flatnonzero(differ)
        row, column = np.divmod(places, codes.shape[1])
        rows.append(np.stack([top + row, column, codes.flat[places], others.flat[places]], axis=1))
    places = np.concatenate(rows)
    if len(places) < number:
        raise InputError(
            f"The maps differ in {counted(len(places), 'pixel')}, fewer than the points asked for ({number}).",
            f"Ask for {len(places)} or fewer with --number.",
            kind="design.number",
        )
    chosen = places[np.random.default_rng(seed).choice(len(places), number, replace=False)]
    names = ["row", "column", "code", "other_code"]
    points = [
        {"id": index, "stratum": 0, **dict(zip(names, row, strict=True))}
        for index, row in enumerate(chosen.tolist(), start=1)
    ]
    stratum = {"name": "different", "units": len(places), "points": number, "common": common}
    choices = {"number": number, "rule": "differences", "edge": 0, "strata": "", "simple": False, "seed": seed}
    return Design([about(first), about(second)], [stratum], points, choices)


def _strips(first: ClassMap, second: ClassMap):
    """First row, the codes of both maps, and where their classes differ, of one strip of rows after the other."""
    codes_of = {name: code for code, name in first.names.items()}
    translate = np.arange(256)
    for code, name in second.names.items():
        translate[code] = codes_of.get(name, 256 + code)  # a class that the first map lacks differs from all of its
    for (top, codes), (_, others) in zip(first.strips(), second.strips(), strict=True):
        yield top, codes, others, (codes > 0) & (others > 0) & (translate[others] != codes)


def compare(first: ClassMap, second: ClassMap, reference: pd.Series, design: Design, level: float = 0.95) -> Comparison:
    """Compare two maps by the reference classes of points where they differ.

    `reference` by id, as `points.read_points` gives it; `design` of `draw_differences`. The test is the exact sign test
    on points at which one of the maps is right. Raises `InputError` as `report.assess` does.
    """
    table = joined(design, reference, [first, second])
    ours, theirs = table["code"].map(first.names), table["other_code"].map(second.names)
    answers = class_names(table["reference"], first.names | second.names, new_classes=True)
    wins, losses = int((ours == answers).sum()), int((theirs == answers).sum())
    p_value = float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    low, high = clopper_pearson(np.array([wins, losses]), np.array([len(table)] * 2), level)
    share = design.strata[0]["units"] / design.strata[0]["common"]
    difference = share * (wins - losses) / len(table)
    return Comparison(
        wins, losses, len(table) - wins - losses, p_value, difference,
        float(share * (low[0] - high[1])), float(share * (high[0] - low[1])),
    )  # fmt: skip
