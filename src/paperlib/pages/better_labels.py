"""What the page of better labels shows: labels that are wrong on purpose, and what suggestions save."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from ..features.samples import Samples, join
from ..labelling.out_of_fold import labels_of, out_of_fold
from ..labelling.suspects import Suspects, groups_of, rank
from ..runs.experiment import Experiment

#: Share of the polygons whose labels are changed.
WRONG = 0.1


def pool_of(run: Experiment, name: str) -> Samples:
    """The samples of training and validation that a classifier takes."""
    return join(run.trained.samples(name)[part] for part in ("train", "validation"))


def spoil(samples: Samples, classes: int, seed: int, share: float = WRONG) -> tuple[Samples, np.ndarray]:
    """Samples with another class, drawn at random, for a share of their polygons; and the numbers of these."""
    label, random = labels_of(samples), np.random.default_rng(seed)
    wrong = random.choice(label.index, round(share * len(label)), replace=False)
    changed = label.copy()
    for polygon in wrong:
        changed[polygon] = random.choice([index for index in range(classes) if index != label[polygon]])
    values, labelled = samples.label.clone(), samples.label >= 0
    values[labelled] = torch.tensor(changed.loc[samples.polygon[labelled].numpy()].to_numpy())
    return replace(samples, label=values), wrong


def judgement(run: Experiment, name: str, samples: Samples, seeds: Iterable[int] = (0, 1, 2)) -> pd.DataFrame:
    """What `out_of_fold` returns of samples with any labels."""
    return out_of_fold(name, samples, groups_of(run), run.trained.inputs, run.legend, run.settings.train, seeds=seeds)


def with_wrong_labels(
    run: Experiment, name: str, seed: int = 0, seeds: Iterable[int] = (0, 1, 2)
) -> tuple[Suspects, np.ndarray]:
    """The list of suspects of a run where some labels are wrong on purpose, and the numbers of these polygons.

    `seed`: of the wrong labels; `seeds` as of `out_of_fold`.
    """
    samples, wrong = spoil(pool_of(run, name), len(run.legend), seed)
    found = judgement(run, name, samples, seeds)
    return rank(found, samples, run.polygons, run.legend, tuple(run.dates), groups_of(run)), wrong


def listed(found: Suspects, wrong: np.ndarray, share: float = 0.15) -> pd.DataFrame:
    """The first rows of a list, a share of it, with whether each label was changed."""
    first = found.table.head(int(np.ceil(share * len(found.table))))
    columns = ["rank", "class_name", "looks_like", "probability", "other_probability"]
    names = {"class_name": "labelled", "looks_like": "looks like", "other_probability": "of the other"}
    return first[columns].rename(columns=names).assign(changed=np.where(first["polygon_id"].isin(wrong), "yes", "no"))


def saving(curves: pd.DataFrame) -> str:
    """What the curves of benchmarks/suggest.py say: polygons that give what random ones give in the last round."""
    parts = []
    for name, curve in curves.groupby("classifier", sort=False):
        goal, last = curve["random"].iloc[-1], curve["polygons"].iloc[-1]
        reached = curve["suggested"].cummax()
        if reached.iloc[-1] < goal:
            parts.append(f"{name} needs more suggested polygons than random ones")
            continue
        needed = np.interp(goal, reached, curve["polygons"])
        parts.append(
            f"{name} reaches with {needed:.0f} suggested polygons what it reaches with {last} random ones "
            f"({100 * (1 - needed / last):.0f} % fewer)"
        )
    return f"{'; '.join(parts)}."
