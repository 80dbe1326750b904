"""Time of training epochs compared with common loops, and the validation score of each over several seeds.

    python benchmarks/trainings.py [EPOCHS [SEEDS]]

For networks that see neighbours, on 32 x 32 patches around the polygons of the demo scene:
  ours             `loop.train`: patches cropped to their labelled extents, bfloat16 where the processor has it, fast dropout
                   masks (`models.blocks.Dropout`)
  channel dropout  as ours, but dropping whole channels instead of single values
  plain loop       a DataLoader over whole patches, float32, torch's dropout; same layers, batches, rates and rotations
For TempCNN as first published (three layers of 64): ours, and the same architecture from the package breizhcrops (`pip
install --no-deps breizhcrops`) in a plain loop, on the same pixels and batches.

Results are the median over seeds of the seconds of an epoch's steps, without evaluation, and the best validation macro
F1, kept in results/trainings.csv.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from record import keep
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from paperlib import Experiment, models
from paperlib.evaluation import metrics
from paperlib.evaluation.scoring import evaluate
from paperlib.features.samples import oversample
from paperlib.training import loop, minibatches

#: Torch's dropout of single values and of whole channels, by the kind of the preceding convolution.
VALUES = {nn.Conv3d: nn.Dropout, nn.Conv2d: nn.Dropout}
CHANNELS = {nn.Conv3d: nn.Dropout3d, nn.Conv2d: nn.Dropout2d}


def build(run: Experiment, name: str, seed: int) -> nn.Module:
    """A network with fresh weights, which depend only on the seed."""
    torch.manual_seed(seed)
    return models.build(name, *run.trained.normalised["train"].x.shape[1:3], len(run.legend))


def with_dropout(model: nn.Module, kinds: dict[type, type]) -> nn.Module:
    """Replace the dropout layers of a network by another kind, in place."""
    for layers in [module for module in model.modules() if isinstance(module, nn.Sequential)]:
        for number, layer in enumerate(layers):
            if isinstance(layer, nn.Dropout):
                layers[number] = kinds[type(layers[number - 3])](layer.p)
    return model


def ours(run: Experiment, model: nn.Module, seed: int) -> tuple[list[float], float]:
    """Train with `loop.train`; return the seconds of each epoch's steps and the best validation macro F1."""
    seconds, one_epoch = [], loop.one_epoch

    def timed(*rest) -> float:
        started = time.perf_counter()
        loss = one_epoch(*rest)
        seconds.append(time.perf_counter() - started)
        return loss

    parts = run.trained.normalised
    with patch.object(loop, "one_epoch", timed):
        done = loop.train(model, parts["train"], parts["validation"], run.settings.train, seed=seed)
    return seconds, done.history["macro_f1"].max()


def plain_loop(run: Experiment, model: nn.Module, seed: int) -> tuple[list[float], float]:
    """Train with a commonly written loop; return the same values as `ours`."""
    parts, choice = run.trained.normalised, run.settings.train
    samples = parts["train"].within(model.receptive_field)
    size = minibatches.batch_size(parts["train"], samples, choice.patches)
    order = oversample(samples.label, torch.Generator().manual_seed(seed)).tolist()
    data = TensorDataset(samples.x[order], samples.label[order])
    loader = DataLoader(data, batch_size=size, shuffle=True, generator=torch.Generator().manual_seed(seed))
    optimiser = torch.optim.Adam(model.parameters(), lr=choice.learning_rate)
    generator, seconds, scores = torch.Generator().manual_seed(seed), [], []
    for epoch in range(choice.epochs):
        started = time.perf_counter()
        model.train()
        for step, (x, label) in enumerate(loader):
            rate = loop.learning_rate(np.array((epoch + step / len(loader)) / choice.epochs))
            optimiser.param_groups[0]["lr"] = choice.learning_rate * float(rate)
            if x.shape[-1] > 1:
                x, label = minibatches.augment(x, label, generator)
            optimiser.zero_grad()
            logits = model(x) if x.shape[-1] > 1 else model(x[..., 0, 0].movedim(1, -1))
            logits = logits if logits.ndim == 4 else logits[..., None, None]
            rim = (label.shape[-1] - logits.shape[-1]) // 2
            loop.masked_loss(logits, label[:, rim : label.shape[1] - rim, rim : label.shape[2] - rim]).backward()
            optimiser.step()
        seconds.append(time.perf_counter() - started)
        if x.shape[-1] > 1:
            scores.append(metrics.macro_f1(evaluate(model, parts["validation"]).confusion))
    return seconds, max(scores, default=np.nan)


def breizhcrops(run: Experiment, seed: int) -> nn.Module | None:
    """The same architecture from the package breizhcrops, or None if it is not installed."""
    try:
        from breizhcrops.models import TempCNN
    except ImportError:
        return None
    torch.manual_seed(seed)
    _, channels, dates, *_ = run.trained.normalised["train"].x.shape
    model = TempCNN(channels, len(run.legend), dates, kernel_size=5, hidden_dims=64, dropout=0.5)
    model.receptive_field = 1  # as our networks state
    return model


def main(epochs: int = 3, seeds: int = 5) -> None:
    """Measure every loop in turn for each seed."""
    run = Experiment("demo")
    sample, train = replace(run.settings.sample, patch=32), replace(run.settings.train, epochs=epochs)
    run.settings = replace(run.settings, sample=sample, train=train)
    ways: dict[str, dict[str, Callable]] = {
        name: {
            "ours": lambda seed, name=name: ours(run, build(run, name, seed), seed),
            "channel dropout": lambda seed, name=name: ours(run, with_dropout(build(run, name, seed), CHANNELS), seed),
            "plain loop": lambda seed, name=name: plain_loop(run, with_dropout(build(run, name, seed), VALUES), seed),
        }
        for name in ("2D-CNN", "3D-CNN")
    }
    ways["TempCNN-2019"] = {"ours": lambda seed: ours(run, build(run, "TempCNN-2019", seed), seed)}
    if breizhcrops(run, 0) is None:
        print("breizhcrops is not installed: pip install --no-deps breizhcrops")
    else:
        ways["TempCNN-2019"]["breizhcrops"] = lambda seed: plain_loop(run, breizhcrops(run, seed), seed)
    rows = []
    for name, by_way in ways.items():
        found = {way: [] for way in by_way}
        for seed in range(seeds):
            for way, measure in by_way.items():
                found[way].append(measure(seed))
        ours_seconds = np.median([one for seconds, _ in found["ours"] for one in seconds])
        for way, results in found.items():
            seconds, scores = np.median([one for one, _ in results for one in one]), [score for _, score in results]
            rows.append((name, way, seconds, seconds / ours_seconds, np.mean(scores), np.std(scores)))
            print(rows[-1], flush=True)
    columns = ["model", "way", "seconds an epoch", "times ours", "best validation macro F1, mean", "std"]
    keep("trainings", pd.DataFrame(rows, columns=columns), epochs=epochs, seeds=seeds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
