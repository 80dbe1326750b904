"""The two pieces all networks are made of: convolution blocks and the head.

A kernel is given by its side along each axis, dates first: (3, 1) runs over (date, pixel), (3, 3) over (y, x), (3, 3, 3)
over (date, y, x). Along dates convolutions pad with zeros; in space they do not, so that a network never sees what no image
holds: its answer is half a receptive field smaller on each side. Processors convolve images whose channels lie side by
side in memory up to twice as fast, so networks bring their input into that layout (`torch.channels_last`); it changes no
result but its rounding.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

_CONV: dict[int, Callable[..., nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
_NORM: dict[int, Callable[..., nn.Module]] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


class Dropout(nn.Dropout):
    """Dropout of single values, whose random numbers cost a processor a fifth: each of 64 bits decides on four values.

    Every value is dropped independently, with a probability of `p` rounded to 1/65536. Drawing the masks is otherwise
    the largest part of a training step. From torch's generator, so that `torch.manual_seed` makes it repeatable.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x without a random share `p` of its values, the others greater by 1 / (1 - p); in evaluation x as it is."""
        layouts = torch.contiguous_format, torch.channels_last if x.ndim == 4 else torch.channels_last_3d
        dense = x.ndim in (4, 5) and any(x.is_contiguous(memory_format=layout) for layout in layouts)
        if not self.training or not 0 < self.p < 1 or x.device.type != "cpu" or not dense:
            return super().forward(x)
        bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
        mask = torch.empty(x.numel(), dtype=x.dtype)
        torch.ge(bits[: x.numel()], round(self.p * 2**16) - 2**15, out=mask)
        return x * mask.mul_(1 / (1 - self.p)).as_strided(x.shape, x.stride())


def blocks(
    kernel: tuple[int, ...],
    padding: tuple[int, ...],
    channels: int,
    widths: tuple[int, ...],
    dropout: float,
    dilation: int = 1,
) -> nn.Sequential:
    """Convolution (no bias), BatchNorm, ReLU, Dropout for each width. `padding`: along each axis of the kernel.

    `dilation`: from one value of a kernel to the next, in pixels.
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers += [
            _CONV[len(kernel)](channels, width, kernel, padding=padding, dilation=dilation, bias=False),
            _NORM[len(kernel)](width),
            nn.ReLU(inplace=True),
            Dropout(dropout),
        ]
        channels = width
    return nn.Sequential(*layers)


def head(kernel: tuple[int, ...], channels: int, hidden: int, classes: int, dropout: float) -> nn.Sequential:
    """The last two layers, of which the first takes all dates at once where the kernel is as long as there are dates.

    Along y and x they are 1 x 1 convolutions, so that the image keeps its shape and filters stay spatially invariant.
    """
    conv, norm = _CONV[len(kernel)], _NORM[len(kernel)]
    return nn.Sequential(
        conv(channels, hidden, kernel),
        norm(hidden),
        nn.ReLU(inplace=True),
        Dropout(dropout),
        conv(hidden, classes, kernel_size=1),
    )
