"""Two classifiers of scikit-learn that practitioners take first: logistic regression and gradient boosting."""

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..errors import InputError, counted
from .contract import Estimator, as_logits, as_table

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin


class PixelEstimator(Estimator):
    """A classifier of scikit-learn on the series of single pixels; `estimators` holds it alone."""

    def make(self, seed: int) -> "ClassifierMixin":
        """The estimator before training."""
        raise NotImplementedError

    def fit(self, x: Tensor, label: Tensor, superpixel: Tensor | None = None, seed: int = 0) -> None:
        """Learn from the labelled pixels of x (sample, channel, date, y, x); see `Estimator.fit`.

        Raises `InputError` for pixels of fewer than two classes.
        """
        labelled = (label >= 0).flatten().cpu().numpy()
        known = label.flatten().cpu().numpy()[labelled]
        if len(np.unique(known)) < 2:
            raise InputError(
                f"{type(self).__name__} needs pixels of two classes to learn from; it has {counted(len(known), 'pixel')} of "
                f"{len(np.unique(known))}.", "Label more classes.", kind="labels.empty",
            )  # fmt: skip
        self.estimators = [self.make(seed).fit(as_table(x)[labelled], known)]

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logarithm of the class probabilities (batch, class, y, x) of x (batch, channel, date, y, x)."""
        (estimator,) = self.estimators
        shares = np.zeros((x[:, 0, 0].numel(), self.classes), np.float32)
        shares[:, estimator.classes_] = estimator.predict_proba(as_table(x))
        return as_logits(shares, like=x)


class LogisticSeries(PixelEstimator):
    """Logistic regression on the standardised series, C = 1."""

    weights = "logistic.skops"

    def make(self, seed: int) -> "ClassifierMixin":
        """Standardised by the training pixels; the fit has no chance in it."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))


class BoostedTrees(PixelEstimator):
    """Gradient boosting of histograms, with scikit-learn's defaults."""

    weights = "boosting.skops"
    trusted = (
        "functools.partial", "sklearn._loss._loss.CyHalfMultinomialLoss", "sklearn._loss.link.Interval",
        "sklearn._loss.link.MultinomialLogit", "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    )  # fmt: skip

    def make(self, seed: int) -> "ClassifierMixin":
        """As many rounds as scikit-learn makes; the seed counts where it stops early."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(random_state=seed)
