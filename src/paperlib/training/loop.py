"""The training loop of all networks."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional

from .. import devices
from ..allocation import one_thread
from ..errors import InputError, InputWarning
from ..evaluation import metrics
from ..evaluation.scoring import evaluate, require_labels
from ..features.extents import LabelledExtents
from ..features.samples import Samples
from ..models.contract import Model
from ..settings import Train
from . import checkpoint, minibatches
from .averaging import Average


@dataclass(frozen=True)
class Training:
    """A trained network: the model with the weights of its best epoch, and the record of every epoch."""

    model: Model
    history: pd.DataFrame  # one row an epoch, from 1
    confusions: np.ndarray  # (epoch, reference, predicted), validation pixels
    best_epoch: int
    seconds: float
    device: str


def masked_loss(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy over the labelled pixels: logits (batch, class, y, x), label (batch, y, x) with -1 unlabelled."""
    return functional.cross_entropy(logits.float(), label, ignore_index=-1)


@one_thread()
def train(
    model: Model,
    training: Samples,
    validation: Samples,
    settings: Train,
    oversampling: bool = True,
    seed: int = 0,
    progress: Callable[[dict], object] | None = None,
    device: torch.device | str | None = None,
    state: Path | None = None,
) -> Training:
    """Train on normalised samples until macro F1 on validation has not risen for `settings.patience` epochs.

    Leaves the model with the weights of the epoch whose validation macro F1 was highest (the first such). Where
    `settings.average` asks for it, their mean over the last steps is validated and kept instead (see `averaging`), and all
    epochs are trained: a mean scores evenly while the learning rate is still high. The same seed gives the same result on a
    CPU, on any number of processors. Steps and validation are computed in mixed precision where the
    device has it. `progress` is called with the row of each epoch, as the history has it. `state`: a file kept up to
    date after each epoch, from which a killed training goes on to the same result. Raises `InputError` where training or
    validation has no labelled pixel or one whose neighbours its patch lacks, the loss is no longer a number, or the device
    has too little memory for a batch.
    """
    require_labels(training, "training")
    require_labels(validation, "validation")
    device = devices.choose(device)
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = model.to(device)
    patches, training = training, training.within(model.receptive_field)
    batch = whole = minibatches.batch_size(patches, training, settings.patches)
    validation = validation.within(model.receptive_field)
    label, extents = training.label.cpu(), LabelledExtents(training.label.cpu(), model.halo)
    training = replace(training, x=training.x.to(device), label=training.label.to(device))
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    averaged = Average(model, settings.average) if settings.average else None
    judged = model if averaged is None else cast(Model, averaged.module)  # what is validated and kept
    state_of = model if averaged is None else nn.ModuleList([model, averaged])
    rows: list[dict] = []
    confusions: list[list[list[int]]] = []
    best: dict = {"macro_f1": -1.0, "epoch": 0}
    weights: dict[str, torch.Tensor] = {}
    if state is not None and (stored := checkpoint.load(state, state_of, optimiser, generator)):
        weights, record = stored
        rows, confusions, best = record["rows"], record["confusions"], record["best"]
    started = time.perf_counter() - (rows[-1]["seconds"] if rows else 0)
    patience = settings.patience if averaged is None else settings.epochs
    while len(rows) < settings.epochs and len(rows) - best["epoch"] < patience:
        epoch = len(rows) + 1
        parts = minibatches.epoch_batches(label, oversampling, batch, generator)
        through = (epoch - 1 + np.arange(len(parts)) / len(parts)) / settings.epochs
        rates = settings.learning_rate * learning_rate(through)
        if averaged is not None:
            averaged.begin(settings.epochs * len(parts))
        try:
            training_loss = one_epoch(model, training, extents, parts, optimiser, rates, generator, averaged)
        except RuntimeError as error:
            batch = _smaller(batch, whole, device, error)
            continue
        if not np.isfinite(training_loss):
            raise InputError(
                f"The loss of {type(model).__name__} is {training_loss} in epoch {epoch}.",
                f"Lower train.learning_rate (--set train.learning_rate={settings.learning_rate / 10:g}), or check the "
                "scene for absurd values.", kind="training.loss",
            )  # fmt: skip
        result = evaluate(judged, validation, device, mixed=True)
        scores: dict = {
            "macro_f1": metrics.macro_f1(result.confusion),
            "oa": metrics.overall_accuracy(result.confusion),
        }
        scores |= {f"f1_{index}": value for index, value in enumerate(metrics.f1(result.confusion))}
        seconds = time.perf_counter() - started
        rows.append({"epoch": epoch, "seconds": seconds, "training_loss": training_loss, "loss": result.loss, **scores})
        confusions.append(result.confusion.tolist())
        if scores["macro_f1"] > best["macro_f1"]:
            best = {"macro_f1": scores["macro_f1"], "epoch": epoch}
            weights = {name: value.detach().clone() for name, value in judged.state_dict().items()}
        if state is not None:
            record = {"rows": rows, "confusions": confusions, "best": best}
            checkpoint.save(state, state_of, optimiser, generator, weights, record)
        if progress:
            progress(rows[-1])
    model.load_state_dict(weights)
    seconds = time.perf_counter() - started
    return Training(model.eval(), pd.DataFrame(rows), np.array(confusions), best["epoch"], seconds, str(device))


def learning_rate(progress: np.ndarray) -> np.ndarray:
    """Share of the learning rate at a share of all epochs: it rises over the first tenth, then falls as a cosine.

    Loshchilov and Hutter (2017). Without the fall, validation scores of these small training sets leap from epoch to
    epoch, and the best of them is luck.
    """
    return np.minimum(1, (progress + 0.01) / 0.1) * (1 + np.cos(np.pi * progress)) / 2


def one_epoch(
    model: Model,
    samples: Samples,
    extents: LabelledExtents,
    parts: tuple[torch.Tensor, ...],
    optimiser: torch.optim.Adam,
    rates: np.ndarray,
    generator: torch.Generator,
    averaged: Average | None,
) -> float:
    """One pass over the batches `parts` at these learning rates; mean loss. All samples are on the model's device.

    `averaged` is brought up to date after each step.
    """
    model.train()
    losses = []
    for part, rate in zip(parts, rates, strict=True):
        optimiser.param_groups[0]["lr"] = float(rate)
        optimiser.zero_grad(set_to_none=True)
        with devices.mixed(samples.x.device):
            x, label = minibatches.augment(*extents.crop(samples.x, samples.label, part), generator)
            loss = masked_loss(model(x, where=label >= 0), label)
        loss.backward()
        optimiser.step()
        if averaged is not None:
            averaged.update_parameters(model)
        losses.append(loss.detach())
    return float(torch.stack(losses).mean())


def _smaller(batch: int, whole: int, device: torch.device, error: RuntimeError) -> int:
    """Half of a batch that was too large for the memory, once; any other error is raised again."""
    if not devices.out_of_memory(error):
        raise error
    if batch < whole or batch // 2 < 3:
        raise InputError(
            f"The memory of {device} does not suffice for a batch of {batch} samples.",
            "Lower train.patches or sample.patch (--set train.patches=2), or end other programs that use it.",
            kind="machine.memory",
        ) from error
    warnings.warn(
        InputWarning(
            f"The memory of {device} does not suffice for a batch of {batch} samples; the epoch begins again with "
            f"{batch // 2}.", "Another batch size learns a little differently.", kind="machine.memory",
        ),
        stacklevel=3,
    )  # fmt: skip
    return batch // 2
