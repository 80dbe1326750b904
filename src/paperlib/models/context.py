"""iota2_ctx: forests that also see which classes the superpixel around a pixel holds (section 2.1).

iota2's auto-context: a first forest on the features alone, then three more, each on the features and the histogram of
the classes that the one before it gave to the pixels of the superpixel (documentation and source of iota2, June 2020).
"""

from pathlib import Path

import numpy as np
import skops.io
import torch
from torch import Tensor, nn

from ..features.samples import Samples
from ..features.superpixels import REACH
from .forest import TRUSTED, as_logits, as_table, grow, shares

NAME = "iota2_ctx"

#: Forests after the first (iota2: autoContext_iterations).
ITERATIONS = 3


class ContextForest(nn.Module):
    """The chain of forests. Its receptive field is that of a superpixel, which is cut whole from a window with halo."""

    receptive_field = 2 * REACH + 1

    def __init__(self, classes: int):
        super().__init__()
        self.classes = classes
        self.forests: list = []

    def fit(self, samples: Samples, seed: int) -> None:
        """Grow the chain on samples with superpixels (`extract_superpixels`); histograms count unlabelled pixels too."""
        table, numbers = as_table(samples.x), _numbered(samples.superpixel)
        label = samples.label.flatten().numpy()
        labelled = label >= 0
        inputs, self.forests = table, []
        for iteration in range(1 + ITERATIONS):
            self.forests.append(grow(inputs[labelled], label[labelled], seed + iteration))
            votes = shares(self.forests[-1], inputs, self.classes)
            inputs = np.hstack([table, histograms(votes.argmax(1), numbers, self.classes)])

    def forward(self, x: Tensor, superpixels: Tensor) -> Tensor:
        """Logarithm of the last forest's vote shares (batch, class, y, x) of x (batch, channel, date, y, x).

        `superpixels` int (batch, y, x) must hold the superpixels of interest whole.
        """
        table, numbers = as_table(x), _numbered(superpixels)
        inputs = table
        for forest in self.forests:
            votes = shares(forest, inputs, self.classes)
            inputs = np.hstack([table, histograms(votes.argmax(1), numbers, self.classes)])
        return as_logits(votes, like=x)

    def save(self, path: Path) -> None:
        """Write the forests to a skops file."""
        skops.io.dump({"forests": self.forests, "classes": self.classes}, path)

    @classmethod
    def load(cls, path: Path) -> "ContextForest":
        """Read forests written by `save`. Raises skops' UntrustedTypesFoundException for a file with anything else."""
        content = skops.io.load(path, trusted=TRUSTED)
        model = cls(content["classes"])
        model.forests = content["forests"]
        return model


def histograms(index: np.ndarray, numbers: np.ndarray, classes: int) -> np.ndarray:
    """Share of each class among the pixels of each pixel's superpixel, float32 (pixel, class).

    `index` (pixel,) class index, `numbers` (pixel,) superpixel from 0.
    """
    counts = np.bincount(numbers * classes + index, minlength=(numbers.max() + 1) * classes).reshape(-1, classes)
    return (counts / counts.sum(1, keepdims=True)).astype(np.float32)[numbers]


def _numbered(superpixels: Tensor) -> np.ndarray:
    """Superpixels (batch, y, x) numbered from 0 without gaps, (pixel,); those of different samples are different."""
    sample = torch.arange(len(superpixels))[:, None, None].expand_as(superpixels)
    pairs = torch.stack([sample.flatten(), superpixels.cpu().flatten()])
    return torch.unique(pairs, dim=1, return_inverse=True)[1].numpy()
