"""Geometry of class maps: edges, speckle and width of objects, and how many pixels are right by width.

What overall accuracy does not show when a classifier of pixels is compared with one of patches: whether borders stay in
place, whether single pixels are scattered about, and whether narrow objects survive. A map is class codes (y, x) from
1 to 255, 0 = no data.
"""

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage.feature import canny
from skimage.measure import label

from ..errors import InputError

#: A component of fewer pixels than this is speckle.
SMALL = 4
#: Gradients from the second quantile on start an edge, those from the first on continue it.
QUANTILES = (0.8, 0.9)


def edges(codes: np.ndarray) -> np.ndarray:
    """Pixels with another class above, below, left or right of them: both sides of each class boundary, bool (y, x).

    `codes` is uint8 (y, x), 0 = no data; a border with no data is not an edge, it is where the map ends. InputError if
    it is no class map.
    """
    codes = _class_map(codes)
    down, right = codes[1:] != codes[:-1], codes[:, 1:] != codes[:, :-1]
    found = np.zeros(codes.shape, bool)
    found[1:] |= down & (codes[:-1] != 0)
    found[:-1] |= down & (codes[1:] != 0)
    found[:, 1:] |= right & (codes[:, :-1] != 0)
    found[:, :-1] |= right & (codes[:, 1:] != 0)
    return found & (codes != 0)


def image_edges(image: np.ndarray, sigma: float = 1.0) -> np.ndarray:
    """Canny edges of one band, one pixel wide, bool (y, x): the borders that an image shows without any class map.

    `image` is float (y, x) in any unit, NaN where masked; `sigma` the standard deviation in pixels of the Gaussian that
    smooths first. The thresholds are `QUANTILES` of this image's own gradients, so the share of edges does not say how
    structured an image is. No edge within 3 sigma + 1 pixels of a masked one, nor in the outermost rows and columns.
    InputError if the image is not (y, x) or sigma not above 0.

    Source: Canny (1986), A computational approach to edge detection, IEEE TPAMI 8.
    """
    image = np.asarray(image, np.float64)
    if image.ndim != 2 or not image.size:
        raise InputError(f"The image has shape {image.shape}: give one band (y, x).")
    if not sigma > 0:
        raise InputError(f"sigma is {sigma}: give a standard deviation in pixels above 0.")
    usable = np.isfinite(image)
    # What is filled in reaches this far: the smoothing, then the pixel of the gradient.
    clear = usable if usable.all() else ndimage.distance_transform_edt(usable) > 3 * sigma + 1
    if not clear.any():
        return clear
    # Masked pixels are filled with the median; less the median, they stay exactly 0 when smoothed.
    filled = np.where(usable, image - np.median(image[usable]), 0)
    # Our own quantiles: canny's would count the gradients that the filled pixels make.
    smooth = ndimage.gaussian_filter(filled, sigma, mode="nearest")
    gradient = np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1))[clear]
    # Where most of an image is flat, a quantile is 0 or its rounding error, and that would be an edge.
    low, high = np.maximum(np.quantile(gradient, QUANTILES), 1e-6 * gradient.max())
    return canny(filled, sigma, low, high, mode="nearest") & clear


def boundary_f1(found: np.ndarray, reference: np.ndarray, tolerance: float = 1) -> dict[str, float]:
    """Agreement of two sets of edges, each bool (y, x), right up to `tolerance` pixels (Euclidean) away.

    precision: share of found edge pixels with a reference edge within tolerance, NaN if none was found. recall: share
    of reference edge pixels with a found one within tolerance, NaN if the reference has none. f1: their harmonic mean;
    0 if nothing matches or was found, NaN if the reference has no edge. InputError if the shapes differ or the
    tolerance is below 0.

    Source: Martin, Fowlkes and Malik (2004), IEEE TPAMI 26, with distances in place of their one-to-one matching, as
    Csurka et al. (2013), What is a good evaluation measure for semantic segmentation?, BMVC.
    """
    found, reference = np.asarray(found, bool), np.asarray(reference, bool)
    _same_shape("Found edges", found, "reference edges", reference)
    if not tolerance >= 0:
        raise InputError(f"The tolerance is {tolerance}: give a distance in pixels of 0 or more.")
    precision, recall = _share_near(found, reference, tolerance), _share_near(reference, found, tolerance)
    mean = 2 * precision * recall / (precision + recall) if precision > 0 and recall > 0 else 0.0
    return {"precision": precision, "recall": recall, "f1": mean if reference.any() else float("nan")}


def speckle(codes: np.ndarray) -> dict[str, float]:
    """How fragmented a class map is; `codes` is uint8 (y, x), 0 = no data, InputError if it is no class map.

    components: number of 8-connected components of one class; no data is none. isolated_share: share of the pixels with
    data that lie in a component of fewer than `SMALL` pixels; NaN without any.
    """
    numbers = label(_class_map(codes), background=0, connectivity=2)
    valid = codes != 0
    share = float(specks(codes)[valid].mean()) if valid.any() else float("nan")
    return {"components": int(numbers.max(initial=0)), "isolated_share": share}


