"""Scores of a classification, all from its confusion matrix (section 3.5.2)."""

import numpy as np


def confusion(reference: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Confusion matrix (reference class, predicted class) in pixels, int64; pixels with reference -1 do not count."""
    reference, predicted = np.asarray(reference).ravel(), np.asarray(predicted).ravel()
    labelled = reference >= 0
    pairs = reference[labelled].astype(np.int64) * classes + predicted[labelled]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def overall_accuracy(matrix: np.ndarray) -> float:
    """Share of the labelled pixels whose class is right; NaN without any labelled pixel."""
    total = matrix.sum()
    return float(np.trace(matrix) / total) if total else float("nan")


def f1(matrix: np.ndarray) -> np.ndarray:
    """F1 of each class (class,): the harmonic mean of precision and recall.

    0 for a class that is in the reference and never predicted; NaN for a class that the reference does not have, so
    that it cannot pull a mean down (or up) that it has no part in.
    """
    right = np.diag(matrix)
    reference, predicted = matrix.sum(1), matrix.sum(0)
    with np.errstate(invalid="ignore"):
        return np.where(reference > 0, 2 * right / (reference + predicted), np.nan)


def macro_f1(matrix: np.ndarray) -> float:
    """Mean F1 over the classes that the reference has; NaN without any."""
    values = f1(matrix)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
