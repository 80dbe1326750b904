"""The two pieces all networks are made of (section 2.2.2): convolution blocks and the 1 x 1 head."""

from torch import nn

_CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_NORM = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def blocks(dimensions: int, channels: int, widths: tuple[int, ...], dropout: float) -> nn.Sequential:
    """Convolution (kernel 3, same padding, no bias), BatchNorm, ReLU, Dropout for each width, in 1, 2 or 3 dimensions."""
    layers = []
    for width in widths:
        layers += [
            _CONV[dimensions](channels, width, kernel_size=3, padding=1, bias=False),
            _NORM[dimensions](width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
        ]
        channels = width
    return nn.Sequential(*layers)


def head(dimensions: int, channels: int, hidden: int, classes: int, dropout: float) -> nn.Sequential:
    """The last two layers: 1 x 1 convolutions, so that the image keeps its shape and filters stay spatially invariant."""
    return nn.Sequential(
        _CONV[dimensions](channels, hidden, kernel_size=1),
        _NORM[dimensions](hidden),
        nn.ReLU(inplace=True),
        nn.Dropout(dropout),
        _CONV[dimensions](hidden, classes, kernel_size=1),
    )
