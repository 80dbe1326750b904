"""Figures of trainings and their scores: learning curves, confusion matrices, F1 by class.

Each function returns a `Figure` and leaves pyplot alone. Models differ by marker as well as by colour.
"""

import math
import textwrap
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..evaluation.scores import chosen_scores
from ..models.registry import CLASSIFIERS
from ..nomenclature import LandCover, short_name
from .theme import WIDTH, Figure, hide_unused, lowest, model_styles, styled

#: Markers of scores by source.
SOURCES: Any = {"printed": {"markerfacecolor": "white"}, "ours": {"markeredgecolor": "0.2", "markeredgewidth": 0.4}}


@styled
def learning_figure(history: pd.DataFrame) -> Figure:
    """Loss and macro F1 by epoch, one column for each model and one line for each training; a star marks the best epoch.

    `history` has the columns model, training, epoch, training_loss, loss (validation), macro_f1 (validation).
    """
    names = list(history["model"].unique())
    figure = Figure((max(4, WIDTH * min(1, len(names) / 3)), 4.2), layout="constrained")
    axes = figure.subplots(2, len(names), sharex=True, sharey="row", squeeze=False)
    numbers = sorted(history["training"].unique())
    colours = dict(zip(numbers, sns.color_palette("colorblind", len(numbers)), strict=True))
    for (top, bottom), name in zip(axes.T, names, strict=True):
        for number, run in history[history["model"] == name].groupby("training"):
            colour = colours[number]
            top.plot(run["epoch"], run["training_loss"], linestyle=":", color=colour)
            top.plot(run["epoch"], run["loss"], color=colour)
            bottom.plot(run["epoch"], run["macro_f1"], color=colour)
            best = run.loc[run["macro_f1"].idxmax()]
            bottom.plot(
                best["epoch"], best["macro_f1"], marker="*", markersize=11, color=colour, markeredgecolor="black"
            )
        top.set_title(name)
        bottom.set_xlabel("epoch")
        bottom.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes[0, 0].set_ylim(bottom=0)
    axes[0, 0].set_ylabel("cross entropy (nat)")
    axes[1, 0].set_ylabel("validation macro F1 (–)")
    handles = [Line2D([], [], color=colours[number], label=f"training {number}") for number in numbers]
    handles += [
        Line2D([], [], color="0.4", linestyle=":", label="training loss"),
        Line2D([], [], color="0.4", label="validation"),
        Line2D(
            [], [], color="0.4", linestyle="", marker="*", markersize=9, markeredgecolor="black", label="best epoch"
        ),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3 if len(names) < 3 else 6)
    alt = f"Lines: training loss, validation loss and validation macro F1 by epoch, for {', '.join(names)}."
    return figure.describe(alt, history)


@styled
def confusion_figure(confusions: dict[str, np.ndarray], legend: tuple[LandCover, ...]) -> Figure:
    """Confusion matrices in pixels, (reference class, predicted class), by title.

    Colours are per cent of the pixels of the reference class, white without any. Numbers are pixels; zeros are left out.
    """
    columns = min(2, len(confusions))
    rows = math.ceil(len(confusions) / columns)
    figure = Figure((4.7 if columns == 1 else WIDTH, 3.75 * rows + 1.3), layout="compressed")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    labels = [textwrap.shorten(short_name(cover.name), 18, placeholder="…") for cover in legend]
    for ax, (title, pixels) in zip(axes.flat, confusions.items(), strict=False):
        total = pixels.sum(axis=1, keepdims=True)
        share = np.divide(100 * pixels, total, out=np.full(pixels.shape, np.nan), where=total > 0)
        text = np.where(pixels > 0, pixels.astype(str), "")
        sns.heatmap(
            share, ax=ax, vmin=0, vmax=100, cmap="Blues", annot=text, fmt="", annot_kws={"size": 6.2}, cbar=False,
            square=True, linewidths=0.5, linecolor="0.85", xticklabels=labels, yticklabels=labels,
        )  # fmt: skip
        ax.set_title(title)
        ax.tick_params(length=0)
    hide_unused(axes, len(confusions))
    for ax in axes[:, 0]:
        ax.set_ylabel("reference")
        ax.tick_params(axis="y", rotation=0)
    for ax in lowest(axes, len(confusions)):
        ax.set_xlabel("predicted")
        ax.tick_params(axis="x", labelbottom=True)
        ax.set_xticks(ax.get_xticks(), labels, rotation=45, ha="right", rotation_mode="anchor")
    figure.colorbar(
        axes[0, 0].collections[0], ax=axes, location="bottom", label="share of the reference (%)", shrink=0.5, aspect=40
    )
    names = [cover.name for cover in legend]
    frames = [
        pd.DataFrame(pixels, index=names, columns=names)
        .stack().rename("pixels").rename_axis(["reference", "predicted"]).reset_index().assign(model=title)
        for title, pixels in confusions.items()
    ]  # fmt: skip
    alt = f"Confusion matrices of {', '.join(confusions)}: pixels of each reference class by predicted class."
    return figure.describe(alt, pd.concat(frames))


