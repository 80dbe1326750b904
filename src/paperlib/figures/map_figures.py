"""Figures of a scene, its polygons and its maps; each function returns a `Figure` and leaves pyplot alone."""

import math
import string
from collections.abc import Sequence
from typing import cast

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..errors import InputError
from ..labels.classes import legend_of
from ..nomenclature import LandCover
from .images import (
    align,
    available_composites,
    class_colours,
    class_handles,
    composite,
    extent,
    km_axes,
    map_grid,
    subsample,
)
from .theme import WIDTH, Figure, styled

SIDE = 120  # pixels along a side of a map's table
#: Marker by set.
SETS = {"train": "o", "validation": "s", "test": "^"}


@styled
def scene_figure(
    scene: xr.DataArray, dates: Sequence[str] | None = None, polygons: gpd.GeoDataFrame | None = None
) -> Figure:
    """True colour and near infrared composites of a scene (band, time, y, x), one column for each date.

    Parameters
    ----------
    dates: like "2018-07-08"; default: four that are spread over the series.
    polygons: drawn as outlines, in the CRS of the scene.

    The stretch is the same for all dates, see `composite`. Raises `InputError` for a date that the scene lacks.
    """
    scene = subsample(_at(scene, dates))
    composites = available_composites(scene)
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
        ax.set_ylabel(f"{name} ({', '.join(dict.fromkeys(bands))})\nnorthing (km)")
    dates = ", ".join(scene.indexes["time"].strftime("%Y-%m-%d"))
    outlines = "" if polygons is None else f", with {len(polygons)} labelled polygons outlined"
    drawn = list(dict.fromkeys(band for bands in composites.values() for band in bands))
    small = subsample(scene.sel(band=drawn), 48).compute()
    values = {
        f"{band} {date:%Y-%m-%d}": small.sel(band=band, time=date).values.round(4)
        for band in drawn
        for date in small.indexes["time"]
    }
    return figure.describe(
        f"Images of the scene in {' and '.join(composites)} on {dates}{outlines}.", pixels(small, values)
    )


@styled
def split_figure(polygons: gpd.GeoDataFrame, bounds: tuple[float, float, float, float]) -> Figure:
    """Map of the polygons, class by colour and set by marker.

    Parameters
    ----------
    polygons: columns code, class_name, set and geometry.
    bounds: (left, bottom, right, top) of the scene in metres.
    """
    left, bottom, right, top = bounds
    side = 5.0  # inches, of the map beside its legend
    figure = Figure((WIDTH, side * min(1.4, (top - bottom) / (right - left)) + 0.5), layout="compressed")
    ax = figure.subplots()
    legend = legend_of(polygons)
    colours = polygons["code"].map({cover.code: cover.colour for cover in legend})
    polygons.plot(ax=ax, color=colours.tolist(), edgecolor="0.3", linewidth=0.4)
    for name, marker in SETS.items():
        part = polygons[polygons["set"] == name]
        centre = part.geometry.representative_point()
        ax.scatter(
            centre.x, centre.y, s=26, marker=marker, c=colours[part.index].tolist(),
            edgecolors="black", linewidths=1.4 if name == "test" else 0.7, zorder=3,
        )  # fmt: skip
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    km_axes(np.array([[ax]]))
    handles = [
        Line2D([], [], linestyle="", marker=marker, color="white", markeredgecolor="black", label=f"{name} ({n})")
        for name, marker in SETS.items()
        if (n := int((polygons["set"] == name).sum()))
    ]
    figure.legend(handles=handles + class_handles(legend), loc="outside right center")
    counts = polygons.groupby(["set", "code"]).size().rename("polygons").reset_index()
    names = counts["code"].map({cover.code: cover.name for cover in legend})
    sizes = ", ".join(f"{number} {name}" for name, number in polygons["set"].value_counts().items())
    return figure.describe(f"Map of the labelled polygons by class and set: {sizes}.", counts.assign(class_name=names))


