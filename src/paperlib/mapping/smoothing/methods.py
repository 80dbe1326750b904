"""Class maps smoothed after classification: by the probabilities of neighbours, by majority, and by the size of objects.

Each method answers for a pixel from a square of known side around it, so that a window read with that halo gets the answers
of one pass over the whole map.

Source of `bayesian`: Camara et al. (2024), Bayesian Inference for Post-Processing of Remote-Sensing Image Classification,
Remote Sensing 16(23), 4572; written from the paper.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import convolve1d
from skimage.measure import label

from ...nomenclature import NODATA_CLASS

#: Probabilities are kept this far from 0 and 1, where their logits would be infinite.
LEAST = 1e-4


def bayesian(probability: np.ndarray, side: int = 5, smoothness: float = 0.1, share: float = 0.5) -> np.ndarray:
    """Probabilities drawn towards those of their neighbours, float32 (class, y, x).

    Parameters
    ----------
    probability: float32 (class, y, x), NaN where there is none.
    side: of the square of neighbours in pixels, odd.
    smoothness: variance of the logits of pixels whose true probabilities are the same. The larger it is, the more a pixel
        follows its neighbours; 0 changes nothing.
    share: of the neighbours, those with the highest probability of a class, that count for this class: at a border these are
        the pixels on one side of it.

    For each class, the logit of a pixel is taken for a measurement of a true value whose prior is the normal distribution of
    the logits of its neighbours; the result is the mean of the posterior. Where neighbours agree, their variance is small,
    and a pixel that deviates follows them; where they differ, it stays.
    """
    known = ~np.isnan(probability[0])
    counts = _squares(np.pad(known, side // 2), side).sum(1).reshape(known.shape)
    smoothed = np.empty(probability.shape, np.float32)
    for result, values in zip(smoothed, probability, strict=True):
        clipped = values.clip(LEAST, 1 - LEAST)
        logit = np.log(clipped / (1 - clipped))
        mean, variance = _of_neighbours(np.where(known, logit, -np.inf), counts, side, share)
        weight = variance + smoothness
        own = np.divide(variance, weight, out=np.ones_like(variance), where=weight > 0)
        result[:] = 1 / (1 + np.exp(-(own * logit + (1 - own) * mean)))
    return smoothed / smoothed.sum(0)


def _squares(padded: np.ndarray, side: int) -> np.ndarray:
    """Values (pixel, neighbour) of the square around each pixel of an image padded by half a side."""
    return sliding_window_view(padded, (side, side)).reshape(-1, side * side)


def _of_neighbours(logit: np.ndarray, counts: np.ndarray, side: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance (y, x) of the highest logits around each pixel; `counts` of them are not -inf, which is none."""
    ordered = np.sort(_squares(np.pad(logit, side // 2, constant_values=-np.inf), side), axis=1)
    mean, variance = np.zeros((2, logit.size), np.float32)
    there = counts.ravel()
    for count in np.unique(there[there > 0]):
        alike = there == count
        highest = ordered[alike, side * side - math.ceil(share * count) :]
        mean[alike], variance[alike] = highest.mean(1), highest.var(1)
    return mean.reshape(logit.shape), variance.reshape(logit.shape)


def majority(codes: np.ndarray, side: int = 3) -> np.ndarray:
    """Most frequent class of the square around each pixel, uint8 (y, x); a tie keeps the pixel's class, or takes the lowest.

    `codes`: uint8 (y, x), 0 where there is no class, which neither counts nor changes. `side`: of the square in pixels, odd.
    """
    result, most = codes.copy(), np.zeros(codes.shape, np.int32)
    votes = {}
    for code in np.unique(codes[codes != NODATA_CLASS]):
        inside = (codes == code).astype(np.int32)
        for axis in (0, 1):
            inside = convolve1d(inside, np.ones(side, np.int32), axis=axis, mode="constant")
        votes[code] = inside
        most[codes == code] = inside[codes == code]
    for code, number in votes.items():
        better = (number > most) & (codes != NODATA_CLASS)
        result[better], most[better] = code, number[better]
    return result


def steps(minimum: int) -> list[int]:
    """Sizes up to which `without_small` joins objects, one after the other: the smallest first, and twice for chains."""
    sizes = [2**power for power in range(1, max(1, minimum).bit_length()) if 2**power < minimum]
    return [*sizes, minimum, minimum] if minimum > 1 else []


def reach_of_small(minimum: int) -> int:
    """Halo in pixels that `without_small` needs: an object and its neighbour, at each step."""
    return sum(2 * size for size in steps(minimum))


def without_small(codes: np.ndarray, minimum: int) -> np.ndarray:
    """Classes uint8 (y, x) without objects of fewer than `minimum` pixels.

    An object is what touches at sides or corners and has one class, so that lanes of one pixel stay whole. In `steps`, it
    takes the class of large enough objects with which it shares the longest border (the lowest code of several). It stays
    where all around it are too small in every step.
    """
    for size in steps(minimum):
        codes = _join_small(codes, size)
    return codes


def _join_small(codes: np.ndarray, size: int) -> np.ndarray:
    numbers = label(codes, background=NODATA_CLASS, connectivity=2)
    small = np.bincount(numbers.ravel()) < size
    small[0] = False  # no class
    inside = small[numbers]
    taking = ~inside & (codes != NODATA_CLASS)
    objects, classes = [], []
    for axis in (0, 1):
        before, after = (np.moveaxis(np.arange(codes.size).reshape(codes.shape), axis, 0)[part].ravel()
                         for part in (slice(None, -1), slice(1, None)))  # fmt: skip
        for one, other in ((before, after), (after, before)):
            touching = inside.flat[one] & taking.flat[other]
            objects.append(numbers.flat[one[touching]])
            classes.append(codes.flat[other[touching]])
    borders = np.concatenate(objects).astype(np.int64) * 256 + np.concatenate(classes)
    pairs, length = np.unique(borders, return_counts=True)
    order = np.lexsort((-pairs, length))  # the longest last, the lowest code last of those
    new = np.zeros(len(small), np.uint8)
    new[pairs[order] // 256] = pairs[order] % 256
    return np.where(new[numbers] > 0, new[numbers], codes)
