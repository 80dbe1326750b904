"""Beside the end of a scene and beside gaps a map is as right as where all neighbours are known."""

import numpy as np
import pytest

from paperlib.features import inputs
from paperlib.mapping.inference import Engine
from paperlib.training.classifier import Classifier

PARTS = [(slice(y, y + 46), slice(x, x + 46)) for y, x in ((20, 20), (20, 120), (70, 70), (120, 20), (120, 120))]
EDGE = np.ones((46, 46), bool)
EDGE[1:-1, 1:-1] = False
SEEDS = range(2)
#: Classes where all neighbours are known, by network, seed and part: the same for every cut.
WHOLE: dict[tuple[str, int, int], np.ndarray] = {}


@pytest.fixture(scope="module")
def scene(run):
    return run.scene.compute()


def right(run, classifier, scene, window) -> np.ndarray:
    """Where a window of a scene gets its true class (y, x)."""
    values, _ = classifier.inputs.read_around(scene, *window, classifier.halo)
    codes = np.array([cover.code for cover in run.legend])
    return codes[Engine(classifier).classify(values)[0]]


def loss(run, scene, name, cut) -> float:
    """Share of pixels that get their true class with their real neighbours, less that beside what `cut` leaves of a part.

    `cut` of the loaded scene and a part of it gives what is read and which pixels of the part (y, x) count.
    """
    shares = []
    for seed in SEEDS:
        classifier = Classifier.load(run.trained.training(name, seed))
        for number, part in enumerate(PARTS):
            truth = run.truth[part].values
            left, window, counted = cut(scene, part)
            if (name, seed, number) not in WHOLE:
                WHOLE[name, seed, number] = right(run, classifier, scene, part)
            found, whole = right(run, classifier, left, window), WHOLE[name, seed, number]
            shares.append((whole == truth)[counted].mean() - (found == truth)[counted].mean())
    return float(np.mean(shares))


def ended(scene, part):
    """The scene ends where the part does."""
    return scene[..., *part], (slice(0, 46), slice(0, 46)), EDGE


def beside_a_strip(scene, part):
    """A slanted strip without data crosses the part."""
    left = scene[..., *part].copy(deep=True)
    strip = np.abs(np.arange(46) - (8 + 0.6 * np.arange(46))[:, None]) < 4
    mask = left.mask | strip
    beside = np.zeros_like(strip)
    for shift in (-1, 1):
        beside |= np.roll(strip, shift, axis=1)
    beside &= ~strip
    beside[[0, 1, 2, 3, -4, -3, -2, -1]] = beside[:, [0, 1, 2, 3, -4, -3, -2, -1]] = False
    return left.where(~strip).assign_coords(mask=mask), (slice(0, 46), slice(0, 46)), beside


@pytest.mark.parametrize("name", ["2D-CNN", "3D-CNN"])
@pytest.mark.parametrize("cut", [ended, beside_a_strip])
def test_hardly_a_class_is_lost_where_neighbours_are_missing(name, cut, run, scene):
    assert loss(run, scene, name, cut) <= 0.02


def test_dark_pixels_as_neighbours_would_be_noticed(run, scene, monkeypatch):
    """What a padded network saw beyond the end, and what missing pixels were: 0 after normalisation."""
    monkeypatch.setattr(inputs, "fill_nearest", lambda *rest: None)
    assert loss(run, scene, "2D-CNN", beside_a_strip) > 0.03
