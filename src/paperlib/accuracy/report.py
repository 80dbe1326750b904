"""The accuracy of a map from interpreted points: the tables, and the report to hand in."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from .. import outputs
from ..mapping.class_map import ClassMap
from .answers import class_names, joined
from .design import Design
from .exact_intervals import exact_intervals
from .stratified import StratifiedSample, estimates
from .zones.map_zone import MapZone, write_zone

TITLES = {"overall": "Overall accuracy", "macro_f1": "Macro F1"}

#: How limits of strata become an interval, by whether it is guaranteed.
METHODS = {
    False: "Clopper-Pearson limits of strata combined by MOVER",
    True: "Clopper-Pearson limits of strata combined by the union bound",
}
NOTE = (
    "Intervals are {method} (Zou and Donner, 2008, for MOVER). Normal intervals (Olofsson and others, 2014; Stehman, 2014) "
    "are given for comparison, those of the classes in accuracy.csv; for rare classes they are too narrow."
)
STYLE = (
    "body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}"
    "td,th{padding:.3em .8em;border:0;border-bottom:1px solid #ccc;text-align:right}th:first-child{text-align:left}"
    "code{overflow-wrap:anywhere}"
)


@dataclass(frozen=True)
class Assessment:
    """What the interpreted points say of a map.

    `scores` has columns score, class, estimate, low, high (exact), wald_low, wald_high; areas come twice: as shares and,
    under the score "hectares", in hectares. `confusion` counts points (map class, reference class). `design` is that of the
    points, `method` says what the intervals are.
    """

    scores: pd.DataFrame
    confusion: pd.DataFrame
    sentence: str
    design: Design
    method: str


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
    sample = StratifiedSample.from_units(strata, mapped, answers, design.sizes, names.values())
    scores = _scores(sample, level, guaranteed)
    area = scores[scores["score"] == "area"].assign(score="hectares")
    numbers = area.columns.drop(["score", "class"])
    area[numbers] *= sum(class_map.hectares.values())
    confusion = pd.DataFrame(sample.counts.sum(0), index=list(sample.classes), columns=list(sample.classes))
    confusion = confusion.rename_axis(index="map", columns="reference")
    method = METHODS[guaranteed]
    sentence = _sentence(scores, len(table), level, method)
    return Assessment(pd.concat([scores, area], ignore_index=True), confusion, sentence, design, method)


def _scores(sample: StratifiedSample, level: float, guaranteed: bool) -> pd.DataFrame:
    table = estimates(sample).merge(exact_intervals(sample, level, guaranteed), how="left", on=["score", "class"])
    wide = norm.ppf((1 + level) / 2) * table["standard_error"]
    table["wald_low"], table["wald_high"] = table["estimate"] - wide, table["estimate"] + wide
    return table[["score", "class", "estimate", "low", "high", "standard_error", "wald_low", "wald_high"]]


def _sentence(scores: pd.DataFrame, points: int, level: float, method: str) -> str:
    overall = scores[scores["score"] == "overall"].iloc[0]
    estimate, low, high = (f"{100 * overall[name]:.1f} %" for name in ("estimate", "low", "high"))
    return (
        f"The map is right on {estimate} of its area ({100 * level:.3g} % interval {low} to {high}, {method}; {points} "
        "interpreted points)."
    )


def write_report(
    assessment: Assessment, folder: str | Path, title: str, class_map: ClassMap, zone: MapZone | None = None
) -> Path:
    """Write accuracy.csv, confusion.csv and accuracy.html, a page to hand in, to a folder; returns the folder.

    With a `zone` of the map, also what `write_zone` writes, and its sentence on the page.
    """
    with outputs.writing(folder, folder=True) as partial:
        assessment.scores.round(6).to_csv(partial / "accuracy.csv", index=False)
        assessment.confusion.to_csv(partial / "confusion.csv")
        if zone is not None:
            write_zone(zone, class_map, partial)
        (partial / "accuracy.html").write_text(_page(assessment, title, zone))
    return Path(folder)


def _page(assessment: Assessment, title: str, zone: MapZone | None) -> str:
    """One self-contained page with the sentences, the scores by class, areas, the confusion matrix and the sample."""
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
    design = assessment.design
    strata = pd.DataFrame(design.strata)[["name", "units", "points"]].set_axis(["Stratum", "Pixels", "Points"], axis=1)
    drawn = f"Drawn at random with seed {design.choices['seed']} on {design.maps[0]['name']}"
    parts = [
        f"<h1>{escape(title)}</h1><p>{escape(assessment.sentence)}</p>",
        f"<p>{escape(zone.sentence)} The zone is that of zone.tif.</p>" if zone and zone.certified.number >= 0 else "",
        f"<p>{escape(zone.sentence)}</p>" if zone and zone.certified.number < 0 else "",
        overall.to_html(),
        "<h2>By class</h2>",
        classes.to_html(),
        "<h2>Points by map class (rows) and reference class (columns)</h2>",
        assessment.confusion.to_html(),
        f"<p>{NOTE.format(method=assessment.method)}</p>",
        "<h2>Sample</h2>",
        strata.to_html(index=False, formatters={"Pixels": "{:,}".format}),
        f"<p>{escape(drawn)} (SHA-256 <code>{design.maps[0]['sha256']}</code>).</p>",
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
