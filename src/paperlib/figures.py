"""One function a figure of the book: data in, a `Figure` out; nothing is written and pyplot keeps no state.

Lines and dots of classes, channels and models differ by marker as well as by colour.
"""

import itertools
import math
import string
from collections.abc import Iterable, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from . import paper
from .drawing import (
    CHANNELS,
    COMPOSITES,
    COVERS,
    WIDTH,
    Figure,
    channel_line,
    class_handles,
    class_line,
    colours_of,
    composite,
    cut,
    date_axes,
    extent,
    hide_unused,
    km_axes,
    lowest,
    map_grid,
    show_confidence,
    styled,
    thin,
)
from .errors import InputError
from .paper import LandCover
from .samples import Samples
from .tables import chosen_scores

SETS = {"train": "o", "validation": "s", "test": "^"}
UNITS = {"NDVI": "NDVI (–)", "NDWI": "NDWI (–)", "BI": "BI (–)"}  # any other channel is a reflectance
SHORT = {
    1: "Built up", 2: "Needle-leaved", 3: "Broad-leaved", 5: "Shrubland", 6: "Permanent h.", 7: "Periodical h.",
    10: "Non-vegetated", 11: "Water",
}  # fmt: skip

#: Figure 8: the five classes that the text of section 3.4.2 discusses, and the other woodland.
FIGURE_8_CLASSES = tuple(COVERS[code].name for code in (1, 2, 3, 5, 6, 7))


# -- images ------------------------------------------------------------------------------------------------------------


@styled
def scene_figure(
    scene: xr.DataArray, dates: Sequence[str] | None = None, polygons: gpd.GeoDataFrame | None = None
) -> Figure:
    """Small multiples of a scene (band, time, y, x): true colour and near infrared false colour by date.

    The stretch (1st to 99th percentile of unmasked pixels) is common to all dates. `dates` default to four spread over
    the series; `polygons` are outlined. Raises `InputError` for a date or bands that the scene lacks.
    """
    scene = thin(_at(scene, dates))
    composites = _composites(scene)
    if not composites:
        raise InputError(f"The scene has bands {', '.join(scene['band'].values)}; a picture needs B4, B3 and B2 or B8.")
    columns = scene.sizes["time"]
    width = WIDTH if columns > 1 else 5
    height = (width - 1) / columns * scene.sizes["y"] / scene.sizes["x"]
    figure = Figure((width, len(composites) * (height + 0.15) + 0.7), layout="compressed")
    axes = figure.subplots(len(composites), columns, sharex=True, sharey=True, squeeze=False)
    for number, bands in enumerate(composites.values()):
        for ax, image, date in zip(axes[number], composite(scene, bands), scene.indexes["time"], strict=True):
            ax.imshow(image, extent=extent(scene), interpolation="nearest")
            if polygons is not None:
                polygons.boundary.plot(ax=ax, color="#00e5ff", linewidth=0.7)
            ax.set_title(f"{date:%Y-%m-%d}" if number == 0 else "")
    km_axes(axes)
    for ax, (name, bands) in zip(axes[:, 0], composites.items(), strict=True):
        ax.set_ylabel(f"{name} ({', '.join(bands)})\nnorthing (km)")
    return figure


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
    return figure


@styled
def split_figure(polygons: gpd.GeoDataFrame, bounds: tuple[float, float, float, float]) -> Figure:
    """Where the polygons of each set lie: class by colour, set by marker.

    `bounds` (left, bottom, right, top) of the scene in metres.
    """
    left, bottom, right, top = bounds
    side = 5.0  # inches, of the map beside its legend
    figure = Figure((WIDTH, side * min(1.4, (top - bottom) / (right - left)) + 0.5), layout="compressed")
    ax = figure.subplots()
    polygons.plot(ax=ax, color=[COVERS[code].colour for code in polygons["code"]], edgecolor="0.3", linewidth=0.4)
    for name, marker in SETS.items():
        part = polygons[polygons["set"] == name]
        centre = part.geometry.representative_point()
        ax.scatter(
            centre.x, centre.y, s=26, marker=marker, c=[COVERS[code].colour for code in part["code"]],
            edgecolors="black", linewidths=1.4 if name == "test" else 0.7, zorder=3,
        )  # fmt: skip
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    km_axes(np.array([[ax]]))
    handles = [
        Line2D([], [], linestyle="", marker=marker, color="white", markeredgecolor="black", label=f"{name} ({n})")
        for name, marker in SETS.items()
        if (n := int((polygons["set"] == name).sum()))
    ]
    figure.legend(handles=handles + class_handles(paper.legend(polygons["code"])), loc="outside right center")
    return figure


