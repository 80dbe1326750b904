"""Trained networks rewritten to answer faster with the same answers, or nearly: folded and mixed."""

from copy import deepcopy
from typing import TypeGuard

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..models.contract import Model
from ..models.ensemble import Ensemble

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_LINEAR = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
#: Difference of the logits of the two best classes below which rounding may change the class. It changed none of the
#: pixels of preset demo whose classes are further apart, by TempCNN (.02 at most) or Galileo (.07).
CLOSE = 0.1


class Float32(nn.Module):
    """A layer that computes in float32 whatever the precision around it."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's answer to x, float32."""
        with torch.autocast(x.device.type, enabled=False):
            return self.layer(x.float())


class AllDates(nn.Module):
    """A convolution that spans all dates of pixel series, as the sum of one matrix product a date.

    On a processor and in float32 it takes two thirds of the time of the convolution, which it leaves the rest to.
    """

    bias: torch.Tensor
    by_date: torch.Tensor

    def __init__(self, layer: nn.Conv2d):
        super().__init__()
        self.layer = layer
        bias = torch.zeros(layer.out_channels) if layer.bias is None else layer.bias.detach()
        self.register_buffer("bias", bias)
        weight = layer.weight.detach()[..., 0]
        self.register_buffer("by_date", weight.permute(2, 1, 0).contiguous())  # (date, channel, feature)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (batch, feature, 1, pixel) of series x (batch, channel, date, pixel)."""
        if x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            return self.layer(x)
        dates = x.permute(2, 0, 3, 1).flatten(1, 2)
        out = torch.addmm(self.bias, dates[0], self.by_date[0])
        for values, weight in zip(dates[1:], self.by_date[1:], strict=True):
            out.addmm_(values, weight)
        return out.unflatten(0, (len(x), x.shape[3])).permute(0, 2, 1)[:, :, None]


class CloseCalls(Model):
    """A classifier of single pixels in mixed precision, and the same in float32, which decides where two classes are close.

    Few pixels are classified twice. Rounding that moves the difference of two logits by less than `CLOSE` changes no class.
    """

    def __init__(self, mixed: Model, exact: Model):
        super().__init__()
        self.mixed, self.exact, self.block = mixed, exact, exact.block

    def forward(
        self, x: torch.Tensor, where: torch.Tensor | None = None, superpixel: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Logits float32 (batch, class, y, x) of x (batch, channel, date, y, x)."""
        logits = self.mixed(x, where).float()
        first, second = logits.topk(2, dim=1).values.unbind(1)
        close = first - second < CLOSE
        if not close.any():
            return logits
        with torch.autocast(x.device.type, enabled=False):
            return torch.where(close[:, None], self.exact(x, close), logits)


def fold(model: Model) -> Model:
    """A copy of a trained network with every BatchNorm taken into the convolution right before it, and without dropout.

    The same function up to rounding, with half as many passes over memory and `AllDates`. A forest comes back as it is.
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
        if isinstance(layer, _NORMS) and kept and isinstance(kept[-1], _LINEAR):
            kept[-1] = fuse_conv_bn_eval(kept[-1], layer)  # type: ignore[type-var]
        elif not isinstance(layer, nn.Dropout):
            kept.append(layer)
    return nn.Sequential(*(AllDates(layer) if _spans_dates(layer) else layer for layer in kept))


def _spans_dates(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether a layer of pixel series leaves nothing of their dates."""
    return isinstance(layer, nn.Conv2d) and layer.kernel_size[0] > 1 == layer.kernel_size[1] and layer.padding == (0, 0)


def mix(model: Model) -> Model:
    """A copy of a folded network for autocast: its first and last layers stay in float32.

    Reflectances rounded to the eight bits of bfloat16 lose what tells similar classes apart, and so do probabilities;
    in between the sums over many features average rounding out. These layers are a small part of the work. A network that
    sees single pixels becomes `CloseCalls`.
    """
    mixed = deepcopy(model)
    for parent in list(mixed.modules()):
        for name, layers in list(parent.named_children()):
            if isinstance(layers, nn.Sequential) and len(layers):
                last = len(layers) - 1 if name == "head" else 0
                layers[last] = Float32(layers[last])
    return mixed if model.receptive_field > 1 or isinstance(model, Ensemble) else CloseCalls(mixed, model)
