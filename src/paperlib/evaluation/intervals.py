"""Uncertainty of scores, with the polygon as the sampling unit.

Pixels of one polygon resemble each other, so whole polygons are resampled, never pixels, within their class: the rescaled
bootstrap of Rao and Wu (1988), Resampling inference with complex survey data, Journal of the American Statistical
Association 83. The plain bootstrap would make the variance too small by a third where a class has three polygons.
scipy.stats.bootstrap has no strata. `quantities` adds the luck of trainings.

Throughout, `counts` (polygon, predicted class) of one training, or (training, polygon, predicted class), are the pixels of
each test polygon by predicted class index; `reference` (polygon,) is the class index of each polygon. All models share the
same draws, so that their scores are paired.
"""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
import scipy

from ..errors import InputError
from .metrics import macro_f1, overall_accuracy
from .quantities import Quantity


def draws(reference: np.ndarray, number: int = 2000, seed: int = 0) -> np.ndarray:
    """Weight of each polygon, float64 (draw, polygon): of n polygons of a class, n - 1 are drawn with replacement.

    The weights of a class sum to n, the number of polygons that the interpreters chose. A polygon alone in its class always
    weighs 1. Raises `InputError` without polygons or draws, or for a polygon without a class.
    """
    reference = np.asarray(reference)
    if reference.ndim != 1 or not reference.size or reference.min() < 0 or number < 1:
        raise InputError(
            f"Cannot draw {number} times from polygons with the classes {np.unique(reference)} (shape {reference.shape}).",
            "Give a list of class indices from 0 on, one for each polygon, and draw at least once.",
            kind="intervals.polygons",
        )
    random = np.random.default_rng(seed)
    weights = np.ones((number, reference.size))
    for index in np.unique(reference):
        polygons = np.flatnonzero(reference == index)
        if (size := polygons.size) > 1:
            drawn = random.multinomial(size - 1, np.full(size, 1 / size), size=number)
            weights[:, polygons] = drawn * (size / (size - 1))
    return weights


