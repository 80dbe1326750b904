"""The hand of every figure: page width and fonts, the look of classes, channels and models, map and date axes."""

import io
import itertools
import math
from collections.abc import Iterable, Sequence
from functools import wraps

import matplotlib.figure
import numpy as np
import pandas as pd
import seaborn as sns
import xarray as xr
from matplotlib import dates as mdates
from matplotlib import patheffects, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..models.registry import CLASSIFIERS
from ..nomenclature import LandCover
from .html import figure_html

WIDTH = 8  # inches; a page shows it at 700 to 800 pixels
STYLE = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9, "xtick.labelsize": 8,
    "ytick.labelsize": 8, "legend.fontsize": 8, "legend.frameon": False, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": False, "figure.dpi": 130, "savefig.dpi": "figure",
}  # fmt: skip
CLASS_MARKERS = "osD^vPX<>*dph8"  # by place in the legend
COMPOSITES = {"true colour": ("B4", "B3", "B2"), "near infrared": ("B8", "B4", "B3")}

#: Figure 8: colour, line style and marker by channel; NDVI as in the paper, the infrared in warm colours.
CHANNELS = {
    "B2": ("#1f4e9c", ":", "1"), "B3": ("#3f9b8f", ":", "x"), "B4": ("#7a3fa0", ":", "+"),
    "B5": ("#f2b134", "-", "^"), "B6": ("#ee8a2a", "-", "v"), "B7": ("#e0552b", "-", "s"),
    "B8": ("#b2182b", "-", "o"), "B8A": ("#6d0f1f", "-", "D"), "B11": ("#888888", "--", "<"),
    "B12": ("#333333", "--", ">"), "NDVI": ("#1a9a2e", "-", "*"), "NDWI": ("#2b8cff", "-.", "P"),
    "BI": ("#a0692c", "-.", "X"),
}  # fmt: skip


class Figure(matplotlib.figure.Figure):
    """A figure that a notebook shows although pyplot does not know it: with its words and data once it has them."""

    alt: str = ""
    data: pd.DataFrame | None = None

    def describe(self, alt: str, data: pd.DataFrame | None = None) -> "Figure":
        """This figure with what it shows in words and, for a chart or map, what is drawn as a table; a page has both."""
        self.alt, self.data = alt, data
        return self

    def to_bytes(self, kind: str) -> bytes:
        """The file of the figure: png or svg; the words go into it."""
        buffer = io.BytesIO()
        words = {"Description": self.alt} if self.alt else {}
        with rc_context({"svg.hashsalt": "paperlib"}):  # the same figure is the same file
            self.savefig(buffer, format=kind, metadata={"Date": None, **words} if kind == "svg" else words)
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return self.to_bytes("png")

    def _repr_html_(self) -> str | None:
        if not self.alt:
            return None
        width = round(100 * self.get_figwidth())
        return figure_html(self.to_bytes("png"), self.to_bytes("svg"), self.alt, self.data, width)


def styled(draw):
    """Draw under STYLE whatever the reader's own matplotlib settings are, and leave those as they were."""

    @wraps(draw)
    def drawn(*args, **kwargs):
        with rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def thin(image: xr.DataArray, side: int = 1200) -> xr.DataArray:
    """Every n-th pixel, so that a whole tile is drawn without being read; north up."""
    step = math.ceil(max(image.sizes["y"], image.sizes["x"]) / side)
    return image.isel(y=slice(None, None, step), x=slice(None, None, step)).sortby("y", ascending=False)


def extent(image: xr.DataArray) -> tuple[float, float, float, float]:
    """Outer edges (left, right, bottom, top) in metres of an image of regular pixel centres."""
    x, y = image["x"].values, image["y"].values
    half = abs(x[1] - x[0]) / 2, abs(y[1] - y[0]) / 2
    return x.min() - half[0], x.max() + half[0], y.min() - half[1], y.max() + half[1]


def composites_of(scene: xr.DataArray) -> dict[str, tuple[str, ...]]:
    """The colour composites that the bands of a scene allow; one band in grey where they allow none."""
    held = scene["band"].values.tolist()
    found = {name: bands for name, bands in COMPOSITES.items() if set(bands) <= set(held)}
    return found or {"grey": (held[-1],) * 3}


def composite(scene: xr.DataArray, bands: Sequence[str]) -> np.ndarray:
    """Colours (time, y, x, 3) in 0..1, stretched from the 1st to the 99th percentile; grey where nothing was seen."""
    scene = scene.sel(band=list(bands)).compute()  # grey takes one band three times
    values = scene.transpose("time", "y", "x", "band").values
    empty = np.isnan(values).any(axis=-1)
    usable = ~empty & ~scene["mask"].transpose("time", "y", "x").values
    low, high = np.percentile(values[usable], (1, 99), axis=0) if usable.any() else (0, 1)
    colours = np.clip((values - low) / np.maximum(high - low, 1e-6), 0, 1) ** 0.7  # lifts dark woods
    colours[empty] = 0.8
    return colours


