"""Distances and folds of nearest neighbour distance matching equal those of the reference program."""

import json

import numpy as np
import pytest

from paperlib.errors import InputError
from paperlib.evaluation import nearest_folds as method
from paperlib.evaluation.nearest_folds import distances_from_map, distances_to_others, mismatch, nearest_folds

LINKAGE = {"ward.D2": "ward", "average": "average"}


@pytest.fixture(scope="module")
def oracle(shared_data) -> dict:
    return json.loads((shared_data / "oracles" / "knndm.json").read_text())


def points(oracle: dict, name: str, scaled: bool = False) -> tuple[np.ndarray, np.ndarray]:
    given = oracle["input"]
    if name != "feature":
        return np.array(given[name], float), np.array(given["prediction_points"], float)
    samples, places = np.array(given["feature_train"]), np.array(given["feature_new"])
    centre, spread = (samples.mean(0), samples.std(0, ddof=1)) if scaled else (0, 1)
    return (samples - centre) / spread, (places - centre) / spread


@pytest.mark.parametrize("name", ["clustered", "random", "regular", "unbalanced", "five_equal"])
def test_distances_equal_the_reference(oracle, name):
    samples, places = points(oracle, name)
    wanted = oracle["distances"][name]
    ours = distances_to_others(samples), distances_from_map(places, samples)
    np.testing.assert_allclose(ours[0], wanted["Gj"], atol=1e-5)
    np.testing.assert_allclose(ours[1], wanted["Gij"], atol=1e-5)
    assert (method._nearer(*ours) < method.ALIKE) == (wanted["ks_p_Gj_greater"] < method.ALIKE)


RUNS = [
    "clustered_hier_k5", "clustered_hier_k10", "clustered_hier_k3_maxp06", "clustered_hier_k5_average",
    "unbalanced_hier_k4", "unbalanced_hier_k4_maxp05", "five_equal_k5", "five_equal_k2", "feature_hier_k5",
    "feature_unscaled_k5",
]  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_folds_are_the_partition_of_the_reference(oracle, name):
    run = oracle["runs"][name]
    choice = run["settings"]
    samples, places = points(oracle, run["points"], choice.get("scale_vars", False))
    folds = nearest_folds(samples, places, choice["k"], choice["maxp"], LINKAGE[choice["linkf"]])
    assert folds.mismatch == pytest.approx(run["W"], abs=1e-5)
    pairs = set(zip(run["clusters"], folds.fold.tolist(), strict=True))
    assert len(pairs) == len(set(run["clusters"])) == len(set(folds.fold.tolist()))


def test_given_folds_have_the_mismatch_of_the_reference(oracle):
    samples, places = points(oracle, "clustered")
    assert mismatch(samples, places, np.array(oracle["given_folds"]["folds"])) == pytest.approx(
        oracle["given_folds"]["W"], abs=1e-5
    )


def test_spread_samples_get_random_folds_of_equal_size_and_clusters_get_folds_like_the_map():
    generator = np.random.default_rng(1)
    places = generator.uniform(0, 1000, (400, 2))
    spread = nearest_folds(generator.uniform(0, 1000, (60, 2)), places, 5)
    assert spread.clusters == 0 and np.bincount(spread.fold).tolist() == [12] * 5
    centres = generator.uniform(0, 1000, (6, 2))
    clustered = (centres[:, None] + generator.normal(0, 5, (6, 10, 2))).reshape(-1, 2)
    folds = nearest_folds(clustered, places, 3)
    assert folds.clusters >= 3
    assert folds.mismatch < 0.8 * mismatch(clustered, places, generator.permutation(np.arange(60) % 3))


def test_more_folds_than_samples_are_refused():
    with pytest.raises(InputError) as error:
        nearest_folds(np.random.default_rng(0).normal(size=(4, 2)), np.zeros((3, 2)), 5)
    assert error.value.kind == "validation.folds"
