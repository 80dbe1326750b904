"""Consistency of the printed values of the paper with one another.

Each check takes printed values and returns the inconsistencies among them, none where they agree.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..features import indices
from . import paper
from .recomputed import (
    TABLE_4,
    TEST_MEANS,
    TEST_ROWS,
    candidates_table,
    claim_margins_table,
    exchange,
    highest_geometric,
    means_table,
    reliability_table,
    shares_table,
)

LABELS_BELOW = 80_000  # abstract and section 4: "less than 80 000 labeled time series"
TILE_KM = 110  # section 3.1
TILE_PIXELS = 10_980  # side of a Sentinel-2 tile at 10 m; from the format, not printed
STREAMS = ("TempCNN", "3D-CNN")  # section 2.2.4: what SpatioTempCNN combines
WOODLANDS = {2: 3, 3: 2}


class Inconsistency(NamedTuple):
    """One inconsistency, as text: place, printed value, value that follows from other printed values, and consequence."""

    place: str
    printed: str
    recomputed: str
    difference: str
    consequence: str


def check_means(table_4: dict = TABLE_4, tolerance: float = 0.001) -> list[Inconsistency]:
    """Printed means that differ from the means of their rows, with the single cells that would explain them."""
    cells, rows = candidates_table(table_4, tolerance), []
    for _, row in means_table(table_4, tolerance).query("~agrees").iterrows():
        mine = cells[(cells["set"] == row["set"]) & (cells["model"] == row["model"])]
        single = (
            "; ".join(f"{c['class']} {c['needed']:.3f} for {c['printed']:.3f}" for _, c in mine.iterrows()) or "none"
        )
        near = ", ".join(mine.loc[mine["near"], "class"]) or "none"
        numbers = (f"{row['printed mean']:.3f}", f"{row['mean of rows']:.3f}", f"{row['difference']:.3f}")
        text = f"Single misprinted cells that would explain it: {single}. Near the other models: {near}. Cell or mean: open."
        rows.append(Inconsistency(f"Table 4, {row['set']}: mean of {row['model']}", *numbers, text))
    return rows


def check_claims(
    rows: dict = TEST_ROWS, means: Sequence[float] = TEST_MEANS, reliability: Sequence = paper.TABLE_4_RELIABILITY
) -> list[Inconsistency]:
    """Sentences that fail by the printed means or by the means of the rows, and a lead within the spread of trainings."""
    results = []
    for _, row in claim_margins_table(rows, means).iterrows():
        both = [row["printed means"], row["means of rows"]]
        if min(both) <= 0:
            outcomes = ["holds" if margin > 0 else "fails" for margin in both]
            text = f"The sentence {outcomes[0]} by the printed means and {outcomes[1]} by the means of the rows."
            numbers = (f"{both[0]:+.3f}", f"{both[1]:+.3f}", f"{both[1] - both[0]:+.3f}")
            results.append(Inconsistency(f"{row['place']}: {row['claim']} (margin)", *numbers, text))
    place = int(np.argmax(means))
    lead, spread = means[place] - sorted(means)[-2], reliability[place]
    top = highest_geometric(np.array(list(rows.values()))).mean(axis=0)
    gap = (top - np.mean(list(rows.values()), axis=0)).max()
    if spread and lead < spread[1]:
        number = f"{lead / spread[1]:.1f} standard deviations"
        text = f"{number} of the winner's trainings (on validation; none is printed for test)."
        results.append(Inconsistency("Table 4, test: lead of the best", f"{lead:.3f}", f"± {spread[1]:.2f}", "", text))
    if gap > lead:
        text = f"The means could differ by {gap:.3f}, more than the lead, {lead:.3f}; the best could reach {top[place]:.3f}."
        results.append(
            Inconsistency("Section 3.5.2: F1", "geometric average", "harmonic average", f"≤ {gap:.3f}", text)
        )
    return results


def check_labels(
    pool: dict[int, int] = paper.TABLE_2, test: dict[int, int] = paper.TABLE_3, bound: int = LABELS_BELOW
) -> list[Inconsistency]:
    """Label counts far from those of the text; sets that differ by 10 points in a class or by a factor 2 in polygon size."""
    total, size = sum(pool.values()), [sum(pool.values()) / paper.POLYGONS_POOL]
    size.append(sum(test.values()) / paper.POLYGONS_TEST)
    shares, whole, results = shares_table(pool, test), total / (1 - paper.VALIDATION_SHARE), []
    if bound - total > bound / 4:
        text = f"True but loose. If Table 2 is the training part alone, the pool has {whole:,.0f} pixels: open."
        results.append(Inconsistency("Abstract: labels", f"< {bound:,}", f"{total:,}", f"{bound - total:,}", text))
    change = (shares["test (%)"] - shares["pool (%)"]).abs()
    if change.max() > 10:
        row, name = shares.loc[change.idxmax()], change.idxmax()
        numbers = (f"{row['pool (%)']:.1f} %", f"{row['test (%)']:.1f} %", f"{row['test (%)'] - row['pool (%)']:+.1f}")
        few = ", ".join(f"{n} {v:.1f} %" for n, v in shares["test (%)"].nsmallest(2).items())
        text = (
            f"Overall accuracy on test is mostly that of {name}; macro F1 weighs {few} by {100 / len(test):.1f} % each."
        )
        results.append(Inconsistency(f"Tables 2 and 3: share of {name}", *numbers, text))
    if max(size) > 2 * min(size):
        text = (
            f"Pool and test are labelled differently; a mean test polygon has {size[1] / paper.PATCH**2:.1f} patches."
        )
        numbers = (f"{size[0]:.0f}", f"{size[1]:.0f}", f"x {size[1] / size[0]:.1f}")
        results.append(Inconsistency("Tables 2 and 3: pixels of a polygon", *numbers, text))
    return results


def check_classes(
    validation: dict = TABLE_4["validation"][0], test: dict = TEST_ROWS, counts: dict[int, int] = paper.TABLE_3
) -> list[Inconsistency]:
    """Classes in which every model loses 0.3 of F1 or more between validation and test."""
    results = []
    for code in counts:
        lost = np.subtract(validation[code], test[code])
        if lost.min() >= 0.3:
            other = WOODLANDS.get(code)
            text = "Forests and networks lose alike. How do the labels of the two sets differ here? Open."
            if other:
                recall = exchange(test[code], test[other], counts[code], counts[other])[0]
                percent = ", ".join(f"{100 * value:.0f}" for value in recall)
                text += (
                    f" If confused with {paper.CLASSES[other]} only, its recall is {percent} % (models as in Table 4)."
                )
            ranges = [f"{np.min(values):.3f} to {np.max(values):.3f}" for values in (validation[code], test[code])]
            results.append(
                Inconsistency(f"Table 4: {paper.CLASSES[code]}", ranges[0], ranges[1], f"≥ {lost.min():.3f} lost", text)
            )
    return results


def check_costs(
    parameters: Sequence = paper.TABLE_4_PARAMETERS, training: Sequence[str] = paper.TABLE_4_TRAINING_MINUTES,
    inference: Sequence[int] = paper.TABLE_4_INFERENCE_MINUTES, reliability: Sequence = paper.TABLE_4_RELIABILITY,
) -> list[Inconsistency]:  # fmt: skip
    """Streams that do not add up, minutes that are the same for all models or no plain numbers, deviations not printed."""
    results, place = [], paper.MODELS.index
    whole, parts = parameters[place("SpatioTempCNN")], sum(parameters[place(name)] for name in STREAMS)
    if abs(whole - parts) > 1.5:  # three numbers, each rounded to a thousand
        text = f"Its streams are not {' and '.join(STREAMS)} as listed, so its score says nothing about their fusion."
        results.append(Inconsistency("Table 4: SpatioTempCNN", f"{whole} k", f"{parts} k", f"{whole - parts} k", text))
    sizes = [count for count in parameters if count]
    if len(set(inference)) == 1 and len(set(sizes)) > 1:
        rate = TILE_PIXELS**2 / inference[0] / 60
        text = "Equal for forests on CPU and networks on GPU, so no evidence on efficiency. Is reading the limit? Open."
        spread = f"x {max(sizes) / min(sizes):.1f} parameters"
        numbers = (f"{inference[0]} min for all", f"{rate:,.0f} pixels/s", spread)
        results.append(Inconsistency("Table 4, section 3.6: inference", *numbers, text))
    signed = [f"{value} ({name})" for name, value in zip(paper.MODELS, training, strict=True) if value.startswith("+")]
    if signed:
        text = "The sign can mean more than, or in addition to. Devices differ, so no ratio of training times follows."
        results.append(Inconsistency("Table 4: training (min)", ", ".join(signed), "", "", text))
    missing = [name for name, value in zip(paper.MODELS, reliability, strict=True) if value is None]
    if missing:
        text = "Forests are random too, but the spread of their trainings is not known."
        printed = f"{paper.TRAININGS} trainings for each model"
        results.append(Inconsistency("Section 3.5.2, Table 4", printed, f"NA for {', '.join(missing)}", "", text))
    impossible = reliability_table(reliability=reliability).query("~possible")
    for _, row in impossible.iterrows():
        numbers = (f"{row['mean']:.2f} ± {row['std']:.2f}", f"{row['best']:.3f}", f"{row['z']:.1f} std")
        text = "The Mean row cannot be the best of these trainings."
        results.append(Inconsistency(f"Table 4: {row['model']}", *numbers, text))
    return results


def check_data(
    dates: Sequence[str] = paper.DATES, brightness: Callable | None = None, side: float = TILE_KM
) -> list[Inconsistency]:
    """Dates that are not monthly or miss a month, a brightness index that ignores brightness, a rounded tile size."""
    days, results = np.diff(pd.to_datetime(list(dates)).values).astype("timedelta64[D]").astype(int), []
    months = len({date[:7] for date in dates})
    if days.min() < 28 or days.max() > 31:
        text = "Kernels and stacks treat the steps as equal; true intervals would have to come from the dates."
        numbers = ("monthly", f"{days.min()} to {days.max()} days", f"{days.max() - days.min()} days")
        results.append(Inconsistency(f"Table 1: before and after {dates[int(days.argmin()) + 1]}", *numbers, text))
    if months < 12:
        text = "A season without a date cannot help to separate classes; its effect is not reported."
        results.append(
            Inconsistency("Abstract: a year of monthly syntheses", "12", f"{months}", f"{months - 12}", text)
        )
    bands = np.array([[0.1, 0.2, 0.05], [0.3, 0.1, 0.08]])  # B4, B3
    index, doubled = ((brightness or _printed_brightness)(*values) for values in (bands, 2 * bands))
    if np.allclose(index, doubled):
        gap = np.abs(index - bands[0] / bands[1]).max()
        text = "Twice the reflectance gives the same index, so it measures colour, not brightness."
        results.append(Inconsistency("Equation 3: BI", "sqrt(B4²/B3²)", "|B4/B3|", f"{gap:.0e}", text))
    km = TILE_PIXELS / 100
    if abs(side - km) > 0.05:
        text = f"Rounded, by {100 * (side**2 / km**2 - 1):.1f} % of the area; without consequence."
        numbers = (f"{side} km", f"{km} km", f"{side - km:.1f} km")
        results.append(Inconsistency("Section 3.1: side of the tile", *numbers, text))
    return results


def _printed_brightness(b4: np.ndarray, b3: np.ndarray) -> np.ndarray:
    """The index BI of two bands, as the library computes it."""
    values = np.stack([b3, b4, np.zeros_like(b3)])[:, None]
    indices.write_indices(values, ("B3", "B4"), ("BI",), {"green": "B3", "red": "B4"})
    return values[-1, 0]


def inconsistencies(tolerance: float = 0.001) -> pd.DataFrame:
    """All inconsistencies of the paper as printed, one row each: the fields of `Inconsistency`."""
    checks = (check_claims, check_labels, check_classes, check_costs, check_data)
    rows = check_means(tolerance=tolerance) + [row for check in checks for row in check()]
    return pd.DataFrame(rows, columns=Inconsistency._fields)
