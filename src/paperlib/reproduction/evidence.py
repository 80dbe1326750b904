"""Quantities behind claims: scores over resampled polygons and trainings, shares of map pixels over resampled blocks.

Arrays of shape (training, 1 + draw) hold the value of each training itself first, then its value in each draw.
"""

from collections.abc import Iterable
from math import prod

import numpy as np
import pandas as pd

from ..errors import InputError
from ..evaluation import geometry, intervals, metrics
from ..evaluation.quantities import Quantity
from ..runs.experiment import Experiment
from . import paper

DRAWS = 1000

#: Side in pixels of the blocks of a map that are resampled; pixels are not, since neighbours resemble each other.
BLOCK = 32


def vary(run: Experiment, **changes) -> Experiment:
    """The same run with other values of `settings.Sample`, such as dates="shuffled"; nothing is read again."""
    return run.override({f"sample.{name}": value for name, value in changes.items()})


def confusions(run: Experiment, name: str, part: str = "test") -> np.ndarray:
    """Confusion matrices of a classifier over resampled polygons, (training, 1 + draw, reference class, predicted class).

    `part` is "validation" or "test". The draws are the same for every run and classifier, so that differences are paired.
    """
    trainings, reference = run.trained.polygon_counts(name, part)
    seed = ("validation", "test").index(part)  # the two sets are drawn independently
    weights = np.vstack([np.ones((1, len(reference))), intervals.draws(reference, DRAWS, seed)])
    return np.stack([intervals.resampled_confusions(counts, reference, weights) for counts in trainings])


def of_polygons(run: Experiment, values: np.ndarray, name: str, part: str = "test") -> Quantity:
    """Mean over the trainings of a classifier, from `values` (training, 1 + draw) that `confusions` gave."""
    return Quantity.of_trainings(values, intervals.freedom(run.trained.polygon_counts(name, part)[1]))


def scores(run: Experiment, names: Iterable[str] = ()) -> pd.DataFrame:
    """`intervals.macro_f1_intervals` of a run on test, by default of all its classifiers, over all of its polygons."""
    counts, reference = run.trained.counts("test", *([names] if names else []))
    return intervals.macro_f1_intervals(counts, reference, training=training_polygons(run))


def training_polygons(run: Experiment) -> int:
    """Number of the training polygons."""
    return int(run.dataset.pixel_counts().query("set == 'train'")["polygons"].sum())


def macro_f1(run: Experiment, name: str, part: str = "test") -> Quantity:
    """Macro F1 of a classifier, mean over its trainings."""
    return of_polygons(run, metrics.macro_f1(confusions(run, name, part)), name, part)


def class_f1(run: Experiment, name: str, code: int, part: str = "test") -> np.ndarray:
    """F1 of a class of the paper, (training, 1 + draw). Raises `InputError` where the legend lacks the class."""
    return metrics.f1(confusions(run, name, part))[..., _index(run, code)]


def share_predicted(run: Experiment, name: str, reference: int, predicted: tuple[int, ...]) -> Quantity:
    """Share of the test pixels of class code `reference` predicted as one of the codes `predicted`."""
    rows = confusions(run, name)[:, :, _index(run, reference)]
    columns = [_index(run, code) for code in predicted if code in codes(run)]
    with np.errstate(invalid="ignore"):  # NaN in draws without a test polygon of the class
        return of_polygons(run, rows[..., columns].sum(-1) / rows.sum(-1), name)


def block_shares(inside: list[np.ndarray], among: list[np.ndarray], seed: int = 0) -> np.ndarray:
    """Share of the pixels of `among` (y, x) that are also in `inside` (y, x), over resampled blocks, (training, 1 + draw).

    The two lists hold one mask a training. All maps of one size share the draws. NaN in a draw without pixels of `among`.
    """
    parts = np.stack(
        [_block_sums(own & wholes) for own, wholes in zip(inside, among, strict=True)]
    )  # (training, block)
    wholes = np.stack([_block_sums(mask) for mask in among])
    random, blocks = np.random.default_rng(seed), parts.shape[1]
    weights = random.multinomial(blocks, np.full(blocks, 1 / blocks), size=DRAWS)
    weights = np.vstack([np.ones((1, blocks), int), weights])
    with np.errstate(invalid="ignore"):
        return (parts @ weights.T) / (wholes @ weights.T)


def of_blocks(values: np.ndarray, shape: tuple[int, ...]) -> Quantity:
    """Mean over the maps of all trainings, of this shape (y, x), from `values` (training, 1 + draw) of `block_shares`."""
    return Quantity.of_trainings(values, prod(-(-side // BLOCK) for side in shape) - 1)


def _block_sums(mask: np.ndarray) -> np.ndarray:
    """Number of pixels of `mask` (y, x) in each block, (block,)."""
    rows, columns = (np.arange(side) // BLOCK for side in mask.shape)
    block = rows[:, None] * (columns[-1] + 1) + columns[None]
    return np.bincount(block.ravel(), weights=mask.ravel())


def specks(run: Experiment, name: str) -> Quantity:
    """Share of the pixels of a classifier's maps in objects of fewer than `geometry.SMALL` pixels."""
    maps = _maps(run, name)
    shares = block_shares([geometry.specks(codes) for codes in maps], [codes > 0 for codes in maps])
    return of_blocks(shares, maps[0].shape)


def recall_in_narrow_objects(run: Experiment, name: str, width: float = 3) -> Quantity:
    """Share of the pixels of true objects narrower than `width` pixels whose class is right on the maps."""
    truth = run.truth.values
    return of_blocks(_shares(run, name, truth, geometry.object_width(truth) < width), truth.shape)


def spread_beside(run: Experiment, name: str, code: int = 1) -> Quantity:
    """Share of the pixels beside true objects of a class, outside them, that the maps give to this class."""
    truth = run.truth.values
    beside = geometry.edges(truth) & (truth != code) & geometry.near(truth == code)
    return of_blocks(_shares(run, name, code, beside), truth.shape)


def more_at_borders(run: Experiment, name: str, code: int) -> Quantity:
    """Share given to a class at borders of other classes minus that off borders, away from its own true objects."""
    truth = run.truth.values
    elsewhere, edges = (truth != code) & ~geometry.near(truth == code) & (truth > 0), geometry.edges(truth)
    at_borders, off_borders = (_shares(run, name, code, elsewhere & (edges == where)) for where in (True, False))
    return of_blocks(at_borders - off_borders, truth.shape)


def _maps(run: Experiment, name: str) -> list[np.ndarray]:
    """Class codes (y, x) of the map by each training."""
    return [codes.values for codes in run.maps.classes_by_training(name)]


def _shares(run: Experiment, name: str, codes: np.ndarray | int, among: np.ndarray) -> np.ndarray:
    """`block_shares` of the pixels of a mask to which the maps give these codes (y, x)."""
    given = [mapped == codes for mapped in _maps(run, name)]
    return block_shares(given, [among] * len(given))


def codes(run: Experiment) -> list[int]:
    """Codes of the paper's classes in the legend of a run; the same code with another name is another class."""
    return [cover.code for cover in run.legend if paper.CLASSES.get(cover.code) == cover.name]


def _index(run: Experiment, code: int) -> int:
    """Class index of a class of the paper. Raises `InputError` where the legend lacks it."""
    if code not in codes(run):
        names = ", ".join(cover.name for cover in run.legend)
        raise InputError(f"The scene has no polygons of {paper.CLASSES[code]}; it has {names}.", kind="claims.class")
    return [cover.code for cover in run.legend].index(code)
