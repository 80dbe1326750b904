"""Geometry of class maps: edges, speckle, width of objects, and recall by width.

Overall accuracy does not show whether a map keeps borders in place, scatters single pixels or erases narrow objects, which
is where classifiers of pixels and of patches differ. A map holds class codes, uint8 (y, x), from 1 to 255; 0 is no data.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage.feature import canny
from skimage.measure import label

from ..errors import InputError

#: Components of fewer pixels are speckle.
SMALL = 4
#: Quantiles of the gradients from which an edge continues (first) and starts (second).
QUANTILES = (0.8, 0.9)


def edges(codes: np.ndarray) -> np.ndarray:
    """Pixels with another class above, below, left or right of them: both sides of each class boundary, bool (y, x).

    `codes` is uint8 (y, x). The border to no data is not an edge, since the map ends there; skimage's find_boundaries would
    count it. Raises `InputError` for an array that is not a class map.
    """
    codes = _class_map(codes)
    down, right = codes[1:] != codes[:-1], codes[:, 1:] != codes[:, :-1]
    edge = np.zeros(codes.shape, bool)
    edge[1:] |= down & (codes[:-1] != 0)
    edge[:-1] |= down & (codes[1:] != 0)
    edge[:, 1:] |= right & (codes[:, :-1] != 0)
    edge[:, :-1] |= right & (codes[:, 1:] != 0)
    return edge & (codes != 0)


def image_edges(image: np.ndarray, sigma: float = 1.0) -> np.ndarray:
    """Canny edges of one band, one pixel wide, bool (y, x): the borders that an image shows without a class map.

    Parameters
    ----------
    image: float (y, x) in any unit, NaN where masked.
    sigma: standard deviation in pixels of the Gaussian filter that is applied first.

    The thresholds are `QUANTILES` of the gradients of the image itself, so the share of edges does not measure how
    structured an image is. There is no edge within 3 sigma + 1 pixels of a masked pixel, nor in the outermost rows and
    columns. Raises `InputError` for an image that is not (y, x) or a sigma that is not above 0.

    Source: Canny (1986), A computational approach to edge detection, IEEE TPAMI 8.
    """
    image = np.asarray(image, np.float64)
    if image.ndim != 2 or not image.size:
        raise InputError(f"The image has the shape {image.shape}.", "Give one band (y, x).", kind="geometry.image")
    if not sigma > 0:
        raise InputError(f"sigma is {sigma}.", "Give a standard deviation in pixels above 0.", kind="geometry.sigma")
    usable = np.isfinite(image)
    # Filled pixels influence the smoothing this far, and the gradient one pixel more.
    clear = usable if usable.all() else ndimage.distance_transform_edt(usable) > 3 * sigma + 1
    if not clear.any():
        return clear
    # The median is subtracted, so that masked pixels, filled with 0, stay exactly 0 when smoothed.
    filled = np.where(usable, image - np.median(image[usable]), 0)
    # Quantiles by canny itself would include the gradients of filled pixels.
    smooth = ndimage.gaussian_filter(filled, sigma, mode="nearest")
    gradient = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1))[clear]
    # In a mostly flat image a quantile is 0 or a rounding error, which must not become an edge.
    low, high = np.maximum(np.quantile(gradient, QUANTILES), 1e-6 * gradient.max())
    return canny(filled, sigma, low, high, mode="nearest") & clear


def boundary_f1(predicted: np.ndarray, reference: np.ndarray, tolerance: float = 1) -> dict[str, float]:
    """Agreement of two sets of edges, bool (y, x), that may lie up to `tolerance` pixels (Euclidean) apart.

    Returns precision (share of the predicted edge pixels with a reference edge within the tolerance; NaN without any),
    recall (share of the reference edge pixels with a predicted edge within the tolerance; NaN without any), and f1,
    their harmonic mean (0 where nothing matches or is predicted, NaN without reference edges). Raises `InputError` for
    shapes that differ or a tolerance below 0.

    Source: Martin, Fowlkes and Malik (2004), IEEE TPAMI 26, with distances in place of their one-to-one matching, as
    Csurka et al. (2013), What is a good evaluation measure for semantic segmentation?, BMVC.
    """
    predicted, reference = np.asarray(predicted, bool), np.asarray(reference, bool)
    _same_shape("Predicted edges", predicted, "reference edges", reference)
    if not tolerance >= 0:
        raise InputError(
            f"The tolerance is {tolerance}.", "Give a distance in pixels of 0 or more.", kind="geometry.tolerance"
        )
    precision, recall = _share_near(predicted, reference, tolerance), _share_near(reference, predicted, tolerance)
    mean = 2 * precision * recall / (precision + recall) if precision > 0 and recall > 0 else 0.0
    return {"precision": precision, "recall": recall, "f1": mean if reference.any() else float("nan")}


def speckle(codes: np.ndarray) -> dict[str, float]:
    """Fragmentation of a class map, uint8 (y, x).

    Returns components, the number of 8-connected components of one class, and isolated_share, the share of the pixels with
    data that lie in components of fewer than `SMALL` pixels (NaN without data). Raises `InputError` for an array that is not
    a class map.
    """
    numbers = label(_class_map(codes), background=0, connectivity=2)
    valid = codes != 0
    share = float(specks(codes)[valid].mean()) if valid.any() else float("nan")
    return {"components": int(numbers.max(initial=0)), "isolated_share": share}


def specks(codes: np.ndarray) -> np.ndarray:
    """Pixels in 8-connected components of fewer than `SMALL` pixels, bool (y, x); `codes` is uint8 (y, x)."""
    numbers = label(_class_map(codes), background=0, connectivity=2)
    sizes = np.bincount(numbers.ravel())
    return (sizes < SMALL)[numbers] & (numbers > 0)


def object_width(codes: np.ndarray) -> np.ndarray:
    """Width in pixels of the object that each pixel belongs to, float32 (y, x): the diameter of its largest inner circle.

    An object is a 4-connected component of one class in `codes`, uint8 (y, x). Its width is twice the largest distance from
    a point inside to its border. Points are the centres of pixels and of their shared sides and corners, so that a straight
    line of w pixels has the width w, odd or even; with pixel centres alone, every even line would be one pixel too narrow.
    The width is 1 or more, and NaN for no data.

    No data is a border, as around labelled polygons. The edge of the image is not, since objects continue beyond it: such an
    object is as wide as if it were mirrored at its outermost row of pixels, and infinitely wide where one class fills the
    whole image. Raises `InputError` for an array that is not a class map.
    """
    codes = _class_map(codes)
    height, width = codes.shape
    # Grid of half pixels: pixel centres at even positions, shared sides and corners between them. The border that is
    # nearest to a point is that of its own object, so one transform serves all objects.
    inside = np.ones((2 * height, 2 * width), bool)
    down, right = codes[1:] != codes[:-1], codes[:, 1:] != codes[:, :-1]
    inside[1:-1:2, ::2], inside[::2, 1:-1:2] = ~down, ~right
    inside[1:-1:2, 1:-1:2] = ~(down[:, 1:] | down[:, :-1] | right[1:] | right[:-1])
    distance = np.zeros(inside.shape)
    seen = inside[:-1, :-1]  # the last row and column only complete the pixels of the grid
    distance[:-1, :-1] = np.inf if seen.all() else ndimage.distance_transform_edt(seen)
    # The points of a pixel are its centre, right side, lower side and lower right corner; each that is inside is inside the
    # object of that pixel. A distance in half pixels is a diameter in pixels.
    widest = distance.reshape(height, 2, width, 2).max((1, 3))
    objects = label(codes, background=0, connectivity=1)
    of_object = np.full(objects.max() + 1, np.nan, np.float32)
    of_object[1:] = ndimage.maximum(widest, objects, np.arange(1, len(of_object)))
    return of_object[objects]


def recall_by_width(
    truth: np.ndarray, predicted: np.ndarray, bins: Sequence[int] = (1, 2, 3, 5, 9, 17)
) -> pd.DataFrame:
    """Share of the pixels that are right, by width of the true object: one row for each bin of `object_width`.

    Parameters
    ----------
    truth, predicted: class maps, uint8 (y, x). No data in `predicted` alone counts as wrong.
    bins: lower limits of the widths in pixels, ascending. A bin ends below the next limit, the last bin is open, and objects
        narrower than the first limit are not counted.

    Returns the columns width_from, width_to, pixels (of the truth) and recall (NaN without pixels). Raises `InputError` for
    shapes that differ, arrays that are not class maps, and limits that do not ascend.
    """
    truth, predicted = _class_map(truth), _class_map(predicted)
    _same_shape("Truth", truth, "prediction", predicted)
    limits = np.asarray(bins, np.float64)
    if limits.ndim != 1 or not limits.size or not np.isfinite(limits).all() or (np.diff(limits) <= 0).any():
        raise InputError(f"The bins are {bins}.", "Give one or more widths in pixels, ascending.", kind="geometry.bins")
    valid = truth != 0
    place = np.digitize(object_width(truth)[valid], limits)  # 0 is below the first limit
    right = (truth == predicted)[valid]
    pixels = np.bincount(place, minlength=limits.size + 1)[1:]
    hits = np.bincount(place[right], minlength=limits.size + 1)[1:]
    recall = np.divide(hits, pixels, out=np.full(limits.size, np.nan), where=pixels > 0)
    columns = {"width_from": limits, "width_to": np.append(limits[1:], np.inf), "pixels": pixels, "recall": recall}
    return pd.DataFrame(columns)


def _share_near(pixels: np.ndarray, targets: np.ndarray, tolerance: float) -> float:
    """Share of `pixels` (y, x) with one of `targets` (y, x) within the tolerance; NaN without pixels, 0 without targets."""
    if not pixels.any():
        return float("nan")
    # without targets the distances would be arbitrary numbers
    return float((ndimage.distance_transform_edt(~targets)[pixels] <= tolerance).mean()) if targets.any() else 0.0


def _class_map(codes: np.ndarray) -> np.ndarray:
    codes = np.asarray(codes)
    if codes.ndim != 2 or not codes.size or codes.dtype != np.uint8:
        raise InputError(
            f"A class map is uint8 (y, x), not {codes.dtype} of shape {codes.shape}.", "Convert it first.",
            kind="geometry.class_map",
        )  # fmt: skip
    return codes


def _same_shape(name: str, array: np.ndarray, other_name: str, other: np.ndarray) -> None:
    if array.shape != other.shape or array.ndim != 2:
        raise InputError(
            f"{name} {array.shape} and {other_name} {other.shape} do not have the same shape (y, x).", "Use one grid.",
            kind="geometry.shape",
        )  # fmt: skip


def near(mask: np.ndarray, distance: int = 1) -> np.ndarray:
    """Pixels at most `distance` pixels away from `mask` (y, x), diagonals included, bool (y, x)."""
    return ndimage.binary_dilation(mask, np.ones((3, 3), bool), iterations=distance)
