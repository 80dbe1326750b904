"""SpatioTempCNN: a TempCNN beside a 3D-CNN, fused by a weight set by hand or by a learned gate."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import InputError
from .cnn3d import CNN3D
from .contract import Model
from .tempcnn import TempCNN

#: Widths of the temporal stream.
WIDTHS = (64, 128, 256)


class SpatioTempCNN(Model):
    """Two streams whose class probabilities are averaged with a fixed weight (Carpentier et al., 2021).

    `fusion` is the weight of the temporal stream: 1 is the pixel-based stream alone, 0 the patch-based one alone.
    867,120 parameters at 13 channels, 11 dates and 8 classes. Raises `InputError` for a weight outside 0 to 1.
    """

    receptive_field = CNN3D.receptive_field
    block = CNN3D.block
    options = ("dropout", "fusion")

    def __init__(self, channels: int, dates: int, classes: int, dropout: float = 0.1, fusion: float = 0.5):
        super().__init__()
        if not 0 <= fusion <= 1:
            raise InputError(
                f"train.fusion = {fusion} is no weight of the temporal stream.", "Choose a number from 0 to 1.",
                kind="settings.range",
            )  # fmt: skip
        self.fusion = fusion
        self.temporal = TempCNN(channels, dates, classes, dropout, widths=WIDTHS)
        self.spatiotemporal = CNN3D(channels, dates, classes, dropout)

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logarithm of the fused class probabilities (batch, class, y - 6, x - 6), which serves as logits.

        The temporal stream computes only the pixels of `where` (batch, y - 6, x - 6).
        """
        # a stream of weight 0 is left out: its logarithm would be -inf, with NaN gradients
        if self.fusion in (0, 1):
            logits = self.temporal(self.answered(x), where) if self.fusion else self.spatiotemporal(x)
            return logits.float().log_softmax(1)
        spatial = self.spatiotemporal(x)
        temporal = self.temporal(self.answered(x), where)
        return fuse(temporal, spatial, math.log(self.fusion), math.log(1 - self.fusion))


class GatedSpatioTempCNN(Model):
    """The two streams of SpatioTempCNN, fused by a weight that a gate computes from their features at every pixel."""

    receptive_field = CNN3D.receptive_field
    block = CNN3D.block
    options = ("dropout",)

    def __init__(self, channels: int, dates: int, classes: int, dropout: float = 0.1):
        super().__init__()
        self.temporal = TempCNN(channels, dates, classes, dropout, widths=WIDTHS)
        self.spatiotemporal = CNN3D(channels, dates, classes, dropout)
        self.gate = nn.Conv2d(self.temporal.hidden + self.spatiotemporal.hidden, 1, kernel_size=1)

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logarithm of the fused class probabilities (batch, class, y - 6, x - 6), which serves as logits.

        The temporal stream computes only the pixels of `where` (batch, y - 6, x - 6).
        """
        spatial_features, spatial = self.spatiotemporal.streams(x)
        temporal_features, temporal = self.temporal.streams(self.answered(x), where)
        weight = self.gate(torch.cat([temporal_features, spatial_features], dim=1)).float()
        return fuse(temporal, spatial, functional.logsigmoid(weight), functional.logsigmoid(-weight))


def fuse(temporal: Tensor, spatial: Tensor, weight: Tensor | float, rest: Tensor | float) -> Tensor:
    """Logarithm of the weighted mean of two streams' class probabilities (batch, class, y, x), from logits.

    `weight` and `rest` are logarithms of the weights of the two.
    """
    return torch.logaddexp(temporal.float().log_softmax(1) + weight, spatial.float().log_softmax(1) + rest)
