"""SpatioTempCNN: a temporal stream beside a 3D-CNN (section 2.2.4)."""

import math

import torch
from torch import Tensor, nn

from .cnn3d import CNN3D
from .tempcnn import TempCNN


class SpatioTempCNN(nn.Module):
    """Two streams whose class probabilities are averaged with a weight set by hand: 867,120 parameters at the paper's input.

    `fusion` is the weight of the temporal stream: 1 is the pixel-based stream alone, 0 the patch-based one alone.
    """

    receptive_field = CNN3D.receptive_field

    def __init__(self, channels: int, dates: int, classes: int, dropout: float, fusion: float):
        super().__init__()
        self.fusion = fusion
        self.temporal = TempCNN(channels, dates, classes, dropout, widths=(64, 128, 256))
        self.spatiotemporal = CNN3D(channels, dates, classes, dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Logarithm of the fused class probabilities (batch, class, y, x), which serves as logits."""
        streams = [(self.fusion, self.temporal), (1 - self.fusion, self.spatiotemporal)]
        # a stream of weight 0 is left out: its logarithm would be -inf, with NaN gradients
        parts = [stream(x).float().log_softmax(1) + math.log(weight) for weight, stream in streams if weight > 0]
        return parts[0] if len(parts) == 1 else torch.logaddexp(*parts)
