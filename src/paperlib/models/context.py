"""iota2_ctx: forests that also see which classes the superpixel around a pixel holds.

iota2's auto-context: a first forest on the features alone, then three more, each on the features and the histogram of
the classes that the one before it gave to the pixels of the superpixel (documentation and source of iota2, June 2020).
"""

import numpy as np
import torch
from torch import Tensor

from .contract import as_logits, as_table
from .forest import Forest, grow, vote_shares, warn_of_few

NAME = "iota2_ctx"

#: Forests after the first (iota2: autoContext_iterations).
ITERATIONS = 3


class ContextForest(Forest):
    """The chain of forests, in the order of `estimators`.

    Its receptive field is that of a superpixel, which must lie whole in the window that is classified: no superpixel
    reaches further from a pixel of its own than `features.superpixels.REACH`, 40 pixels.
    """

    receptive_field = 81
    needs_superpixels = True

    def fit(self, x: Tensor, label: Tensor, superpixel: Tensor | None = None, seed: int = 0) -> None:
        """Grow the chain; see `Forest.fit`. Histograms count the unlabelled pixels of a superpixel too."""
        table, numbers = as_table(x), _numbered(superpixel)
        index = label.flatten().numpy()
        labelled = index >= 0
        warn_of_few(int(labelled.sum()), self.largest_leaf)
        inputs, self.estimators = table, []
        for iteration in range(1 + ITERATIONS):
            self.estimators.append(grow(inputs[labelled], index[labelled], seed + iteration, self.largest_leaf))
            votes = vote_shares(self.estimators[-1], inputs, self.classes)
            inputs = np.hstack([table, histograms(votes.argmax(1), numbers, self.classes)])

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logarithm of the last forest's vote shares (batch, class, y, x) of x (batch, channel, date, y, x).

        `superpixel` int (batch, y, x) must hold the superpixels of interest whole.
        """
        table, numbers = as_table(x), _numbered(superpixel)
        inputs = table
        for forest in self.estimators:
            votes = vote_shares(forest, inputs, self.classes)
            inputs = np.hstack([table, histograms(votes.argmax(1), numbers, self.classes)])
        return as_logits(votes, like=x)


def histograms(index: np.ndarray, numbers: np.ndarray, classes: int) -> np.ndarray:
    """Share of each class among the pixels of each pixel's superpixel, float32 (pixel, class).

    `index` (pixel,) class index, `numbers` (pixel,) superpixel from 0.
    """
    counts = np.bincount(numbers * classes + index, minlength=(numbers.max() + 1) * classes).reshape(-1, classes)
    return (counts / counts.sum(1, keepdims=True)).astype(np.float32)[numbers]


def _numbered(superpixel: Tensor | None) -> np.ndarray:
    """Superpixels (batch, y, x) numbered from 0 without gaps, (pixel,); those of different samples are different."""
    if superpixel is None:
        raise ValueError("iota2_ctx takes superpixels")
    sample = torch.arange(len(superpixel))[:, None, None].expand_as(superpixel)
    pairs = torch.stack([sample.flatten(), superpixel.cpu().flatten()])
    return torch.unique(pairs, dim=1, return_inverse=True)[1].numpy()
