"""The scores of one classifier on polygons, with intervals, and the counts behind them: in memory and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from ..errors import InputError
from ..evaluation import intervals, metrics
from ..evaluation.quantities import Quantity
from ..nomenclature import LandCover

#: Draws of polygons behind the intervals.
DRAWS = 2000


@dataclass(frozen=True)
class PolygonScores:
    """How a classifier labels the pixels of polygons.

    Parameters
    ----------
    counts: int64 (polygon, predicted class), pixels.
    reference: int64 (polygon,), class indices.
    legend: classes in the order of the indices.
    where: what the polygons are, for people, such as "test polygons of the training".
    """

    counts: np.ndarray
    reference: np.ndarray
    legend: tuple[LandCover, ...]
    where: str = ""

    def confusions(self, number: int = DRAWS, seed: int = 0) -> np.ndarray:
        """Confusion matrices (1 + draw, reference, predicted) in pixels: the one found, then those of drawn polygons."""
        weights = np.ones((1, len(self.reference)))
        if number:
            weights = np.vstack([weights, intervals.draws(self.reference, number, seed)])
        return intervals.resampled_confusions(self.counts, self.reference, weights)

    @property
    def confusion(self) -> np.ndarray:
        """Confusion matrix (reference, predicted), pixels."""
        return self.confusions(0)[0].astype(int)

    @property
    def macro_f1(self) -> float:
        """Mean F1 over the classes that have polygons."""
        return float(metrics.macro_f1(self.confusion))

    @cached_property
    def table(self) -> pd.DataFrame:
        """Columns score, class, estimate, low, high (95 %), polygons, pixels.

        One row each for macro F1 and overall accuracy, then the F1 of each class of the legend; NaN for a class without
        polygons. Intervals rest on the polygons as sampling units; see `intervals`.
        """
        drawn, freedom = self.confusions(), intervals.freedom(self.reference)
        rows: list[tuple] = []
        for name, score in (("macro F1", metrics.macro_f1), ("overall accuracy", metrics.overall_accuracy)):
            rows.append((name, "all", *_bounded(score(drawn), freedom), len(self.reference), int(self.counts.sum())))
        for index, cover in enumerate(self.legend):
            mine = self.reference == index
            found = _bounded(metrics.f1(drawn)[:, index], freedom) if mine.any() else (np.nan,) * 3
            rows.append(("F1", cover.name, *found, int(mine.sum()), int(self.counts[mine].sum())))
        return pd.DataFrame(rows, columns=["score", "class", "estimate", "low", "high", "polygons", "pixels"])

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the scores for people, and the counts they follow from."""
        scores = self.table.round(4).astype(object).where(self.table.notna(), None)
        return {
            "polygons of": self.where, "scores": scores.to_dict("records"), "confusion": self.confusion.tolist(),
            "classes": [cover._asdict() for cover in self.legend], "reference": self.reference.tolist(),
            "counts": self.counts.tolist(),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The inverse of `to_dict`. Raises `InputError` for anything else."""
        try:
            legend = tuple(LandCover(**cover) for cover in content["classes"])
            counts = np.array(content["counts"], np.int64).reshape(-1, len(legend))
            return cls(counts, np.array(content["reference"], np.int64), legend, content["polygons of"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"These are no scores of polygons: their entry {error} is missing or wrong.",
                "Give a file that `paperlib score --out` wrote.", kind="scores.format",
            ) from error  # fmt: skip


def _bounded(values: np.ndarray, freedom: int) -> Sequence[float]:
    """A score between 0 and 1 and its interval, of `values` (1 + draw,)."""
    value, low, high = Quantity.of_trainings(values[None], freedom).estimate()
    return value, max(low, 0.0), min(high, 1.0)
