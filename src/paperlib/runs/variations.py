"""Variations of the training data that put claims to the test: other splits, dates, channels, fewer polygons."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from ..errors import InputError
from ..features.samples import Samples
from ..settings import Sample

Parts = dict[str, Samples]  # by set: train, validation, test


def vary(parts: Parts, choice: Sample, dates: list[str], seed: int) -> Parts:
    """The samples of the three sets as `choice` wants them: its fields split, training_share, dates and indices.

    `dates` of the scene like "2018-07-08"; `seed` draws pixels, polygons and the order of dates. The test set keeps its
    labels always. Raises `InputError` for a value that is none of those that `settings.Sample` lists.
    """
    generator = torch.Generator().manual_seed(seed)
    if choice.split == "pixel":
        parts = _split_by_pixel(parts, choice.validation, generator)
    if choice.training_share < 1:
        parts = {**parts, "train": _fewer_polygons(parts["train"], choice.training_share, generator)}
    if choice.dates != "all":
        order = _order(choice.dates, dates, generator)
        parts = _each(parts, lambda part: part.map(lambda x: x[:, :, order]))
    if not choice.indices:
        parts = _each(parts, _bands_alone)
    return parts


def _each(parts: Parts, function: Callable[[Samples], Samples]) -> Parts:
    return {name: function(part) for name, part in parts.items()}


def _split_by_pixel(parts: Parts, share: float, generator: torch.Generator) -> Parts:
    """Training and validation pixels drawn from all polygons of the pool, as the paper's section 3.2 warns against."""
    pool = [parts["train"], parts["validation"]]
    x, label, polygon = (torch.cat([getattr(part, name) for part in pool]) for name in ("x", "label", "polygon"))
    chosen = torch.rand(label.shape, generator=generator) < share
    return {
        **parts,
        "train": _keep(replace(pool[0], x=x, label=label, polygon=polygon), ~chosen),
        "validation": _keep(replace(pool[0], x=x, label=label, polygon=polygon), chosen),
    }


def _fewer_polygons(samples: Samples, share: float, generator: torch.Generator) -> Samples:
    """About this share of the polygons of each class, one at least."""
    labelled = samples.label >= 0
    kept = []
    for index in samples.label[labelled].unique():
        numbers = samples.polygon[samples.label == index].unique()
        order = torch.randperm(len(numbers), generator=generator)
        kept.append(numbers[order[: max(1, round(share * len(numbers)))]])
    return _keep(samples, torch.isin(samples.polygon, torch.cat(kept)))


def _keep(samples: Samples, where: Tensor) -> Samples:
    """The samples with labels only `where` (sample, y, x), without those that then have none."""
    label = samples.label.where(where, -1)
    some = (label >= 0).flatten(1).any(1)
    polygon = samples.polygon.where(label >= 0, -1)
    return replace(samples, x=samples.x[some], label=label[some], polygon=polygon[some])


def _order(wanted: str, dates: list[str], generator: torch.Generator) -> Tensor:
    """Which dates (date,): all of them shuffled, or a single one."""
    if wanted == "shuffled":
        return torch.randperm(len(dates), generator=generator)
    if wanted not in dates:
        raise InputError(f"sample.dates = {wanted!r}; choose all, shuffled, or one of {', '.join(dates)}.")
    return torch.tensor([dates.index(wanted)])


def _bands_alone(samples: Samples) -> Samples:
    """Without spectral indices: bands are called B and a number."""
    bands = [index for index, name in enumerate(samples.channels) if name[1:2].isdigit()]
    return replace(samples, x=samples.x[:, bands], channels=tuple(samples.channels[index] for index in bands))
