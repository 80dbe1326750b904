"""Quantities: the parts of their variance add up, and intervals hold a known truth about as often as they say."""

import numpy as np
import pytest
from scipy import stats

from paperlib.evaluation.quantities import Deviation, Quantity, mean


def planted(random, polygons: int, trainings: int, luck: float, draws: int = 200) -> list[Quantity]:
    """Mean scores of two models of equal worth on shared polygons, as in the repetitions of `benchmarks/intervals.py`."""
    shared = random.normal(0, 0.25, polygons)
    weights = random.multinomial(polygons - 1, np.full(polygons, 1 / polygons), size=draws) / (polygons - 1)
    weights = np.vstack([np.full(polygons, 1 / polygons), weights])
    quantities = []
    for _ in range(2):
        own = shared + random.normal(0, 0.08, polygons)
        scores = own + random.normal(0, luck, (trainings, 1)) + random.normal(0, 0.1, (trainings, polygons))
        quantities.append(Quantity.of_trainings(scores @ weights.T, polygons - 1))
    return quantities


@pytest.mark.parametrize(("polygons", "trainings", "luck"), [(24, 2, 0.01), (24, 3, 0.03), (130, 3, 0.03)])
def test_the_interval_of_a_known_zero_holds_it_as_often_as_it_says(polygons, trainings, luck):
    random = np.random.default_rng(0)
    held = wrong = 0
    for _ in range(400):
        first, second = planted(random, polygons, trainings, luck)
        difference = first - second
        found = difference.estimate()
        held += found.low <= 0 <= found.high
        wrong += difference.p_value() < 0.05
    assert 0.92 <= held / 400 <= 0.99 and wrong == 400 - held


def test_the_parts_of_the_variance_add_up():
    random = np.random.default_rng(1)
    values = random.normal(0.7, 0.02, (4, 1 + 500))
    one = Quantity.of_trainings(values, 30)
    error, freedom = one.error()
    parts = values.mean(0)[1:].var(ddof=1), values[:, 0].var(ddof=1) / 4
    assert error == pytest.approx(sum(parts) ** 0.5)
    assert freedom == pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 / 30 + parts[1] ** 2 / 3))
    half = stats.t.ppf(0.975, freedom) * error
    assert one.estimate() == pytest.approx((one.value, one.value - half, one.value + half))


def test_what_all_draws_share_cancels_in_a_difference_and_luck_does_not():
    random = np.random.default_rng(2)
    draws = random.normal(0.7, 0.05, 301)
    models = [Quantity.of_trainings(draws + luck[:, None], 30) for luck in random.normal(0, 0.01, (2, 5))]
    difference = models[0] - models[1]
    assert difference.draws.std() == pytest.approx(0, abs=1e-12)
    assert sum(term.freedom for term in difference.luck) == 8
    squares = sum(term.squares for term in difference.luck)
    assert difference.error() == pytest.approx(((squares / 8 * 2 / 5) ** 0.5, 8))


def test_a_mean_of_models_has_the_error_of_a_mean():
    random = np.random.default_rng(3)
    models = [Quantity.of_trainings(random.normal(0.7, 0.02, (50, 2000)), 1000) for _ in range(4)]
    assert mean(models).error()[0] == pytest.approx(models[0].error()[0] / 2, rel=0.1)


def test_of_one_training_only_the_polygons_count_and_without_them_nothing_is_known():
    draws = np.random.default_rng(4).normal(0.7, 0.05, (1, 301))
    assert Quantity.of_trainings(draws, 30).error() == pytest.approx((draws[0, 1:].std(ddof=1), 30))
    assert np.isnan(Quantity.of_trainings(draws[:, :1], 0).estimate()[1:]).all()
    assert Quantity(np.full(5, 0.3), 3).estimate() == pytest.approx((0.3, 0.3, 0.3))
    assert (Quantity(np.zeros(5), 3).p_value(), Quantity(np.ones(5), 3).p_value()) == (1, 0)


def test_the_interval_of_the_largest_deviation_holds_the_truth():
    random = np.random.default_rng(5)
    held = 0
    for _ in range(500):
        deviation = Deviation(random.normal(0, 0.02, (4, 5)).std(axis=1, ddof=1).max(), 4, several=4)
        found = deviation.estimate()
        held += found.low <= 0.02 <= found.high
        assert (deviation.p_value(0.02) < 0.05) == (not found.low <= 0.02 <= found.high)
    assert held / 500 >= 0.93
    assert np.isnan(Deviation(np.nan, 0).estimate()).all() and np.isnan(Deviation(np.nan, 0).p_value(0.05))
