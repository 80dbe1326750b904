"""Estimates with 95 % intervals: scores over resampled polygons, shares of map pixels over resampled blocks."""

from typing import NamedTuple

import numpy as np

from .. import nomenclature
from ..errors import InputError
from ..evaluation import geometry, intervals, metrics
from ..runs.experiment import Experiment

DRAWS = 1000

#: Side in pixels of the blocks of a map that are resampled: neighbours resemble each other, so pixels are not.
BLOCK = 32


class Estimate(NamedTuple):
    """A quantity and its 95 % interval."""

    value: float
    low: float
    high: float


def estimate(values: np.ndarray) -> Estimate:
    """The first of `values` (1 + draw,) and the interval of the others."""
    return Estimate(float(values[0]), *intervals.interval(values[1:]))


def vary(run: Experiment, **changes) -> Experiment:
    """The same run with other values of `settings.Sample`, such as `dates="shuffled"`; nothing is read again."""
    return run.override({f"sample.{name}": value for name, value in changes.items()})


def confusions(run: Experiment, name: str, part: str = "test") -> np.ndarray:
    """Confusion matrices (training, 1 + draw, reference, predicted) of a classifier: as they are, then over polygons.

    The polygons of a set are drawn alike for every run and classifier, so that their differences are paired.
    """
    trainings, reference = run.trained.polygon_counts(name, part)
    seed = ("validation", "test").index(part)  # the two sets are drawn apart
    weights = np.vstack([np.ones((1, len(reference)), int), intervals.draws(reference, DRAWS, seed)])
    return np.stack([intervals.resampled_confusions(counts, reference, weights) for counts in trainings])


def macro_f1(run: Experiment, name: str, part: str = "test") -> np.ndarray:
    """Macro F1 (1 + draw,) of a classifier, mean over its trainings."""
    return metrics.macro_f1(confusions(run, name, part)).mean(0)


def class_f1(run: Experiment, name: str, code: int, part: str = "test") -> np.ndarray:
    """F1 of one class of the paper (1 + draw,), mean over trainings. Raises `InputError` where the legend lacks it."""
    return metrics.f1(confusions(run, name, part))[..., _index(run, code)].mean(0)


def share_predicted(run: Experiment, name: str, reference: int, predicted: tuple[int, ...]) -> np.ndarray:
    """Share of the test pixels of class `reference` that are given one of the classes `predicted` (1 + draw,)."""
    rows = confusions(run, name)[:, :, _index(run, reference)]
    columns = [_index(run, code) for code in predicted if code in codes(run)]
    with np.errstate(invalid="ignore"):  # NaN where no test polygon has the class
        return (rows[..., columns].sum(-1) / rows.sum(-1)).mean(0)


def block_share(inside: np.ndarray, among: np.ndarray, seed: int = 0) -> np.ndarray:
    """Share of the pixels `among` (y, x) that are also `inside` (y, x), over blocks of the map: (1 + draw,).

    NaN in a draw without any pixel among.
    """
    parts, wholes = (_block_sums(mask) for mask in (inside & among, among))
    random = np.random.default_rng(seed)
    weights = random.multinomial(len(parts), np.full(len(parts), 1 / len(parts)), size=DRAWS)
    weights = np.vstack([np.ones((1, len(parts)), int), weights])
    with np.errstate(invalid="ignore"):
        return (weights @ parts) / (weights @ wholes)


def _block_sums(mask: np.ndarray) -> np.ndarray:
    """Pixels of each block (block,)."""
    rows, columns = (np.arange(side) // BLOCK for side in mask.shape)
    block = rows[:, None] * (columns[-1] + 1) + columns[None]
    return np.bincount(block.ravel(), weights=mask.ravel())


def specks(run: Experiment, name: str) -> np.ndarray:
    """Share of a map's pixels in objects of fewer than `geometry.SMALL` pixels (1 + draw,)."""
    codes = run.class_map(name).values
    return block_share(geometry.specks(codes), codes > 0)


def recall_in_narrow_objects(run: Experiment, name: str, width: float = 3) -> np.ndarray:
    """Share of the pixels in true objects narrower than `width` pixels that a map has right (1 + draw,)."""
    codes, truth = run.class_map(name).values, run.truth.values
    return block_share(codes == truth, geometry.object_width(truth) < width)


def spread_beside(run: Experiment, name: str, code: int = 1) -> np.ndarray:
    """Share of the pixels beside true objects of a class (not in them, border shared) that a map gives to it too."""
    codes, truth = run.class_map(name).values, run.truth.values
    beside = geometry.edges(truth) & (truth != code) & geometry.near(truth == code)
    return block_share(codes == code, beside)


def at_borders(run: Experiment, name: str, code: int, borders: bool) -> np.ndarray:
    """Share given to a class of the pixels at true class borders away from it, or of those off borders (1 + draw,)."""
    codes, truth = run.class_map(name).values, run.truth.values
    elsewhere = (truth != code) & ~geometry.near(truth == code) & (truth > 0)
    return block_share(codes == code, elsewhere & (geometry.edges(truth) == borders))


def codes(run: Experiment) -> list[int]:
    """Codes of the paper's classes that a run has; the same code with another name is another class."""
    known = {cover[:2] for cover in nomenclature.CLASSES}
    return [cover.code for cover in run.legend if cover[:2] in known]


def _index(run: Experiment, code: int) -> int:
    """Class index of a class of the paper."""
    if code not in codes(run):
        wanted, has = (", ".join(cover.name for cover in some) for some in (nomenclature.legend([code]), run.legend))
        raise InputError(f"The scene has no polygons of {wanted}; it has {has}.")
    return [cover.code for cover in run.legend].index(code)
