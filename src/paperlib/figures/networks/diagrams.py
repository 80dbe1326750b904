"""Diagrams of networks and of their convolutions, drawn from the layers that a forward pass goes through.

Everything drawn follows from `anatomy.layers`, so another network gives another diagram. Figures are narrow, so that their
text can be read on a phone.
"""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle
from torch import nn

from ...errors import InputError
from ..theme import Figure, styled
from .anatomy import Layer, layers, steps

WIDTH = 5  # inches
BOX, GAP, NAME = (
    0.5,
    0.52,
    0.3,
)  # inches: height of a layer's box, of the gap between two, of the line with a stream's name
SPINE = 0.41  # horizontal position of the arrows as a share of a stream's width
INK, EDGE, SHEET, KERNEL, RESULT, DONE, FILL = (
    "#26323f", "#5b7ba3", "#e9f0f8", "#c8601c", "#1b8a7a", "#bfe0da", "#dfe9f4",
)  # fmt: skip
SHADES = ("#e9f0f8", "#9dbbd9")  # colours of tensors, from one channel to 512 and more


# -- whole networks ----------------------------------------------------------------------------------------------------


@styled
def network_figure(network: nn.Module, channels: int, dates: int, side: int = 1) -> Figure:
    """Layers of a network from top to bottom, streams side by side, with the shapes of the tensors between them.

    `side` is the side in pixels of the input patch. Shapes are channels x dates x pixels in a network of series of single
    pixels, and channels x dates x rows x columns otherwise; 2D-CNN stacks its dates as channels.
    """
    parts = layers(network, channels, dates, side)
    streams: dict[str, list[Layer]] = {}
    for layer in parts:
        streams.setdefault(layer.stream, []).append(layer)
    groups = {name: steps(part) for name, part in streams.items()}
    several = len(groups) > 1
    deepest = max(map(len, groups.values()))
    height = (deepest + 2) * BOX + (deepest + 1) * GAP + (NAME if several else 0) + 0.1
    figure, ax = _canvas(height)
    top = height - 0.05
    _box(ax, 0.7, top, WIDTH - 1.4, "input", _times((channels, dates, *(side, side) * (side > 1))))
    width = (WIDTH - 0.4) / 2 if several else WIDTH - 1.4
    ends = []
    for number, (name, part) in enumerate(groups.items()):
        left = 0.1 + number * (width + 0.2) if several else 0.7
        x, start = left + SPINE * width, top - BOX
        if several:
            ax.text(left + width / 2, start - NAME / 2, name, ha="center", va="center", weight="bold", color=INK)
            start -= NAME
        ends.append((x, _stream(ax, left, start, width, part)))
    bottom = min(end for _, end in ends)
    for x, end in ends:
        if end > bottom:
            _arrow(ax, x, end + 0.02, bottom + 0.02, headless=True)
        _arrow(ax, x, bottom + 0.1, bottom + 0.02)
    if several:
        weight = getattr(network, "fusion", None)
        first, second = groups
        words = "by a learned weight" if weight is None else f"{weight:g} × {first} + {1 - weight:g} × {second}"
        _box(ax, 0.1, bottom, WIDTH - 0.2, "class probabilities", words)
    else:
        _box(ax, 0.7, bottom, WIDTH - 1.4, "class scores", f"{parts[-1].outputs[0]} at each pixel")
    named = f" in {len(groups)} streams, {' and '.join(groups)}, fused at the end" if several else ""
    inside = "; ".join(_title(group[0]) for part in groups.values() for group in part)
    total = sum(layer.parameters for layer in parts)
    alt = f"Diagram of a network{named}, with {total:,} parameters. From input to output: {inside}."
    return figure.describe(alt, pd.DataFrame([asdict(layer) for layer in parts]))


def _stream(ax: Axes, left: float, top: float, width: float, groups: list[list[Layer]]) -> float:
    """Draw boxes and arrows of one stream downwards from `top`; return the height where its last arrow ends."""
    first = groups[0][0]
    series = len(first.inputs) == 3 and first.kernel[-1] == 1  # a kernel over dates covers one pixel
    _tensor(ax, left, top, width, first.inputs, series)
    for group in groups:
        top -= GAP
        rest = [f"{layer.kind.rstrip('123d')} {layer.dropout or ''}".strip() for layer in group[1:]]
        _box(ax, left, top, width, _title(group[0]), ", ".join(rest))
        top -= BOX
        _tensor(ax, left, top, width, group[-1].outputs, series)
    return top - GAP


def _title(layer: Layer) -> str:
    return f"Conv {_times(layer.kernel)}, {layer.outputs[0]} filters"


def _times(numbers) -> str:
    return " x ".join(map(str, numbers)).replace("x", "×")


