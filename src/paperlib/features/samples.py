"""Samples: patches or pixels with labels, how often minority classes are repeated, and what classes look like."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..nomenclature import LandCover

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
        series = self.x[sample, :, :, y, x][..., None, None]
        label, polygon = (values[sample, y, x][:, None, None] for values in (self.label, self.polygon))
        return Samples(series, label, polygon, self.channels)

    def within(self, receptive_field: int) -> "Samples":
        """The samples with no more context than a model of this receptive field sees: single pixels where it is 1."""
        return self.pixels() if receptive_field == 1 else self

    def __getitem__(self, part: Tensor) -> "Samples":
        """The samples numbered `part` (sample,)."""
        superpixel = None if self.superpixel is None else self.superpixel[part]
        return Samples(self.x[part], self.label[part], self.polygon[part], self.channels, superpixel)

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
            {name: tensor.contiguous() for name, tensor in tensors.items()},
            path,
            {"channels": json.dumps(self.channels)},
        )

    @classmethod
    def load(cls, path: Path) -> "Samples":
        """Read samples written by `save`."""
        with safe_open(path, "pt") as file:
            channels = tuple(json.loads(file.metadata()["channels"]))
            tensors = {name: file.get_tensor(name) for name in TENSORS if name in file.keys()}  # noqa: SIM118
            return cls(**tensors, channels=channels)


def join(parts: Iterable[Samples]) -> Samples:
    """Samples of several sets or tiles as one: patches below each other, superpixels numbered on in one sample of 1 x n."""
    parts = list(parts)
    dim = 0 if parts[0].superpixel is None else -1
    x, label, polygon = (torch.cat([getattr(part, name) for part in parts], dim) for name in ("x", "label", "polygon"))
    numbers: list[Tensor] = []
    for part in parts:
        if part.superpixel is not None:
            start = int(numbers[-1].max()) + 1 if numbers else 0
            numbers.append(part.superpixel + start)
    return Samples(x, label, polygon, parts[0].channels, torch.cat(numbers, dim) if numbers else None)


def of_polygons(samples: Samples, polygons: Iterable[int]) -> Samples:
    """The samples with labels of these polygons alone. Samples, or whole superpixels, without any of them are left out."""
    wanted = torch.isin(samples.polygon, torch.tensor(sorted(polygons), dtype=torch.int64))
    label, polygon = samples.label.where(wanted, -1), samples.polygon.where(wanted, -1)
    chosen = replace(samples, label=label, polygon=polygon)
    if samples.superpixel is None:
        return chosen[(label >= 0).flatten(1).any(1).nonzero().flatten()]
    kept = torch.isin(samples.superpixel, samples.superpixel[label >= 0])[0, 0].nonzero().flatten()
    x, label, polygon, superpixel = (
        getattr(chosen, name).index_select(-1, kept) for name in ("x", "label", "polygon", "superpixel")
    )
    return Samples(x, label, polygon, samples.channels, superpixel)


def oversample(label: Tensor, generator: torch.Generator) -> Tensor:
    """Indices of samples: each once, then repeats of minority classes until all have about as many labelled pixels.

    `label` is int64 (sample, y, x), with one class a sample, as `extract` makes them. The samples of a class are all
    repeated equally often, up to one, in an order drawn by `generator`: the same seed gives the same repeats.
    """
    labelled = (label >= 0).flatten(1).sum(1)
    kind = label.flatten(1).max(1).values
    groups = [(kind == index).nonzero().flatten() for index in kind.unique() if index >= 0]
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
    values = torch.cat([part.x for part in pixels])[..., 0, 0].numpy()
    label = torch.cat([part.label for part in pixels]).flatten().numpy()
    frames = []
    for index, cover in enumerate(legend):
        chosen = values[label == index]
        grid = pd.MultiIndex.from_product([pixels[0].channels, dates], names=["channel", "date"])
        frame = pd.DataFrame({"mean": chosen.mean(0).ravel(), "std": chosen.std(0).ravel()}, index=grid).reset_index()
        frames.append(frame.assign(code=cover.code, class_name=cover.name, colour=cover.colour, n=len(chosen)))
    return pd.concat(frames, ignore_index=True)
