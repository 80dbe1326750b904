"""What a training will cost: each step and each sample counts once, and a share of the samples counts for all."""

from dataclasses import replace

import pytest
import torch

from paperlib import models
from paperlib.training import minibatches, timing

#: Seconds that pass from each look at the watch to the next.
TICK = 1.0


@pytest.fixture
def watch(monkeypatch) -> None:
    """A clock that each look puts forward by a tick, so that whatever is timed takes one."""
    looks = iter(range(10**6))
    monkeypatch.setattr(timing, "clock", lambda device: lambda: TICK * next(looks))


@pytest.mark.parametrize("name", ["TempCNN", "2D-CNN"])
def test_an_epoch_takes_its_steps_and_the_validation(run, watch, name):
    samples, train = run.trained.normalised, replace(run.settings.train, patches=4)
    model = models.build(name, *samples["train"].x.shape[1:3], len(run.legend))
    seen = samples["train"].within(model.receptive_field)
    batch = minibatches.batch_size(samples["train"], seen, train.patches)
    steps = len(minibatches.epoch_batches(seen.label, True, batch, torch.Generator()))
    assert steps > 1
    before = [weight.clone() for weight in model.parameters()]
    found, start = timing.seconds_of_epoch(model, samples["train"], samples["validation"], train, budget=2 * TICK)
    assert any((weight != old).any() for weight, old in zip(model.parameters(), before, strict=True))
    assert found == pytest.approx(steps * TICK + TICK) and start == 2 * TICK  # the looks around the first step
    half, _ = timing.seconds_of_epoch(model, samples["train"], samples["validation"], train, share=0.5)
    assert half == pytest.approx(2 * found)


def test_scores_are_timed_on_some_samples(run, watch, monkeypatch):
    samples = run.trained.normalised["test"]
    model = models.build("2D-CNN", *samples.x.shape[1:3], len(run.legend))
    monkeypatch.setattr(timing, "PATCHES", len(samples) // 2)
    assert timing.seconds_of_scoring(model, samples) == pytest.approx(TICK * len(samples) / (len(samples) // 2))


def test_a_forest_grows_a_little_more_than_in_proportion(run, watch):
    samples = run.trained.normalised["train"].pixels()
    model = models.build("iota2_base", *samples.x.shape[1:3], len(run.legend))
    assert timing.seconds_of_fit(model, samples) == TICK and model.estimators
    assert timing.growth(1.0, 500) == 1
    assert 2 < timing.growth(0.5, 500) < 2.5