def _tensor(ax: Axes, left: float, top: float, width: float, shape: tuple[int, ...], series: bool) -> None:
    """Draw the arrow between two boxes, with a sketch of the tensor on its left and the tensor's shape on its right."""
    x, middle = left + SPINE * width, top - GAP / 2
    _arrow(ax, x, top, top - GAP + 0.02)
    sizes = shape[:-1] if series and shape[-1] == 1 else shape
    ax.text(x + 0.1, middle, _times(sizes), va="center", fontsize=9.5, color=INK)
    share = min(1, math.log2(shape[0]) / 9)
    shade = (1 - share) * np.array(to_rgb(SHADES[0])) + share * np.array(to_rgb(SHADES[1]))
    style: Any = {"facecolor": shade, "edgecolor": EDGE, "linewidth": 0.6}
    count = shape[1] if series or len(shape) == 4 else 1
    if series:
        cell = min(0.07, 0.8 / count)
        for date in range(count):
            ax.add_patch(Rectangle((x - 0.14 - (count - date) * cell, middle - 0.09), cell, 0.18, **style))
    else:
        size, shift = 0.24, 0.13 / max(count - 1, 1)
        low = middle - (size + shift * (count - 1)) / 2
        for sheet in reversed(range(count)):
            ax.add_patch(Rectangle((x - 0.6 + 1.6 * sheet * shift, low + sheet * shift), size, size, **style))


def _box(ax: Axes, left: float, top: float, width: float, title: str, below: str = "") -> None:
    """Draw a box with two lines of text, its upper edge at `top`."""
    shape = FancyBboxPatch(
        (left + 0.04, top - BOX + 0.04), width - 0.08, BOX - 0.08, boxstyle="round,pad=0.04", facecolor=FILL,
        edgecolor=EDGE, linewidth=1,
    )  # fmt: skip
    ax.add_patch(shape)
    middle = top - BOX / 2
    ax.text(
        left + width / 2, middle + (0.1 if below else 0), title, ha="center", va="center", fontsize=10, weight="bold",
        color=INK,
    )  # fmt: skip
    ax.text(left + width / 2, middle - 0.11, below, ha="center", va="center", fontsize=8.5, color=INK)


def _arrow(ax: Axes, x: float, start: float, end: float, headless: bool = False) -> None:
    style = {"arrowstyle": "-" if headless else "-|>", "color": INK, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (x, end), (x, start), arrowprops=style)


def _canvas(height: float) -> tuple[Figure, Axes]:
    """A figure with axes in inches from its lower left corner."""
    figure = Figure((WIDTH, height))
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height))
    ax.set_axis_off()
    return figure, ax


# -- one convolution ---------------------------------------------------------------------------------------------------


@styled
def convolution_figure(network: nn.Module, channels: int, dates: int, side: int = 9) -> Figure:
    """Three steps of the kernel of a network's first convolution and their results; fewer steps for fewer dates.

    The kernel moves as in the layer: over the dates of a pixel from the first date on, over a patch of `side` x `side`
    pixels with dates stacked as channels, or over dates and pixels at once. Over pixels, the first positions that lie
    inside the patch are drawn. Raises `InputError` for a patch that is too small for three steps.
    """
    first = layers(network, channels, dates, side)[0]
    over_dates = len(first.kernel) == 2 and first.kernel[-1] == 1
    if not over_dates and side < max(first.kernel[-2:]) + 2:
        raise InputError(
            f"A kernel of {_times(first.kernel)} takes no three steps over {side} pixels.",
            "Draw more of them.",
            kind="figures.side",
        )
    figure = (_over_dates if over_dates else _over_pixels)(first, channels, dates, side)
    alt = f"A kernel of {_times(first.kernel)} at its first places over an input of {_times(first.inputs)}."
    return figure.describe(alt, pd.DataFrame([asdict(first)]))


