"""Masks of a cube whose name leaves open what their values mean: the values of the layer and of the images tell."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from ...errors import InputWarning
from ..meaning.values import probability_rule, sample_places, warn_of_probability
from ..quality import Rule
from .series import CubeSeries
from .variables import Variable


def _sample(
    shape: Sequence[int], variable: Variable, number: int | None
) -> Iterator[tuple[tuple[slice, slice, slice], np.ndarray]]:
    """Windows (time, y, x) spread over a layer of a cube of `shape`, each with what is stored there (y, x)."""
    for time in sorted({0, shape[1] // 2, shape[1] - 1}):
        for y, x in sample_places(shape[2], shape[3], side=64):
            place = slice(time, time + 1)
            raw = variable.read(**({"band": [number]} if number is not None else {}), time=place, y=y, x=x)
            yield (place, y, x), raw.reshape(raw.shape[-2:])


def cloud_rule(shape: Sequence[int], variable: Variable, number: int | None, rule: Rule, where: str) -> Rule:
    """The rule of a layer of clouds, which may hold their probability."""
    found = probability_rule(np.concatenate([raw.ravel() for _, raw in _sample(shape, variable, number)]))
    if found is not None:
        warn_of_probability(where)
    return found or rule


def mask_rule(
    series: CubeSeries, shape: Sequence[int], variable: Variable, number: int | None, rule: Rule, where: str
) -> Rule:
    """The sense of a layer that is only called mask.

    1 is good where the images are empty at 0 and full at 1. Where they are full at both, the rarer value is bad; if that is
    0, the images at 1 must be darker as well, as clouds are bright, and a warning says what was taken.
    """
    counts = np.zeros((2, 2), int)  # (0 or 1, empty or full)
    levels: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for place, raw in _sample(shape, variable, number):
        values = series.values(slice(0, shape[0]), *place)[:, 0]
        empty, bad = np.isnan(values).any(axis=0), rule.unusable(raw)
        counts += [[(part & empty).sum(), (part & ~empty).sum()] for part in (~bad, bad)]
        for part, level in zip((~bad, bad), levels, strict=True):
            level.append(values[0][part & ~empty])
    (zero_empty, zero_full), (one_empty, one_full) = counts
    if rule.kind != "bad" or (one_empty and not zero_empty):
        return rule
    if zero_empty and not one_empty and one_full > zero_full:
        return Rule("good")
    zero, one = (np.concatenate(level) for level in levels)
    if one.size <= zero.size:
        return rule
    good = not zero.size or bool(np.median(one) < np.median(zero))
    problem = f"{where}: whether 1 of its mask is good or bad is not said; it is taken for {'good' if good else 'bad'}."
    fix = "If that is wrong, rename it: valid_mask where 1 is good, cloud_mask where 1 is bad."
    warnings.warn(InputWarning(problem, fix, kind="scene.quality"), stacklevel=4)
    return Rule("good") if good else rule
