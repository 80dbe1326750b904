"""Validation macro F1 by learning rate, learning rate schedule, rotation, batch size and dropout.

    python benchmarks/tuning.py [PRESET] [MODEL ...]

The test set is not used. The script trains each network twice with each choice and writes
benchmarks/results/tuning-PRESET.csv. The defaults of `settings.Train` and `training` were chosen by such runs.
"""

import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch

from paperlib import Experiment, models, store
from paperlib.training import loop, minibatches

SEEDS = (0, 1)
CHOICES = {
    "as chosen": {},
    "constant learning rate": {"course": False},
    "no turning": {"turn": False},
    "neither": {"course": False, "turn": False},
    "learning rate x 3": {"learning_rate": 3e-3},
    "half the batch": {"patches": 4},
    "dropout 0.3": {"dropout": 0.3},
    "half as many epochs again": {"epochs": 12},
}


def try_one(run: Experiment, name: str, seed: int, course: bool = True, turn: bool = True, **changes) -> pd.DataFrame:
    """History of one training with the given changes."""
    choice = replace(run.settings.train, **changes)
    torch.manual_seed(seed)
    model = models.build(name, *run.trained.normalised["train"].x.shape[1:3], len(run.legend), dropout=choice.dropout)
    with (
        patch.object(loop, "learning_rate", loop.learning_rate if course else np.ones_like),
        patch.object(minibatches, "augment", minibatches.augment if turn else lambda x, label, generator: (x, label)),
    ):
        done = loop.train(
            model,
            run.trained.normalised["train"],
            run.trained.normalised["validation"],
            choice,
            seed=seed,
        )
    return done.history


def main(preset: str = "demo", *names: str) -> None:
    """Train with every choice; print and keep one table."""
    run = Experiment(preset)
    rows = []
    for name in names or models.NAMES:
        for label, changes in CHOICES.items():
            histories = [try_one(run, name, seed, **changes) for seed in SEEDS]
            best = [history["macro_f1"].max() for history in histories]
            last = [history["macro_f1"].iloc[-3:].std() for history in histories]
            rows.append((name, label, np.mean(best), np.min(best), np.mean(last), histories[0]["seconds"].iloc[-1]))
            print(rows[-1], flush=True)
    columns = ["model", "choice", "best validation macro F1, mean", "lowest", "std of last three epochs", "seconds"]
    table = pd.DataFrame(rows, columns=columns).round(3)
    print(table.to_string(index=False))
    facts = store.provenance({}, 0)
    kept = Path(__file__).parent / "results" / f"tuning-{preset}.csv"
    table = table.assign(preset=preset, commit=facts["commit"], machine=facts["machine"])
    if kept.exists():  # rows of other networks are preserved
        earlier = pd.read_csv(kept)
        table = pd.concat([earlier[~earlier["model"].isin(table["model"])], table])
    kept.parent.mkdir(exist_ok=True)
    table.to_csv(kept, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
