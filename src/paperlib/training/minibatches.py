"""Training batches: which samples they hold, and how these are augmented with random flips and rotations."""

import math

import torch
from torch import Tensor

from ..features.samples import Samples, oversample

#: Labelled pixels of a patch: below the first, patches are those of points; the second is usual for polygons.
FEW, USUAL = 4, 32
#: Batches of an epoch of points, at least.
STEPS = 8


def batch_size(samples: Samples, seen: Samples, patches: int) -> int:
    """Number of samples in a batch of `seen`, the patches `samples` as a model sees them (`Samples.within`).

    `patches` patches, or as many single pixels as such a batch holds labelled ones on average, so that all networks take
    about the same number of steps an epoch. Patches around points hold fewer than `FEW` labelled pixels each: then a batch
    has more of them, up to as many labelled pixels as with polygons, in at least `STEPS` batches. Three or more: cut into
    parts of nearly equal size, no number of samples then leaves a part of one, whose single labelled pixel BatchNorm could
    not take.
    """
    size = round(patches * len(seen) / len(samples))
    labelled = int((samples.label >= 0).sum()) / len(samples)
    if labelled < FEW:
        size = max(size, min(round(size * USUAL / labelled), len(seen) // STEPS))
    return max(3, size)


def epoch_batches(label: Tensor, oversampling: bool, batch: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Numbers of the samples in the batches of an epoch, by their label (sample, y, x); every labelled sample is in one.

    Batches are of nearly equal size: no sample is dropped, and no last batch of one, which BatchNorm could not take.
    """
    order = oversample(label, generator) if oversampling else torch.arange(len(label))
    order = order[(label >= 0).flatten(1).any(1)[order]]  # a batch without any label would have no loss
    order = order[torch.randperm(len(order), generator=generator)]
    return order.tensor_split(math.ceil(len(order) / batch))


def augment(x: Tensor, label: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A batch x and its label, squares (..., y, x) around one centre, turned and mirrored in one of eight ways."""
    number = int(torch.randint(8, (1,), generator=generator))
    quarter, mirror = number % 4, number >= 4
    x, label = (torch.rot90(part, quarter, (-2, -1)) for part in (x, label))
    return (x.flip(-1), label.flip(-1)) if mirror else (x, label)
