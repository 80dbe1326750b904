"""A score, or a difference of scores, with an interval that holds both the choice of polygons and the luck of trainings.

The variance of a mean over trainings has two parts. The part of the polygons is the variance over draws of polygons
(`intervals.draws`), in which all models share the draws, so that differences are paired. The part of the trainings is the
variance between trainings, pooled over the models of the quantity, divided by their number. The interval is that of a t
distribution with the degrees of freedom of Satterthwaite (1946), An approximate distribution of estimates of variance
components, Biometrics Bulletin 2. Resampling polygons alone holds a difference of zero in 59 to 92 % of repetitions, this in
94 to 98 % (`benchmarks/intervals.py`).
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import scipy


class Estimate(NamedTuple):
    """A quantity and its 95 % interval."""

    value: float
    low: float
    high: float


class Luck(NamedTuple):
    """Variation between the trainings of one model."""

    squares: float  # sum of squared deviations from their mean
    freedom: int  # trainings less one
    share: float  # variance of the quantity per variance of one training: the square of its coefficient / trainings


@dataclass(frozen=True, eq=False)
class Quantity:
    """A number with its values in draws of polygons or blocks, and the luck of the trainings behind it.

    Quantities of different trainings may be added and subtracted. Scores of the same trainings are subtracted training by
    training, before `of_trainings`.
    """

    draws: np.ndarray  # (1 + draw,): the number itself, then its value in each draw; NaN draws do not count
    freedom: int  # degrees of freedom of the variance over the draws: units less strata
    luck: tuple[Luck, ...] = ()

    @classmethod
    def of_trainings(cls, values: np.ndarray, freedom: int) -> Self:
        """Mean over trainings of `values` (training, 1 + draw)."""
        mean, own = values.mean(0), values[:, 0]
        luck = Luck(float(((own - own.mean()) ** 2).sum()), len(own) - 1, 1 / len(own))
        return cls(mean, freedom, (luck,))

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.draws + other.draws, min(self.freedom, other.freedom), self.luck + other.luck)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return self + other * -1

    def __mul__(self, factor: float) -> "Quantity":
        luck = tuple(Luck(squares, freedom, factor**2 * share) for squares, freedom, share in self.luck)
        return replace(self, draws=self.draws * factor, luck=luck)

    def redrawn(self, ratio: float) -> "Quantity":
        """The same, as if the training polygons were drawn anew too; `ratio`: test polygons per training polygon.

        Scores of one training set have the correlation test / (test + training) by the approximation of Nadeau and Bengio
        (2003), Inference for the generalization error, Machine Learning 52, so that the variance over test polygons alone is
        a share of training / (test + training) of that over both.
        """
        return replace(self, draws=self.value + (self.draws - self.value) * (1 + ratio) ** 0.5)

    @property
    def value(self) -> float:
        """The number itself."""
        return float(self.draws[0])

    def error(self) -> tuple[float, float]:
        """Standard error and its degrees of freedom.

        With one training of each model, their luck cannot be known and the error is that of the polygons alone. NaN where
        there are neither draws nor several trainings.
        """
        drawn = self.draws[1:][~np.isnan(self.draws[1:])]
        of_trainings = sum(luck.freedom for luck in self.luck)
        if len(drawn) < 2 and not of_trainings:
            return float("nan"), float("nan")
        polygons = float(drawn.var(ddof=1)) if len(drawn) > 1 else 0.0
        pooled = sum(luck.squares for luck in self.luck) / of_trainings if of_trainings else 0.0
        trainings = pooled * sum(luck.share for luck in self.luck)
        total = polygons + trainings
        terms = [(polygons, self.freedom), (trainings, of_trainings)]
        inverse = sum(part**2 / freedom for part, freedom in terms if freedom > 0)
        return total**0.5, total**2 / inverse if inverse > 0 else float("inf")

    def estimate(self, level: float = 0.95) -> Estimate:
        """The number and its interval."""
        error, freedom = self.error()
        half = error * scipy.stats.t.ppf((1 + level) / 2, freedom) if error else 0.0
        return Estimate(self.value, float(self.value - half), float(self.value + half))

    def p_value(self, bound: float = 0.0) -> float:
        """Two-sided p of the hypothesis that the quantity is `bound`."""
        error, freedom = self.error()
        if error == 0:
            return float(self.value == bound)
        return float(2 * scipy.stats.t.sf(abs(self.value - bound) / error, freedom))


def mean(quantities: list[Quantity]) -> Quantity:
    """Mean of quantities of different trainings."""
    total = quantities[0]
    for quantity in quantities[1:]:
        total += quantity
    return total * (1 / len(quantities))


@dataclass(frozen=True)
class Deviation:
    """The largest of several standard deviations, each with `freedom` degrees of freedom, of normal values."""

    value: float
    freedom: int
    several: int = 1  # deviations of which this is the largest: each gets its part of the error rate

    def estimate(self, level: float = 0.95) -> Estimate:
        """The deviation and its interval, by the chi-square distribution; NaN where it cannot be known."""
        if self.freedom < 1:
            return Estimate(*[float("nan")] * 3)
        tail = (1 - level) / 2 / self.several
        low, high = (
            self.value * (self.freedom / scipy.stats.chi2.ppf(p, self.freedom)) ** 0.5 for p in (1 - tail, tail)
        )
        return Estimate(self.value, float(low), float(high))

    def p_value(self, bound: float) -> float:
        """Two-sided p of the hypothesis that the deviation is `bound` (above 0); NaN where it cannot be known."""
        if self.freedom < 1:
            return float("nan")
        ratio = self.freedom * (self.value / bound) ** 2
        one_side = min(scipy.stats.chi2.cdf(ratio, self.freedom), scipy.stats.chi2.sf(ratio, self.freedom))
        return float(min(1.0, 2 * self.several * one_side))
