"""The two pieces all networks are made of (section 2.2.2): convolution blocks and the head.

A kernel is given by its side along each axis, dates first: (3, 1) runs over (date, pixel), (3, 3) over (y, x), (3, 3, 3)
over (date, y, x). Processors convolve images whose channels lie side by side in memory up to twice as fast, so networks
bring their input into that layout (`torch.channels_last`); it changes no result but its rounding.
"""

from torch import Tensor, nn

_CONV = {2: nn.Conv2d, 3: nn.Conv3d}
_NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def blocks(kernel: tuple[int, ...], channels: int, widths: tuple[int, ...], dropout: float) -> nn.Sequential:
    """Convolution (same padding, no bias), BatchNorm, ReLU, Dropout for each width."""
    layers = []
    for width in widths:
        layers += [
            _CONV[len(kernel)](channels, width, kernel, padding=tuple(side // 2 for side in kernel), bias=False),
            _NORM[len(kernel)](width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
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
        nn.Dropout(dropout),
        conv(hidden, classes, kernel_size=1),
    )


def middle(x: Tensor, like: Tensor) -> Tensor:
    """The middle of x (..., y, x), of as many rows and columns as `like` has, which convolutions may have made smaller."""
    rows, columns = ((large - small) // 2 for large, small in zip(x.shape[-2:], like.shape[-2:], strict=True))
    return x[..., rows : x.shape[-2] - rows, columns : x.shape[-1] - columns]
