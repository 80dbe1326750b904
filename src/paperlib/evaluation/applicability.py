"""Where a model may be believed: how far places are from what it has learned.

Area of applicability (Meyer and Pebesma, 2021, Methods in Ecology and Evolution 12, 1620-1633). The dissimilarity index
of a place is the distance to the nearest training sample in the space of predictors, each standardised and weighted by
its importance, over the mean distance between training samples. Places beyond the threshold, which follows from the
training samples themselves, lie outside.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from ..errors import InputError


@dataclass(frozen=True)
class Applicability:
    """The dissimilarity index of one set of training samples.

    Parameters
    ----------
    samples: float (sample, predictor), standardised and weighted; predictors of weight 0 are left out.
    centre, spread, weights: float (predictor,) of the given predictors.
    mean_distance: mean distance between training samples.
    dissimilarity: (sample,) index of each training sample towards the samples of the other folds; NaN: not tested.
    threshold: largest index that counts as inside.
    """

    samples: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    weights: np.ndarray
    mean_distance: float
    dissimilarity: np.ndarray
    threshold: float

    def index(self, values: np.ndarray) -> np.ndarray:
        """Dissimilarity index (place,) of float (place, predictor); NaN where a predictor is missing."""
        values = np.asarray(values, float)
        index, usable = np.full(len(values), np.nan), ~np.isnan(values).any(1)
        if usable.any():
            search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(self.samples)
            index[usable] = search.kneighbors(_scale(self, values[usable]))[0][:, 0] / self.mean_distance
        return index

    def inside(self, values: np.ndarray) -> np.ndarray:
        """1 inside the area, 0 outside, NaN where a predictor is missing, (place,); of float (place, predictor)."""
        index = self.index(values)
        return np.where(np.isnan(index), np.nan, index <= self.threshold)

    def density(self, values: np.ndarray) -> np.ndarray:
        """How many training samples lie nearer than the threshold, int (place,) of (place, predictor).

        The local point density of Schumacher and others (2025, Geoscientific Model Development 18).
        """
        distance = cdist(_scale(self, np.asarray(values, float)), self.samples) / self.mean_distance
        return (distance < self.threshold).sum(1)


def _scale(area: Applicability, values: np.ndarray) -> np.ndarray:
    used = area.weights > 0
    return ((values - area.centre) / area.spread * area.weights)[:, used]


def fit_applicability(
    training: np.ndarray,
    weights: np.ndarray | None = None,
    folds: np.ndarray | None = None,
    tested: np.ndarray | None = None,
) -> Applicability:
    """Learn the dissimilarity index from training samples.

    Parameters
    ----------
    training: float (sample, predictor).
    weights: (predictor,) importance of each predictor; negative counts as 0; default: all 1.
    folds: (sample,) the fold of a sample, such as the polygon it comes from; it is compared with the other folds. Without
        folds every sample is compared with all others, which makes the threshold much smaller: samples of one polygon
        are near each other, so that most of a map then lies outside.
    tested: bool (sample,), which samples count for the threshold; default: all.

    The threshold is the upper whisker, quartile 3 + 1.5 times the interquartile range of the training samples' index, or
    their largest index where that is smaller. Raises `InputError` for a constant predictor, a missing value or a single
    fold.
    """
    training = np.asarray(training, float)
    weights = np.ones(training.shape[1]) if weights is None else np.maximum(0, np.asarray(weights, float))
    folds = np.arange(len(training)) if folds is None else np.asarray(folds)
    centre, spread = training.mean(0), training.std(0, ddof=1)
    _require_variation(training, spread, folds)
    samples = ((training - centre) / spread * weights)[:, weights > 0]
    distance = cdist(samples, samples)
    mean_distance = float(distance.sum() / (len(samples) * (len(samples) - 1)))
    distance[folds[:, None] == folds] = np.inf
    dissimilarity = distance.min(1) / mean_distance
    if tested is not None:
        dissimilarity[~np.asarray(tested, bool)] = np.nan
    low, high = np.nanquantile(dissimilarity, [0.25, 0.75])
    threshold = min(high + 1.5 * (high - low), float(np.nanmax(dissimilarity)))
    return Applicability(samples, centre, spread, weights, mean_distance, dissimilarity, float(threshold))


def _require_variation(training: np.ndarray, spread: np.ndarray, folds: np.ndarray) -> None:
    if np.isnan(training).any():
        raise InputError(
            f"{int(np.isnan(training).any(1).sum())} training samples have a missing predictor.",
            "Leave them out, or fill the gaps.",
            kind="applicability.missing",
        )
    if (spread == 0).any():
        raise InputError(
            f"The predictors {np.flatnonzero(spread == 0).tolist()} have the same value in every training sample.",
            "Leave them out: they cannot tell near from far.",
            kind="applicability.constant",
        )
    if len(np.unique(folds)) < 2:
        raise InputError(
            "All training samples lie in one fold, so that there is nothing to compare them with.",
            "Use samples of two polygons or more.",
            kind="applicability.folds",
        )
