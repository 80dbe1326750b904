"""The dissimilarity index equals that of the reference program and does what its definition says."""

import json

import numpy as np
import pytest

from paperlib.errors import InputError
from paperlib.evaluation.applicability import fit_applicability


@pytest.fixture(scope="module")
def oracle(shared_data) -> dict:
    return json.loads((shared_data / "oracles" / "aoa.json").read_text())


NAMES = ["weighted_cv", "unweighted_cv", "weighted_no_cv", "unweighted_no_cv", "weighted_cv_partial"]


@pytest.mark.parametrize("name", NAMES)
def test_index_threshold_and_density_equal_the_reference(oracle, name):
    given, wanted = oracle["input"], oracle["results"][name]
    weights = np.array([given["weights"][key] for key in given["names"]]) if name.startswith("weighted") else None
    folds = None if "no_cv" in name else np.array(given["folds"])
    tested = np.arange(60) >= 5 if name == "weighted_cv_partial" else None
    area = fit_applicability(np.array(given["train"]), weights, folds, tested)
    new = np.array(given["new"], float)
    assert area.mean_distance == pytest.approx(wanted["trainDist_avrgmean"], rel=1e-9)
    assert area.threshold == pytest.approx(wanted["threshold"], rel=1e-9)
    np.testing.assert_allclose(area.dissimilarity, np.array(wanted["trainDI"], float), rtol=1e-9)
    np.testing.assert_allclose(area.index(new), np.array(wanted["DI"], float), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(area.inside(new), np.array(wanted["AOA"], float))
    if "LPD" in wanted:
        np.testing.assert_array_equal(area.density(new), wanted["LPD"])


def test_a_missing_predictor_is_unknown_and_a_training_sample_is_inside():
    training = np.random.default_rng(0).normal(size=(30, 4))
    area = fit_applicability(training, weights=np.array([1, 2, 0, 1.0]), folds=np.arange(30) // 5)
    gap = training[:2].copy()
    gap[0, 2] = np.nan  # of weight 0, and still unknown
    assert np.isnan(area.index(gap)[0]) and np.isnan(area.inside(gap)[0])
    np.testing.assert_allclose(area.index(training), 0, atol=1e-6)
    assert area.inside(training).all() and area.inside(training + 50).sum() == 0


@pytest.mark.parametrize(
    ("training", "folds", "kind"),
    [
        (np.ones((6, 2)), None, "applicability.constant"),
        (np.array([[1, 2], [2, np.nan], [3, 5]]), None, "applicability.missing"),
        (np.random.default_rng(0).normal(size=(6, 2)), np.zeros(6), "applicability.folds"),
    ],
)
def test_what_has_no_distances_is_refused(training, folds, kind):
    with pytest.raises(InputError) as error:
        fit_applicability(training, folds=folds)
    assert error.value.kind == kind
