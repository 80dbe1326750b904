"""Variations of samples that show what training needs: another split, fewer polygons, other dates, no indices."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from ..errors import InputError
from ..settings import Sample
from .indices import INDICES
from .inputs import Inputs
from .samples import Samples

Parts = dict[str, Samples]  # by set: train, validation, test


def vary(parts: Parts, choice: Sample, dates: list[str], seed: int) -> Parts:
    """Vary the samples of the three sets by the fields split, training_share, dates and indices of `choice`.

    Parameters
    ----------
    parts: samples by set.
    choice: the settings of samples.
    dates: dates of the scene, like "2018-07-08".
    seed: draws pixels, polygons and the order of dates.

    The test set always keeps its labels. Raises `InputError` (kind "settings.value") for a date that the scene lacks.
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


def varied_inputs(inputs: Inputs, choice: Sample, dates: list[str]) -> Inputs:
    """What classifiers trained on samples that `vary` made read of a scene: one date, bands without indices.

    Shuffled dates leave the days as they are: no scene gives the series in that order.
    """
    if choice.dates in dates:
        inputs = replace(inputs, days=(inputs.days[dates.index(choice.dates)],))
    return inputs if choice.indices else replace(inputs, indices=())


def _each(parts: Parts, function: Callable[[Samples], Samples]) -> Parts:
    return {name: function(part) for name, part in parts.items()}


def _split_by_pixel(parts: Parts, share: float, generator: torch.Generator) -> Parts:
    """Draw training and validation pixels from all polygons of the pool, so that both see every polygon."""
    pool = [parts["train"], parts["validation"]]
    x, label, polygon = (torch.cat([getattr(part, name) for part in pool]) for name in ("x", "label", "polygon"))
    chosen = torch.rand(label.shape, generator=generator) < share
    return {
        **parts,
        "train": _keep(replace(pool[0], x=x, label=label, polygon=polygon), ~chosen),
        "validation": _keep(replace(pool[0], x=x, label=label, polygon=polygon), chosen),
    }


def _fewer_polygons(samples: Samples, share: float, generator: torch.Generator) -> Samples:
    """Keep about this share of the polygons of each class, and at least one polygon."""
    labelled = samples.label >= 0
    kept = []
    for index in samples.label[labelled].unique():
        numbers = samples.polygon[samples.label == index].unique()
        order = torch.randperm(len(numbers), generator=generator)
        kept.append(numbers[order[: max(1, round(share * len(numbers)))]])
    return _keep(samples, torch.isin(samples.polygon, torch.cat(kept)))


def _keep(samples: Samples, where: Tensor) -> Samples:
    """Keep labels only `where` (sample, y, x), and drop samples that then have none."""
    label = samples.label.where(where, -1)
    labelled = (label >= 0).flatten(1).any(1)
    polygon = samples.polygon.where(label >= 0, -1)
    return replace(samples, x=samples.x[labelled], label=label[labelled], polygon=polygon[labelled])


def _order(choice: str, dates: list[str], generator: torch.Generator) -> Tensor:
    """Indices (date,) of the dates that are used: all of them shuffled, or a single one."""
    if choice == "shuffled":
        return torch.randperm(len(dates), generator=generator)
    if choice not in dates:
        fix = f"Choose all, shuffled, or one of {', '.join(dates)}."
        raise InputError(f"sample.dates = {choice!r} is not possible.", fix, kind="settings.value")
    return torch.tensor([dates.index(choice)])


def _bands_alone(samples: Samples) -> Samples:
    """Without spectral indices."""
    bands = [number for number, name in enumerate(samples.channels) if name not in INDICES]
    return replace(samples, x=samples.x[:, bands], channels=tuple(samples.channels[number] for number in bands))
