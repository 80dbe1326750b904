"""Fusion of two streams, trained apart or together, by a fixed weight or a learned gate (sections 2.2.4 and 4)."""

from functools import cached_property
from typing import cast

import numpy as np
import pandas as pd

from ...evaluation import intervals, metrics
from ...evaluation.scoring import by_polygon, logits_of, polygon_counts
from ...features.samples import Samples
from ...models.contract import Model
from ...runs.experiment import Experiment
from .. import evidence

#: Weights of the temporal stream that the study tries.
WEIGHTS = np.round(np.linspace(0, 1, 21), 2)

#: How the two streams are trained.
APART, AS_ONE = "trained apart", "trained as one"

#: What the study trains. The network with a gate takes as long as all else on the page and is trained where it is asked for.
GATED = "SpatioTempCNN-gated"
STREAMS = ("TempCNN", "3D-CNN")
TRAINED = (*STREAMS, "SpatioTempCNN")


def streams(run: Experiment, training: str) -> tuple[Model, Model]:
    """Temporal and spatio-temporal stream: TempCNN and 3D-CNN (`APART`), or the two streams of SpatioTempCNN (`AS_ONE`)."""
    if training == APART:
        return run.classifier("TempCNN").model, run.classifier("3D-CNN").model
    network = run.classifier("SpatioTempCNN").model
    return cast(Model, network.temporal), cast(Model, network.spatiotemporal)


def probabilities(model: Model, samples: Samples) -> np.ndarray:
    """Class probabilities of the labelled pixels of normalised samples, (pixel, class), in the order of `samples.label`."""
    return logits_of(model, samples).softmax(1).numpy()


class Streams:
    """Class probabilities of two streams on the validation and the test pixels."""

    def __init__(self, run: Experiment, training: str):
        run.trained.make(TRAINED)
        self.samples = {part: run.trained.normalised[part] for part in ("validation", "test")}
        self.classes = len(run.legend)
        if training == APART:  # they answered when they were trained
            alone = [run.trained.chosen_answers(name) for name in STREAMS]
            found = [{part: logits.softmax(1).numpy() for part, (logits, _) in one.items()} for one in alone]
        else:
            both = streams(run, training)
            found = [{part: probabilities(one, samples) for part, samples in self.samples.items()} for one in both]
        self.temporal, self.spatiotemporal = found

    def counts(self, weight: float, part: str) -> tuple[np.ndarray, np.ndarray]:
        """`scoring.polygon_counts` of the fused streams; `weight` is that of the temporal stream."""
        fused = weight * self.temporal[part] + (1 - weight) * self.spatiotemporal[part]
        return polygon_counts(by_polygon(self.samples[part], fused.argmax(1)), self.classes)

    def macro_f1(self, weight: float, part: str) -> float:
        """Macro F1 of the fused streams; `weight` is that of the temporal stream."""
        counts, reference = self.counts(weight, part)
        return float(
            metrics.macro_f1(intervals.resampled_confusions(counts, reference, np.ones((1, len(reference)), int))[0])
        )

    @cached_property
    def by_weight(self) -> dict[float, float]:
        """Macro F1 on validation by weight, which a figure and a table ask for."""
        return {weight: self.macro_f1(weight, "validation") for weight in WEIGHTS.tolist()}

    def best_weight(self) -> float:
        """The weight with the highest macro F1 on validation; of equally good weights, the one nearest to one half."""
        by_nearness = sorted(self.by_weight, key=lambda weight: abs(weight - 0.5))
        return max(by_nearness, key=self.by_weight.__getitem__)


def weights_table(by_training: dict[str, Streams]) -> pd.DataFrame:
    """Macro F1 on validation against the weight of the temporal stream: columns training, weight, macro_f1."""
    rows = [
        (training, weight, macro_f1)
        for training, both in by_training.items()
        for weight, macro_f1 in both.by_weight.items()
    ]
    return pd.DataFrame(rows, columns=["training", "weight", "macro_f1"])


def fusion_table(run: Experiment, by_training: dict[str, Streams]) -> pd.DataFrame:
    """Macro F1 on validation and test of each stream alone and of each fusion, by a fixed weight and a chosen one.

    Columns training, fusion, weight, validation, test, gain, gain_low, gain_high. The gain is the test macro F1 minus
    that of the better single stream of the same training, with its 95 % interval over polygons. The better stream is the
    better on validation.
    """
    rows = []
    for training, both in by_training.items():
        temporal, other = both.macro_f1(1.0, "validation"), both.macro_f1(0.0, "validation")
        single = 1.0 if temporal >= other else 0.0
        weights = {"temporal stream": 1.0, "spatio-temporal stream": 0.0, "set by hand": run.settings.train.fusion}
        for name, weight in (weights | {"chosen on validation": both.best_weight()}).items():
            scores = (both.macro_f1(weight, "validation"), both.macro_f1(weight, "test"))
            fused = name not in list(weights)[:2]
            gain = _gain(both.counts(weight, "test"), both.counts(single, "test")) if fused else (np.nan,) * 3
            rows.append((training, name, weight, *scores, *gain))
    columns = ["training", "fusion", "weight", "validation", "test", "gain", "gain_low", "gain_high"]
    return pd.DataFrame(rows, columns=columns)


def gate_table(run: Experiment) -> pd.DataFrame:
    """Macro F1 of all trainings of the network with a gate, of what it is compared with, and of the differences on test.

    Columns fusion, trainings, validation (their mean, NaN for a difference), test, low, high (95 % interval over polygons
    and trainings). The single stream is the better of TempCNN and 3D-CNN on validation.
    """
    run.trained.make((*TRAINED, GATED))
    names = {"learned gate": GATED, "set by hand": "SpatioTempCNN", "TempCNN": "TempCNN", "3D-CNN": "3D-CNN"}
    validation, test = (
        {title: evidence.macro_f1(run, name, part) for title, name in names.items()} for part in ("validation", "test")
    )
    single = max(STREAMS, key=lambda name: validation[name].value)
    trainings = run.settings.train.trainings
    rows = [(title, trainings, validation[title].value, *test[title].estimate()) for title in names]
    for other in ("set by hand", single):
        gain = test["learned gate"] - test[other]
        rows.append((f"learned gate minus {other}", trainings, np.nan, *gain.estimate()))
    return pd.DataFrame(rows, columns=["fusion", "trainings", "validation", "test", "low", "high"])


def _gain(fused: tuple[np.ndarray, np.ndarray], single: tuple[np.ndarray, np.ndarray]) -> tuple[float, float, float]:
    """Difference of macro F1 over the same polygons, with its interval: value, low, high.

    Both arguments are counts (polygon, predicted class) and class indices (polygon,).
    """
    reference = fused[1]
    weights = np.vstack([np.ones((1, len(reference)), int), intervals.draws(reference)])
    first, second = (metrics.macro_f1(intervals.resampled_confusions(*counts, weights)) for counts in (fused, single))
    return float((first - second)[0]), *intervals.interval((first - second)[1:])
