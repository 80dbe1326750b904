"""Costs of classifiers, measured before any is trained; how near they come shows in benchmarks/cost.py."""

from types import SimpleNamespace

import pytest

from paperlib import models
from paperlib.mapping import timing
from paperlib.runs.costs import calibration, excerpts
from paperlib.runs.costs.calibration import Calibration, map_seconds


def test_maps_of_a_small_scene_are_not_measured(run):
    assert map_seconds(run, ("2D-CNN",)) == {}


def test_seconds_of_a_map_are_those_of_its_pixels_on_all_processors(run, monkeypatch):
    monkeypatch.setattr(calibration, "WORTHWHILE", 0)
    monkeypatch.setattr(timing.allocation, "processors", lambda: 2)
    rates = {"2D-CNN": 1e-3, "iota2_base": 1e-4}
    monkeypatch.setattr(Calibration, "map_rate", lambda self, name, members: members * rates[name])
    watch, processor = iter([0.0, 8.0]), iter([0.0, 2.0])  # other programs have three quarters of the time
    for module in (calibration, timing):
        clocks = SimpleNamespace(perf_counter=lambda: next(watch), process_time=lambda: next(processor))
        monkeypatch.setattr(module, "time", clocks)
    found = map_seconds(run, ("2D-CNN", "iota2_base"), 3)  # three trainings of each take part
    assert found == pytest.approx({"2D-CNN": 192**2 * 3e-3 / 2 * 4, "iota2_base": 192**2 * 3e-4 / 2 * 4})


@pytest.mark.parametrize("name", ["2D-CNN", "iota2_base", "iota2_ctx"])
def test_every_part_of_the_costs_is_there(run, name, monkeypatch):
    monkeypatch.setattr(excerpts, "BLOCK", 96)
    calibrated = Calibration(run)
    found = calibrated.rates(name)
    network = not name.startswith("iota2")
    assert (found.epoch > 0) == network and min(found.once, found.start, found.pixel) > 0
    assert found.training(3) == pytest.approx(3 * found.epoch + found.once)
    weights = sum(
        weight.nbytes for weight in models.build(name, *run.samples["train"].x.shape[1:3], len(run.legend)).parameters()
    )
    assert weights < found.weights < 1.1 * weights + 2e6  # what is beside them, or a forest