def _over_dates(layer: Layer, channels: int, dates: int, side: int) -> Figure:
    length, results = layer.kernel[0], layer.outputs[1]
    beyond = (results - dates + length - 1) // 2  # zeros that the layer adds at each end
    count = min(3, results)
    figure, ax = _canvas(0.3 + 1.4 * count)
    cell = min(0.4, 4.7 / (dates + 2 * beyond))
    left = (WIDTH - dates * cell) / 2
    for step in range(count):
        top = 0.1 + 1.4 * (count - step)
        above, below = top - 0.42, top - 0.74
        ax.text(left - beyond * cell, top, f"step {step + 1}", fontsize=10, weight="bold", color=INK, va="center")
        for date in range(-beyond, dates + beyond):
            under, inside = step <= date + beyond < step + length, 0 <= date < dates
            _cell(ax, left + date * cell, above, cell, KERNEL if under else SHEET if inside else "white", inside)
            ax.text(
                left + (date + 0.5) * cell, above + 0.15, str(date + 1) if inside else "0", ha="center", va="center",
                fontsize=9, color="white" if under else INK, weight="bold" if under else "normal",
            )  # fmt: skip
        shift = beyond - (length // 2)  # of the outputs, where the layer adds fewer zeros than half a kernel
        for date in range(results):
            colour = RESULT if date == step else DONE if date < step else "white"
            _cell(ax, left + (date - shift) * cell, below - 0.3, cell, colour)
        start, place = step - beyond, step - shift
        corners = [(start, above), (start + length, above), (place + 1, below), (place, below)]
        ax.add_patch(Polygon([(left + x * cell, y) for x, y in corners], facecolor=KERNEL, alpha=0.22, linewidth=0))
    words = {
        "input": f"one channel, {_dates(dates)}",
        "output": f"{_dates(results)} for each of {layer.outputs[0]} filters",
    }
    for height, (name, content) in zip((0.1 + 1.4 * count, 0.12), words.items(), strict=True):
        right = max(
            left + (dates + beyond) * cell, left - beyond * cell + 2.7
        )  # right of the step's title for a short series
        ax.text(right, height, f"{name}: {content}", fontsize=9, color=INK, va="center", ha="right")
    return figure


def _over_pixels(layer: Layer, channels: int, dates: int, side: int) -> Figure:
    stacked = len(layer.kernel) == 2
    sheets, depth = (
        (8, 8) if stacked else (dates, min(dates, layer.kernel[0]))
    )  # 8 sheets represent all images of a stack
    results, start = (1, 0) if stacked else (layer.outputs[1], depth // 2)
    cell, shift = 0.85 / side, np.array([0.55, 0.42]) / max(sheets - 1, 1)
    figure, ax = _canvas(4.3)
    beyond = (layer.outputs[-1] - side + layer.kernel[-1] - 1) // 2  # zeros that the layer adds at each side
    size = np.array(layer.kernel[:-3:-1]) * cell
    for step in range(3):
        origin, below = np.array([0.15 + 1.65 * step, 2.35]), np.array([0.15 + 1.65 * step, 0.35])
        ax.text(origin[0], 4.15, f"step {step + 1}", fontsize=10, weight="bold", color=INK, va="center")
        for corner, count, width in ((origin, sheets, side), (below, results, layer.outputs[-1])):
            for sheet in reversed(range(count)):
                _sheet(ax, corner + sheet * shift, width, cell)
        place = origin + np.array([step, side - layer.kernel[-2]]) * cell  # rows are counted from the top
        result = below + start * shift + np.array([step + beyond, layer.outputs[-1] - 1 - beyond]) * cell
        for edge in (0, 1):
            across = place[0] + edge * size[0], result[0] + edge * cell
            ax.plot(across, (place[1], result[1] + cell), color=KERNEL, linewidth=1, zorder=2)
        _prism(ax, place, size, (depth - 1) * shift)
        look: Any = {"facecolor": RESULT, "edgecolor": "white", "linewidth": 0.5, "zorder": 4}
        ax.add_patch(Rectangle((result[0], result[1]), cell, cell, **look))
    stack = f"{layer.inputs[0]} images ({channels} channels × {_dates(dates)})"
    read = stack if stacked else f"one channel, {_dates(dates)}"
    written = "one image" if stacked else _dates(results)
    for height, words in ((3.9, f"input: {read}"), (0.15, f"output: {written} for each of {layer.outputs[0]} filters")):
        ax.text(0.15, height, words, fontsize=9, color=INK, va="center")
    return figure


def _dates(count: int) -> str:
    return "one date" if count == 1 else f"{count} dates"


def _cell(ax: Axes, x: float, y: float, width: float, colour: str, inside: bool = True) -> None:
    """Draw a value of a series, or a zero beyond its ends."""
    line = "-" if inside else ":"
    ax.add_patch(Rectangle((x, y), width, 0.3, facecolor=colour, edgecolor=EDGE, linewidth=0.8, linestyle=line))


def _sheet(ax: Axes, corner: np.ndarray, side: int, cell: float) -> None:
    """Draw an image of `side` x `side` pixels."""
    (x, y), size = corner, side * cell
    ax.add_patch(Rectangle((x, y), size, size, facecolor=SHEET, edgecolor=EDGE, linewidth=0.6))
    thin: Any = {"color": EDGE, "linewidth": 0.3, "zorder": 1}  # in the order of the sheet: the next one covers them
    for line in range(1, side):
        ax.plot([x + line * cell] * 2, [y, y + size], **thin)
        ax.plot([x, x + size], [y + line * cell] * 2, **thin)


def _prism(ax: Axes, corner: np.ndarray, size: np.ndarray, back: np.ndarray) -> None:
    """Draw the kernel as a prism, its front face at `corner` and its back face shifted by `back`."""
    (x, y), (width, height) = corner, size
    front = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    behind = [(x + back[0], y + back[1]) for x, y in front]
    for face in ([front[3], front[2], behind[2], behind[3]], [front[1], front[2], behind[2], behind[1]], front):
        ax.add_patch(
            Polygon(
                face, facecolor=KERNEL, alpha=0.9 if face is front else 0.55, edgecolor="white", linewidth=0.6, zorder=3
            )
        )
