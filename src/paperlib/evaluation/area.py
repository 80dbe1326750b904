"""Map accuracy and class areas, weighted by mapped area (Olofsson et al., 2014)."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from ..errors import InputError


def area_weighted(
    confusion: np.ndarray, mapped_area: np.ndarray, resampled: np.ndarray | None = None, level: float = 0.95
) -> tuple[float, float, pd.DataFrame]:
    """Overall accuracy of a map, its half-width, and a table of its classes, all weighted by mapped area.

    Parameters
    ----------
    confusion: (reference class, predicted class), sampled pixels; the predicted class is that of the map.
    mapped_area: (class,), hectares of each class on the whole map.
    resampled: (draw, reference class, predicted class), see `resampled_confusions`. With it, half-widths come from the
        spread over the draws; without it, from the equations of the source. Draws in which a mapped class has no pixel left
        allow no estimate and do not count.
    level: confidence level of the half-widths, which assume a normal distribution: 1.96 standard errors by default.

    The table has one row for each class index: mapped_area, estimated_area and area_half_width in hectares; users_accuracy,
    users_half_width, producers_accuracy and producers_half_width as shares of 1. NaN: user's accuracy of a class that is not
    mapped, producer's accuracy of a class that the reference lacks, and half-widths that rest on one pixel.

    The source assumes a random sample of independent units, stratified by map class. Pixels of polygons are not independent,
    so half-widths from pixels are too narrow; pass `resampled`. Polygons that interpreters choose can also bias the
    estimates, which no half-width shows.

    Raises `InputError` for shapes that differ, areas that are negative or all 0, a mapped class without sampled pixels, and
    sampled pixels of a class without mapped area.

    Source: Olofsson et al. (2014), Good practices for estimating area and assessing accuracy of land change, Remote Sensing
    of Environment 148, equations 1 to 11.
    """
    samples, areas = (
        np.asarray(confusion).T,
        np.asarray(mapped_area, float),
    )  # rows of the source's matrix are map classes
    shapes = {samples.shape, (areas.size, areas.size)} | (set() if resampled is None else {np.shape(resampled)[1:]})
    if len(shapes) > 1 or not (areas >= 0).all() or areas.sum() <= 0:
        raise InputError(
            f"Confusion matrices of the shapes {sorted(shapes)} and the mapped areas {areas} do not fit.",
            "Give one area (hectares, 0 where a class is not mapped) for each class of the matrix.",
            kind="area.shape",
        )
    unmatched = np.flatnonzero((areas > 0) != (samples.sum(1) > 0))
    if unmatched.size:
        raise InputError(
            f"Classes {unmatched} have mapped area without sampled pixels, or the reverse, which gives them no weight.",
            "Take both from one map, and merge or leave out classes that no test polygon meets.",
            kind="area.unsampled",
        )
    share = areas / areas.sum()
    estimates = _estimates(samples, share)
    if resampled is None:
        errors = _standard_errors(samples, share)
    else:  # pandas leaves NaN out and gives NaN for fewer than two draws, both without a warning
        drawn = _estimates(np.swapaxes(resampled, -1, -2), share)
        errors = [pd.DataFrame(values).std().to_numpy().squeeze() for values in drawn]
    overall, users, producers, proportion = estimates
    wide, users_wide, producers_wide, area_wide = (norm.ppf((1 + level) / 2) * error for error in errors)
    table = {
        "mapped_area": areas,
        "estimated_area": proportion * areas.sum(),
        "area_half_width": area_wide * areas.sum(),
    }
    table |= {"users_accuracy": users, "users_half_width": users_wide}
    table |= {"producers_accuracy": producers, "producers_half_width": producers_wide}
    classes = pd.DataFrame(table, index=pd.RangeIndex(areas.size, name="class_index"))
    return float(overall), float(wide), classes


def _estimates(samples: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, ...]:
    """Overall accuracy (...), user's and producer's accuracy and area proportion (..., class); equations 1 to 4 and 9.

    `samples` (..., map class, reference class) are pixels, `share` (map class,) is the share of the mapped area.
    """
    with np.errstate(invalid="ignore"):
        within = samples / samples.sum(-1, keepdims=True)
        cells = np.where(
            share[:, None] > 0, share[:, None] * within, 0
        )  # a class that is not mapped has weight 0, not NaN
        users, right = (np.diagonal(matrix, axis1=-2, axis2=-1) for matrix in (within, cells))
        return right.sum(-1), users, right / cells.sum(-2), cells.sum(-2)


def _standard_errors(samples: np.ndarray, share: np.ndarray) -> list[np.ndarray]:
    """Standard errors of the values of `_estimates`, for one matrix; equations 5, 6, 7 and 10."""
    _, _, producers, proportion = _estimates(samples, share)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = samples.sum(1, keepdims=True)
        variance = samples / total * (1 - samples / total) / (total - 1)
        weighted = np.where(share[:, None] > 0, share[:, None] ** 2 * variance, 0)
        own = np.diag(weighted)
        ratio = (1 - producers) ** 2 * own + producers**2 * (weighted.sum(0) - own)
        return [np.sqrt(squared) for squared in (own.sum(), np.diag(variance), ratio / proportion**2, weighted.sum(0))]
