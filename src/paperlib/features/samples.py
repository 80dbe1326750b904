"""Samples: patches around polygons with label masks, pixels, normalisation, oversampling (sections 3.1 to 3.3)."""

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import torch
import xarray as xr
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..errors import InputError
from ..nomenclature import LandCover
from .indices import channel_names
from .window import read_features

#: Side in pixels of the blocks in which neighbouring patches are read together.
BLOCK = 256

#: Of `Samples`, in files.
TENSORS = ("x", "label", "polygon", "superpixel")


@dataclass(frozen=True)
class Samples:
    """Patches of one set of polygons; a pixel is a patch of 1 x 1."""

    x: Tensor  # float32 (sample, channel, date, y, x)
    label: Tensor  # int64 (sample, y, x): class index, -1 unlabelled
    polygon: Tensor  # int64 (sample, y, x): polygon_id, -1 unlabelled
    channels: tuple[str, ...]
    superpixel: Tensor | None = None  # int64 (sample, y, x): its number; see `superpixels.extract_superpixels`

    def __len__(self) -> int:
        return len(self.x)

    def pixels(self) -> "Samples":
        """The labelled pixels alone, as patches of 1 x 1."""
        sample, y, x = (self.label >= 0).nonzero(as_tuple=True)
        one = (slice(None), None, None)
        series = self.x[sample, :, :, y, x][..., None, None]
        return replace(self, x=series, label=self.label[sample, y, x][one], polygon=self.polygon[sample, y, x][one])

    def inputs(self, part: Tensor, device: torch.device) -> tuple[Tensor, ...]:
        """What a classifier takes of the samples numbered `part` (sample,): x, and the superpixels where there are any."""
        tensors = (self.x,) if self.superpixel is None else (self.x, self.superpixel)
        return tuple(tensor[part].to(device) for tensor in tensors)

    def counts(self, classes: int) -> Tensor:
        """Labelled pixels of each class (class,)."""
        return torch.bincount(self.label[self.label >= 0], minlength=classes)

    def map(self, function: Callable[[Tensor], Tensor]) -> "Samples":
        """The same samples with `function` applied to `x`."""
        return replace(self, x=function(self.x))

    def save(self, path: Path) -> None:
        """Write the samples to a safetensors file."""
        tensors = {name: getattr(self, name) for name in TENSORS if getattr(self, name) is not None}
        save_file(
            {name: tensor.contiguous() for name, tensor in tensors.items()}, path, {"channels": " ".join(self.channels)}
        )

    @classmethod
    def load(cls, path: Path) -> "Samples":
        """Read samples written by `save`."""
        with safe_open(path, "pt") as file:
            channels = tuple(file.metadata()["channels"].split())
            tensors = {name: file.get_tensor(name) for name in TENSORS if name in file.keys()}  # noqa: SIM118
            return cls(**tensors, channels=channels)


