"""Accuracy and class areas estimated from a stratified random sample of map units.

Olofsson et al. (2014), Remote Sensing of Environment 148, 42-57, where the strata are the map classes; Stehman (2014),
International Journal of Remote Sensing 35, 4923-4939, where they are not. Both are one ratio estimator, so one function
serves every score. `exact_intervals` holds intervals that stay valid where the normal ones of this module do not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ..errors import InputError


@dataclass(frozen=True)
class StratifiedSample:
    """Counts of a stratified random sample.

    Parameters
    ----------
    counts: int (stratum, map class, reference class), sampled units.
    sizes: float (stratum,), units of each stratum on the map, or their shares of the map.
    classes: names of the classes, map and reference alike.
    strata: names of the strata.
    """

    counts: np.ndarray
    sizes: np.ndarray
    classes: tuple[str, ...]
    strata: tuple[str, ...]

    @property
    def sampled(self) -> np.ndarray:
        """Sampled units int (stratum,)."""
        return self.counts.sum((1, 2))

    @property
    def weights(self) -> np.ndarray:
        """Share of the map (stratum,); they add up to 1."""
        return self.sizes / self.sizes.sum()

    @cached_property
    def possible_cells(self) -> np.ndarray:
        """Which cells the units of each stratum can lie in, bool (stratum, map class, reference class).

        Where a stratum is a map class, its units have that class on the map.
        """
        possible = np.ones(self.counts.shape, bool)
        for number, name in enumerate(self.strata):
            if name in self.classes and not np.delete(self.counts[number], self.classes.index(name), 0).any():
                possible[number] = False
                possible[number, self.classes.index(name)] = True
        return possible

    @classmethod
    def from_units(
        cls, stratum: Sequence, mapped: Sequence, reference: Sequence, sizes: Mapping[str, float], order: Iterable = ()
    ) -> "StratifiedSample":
        """Count sampled units, one entry each of stratum, map class and reference class.

        `sizes` gives the units of every stratum of the map, sampled or not; `order` classes in the order wanted;
        others follow as they come. Raises `InputError` for a unit in a stratum
        that `sizes` lacks and for sizes that are negative or all 0.
        """
        table = pd.DataFrame({"stratum": list(stratum), "map": list(mapped), "reference": list(reference)})
        unknown = sorted({str(name) for name in table["stratum"]} - {str(name) for name in sizes})
        if unknown:
            raise InputError(
                f"Sampled units lie in strata without a size: {', '.join(unknown)}; sizes are given for "
                f"{', '.join(map(str, sizes))}.",
                "Use the design file that the sample was drawn with.",
                kind="accuracy.strata",
            )
        area = np.array(list(sizes.values()), float)
        if not (area >= 0).all() or area.sum() <= 0:
            raise InputError(
                f"The strata have the sizes {list(sizes.values())}; positive numbers are expected.",
                "Use the design file that the sample was drawn with.",
                kind="accuracy.strata",
            )
        classes = _in_order([*order, *sizes, *table["map"], *table["reference"]], {*table["map"], *table["reference"]})
        codes = [
            pd.Categorical(table[column], list(names)).codes
            for column, names in (("stratum", sizes), ("map", classes), ("reference", classes))
        ]
        counts = np.zeros((len(sizes), len(classes), len(classes)), np.int64)
        np.add.at(counts, tuple(codes), 1)
        return cls(counts, area, tuple(map(str, classes)), tuple(map(str, sizes)))


def _in_order(names: list, wanted: set) -> list:
    """The wanted names, each once, in order of first appearance."""
    return [name for name in dict.fromkeys(names) if name in wanted]


def indicators(sample: StratifiedSample) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """Every score as a ratio of two sums over units: y and x, float (map class, reference class), by score and class.

    Keys overall (one entry), users, producers, area and f1 (one entry a class).
    """
    size = len(sample.classes)
    mapped, reference = np.indices((size, size))
    right, everything = (mapped == reference).astype(float), np.ones((size, size))
    scores: dict[str, list] = {"overall": [(right, everything)], "users": [], "producers": [], "area": [], "f1": []}
    for index in range(size):
        in_map, in_reference = (mapped == index).astype(float), (reference == index).astype(float)
        both = in_map * in_reference
        scores["users"].append((both, in_map))
        scores["producers"].append((both, in_reference))
        scores["area"].append((in_reference, everything))
        scores["f1"].append((2 * both, in_map + in_reference))
    return scores


def estimates(sample: StratifiedSample, finite: bool = True) -> pd.DataFrame:
    """Estimate and standard error of every score: columns score, class, estimate, standard_error.

    Scores are overall, macro_f1 (both with an empty class), users, producers, area (a share of the map) and f1. `finite`
    applies the correction for a finite population, which needs sizes in units (Stehman, 2014, eqs. 25 and 28); without
    it the standard errors are those of Olofsson et al. (2014, eqs. 5-7 and 10).

    The estimate is NaN where a score is not defined, such as producer's accuracy of a class that no reference unit has.
    The standard error is NaN where the sample cannot tell it: a stratum with one unit, or no variation within any
    stratum, where the usual formula gives a misleading 0. Raises `InputError` for a stratum without any unit: an
    estimate would silently leave out its part of the map.
    """
    _require_units(sample)
    rows = []
    ratios: dict[str, list[float]] = {}
    for score, pairs in indicators(sample).items():
        for index, (y, x) in enumerate(pairs):
            ratio = _ratio(sample, y, x)
            ratios.setdefault(score, []).append(ratio)
            error = (
                _standard_error(sample, (y - ratio * x) / _total(sample, x), finite) if np.isfinite(ratio) else np.nan
            )
            rows.append((score, "" if score == "overall" else sample.classes[index], ratio, error))
    rows.append(("macro_f1", "", *_macro_f1(sample, ratios["f1"], finite)))
    return pd.DataFrame(rows, columns=["score", "class", "estimate", "standard_error"])


def _macro_f1(sample: StratifiedSample, ratios: list[float], finite: bool) -> tuple[float, float]:
    defined = np.isfinite(ratios)
    scores = [
        (pair, ratio) for pair, ratio, fine in zip(indicators(sample)["f1"], ratios, defined, strict=True) if fine
    ]
    residual = np.mean([(y - ratio * x) / _total(sample, x) for (y, x), ratio in scores], axis=0)
    return float(np.mean([ratio for _, ratio in scores])), _standard_error(sample, residual, finite)


def _require_units(sample: StratifiedSample) -> None:
    empty = [name for name, units in zip(sample.strata, sample.sampled, strict=True) if not units]
    if empty:
        raise InputError(
            f"No sampled unit lies in the strata {', '.join(empty)}, so the sample says nothing of that part of the map.",
            "Label at least two units of each stratum, or merge strata before the sample is drawn.",
            kind="accuracy.unsampled",
        )


def _total(sample: StratifiedSample, values: np.ndarray) -> float:
    """Mean over the map of a value given by cell (map class, reference class)."""
    return float((sample.weights * (sample.counts * values).sum((1, 2)) / sample.sampled).sum())


def _ratio(sample: StratifiedSample, y: np.ndarray, x: np.ndarray) -> float:
    below = _total(sample, x)
    return _total(sample, y) / below if below > 0 else np.nan


def _standard_error(sample: StratifiedSample, residual: np.ndarray, finite: bool) -> float:
    """Standard error of the mean over the map of a value given by cell (map class, reference class).

    Stratified random sampling; NaN where a stratum that can vary has one unit, or where no stratum varies.
    """
    units = sample.sampled
    mean = (sample.counts * residual).sum((1, 2)) / units
    squares = (sample.counts * (residual - mean[:, None, None]) ** 2).sum((1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = squares / (units - 1) / units
    constant = [np.ptp(residual[possible]) == 0 for possible in sample.possible_cells]
    variance[constant] = 0  # one unit tells all of a stratum in which every unit has the same value
    if finite:
        variance = np.where(units >= sample.sizes, 0, variance * (1 - units / sample.sizes))
    total = float((sample.weights**2 * variance).sum())
    return float(np.sqrt(total)) if total > 1e-30 else np.nan


# -- how many units, and in which strata --------------------------------------------------------------------------------


def sample_size(weights: np.ndarray, accuracy: np.ndarray, error: float, units: float = np.inf) -> int:
    """Units to sample for a standard error of overall accuracy (Olofsson et al., 2014, eq. 13).

    `weights` (stratum,) are shares of the map, `accuracy` (stratum,) the user's accuracies expected, `units` those of the
    whole map.
    """
    spread = np.sqrt(accuracy * (1 - accuracy))
    return int(np.ceil((weights * spread).sum() ** 2 / (error**2 + (weights * spread**2).sum() / units)))


def allocate(
    number: int, sizes: np.ndarray, rule: str = "neyman", accuracy: np.ndarray | None = None, floor: int = 2
) -> np.ndarray:
    """Units of each stratum int (stratum,), `number` in all.

    Parameters
    ----------
    number: units of the whole sample.
    sizes: (stratum,) units of the map.
    rule: "equal", "proportional" to the sizes, or "neyman": proportional to size times the spread that follows from
        `accuracy` (stratum,), the user's accuracy expected of each.
    floor: least units of a stratum, as far as it has them.

    Raises `InputError` for an unknown rule and for a number that does not suffice for the floor.
    """
    spread = np.ones(len(sizes)) if accuracy is None else np.sqrt(accuracy * (1 - accuracy))
    rules: dict[str, Callable[[], np.ndarray]] = {
        "equal": lambda: np.ones(len(sizes)), "proportional": lambda: sizes, "neyman": lambda: sizes * spread,
    }  # fmt: skip
    if rule not in rules:
        raise InputError(
            f"The allocation {rule!r} is unknown.", f"Choose one of {', '.join(rules)}.", kind="design.allocation"
        )
    least = np.minimum(floor, sizes).astype(int)
    if number < least.sum():
        raise InputError(
            f"{number} points do not suffice for {len(sizes)} strata with at least {floor} each.",
            f"Ask for {least.sum()} points or more with --number.",
            kind="design.number",
        )
    return _whole_numbers(number, rules[rule]().astype(float), least, sizes)


def _whole_numbers(number: int, shares: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Whole numbers in proportion to shares between bounds, `number` in all, where the upper bounds allow that many."""
    chosen = least.copy()
    for _ in range(min(number, int(np.floor(most.sum()))) - int(least.sum())):
        # the stratum that lies farthest below its share gets the next unit
        lack = np.where(chosen < most, (shares / shares.sum()) * number - chosen, -np.inf)
        chosen[int(lack.argmax())] += 1
    return chosen
