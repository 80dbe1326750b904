"""iota2_base: a random forest on the dates and channels of one pixel, grown as iota2's engine grows it."""

import warnings
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..allocation import processors
from ..errors import InputError, InputWarning
from .contract import Estimator, as_logits, as_table

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

NAME = "iota2_base"

#: iota2 asks for 100 trees, depth 50, minimum 20. It hands them to the Orfeo ToolBox and that to OpenCV, which clamps the
#: depth to 25 and takes the minimum as the largest leaf (the option `largest_leaf`).
TREES, DEPTH, LARGEST_LEAF = 100, 25, 20

#: OpenCV stops growing trees once the out-of-bag error is below this (the Orfeo ToolBox's default accuracy).
ENOUGH = 0.01


def grow(x: np.ndarray, y: np.ndarray, seed: int, largest_leaf: int = LARGEST_LEAF) -> "RandomForestClassifier":
    """A forest on x (pixel, feature), y (pixel,) class index, as OpenCV would grow it; `predict_proba` gives vote shares.

    Nodes of more than `largest_leaf` pixels are split, among round(sqrt(features)) features, by Gini impurity. Each tree
    votes for one class (scikit-learn would average the shares in its leaves). Growth stops after the tree that brings the
    out-of-bag error below `ENOUGH`. Trees grow side by side, a few at a time; those beyond that tree are dropped, so that
    the forest of a seed does not depend on the number of processors.
    """
    from sklearn.ensemble import RandomForestClassifier  # here, since it takes half a second

    together = processors()
    forest = RandomForestClassifier(
        n_estimators=0, max_depth=DEPTH, min_samples_split=largest_leaf + 1, max_features=round(np.sqrt(x.shape[1])),
        n_jobs=together, random_state=seed, warm_start=True,
    )  # fmt: skip
    bag = _OutOfBag(x, y)
    enough = None
    while enough is None and forest.n_estimators < TREES:
        grown = forest.n_estimators
        forest.n_estimators = min(TREES, grown + max(together, grown // 4))
        with warnings.catch_warnings(record=True):
            # each thread of scikit-learn sets the filters of the whole process and resets them; what one of them loses
            # of the other's must neither outlive the fit nor turn into an error
            warnings.resetwarnings()
            warnings.simplefilter("ignore")
            forest.fit(x, y)  # adds the trees that are lacking, the same as if all had grown at once
        for tree in forest.estimators_[grown:]:
            leaves = tree.tree_.value  # (node, 1, class), the tree's own memory
            leaves[:] = np.eye(leaves.shape[2])[leaves.argmax(2)]
        enough = bag.enough(forest, grown)
    forest.estimators_ = forest.estimators_[:enough]
    forest.n_estimators = len(forest.estimators_)
    forest.n_jobs, forest.warm_start = 1, False  # maps use the cores by classifying windows side by side
    return forest


class _OutOfBag:
    """Votes of trees on the pixels x (pixel, feature) that they did not draw, with the classes y (pixel,)."""

    def __init__(self, x: np.ndarray, y: np.ndarray):
        self.x = np.ascontiguousarray(x, np.float32)
        self.names, self.classes = np.unique(y, return_inverse=True)
        self.votes = np.zeros((len(x), len(self.names)), np.int64)

    def enough(self, forest: "RandomForestClassifier", grown: int) -> int | None:
        """Number of trees after which the error is below `ENOUGH` for the first time; None where it is not yet.

        Adds the votes of the trees from number `grown` on. The error of so few pixels that a single wrong one is more
        than `ENOUGH` does not count.
        """
        trees = zip(forest.estimators_[grown:], forest.estimators_samples_[grown:], strict=True)
        for number, (tree, drawn) in enumerate(trees, start=grown + 1):
            outside = np.ones(len(self.x), bool)
            outside[drawn] = False
            if not outside.any():  # of few pixels a tree may have drawn every one
                continue
            self.votes[outside] += tree.predict_proba(self.x[outside], check_input=False).astype(np.int64)
            voted = self.votes.any(1)
            wrong = self.votes[voted].argmax(1) != self.classes[voted]
            if voted.sum() * ENOUGH >= 1 and wrong.mean() < ENOUGH:
                return number
        return None


def vote_shares(forest: "RandomForestClassifier", x: np.ndarray, classes: int) -> np.ndarray:
    """Share of the trees' votes (pixel, class), float32, of x (pixel, feature); 0 for a class the forest never saw.

    As `predict_proba` of the forest, which threads must not call at the same time: it sets the filters of warnings of the
    whole process.
    """
    x = np.ascontiguousarray(x, np.float32)
    counts = np.zeros((len(x), len(forest.classes_)))
    for tree in forest.estimators_:
        counts += tree.predict_proba(x, check_input=False)
    votes = np.zeros((len(x), classes), np.float32)
    votes[:, forest.classes_] = counts / len(forest.estimators_)
    return votes


def warn_of_few(pixels: int, largest_leaf: int) -> None:
    """Warn where so few pixels are learnt from that trees hardly split: each draws about 63 % of the pixels."""
    if pixels <= 2 * largest_leaf:
        warnings.warn(
            InputWarning(
                f"{pixels} pixels are too few for a forest whose nodes are split from {largest_leaf + 1} pixels on: its map "
                "may show a single class.",
                f"Label more than {2 * largest_leaf} pixels, or split smaller nodes (--set train.largest_leaf=1).",
                kind="training.few",
            ),
            stacklevel=3,
        )


class Forest(Estimator):
    """One random forest; `estimators` holds it alone. `largest_leaf`: pixels up to which a node is not split."""

    weights = "forest.skops"
    trusted = ("sklearn.tree._tree.Tree",)
    options = ("largest_leaf",)

    def __init__(self, channels: int, dates: int, classes: int, largest_leaf: int = LARGEST_LEAF):
        super().__init__(channels, dates, classes)
        self.largest_leaf = largest_leaf

    def fit(self, x: Tensor, label: Tensor, superpixel: Tensor | None = None, seed: int = 0) -> None:
        """Grow the forest on the labelled pixels of x (sample, channel, date, y, x); see `Estimator.fit`.

        Warns of few pixels. Raises `InputError` where none is labelled.
        """
        labelled = label >= 0
        if not labelled.any():
            raise InputError(
                "The forest has no labelled pixel to learn from.", "Check the polygons of the training set.",
                kind="labels.empty",
            )  # fmt: skip
        warn_of_few(int(labelled.sum()), self.largest_leaf)
        series = x.permute(0, 3, 4, 1, 2)[labelled].flatten(1).cpu().numpy()  # (pixel, channel x date)
        self.estimators = [grow(series, label[labelled].cpu().numpy(), seed, self.largest_leaf)]

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logarithm of the vote shares (batch, class, y, x) of x (batch, channel, date, y, x)."""
        (forest,) = self.estimators
        return as_logits(vote_shares(forest, as_table(x), self.classes), like=x)
