"""Probabilities of labelled polygons by classifiers that have not learnt from them."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from .. import models
from ..errors import InputError
from ..evaluation.scoring import logits_of
from ..features.inputs import Inputs
from ..features.samples import Samples, of_polygons
from ..nomenclature import LandCover
from ..settings import Train
from ..training.classifier import Classifier


def labels_of(samples: Samples) -> pd.Series:
    """Class index of each labelled polygon, by polygon_id."""
    labelled = samples.label >= 0
    table = pd.DataFrame({"polygon": samples.polygon[labelled].numpy(), "label": samples.label[labelled].numpy()})
    return table.groupby("polygon")["label"].first()


def fold_of(label: pd.Series, group: Mapping[int, int], folds: int, seed: int) -> pd.Series:
    """A fold from 0 for each polygon: groups stay whole, and those of a class are dealt out in turn.

    Parameters
    ----------
    label: class index by polygon_id.
    group: number by polygon_id; polygons of one number are never in two folds.
    folds: number of folds, 3 or more.
    seed: of the draw.

    Raises `InputError` for labels all alike, fewer groups than folds, and a class with one group alone.
    """
    groups = pd.Series({polygon: group[polygon] for polygon in label.index})
    if label.nunique() < 2:
        raise InputError(
            f"All {len(label)} polygons are of one class.", "Add polygons of another class.", kind="labels.alike"
        )
    if not 3 <= folds <= groups.nunique():
        raise InputError(
            f"{groups.nunique()} polygons or groups do not make {folds} folds.",
            f"Give a number of folds from 3 to {groups.nunique()}, or draw more polygons.", kind="labels.folds",
        )  # fmt: skip
    held = groups.groupby(label).nunique()
    if (held < 2).any():
        lone = label[label.isin(held.index[held < 2])]
        raise InputError(
            f"A class has one polygon or group alone (polygon_id {lone.index.tolist()[:10]}): without it, nothing shows "
            "what the class looks like.",
            "Draw another polygon of the class, or leave it out.", kind="labels.few",
        )  # fmt: skip
    random = np.random.default_rng(seed)
    rarest = held.sort_values(kind="stable").index
    fold, turn = {}, int(random.integers(folds))
    for index in rarest:
        for number in random.permutation(groups[label == index].unique()):
            if number not in fold:
                fold[number] = turn % folds
                turn += 1
    return groups.map(fold)


def out_of_fold(
    name: str,
    samples: Samples,
    group: Mapping[int, int],
    inputs: Inputs,
    legend: tuple[LandCover, ...],
    choice: Train,
    folds: int = 5,
    seeds: Iterable[int] = (0, 1, 2),
    progress: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """Mean class probabilities of each polygon, by classifiers that were trained without it.

    Parameters
    ----------
    name: one of `models.CLASSIFIERS`.
    samples: of all polygons that are judged, not normalised. Never those of the test set.
    group: see `fold_of`.
    inputs, legend, choice: as of `Classifier.train`.
    folds, seeds: for each seed, the polygons are divided into so many folds anew. Each fold is classified by a training on
        the others, of which a network uses the next one to choose its epoch.
    progress: is called with a line of text after each training.

    Returns one row for each polygon, by polygon_id, and one column for each class index: the mean over pixels and seeds; NaN
    for a polygon whose class no training had. Raises `InputError` as `fold_of` does.
    """
    label, seeds = labels_of(samples), tuple(seeds)
    found: list[pd.DataFrame | None] = []
    for seed in seeds:
        fold = fold_of(label, group, folds, seed)
        for number in range(folds):
            found.append(_judge(name, samples, label, fold, number, inputs, legend, choice, seed))
            if progress:
                progress(f"training {len(found)} of {len(seeds) * folds}")
    every = pd.concat(found)
    return every.groupby(level=0).mean().reindex(label.index)


def _judge(
    name: str, samples: Samples, label: pd.Series, fold: pd.Series, number: int, inputs: Inputs,
    legend: tuple[LandCover, ...], choice: Train, seed: int,
) -> pd.DataFrame | None:  # fmt: skip
    """Probabilities (polygon, class) of the polygons of one fold whose class the training has; None where there are none."""
    held = fold == number
    parts, rest = {}, ~held
    if models.find(name).trained_in_epochs:
        choosing = fold == (number + 1) % (fold.max() + 1)
        parts["validation"], rest = of_polygons(samples, fold.index[choosing]), rest & ~choosing
    parts["train"] = of_polygons(samples, fold.index[rest])
    known = label[held][label[held].isin(label[rest])].index
    if not len(known):
        return None
    classifier = Classifier.train(name, parts, inputs, legend, choice, seed)
    judged = of_polygons(samples, known)
    logits = logits_of(classifier.model, judged.map(classifier.normaliser.apply))
    polygon = judged.polygon[judged.label >= 0].numpy()
    return pd.DataFrame(logits.softmax(1).numpy()).groupby(polygon).mean()
