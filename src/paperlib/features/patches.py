"""Patches around polygons, cut from a scene as samples."""

import warnings
from collections import defaultdict
from collections.abc import Iterator
from itertools import product

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

    A polygon wider than a patch gets several, side by side; at the scene's edge a patch is shifted inside. The label
    mask of a patch holds the pixels of its own polygon alone, so each labelled pixel is labelled in exactly one patch.
    No labelled pixel lies within `margin` pixels of a patch's border, unless the scene ends there too: with half a
    model's receptive field as margin, the model answers in the patch exactly as it does in the whole scene.
    Pixels without any usable date are unlabelled, with a warning. Raises `InputError` for a scene smaller than a patch
    and for a class of these polygons without a labelled pixel.
    """
    shape = scene.sizes["y"], scene.sizes["x"]
    if size <= 2 * margin:
        raise InputError(
            f"A patch of {size} pixels has no room inside margins of {margin}.",
            f"Raise sample.patch to {2 * margin + 1} or more (--set sample.patch={2 * margin + 1}).", kind="sample.patch",
        )  # fmt: skip
    if min(shape) < size:
        raise InputError(
            f"The scene has {shape[0]} x {shape[1]} pixels, less than one patch of {size}.",
            f"Lower sample.patch (--set sample.patch={min(shape)}).", kind="sample.patch",
        )  # fmt: skip
    parts = _patches(burned["polygon"].values, polygons["polygon_id"].to_numpy(), size, margin)
    inputs = inputs or Inputs.of(scene)
    x = np.empty((len(parts), len(inputs.channels()), len(inputs.days), size, size), np.float32)
    for index, values in _read(scene, inputs, [(rows, columns) for rows, columns, _ in parts]):
        x[index] = values
    polygon = np.array([mask for *_, mask in parts], np.int64).reshape(-1, size, size)
    label = np.array([burned["label"].values[y, x] for y, x, _ in parts], np.int64).reshape(-1, size, size)
    missing = np.isnan(x).any(axis=(1, 2)) & (polygon >= 0)
    if missing.any():
        ids = np.unique(polygon[missing]).tolist()
        warnings.warn(
            InputWarning(
                f"{missing.sum()} labelled pixels have no usable date and are left out (polygon_id {ids[:10]}).",
                "Clouds or nodata cover them on all dates: add dates, or draw other polygons.", kind="labels.nodata",
            ),
            stacklevel=2,
        )  # fmt: skip
    polygon[missing] = -1
    label[polygon < 0] = -1
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


def _read(scene: xr.DataArray, inputs: Inputs, places: list[tuple[slice, slice]]) -> Iterator[tuple[int, np.ndarray]]:
    """Number and channels (channel, day, y, x) of each window; neighbours are read together.

    Opening a hundred files costs as much as reading some 200 x 200 pixels of them, so windows that start in the same
    block of `BLOCK` pixels share one reading.
    """
    blocks = defaultdict(list)
    for index, (y, x) in enumerate(places):
        blocks[y.start // BLOCK, x.start // BLOCK].append(index)
    for members in blocks.values():
        top, left = (min(places[index][axis].start for index in members) for axis in (0, 1))
        bottom, right = (max(places[index][axis].stop for index in members) for axis in (0, 1))
        values = inputs.read(scene, slice(top, bottom), slice(left, right))
        for index in members:
            y, x = places[index]
            yield index, values[..., y.start - top : y.stop - top, x.start - left : x.stop - left]


def _patches(numbers: np.ndarray, wanted: np.ndarray, size: int, margin: int) -> list[tuple[slice, slice, np.ndarray]]:
    """Patches of the wanted polygons: (rows, columns, mask (y, x) int64 of its own polygon's number, -1 elsewhere)."""
    rows, columns = np.nonzero(numbers >= 0)  # labelled pixels are few, a scene is large
    pixels = pd.DataFrame({"y": rows, "x": columns}).groupby(numbers[rows, columns]).indices
    patches = []
    for polygon in (number for number in wanted if number in pixels):
        y, x = rows[pixels[polygon]], columns[pixels[polygon]]
        free = np.ones(len(y), bool)  # not yet in a patch: patches that are shifted inside the scene may overlap
        starts = (_starts(y, size, margin, numbers.shape[0]), _starts(x, size, margin, numbers.shape[1]))
        for top, left in product(*starts):
            inside = _inside(y, top, size, margin, numbers.shape[0]) & _inside(x, left, size, margin, numbers.shape[1])
            own = free & inside
            free &= ~own
            if own.any():
                mask = np.full((size, size), -1, np.int64)
                mask[y[own] - top, x[own] - left] = polygon
                patches.append((slice(top, top + size), slice(left, left + size), mask))
    return patches


def _starts(occupied: np.ndarray, size: int, margin: int, limit: int) -> list[int]:
    """First rows (or columns) of the patches whose insides cover these, centred on them, shifted inside the scene."""
    low, high = occupied.min(), occupied.max() + 1
    step = size - 2 * margin
    number = -(-(high - low) // step)
    first = low - (number * step - (high - low)) // 2 - margin
    return sorted({int(np.clip(first + index * step, 0, limit - size)) for index in range(number)})


def _inside(place: np.ndarray, start: int, size: int, margin: int, limit: int) -> np.ndarray:
    """Which rows (or columns) lie in a patch and not in its margin; where the scene ends there is no margin."""
    low = start + margin if start > 0 else 0
    high = start + size - margin if start + size < limit else limit
    return (place >= low) & (place < high)
