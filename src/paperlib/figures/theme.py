"""Shared styling for all figures: page width, fonts, line styles of classes, channels and models, and date axes."""

import io
import itertools
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib.figure
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import dates as mdates
from matplotlib import patheffects, rc_context
from matplotlib.axes import Axes

from ..features.indices import INDICES
from ..models.registry import CLASSIFIERS
from ..nomenclature import LandCover
from ..scenes.meaning.values import optical
from ..scenes.sensors import SENSORS, roles_of
from .html import figure_html

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

WIDTH = 8  # inches; a page shows it at 700 to 800 pixels
STYLE: Any = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9, "xtick.labelsize": 8,
    "ytick.labelsize": 8, "legend.fontsize": 8, "legend.frameon": False, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": False, "figure.dpi": 130, "savefig.dpi": "figure",
}  # fmt: skip
CLASS_MARKERS = "osD^vPX<>*dph8"  # by position in the legend

#: Colour, line style and marker by channel: warm colours for the infrared, a star for NDVI. Bands of other sensors look as
#: Sentinel-2's of the same role; what has no role takes `OTHERS` in turn.
CHANNELS = {
    "B2": ("#1f4e9c", ":", "1"), "B3": ("#3f9b8f", ":", "x"), "B4": ("#7a3fa0", ":", "+"),
    "B5": ("#f2b134", "-", "^"), "B6": ("#ee8a2a", "-", "v"), "B7": ("#e0552b", "-", "s"),
    "B8": ("#b2182b", "-", "o"), "B8A": ("#6d0f1f", "-", "D"), "B11": ("#888888", "--", "<"),
    "B12": ("#333333", "--", ">"), "NDVI": ("#1a9a2e", "-", "*"), "NDWI": ("#2b8cff", "-.", "P"),
    "BI": ("#a0692c", "-.", "X"),
}  # fmt: skip
OTHERS = (
    ("#4477aa", "-", "o"), ("#cc6677", "--", "s"), ("#117733", "-.", "^"), ("#aa4499", ":", "D"), ("#999933", "-", "v"),
)  # fmt: skip


class Figure(matplotlib.figure.Figure):
    """A matplotlib figure that notebooks display without pyplot, with an alternative text and the data drawn in it."""

    alt: str = ""
    data: pd.DataFrame | None = None

    def describe(self, alt: str, data: pd.DataFrame | None = None) -> "Figure":
        """Set the alternative text and, for a chart or map, the table of what is drawn; return the figure itself."""
        self.alt, self.data = alt, data
        return self

    def to_bytes(self, kind: str) -> bytes:
        """Content of the figure's file, "png" or "svg", with the alternative text in its metadata."""
        buffer = io.BytesIO()
        words = {"Description": self.alt} if self.alt else {}
        with rc_context({"svg.hashsalt": "paperlib"}):  # the same figure gives the same file
            self.savefig(buffer, format=kind, metadata={"Date": None, **words} if kind == "svg" else words)
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return self.to_bytes("png")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, bytes | str]:
        """The picture and the HTML that a notebook displays; without it, a notebook would draw the picture for each."""
        png = self._repr_png_()
        return {"image/png": png} | ({"text/html": self._html(png)} if self.alt else {})

    def _repr_html_(self) -> str | None:
        return self._html(self._repr_png_()) if self.alt else None

    def _html(self, png: bytes) -> str:
        return figure_html(png, self.to_bytes("svg"), self.alt, self.data, round(100 * self.get_figwidth()))


def styled(draw: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Decorator: draw under `STYLE` whatever the matplotlib settings of the session are, and leave those unchanged."""

    @wraps(draw)
    def drawn(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def hide_unused(axes: np.ndarray, count: int) -> None:
    """Hide the panels of a grid (row, column) after the first `count`."""
    for ax in axes.flat[count:]:
        ax.set_visible(False)


def lowest(axes: np.ndarray, count: int) -> list[Axes]:
    """The last used panel of each column of a grid (row, column) whose first `count` panels are used."""
    rows, columns = axes.shape
    return [
        axes[max(row for row in range(rows) if row * columns + column < count), column] for column in range(columns)
    ]


def date_axes(axes: np.ndarray, count: int) -> None:
    """Months along the lowest of the first `count` panels of a grid (row, column)."""
    locator = mdates.AutoDateLocator(minticks=3, maxticks=6)
    for ax in axes.flat[:count]:
        first, last = ax.dataLim.intervalx
        if first == last:  # for a single date matplotlib would show years
            ax.set_xlim(first - 45, last + 45)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
        ax.grid(color="0.93")
    for ax in lowest(axes, count):
        ax.set_xlabel("date")
        ax.tick_params(labelbottom=True)


def class_line_style(cover: LandCover, place: int) -> dict[str, Any]:
    """Line style of a class at position `place` of its legend; a dark outline keeps pale colours legible on white."""
    return {
        "color": cover.colour, "linewidth": 1.5, "marker": CLASS_MARKERS[place % len(CLASS_MARKERS)], "markersize": 4.5,
        "markeredgecolor": "0.2", "markeredgewidth": 0.5,
        "path_effects": [patheffects.Stroke(linewidth=2.3, foreground="0.35"), patheffects.Normal()],
    }  # fmt: skip


def channel_styles(channels: Iterable[str]) -> dict[str, tuple[str, str, str]]:
    """Colour, line style and marker of each channel of a scene, whatever its sensor; see `CHANNELS`."""
    names = list(map(str, channels))
    like = {band.role: band.name for band in SENSORS["sentinel-2"].bands}
    roles = {band: like.get(role, "") for role, band in reversed(roles_of(names).items())}
    turn = itertools.cycle(OTHERS)
    return {name: CHANNELS.get(name) or CHANNELS.get(roles.get(name, "")) or next(turn) for name in names}


def channel_line_styles(channels: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Line style of each channel, for matplotlib."""
    styles = {}
    for name, (colour, line, marker) in channel_styles(channels).items():
        star = marker == "*"
        styles[name] = {
            "color": colour, "linestyle": line, "linewidth": 1.8 if star else 1.2, "marker": marker,
            "markersize": 8 if star else 3, "zorder": 3 if star else 2,
        }  # fmt: skip
    return styles


def channel_label(channel: str) -> str:
    """Axis label of a channel: reflectance has its unit, an index none; radar and others have just their name."""
    if channel in INDICES:
        return f"{channel} (–)"
    return f"{channel} reflectance (–)" if optical([channel], "") else channel


def model_styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour and marker by model. Those of `CLASSIFIERS` come first, so that a model looks the same in every figure."""
    order = list(dict.fromkeys([*CLASSIFIERS, *names]))
    styles = zip(order, sns.color_palette("colorblind", len(order)), itertools.cycle("osD^vPX*<>+"), strict=False)
    return {name: {"color": colour, "marker": marker} for name, colour, marker in styles}
