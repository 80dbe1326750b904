"""Intervals of map accuracy and class areas that hold at any sample size.

The usual (Wald) interval of a rare class covers the truth in 0 to 77 % of samples instead of 95. Here each proportion
within a stratum gets its exact limits (Clopper and Pearson, 1934), and limits are combined over strata by MOVER (Zou and
Donner, 2008, Statistics in Medicine 27, 1693-1702). Ratios are inverted: a value belongs to the interval if 0 lies in the
interval of numerator minus value times denominator.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import betaincinv
from scipy.stats import hypergeom

from .stratified import StratifiedSample, indicators

#: Steps of a bisection in [0, 1]: to 1e-15.
STEPS = 50


def clopper_pearson(hits: np.ndarray, units: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Exact lower and upper limits of a proportion; 0 and 1 where there is no unit."""
    hits, units = np.asarray(hits), np.asarray(units)
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(hits > 0, betaincinv(hits, units - hits + 1, tail), 0.0)  # quantiles of beta distributions
        high = np.where(hits < units, betaincinv(hits + 1, units - hits, 1 - tail), 1.0)
    return low, high


def hypergeometric(hits: int, units: int, population: int, level: float = 0.95) -> tuple[float, float]:
    """Exact limits of the share of hits in a population of which `units` were drawn without replacement."""
    tail = (1 - level) / 2
    return 1 - hypergeometric_upper(units - hits, units, population, tail), hypergeometric_upper(
        hits, units, population, tail
    )


@lru_cache(2**16)
def hypergeometric_upper(hits: int, units: int, population: int, tail: float) -> float:
    """Exact upper limit of that share: more hits would show so few in at most a share `tail` of samples."""
    low, high = hits, population - (units - hits)  # the number of hits lies between
    while low < high:
        middle = (low + high + 1) // 2
        fits = hypergeometric_tail(hits, units, population, middle) > tail
        low, high = (middle, high) if fits else (low, middle - 1)
    return max(low / population, hits / units)


def hypergeometric_tail(hits: int, units: int, population: int, wrong: int) -> float:
    """Chance of `hits` or fewer among `units` places drawn from a population, `wrong` of which count as hits.

    As `scipy.stats.hypergeom.cdf`, in a fraction of the time where samples are small and maps large.
    """
    others = population - wrong
    if hits >= min(wrong, units):
        return 1.0
    if units > others:  # some hits are certain
        return float(hypergeom.cdf(hits, population, wrong, units))
    drawn, k = np.arange(units), np.arange(hits)
    none = np.log((others - drawn) / (population - drawn)).sum()  # no hit
    more = np.log((wrong - k) * (units - k) / ((k + 1.0) * (others - units + k + 1))).cumsum()
    return float(np.exp(none) + np.exp(none + more).sum())


def exact_intervals(sample: StratifiedSample, level: float = 0.95, guaranteed: bool = False) -> pd.DataFrame:
    """Limits of every score: columns score, class, low, high.

    Scores are overall, users, producers, area (a share of the map), f1 and macro_f1, as in `stratified.estimates`. Strata
    may have one unit or none: these limits stay valid, from 0 to the whole stratum. A class that the sample never meets has
    limits 0 and 1. Limits of macro F1 are the means of those of the classes, as if all classes erred together.

    Parameters
    ----------
    level: of each interval.
    guaranteed: add the limits of strata, each at 1 - (1 - level) / their number (the union bound), instead of combining
        them by MOVER. They then hold with certainty, and are two to three times wider.
    """
    rows = []
    for score, pairs in indicators(sample).items():
        for index, (y, x) in enumerate(pairs):
            limits = _ratio_limits(sample, y, x, level, guaranteed)
            rows.append((score, "" if score == "overall" else sample.classes[index], *limits))
    table = pd.DataFrame(rows, columns=["score", "class", "low", "high"])
    low, high = table.loc[table["score"] == "f1", ["low", "high"]].mean()
    macro = pd.DataFrame({"score": ["macro_f1"], "class": "", "low": low, "high": high})
    return pd.concat([table, macro], ignore_index=True)


def _ratio_limits(
    sample: StratifiedSample, y: np.ndarray, x: np.ndarray, level: float, guaranteed: bool
) -> tuple[float, float]:
    limits = mean_limits(sample, y, x, level, guaranteed)
    if (x == 1).all():  # a plain mean over the map
        low, high = limits(0.0)
        return max(0.0, low), min(1.0, high)
    return _bisect(lambda value: limits(value)[0] > 0), _bisect(lambda value: limits(value)[1] >= 0)


def _bisect(above: Callable[[float], bool]) -> float:
    """Where a condition that holds for small values ends, in [0, 1]."""
    low, high = 0.0, 1.0
    if above(high):
        return 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) else (low, middle)
    return (low + high) / 2


def _groups(sample: StratifiedSample, y: np.ndarray, x: np.ndarray) -> list[list[tuple[float, float, int]]]:
    """For each stratum the values (y, x) that its units can have, with the number of sampled units of each."""
    groups = []
    for cells, counts in zip(sample.possible_cells, sample.counts, strict=True):
        pairs: dict[tuple[float, float], int] = {}
        for pair, number in zip(zip(y[cells], x[cells], strict=True), counts[cells], strict=True):
            pairs[pair] = pairs.get(pair, 0) + int(number)
        groups.append([(*pair, number) for pair, number in pairs.items()])
    return groups


def mean_limits(
    sample: StratifiedSample, y: np.ndarray, x: np.ndarray, level: float = 0.95, guaranteed: bool = False
) -> Callable[[float], tuple[float, float]]:
    """A function of t: limits of the mean over the map of y - t x, for y and x by cell (map class, reference class).

    The interval of the ratio of both means holds t if and only if these limits enclose 0.
    """
    groups = _groups(sample, y, x)
    if guaranteed:
        level = 1 - (1 - level) / sum(len(pairs) > 1 for pairs in groups)
    strata = []
    for weight, units, pairs in zip(sample.weights, sample.sampled, groups, strict=True):
        y, x, hits = (np.array(values) for values in zip(*pairs, strict=True))
        strata.append((weight, int(units), y, x, hits, *clopper_pearson(hits, np.full(len(hits), units), level)))

    def limits(t: float) -> tuple[float, float]:
        middle, below, above, lowest, highest = 0.0, 0.0, 0.0, 0.0, 0.0
        for weight, units, y, x, hits, low, high in strata:
            values = y - t * x
            if not units:  # nothing is known of this stratum
                lowest, highest = lowest + weight * values.min(), highest + weight * values.max()
                continue
            mean, down, up = _stratum_limits(values, hits / units, low, high)
            middle += weight * mean
            if guaranteed:
                below, above = below + weight * (mean - down), above + weight * (up - mean)
            else:
                below, above = np.hypot(below, weight * (mean - down)), np.hypot(above, weight * (up - mean))
        return middle - below + lowest, middle + above + highest

    return limits


def _stratum_limits(
    values: np.ndarray, shares: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[float, float, float]:
    """Mean of the values of a stratum's units, and its limits.

    The limits of the shares add up value by value, as if they erred together; the smallest value in size needs none,
    since the shares add up to 1.
    """
    base = values[np.abs(values).argmin()]
    gain = values - base
    down = base + (np.where(gain >= 0, low, high) * gain).sum()
    up = base + (np.where(gain >= 0, high, low) * gain).sum()
    return float((values * shares).sum()), max(float(down), values.min()), min(float(up), values.max())