def extract(scene: xr.DataArray, burned: xr.Dataset, polygons: gpd.GeoDataFrame, size: int, margin: int = 0) -> Samples:
    """Patches of `size` x `size` pixels around each polygon: gap-filled bands and indices, not normalised.

    A polygon wider than a patch gets several, side by side; at the scene's edge a patch is shifted inside. The label
    mask of a patch holds the pixels of its own polygon alone, so each labelled pixel is labelled in exactly one patch.
    No labelled pixel lies within `margin` pixels of a patch's border, unless the scene ends there too: with half a
    model's receptive field as margin, the model answers in the patch exactly as it does in the whole scene.
    Pixels without any usable date are unlabelled, with a warning. Raises `InputError` for a scene smaller than a patch
    and for a class of these polygons without a labelled pixel.
    """
    shape = scene.sizes["y"], scene.sizes["x"]
    if size <= 2 * margin:
        raise InputError(f"A patch of {size} pixels has no room inside margins of {margin}: raise sample.patch.")
    if min(shape) < size:
        raise InputError(
            f"The scene has {shape[0]} x {shape[1]} pixels, less than one patch of {size}: lower sample.patch."
        )
    parts = _patches(burned["polygon"].values, polygons["polygon_id"].to_numpy(), size, margin)
    channels = channel_names(tuple(scene.band.values))
    x = np.empty((len(parts), len(channels), scene.sizes["time"], size, size), np.float32)
    for index, values in _load(scene, [place for *place, _ in parts]):
        x[index] = values
    polygon = np.array([mask for *_, mask in parts], np.int64).reshape(-1, size, size)
    label = np.array([burned["label"].values[y, x] for y, x, _ in parts], np.int64).reshape(-1, size, size)
    missing = np.isnan(x).any(axis=(1, 2)) & (polygon >= 0)
    if missing.any():
        ids = np.unique(polygon[missing]).tolist()
        warnings.warn(
            f"{missing.sum()} labelled pixels have no usable date and are left out (polygon_id {ids[:10]}).",
            stacklevel=2,
        )
    polygon[missing] = -1
    label[polygon < 0] = -1
    lost = polygons[~polygons["code"].isin(polygons["code"][polygons["polygon_id"].isin(polygon.ravel())])]
    if len(lost):
        raise InputError(
            f"No labelled pixel with a usable date for {', '.join(sorted(lost['class_name'].unique()))} (polygon_id "
            f"{lost['polygon_id'].tolist()[:10]}): clouds, nodata or no pixel centre. Draw other polygons of the class."
        )
    kept = (polygon >= 0).any(axis=(1, 2))
    arrays = (torch.from_numpy(array[kept]) for array in (x, label, polygon))
    return Samples(*arrays, channels)


