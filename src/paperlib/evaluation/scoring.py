"""Samples classified and compared with their labels: confusion matrix, loss, and the same polygon by polygon."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from .. import devices
from ..errors import InputError
from ..features.samples import Samples
from ..models.contract import Model
from . import metrics

#: Samples classified at once, patches or single pixels; bounds memory, changes no result.
PATCHES_AT_ONCE, PIXELS_AT_ONCE = 16, 65_536


@dataclass(frozen=True)
class Evaluation:
    """A classifier's answers on samples, compared with their labels."""

    confusion: np.ndarray  # int (reference, predicted), pixels
    loss: float  # mean over labelled pixels
    predicted: np.ndarray  # class index (sample, y, x), of the samples as the model sees them
    polygons: pd.DataFrame  # columns polygon, reference, predicted (class indices), pixels


def logits_of(
    model: Model, samples: Samples, device: torch.device | str | None = None
) -> Iterator[tuple[torch.Tensor, Samples]]:
    """Logits float32 (batch, class, y, x) of normalised samples, batch after batch, each with its samples.

    Samples with more context than the model sees (`Samples.within`) cost more and give the same.
    """
    device = devices.choose(device)
    model = model.to(device).eval()
    size = PIXELS_AT_ONCE if samples.x.shape[-2:] == (1, 1) else PATCHES_AT_ONCE
    with torch.inference_mode():
        for number in torch.arange(len(samples)).split(size):
            part = samples[number]
            superpixel = None if part.superpixel is None else part.superpixel.to(device)
            yield model(part.x.to(device), superpixel=superpixel).float(), part


def evaluate(model: Model, samples: Samples, device: torch.device | str | None = None) -> Evaluation:
    """Classify normalised samples and compare with their labels; every sample counts, the last partial batch too.

    Raises `InputError` where no pixel is labelled.
    """
    require_labels(samples, "evaluation")
    samples = samples.within(model.receptive_field)
    predicted, loss = [], 0.0
    for logits, part in logits_of(model, samples, device):
        predicted.append(logits.argmax(1).cpu())
        label = part.label.to(logits.device)
        loss += functional.cross_entropy(logits, label, ignore_index=-1, reduction="sum").item()
    index = torch.cat(predicted).numpy()
    confusion = metrics.confusion(samples.label.numpy(), index, logits.shape[1])
    labelled = samples.label.numpy() >= 0
    return Evaluation(confusion, loss / confusion.sum(), index, by_polygon(samples, index[labelled]))


def require_labels(samples: Samples, name: str) -> None:
    """Raise `InputError` where no pixel of a set is labelled; `name` of the set is for the message."""
    if not (samples.label >= 0).any():
        raise InputError(
            f"No {name} pixel is labelled.", "Check the polygons of that set.", kind="labels.empty", place=name
        )


def by_polygon(samples: Samples, predicted: np.ndarray) -> pd.DataFrame:
    """Columns polygon, reference, predicted, pixels, of the class index (pixel,) predicted at each labelled pixel."""
    labelled = samples.label >= 0
    pixels = {"polygon": samples.polygon[labelled].numpy(), "reference": samples.label[labelled].numpy()}
    table = pd.DataFrame(pixels | {"predicted": predicted})
    return table.value_counts(sort=False).rename("pixels").reset_index()


def polygon_counts(polygons: pd.DataFrame, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels int64 (polygon, predicted class index) and the class index (polygon,) of each, as `intervals` takes them.

    `polygons`: a table as `by_polygon` makes it.
    """
    table = polygons.pivot_table(index=["polygon", "reference"], columns="predicted", values="pixels", fill_value=0)
    counts = table.reindex(columns=range(classes), fill_value=0).to_numpy().astype(np.int64)
    return counts, table.index.get_level_values("reference").to_numpy()