def cut(image: np.ndarray | xr.DataArray, scene: xr.DataArray, window: xr.DataArray) -> np.ndarray:
    """A map at the pixels of `window`, which is `scene` thinned out."""
    if not isinstance(image, xr.DataArray):
        dims = ("y", "x", "colour")[: image.ndim]
        image = xr.DataArray(image, dims=dims, coords={"y": scene["y"], "x": scene["x"]})
    half = abs(float(window["x"][1] - window["x"][0])) / 2
    return image.sel(y=window["y"], x=window["x"], method="nearest", tolerance=half).values


def colours_of(codes: np.ndarray, legend: tuple[LandCover, ...]) -> np.ndarray:
    """Colours (y, x, 3) of class codes (y, x); white where there is none."""
    table = np.ones((256, 3))
    for cover in legend:
        table[cover.code] = to_rgb(cover.colour)
    return table[codes]


def show_confidence(ax: Axes, image: xr.DataArray) -> AxesImage:
    """Draw per cent (y, x), 255 where there is none, on the scale that all confidence maps share."""
    values = np.ma.masked_equal(image.values, 255)
    return ax.imshow(values, extent=extent(image), vmin=0, vmax=100, cmap="cividis", interpolation="nearest")


def map_grid(count: int, ratio: float, beside: float = 0.8, below: float = 0.9) -> tuple[Figure, np.ndarray]:
    """A figure with `count` map panels (height / width = ratio), three in a row, four in two.

    `beside` and `below` (inches) are left for labels, legend and colour bar.
    """
    columns = 2 if count == 4 else min(3, count)
    rows = math.ceil(count / columns)
    width = WIDTH if columns > 1 else 5
    figure = Figure((width, rows * ((width - beside) / columns * ratio + 0.3) + below), layout="compressed")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    hide_unused(axes, count)
    return figure, axes


def hide_unused(axes: np.ndarray, count: int) -> None:
    """Hide the panels of a grid after the first `count`."""
    for ax in axes.flat[count:]:
        ax.set_visible(False)


def lowest(axes: np.ndarray, count: int) -> list[Axes]:
    """The last used panel of each column."""
    rows, columns = axes.shape
    return [
        axes[max(row for row in range(rows) if row * columns + column < count), column] for column in range(columns)
    ]


def km_axes(axes: np.ndarray) -> None:
    """Kilometres on the outer axes of map panels drawn in metres."""
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


def date_axes(axes: np.ndarray, count: int) -> None:
    """Months along the lowest of the first `count` panels."""
    locator = mdates.AutoDateLocator(minticks=3, maxticks=6)
    for ax in axes.flat[:count]:
        first, last = ax.dataLim.intervalx
        if first == last:  # of one date alone matplotlib would show years
            ax.set_xlim(first - 45, last + 45)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
        ax.grid(color="0.93")
    for ax in lowest(axes, count):
        ax.set_xlabel("date")
        ax.tick_params(labelbottom=True)


def class_handles(legend: tuple[LandCover, ...]) -> list[Patch]:
    """Legend entries of the classes."""
    return [Patch(facecolor=cover.colour, edgecolor="0.3", linewidth=0.5, label=cover.name) for cover in legend]


def class_line_style(cover: LandCover, place: int) -> dict:
    """The look of a class's line, `place` in its legend; a dark rim keeps the pale colours legible on white."""
    return {
        "color": cover.colour, "linewidth": 1.5, "marker": CLASS_MARKERS[place % len(CLASS_MARKERS)], "markersize": 4.5,
        "markeredgecolor": "0.2", "markeredgewidth": 0.5,
        "path_effects": [patheffects.Stroke(linewidth=2.3, foreground="0.35"), patheffects.Normal()],
    }  # fmt: skip


def channel_line_style(channel: str) -> dict:
    """The look of a channel's line."""
    colour, line, marker = CHANNELS[channel]
    star = marker == "*"
    return {
        "color": colour, "linestyle": line, "linewidth": 1.8 if star else 1.2, "marker": marker,
        "markersize": 8 if star else 3, "zorder": 3 if star else 2,
    }  # fmt: skip


def model_styles(names: Iterable[str]) -> dict[str, dict]:
    """Colour and marker by model, those of the registry first: a model looks the same in every figure."""
    order = list(dict.fromkeys([*CLASSIFIERS, *names]))
    looks = zip(order, sns.color_palette("colorblind", len(order)), itertools.cycle("osD^vPX*<>"), strict=False)
    return {name: {"color": colour, "marker": marker} for name, colour, marker in looks}
