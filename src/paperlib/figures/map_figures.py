"""Pictures of a scene and of its maps: data in, a `Figure` out; nothing is written and pyplot keeps no state."""

import math
import string
from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..errors import InputError
from ..labels.classes import legend_of
from ..nomenclature import LandCover
from .theme import (
    WIDTH,
    Figure,
    class_handles,
    colours_of,
    composite,
    composites_of,
    cut,
    extent,
    km_axes,
    map_grid,
    show_confidence,
    styled,
    thin,
)

SIDE = 120  # pixels of the table that goes with a map
SETS = {"train": "o", "validation": "s", "test": "^"}


@styled
def scene_figure(
    scene: xr.DataArray, dates: Sequence[str] | None = None, polygons: gpd.GeoDataFrame | None = None
) -> Figure:
    """Small multiples of a scene (band, time, y, x): true colour and near infrared false colour by date.

    The stretch (1st to 99th percentile of unmasked pixels) is common to all dates. `dates` default to four spread over
    the series; `polygons` are outlined. Raises `InputError` for a date that the scene lacks.
    """
    scene = thin(_at(scene, dates))
    composites = composites_of(scene)
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
    bands = list(dict.fromkeys(band for bands in composites.values() for band in bands))
    small = thin(scene.sel(band=bands), 48).compute()
    values = {
        f"{band} {date:%Y-%m-%d}": small.sel(band=band, time=date).values.round(4)
        for band in bands
        for date in small.indexes["time"]
    }
    return figure.describe(
        f"Images of the scene in {' and '.join(composites)} on {dates}{outlines}.", pixels(small, values)
    )


@styled
def split_figure(polygons: gpd.GeoDataFrame, bounds: tuple[float, float, float, float]) -> Figure:
    """Where the polygons of each set lie: class by colour, set by marker.

    `bounds` (left, bottom, right, top) of the scene in metres.
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
    first = list(composites_of(scene).items())[:1]
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
    codes = {f"code {title}": image for title, image in panels.items() if image.ndim == 2}
    alt = f"Maps of the window of {' by '.join(str(window.sizes[one]) for one in 'yx')} pixels: {'; '.join(panels)}."
    return figure.describe(alt, pixels(window, codes))


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
    values = {f"percent {title}": image.values for title, image in images.items()}
    return figure.describe(f"Maps of confidence in per cent: {', '.join(images)}.", pixels(first, values))


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
    sure = confidence.values[confidence.values != 255]
    shown = f" (median {np.median(sure):.0f} %)" if sure.size else ""
    alt = f"Map of the classes {', '.join(cover.name for cover in legend)}, beside a map of their confidence{shown}."
    return figure.describe(alt, pixels(classes, {"code": classes.values, "percent": confidence.values}))


def pixels(image: xr.DataArray, values: dict[str, np.ndarray]) -> pd.DataFrame:
    """Values (y, x) of the pixels of `image` by name: a row a pixel with easting and northing, at most about `SIDE` a side.

    Of a larger image every n-th pixel of every n-th row is taken, so that the table stays fit for a page.
    """
    step = max(1, math.ceil(max(image.sizes["y"], image.sizes["x"]) / SIDE))
    y, x = (image[name].values[::step] for name in ("y", "x"))
    northing, easting = (one.ravel() for one in np.meshgrid(y, x, indexing="ij"))
    part = {name: one[::step, ::step].ravel() for name, one in values.items()}
    return pd.DataFrame({"easting": easting.astype(int), "northing": northing.astype(int), **part})


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
