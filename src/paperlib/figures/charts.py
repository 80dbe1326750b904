"""Charts of time series and indices by class; each function returns a `Figure` and leaves pyplot alone.

Lines of classes and channels differ by marker as well as by colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from ..features.indices import INDICES
from ..nomenclature import LandCover
from .theme import (
    CHANNELS,
    WIDTH,
    Figure,
    channel_label,
    channel_line_styles,
    class_line_style,
    date_axes,
    hide_unused,
    styled,
)

if TYPE_CHECKING:  # torch comes with it
    from ..features.samples import Samples

#: Quantiles of the box charts: lower whisker, quartiles with the median between them, upper whisker.
QUANTILES = (0.02, 0.25, 0.5, 0.75, 0.98)


@styled
def series_figure(series: pd.DataFrame, channels: Sequence[str] = ("NDVI", "NDWI", "BI", "B12")) -> Figure:
    """Mean of each class over time with one standard deviation around it, one panel for each channel.

    Parameters
    ----------
    series: columns class_name, code, colour, channel, date, mean, std. With a single date, classes are drawn side by side.
    channels: those that `series` lacks are left out; where it has none of them, its first four channels are drawn.
    """
    available = list(series["channel"].unique())
    channels = [name for name in channels if name in available] or available[:4]
    columns = min(2, len(channels))
    rows = math.ceil(len(channels) / columns)
    figure = Figure((WIDTH, 2.7 * rows + 0.7), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, squeeze=False)
    legend, dates = _legend(series), series["date"].unique()
    for ax, channel in zip(axes.flat, channels, strict=False):
        for place, cover in enumerate(legend):
            curve = series[(series["channel"] == channel) & (series["code"] == cover.code)].sort_values("date")
            if len(dates) == 1:  # a filled band would have no width
                beside = curve["date"] + pd.Timedelta(days=place - (len(legend) - 1) / 2)
                ax.errorbar(beside, curve["mean"], curve["std"], **class_line_style(cover, place))
                continue
            low, high = curve["mean"] - curve["std"], curve["mean"] + curve["std"]
            ax.fill_between(curve["date"], low, high, color=cover.colour, alpha=0.2, linewidth=0)
            ax.plot(curve["date"], curve["mean"], **class_line_style(cover, place))
        ax.set_ylabel(channel_label(channel))
    hide_unused(axes, len(channels))
    date_axes(axes, len(channels))
    if len(dates) == 1:
        axes.flat[0].set_xticks(dates, [f"{dates[0]:%Y-%m-%d}"])
    handles = [Line2D([], [], label=cover.name, **class_line_style(cover, place)) for place, cover in enumerate(legend)]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    alt = f"Lines: mean and standard deviation of {', '.join(channels)} by date, for {len(legend)} land cover classes."
    return figure.describe(alt, series[series["channel"].isin(channels)])


@styled
def features_figure(series: pd.DataFrame, classes: Sequence[str] = ()) -> Figure:
    """Mean of every normalised channel over time, one panel for each class.

    Parameters
    ----------
    series: as for `series_figure`, from normalised samples.
    classes: names of the classes to draw; those that `series` lacks are left out. Where it has none of them, as with
        another nomenclature, all of its classes are drawn.
    """
    available = [cover.name for cover in _legend(series)]
    classes = [name for name in classes if name in available] or available
    held = list(dict.fromkeys(series["channel"]))
    channels = sorted(held, key=lambda name: list(CHANNELS).index(name) if name in CHANNELS else len(CHANNELS))
    styles = channel_line_styles(channels)
    columns = min(3, len(classes))
    rows = math.ceil(len(classes) / columns)
    figure = Figure((WIDTH, 2.5 * rows + 0.7), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax, name in zip(axes.flat, classes, strict=False):
        for channel in channels:
            curve = series[(series["channel"] == channel) & (series["class_name"] == name)].sort_values("date")
            ax.plot(curve["date"], curve["mean"], **styles[channel])
        ax.set_title(name)
    for ax in axes[:, 0]:
        ax.set_ylabel("normalised value (–)")
    hide_unused(axes, len(classes))
    date_axes(axes, len(classes))
    handles = [Line2D([], [], label=channel, **styles[channel]) for channel in channels]
    figure.legend(handles=handles, loc="outside lower center", ncols=7)
    drawn = series[series["class_name"].isin(classes) & series["channel"].isin(channels)]
    alt = f"Lines: mean of {len(channels)} normalised channels by date, one panel for each of {', '.join(classes)}."
    return figure.describe(alt, drawn)


@styled
def indices_figure(samples: Samples, legend: tuple[LandCover, ...]) -> Figure:
    """Box charts of the spectral indices of the labelled pixels by class, all dates together.

    Boxes are quartiles and median, whiskers the 2nd and 98th percentile. Samples without indices show their first three
    channels.
    """
    indices = [name for name in INDICES if name in samples.channels] or list(samples.channels[:3])
    figure = Figure((WIDTH, 0.3 * len(legend) + 1), layout="constrained")
    axes = figure.subplots(1, len(indices), sharey=True, squeeze=False)[0]
    label = samples.label.numpy()
    drawn = []
    for ax, name in zip(axes, indices, strict=True):
        values = np.moveaxis(samples.x[:, samples.channels.index(name)].numpy(), 1, -1)  # (sample, y, x, date)
        groups = [values[label == index].ravel() for index in range(len(legend))]
        boxes = ax.boxplot(
            [group[~np.isnan(group)] for group in groups], orientation="horizontal", whis=(2, 98), showfliers=False,
            patch_artist=True, widths=0.65, positions=range(len(legend)), manage_ticks=False,
            medianprops={"color": "black", "linewidth": 1.2},
        )  # fmt: skip
        for box, cover, group in zip(boxes["boxes"], legend, groups, strict=True):
            box.set_facecolor(cover.colour)
            shares = np.nanquantile(group, QUANTILES) if len(group) else [np.nan] * len(QUANTILES)
            drawn.append((name, cover.name, *shares))
        ax.set_xlabel(channel_label(name))
        ax.grid(axis="x", color="0.9")
        ax.set_axisbelow(True)
    axes[0].set_yticks(range(len(legend)), [cover.name for cover in legend])
    axes[0].invert_yaxis()
    table = pd.DataFrame(drawn, columns=["index", "class_name", *(f"quantile_{share:g}" for share in QUANTILES)])
    return figure.describe(
        f"Box charts: {', '.join(indices)} of labelled pixels in each of {len(legend)} classes.", table
    )


def _legend(series: pd.DataFrame) -> list[LandCover]:
    """Classes of a series, in its order."""
    classes = series[["code", "class_name", "colour"]].drop_duplicates()
    return [LandCover(*row) for row in classes.itertuples(index=False)]
