"""Figures of a region of several tiles: its mosaic with the tiles, and scores by what a map has learned from."""

import geopandas as gpd
import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib.lines import Line2D

from ...nomenclature import LandCover
from ..images import class_colours, class_handles, extent, km_axes, subsample
from ..map_figures import pixels
from ..theme import WIDTH, Figure, styled

MARKERS = ("o", "s", "^", "D")


@styled
def mosaic_figure(maps: dict[str, xr.DataArray], outlines: gpd.GeoDataFrame, legend: tuple[LandCover, ...]) -> Figure:
    """Class maps of a region beside each other, with the outlines of its tiles.

    Parameters
    ----------
    maps: class codes, uint8 (y, x), 0 for no data, by title; all in one CRS.
    outlines: columns tile and geometry, in that CRS.
    """
    small = {title: subsample(image) for title, image in maps.items()}
    left, bottom, right, top = outlines.total_bounds
    figure = Figure((WIDTH, (WIDTH - 1) / len(maps) * (top - bottom) / (right - left) + 1.3), layout="compressed")
    axes = figure.subplots(1, len(maps), sharex=True, sharey=True, squeeze=False)
    for ax, (title, image) in zip(axes[0], small.items(), strict=True):
        ax.imshow(class_colours(image.values, legend), extent=extent(image), interpolation="nearest")
        outlines.boundary.plot(ax=ax, color="black", linewidth=1)
        for row in outlines.itertuples():
            place = row.geometry.representative_point()
            ax.annotate(
                row.tile, (place.x, place.y), ha="center", fontsize=7, bbox={"fc": "white", "ec": "0.5", "pad": 1}
            )
        ax.set(title=title, xlim=(left, right), ylim=(bottom, top), aspect="equal")
    km_axes(axes)
    figure.legend(handles=class_handles(legend), loc="outside lower center", ncols=3)
    table = pd.concat({title: pixels(image, {"code": image.values}) for title, image in small.items()}, names=["map"])
    alt = f"Maps of a region of {len(outlines)} tiles, whose outlines are drawn: {'; '.join(maps)}."
    return figure.describe(alt, table.droplevel(1).reset_index())


@styled
def folds_figure(table: pd.DataFrame) -> Figure:
    """Macro F1 on the test polygons of each tile with its 95 % interval, by what the classifier has learned from.

    `table` as `runs.regional.folds.leave_one_out` returns it.
    """
    tiles, kinds = list(table["tile"].unique()), list(table["learned"].unique())
    colours = sns.color_palette("colorblind", len(kinds))
    figure = Figure((WIDTH, 0.5 * len(tiles) + 1.2), layout="constrained")
    ax = figure.subplots()
    for number, (kind, colour) in enumerate(zip(kinds, colours, strict=True)):
        own = table[table["learned"] == kind]
        heights = np.array([tiles.index(tile) for tile in own["tile"]]) + 0.24 * (number - (len(kinds) - 1) / 2)
        around = np.array([own["macro_f1"] - own["low"], own["high"] - own["macro_f1"]]).clip(0)
        ax.errorbar(
            own["macro_f1"],
            heights,
            xerr=around,
            fmt=MARKERS[number],
            color=colour,
            markersize=5,
            capsize=2,
            linewidth=1,
        )
    ax.set_yticks(range(len(tiles)), tiles)
    ax.set(xlabel="macro F1 on the test polygons (–), 95 % interval", xlim=(-0.03, 1.03), ylim=(len(tiles) - 0.5, -0.5))
    ax.grid(axis="x", color="0.93")
    ax.set_axisbelow(True)
    handles = [
        Line2D([], [], linestyle="", marker=marker, color=colour, label=f"learned from: {kind}")
        for kind, marker, colour in zip(kinds, MARKERS, colours, strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(kinds))
    alt = f"Dots with bars: macro F1 on the polygons of {len(tiles)} rows of tiles, learned from {', '.join(kinds)}."
    return figure.describe(alt, table)
