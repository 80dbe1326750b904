"""Uncertainty of the scores where the sampling unit is the polygon.

Pixels of one polygon resemble each other, so polygons are resampled, whole, and never pixels: the stratified bootstrap
of Efron and Tibshirani (1993, An Introduction to the Bootstrap, ch. 8 and 13). Throughout, `counts` (polygon,
predicted class) are the pixels of each test polygon by predicted class index and `reference` (polygon,) is the class
index of each polygon, which has one class. All draws serve all models, so that their scores compare in pairs.
"""

import itertools

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ..errors import InputError


def draws(reference: np.ndarray, number: int = 2000, seed: int = 0) -> np.ndarray:
    """How often each polygon is drawn, int (draw, polygon), with replacement within its class.

    Within, because interpreters draw a number of polygons a class: each draw keeps that number. InputError without a
    polygon or a draw, or with a polygon without class.
    """
    reference = np.asarray(reference)
    if reference.ndim != 1 or not reference.size or reference.min() < 0 or number < 1:
        raise InputError(
            f"Cannot draw {number} times from polygons with the classes {np.unique(reference)} (shape "
            f"{reference.shape}); give a list of class indices from 0 on, one a polygon, and draw at least once."
        )
    random = np.random.default_rng(seed)
    weights = np.empty((number, reference.size), np.int64)
    for index in np.unique(reference):
        polygons = np.flatnonzero(reference == index)
        share = np.full(polygons.size, 1 / polygons.size)
        weights[:, polygons] = random.multinomial(polygons.size, share, size=number)
    return weights


