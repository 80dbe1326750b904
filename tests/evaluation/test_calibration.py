"""Temperatures bring probabilities nearer to how often they are right, and never change a class."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from paperlib.errors import InputError
from paperlib.evaluation.calibration import (
    LIMITS,
    calibration_error,
    fit_temperature,
    reliability,
)


def drawn(pixels: int, sharper: float, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits that are too large by a factor, and labels drawn from the probabilities that the right ones give."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(pixels, 5, generator=generator)
    label = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    return sharper * logits, label


@pytest.mark.parametrize("sharper", [1.2, 3.0])
def test_the_temperature_finds_by_how_much_logits_are_too_large(sharper):
    assert fit_temperature(*drawn(20_000, sharper)) == pytest.approx(sharper, rel=0.06)


def test_calibration_halves_the_error_and_keeps_every_class():
    logits, label = drawn(4000, 3.0)
    temperature = fit_temperature(*drawn(4000, 3.0, seed=1))
    before, after = logits.softmax(1), (logits / temperature).softmax(1)
    assert torch.equal(before.argmax(1), after.argmax(1))
    errors = [calibration_error(reliability(probability, label)) for probability in (before, after)]
    assert errors[1] < 0.5 * errors[0]


def test_polygons_that_are_all_right_make_no_map_surer():
    label = torch.arange(8) % 4
    assert fit_temperature(functional.one_hot(label).float(), label) == pytest.approx(LIMITS[0], rel=1e-3)


def test_reliability_counts_pixels_by_confidence():
    probability = np.array([[0.95, 0.05], [0.91, 0.09], [0.45, 0.55], [1.0, 0.0]])
    table = reliability(probability, np.array([0, 1, 1, 0]))
    assert table["pixels"].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 3]
    assert table["accuracy"].iloc[-1] == pytest.approx(2 / 3) and np.isnan(table["accuracy"].iloc[0])
    assert table["confidence"].iloc[-1] == pytest.approx((0.95 + 0.91 + 1) / 3)
    assert calibration_error(table) == pytest.approx((3 * abs((0.95 + 0.91 + 1) / 3 - 2 / 3) + 0.45) / 4)


def test_nothing_to_calibrate_with_is_an_error():
    with pytest.raises(InputError, match="No labelled pixel to calibrate with"):
        fit_temperature(torch.empty(0, 3), torch.empty(0, dtype=torch.int64))
