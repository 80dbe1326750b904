"""Training batches: crop each patch to its labelled extent and augment it with random flips and rotations."""

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


class LabelledExtents:
    """Where the labelled pixels of each sample lie: what lies further from them than a model sees is not computed.

    `label` is (sample, y, x), on the CPU; `halo` half the model's receptive field in pixels.
    """

    def __init__(self, label: Tensor, halo: int):
        self.limit, self.halo = label.shape[-1], halo
        labelled = label >= 0
        held = torch.stack([labelled.any(2), labelled.any(1)], dim=1).to(torch.uint8)  # (sample, axis, place)
        self.first = held.argmax(2)
        self.length = self.limit - held.flip(2).argmax(2) - self.first  # (sample, axis)

    def crop(self, x: Tensor, label: Tensor, part: Tensor) -> tuple[Tensor, Tensor]:
        """Of samples x (sample, ..., y, x) and label (sample, y, x), those numbered `part` (sample,), cut to one size.

        The smallest squares that hold the labelled pixels of each with the halo around them, or end where the sample
        does: on labelled pixels, a model that has learned answers exactly as on the whole sample.
        """
        side = min(self.limit, int(self.length[part].max()) + 2 * self.halo)
        if side == self.limit:
            return x[part.to(x.device)], label[part.to(x.device)]
        middle = self.first[part] + self.length[part] // 2
        start = (middle - side // 2).clamp(0, self.limit - side)
        # centred, a long extent could lose part of its halo to one side
        start = torch.minimum(start, (self.first[part] - self.halo).clamp(min=0))
        start = torch.maximum(start, (self.first[part] + self.length[part] + self.halo).clamp(max=self.limit) - side)
        number, start = part.to(x.device)[:, None, None], start.to(x.device)
        steps = torch.arange(side, device=x.device)
        rows, columns = start[:, :1, None] + steps[:, None], start[:, 1:, None] + steps
        inner = x[number, ..., rows, columns]  # (sample, y, x, ...)
        return inner.movedim((1, 2), (-2, -1)), label[number, rows, columns]


def augment(x: Tensor, label: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A batch x (..., y, x) and its label (..., y, x), turned and mirrored as one of the eight ways of a square."""
    number = int(torch.randint(8, (1,), generator=generator))
    quarter, mirror = number % 4, number >= 4
    x, label = (torch.rot90(part, quarter, (-2, -1)) for part in (x, label))
    return (x.flip(-1), label.flip(-1)) if mirror else (x, label)
