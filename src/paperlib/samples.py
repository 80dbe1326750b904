"""Samples: patches around polygons with their label masks, pixels, normalisation, oversampling (sections 3.1 to 3.3)."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import dask
import geopandas as gpd
import numpy as np
import pandas as pd
import torch
import xarray as xr
from safetensors import safe_open
from safetensors.torch import save_file
from scipy.ndimage import find_objects
from torch import Tensor

from .errors import InputError
from .indices import add_indices, channel_names, fill_gaps
from .paper import LandCover


@dataclass(frozen=True)
class Samples:
    """Patches of one set of polygons; a pixel is a patch of 1 x 1."""

    x: Tensor  # float32 (sample, channel, date, y, x)
    label: Tensor  # int64 (sample, y, x): class index, -1 unlabelled
    polygon: Tensor  # int64 (sample, y, x): polygon_id, -1 unlabelled
    channels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.x)

    def pixels(self) -> "Samples":
        """The labelled pixels alone, as patches of 1 x 1."""
        sample, y, x = (self.label >= 0).nonzero(as_tuple=True)
        one = (slice(None), None, None)
        series = self.x[sample, :, :, y, x][..., None, None]
        return replace(self, x=series, label=self.label[sample, y, x][one], polygon=self.polygon[sample, y, x][one])

    def counts(self, classes: int) -> Tensor:
        """Labelled pixels of each class (class,)."""
        return torch.bincount(self.label[self.label >= 0], minlength=classes)

    def map(self, function: Callable[[Tensor], Tensor]) -> "Samples":
        """The same samples with `function` applied to `x`."""
        return replace(self, x=function(self.x))

    def save(self, path: Path) -> None:
        """Write the samples to a safetensors file."""
        tensors = {"x": self.x, "label": self.label, "polygon": self.polygon}
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, {"channels": " ".join(self.channels)})

    @classmethod
    def load(cls, path: Path) -> "Samples":
        """Read samples written by `save`."""
        with safe_open(path, "pt") as file:
            channels = tuple(file.metadata()["channels"].split())
            return cls(*(file.get_tensor(name) for name in ("x", "label", "polygon")), channels)


def days_since_first(scene: xr.DataArray) -> np.ndarray:
    """Days (date,) from the first date of the scene."""
    return (scene.time.values - scene.time.values[0]) / np.timedelta64(1, "D")


def extract(scene: xr.DataArray, burned: xr.Dataset, polygons: gpd.GeoDataFrame, size: int) -> Samples:
    """Patches of `size` x `size` pixels around each polygon: gap-filled bands and indices, not normalised.

    A polygon wider than a patch gets several, side by side; at the scene's edge a patch is shifted inside. The label
    mask of a patch holds the pixels of its own polygon alone, so each labelled pixel is labelled in exactly one patch.
    Pixels without any usable date are unlabelled, with a warning. Raises `InputError` for a scene smaller than a patch.
    """
    shape = scene.sizes["y"], scene.sizes["x"]
    if min(shape) < size:
        raise InputError(f"The scene has {shape[0]} x {shape[1]} pixels, less than one patch of {size}: lower sample.patch.")
    parts = _patches(burned["polygon"].values, polygons["polygon_id"].to_numpy(), size)
    windows = [scene[..., y, x] for y, x, _ in parts]
    loaded = dask.compute(*[(window.data, window.mask.data) for window in windows])
    days = days_since_first(scene)
    bands = tuple(scene.band.values)
    x = np.stack([add_indices(fill_gaps(*one, days), bands, axis=0) for one in loaded])
    polygon = np.stack([mask for *_, mask in parts])
    label = np.stack([burned["label"].values[y, x] for y, x, _ in parts]).astype(np.int64)
    missing = np.isnan(x).any(axis=(1, 2)) & (polygon >= 0)
    if missing.any():
        warnings.warn(f"{missing.sum()} labelled pixels have no usable date and are left out.", stacklevel=2)
    polygon[missing] = -1
    label[polygon < 0] = -1
    return Samples(torch.from_numpy(x), torch.from_numpy(label), torch.from_numpy(polygon), channel_names(bands))


def _patches(numbers: np.ndarray, wanted: np.ndarray, size: int) -> list[tuple[slice, slice, np.ndarray]]:
    """Patches of the wanted polygons: (rows, columns, polygon numbers (y, x) int64 with all but its own polygon's -1)."""
    ids, inverse = np.unique(numbers, return_inverse=True)
    boxes = find_objects(inverse.reshape(numbers.shape) + 1)  # in one pass over the scene
    left = numbers.copy()  # pixels not yet in a patch: patches that are shifted inside the scene may overlap
    patches = []
    for polygon in wanted[np.isin(wanted, ids)]:
        rows, columns = boxes[np.searchsorted(ids, polygon)]
        for y in _starts(rows, size, numbers.shape[0]):
            for x in _starts(columns, size, numbers.shape[1]):
                place = slice(y, y + size), slice(x, x + size)
                mine = left[place] == polygon
                left[place][mine] = -1
                if mine.any():
                    patches.append((*place, np.where(mine, polygon, -1)))
    return patches


def _starts(extent: slice, size: int, limit: int) -> list[int]:
    """First rows (or columns) of the patches that cover an extent, centred on it, shifted inside the scene."""
    length = extent.stop - extent.start
    number = -(-length // size)
    first = extent.start - (number * size - length) // 2
    return sorted({int(np.clip(first + index * size, 0, limit - size)) for index in range(number)})


@dataclass(frozen=True)
class Normaliser:
    """Scales each channel so that `low` becomes 0 and `high` 1, without clipping (Pelletier et al., 2019b)."""

    low: Tensor  # float32 (channel,)
    high: Tensor  # float32 (channel,)

    @classmethod
    def fit(cls, samples: Samples) -> "Normaliser":
        """2nd and 98th percentile of each channel over the labelled pixels and dates of `samples`: the training set."""
        values = samples.pixels().x.transpose(0, 1).flatten(1).numpy()
        low, high = np.percentile(values, (2, 98), axis=1).astype(np.float32)
        return cls(torch.from_numpy(low), torch.from_numpy(high))

    def apply(self, x: Tensor) -> Tensor:
        """Scaled x (sample, channel, ...) on x's own device; what is not a number becomes 0."""
        shape = (1, -1, *(1,) * (x.ndim - 2))
        low, high = self.low.to(x.device).reshape(shape), self.high.to(x.device).reshape(shape)
        spread = torch.where(high > low, high - low, torch.ones_like(low))  # a constant channel becomes 0
        return ((x - low) / spread).nan_to_num(nan=0.0)

    def to_dict(self) -> dict[str, list[float]]:
        """Plain numbers, for JSON."""
        return {"low": self.low.tolist(), "high": self.high.tolist()}

    @classmethod
    def from_dict(cls, content: dict[str, list[float]]) -> "Normaliser":
        """The inverse of `to_dict`."""
        return cls(torch.tensor(content["low"]), torch.tensor(content["high"]))


def oversample(label: Tensor, generator: torch.Generator) -> Tensor:
    """Indices of samples: each once, then repeats of minority classes until all have about as many labelled pixels.

    `label` is int64 (sample, y, x); a sample counts for the class of most of its labelled pixels. Repeats are drawn at
    random by `generator`, which makes them the same for the same seed.
    """
    labelled = (label >= 0).flatten(1).sum(1)
    kind = torch.where(labelled > 0, label.flatten(1).max(1).values, -1)  # one polygon, one class in a patch
    largest = max((int(labelled[kind == one].sum()) for one in kind.unique() if one >= 0), default=0)
    order = [torch.arange(len(label))]
    for one in kind.unique():
        members = (kind == one).nonzero().flatten()
        lacking = largest - int(labelled[members].sum())
        if one < 0 or lacking <= 0:
            continue
        repeats = round(lacking / float(labelled[members].float().mean()))
        order.append(members[torch.randint(len(members), (repeats,), generator=generator)])
    return torch.cat(order)


def class_series(
    sets: list[Samples], legend: tuple[LandCover, ...], dates: pd.DatetimeIndex
) -> pd.DataFrame:
    """Mean and standard deviation of each class, channel and date over the labelled pixels of some sets.

    Columns code, class_name, channel, date, mean, std, n (pixels).
    """
    pixels = [samples.pixels() for samples in sets]
    values = torch.cat([one.x for one in pixels])[..., 0, 0].numpy()
    label = torch.cat([one.label for one in pixels]).flatten().numpy()
    frames = []
    for index, cover in enumerate(legend):
        chosen = values[label == index]
        grid = pd.MultiIndex.from_product([pixels[0].channels, dates], names=["channel", "date"])
        frame = pd.DataFrame({"mean": chosen.mean(0).ravel(), "std": chosen.std(0).ravel()}, index=grid).reset_index()
        frames.append(frame.assign(code=cover.code, class_name=cover.name, n=len(chosen)))
    return pd.concat(frames, ignore_index=True)
