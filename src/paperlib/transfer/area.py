"""The area of applicability of a classifier: how far a pixel is from the training pixels, in what the classifier looks at.

The dissimilarity index of Meyer and Pebesma (2021), see `evaluation.applicability`: predictors are the normalised channels
at each day, weighted by how much the classifier loses on the validation polygons when a predictor is permuted. The training
pixels are represented by some of each polygon, so that a map takes bounded time and memory. What lies around a pixel does
not count, also for networks that see it.
"""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch.nn import functional

from ..errors import InputError
from ..evaluation.scoring import logits_of
from ..features.samples import Samples
from ..training.classifier import Classifier

#: Training pixels that represent the others, at most; validation samples behind the weights, at most, and the side of the
#: square of each in which labelled pixels count: their neighbours resemble them, and a network sees around all of them.
REPRESENTATIVES, PERMUTED, SIDE = 600, 128, 2
#: Pixels compared at once.
AT_ONCE = 8192


@dataclass(frozen=True)
class Area:
    """What the dissimilarity index of a pixel needs."""

    columns: np.ndarray  # int (predictor,): the predictors that count, numbers of channel x days + day
    centre: np.ndarray  # float32 (predictor,)
    scale: np.ndarray  # float32 (predictor,): weight over standard deviation
    samples: np.ndarray  # float32 (representative, predictor), centred and scaled
    mean_distance: float  # between the training pixels
    threshold: float  # largest index inside

    @classmethod
    def learn(cls, classifier: Classifier, parts: dict[str, Samples], seed: int = 0) -> Self:
        """From the samples of the sets "train" and "validation", not normalised, that trained a classifier.

        Pixels are compared with those of other polygons for the threshold. Raises `InputError` for training pixels of
        one polygon alone.
        """
        from ..evaluation.applicability import fit_applicability

        random = np.random.default_rng(seed)
        pixels = parts["train"].pixels()
        chosen = representatives(pixels.polygon[:, 0, 0].numpy(), REPRESENTATIVES, random)
        values = classifier.normaliser.apply(pixels.x[chosen])[..., 0, 0].flatten(1).numpy().astype(float)
        weights = predictor_weights(classifier, parts["validation"], random)
        spread = values.std(0, ddof=1)
        columns = np.flatnonzero((spread > 0) & (weights > 0))
        if not len(columns):  # a classifier that no single predictor can mislead
            columns, weights = np.flatnonzero(spread > 0), np.ones_like(weights)
        folds = pixels.polygon[chosen, 0, 0].numpy()
        area = fit_applicability(values[:, columns], weights[columns], folds)
        scale = (area.weights / area.spread).astype(np.float32)
        return cls(
            columns, area.centre.astype(np.float32), scale, area.samples.astype(np.float32), area.mean_distance,
            area.threshold,
        )  # fmt: skip

    def index(self, x: torch.Tensor) -> np.ndarray:
        """Dissimilarity index float32 (pixel,) of normalised x (channel, day, pixel)."""
        values = x.flatten(0, 1)[torch.from_numpy(self.columns)].T
        values = (values - torch.from_numpy(self.centre)) * torch.from_numpy(self.scale)
        known = torch.from_numpy(self.samples)
        found = [torch.cdist(part, known).amin(1) for part in values.split(AT_ONCE)]
        return (torch.cat(found) / self.mean_distance).numpy() if found else np.empty(0, np.float32)

    def save(self, path: Path) -> None:
        """Write the area to an .npz file."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote. Raises `InputError` for another file."""
        try:
            with np.load(path) as file:
                arrays = {field.name: file[field.name] for field in fields(cls)}
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"{path} cannot be read: {error}.", "Copy the whole folder again.", kind="model.format"
            ) from error
        for name in ("mean_distance", "threshold"):
            arrays[name] = float(arrays[name])
        return cls(**arrays)


def representatives(polygon: np.ndarray, number: int, random: np.random.Generator) -> np.ndarray:
    """Numbers of up to `number` pixels, as evenly as possible from all polygons (pixel,), in ascending order."""
    shuffled = random.permutation(len(polygon))
    order = shuffled[np.argsort(polygon[shuffled], kind="stable")]
    starts = np.r_[0, np.flatnonzero(np.diff(polygon[order])) + 1]
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))  # within its polygon
    return np.sort(order[np.argsort(place, kind="stable")][:number])


def densest(label: torch.Tensor, side: int) -> torch.Tensor:
    """Labels (sample, y, x) in the square of this side that holds the most labelled pixels of a sample, -1 outside it."""
    side = min(side, *label.shape[1:])
    held = functional.avg_pool2d((label >= 0).float()[:, None], side, stride=1)[:, 0]
    first = held.flatten(1).argmax(1)
    row, column = first // held.shape[2], first % held.shape[2]
    inside = [
        (torch.arange(size) >= start[:, None]) & (torch.arange(size) < start[:, None] + side)
        for size, start in zip(label.shape[1:], (row, column), strict=True)
    ]
    return label.where(inside[0][:, :, None] & inside[1][:, None], -1)


def predictor_weights(classifier: Classifier, samples: Samples, random: np.random.Generator) -> np.ndarray:
    """What is lost of the mean probability of the true class when a predictor is permuted between samples, (predictor,).

    A predictor is a channel at a day. `samples`: not normalised; of many, some. Negative where permuting happens to help.
    """
    labelled = samples.within(classifier.model.receptive_field)
    if classifier.model.needs_superpixels:
        labelled = samples
    chosen = np.sort(random.permutation(len(labelled))[: PERMUTED * (8 if labelled.x.shape[-1] == 1 else 1)])
    used = labelled[torch.from_numpy(chosen)].map(classifier.normaliser.apply)
    if not classifier.model.needs_superpixels:
        used = replace(used, label=densest(used.label, SIDE))
    label = used.label[used.label >= 0]

    def sure(x: torch.Tensor) -> float:
        shares = logits_of(classifier.model, used.map(lambda _: x), "cpu").softmax(1)
        return float(shares.gather(1, label[:, None]).mean())

    before, losses = sure(used.x), []
    for channel in range(used.x.shape[1]):
        for day in range(used.x.shape[2]):
            x = used.x.clone()
            x[:, channel, day] = x[torch.from_numpy(random.permutation(len(x))), channel, day]
            losses.append(before - sure(x))
    return np.array(losses)
