"""SpatioTempCNN with a learned fusion, which section 4 of the paper announces."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .blocks import middle
from .cnn3d import CNN3D
from .spatiotemp import fuse
from .tempcnn import TempCNN


class GatedSpatioTempCNN(nn.Module):
    """The two streams of SpatioTempCNN, fused by a weight that a gate finds at every pixel from both streams' features."""

    receptive_field = CNN3D.receptive_field
    block = CNN3D.block

    def __init__(self, channels: int, dates: int, classes: int, dropout: float):
        super().__init__()
        self.temporal = TempCNN(channels, dates, classes, dropout, widths=(64, 128, 256))
        self.spatiotemporal = CNN3D(channels, dates, classes, dropout)
        self.gate = nn.Conv2d(self.temporal.hidden + self.spatiotemporal.hidden, 1, kernel_size=1)

    def forward(self, x: Tensor, where: Tensor | None = None) -> Tensor:
        """Logarithm of the fused class probabilities (batch, class, y, x), which serves as logits.

        The temporal stream answers `where` (batch, y, x) an answer is wanted; elsewhere the result means nothing.
        """
        spatial, other = self.spatiotemporal.streams(x)
        temporal, one = self.temporal.streams(middle(x, other), where)
        weight = self.gate(torch.cat([temporal, spatial], dim=1)).float()
        return fuse(one, other, functional.logsigmoid(weight), functional.logsigmoid(-weight))