@styled
def scores_figure(
    results: pd.DataFrame,
    trainings: pd.DataFrame,
    legend: tuple[LandCover, ...],
    printed: pd.DataFrame | None = None,
) -> Figure:
    """F1 of each class and their mean on validation and test, one dot for the chosen training of each model.

    Parameters
    ----------
    results, trainings, legend: see `scores_table`.
    printed: published scores, drawn as hollow dots: columns set, model, class_name (of a class or "Mean"), f1. Its classes
        come first.
    """
    class_names = {cover.code: cover.name for cover in legend}
    scores = chosen_scores(results, trainings)
    scores = scores.assign(class_name=scores["code"].map(class_names))
    means = scores.groupby(["set", "model"], as_index=False)["f1"].mean().assign(class_name="Mean")
    ours = pd.concat([scores, means]).assign(source="ours")
    table = ours if printed is None else pd.concat([printed.assign(source="printed"), ours])
    table = table.dropna(subset="f1")[["set", "model", "source", "class_name", "f1"]].reset_index(drop=True)
    labels = [name for name in dict.fromkeys([*table["class_name"], *class_names.values()]) if name != "Mean"] + [
        "Mean"
    ]
    names = sorted(table["model"].unique(), key=[*CLASSIFIERS, *table["model"].unique()].index)
    styles = model_styles(names)
    figure = Figure((WIDTH, 0.55 * len(labels) + 1.3), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True, sharex=True)
    for ax, part in zip(axes, ("validation", "test"), strict=True):
        for number, name in enumerate(names):
            heights = pd.Series(np.arange(len(labels)) + 0.7 * ((number + 0.5) / len(names) - 0.5), labels)
            style = {"linestyle": "", "markersize": 5, **styles[name]}
            own = table[(table["set"] == part) & (table["model"] == name)]
            for source, dots in own.groupby("source", sort=False):
                ax.plot(dots["f1"], heights[dots["class_name"]], **style, **SOURCES[source])
        for line in np.arange(len(labels) - 1) + 0.5:
            ax.axhline(line, color="0.5" if line > len(labels) - 2 else "0.9", linewidth=0.8, zorder=0)
        ax.grid(axis="x", color="0.93")
        ax.set(title=part, xlabel="F1 (–)", xlim=(-0.03, 1.03), ylim=(len(labels) - 0.5, -0.5))
    axes[0].set_yticks(range(len(labels)), labels)
    handles = [Line2D([], [], linestyle="", label=name, **styles[name]) for name in names]
    if printed is not None:
        handles += [
            Line2D([], [], linestyle="", marker="o", color="0.3", label="ours"),
            Line2D([], [], linestyle="", marker="o", color="0.3", markerfacecolor="white", label="as printed"),
        ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4))
    alt = f"Dots: F1 of each class and their mean on validation and test, for {', '.join(names)}."
    return figure.describe(alt, table)