def resampled_confusions(counts: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Confusion matrices in pixels, int64 (draw, reference class, predicted class), of the `weights` of `draws`.

    InputError where the polygons of the three differ, a class is beyond those of `counts`, or a polygon has no pixel.
    """
    counts, reference, weights = np.asarray(counts), np.asarray(reference), np.asarray(weights)
    if counts.ndim != 2 or not len(counts) == len(reference) == weights.shape[-1]:
        raise InputError(
            f"Counts {counts.shape}, reference {reference.shape} and weights {weights.shape} do not fit; expected "
            "(polygon, predicted class), (polygon,) and (draw, polygon) of the same polygons."
        )
    classes = counts.shape[1]
    if reference.min() < 0 or reference.max() >= classes:
        raise InputError(f"Polygons have the classes {np.unique(reference)}, but the counts only 0 to {classes - 1}.")
    if not counts.any(axis=1).all():  # else a draw could lose a class and its mean would be over fewer classes
        raise InputError(f"Polygons {np.flatnonzero(~counts.any(axis=1))} have no pixels; leave them out.")
    of_class = [reference == index for index in range(classes)]
    return np.stack([weights[:, mask] @ counts[mask].astype(np.int64) for mask in of_class], axis=1)


def class_f1(confusions: np.ndarray) -> np.ndarray:
    """`metrics.f1` of each matrix: (..., reference class, predicted class) to (..., class)."""
    right = np.diagonal(confusions, axis1=-2, axis2=-1)
    reference, predicted = confusions.sum(-1), confusions.sum(-2)
    with np.errstate(invalid="ignore"):
        return np.where(reference > 0, 2 * right / (reference + predicted), np.nan)


def macro_f1(confusions: np.ndarray) -> np.ndarray:
    """`metrics.macro_f1` of each matrix: (..., reference class, predicted class) to (...)."""
    values = class_f1(confusions)
    with np.errstate(invalid="ignore"):
        return np.nansum(values, axis=-1) / np.isfinite(values).sum(-1)  # np.nanmean would warn where all are NaN


def overall_accuracy(confusions: np.ndarray) -> np.ndarray:
    """`metrics.overall_accuracy` of each matrix: (..., reference class, predicted class) to (...)."""
    with np.errstate(invalid="ignore"):
        return np.trace(confusions, axis1=-2, axis2=-1) / confusions.sum((-2, -1))


def interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval (low, high) of `values` (draw,), NaN left out; (NaN, NaN) of none. InputError off 0 to 1."""
    if not 0 < level < 1:
        raise InputError(f"The level of an interval is {level}; give a share between 0 and 1, such as 0.95.")
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

    A class with a single polygon is the same in every draw, so its share of the uncertainty is missing. InputError as
    of `draws` and `resampled_confusions`.
    """
    rows = []
    for name, (here, drawn) in _resampled(counts_by_model, reference, number, seed).items():
        f1 = (float(macro_f1(here)), *interval(macro_f1(drawn)))
        rows.append((name, *f1, float(overall_accuracy(here)), *interval(overall_accuracy(drawn))))
    return pd.DataFrame(rows, columns=["model", "macro_f1", "low", "high", "oa", "oa_low", "oa_high"])


def class_f1_intervals(
    counts_by_model: dict[str, np.ndarray], reference: np.ndarray, number: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """F1 of each class and model: columns model, class_index, polygons, f1, low, high (95 %).

    A single polygon says nothing of how polygons of its class differ: low and high are NaN. InputError as of `draws`
    and `resampled_confusions`.
    """
    rows = []
    for name, (here, drawn) in _resampled(counts_by_model, reference, number, seed).items():
        values, several = class_f1(here), class_f1(drawn)
        for index, polygons in enumerate(np.bincount(reference, minlength=values.size).tolist()):
            bounds = interval(several[:, index]) if polygons > 1 else (float("nan"),) * 2
            rows.append((name, index, polygons, float(values[index]), *bounds))
    return pd.DataFrame(rows, columns=["model", "class_index", "polygons", "f1", "low", "high"])


def differences(
    counts_by_model: dict[str, np.ndarray], reference: np.ndarray, number: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Macro F1 of the better model less that of the other: columns first, second, difference, low, high, settled.

    Each pair once, the better first; `settled` where the 95 % interval excludes 0, for each pair on its own, without
    correction for the number of pairs. InputError as of `draws` and `resampled_confusions`.
    """
    resampled = _resampled(counts_by_model, reference, number, seed)
    scores = {name: (float(macro_f1(here)), macro_f1(drawn)) for name, (here, drawn) in resampled.items()}
    rows = []
    for first, second in itertools.combinations(sorted(scores, key=lambda name: -scores[name][0]), 2):
        low, high = interval(scores[first][1] - scores[second][1])
        rows.append((first, second, scores[first][0] - scores[second][0], low, high, low > 0 or high < 0))
    return pd.DataFrame(rows, columns=["first", "second", "difference", "low", "high", "settled"])


def ranks(
    counts_by_model: dict[str, np.ndarray], reference: np.ndarray, number: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Rank of each model by macro F1, 1 the best, equals sharing the better rank: model, rank, rank_low, rank_high.

    The bounds are the 2.5th and 97.5th percentiles over the draws, as ranks that occur. Best model first. InputError as
    of `draws` and `resampled_confusions`.
    """
    resampled = _resampled(counts_by_model, reference, number, seed)
    here = rankdata([-macro_f1(one) for one, _ in resampled.values()], method="min")
    drawn = rankdata([-macro_f1(many) for _, many in resampled.values()], method="min", axis=0)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1, method="inverted_cdf")
    columns = {"rank": here, "rank_low": low, "rank_high": high}
    table = pd.DataFrame({"model": list(resampled)} | {name: values.astype(int) for name, values in columns.items()})
    return table.sort_values("rank", kind="stable", ignore_index=True)


def _resampled(counts_by_model: dict[str, np.ndarray], reference: np.ndarray, number: int, seed: int) -> dict:
    """The confusion matrix of each model as it is and those of all draws, the same draws for each."""
    if len({np.shape(counts) for counts in counts_by_model.values()}) != 1:
        shapes = {name: np.shape(counts) for name, counts in counts_by_model.items()}
        raise InputError(f"Counts have the shapes {shapes}; give at least one model, all of the same shape.")
    weights = np.vstack([np.ones((1, len(reference)), np.int64), draws(reference, number, seed)])
    matrices = {name: resampled_confusions(counts, reference, weights) for name, counts in counts_by_model.items()}
    return {name: (many[0], many[1:]) for name, many in matrices.items()}
