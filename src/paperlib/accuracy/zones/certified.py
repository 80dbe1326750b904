"""The part of a map one can stand for: the largest zone whose error is at most x, with a stated certainty.

Zones hold the places above a confidence. A zone is tested against "wrong in more than `error` of it" by the exact
hypergeometric tail of the labelled points inside; where the sample is stratified, by the sum of exact limits over strata,
which costs width and keeps the guarantee. Two procedures keep the chance of a false certificate at or below `risk` whatever
the truth: fixed-sequence testing, from the smallest zone with enough labels on until the first that fails, and
Bonferroni (Angelopoulos and others, 2021, "Learn then Test").
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...errors import InputError
from ..exact_intervals import hypergeometric_tail, hypergeometric_upper


@dataclass(frozen=True)
class Zone:
    """The largest zone that can be certified.

    `coverage` is its share of the map (0: none), `units` its size in pixels, `number` its position among the zones tried
    (-1: none), `upper` the upper limit of its error. `levels` has a row a zone: coverage, units, labelled, wrong, accepted.
    """

    coverage: float
    units: int
    number: int
    upper: float
    levels: pd.DataFrame


def certify(
    units: np.ndarray, labelled: np.ndarray, wrong: np.ndarray, error: float = 0.1, risk: float = 0.05,
    procedure: str = "sequence",
) -> Zone:  # fmt: skip
    """The largest zone in which at most a share `error` of the map is wrong, falsely stated in at most `risk` of samples.

    Parameters
    ----------
    units, labelled, wrong: int (zone, stratum), pixels, labelled points and wrong ones among them of nested zones, the
        smallest first; the last is the whole map. Points are a random sample within each stratum.
    error, risk: shares of 1.
    procedure: "sequence" or "bonferroni".

    Zones with too few labels to be certified even if none of them were wrong do not count as tried. Raises `InputError`
    where that is so for the whole map.
    """
    allowed = risk / len(units) if procedure == "bonferroni" else risk
    size = units.sum(1)
    levels = pd.DataFrame(
        {
            "coverage": size / size[-1],
            "units": size,
            "labelled": labelled.sum(1),
            "wrong": wrong.sum(1),
        }
    )
    accepted = np.zeros(len(units), bool)
    for row in range(_first_possible(units, labelled, error, allowed), len(units)):
        accepted[row] = _holds(units[row], labelled[row], wrong[row], error, allowed)
        if procedure == "sequence" and not accepted[row]:
            break
    levels["accepted"] = accepted
    best = int(np.flatnonzero(accepted).max(initial=-1))
    if best < 0:
        return Zone(0.0, 0, -1, np.nan, levels)
    upper = _upper(units[best], labelled[best], wrong[best], risk)
    return Zone(float(size[best] / size[-1]), int(size[best]), best, upper, levels)


def zones_by_rank(
    confidence: np.ndarray, labelled: np.ndarray, wrong: np.ndarray, coverages: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nested zones of the most confident places: the three tables that `certify` takes, of one stratum.

    `confidence` (place,); `labelled` (label,) index of the labelled places; `wrong` bool (label,); `coverages` ascending
    shares of the places. Equal confidences rank by position.
    """
    order = np.argsort(-np.asarray(confidence), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    places, wrong = rank[np.asarray(labelled)], np.asarray(wrong, bool)
    size = np.array([round(coverage * len(order)) for coverage in coverages])
    inside = places < size[:, None]
    return size[:, None], inside.sum(1)[:, None], (inside & wrong).sum(1)[:, None]


def zones_by_confidence(
    pixels: np.ndarray, points: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Nested zones of all pixels at or above a confidence: least confidence (zone,), and the tables of `certify`.

    `pixels` int (confidence 0 to 100, stratum), a histogram of the map; `points` with columns confidence, stratum, wrong.
    """
    above = pixels[::-1].cumsum(0)
    least = np.arange(len(pixels))[::-1]
    kept = pixels[::-1].sum(1) > 0
    strata = np.arange(pixels.shape[1])
    inside = points["confidence"].to_numpy() >= least[kept][:, None]
    member = points["stratum"].to_numpy()[:, None] == strata
    labelled = inside.astype(int) @ member
    wrong = inside.astype(int) @ (member & points["wrong"].to_numpy(bool)[:, None])
    return least[kept], above[kept], labelled, wrong


def _holds(units: np.ndarray, labelled: np.ndarray, wrong: np.ndarray, error: float, risk: float) -> bool:
    """Whether a zone (stratum,) that is wrong in more than `error` would show so few wrong labels in at most `risk`."""
    if (units > 0).sum() > 1:
        return _upper(units, labelled, wrong, risk) <= error
    size, labels, errors = (int(table.sum()) for table in (units, labelled, wrong))
    return labels > 0 and hypergeometric_tail(errors, labels, size, min(size, int(np.floor(error * size)) + 1)) <= risk


def _upper(units: np.ndarray, labelled: np.ndarray, wrong: np.ndarray, risk: float) -> float:
    """Upper limit of the share of a zone that is wrong: exact limits of its strata, each at its part of the risk."""
    held = units > 0
    limits = [
        hypergeometric_upper(int(errors), int(labels), int(size), risk / held.sum()) if labels else 1.0
        for size, labels, errors in zip(units[held], labelled[held], wrong[held], strict=True)
    ]
    return float((units[held] * limits).sum() / units.sum())


def _first_possible(units: np.ndarray, labelled: np.ndarray, error: float, risk: float) -> int:
    """The smallest zone that could be certified if none of its labels were wrong, so that the choice looks at no label."""
    for row in range(len(units)):
        if _holds(units[row], labelled[row], np.zeros_like(labelled[row]), error, risk):
            return row
    needed = int(np.ceil(np.log(risk) / np.log1p(-error))) * int((units[-1] > 0).sum())
    raise InputError(
        f"{labelled[-1].sum()} labelled points do not suffice to state an error of at most {100 * error:.0f} % with "
        f"{100 * (1 - risk):.0f} % certainty for any part of the map; about {needed} are needed.",
        "Label more points, or allow a larger error.",
        kind="accuracy.zone",
    )
