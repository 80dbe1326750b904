"""What the exponential mean of weights is worth (train.average): macro F1 by its share of the steps, paired by training.

    python benchmarks/averaging.py [PRESET [TRAININGS [CLASSIFIER ...]]]

The mean changes no step, so one training gives the scores for all shares: its weights and their means over each share of
`SHARES` are validated after every epoch, and each takes its own best epoch with the patience of the preset, as
`train.average` of that share would. 0 is the training as it is by default. Validation alone chooses the epoch. One row for
each training and share is kept in results/averaging.csv. A run that was stopped goes on from its last epoch.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from record import keep
from torch import nn

from paperlib import Experiment, models
from paperlib.evaluation import metrics
from paperlib.evaluation.scoring import evaluate
from paperlib.features.extents import LabelledExtents
from paperlib.models.contract import Model
from paperlib.training import checkpoint, loop, minibatches
from paperlib.training.averaging import Average
from paperlib.training.classifier import options_of

SHARES = (0.0, 0.02, 0.05, 0.1)
CLASSIFIERS = ("TempCNN", "2D-CNN")


class Means(nn.ModuleList):
    """The means over each share of `SHARES` but 0, which are brought up to date together."""

    def update_parameters(self, model: nn.Module) -> None:
        """Add a step to each mean."""
        for mean in self:
            mean.update_parameters(model)


def build(run: Experiment, name: str, seed: int) -> Model:
    """The network with its initial weights, as `Classifier.train` makes it."""
    torch.manual_seed(seed)
    size = len(run.dataset.inputs.channels()), len(run.dataset.inputs.days), len(run.legend)
    return models.build(name, *size, **options_of(name, run.settings.train))


def train(run: Experiment, name: str, seed: int, state: Path) -> pd.DataFrame:
    """One training: columns share, best_epoch, epochs, and macro F1 on validation and test."""
    settings, parts = run.settings.train, run.trained.normalised
    model = build(run, name, seed)
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    training, validation = (parts[part].within(model.receptive_field) for part in ("train", "validation"))
    batch = minibatches.batch_size(parts["train"], training, settings.patches)
    extents = LabelledExtents(training.label, model.halo)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    means = Means([Average(model, share) for share in SHARES if share])
    judged = {share: model for share in SHARES} | {mean.share: mean.module for mean in means}
    every, record, best = nn.ModuleList([model, means]), {"scores": {str(share): [] for share in SHARES}}, {}
    if stored := checkpoint.load(state, every, optimiser, generator):
        best, record = stored
    scores = record["scores"]

    def goes_on(share: float) -> bool:
        found = scores[str(share)]
        return not found or len(found) - (1 + int(np.argmax(found))) < settings.patience

    for epoch in range(max(map(len, scores.values())), settings.epochs):
        running = [share for share in SHARES if goes_on(share)]
        if not running:
            break
        order = minibatches.epoch_batches(training.label, True, batch, generator)
        for mean in means:
            mean.begin(settings.epochs * len(order))
        through = (epoch + np.arange(len(order)) / len(order)) / settings.epochs
        rates = settings.learning_rate * loop.learning_rate(through)
        loop.one_epoch(model, training, extents, order, optimiser, rates, generator, means)
        for share in running:
            result = evaluate(judged[share], validation, mixed=True)
            scores[str(share)].append(metrics.macro_f1(result.confusion))
            if np.argmax(scores[str(share)]) == epoch:
                weights = judged[share].state_dict()
                best |= {f"{share}/{key}": value.detach().clone() for key, value in weights.items()}
        checkpoint.save(state, every, optimiser, generator, best, record)
        print(name, seed, epoch + 1, {share: round(scores[str(share)][-1], 3) for share in running}, flush=True)
    rows = []
    for share in SHARES:
        model.load_state_dict({key.removeprefix(f"{share}/"): value for key, value in best.items()
                               if key.startswith(f"{share}/")})  # fmt: skip
        row = {"share": share, "best epoch": 1 + int(np.argmax(scores[str(share)])), "epochs": len(scores[str(share)])}
        for part in ("validation", "test"):
            found = evaluate(model, parts[part].within(model.receptive_field))
            row[f"macro F1 {part}"] = metrics.macro_f1(found.confusion)
        rows.append(row)
    return pd.DataFrame(rows)


def main(preset: str = "paper", trainings: str = "3", *names: str) -> None:
    """Measure, and keep the rows after each training."""
    run = Experiment(preset)
    folder = run.store / "averaging"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or CLASSIFIERS:
        tables = []
        for number in range(int(trainings)):
            seed = run.settings.seed + number
            done = folder / f"{preset} {name} {seed}.csv"
            if not done.is_file():
                train(run, name, seed, done.with_suffix(".safetensors")).to_csv(done, index=False)
            table = pd.read_csv(done)
            table.insert(0, "training", number)
            tables.append(table)
            found = pd.concat(tables)
            found.insert(0, "measured", f"{name}, {preset}")
            keep("averaging", found)


if __name__ == "__main__":
    main(*sys.argv[1:])
