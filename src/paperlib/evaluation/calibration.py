"""Probabilities that mean what they say: temperature scaling, reliability, and the expected calibration error.

A network's probabilities are too high as a rule (Guo et al., 2017, On calibration of modern neural networks, ICML). Divided
by one temperature, fitted on polygons of which the training has not seen the labels, logits give probabilities nearer to
the share of pixels that are right. The order of the classes stays, and with it every class map.
"""

import numpy as np
import pandas as pd
import scipy
from torch import Tensor
from torch.nn import functional

from ..errors import InputError

#: Temperatures between which the best one is looked for. Validation polygons choose the epoch of a network and lie inside of
#: objects, where classes are clear: they may show that probabilities are too high for a map, never that they are too low.
LIMITS = (1.0, 10.0)

#: Intervals of confidence in which pixels are compared.
BINS = 10


def fit_temperature(logits: Tensor, label: Tensor) -> float:
    """The temperature by which logits give the best probabilities of labelled pixels.

    Parameters
    ----------
    logits: float32 (pixel, class), of polygons that the training has not learnt from.
    label: int64 (pixel,), class index.

    The best probabilities have the lowest Brier score. The likelihood, which is usual, would be ruled by the few pixels to
    whose class no tree of a forest gave a vote. Raises `InputError` without pixels.
    """
    if not len(label):
        raise InputError("No labelled pixel to calibrate with.", "Check the validation polygons.", kind="labels.empty")
    wanted = functional.one_hot(label, logits.shape[1]).float()

    def brier(logarithm: float) -> float:
        return float(((logits / np.exp(logarithm)).softmax(1) - wanted).square().sum(1).mean())

    best = scipy.optimize.minimize_scalar(brier, bounds=tuple(np.log(LIMITS)), method="bounded")
    return round(float(np.exp(best.x)), 4)


def reliability(probability: Tensor | np.ndarray, label: Tensor | np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """How often pixels are right, by the confidence that they have: one row for each interval of confidence.

    Parameters
    ----------
    probability: (pixel, class).
    label: class index (pixel,); the highest probability is right where it is that of the label.
    bins: intervals of equal width between 0 and 1.

    Columns confidence_from, confidence_to, pixels, confidence (their mean), accuracy (share that is right; both NaN without
    pixels).
    """
    probability, label = np.asarray(probability), np.asarray(label)
    confidence, right = probability.max(1), probability.argmax(1) == label
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    pixels = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, values, bins) for values in (confidence, right)]
    means = [np.divide(part, pixels, out=np.full(bins, np.nan), where=pixels > 0) for part in sums]
    limits = np.arange(bins + 1) / bins
    return pd.DataFrame(
        {"confidence_from": limits[:-1], "confidence_to": limits[1:], "pixels": pixels,
         "confidence": means[0], "accuracy": means[1]}
    )  # fmt: skip


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error of a table of `reliability`: how far confidence is from accuracy, as the mean of pixels."""
    apart = (table["confidence"] - table["accuracy"]).abs().fillna(0)
    return float(np.average(apart, weights=table["pixels"]))
