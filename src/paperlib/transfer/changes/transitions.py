"""Areas of change between two class maps, as mapped and corrected by what is known of the errors of both maps.

Every error of either map looks like a change, so that two maps of 90 % accuracy show change on up to a fifth of a land
that stays as it is. Where the confusion of both maps is known from reference polygons, the true transitions behind the
mapped ones are estimated by iterative unfolding (D'Agostini, 1995, Nuclear Instruments and Methods A 362; expectation
maximisation): from the mapped transitions on, each step makes the expected ones fit better, areas stay positive, and the
steps end when the fit hardly improves, since further ones only amplify noise.

It assumes that the two maps err independently of each other in a place, and everywhere as they do in the polygons. Maps
by one model of one landscape err in the same places, and pixels inside polygons are easier than those at borders. What of
the mapped area cannot come from such errors, the misfit, says how rough the correction is. Points drawn on the map of
changes (`paperlib design`) estimate areas of change without bias.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...errors import InputError
from ...evaluation import intervals
from ...nomenclature import LandCover
from ...training.polygon_scores import PolygonScores

#: Draws of polygons behind the intervals.
DRAWS = 200
#: Steps of the unfolding at most; it ends when the misfit improves by less than this share, or is below this share of all.
STEPS, IMPROVED, FITS = 500, 0.02, 1e-4


@dataclass(frozen=True)
class Transitions:
    """Hectares by class in the first and in the second map, float64 (from, to), in the order of the legend.

    `corrected`, `low` and `high` (95 %) are None where the confusion of a map is not known.
    """

    legend: tuple[LandCover, ...]
    mapped: np.ndarray
    corrected: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    change: tuple[float, float, float] | None = None  # hectares of all changes, corrected, with the interval
    misfit: float | None = None  # share of the area whose mapped transitions independent errors do not explain

    @property
    def mapped_change(self) -> float:
        """Hectares that have another class in the second map."""
        return float(changed(self.mapped))

    def table(self) -> pd.DataFrame:
        """Columns from, to, hectares, and where known corrected, low, high; one row for each pair of classes."""
        names = [cover.name for cover in self.legend]
        index = pd.MultiIndex.from_product([names, names], names=["from", "to"])
        columns = {"hectares": self.mapped, "corrected": self.corrected, "low": self.low, "high": self.high}
        held = {name: values.ravel() for name, values in columns.items() if values is not None}
        return pd.DataFrame(held, index=index).reset_index()

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the areas of change in hectares."""
        found: dict[str, Any] = {"mapped change (ha)": round(self.mapped_change, 2)}
        if self.change is not None:
            value, low, high = (round(number, 2) for number in self.change)
            found |= {
                "corrected change (ha)": value,
                "interval (ha)": [low, high],
                "misfit": round(self.misfit or 0, 4),
            }
        return found


def changed(areas: np.ndarray) -> np.ndarray:
    """What is not on the diagonal of areas (..., from, to), as an array (...)."""
    return areas.sum((-2, -1)) - np.trace(areas, axis1=-2, axis2=-1)


def correct(
    mapped: np.ndarray, legend: tuple[LandCover, ...], first: PolygonScores, second: PolygonScores, draws: int = DRAWS
) -> Transitions:
    """Transitions corrected by the confusion of both maps, with 95 % intervals from resampled polygons.

    Intervals are percentiles of the estimates by resampled polygons, which tend to be larger, and reach to the estimate.
    They hold the choice of polygons alone, not what is wrong with the assumptions.
    `mapped`: hectares (from, to), in the order of `legend`. A class without polygons is taken to be mapped without error.
    Raises `InputError` for scores of other classes.
    """
    shares = [_mapped_given_true(scores, legend, draws, seed) for seed, scores in enumerate((first, second))]
    estimates, misfit = unfold(mapped, *shares)
    low, high = np.quantile(estimates[1:], [0.025, 0.975], axis=0)
    total = changed(estimates)
    least, most = intervals.interval(total[1:])
    change = float(total[0]), min(least, float(total[0])), max(most, float(total[0]))
    bounds = np.minimum(low, estimates[0]), np.maximum(high, estimates[0])
    return Transitions(legend, mapped, estimates[0], *bounds, change, float(misfit[0]))


def unfold(mapped: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True areas (draw, from, to) behind the mapped ones, and the misfit (draw,): the share of the area they do not explain.

    Parameters
    ----------
    mapped: (from, to).
    first, second: (draw, true class, mapped class), the share of a true class that each map gives each class.
    """
    total = mapped.sum()
    true = np.broadcast_to(mapped + 1e-3 * total / mapped.size, (len(first), *mapped.shape)).copy()
    if total <= 0:
        return np.zeros_like(true), np.zeros(len(first))
    true *= total / true.sum((-2, -1), keepdims=True)
    expected = first.swapaxes(-1, -2) @ true @ second
    misfit = _misfit(mapped, expected)
    going = np.arange(len(first))
    for _ in range(STEPS):
        one, other = first[going], second[going]
        ratio = np.divide(mapped, expected, out=np.zeros_like(expected), where=expected > 0)
        true[going] *= one @ ratio @ other.swapaxes(-1, -2)
        expected = one.swapaxes(-1, -2) @ true[going] @ other
        after = _misfit(mapped, expected)
        better = (misfit[going] - after > IMPROVED * misfit[going]) & (after > FITS)
        misfit[going] = after
        going, expected = going[better], expected[better]
        if not len(going):
            break
    return true, misfit


def _misfit(mapped: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Share of the area (draw,) by which mapped transitions (from, to) differ from the expected ones (draw, from, to)."""
    return np.abs(mapped - expected).sum((-2, -1)) / 2 / mapped.sum()


def _mapped_given_true(scores: PolygonScores, legend: tuple[LandCover, ...], draws: int, seed: int) -> np.ndarray:
    """Share of each true class that a map gives each class, (1 + draw, true, mapped), in the order of a legend."""
    theirs = {(cover.code, cover.name): index for index, cover in enumerate(scores.legend)}
    if {(cover.code, cover.name) for cover in legend} != set(theirs):
        raise InputError(
            f"The scores are of other classes ({', '.join(cover.name for cover in scores.legend)}) than the maps "
            f"({', '.join(cover.name for cover in legend)}).",
            "Give the scores of the model that made the map (--scores).", kind="change.scores",
        )  # fmt: skip
    order = [theirs[cover.code, cover.name] for cover in legend]
    confusion = scores.confusions(draws, seed)[:, order][:, :, order]
    row = confusion.sum(-1, keepdims=True)
    return np.where(row > 0, confusion / np.where(row > 0, row, 1), np.eye(len(legend)))
