"""Figures that help to label: series of a polygon beside those of classes, places to label, and what they are worth."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.patches import Patch

from ..nomenclature import LandCover
from .images import available_composites, composite, extent, km_axes, subsample
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
def chips_figure(chips: Sequence[np.ndarray], titles: Sequence[str], outline: np.ndarray) -> Figure:
    """Small images (y, x, 3) side by side, each with the outline of a place.

    `titles`: one for each chip. `outline`: columns and rows (vertex, 2) of the closed border of the place within a chip.
    """
    height, width = chips[0].shape[:2]
    figure = Figure((2.1 * len(chips), 2.1 * min(1, height / width) + 0.3), layout="constrained")
    columns, rows = outline.T - 0.5  # pixels are drawn around whole numbers
    for ax, chip, title in zip(figure.subplots(1, len(chips), squeeze=False).flat, chips, titles, strict=True):
        ax.imshow(chip, interpolation="nearest")
        ax.plot(columns, rows, color="#ff00ff", linewidth=1.5)
        ax.set_title(title)
        ax.set_axis_off()
    return figure.describe(f"The place to label, outlined, and its surroundings, on {', '.join(titles)}.")


@styled
def places_figure(places: gpd.GeoDataFrame, polygons: gpd.GeoDataFrame, scene: xr.DataArray) -> Figure:
    """Suggested places with their ranks over an image of the scene, beside the polygons that are labelled already.

    `scene`: (band, time, y, x); its middle date is drawn.
    """
    window = subsample(scene.isel(time=[scene.sizes["time"] // 2]))
    figure = Figure((5.5, 5.5 * window.sizes["y"] / window.sizes["x"] + 0.6), layout="constrained")
    ax = figure.subplots()
    bands = next(iter(available_composites(scene).values()))
    ax.imshow(composite(window, bands)[0], extent=extent(window), interpolation="nearest")
    polygons.boundary.plot(ax=ax, color="#00e5ff", linewidth=0.8)
    places.boundary.plot(ax=ax, color="#ff00ff", linewidth=1.6)
    for rank, middle in zip(places["rank"], places.centroid, strict=True):
        ax.annotate(str(rank), (middle.x, middle.y), (4, 4), textcoords="offset points", color="white", fontsize=7)
    km_axes(np.array([[ax]]))
    names = ["labelled", "suggested"]
    handles = [
        Patch(facecolor="none", edgecolor=colour, label=name)
        for colour, name in zip(("#00e5ff", "#ff00ff"), names, strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    data = pd.DataFrame(places.drop(columns="geometry"))
    return figure.describe(
        f"{len(places)} suggested places and {len(polygons)} labelled polygons over the scene.", data
    )


@styled
def suggestion_figure(measured: pd.DataFrame) -> Figure:
    """Macro F1 by number of polygons, suggested and drawn at random, with intervals, one panel for each classifier.

    `measured`: columns classifier, polygons, suggested, "suggested ±", random, "random ±".
    """
    names = list(measured["classifier"].unique())
    figure = Figure((WIDTH, 3), layout="constrained")
    axes = figure.subplots(1, len(names), sharey=True, squeeze=False)
    for ax, name in zip(axes.flat, names, strict=True):
        part = measured[measured["classifier"] == name]
        for way, colour, marker in (("suggested", "#aa3377", "o"), ("random", "#777777", "s")):
            ax.errorbar(
                part["polygons"],
                part[way],
                part[f"{way} ±"],
                color=colour,
                marker=marker,
                markersize=4,
                capsize=2,
                label=way,
            )
        ax.set(title=name, xlabel="labelled polygons")
    axes[0, 0].set_ylabel("macro F1")
    axes[0, 0].legend(loc="lower right")
    return figure.describe(f"Macro F1 by number of polygons, suggested and random, for {', '.join(names)}.", measured)
