"""Uncertainty of scores, with the polygon as the sampling unit.

Pixels of one polygon resemble each other, so whole polygons are resampled, never pixels: the stratified bootstrap of Efron
and Tibshirani (1993), An Introduction to the Bootstrap, chapters 8 and 13. scipy.stats.bootstrap has no strata.

Throughout, `counts` (polygon, predicted class) are the pixels of each test polygon by predicted class index, and
`reference` (polygon,) is the class index of each polygon. All models share the same draws, so that their scores are paired.
"""

import itertools

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ..errors import InputError
from .metrics import macro_f1, overall_accuracy


def draws(reference: np.ndarray, number: int = 2000, seed: int = 0) -> np.ndarray:
    """How often each polygon is drawn, int64 (draw, polygon), with replacement within its class.

    Drawing within classes keeps the number of polygons of each class, which the interpreters chose. Raises `InputError`
    without polygons or draws, or for a polygon without a class.
    """
    reference = np.asarray(reference)
    if reference.ndim != 1 or not reference.size or reference.min() < 0 or number < 1:
        raise InputError(
            f"Cannot draw {number} times from polygons with the classes {np.unique(reference)} (shape {reference.shape}).",
            "Give a list of class indices from 0 on, one for each polygon, and draw at least once.",
            kind="intervals.polygons",
        )
    random = np.random.default_rng(seed)
    weights = np.empty((number, reference.size), np.int64)
    for index in np.unique(reference):
        polygons = np.flatnonzero(reference == index)
        share = np.full(polygons.size, 1 / polygons.size)
        weights[:, polygons] = random.multinomial(polygons.size, share, size=number)
    return weights


def resampled_confusions(counts: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Confusion matrices in pixels, int64 (draw, reference class, predicted class).

    Parameters
    ----------
    counts: (polygon, predicted class), pixels.
    reference: (polygon,), class indices.
    weights: (draw, polygon), how often each polygon is drawn; see `draws`. Ones give the confusion matrix itself.

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
    counts_by_model: dict[str, np.ndarray], reference: np.ndarray, number: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Macro F1 and overall accuracy of each model: columns model, macro_f1, low, high, oa, oa_low, oa_high (95 %).

    A class with a single polygon is the same in every draw, so its share of the uncertainty is missing. Raises
    `InputError` as `draws` and `resampled_confusions` do.
    """
    rows = []
    for name, (matrix, drawn) in _resampled(counts_by_model, reference, number, seed).items():
        scores = (float(macro_f1(matrix)), *interval(macro_f1(drawn)))
        rows.append((name, *scores, float(overall_accuracy(matrix)), *interval(overall_accuracy(drawn))))
    return pd.DataFrame(rows, columns=["model", "macro_f1", "low", "high", "oa", "oa_low", "oa_high"])


def differences(
    counts_by_model: dict[str, np.ndarray], reference: np.ndarray, number: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Macro F1 of the better model minus that of the other: columns first, second, difference, low, high, settled.

    Each pair appears once, the better model first. `settled` where the 95 % interval excludes 0, for each pair on its own,
    without correction for the number of pairs. Raises `InputError` as `draws` and `resampled_confusions` do.
    """
    resampled = _resampled(counts_by_model, reference, number, seed)
    scores = {name: (float(macro_f1(matrix)), macro_f1(drawn)) for name, (matrix, drawn) in resampled.items()}
    rows = []
    for first, second in itertools.combinations(sorted(scores, key=lambda name: -scores[name][0]), 2):
        low, high = interval(scores[first][1] - scores[second][1])
        rows.append((first, second, scores[first][0] - scores[second][0], low, high, low > 0 or high < 0))
    return pd.DataFrame(rows, columns=["first", "second", "difference", "low", "high", "settled"])


def ranks(
    counts_by_model: dict[str, np.ndarray], reference: np.ndarray, number: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Rank of each model by macro F1, the best first: columns model, rank, rank_low, rank_high.

    1 is the best rank; equal models share the better one. The bounds are the 2.5th and 97.5th percentiles over the draws,
    as ranks that occur. Raises `InputError` as `draws` and `resampled_confusions` do.
    """
    resampled = _resampled(counts_by_model, reference, number, seed)
    rank = rankdata([-macro_f1(matrix) for matrix, _ in resampled.values()], method="min")
    drawn = rankdata([-macro_f1(matrices) for _, matrices in resampled.values()], method="min", axis=0)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1, method="inverted_cdf")
    columns = {"rank": rank, "rank_low": low, "rank_high": high}
    table = pd.DataFrame({"model": list(resampled)} | {name: values.astype(int) for name, values in columns.items()})
    return table.sort_values("rank", kind="stable", ignore_index=True)


def _resampled(
    counts_by_model: dict[str, np.ndarray], reference: np.ndarray, number: int, seed: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Confusion matrix of each model, and those of all draws; the draws are the same for each model."""
    if len({np.shape(counts) for counts in counts_by_model.values()}) != 1:
        shapes = {name: np.shape(counts) for name, counts in counts_by_model.items()}
        raise InputError(
            f"Counts have the shapes {shapes}.",
            "Give at least one model, all of the same shape.",
            kind="intervals.polygons",
        )
    weights = np.vstack([np.ones((1, len(reference)), np.int64), draws(reference, number, seed)])
    matrices = {name: resampled_confusions(counts, reference, weights) for name, counts in counts_by_model.items()}
    return {name: (stack[0], stack[1:]) for name, stack in matrices.items()}
