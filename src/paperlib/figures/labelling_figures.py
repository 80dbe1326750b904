"""Figures that help to label: the series of one polygon beside those of classes, and chips of an image."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..nomenclature import LandCover
from .theme import WIDTH, Figure, channel_label, date_axes, styled


@styled
def evidence_figure(
    compared: pd.DataFrame, channels: Sequence[str], own: LandCover, other: LandCover, title: str = ""
) -> Figure:
    """A polygon's series beside the typical ones of its class and of the class it looks like, one panel for each channel.

    `compared`: columns channel, date, value, own, own_spread, other, other_spread; see `labelling.suspects`.
    """
    figure = Figure((WIDTH, 2.6), layout="constrained")
    axes = figure.subplots(1, len(channels), squeeze=False)
    for ax, channel in zip(axes.flat, channels, strict=True):
        curve = compared[compared["channel"] == channel]
        dates = pd.to_datetime(curve["date"])
        for cover, name, line in ((own, "own", "-"), (other, "other", "--")):
            low, high = (curve[name] + sign * curve[f"{name}_spread"] for sign in (-1, 1))
            ax.fill_between(dates, low, high, color=cover.colour, alpha=0.35, linewidth=0)
            ax.plot(dates, curve[name], line, color=cover.colour, linewidth=2, label=cover.name)
        ax.plot(dates, curve["value"], color="black", marker="o", markersize=3.5, linewidth=1.2, label="this polygon")
        ax.set_ylabel(channel_label(channel))
    date_axes(axes, len(channels))
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3, title=title or None)
    return figure.describe(
        f"Series of a polygon labelled {own.name} that looks like {other.name}, in {', '.join(channels)}.",
        compared[compared["channel"].isin(list(channels))],
    )


@styled
def chips_figure(chips: Sequence[np.ndarray], titles: Sequence[str], outline: tuple[int, int, int, int]) -> Figure:
    """Small images (y, x, 3) side by side, each with the outline of a place.

    `titles`: one for each chip. `outline`: first and last row, first and last column of the place within a chip.
    """
    figure = Figure((2.1 * len(chips), 2.4), layout="constrained")
    top, bottom, left, right = (value - 0.5 for value in outline)
    for ax, chip, title in zip(figure.subplots(1, len(chips), squeeze=False).flat, chips, titles, strict=True):
        ax.imshow(chip, interpolation="nearest")
        ax.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color="#ff00ff", linewidth=1.5)
        ax.set_title(title)
        ax.set_axis_off()
    return figure.describe(f"The place to label, outlined, and its surroundings, on {', '.join(titles)}.")
