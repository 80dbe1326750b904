"""One function a chart of the book: data in, a `Figure` out; nothing is written and pyplot keeps no state.

Lines and dots of classes, channels and models differ by marker as well as by colour.
"""

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..features.samples import Samples
from ..nomenclature import LandCover, short_name
from .theme import CHANNELS, WIDTH, Figure, channel_line_style, class_line_style, date_axes, hide_unused, lowest, styled

UNITS = {"NDVI": "NDVI (–)", "NDWI": "NDWI (–)", "BI": "BI (–)"}  # any other channel is a reflectance
QUANTILES = (0.02, 0.25, 0.5, 0.75, 0.98)  # of the box charts: whiskers, quartiles, median


@styled
def availability_figure(scene: xr.DataArray) -> Figure:
    """Per cent of a scene's pixels (band, time, y, x) that are masked, by date."""
    share = 100 * scene["mask"].mean(("y", "x")).values
    figure = Figure((WIDTH, 2.4), layout="constrained")
    ax = figure.subplots()
    bars = ax.bar(range(len(share)), share, color="#6b7c93")
    ax.bar_label(bars, fmt="%.1f", padding=2, fontsize=8)
    ax.set_xticks(range(len(share)), scene.indexes["time"].strftime("%Y-%m-%d"), rotation=30, ha="right")
    ax.set(xlabel="date", ylabel="masked pixels (%)", ylim=(0, max(5, share.max() * 1.15)))
    table = pd.DataFrame({"date": scene.indexes["time"], "masked_percent": share})
    alt = f"Bars: share of masked pixels on {len(share)} dates, {share.min():.1f} to {share.max():.1f} per cent."
    return figure.describe(alt, table)


# -- series ------------------------------------------------------------------------------------------------------------


@styled
def series_figure(series: pd.DataFrame, channels: Sequence[str] = ("NDVI", "NDWI", "BI", "B12")) -> Figure:
    """Figure 7: mean of each class over time with one standard deviation around it, one panel a channel.

    `series` has the columns class_name, code, colour, channel, date, mean, std; channels that it lacks are left out,
    and where it has none of these its first four are drawn. Of one date alone the classes stand side by side.
    """
    held = list(series["channel"].unique())
    channels = [name for name in channels if name in held] or held[:4]
    columns = min(2, len(channels))
    rows = math.ceil(len(channels) / columns)
    figure = Figure((WIDTH, 2.7 * rows + 0.7), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, squeeze=False)
    legend, dates = _legend(series), series["date"].unique()
    for ax, channel in zip(axes.flat, channels, strict=False):
        for place, cover in enumerate(legend):
            curve = series[(series["channel"] == channel) & (series["code"] == cover.code)].sort_values("date")
            if len(dates) == 1:  # a band would have no width
                beside = curve["date"] + pd.Timedelta(days=place - (len(legend) - 1) / 2)
                ax.errorbar(beside, curve["mean"], curve["std"], **class_line_style(cover, place))
                continue
            low, high = curve["mean"] - curve["std"], curve["mean"] + curve["std"]
            ax.fill_between(curve["date"], low, high, color=cover.colour, alpha=0.2, linewidth=0)
            ax.plot(curve["date"], curve["mean"], **class_line_style(cover, place))
        ax.set_ylabel(UNITS.get(channel, f"{channel} reflectance (–)"))
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
    """Mean of every normalised channel over time, one panel a class.

    Parameters
    ----------
    series: as for `series_figure`, from normalised samples.
    classes: names of the classes to draw; those that `series` lacks are left out. Where it has none of them, as with
        another nomenclature, all of its classes are drawn.
    """
    held = [cover.name for cover in _legend(series)]
    classes = [name for name in classes if name in held] or held
    channels = [name for name in CHANNELS if name in set(series["channel"])]
    columns = min(3, len(classes))
    rows = math.ceil(len(classes) / columns)
    figure = Figure((WIDTH, 2.5 * rows + 0.7), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax, name in zip(axes.flat, classes, strict=False):
        for channel in channels:
            curve = series[(series["channel"] == channel) & (series["class_name"] == name)].sort_values("date")
            ax.plot(curve["date"], curve["mean"], **channel_line_style(channel))
        ax.set_title(name)
    for ax in axes[:, 0]:
        ax.set_ylabel("normalised value (–)")
    hide_unused(axes, len(classes))
    date_axes(axes, len(classes))
    handles = [Line2D([], [], label=channel, **channel_line_style(channel)) for channel in channels]
    figure.legend(handles=handles, loc="outside lower center", ncols=7)
    drawn = series[series["class_name"].isin(classes) & series["channel"].isin(channels)]
    alt = f"Lines: mean of {len(channels)} normalised channels by date, one panel for each of {', '.join(classes)}."
    return figure.describe(alt, drawn)


@styled
def indices_figure(samples: Samples, legend: tuple[LandCover, ...]) -> Figure:
    """Spectral indices of the labelled pixels of `samples` by class, all dates together.

    Box: quartiles and median; whiskers: 2nd and 98th percentile. The first bands where the scene's allow no index.
    """
    indices = [name for name in UNITS if name in samples.channels] or list(samples.channels[:3])
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
        ax.set_xlabel(UNITS.get(name, f"{name} reflectance (–)"))
        ax.grid(axis="x", color="0.9")
        ax.set_axisbelow(True)
    axes[0].set_yticks(range(len(legend)), [cover.name for cover in legend])
    axes[0].invert_yaxis()
    table = pd.DataFrame(drawn, columns=["index", "class_name", *(f"quantile_{share:g}" for share in QUANTILES)])
    return figure.describe(
        f"Box charts: {', '.join(indices)} of labelled pixels in each of {len(legend)} classes.", table
    )


# -- scores ------------------------------------------------------------------------------------------------------------


@styled
def learning_figure(history: pd.DataFrame) -> Figure:
    """Loss and macro F1 by epoch, one column a model, one line a training, its best epoch by macro F1 starred.

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
    """Confusion matrices by title, (class, class) pixels with the reference in rows.

    Colour: per cent of the reference's pixels; numbers: pixels, zeros left out. A class without reference stays white.
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


def _legend(series: pd.DataFrame) -> list[LandCover]:
    """The classes of a series, in its order."""
    classes = series[["code", "class_name", "colour"]].drop_duplicates()
    return [LandCover(*row) for row in classes.itertuples(index=False)]
