"""SpatioTempCNN: a temporal stream beside a 3D-CNN (section 2.2.4)."""

import math

import torch
from torch import Tensor, nn

from .blocks import middle
from .cnn3d import CNN3D
from .tempcnn import TempCNN


class SpatioTempCNN(nn.Module):
    """Two streams whose class probabilities are averaged with a weight set by hand: 867,120 parameters at the paper's input.

    `fusion` is the weight of the temporal stream: 1 is the pixel-based stream alone, 0 the patch-based one alone.
    """

    receptive_field = CNN3D.receptive_field
    block = CNN3D.block

    def __init__(self, channels: int, dates: int, classes: int, dropout: float, fusion: float):
        super().__init__()
        self.fusion = fusion
        self.temporal = TempCNN(channels, dates, classes, dropout, widths=(64, 128, 256))
        self.spatiotemporal = CNN3D(channels, dates, classes, dropout)

    def forward(self, x: Tensor, where: Tensor | None = None) -> Tensor:
        """Logarithm of the fused class probabilities (batch, class, y, x), which serves as logits.

        The temporal stream answers `where` (batch, y, x) an answer is wanted; elsewhere the result means nothing.
        """
        # a stream of weight 0 is left out: its logarithm would be -inf, with NaN gradients
        if self.fusion in (0, 1):
            return (self.temporal if self.fusion else self.spatiotemporal)(x, where).float().log_softmax(1)
        spatial = self.spatiotemporal(x)
        temporal = self.temporal(middle(x, spatial), where)
        return fuse(temporal, spatial, math.log(self.fusion), math.log(1 - self.fusion))


def fuse(one: Tensor, other: Tensor, weight: Tensor | float, rest: Tensor | float) -> Tensor:
    """Logarithm of the weighted mean of two streams' class probabilities (batch, class, y, x), from logits.

    `weight` and `rest` are logarithms of the two weights.
    """
    return torch.logaddexp(one.float().log_softmax(1) + weight, other.float().log_softmax(1) + rest)
