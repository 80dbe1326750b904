"""Patches around polygons, cut from a scene as samples."""

import warnings
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import torch
import xarray as xr

from ..errors import InputError, InputWarning
from .inputs import Inputs
from .samples import Samples

#: Side in pixels of the blocks in which neighbouring patches are read together.
BLOCK = 256


def extract(
    scene: xr.DataArray,
    burned: xr.Dataset,
    polygons: gpd.GeoDataFrame,
    size: int,
    margin: int = 0,
    inputs: Inputs | None = None,
) -> Samples:
    """Patches of `size` x `size` pixels around each polygon: gap-filled bands and indices, not normalised.

    Parameters
    ----------
    scene: (band, time, y, x), lazy.
    burned: label and polygon number of every labelled pixel (y, x); see `labels.burn`.
    polygons: those to cut, with columns polygon_id, code and class_name.
    size, margin: in pixels.
    inputs: what is read of the scene; None: all bands, dates and possible indices.

    A polygon wider than a patch gets several, side by side. The label mask of a patch holds the pixels of its own polygon
    alone, so each labelled pixel is labelled in exactly one patch, and at least `margin` pixels from its border: with half
    a model's receptive field as margin, the model answers in the patch exactly as it does in the whole scene. Beyond the
    scene's end a patch holds its pixels reflected, and within the margin of others, pixels without data hold those of the
    nearest usable one (`Inputs.read_around`). Pixels without any usable date are unlabelled, with a warning. Raises
    `InputError` for a patch without room inside its margins and for a class of these polygons without a labelled pixel.
    """
    if size <= 2 * margin:
        raise InputError(
            f"A patch of {size} pixels has no room inside margins of {margin}.",
            f"Raise sample.patch to {2 * margin + 1} or more (--set sample.patch={2 * margin + 1}).", kind="sample.patch",
        )  # fmt: skip
    parts = _patches(burned["polygon"].values, polygons["polygon_id"].to_numpy(), size, margin)
    inputs = inputs or Inputs.of(scene)
    x = np.empty((len(parts), len(inputs.channels()), len(inputs.days), size, size), np.float32)
    label, polygon = np.full((2, len(parts), size, size), -1, np.int64)
    missing = np.zeros((len(parts), size, size), bool)
    inside = slice(margin, size - margin)
    for index, values, usable in _read(scene, inputs, [core for core, _, _ in parts], margin):
        x[index], missing[index, inside, inside] = values, ~usable
    for index, (_, place, own) in enumerate(parts):
        polygon[index][own] = burned["polygon"].values[place]
        label[index][own] = burned["label"].values[place]
    missing &= polygon >= 0
    if missing.any():
        ids = np.unique(polygon[missing]).tolist()
        warnings.warn(
            InputWarning(
                f"{missing.sum()} labelled pixels have no usable date and are left out (polygon_id {ids[:10]}).",
                "Clouds or nodata cover them on all dates: add dates, or draw other polygons.", kind="labels.nodata",
            ),
            stacklevel=2,
        )  # fmt: skip
    polygon[missing] = label[missing] = -1
    lost = polygons[~polygons["code"].isin(polygons["code"][polygons["polygon_id"].isin(polygon.ravel())])]
    if len(lost):
        raise InputError(
            f"No labelled pixel with a usable date for {', '.join(sorted(lost['class_name'].unique()))} (polygon_id "
            f"{lost['polygon_id'].tolist()[:10]}): clouds, nodata or no pixel centre.",
            "Draw other polygons of the class.", kind="labels.nodata",
        )  # fmt: skip
    kept = (polygon >= 0).any(axis=(1, 2))
    tensors = [torch.from_numpy(array[kept]) for array in (x, label, polygon)]
    return Samples(tensors[0], tensors[1], tensors[2], inputs.channels())


def _read(
    scene: xr.DataArray, inputs: Inputs, places: list[tuple[slice, slice]], margin: int
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Number, channels (channel, day, y, x) with the margin, and where there are data (y, x) without it, of each window.

    Opening a hundred files costs as much as reading some 200 x 200 pixels of them, so windows that start in the same
    block of `BLOCK` pixels share one reading.
    """
    blocks = defaultdict(list)
    for index, (y, x) in enumerate(places):
        blocks[y.start // BLOCK, x.start // BLOCK].append(index)
    for members in blocks.values():
        top, left = (min(places[index][axis].start for index in members) for axis in (0, 1))
        bottom, right = (max(places[index][axis].stop for index in members) for axis in (0, 1))
        values, usable = inputs.read_around(scene, slice(top, bottom), slice(left, right), margin)
        for index in members:
            (first, last), (start, stop) = (
                (part.start - origin, part.stop - origin)
                for part, origin in zip(places[index], (top, left), strict=True)
            )
            around = values[..., first : last + 2 * margin, start : stop + 2 * margin]
            yield index, around, usable[first:last, start:stop]


class _Patch(NamedTuple):
    """Where a patch lies, and its labelled pixels."""

    inside: tuple[slice, slice]  # rows and columns without the margin; they may lie beyond the scene
    place: tuple[np.ndarray, np.ndarray]  # rows and columns of its labelled pixels in the scene
    own: tuple[np.ndarray, np.ndarray]  # the same in the patch


def _patches(numbers: np.ndarray, wanted: np.ndarray, size: int, margin: int) -> list[_Patch]:
    """Patches of the wanted polygons."""
    rows, columns = np.nonzero(numbers >= 0)  # labelled pixels are few, a scene is large
    pixels = pd.DataFrame({"y": rows, "x": columns}).groupby(numbers[rows, columns]).indices
    step, patches = size - 2 * margin, []
    for polygon in (number for number in wanted if number in pixels):
        y, x = rows[pixels[polygon]], columns[pixels[polygon]]
        for top, left in product(_starts(y, step), _starts(x, step)):
            own = (y >= top) & (y < top + step) & (x >= left) & (x < left + step)
            if own.any():
                place = y[own], x[own]
                patches.append(
                    _Patch(
                        (slice(top, top + step), slice(left, left + step)), place,
                        (place[0] - top + margin, place[1] - left + margin),
                    )
                )  # fmt: skip
    return patches


def _starts(occupied: np.ndarray, step: int) -> range:
    """First rows (or columns) of the insides, `step` pixels a side, that cover these side by side, centred on them."""
    low, high = int(occupied.min()), int(occupied.max()) + 1
    number = -(-(high - low) // step)
    first = low - (number * step - (high - low)) // 2
    return range(first, first + number * step, step)
