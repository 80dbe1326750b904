"""What a measurement reads: all samples where they are there, else those of a few blocks, of every set."""

import numpy as np

from paperlib import Experiment
from paperlib.features.normaliser import Normaliser
from paperlib.runs.costs import excerpts
from paperlib.runs.costs.excerpts import read_excerpt, read_superpixels
from support.stores import copy_store


def test_samples_that_are_there_are_taken_whole(run):
    assert len(run.samples["train"]) and run.dataset.has_samples()
    found = read_excerpt(run.dataset)
    assert found.share == 1 and found.seconds == 0 and len(found.parts["train"]) == len(run.samples["train"])


def test_polygons_of_a_few_blocks_stand_for_all(run, monkeypatch, tmp_path):
    monkeypatch.setattr(excerpts, "BLOCK", 64)
    monkeypatch.setattr(excerpts, "BLOCKS", 2)
    store = copy_store(run.store, tmp_path / "store")
    other = Experiment("tiny", store=store, settings={"sample.patch": 14})  # its samples are not there
    found = read_excerpt(other.dataset)
    assert not other.dataset.has_samples() and 0 < found.share < 1 and found.seconds > 0
    for name, samples in found.parts.items():
        ids = np.setdiff1d(np.unique(samples.polygon), -1)
        polygons = other.polygons.set_index("polygon_id").loc[ids]
        assert (polygons["set"] == name).all() and samples.x.shape[-1] == 14
        rows, columns = np.nonzero(np.isin(other.dataset.burned["polygon"].values, ids))
        blocks = {(y // 64, x // 64) for y, x in zip(rows, columns, strict=True)}
        assert len(blocks) <= 2 * 4  # two, and where their polygons reach into the next ones


def test_superpixels_of_a_part_stand_for_the_scene(run, monkeypatch):
    monkeypatch.setattr(excerpts, "BLOCK", 96)
    found = read_superpixels(run.dataset, Normaliser.fit(run.samples["train"]))
    assert found.numbers.shape == found.values.shape[-2:] == (96, 96) and found.seconds > 0
    assert found.share > 0 and int((found.samples.label >= 0).sum())
    assert excerpts.pixels((slice(2, 5), slice(0, 4))) == 12
