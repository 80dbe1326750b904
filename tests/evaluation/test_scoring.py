"""Mixed precision, in which validation is computed during training, changes no verdict."""

import numpy as np
import pytest
import torch

from paperlib import models
from paperlib.devices import has_bfloat16
from paperlib.evaluation import metrics
from paperlib.evaluation.scoring import evaluate, logits_of


@pytest.mark.parametrize("name", models.NAMES)
def test_mixed_precision_gives_nearly_every_class_of_float32(name, run):
    model, samples = run.classifier(name).model, run.trained.normalised["validation"]
    exact, mixed = (evaluate(model, samples, "cpu", mixed) for mixed in (False, True))
    assert (exact.predicted == mixed.predicted).mean() > 0.99
    assert metrics.macro_f1(mixed.confusion) == pytest.approx(metrics.macro_f1(exact.confusion), abs=0.01)
    differs = not np.array_equal(*(logits_of(model, samples, "cpu", mixed).numpy() for mixed in (False, True)))
    assert differs == has_bfloat16(torch.device("cpu"))