def resampled_confusions(counts: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Confusion matrices in weighted pixels, (draw, reference class, predicted class).

    Parameters
    ----------
    counts: (polygon, predicted class), pixels.
    reference: (polygon,), class indices.
    weights: (draw, polygon), see `draws`. Ones give the confusion matrix itself.

    Raises `InputError` where the polygons of the three differ, a class is beyond those of `counts`, or a polygon has no
    pixels.
    """
    counts, reference, weights = np.asarray(counts), np.asarray(reference), np.asarray(weights)
    if counts.ndim != 2 or not len(counts) == len(reference) == weights.shape[-1]:
        raise InputError(
            f"Counts {counts.shape}, reference {reference.shape} and weights {weights.shape} do not fit.",
            "Expected (polygon, predicted class), (polygon,) and (draw, polygon) of the same polygons.",
            kind="intervals.polygons",
        )
    classes = counts.shape[1]
    if reference.min() < 0 or reference.max() >= classes:
        raise InputError(
            f"Polygons have the classes {np.unique(reference)}, but the counts only 0 to {classes - 1}.",
            kind="intervals.polygons",
        )
    if not counts.any(axis=1).all():  # else a draw could lose a class and its mean would be over fewer classes
        raise InputError(
            f"Polygons {np.flatnonzero(~counts.any(axis=1))} have no pixels.",
            "Leave them out.",
            kind="intervals.polygons",
        )
    of_class = [reference == index for index in range(classes)]
    return np.stack([weights[:, mask] @ counts[mask].astype(np.int64) for mask in of_class], axis=1)


def interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval (low, high) of `values` (draw,), NaN left out; (NaN, NaN) without values.

    Raises `InputError` for a level that is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise InputError(
            f"The level of an interval is {level}.",
            "Give a share between 0 and 1, such as 0.95.",
            kind="intervals.level",
        )
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    if not values.size:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def macro_f1_intervals(
    counts_by_model: Mapping[str, np.ndarray],
    reference: np.ndarray,
    number: int = 2000,
    seed: int = 0,
    training: int = 0,
) -> pd.DataFrame:
    """Macro F1 and overall accuracy of each model: columns model, macro_f1, low, high, oa, oa_low, oa_high (95 %).

    Means over the trainings of `counts_by_model`. `training`: the number of training polygons, where the intervals shall
    hold their choice too (`Quantity.redrawn`); 0: they are what they are. A class with a single polygon is the same in
    every draw, so its share of the uncertainty is missing. Raises `InputError` as `draws` and `resampled_confusions` do.
    """
    rows = []
    for name, matrices in _resampled(counts_by_model, reference, number, seed).items():
        scores = []
        for score in (macro_f1, overall_accuracy):
            quantity = Quantity.of_trainings(score(matrices), freedom(reference))
            value, low, high = quantity.redrawn(len(reference) / training if training else 0).estimate()
            scores += [value, max(low, 0.0), min(high, 1.0)]
        rows.append((name, *scores))
    return pd.DataFrame(rows, columns=["model", "macro_f1", "low", "high", "oa", "oa_low", "oa_high"])


def differences(
    counts_by_model: Mapping[str, np.ndarray], reference: np.ndarray, number: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Macro F1 of the better model minus that of the other: columns first, second, difference, low, high, settled.

    Each pair appears once, the better model first. `settled` where the difference is not zero at a false discovery rate of
    5 % over all pairs (Benjamini and Hochberg, 1995); the 95 % interval is that of each pair on its own. Raises `InputError`
    as `draws` and `resampled_confusions` do.
    """
    scores = {
        name: Quantity.of_trainings(macro_f1(matrices), freedom(reference))
        for name, matrices in _resampled(counts_by_model, reference, number, seed).items()
    }
    rows = []
    for first, second in itertools.combinations(sorted(scores, key=lambda name: -scores[name].value), 2):
        difference = scores[first] - scores[second]
        rows.append((first, second, *difference.estimate(), difference.p_value()))
    table = pd.DataFrame(rows, columns=["first", "second", "difference", "low", "high", "p"])
    adjusted = scipy.stats.false_discovery_control(table["p"]) if len(table) else table["p"]
    return table.drop(columns="p").assign(settled=adjusted < 0.05)


def ranks(
    counts_by_model: Mapping[str, np.ndarray], reference: np.ndarray, number: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Rank of each model by macro F1, the best first: columns model, rank, rank_low, rank_high.

    1 is the best rank; equal models share the better one. The bounds are the 2.5th and 97.5th percentiles over draws of
    polygons and of trainings, as ranks that occur. Raises `InputError` as `draws` and `resampled_confusions` do.
    """
    resampled = _resampled(counts_by_model, reference, number, seed)
    scores = [macro_f1(matrices) for matrices in resampled.values()]
    random = np.random.default_rng(seed)
    chosen = [_some_trainings(values[:, 1:], random) for values in scores]
    rank = scipy.stats.rankdata([-values[:, 0].mean() for values in scores], method="min")
    drawn = scipy.stats.rankdata([-values for values in chosen], method="min", axis=0)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1, method="inverted_cdf")
    columns = {"rank": rank, "rank_low": low, "rank_high": high}
    table = pd.DataFrame({"model": list(resampled)} | {name: values.astype(int) for name, values in columns.items()})
    return table.sort_values("rank", kind="stable", ignore_index=True)


def freedom(reference: np.ndarray) -> int:
    """Degrees of freedom of a variance over draws: polygons less classes."""
    return len(reference) - len(np.unique(reference))


def _some_trainings(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Mean over as many trainings drawn with replacement in each draw, (draw,), of `values` (training, draw)."""
    trainings, number = values.shape
    return np.take_along_axis(values, random.integers(0, trainings, (trainings, number)), axis=0).mean(0)


def _resampled(
    counts_by_model: Mapping[str, np.ndarray], reference: np.ndarray, number: int, seed: int
) -> dict[str, np.ndarray]:
    """Confusion matrices of each model (training, 1 + draw, reference class, predicted class), the undrawn ones first.

    The draws are the same for each model.
    """
    stacks = {name: np.asarray(counts) for name, counts in counts_by_model.items()}
    stacks = {name: counts[None] if counts.ndim == 2 else counts for name, counts in stacks.items()}
    if len({counts.shape[1:] for counts in stacks.values()}) != 1:
        shapes = {name: np.shape(counts) for name, counts in counts_by_model.items()}
        raise InputError(
            f"Counts have the shapes {shapes}.",
            "Give at least one model, all of the same polygons and classes.",
            kind="intervals.polygons",
        )
    weights = np.vstack([np.ones((1, len(reference))), draws(reference, number, seed)])
    return {
        name: np.stack([resampled_confusions(counts, reference, weights) for counts in trainings])
        for name, trainings in stacks.items()
    }
