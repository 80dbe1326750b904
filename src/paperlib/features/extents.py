"""Where the labelled pixels of samples lie: what lies further from them than a network sees is not computed."""

import torch
from torch import Tensor

from ..errors import InputError


class LabelledExtents:
    """The smallest rectangles that hold the labelled pixels of each sample.

    `label` is (sample, y, x), on the CPU, -1 where unlabelled; `halo` the pixels that a network sees to each side. Raises
    `InputError` where a labelled pixel lies nearer to the border of its sample than that.
    """

    def __init__(self, label: Tensor, halo: int):
        self.limit, self.halo = label.shape[-1], halo
        labelled = label >= 0
        held = torch.stack([labelled.any(2), labelled.any(1)], dim=1).to(torch.uint8)  # (sample, axis, place)
        if halo and (held[..., :halo].any() or held[..., -halo:].any()):
            raise InputError(
                f"A labelled pixel lies less than {halo} pixels from the border of its patch, but the network sees that "
                "far.", f"Cut patches with a margin of {halo} or more.", kind="sample.margin",
            )  # fmt: skip
        self.labelled = held.flatten(1).any(1)  # (sample,)
        self.first = held.argmax(2)
        self.length = self.limit - held.flip(2).argmax(2) - self.first  # (sample, axis)

    def by_size(self) -> Tensor:
        """Numbers of the samples with a labelled pixel, from the smallest extent to the largest."""
        numbers = self.labelled.nonzero().flatten()
        return numbers[self.length[numbers].max(1).values.argsort(stable=True)]

    def crop(self, x: Tensor, label: Tensor, part: Tensor) -> tuple[Tensor, Tensor]:
        """Of samples x (sample, ..., y, x) and label (sample, y, x), those numbered `part` (sample,), cut to one size.

        The smallest squares that hold the extent of each of them: of x with the halo around, of the label without it.
        """
        side = int(self.length[part].max())
        if side + 2 * self.halo == self.limit:
            inside = slice(self.halo, self.limit - self.halo)
            return x[part.to(x.device)], label[part.to(x.device)][:, inside, inside]
        middle = self.first[part] + self.length[part] // 2
        start = (middle - side // 2).clamp(self.halo, self.limit - self.halo - side).to(x.device)
        number = part.to(x.device)[:, None, None]

        def places(halo: int) -> tuple[Tensor, Tensor]:
            steps = torch.arange(-halo, side + halo, device=x.device)
            return start[:, :1, None] + steps[:, None], start[:, 1:, None] + steps

        inner = x[number, ..., *places(self.halo)]  # (sample, y, x, ...)
        return inner.movedim((1, 2), (-2, -1)), label[number, *places(0)]
