"""Samples classified and compared with their labels: confusion matrix, loss, and the same polygon by polygon."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from .. import devices
from ..errors import InputError
from ..features.extents import LabelledExtents
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
    predicted: np.ndarray  # class index (pixel,) of the labelled pixels, in the order of `Samples.label`
    polygons: pd.DataFrame  # columns polygon, reference, predicted (class indices), pixels
    logits: torch.Tensor  # float32 (pixel, class) of the labelled pixels
    label: torch.Tensor  # int64 (pixel,), their class index


def logits_of(
    model: Model, samples: Samples, device: torch.device | str | None = None, mixed: bool = False
) -> torch.Tensor:
    """Logits float32 (pixel, class) of the labelled pixels of normalised samples, in the order of `samples.label`.

    What no labelled pixel needs is not computed. `mixed`: in the precision of training steps. Raises `InputError` where
    no pixel is labelled, or a labelled one lies too near to the border of its patch (`LabelledExtents`).
    """
    require_labels(samples, "evaluation")
    device = devices.choose(device)
    model = model.to(device).eval()
    samples = samples.within(model.receptive_field)
    labelled = samples.label >= 0
    number = labelled.flatten().cumsum(0).reshape(labelled.shape) - 1
    place = number.where(labelled, -1)  # of each pixel in the result
    found = []
    with torch.inference_mode(), devices.mixed(device) if mixed else nullcontext():
        for x, number, superpixel in _batches(model, samples, place):
            wanted = number >= 0
            logits = model(x.to(device), where=wanted.to(device), superpixel=superpixel)
            found.append((number[wanted], logits.float().cpu().permute(0, 2, 3, 1)[wanted]))
    result = torch.empty(int(labelled.sum()), logits.shape[1])
    for numbers, values in found:
        result[numbers] = values
    return result


def _batches(
    model: Model, samples: Samples, place: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]]:
    """Batches of x (sample, channel, date, y, x), cut to what the labelled pixels need, with `place` cut to the answer.

    Samples with extents of like size come together. Superpixels stay whole.
    """
    if model.needs_superpixels:
        for part in torch.arange(len(samples)).split(PATCHES_AT_ONCE):
            yield samples.x[part], place[part], None if samples.superpixel is None else samples.superpixel[part]
        return
    extents = LabelledExtents(samples.label, model.halo)
    single = samples.x.shape[-2:] == (1, 1)
    for part in extents.by_size().split(PIXELS_AT_ONCE if single else PATCHES_AT_ONCE):
        yield *extents.crop(samples.x, place, part), None


def evaluate(
    model: Model, samples: Samples, device: torch.device | str | None = None, mixed: bool = False
) -> Evaluation:
    """Classify the labelled pixels of normalised samples and compare; arguments and errors as of `logits_of`."""
    logits = logits_of(model, samples, device, mixed)
    label = samples.label[samples.label >= 0]
    predicted = logits.argmax(1).numpy()
    confusion = metrics.confusion(label.numpy(), predicted, logits.shape[1])
    loss = functional.cross_entropy(logits, label).item()
    return Evaluation(confusion, loss, predicted, by_polygon(samples, predicted), logits, label)


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
