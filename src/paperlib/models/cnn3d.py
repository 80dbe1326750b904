"""3D-CNN: convolutions in time and space at once (Carpentier et al., 2021)."""

import torch
from torch import Tensor

from .blocks import blocks, head
from .contract import Model


class CNN3D(Model):
    """Widths 32, 64, 128 with 3 x 3 x 3 kernels, all dates into a hidden layer of 64.

    378,984 parameters at 13 channels, 11 dates and 8 classes.
    """

    receptive_field = 7
    block = 64
    options = ("dropout",)
    hidden = 64  # features of a pixel before the last layer

    def __init__(self, channels: int, dates: int, classes: int, dropout: float = 0.1):
        super().__init__()
        self.convolutions = blocks((3, 3, 3), (1, 0, 0), channels, (32, 64, 128), dropout)
        self.head = head((dates, 1, 1), 128, self.hidden, classes, dropout)

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logits (batch, class, y - 6, x - 6) of x (batch, channel, date, y, x), of all pixels whatever `where` says."""
        return self.streams(x)[1]

    def streams(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (batch, hidden, y - 6, x - 6) and logits (batch, class, y - 6, x - 6) of x as of `forward`."""
        features = self.head[:-1](self.convolutions(x.contiguous(memory_format=torch.channels_last_3d)))
        return features[:, :, 0], self.head[-1](features)[:, :, 0]
