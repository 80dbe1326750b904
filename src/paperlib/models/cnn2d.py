"""2D-CNN: convolutions in space over dates stacked as channels (section 2.2.2)."""

import torch
from torch import Tensor, nn

from .blocks import blocks, head


class CNN2D(nn.Module):
    """Widths 32, 64, 128, 256 in space, hidden layer of 128: 463,400 parameters at the paper's input."""

    receptive_field = 9
    block = 128  # pixels a side that a processor classifies best at once

    def __init__(self, channels: int, dates: int, classes: int, dropout: float):
        super().__init__()
        self.convolutions = blocks((3, 3), channels * dates, (32, 64, 128, 256), dropout)
        self.head = head((1, 1), 256, 128, classes, dropout)

    def forward(self, x: Tensor, where: Tensor | None = None) -> Tensor:
        """Logits (batch, class, y, x) of x (batch, channel, date, y, x); all are computed, wanted or not."""
        return self.head(self.convolutions(x.flatten(1, 2).contiguous(memory_format=torch.channels_last)))
