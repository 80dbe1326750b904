"""One visible training loop for all networks (section 3.5)."""

import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from .. import devices
from ..errors import InputError
from ..evaluation import metrics
from ..features.samples import Samples
from ..settings import Train
from . import checkpoint, minibatches

#: Samples classified at once, patches or single pixels; bounds memory, changes no result.
EVALUATION_PATCHES, EVALUATION_PIXELS = 16, 65_536


@dataclass(frozen=True)
class Training:
    """What a training leaves: the model with the weights of its best epoch, and the record of every epoch."""

    model: nn.Module
    history: pd.DataFrame  # one row an epoch, from 1
    confusions: np.ndarray  # (epoch, reference, predicted), validation pixels
    best_epoch: int
    seconds: float
    device: str


@dataclass(frozen=True)
class Evaluation:
    """What a classifier answers on samples, compared with their labels."""

    confusion: np.ndarray  # (reference, predicted), pixels
    loss: float  # mean over labelled pixels
    predicted: np.ndarray  # class index (sample, y, x)
    polygons: pd.DataFrame  # columns polygon, reference, predicted (class indices), pixels


def context(model: nn.Module, samples: Samples) -> Samples:
    """The samples with as much context as the model can see: a model of receptive field 1 gets single pixels."""
    return samples.pixels() if model.receptive_field == 1 else samples


