"""Classifiers, one family a file, behind one contract (`contract.Model`).

Input x float32 (batch, channel, date, y, x); output logits (batch, class, y - 2 halo, x - 2 halo), where the halo is half
the `receptive_field` that a model states: the side in pixels of the square whose values can change the logits of its
central pixel. Networks do not pad in space. A model also states `needs_superpixels`, and
`block` (the side in pixels of the squares that a processor classifies fastest).

Widths and kernels of the networks are the one family that reproduces all four parameter counts which Carpentier et al.
(2021) print (493 k, 379 k, 463 k, 867 k at 13 channels, 11 dates, 8 classes).
"""

from .registry import ADDED, CLASSIFIERS, FORESTS, NAMES, NETWORKS, OTHERS, PRETRAINED, VARIANTS, build, find, reach

__all__ = [
    "ADDED",
    "CLASSIFIERS",
    "FORESTS",
    "NAMES",
    "NETWORKS",
    "OTHERS",
    "PRETRAINED",
    "VARIANTS",
    "build",
    "find",
    "reach",
]
