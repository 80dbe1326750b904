"""The networks of Table 4, one file each, behind one contract.

Input x float32 (batch, channel, date, y, x); output logits (batch, class, y, x). `where` (batch, y, x), optional, says
which pixels an answer is wanted for: in training, the labelled ones. Each model states its
`receptive_field`: the side in pixels of the square whose values can change the answer for its central pixel, and
`block`: the side in pixels of the squares that a processor classifies fastest.

The paper's layer figures are lost; widths and kernels are the one family that reproduces all four parameter counts that
Table 4 prints (493 k, 379 k, 463 k, 867 k at 13 channels, 11 dates, 8 classes).
"""

import difflib
from collections.abc import Callable

from torch import nn

from ..errors import InputError
from .cnn2d import CNN2D
from .cnn3d import CNN3D
from .gated import GatedSpatioTempCNN
from .pelletier import PelletierTempCNN
from .spatiotemp import SpatioTempCNN
from .tempcnn import TempCNN

#: Networks beside the paper's: name -> class, made with (channels, dates, classes, dropout). What stands here is trained,
#: scored and mapped with the others: a column of Table 4, a line in every figure. The how-to "add a model" walks through it.
ADDED: dict[str, type[nn.Module]] = {}

_BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "TempCNN": lambda channels, dates, classes, dropout, fusion: TempCNN(channels, dates, classes, dropout),
    "3D-CNN": lambda channels, dates, classes, dropout, fusion: CNN3D(channels, dates, classes, dropout),
    "2D-CNN": lambda channels, dates, classes, dropout, fusion: CNN2D(channels, dates, classes, dropout),
    "SpatioTempCNN": SpatioTempCNN,
    "SpatioTempCNN-gated": lambda channels, dates, classes, dropout, fusion: GatedSpatioTempCNN(
        channels, dates, classes, dropout
    ),
    "TempCNN-2019": lambda channels, dates, classes, dropout, fusion: PelletierTempCNN(channels, dates, classes),
    **ADDED,
}

#: In the column order of Table 4; and what the paper announces or builds on.
NAMES = ("TempCNN", "3D-CNN", "2D-CNN", "SpatioTempCNN")
VARIANTS = ("SpatioTempCNN-gated", "TempCNN-2019")

#: The largest receptive field among them, in pixels.
WIDEST = max(network.receptive_field for network in (TempCNN, CNN2D, CNN3D, SpatioTempCNN, *ADDED.values()))


def build(name: str, channels: int, dates: int, classes: int, dropout: float = 0.1, fusion: float = 0.5) -> nn.Module:
    """A network with fresh weights for series of `channels` channels and `dates` dates.

    `fusion` is SpatioTempCNN's weight of its temporal stream (0 to 1); the other networks have no use for it.
    Raises `InputError` for an unknown name, fewer than 1 channel or date, fewer than 2 classes, or a weight outside
    0 to 1.
    """
    if name not in _BUILDERS:
        near = difflib.get_close_matches(str(name), _BUILDERS, n=1, cutoff=0)[0]
        raise InputError(f"Unknown network {name!r}; did you mean {near!r}? There are {', '.join(_BUILDERS)}.")
    if channels < 1 or dates < 1 or classes < 2:
        raise InputError(f"{name} for {channels} channels, {dates} dates, {classes} classes: needs 1, 1 and 2 or more.")
    if not 0 <= fusion <= 1:
        raise InputError(f"fusion = {fusion}; the weight of the temporal stream lies between 0 and 1.")
    choice = (dropout,) if name in ADDED else (dropout, fusion)
    return _BUILDERS[name](channels, dates, classes, *choice)