def masked_loss(logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy over the labelled pixels: logits (batch, class, y, x), label (batch, y, x) with -1 unlabelled."""
    return functional.cross_entropy(logits.float(), label, ignore_index=-1)


def evaluate(model: nn.Module, samples: Samples, device: torch.device | str | None = None) -> Evaluation:
    """Classify normalised samples and compare with their labels; every sample counts, the last partial batch too.

    Raises `InputError` where no pixel is labelled.
    """
    _require_labels(samples, "evaluation")
    device = devices.choose(device)
    model = model.to(device).eval()
    samples = context(model, samples)
    batch = EVALUATION_PIXELS if model.receptive_field == 1 else EVALUATION_PATCHES
    predicted, loss = [], 0.0
    with torch.inference_mode():
        for part in torch.arange(len(samples)).split(batch):
            logits = model(*samples.inputs(part, device)).float()
            label = samples.label[part]
            predicted.append(logits.argmax(1).cpu())
            loss += functional.cross_entropy(logits, label.to(device), ignore_index=-1, reduction="sum").item()
    predicted = torch.cat(predicted).numpy()
    confusion = metrics.confusion(samples.label.numpy(), predicted, logits.shape[1])
    labelled = samples.label.numpy() >= 0
    return Evaluation(confusion, loss / confusion.sum(), predicted, by_polygon(samples, predicted[labelled]))


def by_polygon(samples: Samples, predicted: np.ndarray) -> pd.DataFrame:
    """Columns polygon, reference, predicted, pixels, of the class index (pixel,) predicted at each labelled pixel."""
    labelled = samples.label >= 0
    pixels = {"polygon": samples.polygon[labelled].numpy(), "reference": samples.label[labelled].numpy()}
    table = pd.DataFrame(pixels | {"predicted": predicted})
    return table.value_counts(sort=False).rename("pixels").reset_index()


def train(
    model: nn.Module,
    training: Samples,
    validation: Samples,
    settings: Train,
    oversampling: bool = True,
    seed: int = 0,
    progress: bool = True,
    device: torch.device | str | None = None,
    state: Path | None = None,
) -> Training:
    """Train on normalised samples until macro F1 on validation has not risen for `settings.patience` epochs.

    Leaves the model with the weights of the epoch whose validation macro F1 was highest (the first such). The same seed
    gives the same result on a CPU. `state`: a file kept up to date after each epoch, from which a killed training goes
    on to the same result. Raises `InputError` where training or validation has no labelled pixel, the loss is no longer
    a number, or the device has too little memory for a batch.
    """
    _require_labels(training, "training")
    _require_labels(validation, "validation")
    device = devices.choose(device)
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = model.to(device)
    batch = whole = minibatches.batch_size(model, training, settings.patches)
    training, validation = context(model, training), context(model, validation)
    label, extents = training.label.cpu(), minibatches.LabelledExtents(training.label.cpu(), model.receptive_field // 2)
    training = replace(training, x=training.x.to(device), label=training.label.to(device))
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    rows, confusions, best, weights = [], [], {"macro_f1": -1.0, "epoch": 0}, {}
    if state is not None and (found := checkpoint.load(state, model, optimiser, generator)):
        weights, record = found
        rows, confusions, best = record["rows"], record["confusions"], record["best"]
    started = time.perf_counter() - (rows[-1]["seconds"] if rows else 0)
    bar = tqdm(initial=len(rows), total=settings.epochs, desc=type(model).__name__, unit="epoch", disable=not progress)
    while len(rows) < settings.epochs and len(rows) - best["epoch"] < settings.patience:
        epoch = len(rows) + 1
        parts = minibatches.epoch_batches(label, oversampling, batch, generator)
        through = (epoch - 1 + np.arange(len(parts)) / len(parts)) / settings.epochs
        rates = settings.learning_rate * learning_rate(through)
        try:
            training_loss = _one_epoch(model, training, extents, parts, optimiser, rates, generator)
        except RuntimeError as error:
            batch = _smaller(batch, whole, device, error)
            continue
        if not np.isfinite(training_loss):
            raise InputError(
                f"The loss of {type(model).__name__} is {training_loss} in epoch {epoch}: lower "
                f"train.learning_rate (now {settings.learning_rate}) or check the scene for absurd values."
            )
        result = evaluate(model, validation, device)
        scores = {"macro_f1": metrics.macro_f1(result.confusion), "oa": metrics.overall_accuracy(result.confusion)}
        scores |= {f"f1_{index}": value for index, value in enumerate(metrics.f1(result.confusion))}
        seconds = time.perf_counter() - started
        rows.append({"epoch": epoch, "seconds": seconds, "training_loss": training_loss, "loss": result.loss, **scores})
        confusions.append(result.confusion.tolist())
        if scores["macro_f1"] > best["macro_f1"]:
            best = {"macro_f1": scores["macro_f1"], "epoch": epoch}
            weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
        if state is not None:
            record = {"rows": rows, "confusions": confusions, "best": best}
            checkpoint.save(state, model, optimiser, generator, weights, record)
        bar.update()
        bar.set_postfix(macro_f1=f"{scores['macro_f1']:.3f}", best=f"{best['macro_f1']:.3f}")
    bar.close()
    model.load_state_dict(weights)
    seconds = time.perf_counter() - started
    return Training(model.eval(), pd.DataFrame(rows), np.array(confusions), best["epoch"], seconds, str(device))


def learning_rate(progress: np.ndarray) -> np.ndarray:
    """Share of the learning rate at a share of all epochs: it rises over the first tenth, then falls as a cosine.

    Loshchilov and Hutter (2017). Without the fall, validation scores of these small training sets leap from epoch to
    epoch, and the best of them is luck.
    """
    return np.minimum(1, (progress + 0.01) / 0.1) * (1 + np.cos(np.pi * progress)) / 2


def _one_epoch(
    model: nn.Module,
    samples: Samples,
    extents: minibatches.LabelledExtents,
    parts: tuple[torch.Tensor, ...],
    optimiser: torch.optim.Adam,
    rates: np.ndarray,
    generator: torch.Generator,
) -> float:
    """One pass over the batches `parts` at these learning rates; mean loss. All samples are on the model's device."""
    model.train()
    losses = []
    for part, rate in zip(parts, rates, strict=True):
        optimiser.param_groups[0]["lr"] = float(rate)
        optimiser.zero_grad(set_to_none=True)
        with _autocast(samples.x.device):
            inputs, wanted = minibatches.augment(*extents.crop(samples.x, samples.label, part), generator)
            loss = masked_loss(model(inputs, where=wanted >= 0), wanted)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return float(torch.stack(losses).mean())


def _smaller(batch: int, whole: int, device: torch.device, error: RuntimeError) -> int:
    """Half of a batch that was too large for the memory, once; any other error is raised again."""
    if not devices.out_of_memory(error):
        raise error
    if batch < whole or batch // 2 < 3:
        raise InputError(
            f"The memory of {device} does not suffice for a batch of {batch} samples. Lower train.patches or "
            "sample.patch, or end other programs that use it."
        ) from error
    warnings.warn(
        f"The memory of {device} does not suffice for a batch of {batch} samples; the epoch begins again with "
        f"{batch // 2}. Another batch size learns a little differently.",
        stacklevel=3,
    )
    return batch // 2


def _require_labels(samples: Samples, name: str) -> None:
    if not (samples.label >= 0).any():
        raise InputError(f"No {name} pixel is labelled; check the polygons of that set.")


def _autocast(device: torch.device) -> torch.autocast:
    """Mixed precision of training steps, where the device has it: it doubles the speed of the convolutions."""
    return torch.autocast(device.type, torch.bfloat16, enabled=devices.has_bfloat16(device))
