"""What the exponential mean of weights is worth (train.average): macro F1 by its share of the steps, paired by training.

    python benchmarks/averaging.py [PRESET [TRAININGS [CLASSIFIER ...]]]

The mean changes no step, so one training gives the scores for all shares: its weights and their means over each share of
`SHARES` are validated after every epoch. 0 is the training as it is by default. A mean takes its best epoch on validation
up to one of three ends: the last epoch ("all", as train.average does), that by the patience of the preset with the
scores of the weights themselves ("weights"), or with its own ("mean"). The test set chooses nothing. One row for each
training, share and end is kept in results/averaging.csv. A run that was stopped goes on from its last epoch.
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
#: What ends a training.
ENDS = ("all", "weights", "mean")


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


def deciding(end: str, share: float) -> str:
    """The share whose scores end a training, as text; none where all epochs count."""
    return {"all": "", "weights": "0.0", "mean": str(share)}[end]


def train(run: Experiment, name: str, seed: int, state: Path) -> pd.DataFrame:
    """One training: columns share, end, best epoch, epochs, and macro F1 on validation and test."""
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
    every, best = nn.ModuleList([model, means]), {}
    record = {"scores": {str(share): [] for share in SHARES}, "ends": {}}
    if stored := checkpoint.load(state, every, optimiser, generator):
        best, record = stored
    scores, ends = record["scores"], record["ends"]
    for epoch in range(len(scores["0.0"]), settings.epochs):
        order = minibatches.epoch_batches(training.label, True, batch, generator)
        for mean in means:
            mean.begin(settings.epochs * len(order))
        through = (epoch + np.arange(len(order)) / len(order)) / settings.epochs
        rates = settings.learning_rate * loop.learning_rate(through)
        loop.one_epoch(model, training, extents, order, optimiser, rates, generator, means)
        ended = set(ends)
        for share in SHARES:
            found = scores[str(share)]
            found.append(metrics.macro_f1(evaluate(judged[share], validation, mixed=True).confusion))
            if np.argmax(found) == epoch:
                weights = {key: value.detach().clone() for key, value in judged[share].state_dict().items()}
                for end in ENDS:
                    if deciding(end, share) not in ended:
                        best |= {f"{share} {end}/{key}": value for key, value in weights.items()}
            if epoch - np.argmax(found) >= settings.patience:
                ends.setdefault(str(share), epoch + 1)
        checkpoint.save(state, every, optimiser, generator, best, record)
        print(name, seed, epoch + 1, {share: round(scores[str(share)][-1], 3) for share in SHARES}, flush=True)
    rows, known = [], {}  # several ends may have the same best epoch
    for share, end in ((share, end) for share in SHARES for end in ENDS if share or end == "weights"):
        prefix, last = f"{share} {end}/", ends.get(deciding(end, share), settings.epochs)
        model.load_state_dict(
            {key.removeprefix(prefix): value for key, value in best.items() if key.startswith(prefix)}
        )
        row = {"share": share, "end": end, "best epoch": 1 + int(np.argmax(scores[str(share)][:last])), "epochs": last}
        if (place := (share, row["best epoch"])) not in known:
            found = {
                part: evaluate(model, parts[part].within(model.receptive_field)) for part in ("validation", "test")
            }
            known[place] = {f"macro F1 {part}": metrics.macro_f1(one.confusion) for part, one in found.items()}
        rows.append(row | known[place])
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
