"""What a run costs, as the command line says it."""

import json
from dataclasses import replace

import pytest

from paperlib.mapping.layers import bytes_of
from paperlib.runs.costs import calibration as costs
from paperlib.runs.costs.calibration import Calibration
from paperlib.runs.costs.estimate import Cost, RunEstimate, estimate
from paperlib.training import galileo_weights, timing
from support.commands import paperlib

COSTS = (
    Cost("TempCNN", 2, 8, 100.0, 40.0, 0.25, 2 * 10**9, 10**6), Cost("iota2_base", 1, 0, 10.0, 20.0, 0.1, 10**9, 10**6),
)  # fmt: skip


def test_trainings_and_windows_run_side_by_side():
    told = RunEstimate(COSTS, 5.0, 10**6, 2, 3.0, 1.0, "processor seconds")
    assert told.seconds == 5 + (100 + 10) / 2 + (40 + 20) / 2
    assert RunEstimate(COSTS, 5.0, 10**6, 100, 3.0, 2.0, "seconds").seconds == pytest.approx(2 * (5 + 50 + 0.6))
    text = told.text()
    assert "in all: about 90 s on 2 processors; 2.0 GB of memory, 3.0 MB of disk" in text and "idle" not in text
    assert text.splitlines()[1].split()[:4] == ["TempCNN", "2", "8", "2"] and "0.25 core h" in text
    assert max(map(len, text.splitlines()[:-1])) <= 120


def test_what_is_there_is_not_counted_again(run):
    run.trained.best("iota2_base")
    told = estimate(run, ("iota2_base",))
    (cost,) = told.costs
    assert told.preparing_seconds == told.disk_bytes == 0 and cost.trainings == 0 and cost.training_seconds == 0
    assert cost.map_seconds > 0 and told.seconds >= cost.map_seconds / told.processors
    per_pixel = cost.map_seconds / 192**2
    assert 0.2 < cost.core_hours * 3600 / (per_pixel * 1e9 / 100) <= 1.01  # pixels of 10 m; what any map takes apart


def test_the_imitation_of_a_pretrained_encoder_is_told_once(run, shared_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    galileo_weights.fetch_weights(str(shared_data / "galileo" / galileo_weights.FILE))
    monkeypatch.setattr(timing, "EMBEDDED", 8)
    monkeypatch.setattr(timing, "STEPS", 1)
    calibration = Calibration(run)
    assert calibration.imitation_seconds > 1
    monkeypatch.setattr(costs, "has_imitation", lambda *_: True)
    assert calibration.imitation_seconds == 0
    told = RunEstimate(COSTS, 5.0, 10**6, 2, 3.0, 1.0, "processor seconds", 60.0)
    assert told.seconds == 60 + replace(told, imitation_seconds=0.0).seconds
    assert "imitation of the pretrained encoder: 60 s" in told.text()


def test_the_costs_are_told_before_any_work(lagoon, tmp_path):
    scene, polygons = lagoon
    options = ["--preset", "tiny", "--model", "iota2_base"]
    told = paperlib("check", scene, polygons, *options, "--cost", "--json", folder=tmp_path)
    content = json.loads(told.stdout)
    assert [cost["model"] for cost in content["cost"]["costs"]] == ["iota2_base"] and "findings" in content
    dry = paperlib("run", scene, polygons, *options, "--out", "out", "--dry-run", folder=tmp_path)
    assert dry.returncode == 0 and "core h" in dry.stdout and "in all: about" in dry.stdout, dry.stderr
    assert not list(tmp_path.iterdir())  # nothing is written


def test_disk_is_that_of_what_trainings_and_maps_hold(run, tmp_path):
    """Of the built-in scene maps hold all layers."""
    run.trained.make(["iota2_base"])
    answers = (run.trained.place("iota2_base") / "answers.safetensors").stat().st_size
    assert Calibration(run).answers_bytes == pytest.approx(answers, rel=0.05)
    fresh = run.override({"train.largest_leaf": 7})  # trained and mapped by nobody
    (cost,) = estimate(fresh, ("iota2_base",)).costs
    assert cost.disk_bytes > answers + bytes_of(run.maps.pixels(), len(run.legend), every=True)
