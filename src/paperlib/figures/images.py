"""Scenes and class maps as images on map axes: colour composites, class colours, axes in kilometres, class legends."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..nomenclature import LandCover
from ..scenes.sensors import roles_of
from .theme import WIDTH, Figure, hide_unused, lowest

#: Composites by the roles of their red, green and blue.
COMPOSITES: dict[str, tuple[str, ...]] = {
    "true colour": ("red", "green", "blue"),
    "near infrared": ("nir", "red", "green"),
}


def subsample(image: xr.DataArray, side: int = 1200) -> xr.DataArray:
    """Every n-th row and column, at most `side` of each, with north up; so a whole tile is drawn without being read."""
    step = math.ceil(max(image.sizes["y"], image.sizes["x"]) / side)
    return image.isel(y=slice(None, None, step), x=slice(None, None, step)).sortby("y", ascending=False)


def extent(image: xr.DataArray) -> tuple[float, float, float, float]:
    """Outer edges (left, right, bottom, top) of an image whose coordinates are regular pixel centres, in their unit."""
    x, y = image["x"].values, image["y"].values
    half = abs(x[1] - x[0]) / 2, abs(y[1] - y[0]) / 2
    return x.min() - half[0], x.max() + half[0], y.min() - half[1], y.max() + half[1]


def available_composites(scene: xr.DataArray) -> dict[str, tuple[str, ...]]:
    """Bands of the `COMPOSITES` that the roles of a scene's bands allow; the last band in grey where they allow none."""
    bands = scene["band"].values.tolist()
    roles = roles_of(bands, scene.attrs.get("sensor", ""))
    composites = {
        name: tuple(roles[role] for role in needed) for name, needed in COMPOSITES.items() if set(needed) <= set(roles)
    }
    return composites or {"grey": (bands[-1],) * 3}


def colour_limits(scenes: Iterable[xr.DataArray], bands: Sequence[str]) -> np.ndarray:
    """Values (2, band) drawn darkest and brightest: percentiles 1 and 99 of the unmasked pixels of all scenes and dates."""
    pixels = []
    for scene in scenes:
        scene = scene.sel(band=list(bands)).compute()  # grey takes one band three times
        values = scene.transpose("time", "y", "x", "band").values
        pixels.append(values[~np.isnan(values).any(axis=-1) & ~scene["mask"].transpose("time", "y", "x").values])
    joined = np.concatenate(pixels)
    return np.percentile(joined, (1, 99), axis=0) if len(joined) else np.array([[0.0], [1.0]])


def composite(scene: xr.DataArray, bands: Sequence[str], limits: np.ndarray | None = None) -> np.ndarray:
    """Colours (time, y, x, 3) from 0 to 1 of a scene (band, time, y, x), grey where it has no data.

    `limits`: as of `colour_limits`, by default those of this scene.
    """
    scene = scene.sel(band=list(dict.fromkeys(bands))).compute()
    low, high = colour_limits([scene], bands) if limits is None else limits
    values = scene.sel(band=list(bands)).transpose("time", "y", "x", "band").values
    empty = np.isnan(values).any(axis=-1)
    colours = np.clip((values - low) / np.maximum(high - low, 1e-6), 0, 1) ** 0.7  # the exponent brightens dark woods
    colours[empty] = 0.8
    return colours


def align(image: np.ndarray | xr.DataArray, scene: xr.DataArray, window: xr.DataArray) -> np.ndarray:
    """Values of a map or image at the pixels of `window`, a subsample of `scene`: (y, x) or (y, x, colour).

    An array without coordinates has the grid of `scene`.
    """
    if not isinstance(image, xr.DataArray):
        dims = ("y", "x", "colour")[: image.ndim]
        image = xr.DataArray(image, dims=dims, coords={"y": scene["y"], "x": scene["x"]})
    half = abs(float(window["x"][1] - window["x"][0])) / 2
    return image.sel(y=window["y"], x=window["x"], method="nearest", tolerance=half).values


def class_colours(codes: np.ndarray, legend: tuple[LandCover, ...]) -> np.ndarray:
    """Colours (y, x, 3) from 0 to 1 of class codes, uint8 (y, x); white for codes that the legend lacks."""
    table = np.ones((256, 3))
    for cover in legend:
        table[cover.code] = to_rgb(cover.colour)
    return table[codes]


def class_handles(legend: tuple[LandCover, ...]) -> list[Patch]:
    """Legend entries of the classes."""
    return [Patch(facecolor=cover.colour, edgecolor="0.3", linewidth=0.5, label=cover.name) for cover in legend]


def map_grid(count: int, ratio: float) -> tuple[Figure, np.ndarray]:
    """A figure with `count` map panels, two in a row so that fields can be seen, and the axes (row, column).

    `ratio` is the height of a map divided by its width.
    """
    columns = min(2, count)
    rows = math.ceil(count / columns)
    width = WIDTH if columns > 1 else 5
    engine = ConstrainedLayoutEngine(compress=True, w_pad=0.02, wspace=0.01)  # narrow gaps leave room for the maps
    figure = Figure((width, rows * ((width - 0.8) / columns * ratio + 0.34) + 0.9), layout=engine)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    hide_unused(axes, count)
    return figure, axes


def km_axes(axes: np.ndarray) -> None:
    """Kilometres along the outer axes of a grid (row, column) of map panels in metres."""
    kilometres = FuncFormatter(lambda metres, _: f"{metres / 1000:.10g}")
    used = int(sum(ax.get_visible() for ax in axes.flat))
    for ax in axes.flat:
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(kilometres)
            axis.set_major_locator(MaxNLocator(4))
        ax.set(xlabel="", ylabel="")  # geopandas writes its own, in metres
        ax.spines[:].set_visible(True)
    for ax in lowest(axes, used):
        ax.set_xlabel("easting (km)")
        ax.tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("northing (km)")
