"""Where a model may be believed, as maps."""

import numpy as np
import xarray as xr

from ..images import extent, km_axes, map_grid, subsample
from ..map_figures import pixels
from ..theme import Figure, styled


@styled
def area_figure(index: xr.DataArray, threshold: float, right: xr.DataArray) -> Figure:
    """The dissimilarity index of a scene (y, x), NaN where unknown, and where its map is right, inside the area and outside.

    `right`: bool (y, x).
    """
    index, right = subsample(index), subsample(right)
    figure, axes = map_grid(2, index.sizes["y"] / index.sizes["x"])
    first, second = axes.flat[:2]
    shown = first.imshow(
        index.values, extent=extent(index), vmin=0, vmax=2 * threshold, cmap="cividis", interpolation="nearest"
    )
    first.set_title("dissimilarity index")
    bar = figure.colorbar(shown, ax=first, shrink=0.8, extend="max")
    bar.ax.axhline(threshold, color="#cc3344", linewidth=2)
    bar.set_label("index; red: threshold of the area")
    kinds = {
        "inside, right": (~(index.values > threshold) & right.values, "#dfe6ee"),
        "inside, wrong": (~(index.values > threshold) & ~right.values, "#4477aa"),
        "outside, right": ((index.values > threshold) & right.values, "#f1c7a5"),
        "outside, wrong": ((index.values > threshold) & ~right.values, "#bb3322"),
    }
    image = np.ones((*index.shape, 3))
    for where, colour in kinds.values():
        image[where] = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    second.imshow(image, extent=extent(index), interpolation="nearest")
    second.set_title("area of applicability and truth")
    km_axes(axes)
    handles = [
        second.scatter([], [], marker="s", s=50, color=colour, edgecolor="0.5", linewidth=0.5, label=name)
        for name, (_, colour) in kinds.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    number = sum(where * place for place, (where, _) in enumerate(kinds.values()))
    data = pixels(index, {"index": index.values, "kind": np.array(list(kinds))[number]})
    return figure.describe(
        "Dissimilarity index of every pixel, and where the map is right, inside the area of applicability and outside.",
        data,
    )
