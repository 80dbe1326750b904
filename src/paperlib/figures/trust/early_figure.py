"""Scores against the last date that a classifier knows."""

import numpy as np
import pandas as pd

from ...nomenclature import LandCover
from ..theme import WIDTH, Figure, class_line_style, date_axes, styled

COLOURS = ("#4477aa", "#cc6677", "#117733", "#aa4499", "#999933")


@styled
def early_figure(scores: pd.DataFrame, earliest: pd.DataFrame, legend: tuple[LandCover, ...]) -> Figure:
    """Macro F1 of each classifier against its last date, with intervals, and F1 of each class by the first classifier.

    `scores` and `earliest` as of `labelling.early.Early`. A ring marks the earliest date near the whole season.
    """
    names = list(scores["classifier"].unique())
    figure = Figure((WIDTH, 3.6), layout="constrained")
    axes = figure.subplots(1, 2, squeeze=False, sharey=True)
    first, second = axes[0]
    for name, colour in zip(names, COLOURS, strict=False):
        curve = scores[(scores["classifier"] == name) & (scores["score"] == "macro F1")]
        dates = pd.to_datetime(curve["date"])
        first.plot(dates, curve["estimate"], color=colour, marker="o", markersize=3, label=name)
        first.fill_between(dates, curve["low"], curve["high"], color=colour, alpha=0.18, linewidth=0)
        row = earliest[(earliest["classifier"] == name) & (earliest["score"] == "macro F1")].iloc[0]
        first.plot(
            pd.to_datetime([row["earliest"]]), [row["estimate"]], "o", markersize=10, markerfacecolor="none",
            markeredgecolor=colour, markeredgewidth=1.5,
        )  # fmt: skip
    first.set(title="macro F1, with 95 % intervals", ylabel="score")
    first.legend(loc="lower right")
    for place, cover in enumerate(legend):
        curve = scores[(scores["classifier"] == names[0]) & (scores["score"] == f"F1 {cover.name}")]
        second.plot(
            pd.to_datetime(curve["date"]), curve["estimate"], **class_line_style(cover, place), label=cover.name
        )
    second.set(title=f"F1 of each class, {names[0]}")
    second.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    first.set_ylim(0, 1)
    date_axes(axes, 2)
    for ax in axes.flat:
        ax.set_xlabel("last date available")
    row = earliest[earliest["score"] == "macro F1"].iloc[0]
    return figure.describe(
        f"Macro F1 and F1 of each class against the last date available; {names[0]} is within 0.02 of the whole season "
        f"from {row['earliest']} on.",
        scores[np.isin(scores["score"], ["macro F1", *(f"F1 {cover.name}" for cover in legend)])],
    )
