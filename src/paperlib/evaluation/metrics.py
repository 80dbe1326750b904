"""Scores of a classification, all computed from its confusion matrix.

A confusion matrix has the shape (reference class, predicted class) and counts pixels. The scores take stacks of matrices
too, (..., reference class, predicted class), such as those of resampled polygons.
"""

import numpy as np


def confusion(reference: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Confusion matrix, int64 (reference class, predicted class).

    Parameters
    ----------
    reference, predicted: class indices of the same shape; a pixel with reference -1 is unlabelled and does not count.
    classes: number of classes.
    """
    reference, predicted = np.asarray(reference).ravel(), np.asarray(predicted).ravel()
    labelled = reference >= 0
    # sklearn.metrics.confusion_matrix gives the same; it validates and sorts labels, which takes longer than the counting
    pairs = reference[labelled].astype(np.int64) * classes + predicted[labelled]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def overall_accuracy(confusions: np.ndarray) -> np.ndarray:
    """Share of the labelled pixels whose class is right, (...); NaN without labelled pixels."""
    with np.errstate(invalid="ignore"):
        return np.trace(confusions, axis1=-2, axis2=-1) / confusions.sum((-2, -1))


def f1(confusions: np.ndarray) -> np.ndarray:
    """F1 of each class, (..., class): the harmonic mean of precision and recall.

    0 for a class that the reference has and the prediction lacks. NaN for a class that the reference lacks, so that it does
    not enter a mean.
    """
    right = np.diagonal(confusions, axis1=-2, axis2=-1)
    reference, predicted = confusions.sum(-1), confusions.sum(-2)
    with np.errstate(invalid="ignore"):
        return np.where(reference > 0, 2 * right / (reference + predicted), np.nan)


def macro_f1(confusions: np.ndarray) -> np.ndarray:
    """Mean F1 over the classes that the reference has, (...); NaN without any."""
    values = f1(confusions)
    with np.errstate(invalid="ignore"):
        return np.nansum(values, axis=-1) / np.isfinite(values).sum(-1)  # np.nanmean would warn where all are NaN
