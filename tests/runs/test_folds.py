"""Leave one tile out: what is learned from, and what is scored."""

import numpy as np
import pandas as pd
import pytest
import torch

from paperlib import Experiment, InputError
from paperlib.features.samples import Samples
from paperlib.runs.regional import folds
from paperlib.runs.regional.folds import ALL, of_tiles
from paperlib.store import read_json

MODEL = "iota2_base"
#: The tiles are tiny, and have few pixels to learn from.
pytestmark = pytest.mark.filterwarnings("ignore:.*too few for a forest")


@pytest.fixture(scope="module")
def run(region_run):
    return region_run


@pytest.fixture(scope="module")
def table(run) -> pd.DataFrame:
    return folds.leave_one_out(run, MODEL)


def test_samples_of_tiles_hold_their_polygons_alone():
    polygon = torch.tensor([[[1, 2], [-1, 1]], [[2, 2], [-1, -1]]])
    samples = Samples(torch.zeros(2, 1, 1, 2, 2), polygon, polygon, ("B2",))
    found = of_tiles(samples, pd.Series({1: "a", 2: "b"}), ["a"])
    assert found.polygon.tolist() == [[[1, -1], [-1, 1]]] and found.label.tolist() == found.polygon.tolist()


def test_a_fold_has_not_seen_the_tile_that_it_is_scored_on(run, table, monkeypatch):
    seen = {}

    def train(name, parts, *rest, **more):
        seen.update({part: {int(n) for n in samples.polygon.unique() if n >= 0} for part, samples in parts.items()})
        raise KeyboardInterrupt

    monkeypatch.setattr(folds.Classifier, "train", train)
    monkeypatch.setattr(folds.store, "find_or_make", lambda root, stage, name, key, make, *rest, **more: make(root))
    tiles = run.dataset.tile_of_polygon()
    for kind, wanted in (("others", set(tiles) - {"31TCJ"}), ("own", {"31TCJ"})):
        with pytest.raises(KeyboardInterrupt):
            folds.fold(run.trained, MODEL, kind, "31TCJ")
        assert set(tiles[list(seen["train"] | seen["validation"])]) == wanted
        for part in ("train", "validation"):
            assert seen[part] <= set(run.polygons.loc[run.polygons["set"] == part, "polygon_id"])


def test_every_training_is_scored_on_the_same_polygons(run, table):
    tests = run.polygons[run.polygons["set"] == "test"].groupby("tile").size()
    for tile, part in table[table["tile"] != ALL].groupby("tile"):
        assert set(part["learned"]) <= set(folds.KINDS) and set(part["polygons"]) == {tests[tile]}
        assert part["pixels"].nunique() == 1
    together = table[table["tile"] == ALL].set_index("learned")
    assert together["polygons"].unique().tolist() == [tests.sum()]
    assert table["macro_f1"].between(table["low"], table["high"]).all()


def test_pooled_over_all_tiles_is_the_usual_score(run, table):
    usual = run.trainings([MODEL])["macro_f1_test"].iloc[0]
    pooled = table[(table["tile"] == ALL) & (table["learned"] == "pooled")]["macro_f1"].iloc[0]
    assert pooled == pytest.approx(usual)


def test_several_classifiers_are_one_table(run, table):
    printed = folds.score_tiles(run, (MODEL,))
    pd.testing.assert_frame_equal(printed.drop(columns="model"), table)


def test_a_single_scene_has_no_tiles_to_leave_out(store):
    with pytest.raises(InputError) as error:
        folds.score_tiles(Experiment("tiny", store=store), (MODEL,))
    assert error.value.kind == "region.format"


def test_folds_are_found_again(run, table):
    made = sorted((run.store / "fold").iterdir())
    pd.testing.assert_frame_equal(folds.leave_one_out(run, MODEL), table)
    assert sorted((run.store / "fold").iterdir()) == made
    scores = read_json(made[0] / "scores.json")
    assert np.array(scores["confusion"]["test"]).sum() > 0