def _load(scene: xr.DataArray, places: list[tuple[slice, slice]]) -> Iterator[tuple[int, np.ndarray]]:
    """Number and features (channel, time, y, x) of each window; neighbours are read together.

    Opening a hundred files costs as much as reading some 200 x 200 pixels of them, so windows that start in the same
    block of `BLOCK` pixels share one reading.
    """
    blocks = defaultdict(list)
    for index, (y, x) in enumerate(places):
        blocks[y.start // BLOCK, x.start // BLOCK].append(index)
    for members in blocks.values():
        top, left = (min(places[index][axis].start for index in members) for axis in (0, 1))
        bottom, right = (max(places[index][axis].stop for index in members) for axis in (0, 1))
        values = read_features(scene, slice(top, bottom), slice(left, right))
        for index in members:
            y, x = places[index]
            yield index, values[..., y.start - top : y.stop - top, x.start - left : x.stop - left]


def _patches(numbers: np.ndarray, wanted: np.ndarray, size: int, margin: int) -> list[tuple[slice, slice, np.ndarray]]:
    """Patches of the wanted polygons: (rows, columns, mask (y, x) int64 of its own polygon's number, -1 elsewhere)."""
    rows, columns = np.nonzero(numbers >= 0)  # labelled pixels are few, a scene is large
    pixels = pd.DataFrame({"y": rows, "x": columns}).groupby(numbers[rows, columns]).indices
    patches = []
    for polygon in (one for one in wanted if one in pixels):
        y, x = rows[pixels[polygon]], columns[pixels[polygon]]
        left = np.ones(len(y), bool)  # not yet in a patch: patches that are shifted inside the scene may overlap
        for top, first in product(
            *(_starts(one, size, margin, n) for one, n in zip((y, x), numbers.shape, strict=True))
        ):
            mine = (
                left
                & _inside(y, top, size, margin, numbers.shape[0])
                & _inside(x, first, size, margin, numbers.shape[1])
            )
            left &= ~mine
            if mine.any():
                mask = np.full((size, size), -1, np.int64)
                mask[y[mine] - top, x[mine] - first] = polygon
                patches.append((slice(top, top + size), slice(first, first + size), mask))
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


@dataclass(frozen=True)
class Normaliser:
    """Scales each channel so that `low` becomes 0 and `high` 1, without clipping (Pelletier et al., 2019b)."""

    low: Tensor  # float32 (channel,)
    high: Tensor  # float32 (channel,)

    @classmethod
    def fit(cls, samples: Samples) -> "Normaliser":
        """2nd and 98th percentile of each channel over the labelled pixels and dates of `samples`: the training set."""
        values = samples.pixels().x.transpose(0, 1).flatten(1).numpy()
        if not values.size:
            raise InputError("No labelled pixel to take the percentiles of; check the training polygons.")
        low, high = np.nanpercentile(values, (2, 98), axis=1).astype(np.float32)
        return cls(torch.from_numpy(low), torch.from_numpy(high))

    def apply(self, x: Tensor) -> Tensor:
        """Scaled x (sample, channel, ...) on x's own device; what is not a number becomes 0."""
        shape = (1, -1, *(1,) * (x.ndim - 2))
        low, high = self.low.to(x.device).reshape(shape), self.high.to(x.device).reshape(shape)
        spread = torch.where(high > low, high - low, torch.ones_like(low))  # a constant channel becomes 0
        return ((x - low) / spread).nan_to_num(nan=0.0)

    def apply_in_place(self, values: np.ndarray) -> None:
        """As `apply`, on values float32 (channel, date, y, x) in memory, a date at a time: that stays in the cache."""
        for channel, low, high in zip(values, self.low.numpy(), self.high.numpy(), strict=True):
            spread = high - low if high > low else np.float32(1)
            for image in channel:
                np.subtract(image, low, out=image)
                np.divide(image, spread, out=image)
                if not np.isfinite(image).all():  # seldom, and replacing costs more than all else
                    np.nan_to_num(image, copy=False, nan=0.0)

    def to_dict(self) -> dict[str, list[float]]:
        """Plain numbers, for JSON."""
        return {"low": self.low.tolist(), "high": self.high.tolist()}

    @classmethod
    def from_dict(cls, content: dict[str, list[float]]) -> "Normaliser":
        """The inverse of `to_dict`."""
        return cls(torch.tensor(content["low"]), torch.tensor(content["high"]))


def oversample(label: Tensor, generator: torch.Generator) -> Tensor:
    """Indices of samples: each once, then repeats of minority classes until all have about as many labelled pixels.

    `label` is int64 (sample, y, x), with one class a sample, as `extract` makes them. The samples of a class are all
    repeated equally often, up to one, in an order drawn by `generator`: the same seed gives the same repeats.
    """
    labelled = (label >= 0).flatten(1).sum(1)
    kind = label.flatten(1).max(1).values
    groups = [(kind == one).nonzero().flatten() for one in kind.unique() if one >= 0]
    largest = max((int(labelled[members].sum()) for members in groups), default=0)
    order = [torch.arange(len(label))]
    for members in groups:
        pixels = int(labelled[members].sum())
        rounds = -(-largest // pixels) - 1
        shuffled = torch.rand(rounds, len(members), generator=generator).argsort(1)
        repeats = members[shuffled.flatten()]
        # a repeat is worth it while at least half of it is still lacking
        order.append(repeats[pixels + labelled[repeats].cumsum(0) - labelled[repeats] / 2 <= largest])
    return torch.cat(order)


def class_series(sets: list[Samples], legend: tuple[LandCover, ...], dates: pd.DatetimeIndex) -> pd.DataFrame:
    """Mean and standard deviation of each class, channel and date over the labelled pixels of some sets.

    Columns code, class_name, colour, channel, date, mean, std, n (pixels).
    """
    pixels = [samples.pixels() for samples in sets]
    values = torch.cat([one.x for one in pixels])[..., 0, 0].numpy()
    label = torch.cat([one.label for one in pixels]).flatten().numpy()
    frames = []
    for index, cover in enumerate(legend):
        chosen = values[label == index]
        grid = pd.MultiIndex.from_product([pixels[0].channels, dates], names=["channel", "date"])
        frame = pd.DataFrame({"mean": chosen.mean(0).ravel(), "std": chosen.std(0).ravel()}, index=grid).reset_index()
        frames.append(frame.assign(code=cover.code, class_name=cover.name, colour=cover.colour, n=len(chosen)))
    return pd.concat(frames, ignore_index=True)
