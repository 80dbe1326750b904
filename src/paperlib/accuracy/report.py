"""The accuracy of a map from interpreted points: the tables, and the report to hand in."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from .. import outputs
from ..errors import InputError
from ..mapping.class_map import ClassMap
from .certified import Zone, certify, zones_by_confidence
from .design import Design, check_map
from .exact_intervals import exact_intervals
from .stratified import StratifiedSample, estimates

TITLES = {"overall": "Overall accuracy", "macro_f1": "Macro F1"}

NOTE = (
    "Intervals are exact limits of each stratum combined over strata (MOVER; Zou and Donner, 2008). Normal intervals "
    "(Olofsson and others, 2014; Stehman, 2014) are given for comparison; for rare classes they are too narrow."
)
STYLE = (
    "body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
    "td,th{padding:.3em .8em;border:0;border-bottom:1px solid #ccc;text-align:right}th:first-child{text-align:left}"
)


@dataclass(frozen=True)
class Assessment:
    """What the interpreted points say of a map.

    `scores` has columns score, class, estimate, low, high (exact), wald_low, wald_high; areas come twice: as shares and,
    under the score "hectares", in hectares. `confusion` counts points (map class, reference class). `zone` is the part of
    the map one can stand for, None where it was not asked for.
    """

    scores: pd.DataFrame
    confusion: pd.DataFrame
    sentence: str
    zone: Zone | None = None
    least_confidence: int = 0


def assess(
    class_map: ClassMap, reference: pd.Series, design: Design, level: float = 0.95, guaranteed: bool = False,
    new_classes: bool = False,
) -> Assessment:  # fmt: skip
    """Estimate the accuracy of a map and the areas of its classes.

    Parameters
    ----------
    reference: class of each interpreted point by id, as `points.read_points` gives it: a name, or a code of the map.
    design: of the sample; it must have been drawn on this very map.
    level: of the intervals.
    guaranteed: intervals by the union bound, see `exact_intervals`.
    new_classes: accept reference classes that the map does not have.

    Raises `InputError` for a map changed since the design, ids that the design lacks, points of the design without a
    label, and reference classes that the map lacks unless `new_classes`.
    """
    table = joined(design, reference, [class_map])
    names = class_map.names
    mapped = table["code"].map(names)
    answers = class_names(table["reference"], names, new_classes)
    strata = [design.strata[number]["name"] for number in table["stratum"]]
    sample = StratifiedSample.from_units(strata, mapped, answers, design.sizes)
    scores = _scores(sample, level, guaranteed)
    area = scores[scores["score"] == "area"].assign(score="hectares")
    numbers = area.columns.drop(["score", "class"])
    area[numbers] *= sum(class_map.hectares.values())
    confusion = pd.DataFrame(sample.counts.sum(0), index=list(sample.classes), columns=list(sample.classes))
    confusion = confusion.rename_axis(index="map", columns="reference")
    return Assessment(pd.concat([scores, area], ignore_index=True), confusion, _sentence(scores, len(table), level))


def joined(design: Design, reference: pd.Series, maps: list[ClassMap]) -> pd.DataFrame:
    """The points of a design with their reference class, joined by id, after `maps` are found to be those of the design.

    Raises `InputError` for a map changed since the design, ids that the design lacks, and points without a label.
    """
    if len(maps) != len(design.maps):
        raise InputError(
            f"The sample was drawn on {len(design.maps)} maps; {len(maps)} are given.",
            "Give the maps of the design: one for its accuracy, two to compare them.",
            kind="design.map",
        )
    for position, class_map in enumerate(maps):
        check_map(design, class_map, position)
    table = design.table()
    foreign, missing = reference.index.difference(table.index), table.index.difference(reference.index)
    if len(foreign):
        raise InputError(
            f"{len(foreign)} interpreted points have ids that the design lacks: {_some(foreign)}.",
            "Use the points and the design.json of one draw.",
            kind="points.foreign",
        )
    if len(missing):
        raise InputError(
            f"{len(missing)} of {len(table)} points of the design have no reference class: id {_some(missing)}.",
            "Label all of them: leaving out the difficult ones makes every estimate too good.",
            kind="points.unlabelled",
        )
    return table.join(reference.rename("reference"))


def class_names(answers: pd.Series, names: dict[int, str], new_classes: bool) -> pd.Series:
    """Reference classes by the names of the map, which codes and other cases of letters stand for.

    Raises `InputError` for classes that the map lacks unless `new_classes`.
    """
    known = {name.casefold(): name for name in names.values()} | {str(code): name for code, name in names.items()}
    found = answers.map(lambda answer: known.get(answer.casefold(), ""))
    unknown = sorted(set(answers[found == ""]))
    if unknown and not new_classes:
        raise InputError(
            f"The map has no class {', '.join(unknown)}; it has {', '.join(f'{c} {n}' for c, n in names.items())}.",
            "Correct the spelling, or accept them with --new-classes.",
            kind="points.class",
        )
    return found.where(found != "", answers)


def _scores(sample: StratifiedSample, level: float, guaranteed: bool) -> pd.DataFrame:
    table = estimates(sample).merge(exact_intervals(sample, level, guaranteed), how="left", on=["score", "class"])
    wide = norm.ppf((1 + level) / 2) * table["standard_error"]
    table["wald_low"], table["wald_high"] = table["estimate"] - wide, table["estimate"] + wide
    return table[["score", "class", "estimate", "low", "high", "standard_error", "wald_low", "wald_high"]]


def _sentence(scores: pd.DataFrame, points: int, level: float) -> str:
    overall = scores[scores["score"] == "overall"].iloc[0]
    return (
        f"The map is right on {overall['estimate']:.1%} of its area ({level:.0%} interval {overall['low']:.1%} to "
        f"{overall['high']:.1%}, Clopper-Pearson limits of strata combined by MOVER; {points} interpreted points)."
    )


def certify_map(
    class_map: ClassMap, reference: pd.Series, design: Design, error: float = 0.1, risk: float = 0.05
) -> tuple[Zone, int]:
    """The largest zone of a map, by its confidence, that is wrong in at most `error`, and its least confidence (%).

    `class_map` has confidence.tif (percent) beside it. Zones need strata that are classes, or one stratum (the whole
    map). Raises `InputError` where there is no confidence, for strata of other kinds, and as `assess` and `certify` do.
    """
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
    least, units, labelled, errors = zones_by_confidence(pixels, points)
    zone = certify(units, labelled, errors, error, risk)
    return zone, int(least[zone.number]) if zone.number >= 0 else 101


def zone_sentence(class_map: ClassMap, zone: Zone, least: int, error: float) -> str:
    """What `certify_map` found, as a sentence for the user of the map."""
    if zone.number < 0:
        return f"No part of the map can be stated to be wrong in at most {error:.0%} of its area with 95% certainty."
    hectares = zone_hectares(class_map, least)
    return (
        f"Where its confidence is {least} % or more ({zone.coverage:.0%} of the map, {hectares:,.1f} ha), the map is wrong "
        f"in at most {error:.0%} of the area, with 95% certainty (exact; the limit found is {zone.upper:.1%})."
    )


def zone_hectares(class_map: ClassMap, least: int) -> float:
    """Ground area of the pixels with a class at or above a confidence in per cent."""
    total, whole = 0, 0
    for (_, code), (_, confidence) in zip(class_map.strips(), class_map.strips("confidence.tif"), strict=True):
        held = code != 0
        total, whole = total + int((held & (confidence >= least)).sum()), whole + int(held.sum())
    return sum(class_map.hectares.values()) * total / max(1, whole)


def write_report(assessment: Assessment, folder: str | Path, title: str) -> Path:
    """Write accuracy.csv, confusion.csv and accuracy.html, a page to hand in, to a folder; returns the folder."""
    with outputs.writing(folder, folder=True) as partial:
        assessment.scores.round(6).to_csv(partial / "accuracy.csv", index=False)
        assessment.confusion.to_csv(partial / "confusion.csv")
        (partial / "accuracy.html").write_text(_page(assessment, title))
    return Path(folder)


def _page(assessment: Assessment, title: str) -> str:
    """One self-contained page with the sentence, the scores by class, areas and the confusion matrix."""
    scores = assessment.scores.set_index(["score", "class"])
    overall = pd.DataFrame(
        {title: _shown(scores.loc[(key, "")], 3) for key, title in TITLES.items() if (key, "") in scores.index},
        index=["Estimate and interval", "Normal (Wald) interval"],
    ).T
    columns = {"users": "User's accuracy", "producers": "Producer's accuracy", "f1": "F1", "hectares": "Area (ha)"}
    classes = pd.DataFrame(
        {title: [_shown(scores.loc[(key, name)], 0 if key == "hectares" else 3)[0] for name in assessment.confusion.index]
         for key, title in columns.items()},
        index=list(assessment.confusion.index),
    )  # fmt: skip
    parts = [
        f"<h1>{escape(title)}</h1><p>{escape(assessment.sentence)}</p>",
        overall.to_html(),
        "<h2>By class</h2>",
        classes.to_html(),
        "<h2>Points by map class (rows) and reference class (columns)</h2>",
        assessment.confusion.to_html(),
        f"<p>{NOTE}</p>",
    ]
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _shown(row: pd.Series, digits: int) -> list[str]:
    """A score with its exact interval, and its normal interval; a dash where there is none."""
    numbers = {key: "–" if np.isnan(value) else f"{value:,.{digits}f}" for key, value in row.items()}
    return [
        f"{numbers['estimate']} [{numbers['low']}, {numbers['high']}]",
        f"[{numbers['wald_low']}, {numbers['wald_high']}]",
    ]


def _some(values: Iterable, most: int = 20) -> str:
    texts = [str(value) for value in values]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")
