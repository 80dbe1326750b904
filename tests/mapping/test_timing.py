"""What a map will cost: of a row of windows the first is slow, and pixels are counted without their halo."""

import numpy as np
import pytest

from paperlib.mapping import inference, timing
from paperlib.mapping.inference import Engine


@pytest.fixture
def watch(monkeypatch) -> list[float]:
    """A clock whose differences are taken from a list, then 1; it notes nothing of the real time."""
    lapses, now = [], [0.0]

    def look() -> float:
        now[0] += lapses.pop(0) if lapses else 1.0
        return now[0]

    monkeypatch.setattr(timing, "clock", lambda device: look)
    return lapses


def test_the_first_window_decodes_for_its_row(run, watch):
    classifier, window = run.classifier("2D-CNN"), 32  # windows of 32 x 64 pixels, three a row
    opening, start, files = 0.5, 0.25, 1.0
    watch += [0, opening, 0, 7, 0, 1, 0, start, 0, files]
    found = timing.read_windows(classifier, run.scene, window)
    assert found.values.shape[-2:] == (32 + 2 * classifier.halo, 64 + 2 * classifier.halo)
    assert found.start == opening + start
    writing = (files - start) / (32**2 - timing.SMALL**2)
    assert found.seconds == pytest.approx((7 + 1 + 1) / 3 / (32 * 64) + writing)


@pytest.mark.parametrize("name", ["2D-CNN", "iota2_base", "iota2_ctx"])
def test_pixels_are_those_that_get_a_class(run, watch, monkeypatch, name):
    classifier = run.classifier(name)
    values, _ = classifier.inputs.read_around(run.scene, slice(0, 192), slice(0, 192), classifier.halo)
    seen = []
    classify = Engine.classify
    monkeypatch.setattr(Engine, "classify", lambda self, *given: seen.append(classify(self, *given)) or seen[-1])
    superpixel = run.dataset.superpixels.values if classifier.model.needs_superpixels else None
    seconds = timing.seconds_of_pixel(classifier, run.scene, values, superpixel=superpixel)
    assert len(seen) >= 2 and np.array_equal(seen[0][0], seen[1][0])  # the first sets up
    assert seconds == pytest.approx(1 / seen[1][0].size)


def test_mixed_precision_is_timed_where_a_map_would_try_it(run, watch, monkeypatch):
    used = []
    monkeypatch.setattr(Engine, "use_mixed", lambda self: used.append(True))
    classifier = run.classifier("2D-CNN")
    values, _ = classifier.inputs.read_around(run.scene, slice(0, 64), slice(0, 64), classifier.halo)
    timing.seconds_of_pixel(classifier, run.scene, values)
    assert not used
    monkeypatch.setattr(inference, "WORTH", 0)
    monkeypatch.setattr(inference, "has_bfloat16", lambda device: True)
    timing.seconds_of_pixel(classifier, run.scene, values)
    assert used


def test_seconds_of_a_map_are_those_of_its_pixels(run, monkeypatch):
    classifier, scene = run.classifier("TempCNN"), run.scene
    assert timing.seconds_of_map(classifier, scene, 96) == 0  # small
    monkeypatch.setattr(timing, "WORTHWHILE", 0)
    monkeypatch.setattr(timing, "share_of_watch", lambda watch, processor: 2.0)
    monkeypatch.setattr(timing, "read_windows", lambda *given: timing.Reading(1e-4, 5.0, np.zeros(1)))
    monkeypatch.setattr(timing, "seconds_of_pixel", lambda *given: 3e-4)
    assert timing.seconds_of_map(classifier, scene, 96) == pytest.approx(5 + 192**2 * 4e-4 * 2)
