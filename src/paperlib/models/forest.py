"""The random forest of both baselines (section 2.1), and iota2_base: the forest on the dates and channels of one pixel."""

import os
from pathlib import Path

import numpy as np
import skops.io
import torch
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor, nn

from ..errors import InputError
from ..features.samples import Samples

NAME = "iota2_base"

#: What a stored forest may be made of; skops refuses everything else, where a pickle would run it.
TRUSTED = ["sklearn.tree._tree.Tree"]

#: Section 2.1 prints 100 trees, depth 50, minimum 20. iota2 hands them to the Orfeo ToolBox and that to OpenCV, which
#: clamps the depth to 25 and takes the minimum as the largest leaf.
TREES, DEPTH, LARGEST_LEAF = 100, 25, 20

#: OpenCV stops growing trees once the out-of-bag error is below this (the Orfeo ToolBox's default accuracy).
ENOUGH = 0.01


def grow(x: np.ndarray, y: np.ndarray, seed: int) -> RandomForestClassifier:
    """A forest on x (pixel, feature), y (pixel,) class index, as OpenCV would grow it; `predict_proba` gives vote shares.

    Splits choose among round(sqrt(features)) features by Gini impurity. Each tree votes for one class (scikit-learn
    would average the shares in its leaves), and trees after the first whose addition brings the out-of-bag error below
    `ENOUGH` are dropped, as if never grown.
    """
    forest = RandomForestClassifier(
        n_estimators=TREES, max_depth=DEPTH, min_samples_split=LARGEST_LEAF + 1, max_features=round(np.sqrt(x.shape[1])),
        n_jobs=os.cpu_count(), random_state=seed,
    ).fit(x, y)  # fmt: skip
    for tree in forest.estimators_:
        leaves = tree.tree_.value  # (node, 1, class), the tree's own memory
        leaves[:] = np.eye(leaves.shape[2])[leaves.argmax(2)]
    forest.estimators_ = forest.estimators_[: _enough_trees(forest, x, y)]
    forest.n_estimators = len(forest.estimators_)
    forest.n_jobs = 1  # maps use the cores by classifying windows side by side
    return forest


def _enough_trees(forest: RandomForestClassifier, x: np.ndarray, y: np.ndarray) -> int:
    """Number of trees after which the out-of-bag error is below `ENOUGH` for the first time; all where it never is."""
    classes = np.searchsorted(forest.classes_, y)
    votes = np.zeros((len(x), len(forest.classes_)), np.int64)
    for number, (tree, drawn) in enumerate(zip(forest.estimators_, forest.estimators_samples_, strict=True), start=1):
        outside = np.setdiff1d(np.arange(len(x)), drawn)
        votes[outside] += tree.predict_proba(x[outside]).astype(np.int64)
        voted = votes.any(1)
        if voted.any() and (votes[voted].argmax(1) != classes[voted]).mean() < ENOUGH:
            return number
    return len(forest.estimators_)


def shares(forest: RandomForestClassifier, x: np.ndarray, classes: int) -> np.ndarray:
    """Share of the trees' votes (pixel, class), float32, of x (pixel, feature); 0 for a class the forest never saw."""
    votes = np.zeros((len(x), classes), np.float32)
    votes[:, forest.classes_] = forest.predict_proba(x)
    return votes


def as_table(x: Tensor) -> np.ndarray:
    """x (batch, channel, date, y, x) as float32 (pixel, channel x date), pixels in the order batch, y, x."""
    return x.permute(0, 3, 4, 1, 2).flatten(3).flatten(0, 2).cpu().numpy()


def as_logits(shares: np.ndarray, like: Tensor) -> Tensor:
    """Logarithm of shares (pixel, class) as (batch, class, y, x), for pixels of `like` in the order of `as_table`."""
    logits = torch.from_numpy(shares).clamp_min(1e-7).log().to(like.device)
    return logits.reshape(len(like), *like.shape[-2:], -1).permute(0, 3, 1, 2)


class Forest(nn.Module):
    """iota2_base behind the networks' contract; a module so that nothing needs to know which of the two it holds."""

    receptive_field = 1

    def __init__(self, classes: int):
        super().__init__()
        self.classes = classes
        self.forest: RandomForestClassifier | None = None

    def fit(self, samples: Samples, seed: int) -> None:
        """Grow the forest on the labelled pixels of `samples`, each a vector of channels x dates."""
        pixels = samples.pixels()
        if not len(pixels):
            raise InputError("The forest has no labelled pixel to learn from.")
        self.forest = grow(as_table(pixels.x), pixels.label.flatten().numpy(), seed)

    def forward(self, x: Tensor) -> Tensor:
        """Logarithm of the vote shares (batch, class, y, x) of x (batch, channel, date, y, x)."""
        return as_logits(shares(self.forest, as_table(x), self.classes), like=x)

    def save(self, path: Path) -> None:
        """Write the forest to a skops file."""
        skops.io.dump({"forests": [self.forest], "classes": self.classes}, path)

    @classmethod
    def load(cls, path: Path) -> "Forest":
        """Read a forest written by `save`. Raises skops' UntrustedTypesFoundException for a file with anything else."""
        content = skops.io.load(path, trusted=TRUSTED)
        model = cls(content["classes"])
        (model.forest,) = content["forests"]
        return model
