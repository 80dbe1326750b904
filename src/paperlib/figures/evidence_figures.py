"""Figures of comparisons: intervals, differences, verdicts on claims, fusion weights, recall by width, number of polygons.

Each function takes a table and returns a `Figure`. Items that differ by colour differ by marker too.
"""

import itertools
import textwrap

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.lines import Line2D

from .theme import WIDTH, Figure, model_styles, styled

#: Marker, colour and filling of each verdict.
VERDICTS = {
    "supported": ("o", "#0072b2", True),
    "not supported": ("X", "#d55e00", True),
    "undecided": ("s", "#7f7f7f", False),
}


@styled
def intervals_figure(table: pd.DataFrame) -> Figure:
    """Macro F1 on the test set with its 95 % interval, one row for each model, the best on top.

    `table` as `intervals.macro_f1_intervals` returns it.
    """
    table = table.sort_values("macro_f1")
    figure = Figure((WIDTH, 0.36 * len(table) + 0.8), layout="constrained")
    ax = figure.subplots()
    _bars(ax, table["macro_f1"], table["low"], table["high"], filled=[True] * len(table))
    ax.set_yticks(range(len(table)), table["model"])
    ax.set(xlabel="macro F1 on the test set (–), 95 % interval", ylim=(-0.6, len(table) - 0.4))
    best = table.iloc[-1]
    alt = f"Dots with bars: macro F1 of {len(table)} models with 95 % intervals; {best['model']} is highest, "
    return figure.describe(alt + f"{best['macro_f1']:.2f} ({best['low']:.2f} to {best['high']:.2f}).", table)


