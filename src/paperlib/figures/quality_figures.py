"""Figures of what makes maps better: reliability of confidence, layers in per cent, what smoothing costs, objects."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from ..nomenclature import LandCover
from .images import class_handles, extent, km_axes, map_grid, subsample
from .map_figures import pixels
from .theme import WIDTH, Figure, model_styles, styled


@styled
def reliability_figure(tables: Mapping[str, Mapping[str, pd.DataFrame]]) -> Figure:
    """Share of pixels that are right by their confidence, one panel for each place where they were compared.

    `tables`: by panel, then by line (such as "calibrated"), as `evaluation.calibration.reliability` makes them. The area of
    a point follows its pixels.
    """
    figure = Figure((WIDTH, 3.4), layout="constrained")
    axes = figure.subplots(1, len(tables), sharex=True, sharey=True, squeeze=False)
    looks = (("#999999", "s", "--"), ("#4477aa", "o", "-"), ("#117733", "^", "-."))
    for ax, (panel, lines) in zip(axes.flat, tables.items(), strict=True):
        ax.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
        for (name, table), (colour, marker, line) in zip(lines.items(), looks, strict=False):
            there = table[table["pixels"] > 0]
            size = 8 + 90 * there["pixels"] / there["pixels"].sum()
            ax.plot(there["confidence"], there["accuracy"], line, color=colour, linewidth=1.2)
            ax.scatter(there["confidence"], there["accuracy"], s=size, color=colour, marker=marker, label=name)
        ax.set(title=panel, xlabel="confidence", xlim=(0, 1), ylim=(0, 1))
    axes[0, 0].set_ylabel("share that is right")
    axes[0, 0].legend(loc="upper left")
    data = pd.concat({(panel, name): table for panel, lines in tables.items() for name, table in lines.items()})
    data = (
        data.rename_axis(["where", "probabilities", None])
        .reset_index(["where", "probabilities"])
        .reset_index(drop=True)
    )
    return figure.describe(f"Share of pixels that are right by confidence: {', '.join(tables)}.", data)


@styled
def layers_figure(layers: Mapping[str, xr.DataArray]) -> Figure:
    """Layers of a map in per cent (y, x), 255 for no data, side by side."""
    images = {name: subsample(layer) for name, layer in layers.items()}
    first = next(iter(images.values()))
    figure, axes = map_grid(len(images), first.sizes["y"] / first.sizes["x"])
    for ax, (name, image) in zip(axes.flat, images.items(), strict=False):
        percent = np.ma.masked_equal(image.values, 255)
        shown = ax.imshow(percent, extent=extent(image), vmin=0, vmax=100, cmap="cividis", interpolation="nearest")
        ax.set_title(name)
    km_axes(axes)
    figure.colorbar(shown, ax=axes, label="per cent", shrink=0.8)
    data = pixels(first, {name: image.values for name, image in images.items()})
    return figure.describe(f"Maps of {', '.join(images)} in per cent.", data)


@styled
def trade_figure(measured: pd.DataFrame) -> Figure:
    """What smoothing gains in accuracy and costs in narrow objects, one panel for each classifier, a line for each method.

    `measured`: columns classifier, method, way, accuracy, narrow; the way "as classified" is where lines begin.
    """
    names = list(measured["classifier"].unique())
    figure = Figure((WIDTH, 3.2), layout="constrained")
    axes = figure.subplots(1, len(names), sharex=True, sharey=True, squeeze=False)
    for ax, name in zip(axes.flat, names, strict=True):
        part = measured[measured["classifier"] == name]
        start = part[part["way"] == "as classified"].iloc[0]
        ways = part[part["way"] != "as classified"]
        for (method, line), style in zip(ways.groupby("method", sort=False), model_styles([]).values(), strict=False):
            changes = 100 * (line[["narrow", "accuracy"]] - start[["narrow", "accuracy"]].astype(float))
            changes = changes.sort_values("narrow", ascending=False)
            x, y = ([0, *changes[column]] for column in ("narrow", "accuracy"))
            ax.plot(x, y, **style, markersize=4, linewidth=1.2, label=method)
        ax.axvline(-1, color="0.6", linewidth=0.8, linestyle=":")
        ax.set(title=name, xlabel="recall in narrow objects (points)")
    axes[0, 0].set_ylabel("accuracy (points)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure.describe(
        f"Change of accuracy against change of recall in narrow objects, for {', '.join(names)}, by way of smoothing.",
        measured,
    )


@styled
def objects_figure(objects: Mapping[str, gpd.GeoDataFrame], legend: tuple[LandCover, ...]) -> Figure:
    """Objects of maps as filled polygons, side by side. `objects`: columns code, geometry, by title."""
    bounds = next(iter(objects.values())).total_bounds
    figure, axes = map_grid(len(objects), (bounds[3] - bounds[1]) / (bounds[2] - bounds[0]))
    colours = {cover.code: cover.colour for cover in legend}
    for ax, (title, polygons) in zip(axes.flat, objects.items(), strict=False):
        polygons.plot(ax=ax, color=polygons["code"].map(colours), edgecolor="black", linewidth=0.4)
        ax.set(title=f"{title}: {len(polygons)} objects", xlim=bounds[[0, 2]], ylim=bounds[[1, 3]], aspect="equal")
    km_axes(axes)
    figure.legend(handles=class_handles(legend), loc="outside lower center", ncols=4)
    counts = pd.DataFrame({"map": list(objects), "objects": [len(polygons) for polygons in objects.values()]})
    return figure.describe(f"Objects of maps as polygons: {', '.join(objects)}.", counts)