def specks(codes: np.ndarray) -> np.ndarray:
    """Pixels in 8-connected components of fewer than `SMALL` pixels, bool (y, x); `codes` uint8 (y, x), 0 = no data."""
    numbers = label(_class_map(codes), background=0, connectivity=2)
    sizes = np.bincount(numbers.ravel())
    return (sizes < SMALL)[numbers] & (numbers > 0)


def object_width(codes: np.ndarray) -> np.ndarray:
    """Width in pixels of the object that each pixel is part of, float32 (y, x): the largest circle's that fits into it.

    An object is a 4-connected component of one class in `codes`, uint8 (y, x), 0 = no data. Its width is twice the
    largest distance from a place inside to its border; places are the centres of pixels and of their shared sides and
    corners, so that a straight line of w pixels has width w, odd or even (distances between pixel centres alone would
    find every even line one pixel too narrow). At least 1; NaN for no data. InputError if `codes` is no class map.

    No data borders an object, as it does around labelled polygons. The edge of the image does not: what it cuts goes on
    beyond, and a field must not become a strip there. Such an object is as wide as if mirrored at its outermost row of
    pixels; where one class fills the whole image no border is seen and the width is inf.
    """
    codes = _class_map(codes)
    height, width = codes.shape
    # Grid of half pixels: pixel centres at even positions, their shared sides and corners between them. The
    # border nearest to a place is that of its own object, so one transform serves all objects at once.
    inside = np.ones((2 * height, 2 * width), bool)
    down, right = codes[1:] != codes[:-1], codes[:, 1:] != codes[:, :-1]
    inside[1:-1:2, ::2], inside[::2, 1:-1:2] = ~down, ~right
    inside[1:-1:2, 1:-1:2] = ~(down[:, 1:] | down[:, :-1] | right[1:] | right[:-1])
    distance = np.zeros(inside.shape)
    seen = inside[:-1, :-1]  # the last row and column only round the grid up to whole pixels
    distance[:-1, :-1] = np.inf if seen.all() else ndimage.distance_transform_edt(seen)
    # The places of a pixel are its centre, right side, lower side and lower right corner: any of them inside is inside
    # the pixel's own object. A distance in half pixels is a diameter in pixels.
    widest = distance.reshape(height, 2, width, 2).max((1, 3))
    objects = label(codes, background=0, connectivity=1)
    of_object = np.full(objects.max() + 1, np.nan, np.float32)
    of_object[1:] = ndimage.maximum(widest, objects, np.arange(1, len(of_object)))
    return of_object[objects]


def recall_by_width(truth: np.ndarray, predicted: np.ndarray, bins=(1, 2, 3, 5, 9, 17)) -> pd.DataFrame:
    """How many pixels of narrow and of wide objects are right: one row a bin of `object_width` in the truth.

    `truth` and `predicted` are uint8 (y, x), 0 = no data; where only the prediction has none, it is wrong. `bins` are
    lower limits in pixels, ascending: each ends below the next, the last is open, and what is narrower than the first
    is not counted. Columns width_from, width_to, pixels (of the truth) and recall (share of them whose predicted class
    is right, NaN without pixels). InputError if shapes differ, one is no class map or the limits do not ascend.
    """
    truth, predicted = _class_map(truth), _class_map(predicted)
    _same_shape("Truth", truth, "prediction", predicted)
    limits = np.asarray(bins, np.float64)
    if limits.ndim != 1 or not limits.size or not np.isfinite(limits).all() or (np.diff(limits) <= 0).any():
        raise InputError(f"The bins are {bins}: give one or more widths in pixels, ascending.")
    valid = truth != 0
    place = np.digitize(object_width(truth)[valid], limits)  # 0 is below the first limit
    right = (truth == predicted)[valid]
    pixels = np.bincount(place, minlength=limits.size + 1)[1:]
    hits = np.bincount(place[right], minlength=limits.size + 1)[1:]
    recall = np.divide(hits, pixels, out=np.full(limits.size, np.nan), where=pixels > 0)
    columns = {"width_from": limits, "width_to": np.append(limits[1:], np.inf), "pixels": pixels, "recall": recall}
    return pd.DataFrame(columns)


def _share_near(pixels: np.ndarray, targets: np.ndarray, tolerance: float) -> float:
    """Share of `pixels` with one of `targets` within tolerance; NaN without pixels, 0 without targets."""
    if not pixels.any():
        return float("nan")
    # Without any target the transform has nothing to measure to and returns arbitrary numbers.
    return float((ndimage.distance_transform_edt(~targets)[pixels] <= tolerance).mean()) if targets.any() else 0.0


def _class_map(codes: np.ndarray) -> np.ndarray:
    codes = np.asarray(codes)
    if codes.ndim != 2 or not codes.size or codes.dtype != np.uint8:
        raise InputError(f"A class map is uint8 (y, x), not {codes.dtype} of shape {codes.shape}: convert it first.")
    return codes


def _same_shape(name: str, one: np.ndarray, other_name: str, other: np.ndarray) -> None:
    if one.shape != other.shape or one.ndim != 2:
        raise InputError(f"{name} {one.shape} and {other_name} {other.shape} are not of one (y, x): use one grid.")


def near(mask: np.ndarray, distance: int = 1) -> np.ndarray:
    """Pixels at most `distance` pixels from one of `mask`, diagonals included, bool (y, x)."""
    return ndimage.binary_dilation(mask, np.ones((3, 3), bool), iterations=distance)
