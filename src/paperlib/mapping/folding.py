"""Trained networks rewritten to answer faster with the same answers, or nearly: folded and mixed."""

from copy import deepcopy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..models.contract import Model

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class Float32(nn.Module):
    """A layer that computes in float32 whatever the precision around it."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's answer to x, float32."""
        with torch.autocast(x.device.type, enabled=False):
            return self.layer(x.float())


def fold(model: Model) -> Model:
    """A copy of a trained network with every BatchNorm taken into the convolution before it, and without dropout.

    The same function up to rounding, with half as many passes over memory. A forest comes back as it is.
    """
    model = deepcopy(model).eval()
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Sequential):
                setattr(parent, name, _fold_layers(child))
    return model


def _fold_layers(layers: nn.Sequential) -> nn.Sequential:
    kept: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, _NORMS):
            kept[-1] = fuse_conv_bn_eval(kept[-1], layer)  # type: ignore[type-var]
        elif not isinstance(layer, nn.Dropout):
            kept.append(layer)
    return nn.Sequential(*kept)


def mix(model: Model) -> Model:
    """A copy of a folded network for autocast: its first and last layers stay in float32.

    Reflectances rounded to the eight bits of bfloat16 lose what tells similar classes apart, and so do probabilities;
    in between the sums over many features average rounding out. These layers are a small part of the work.
    """
    model = deepcopy(model)
    for parent in list(model.modules()):
        for name, layers in list(parent.named_children()):
            if isinstance(layers, nn.Sequential) and len(layers):
                last = len(layers) - 1 if name == "head" else 0
                layers[last] = Float32(layers[last])
    return model
