"""Map accuracy and class areas, weighted by mapped area (Olofsson et al., 2014)."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from ..errors import InputError


def area_weighted(
    confusion: np.ndarray, mapped_area: np.ndarray, resampled: np.ndarray | None = None, level: float = 0.95
) -> tuple[float, float, pd.DataFrame]:
    """Overall accuracy of a map, its half-width, and a table of its classes, all weighted by mapped area.

    Olofsson et al. (2014), "Good practices for estimating area and assessing accuracy of land change", Remote Sensing
    of Environment 148, eqs. 1-11. The table has a row a class index: mapped_area, estimated_area and area_half_width
    in hectares; users_accuracy, users_half_width, producers_accuracy and producers_half_width as shares of 1.

    Parameters
    ----------
    confusion: (reference class, predicted class), sampled pixels; predicted is the class on the map.
    mapped_area: (class,), hectares of each class on the whole map.
    resampled: (draw, reference class, predicted class) of `resampled_confusions`. With it, half-widths come from the
        spread over these draws; without, from the paper's equations. Draws in which a mapped class has no pixel left
        allow no estimate and do not count.
    level: of the half-widths, which are normal: 1.96 standard errors by default.

    The paper's design is a stratified random sample, by map class, of independent units. Polygons are not one: their
    pixels resemble each other, so half-widths from pixels are optimistic; give `resampled`. Polygons that interpreters
    chose, in numbers a class of their own, can bias the estimates too, and no half-width shows that.
    NaN: user's accuracy of a class never mapped, producer's of one never in the reference, and half-widths that rest
    on one pixel of a mapped class. InputError for shapes that differ, areas that are negative or all 0, a mapped class
    without sampled pixels and sampled pixels of a class without mapped area.
    """
    samples, areas = np.asarray(confusion).T, np.asarray(mapped_area, float)  # the paper's rows are map classes
    shapes = {samples.shape, (areas.size, areas.size)} | (set() if resampled is None else {np.shape(resampled)[1:]})
    if len(shapes) > 1 or not (areas >= 0).all() or areas.sum() <= 0:
        raise InputError(
            f"Confusion matrices of the shapes {sorted(shapes)} and the mapped areas {areas} do not fit; give one area "
            "(hectares, 0 where a class is not mapped) for each class of the matrix."
        )
    if (odd := np.flatnonzero((areas > 0) != (samples.sum(1) > 0))).size:
        raise InputError(
            f"Classes {odd} have mapped area without sampled pixels or the reverse, so their accuracy cannot be "
            "weighted; take both from one map, and merge or leave out classes that no test polygon meets."
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
    """Overall (...), user's, producer's accuracy and area proportion (..., class): eqs. 1-4 and 9.

    `samples` (..., map class, reference class) in pixels, `share` (map class,) of the mapped area.
    """
    with np.errstate(invalid="ignore"):
        within = samples / samples.sum(-1, keepdims=True)
        cells = np.where(share[:, None] > 0, share[:, None] * within, 0)  # nothing mapped weighs nothing, not NaN
        users, right = (np.diagonal(one, axis1=-2, axis2=-1) for one in (within, cells))
        return right.sum(-1), users, right / cells.sum(-2), cells.sum(-2)


def _standard_errors(samples: np.ndarray, share: np.ndarray) -> list[np.ndarray]:
    """Standard errors of what `_estimates` returns, for one matrix: eqs. 5, 6, 7 and 10."""
    _, _, producers, proportion = _estimates(samples, share)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = samples.sum(1, keepdims=True)
        variance = samples / total * (1 - samples / total) / (total - 1)
        weighted = np.where(share[:, None] > 0, share[:, None] ** 2 * variance, 0)
        own = np.diag(weighted)
        ratio = (1 - producers) ** 2 * own + producers**2 * (weighted.sum(0) - own)
        return [np.sqrt(one) for one in (own.sum(), np.diag(variance), ratio / proportion**2, weighted.sum(0))]
