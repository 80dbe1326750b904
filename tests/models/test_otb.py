"""iota2_base beside the Orfeo ToolBox itself, by the functions of benchmarks/otb.py."""

import shutil

import numpy as np
import pytest

from paperlib.models import forest
from paperlib.store import project


@pytest.fixture
def otb(monkeypatch):
    monkeypatch.syspath_prepend(project() / "benchmarks")
    import otb

    return otb


@pytest.fixture(scope="module")
def pixels():
    """Features (pixel, feature) of four classes that overlap, and their class indices."""
    random = np.random.default_rng(0)
    y = random.integers(0, 4, 1500)
    return (random.normal(size=(1500, 12)) + 0.9 * np.eye(4, 12)[y] * 2).astype(np.float32), y


@pytest.mark.skipif(shutil.which("otbcli_TrainVectorClassifier") is None, reason="the Orfeo ToolBox is not installed")
def test_forests_agree_with_the_orfeo_toolbox_as_its_own_do_with_each_other(otb, pixels):
    x, y = pixels
    image = np.random.default_rng(1).normal(0.5, 1, (12, 40, 40)).astype(np.float32)
    maps = {kind: [] for kind in (otb.Orfeo, otb.Ours)}
    for kind, found in maps.items():
        for seed in range(2):
            order = np.random.default_rng(seed).permutation(len(y))
            grown = kind(x[order], y[order], seed)
            assert grown.trees == forest.TREES  # classes overlap: no forest is good enough before
            found.append(grown.classify(image))
    itself, ours = otb.agreement(maps[otb.Orfeo], maps[otb.Orfeo]), otb.agreement(*maps.values())
    assert itself < 1, "the forests of two seeds are the same"
    assert ours > itself - 0.03


def test_opencv_judges_by_the_pixels_that_the_last_tree_left_out(otb, pixels):
    x, y = pixels
    easy = x + 8 * np.eye(4, 12)[y].astype(np.float32)
    assert otb.OursAsOpenCV(easy, y, 0).trees <= otb.Ours(easy, y, 0).trees < forest.TREES
    assert forest._OutOfBag is otb.Ours.rule


def test_agreement_is_averaged_over_pairs(otb):
    one, other = np.zeros((2, 2), int), np.array([[0, 0], [0, 1]])
    assert otb.agreement([one], [other]) == 0.75
    maps = [one, other, one]
    assert otb.agreement(maps, maps) == pytest.approx((0.75 + 1 + 0.75) / 3)