@styled
def maps_figure(
    maps: dict[str, np.ndarray | xr.DataArray], scene: xr.DataArray, legend: tuple[LandCover, ...]
) -> Figure:
    """Figure 9: the window `scene` (band, time, y, x) in colour, and what each map says of it.

    Parameters
    ----------
    maps: by title, uint8 class codes (y, x), 0 where there is none, or an RGB image (y, x, 3) in 0..1. A DataArray is
        cut to the window by its coordinates; an array has the window's shape.
    legend: the classes of the maps.
    """
    window = thin(scene)
    middle = window.isel(time=[window.sizes["time"] // 2])
    date = middle.indexes["time"][0]
    first = list(_composites(scene).items())[:1]  # none where the bands for it lack
    panels = {f"{name}, {date:%Y-%m-%d}": composite(middle, bands)[0] for name, bands in first}
    panels |= {title: cut(image, scene, window) for title, image in maps.items()}
    figure, axes = map_grid(len(panels), window.sizes["y"] / window.sizes["x"])
    for letter, ax, (title, image) in zip(string.ascii_lowercase, axes.flat, panels.items(), strict=False):
        ax.imshow(
            colours_of(image, legend) if image.ndim == 2 else image, extent=extent(window), interpolation="nearest"
        )
        ax.set_title(f"({letter}) {title}")
    km_axes(axes)
    gaps = any(image.ndim == 2 and (image == 0).any() for image in panels.values())
    handles = class_handles(legend) + ([Patch(facecolor="white", edgecolor="0.4", label="no data")] if gaps else [])
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


@styled
def confidence_figure(confidences: dict[str, xr.DataArray]) -> Figure:
    """Confidence maps by title: per cent (y, x), 255 where there is none; one colour scale for all."""
    images = {title: thin(image) for title, image in confidences.items()}
    first = next(iter(images.values()))
    figure, axes = map_grid(len(images), first.sizes["y"] / first.sizes["x"], beside=1.8, below=0.4)
    for ax, (title, image) in zip(axes.flat, images.items(), strict=False):
        drawn = show_confidence(ax, image)
        ax.set_title(title)
    km_axes(axes)
    figure.colorbar(drawn, ax=axes, label="confidence (%)", shrink=0.8)
    return figure


@styled
def whole_map_figure(classes: xr.DataArray, confidence: xr.DataArray, legend: tuple[LandCover, ...]) -> Figure:
    """A whole map (y, x) of class codes, 0 where there is none, beside its confidence in per cent, 255 where none."""
    classes, confidence = thin(classes), thin(confidence)
    figure = Figure((WIDTH, 3.2 * classes.sizes["y"] / classes.sizes["x"] + 1.2), layout="compressed")
    axes = figure.subplots(1, 2, sharex=True, sharey=True, squeeze=False)
    axes[0, 0].imshow(colours_of(classes.values, legend), extent=extent(classes), interpolation="nearest")
    axes[0, 0].set_title("class")
    axes[0, 1].set_title("confidence")
    figure.colorbar(show_confidence(axes[0, 1], confidence), ax=axes[0, 1], label="confidence (%)", shrink=0.8)
    km_axes(axes)
    figure.legend(handles=class_handles(legend), loc="outside lower center", ncols=4)
    return figure


# -- series ------------------------------------------------------------------------------------------------------------


@styled
def series_figure(series: pd.DataFrame, channels: Sequence[str] = ("NDVI", "NDWI", "BI", "B12")) -> Figure:
    """Figure 7: mean of each class over time with one standard deviation around it, one panel a channel.

    `series` has the columns class_name, code, channel, date, mean, std; channels that it lacks are left out.
    """
    channels = _present(channels, set(series["channel"]), "channels")
    columns = min(2, len(channels))
    rows = math.ceil(len(channels) / columns)
    figure = Figure((WIDTH, 2.7 * rows + 0.7), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, squeeze=False)
    legend = paper.legend(series["code"])
    for ax, channel in zip(axes.flat, channels, strict=False):
        for cover in legend:
            curve = series[(series["channel"] == channel) & (series["code"] == cover.code)].sort_values("date")
            ax.fill_between(
                curve["date"], curve["mean"] - curve["std"], curve["mean"] + curve["std"],
                color=cover.colour, alpha=0.2, linewidth=0,
            )  # fmt: skip
            ax.plot(curve["date"], curve["mean"], **class_line(cover))
        ax.set_ylabel(UNITS.get(channel, f"{channel} reflectance (–)"))
    hide_unused(axes, len(channels))
    date_axes(axes, len(channels))
    handles = [Line2D([], [], label=cover.name, **class_line(cover)) for cover in legend]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


@styled
def features_figure(series: pd.DataFrame, classes: Sequence[str] = FIGURE_8_CLASSES) -> Figure:
    """Figure 8: mean of every normalised channel over time, one panel a class.

    `series` as for `series_figure`, from normalised samples; classes that it lacks are left out.
    """
    classes = _present(classes, set(series["class_name"]), "classes")
    channels = [name for name in CHANNELS if name in set(series["channel"])]
    columns = min(3, len(classes))
    rows = math.ceil(len(classes) / columns)
    figure = Figure((WIDTH, 2.5 * rows + 0.7), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax, name in zip(axes.flat, classes, strict=False):
        for channel in channels:
            curve = series[(series["channel"] == channel) & (series["class_name"] == name)].sort_values("date")
            ax.plot(curve["date"], curve["mean"], **channel_line(channel))
        ax.set_title(name)
    for ax in axes[:, 0]:
        ax.set_ylabel("normalised value (–)")
    hide_unused(axes, len(classes))
    date_axes(axes, len(classes))
    handles = [Line2D([], [], label=channel, **channel_line(channel)) for channel in channels]
    figure.legend(handles=handles, loc="outside lower center", ncols=7)
    return figure


@styled
def indices_figure(samples: Samples, legend: tuple[LandCover, ...]) -> Figure:
    """Spectral indices of the labelled pixels of `samples` by class, all dates together.

    Box: quartiles and median; whiskers: 2nd and 98th percentile.
    """
    indices = _present(UNITS, set(samples.channels), "channels")
    figure = Figure((WIDTH, 0.3 * len(legend) + 1), layout="constrained")
    axes = figure.subplots(1, len(indices), sharey=True, squeeze=False)[0]
    label = samples.label.numpy()
    for ax, name in zip(axes, indices, strict=True):
        values = np.moveaxis(samples.x[:, samples.channels.index(name)].numpy(), 1, -1)  # (sample, y, x, date)
        groups = [values[label == index].ravel() for index in range(len(legend))]
        boxes = ax.boxplot(
            [group[~np.isnan(group)] for group in groups], orientation="horizontal", whis=(2, 98), showfliers=False,
            patch_artist=True, widths=0.65, positions=range(len(legend)), manage_ticks=False,
            medianprops={"color": "black", "linewidth": 1.2},
        )  # fmt: skip
        for box, cover in zip(boxes["boxes"], legend, strict=True):
            box.set_facecolor(cover.colour)
        ax.set_xlabel(UNITS[name])
        ax.grid(axis="x", color="0.9")
        ax.set_axisbelow(True)
    axes[0].set_yticks(range(len(legend)), [cover.name for cover in legend])
    axes[0].invert_yaxis()
    return figure


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
    return figure


@styled
def confusion_figure(confusions: dict[str, np.ndarray], legend: tuple[LandCover, ...]) -> Figure:
    """Confusion matrices by title, (class, class) pixels with the reference in rows.

    Colour: per cent of the reference's pixels; numbers: pixels, zeros left out. A class without reference stays white.
    """
    columns = min(2, len(confusions))
    rows = math.ceil(len(confusions) / columns)
    figure = Figure((4.7 if columns == 1 else WIDTH, 3.75 * rows + 1.3), layout="compressed")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    labels = [SHORT[cover.code] for cover in legend]
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
    return figure


@styled
def scores_figure(
    results: pd.DataFrame, trainings: pd.DataFrame, legend: tuple[LandCover, ...], printed: bool = True
) -> Figure:
    """Table 4 as dots: class F1 and mean of each model's chosen training (filled) beside the printed ones (hollow).

    Parameters are those of `tables.table_4`.
    """
    scores = chosen_scores(results, trainings)
    known = [name for name in paper.MODELS if printed or name in set(scores["model"])]
    names = known + [name for name in scores["model"].unique() if name not in known]
    order = [*paper.MODELS, *(name for name in names if name not in paper.MODELS)]  # a model looks the same everywhere
    palette = dict(zip(order, sns.color_palette("colorblind", len(order)), strict=True))
    markers = dict(zip(order, itertools.cycle("osD^vPX*<>")))
    covers = paper.CLASSES if printed else legend
    figure = Figure((WIDTH, 0.55 * (len(covers) + 1) + 1.3), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True, sharex=True)
    facts = {
        "validation": (paper.TABLE_4_VALIDATION, paper.TABLE_4_VALIDATION_MEAN),
        "test": (paper.TABLE_4_TEST, paper.TABLE_4_TEST_MEAN),
    }
    for ax, (part, (rows, means)) in zip(axes, facts.items(), strict=True):
        for number, name in enumerate(names):
            height = np.arange(len(covers) + 1) + 0.7 * ((number + 0.5) / len(names) - 0.5)
            look = {"marker": markers[name], "linestyle": "", "color": palette[name], "markersize": 5}
            if printed and name in paper.MODELS:
                place = paper.MODELS.index(name)
                f1 = [rows[cover.code][place] for cover in covers] + [means[place]]
                ax.plot(f1, height, **look, markerfacecolor="white")
            mine = scores[(scores["model"] == name) & (scores["set"] == part)].set_index("code")["f1"]
            mine = mine.reindex([cover.code for cover in covers])
            ax.plot([*mine, mine.mean()], height, **look, markeredgecolor="0.2", markeredgewidth=0.4)
        for line in np.arange(len(covers)) + 0.5:
            ax.axhline(line, color="0.5" if line > len(covers) - 1 else "0.9", linewidth=0.8, zorder=0)
        ax.grid(axis="x", color="0.93")
        ax.set(title=part, xlabel="F1 (–)", xlim=(-0.03, 1.03), ylim=(len(covers) + 0.5, -0.5))
    axes[0].set_yticks(range(len(covers) + 1), [cover.name for cover in covers] + ["Mean"])
    handles = [Line2D([], [], linestyle="", marker=markers[name], color=palette[name], label=name) for name in names]
    if printed:
        handles += [
            Line2D([], [], linestyle="", marker="o", color="0.3", label="ours"),
            Line2D([], [], linestyle="", marker="o", color="0.3", markerfacecolor="white", label="as printed"),
        ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4))
    return figure


def _composites(scene: xr.DataArray) -> dict[str, tuple[str, ...]]:
    """The colour composites that the bands of a scene allow."""
    return {name: bands for name, bands in COMPOSITES.items() if set(bands) <= set(scene["band"].values)}


def _present(wanted: Iterable[str], has: set[str], what: str) -> list[str]:
    """Those of the wanted channels or classes that the data has, in the wanted order."""
    found = [name for name in wanted if name in has]
    if not found:
        raise InputError(f"None of the {what} {', '.join(wanted)} is in the data, which has {', '.join(sorted(has))}.")
    return found


def _at(scene: xr.DataArray, dates: Sequence[str] | None) -> xr.DataArray:
    """The scene at these dates, or at four spread over the series."""
    if dates is None:
        count = scene.sizes["time"]
        return scene.isel(time=np.unique(np.linspace(0, count - 1, min(4, count)).round().astype(int)))
    try:
        return scene.sel(time=pd.to_datetime(list(dates)))
    except KeyError as error:
        has = ", ".join(scene.indexes["time"].strftime("%Y-%m-%d"))
        raise InputError(f"The scene lacks one of the dates {', '.join(map(str, dates))}; it has {has}.") from error
