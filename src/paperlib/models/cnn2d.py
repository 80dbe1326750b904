"""2D-CNN: convolutions in space over dates stacked as channels (Carpentier et al., 2021)."""

import torch
from torch import Tensor

from .blocks import blocks, head
from .contract import Model


class CNN2D(Model):
    """Widths 32, 64, 128, 256 in space, hidden layer of 128: 463,400 parameters at 13 channels, 11 dates, 8 classes."""

    receptive_field = 9
    block = 128
    options = ("dropout",)

    def __init__(self, channels: int, dates: int, classes: int, dropout: float = 0.1):
        super().__init__()
        self.convolutions = blocks((3, 3), (0, 0), channels * dates, (32, 64, 128, 256), dropout)
        self.head = head((1, 1), 256, 128, classes, dropout)

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logits (batch, class, y - 8, x - 8) of x (batch, channel, date, y, x), of all pixels whatever `where` says."""
        return self.head(self.convolutions(x.flatten(1, 2).contiguous(memory_format=torch.channels_last)))
