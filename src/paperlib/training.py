"""One visible training loop for all networks (section 3.5)."""

import math
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from . import metrics
from .errors import InputError
from .samples import Samples, oversample
from .settings import Train

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
    device = _device(device)
    model = model.to(device).eval()
    samples = context(model, samples)
    batch = EVALUATION_PIXELS if model.receptive_field == 1 else EVALUATION_PATCHES
    predicted, loss = [], 0.0
    with torch.inference_mode(), _autocast(device):
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
) -> Training:
    """Train on normalised samples until macro F1 on validation has not risen for `settings.patience` epochs.

    Leaves the model with the weights of the epoch whose validation macro F1 was highest (the first such). The same seed
    gives the same result on a CPU. Raises `InputError` where training or validation has no labelled pixel, or the loss
    is no longer a number.
    """
    _require_labels(training, "training")
    _require_labels(validation, "validation")
    device = _device(device)
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = model.to(device)
    batch = _batch(model, training, settings.patches)
    training, validation = context(model, training), context(model, validation)
    x, label = training.x.to(device), training.label.to(device)
    labelled = (training.label >= 0).flatten(1).any(1).cpu()
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    rows, confusions, best, weights = [], [], -1.0, {}
    started = time.perf_counter()
    bar = tqdm(range(1, settings.epochs + 1), desc=type(model).__name__, unit="epoch", disable=not progress)
    for epoch in bar:
        order = oversample(training.label.cpu(), generator) if oversampling else torch.arange(len(training))
        order = order[labelled[order]]  # a batch without any label would have no loss
        order = order[torch.randperm(len(order), generator=generator)].to(device)
        # of nearly equal size: no sample is dropped, and no last batch of one, which BatchNorm could not take
        parts = order.tensor_split(math.ceil(len(order) / batch))
        through = (epoch - 1 + np.arange(len(parts)) / len(parts)) / settings.epochs
        rates = settings.learning_rate * learning_rate(through)
        training_loss = _one_epoch(model, x, label, parts, optimiser, rates, generator)
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
        confusions.append(result.confusion)
        if scores["macro_f1"] > best:
            best, best_epoch = scores["macro_f1"], epoch
            weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
        bar.set_postfix(macro_f1=f"{scores['macro_f1']:.3f}", best=f"{best:.3f}")
        if epoch - best_epoch >= settings.patience:
            break
    model.load_state_dict(weights)
    return Training(
        model.eval(), pd.DataFrame(rows), np.stack(confusions), best_epoch, time.perf_counter() - started, str(device)
    )


def learning_rate(progress: np.ndarray) -> np.ndarray:
    """Share of the learning rate at a share of all epochs: it rises over the first tenth, then falls as a cosine.

    Loshchilov and Hutter (2017). Without the fall, validation scores of these small training sets leap from epoch to
    epoch, and the best of them is luck.
    """
    return np.minimum(1, (progress + 0.01) / 0.1) * (1 + np.cos(np.pi * progress)) / 2


def turn(x: torch.Tensor, label: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch x (..., y, x) and its label (..., y, x), turned and mirrored as one of the eight ways of a square."""
    number = int(torch.randint(8, (1,), generator=generator))
    quarter, mirror = number % 4, number >= 4
    x, label = (torch.rot90(part, quarter, (-2, -1)) for part in (x, label))
    return (x.flip(-1), label.flip(-1)) if mirror else (x, label)


def _one_epoch(
    model: nn.Module,
    x: torch.Tensor,
    label: torch.Tensor,
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
        with _autocast(x.device, learning=True):
            inputs, wanted = turn(x[part], label[part], generator)
            loss = masked_loss(model(inputs, where=wanted >= 0), wanted)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return float(torch.stack(losses).mean())


def _batch(model: nn.Module, samples: Samples, patches: int) -> int:
    """Samples a batch: `patches` patches, or for single pixels as many as such a batch holds labelled, on average.

    So all networks take about the same number of steps an epoch. Three or more: cut into parts of nearly equal size, no
    number of samples then leaves a part of one, whose single labelled pixel BatchNorm could not take.
    """
    if model.receptive_field == 1:
        patches = round(patches * int((samples.label >= 0).sum()) / len(samples))
    return max(3, patches)


def _require_labels(samples: Samples, name: str) -> None:
    if not (samples.label >= 0).any():
        raise InputError(f"No {name} pixel is labelled; check the polygons of that set.")


def _device(device: torch.device | str | None) -> torch.device:
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def _autocast(device: torch.device, learning: bool = False) -> torch.autocast:
    """Mixed precision on a GPU; on a CPU that computes in bfloat16 itself, in training steps alone.

    There it doubles the speed of the convolutions; elsewhere it would be emulated, slower than float32.
    """
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)  # no public name for it up to 2.13
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda" or (learning and native()))