@styled
def differences_figure(table: pd.DataFrame) -> Figure:
    """Differences of macro F1 between pairs of models with 95 % intervals; dots are filled where settled.

    `table` as `intervals.differences` returns it.
    """
    table = table.sort_values("difference")
    figure = Figure((WIDTH, 0.28 * len(table) + 1.1), layout="constrained")
    ax = figure.subplots()
    _bars(ax, table["difference"], table["low"], table["high"], filled=table["settled"])
    ax.axvline(0, color="0.4", linewidth=0.8, zorder=1)  # above the grid, below the bars
    ax.set_yticks(
        range(len(table)),
        [f"{first} – {second}" for first, second in zip(table["first"], table["second"], strict=True)],
    )
    ax.set(xlabel="difference of macro F1 on the test set (–)", ylim=(-0.6, len(table) - 0.4))
    handles = [
        Line2D([], [], marker="o", color="#0072b2", label="settled"),
        Line2D([], [], marker="o", color="#0072b2", markerfacecolor="white", label="not settled"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    alt = f"Dots with bars: macro F1 differs between {int(table['settled'].sum())} of {len(table)} pairs of models."
    return figure.describe(alt, table)


def _bars(ax, values, low, high, filled) -> None:
    """Draw dots with horizontal bars, one row each; dots are hollow where not `filled`."""
    for row, (value, left, right, full) in enumerate(zip(values, low, high, filled, strict=True)):
        ax.plot([left, right], [row, row], color="#0072b2", linewidth=2, solid_capstyle="butt")
        ax.plot(value, row, "o", color="#0072b2", markerfacecolor="#0072b2" if full else "white", markersize=6)
    ax.grid(axis="x", color="0.93")
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0)


@styled
def claims_figure(table: pd.DataFrame) -> Figure:
    """The verdict on every claim, by colour and marker; `table` has the columns number, claim, verdict.

    A verdict is one of `VERDICTS`, which a reason may follow after a colon.
    """
    figure = Figure((WIDTH, 0.31 * len(table) + 0.5), layout="constrained")
    left, ax = figure.subplots(1, 2, sharey=True, width_ratios=(1.75, 1))
    columns = list(VERDICTS)
    for row, (number, claim, verdict) in enumerate(zip(table["number"], table["claim"], table["verdict"], strict=True)):
        left.text(0.04, row, number, ha="right", va="center", fontsize=8)
        left.text(0.06, row, textwrap.fill(claim, 70), va="center", fontsize=8, linespacing=1)
        name = verdict.split(":")[0]  # a reason may follow
        marker, colour, full = VERDICTS[name]
        filling = colour if full else "white"
        ax.axhline(row, color="0.93", linewidth=0.8, zorder=0)
        ax.plot(columns.index(name), row, marker, color=colour, markersize=8, markerfacecolor=filling)
    left.set_axis_off()
    ax.set_xticks(range(len(columns)), columns)
    ax.tick_params(length=0, left=False, labelleft=False, labeltop=True, labelbottom=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.set(xlim=(-0.6, len(columns) - 0.4), ylim=(len(table) - 0.4, -0.6))
    counts = table["verdict"].str.split(":").str[0].value_counts()
    verdicts = ", ".join(f"{number} {name}" for name, number in counts.items())
    return figure.describe(f"Chart of the verdict on each of {len(table)} claims: {verdicts}.", table)


@styled
def fusion_figure(table: pd.DataFrame) -> Figure:
    """Validation macro F1 against the weight of the temporal stream; `table` has the columns training, weight, macro_f1."""
    figure = Figure((WIDTH, 3.2), layout="constrained")
    ax = figure.subplots()
    palette = sns.color_palette("colorblind")
    for (name, part), colour, marker in zip(table.groupby("training"), palette, itertools.cycle("os^"), strict=False):
        ax.plot(part["weight"], part["macro_f1"], marker=marker, markersize=4, color=colour, label=name)
        best = part[part["macro_f1"] == part["macro_f1"].max()]
        best = best.iloc[(best["weight"] - 0.5).abs().argmin()]  # of equally good weights, the one nearest to one half
        ax.plot(best["weight"], best["macro_f1"], "*", markersize=13, color=colour, markeredgecolor="0.2")
    ax.set(xlabel="weight of the temporal stream (–)", ylabel="validation macro F1 (–)")
    ticks = np.linspace(0, 1, 6)
    ax.set_xticks(ticks, ["0\n3D stream alone", *(f"{tick:.1f}" for tick in ticks[1:-1]), "1\ntemporal stream alone"])
    ax.grid(color="0.93")
    handles, _ = ax.get_legend_handles_labels()
    handles.append(Line2D([], [], linestyle="", marker="*", markersize=10, color="0.5", label="best weight"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    alt = f"Lines: validation macro F1 by weight of the temporal stream, for {', '.join(table['training'].unique())}."
    return figure.describe(alt, table)


@styled
def recall_by_width_figure(tables: dict[str, pd.DataFrame]) -> Figure:
    """Recall against the width of true objects, one line for each model; tables as of `geometry.recall_by_width`."""
    figure = Figure((WIDTH, 3.6), layout="constrained")
    ax = figure.subplots()
    styles = model_styles(tables)
    for name, table in tables.items():
        ax.plot(range(len(table)), table["recall"], markersize=5, label=name, **styles[name])
    first = next(iter(tables.values()))
    ax.set_xticks(
        range(len(first)), [_width(*limits) for limits in zip(first["width_from"], first["width_to"], strict=True)]
    )
    ax.set(xlabel="width of the true object (pixels of 10 m)", ylabel="share of its pixels found (–)", ylim=(0, 1.02))
    ax.grid(color="0.93")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    alt = f"Lines: share of an object's pixels that is found, by width of the object, for {', '.join(tables)}."
    return figure.describe(alt, pd.concat(tables, names=["model"]).droplevel(1).reset_index())


def _width(start: float, stop: float) -> str:
    """Label of the widths from `start` to less than `stop`, in pixels."""
    if np.isinf(stop):
        return f"{start:g} or more"
    return f"{start:g}" if stop - start <= 1 else f"{start:g} to <{stop:g}"