@styled
def maps_figure(
    maps: dict[str, np.ndarray | xr.DataArray], scene: xr.DataArray | None, legend: tuple[LandCover, ...]
) -> Figure:
    """A window of a scene in colour beside maps of it, or such maps alone.

    Parameters
    ----------
    maps: class codes, uint8 (y, x), 0 for no data, or RGB images (y, x, 3) from 0 to 1, by title. A DataArray is cut to
        the window by its coordinates; an array has the shape of the window.
    scene: the window (band, time, y, x); its middle date is drawn. None: the grid is that of the first map, a DataArray.
    legend: classes of the maps.
    """
    grid = cast(xr.DataArray, next(iter(maps.values()))) if scene is None else scene
    window, panels = subsample(grid), {}
    if scene is not None:
        middle = window.isel(time=[window.sizes["time"] // 2])
        name, bands = next(iter(available_composites(scene).items()))
        panels = {f"{name}, {middle.indexes['time'][0]:%Y-%m-%d}": composite(middle, bands)[0]}
    panels |= {title: align(image, grid, window) for title, image in maps.items()}
    figure, axes = map_grid(len(panels), window.sizes["y"] / window.sizes["x"])
    for letter, ax, (title, image) in zip(string.ascii_lowercase, axes.flat, panels.items(), strict=False):
        ax.imshow(
            class_colours(image, legend) if image.ndim == 2 else image, extent=extent(window), interpolation="nearest"
        )
        ax.set_title(f"({letter}) {title}")
    km_axes(axes)
    gaps = any(image.ndim == 2 and (image == 0).any() for image in panels.values())
    handles = class_handles(legend) + ([Patch(facecolor="white", edgecolor="0.4", label="no data")] if gaps else [])
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    codes = {f"code {title}": image for title, image in panels.items() if image.ndim == 2}
    alt = f"Maps of the window of {window.sizes['y']} by {window.sizes['x']} pixels: {'; '.join(panels)}."
    return figure.describe(alt, pixels(window, codes))


@styled
def whole_map_figure(classes: xr.DataArray, confidence: xr.DataArray, legend: tuple[LandCover, ...]) -> Figure:
    """A whole class map, uint8 (y, x) with 0 for no data, beside its confidence in per cent (y, x), 255 for no data."""
    classes, confidence = subsample(classes), subsample(confidence)
    figure = Figure((WIDTH, 3.2 * classes.sizes["y"] / classes.sizes["x"] + 1.2), layout="compressed")
    axes = figure.subplots(1, 2, sharex=True, sharey=True, squeeze=False)
    axes[0, 0].imshow(class_colours(classes.values, legend), extent=extent(classes), interpolation="nearest")
    axes[0, 0].set_title("class")
    axes[0, 1].set_title("confidence")
    percent = np.ma.masked_equal(confidence.values, 255)
    image = axes[0, 1].imshow(
        percent, extent=extent(confidence), vmin=0, vmax=100, cmap="cividis", interpolation="nearest"
    )
    figure.colorbar(image, ax=axes[0, 1], label="confidence (%)", shrink=0.8)
    km_axes(axes)
    figure.legend(handles=class_handles(legend), loc="outside lower center", ncols=4)
    median = f" (median {np.ma.median(percent):.0f} %)" if percent.count() else ""
    alt = f"Map of the classes {', '.join(cover.name for cover in legend)}, beside a map of their confidence{median}."
    return figure.describe(alt, pixels(classes, {"code": classes.values, "percent": confidence.values}))


def pixels(image: xr.DataArray, values: dict[str, np.ndarray]) -> pd.DataFrame:
    """Table of the pixels of an image, one row each: easting, northing and the values (y, x) of each name.

    A larger image is subsampled to about `SIDE` rows and columns, so that the table is small enough for a page.
    """
    step = max(1, math.ceil(max(image.sizes["y"], image.sizes["x"]) / SIDE))
    y, x = (image[name].values[::step] for name in ("y", "x"))
    northing, easting = (grid.ravel() for grid in np.meshgrid(y, x, indexing="ij"))
    columns = {name: array[::step, ::step].ravel() for name, array in values.items()}
    return pd.DataFrame({"easting": easting.astype(int), "northing": northing.astype(int), **columns})


def _at(scene: xr.DataArray, dates: Sequence[str] | None) -> xr.DataArray:
    """The scene at these dates, or at four that are spread over the series."""
    if dates is None:
        count = scene.sizes["time"]
        return scene.isel(time=np.unique(np.linspace(0, count - 1, min(4, count)).round().astype(int)))
    try:
        return scene.sel(time=pd.to_datetime(list(dates)))
    except KeyError as error:
        has = ", ".join(scene.indexes["time"].strftime("%Y-%m-%d"))
        raise InputError(
            f"The scene lacks one of the dates {', '.join(map(str, dates))}; it has {has}.", kind="figures.date"
        ) from error
