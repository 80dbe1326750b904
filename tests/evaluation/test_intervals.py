"""Intervals: against the scores of one matrix, against what resampling must do, and against a published example."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from paperlib.errors import InputError
from paperlib.evaluation import intervals, metrics

stacks = arrays.arrays(np.int64, st.tuples(st.integers(1, 4), st.just(3), st.just(3)), elements=st.integers(0, 30))
CLASSES = 4


def polygons(each: int, accuracy: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Counts and reference of `each` polygons a class, in which accuracy differs from polygon to polygon."""
    random = np.random.default_rng(seed)
    reference = np.repeat(np.arange(CLASSES), each)
    right = random.beta(8 * accuracy, 8 * (1 - accuracy), reference.size)
    shares = np.repeat((1 - right)[:, None] / (CLASSES - 1), CLASSES, axis=1)
    shares[np.arange(reference.size), reference] = right
    return random.multinomial(random.integers(20, 200, reference.size), shares), reference


@given(stacks)
def test_scores_of_many_matrices_are_those_of_each(matrices):
    def each(score):
        return np.array([score(matrix) for matrix in matrices])

    np.testing.assert_array_equal(metrics.f1(matrices), each(metrics.f1))
    np.testing.assert_array_equal(metrics.macro_f1(matrices), each(metrics.macro_f1))
    np.testing.assert_array_equal(metrics.overall_accuracy(matrices), each(metrics.overall_accuracy))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 99))
def test_a_draw_scores_as_its_pixels_laid_out(classes, seed):
    reference = np.array(classes)
    counts = np.random.default_rng(seed).integers(0, 5, (reference.size, CLASSES))
    counts[:, 0] += 1  # no polygon without pixels
    weights = np.random.default_rng(seed).integers(0, 4, (3, reference.size))
    matrices = intervals.resampled_confusions(counts, reference, weights)
    for times, matrix in zip(weights, matrices, strict=True):
        pixels = (counts * times[:, None]).ravel()
        rows, columns = np.repeat(reference, CLASSES), np.tile(np.arange(CLASSES), reference.size)
        expected = metrics.confusion(np.repeat(rows, pixels), np.repeat(columns, pixels), CLASSES)
        assert np.array_equal(matrix, expected)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(0, 99))
def test_every_draw_keeps_the_polygons_of_a_class_and_a_seed_its_draws(classes, seed):
    reference = np.array(classes)
    weights = intervals.draws(reference, 20, seed)
    assert weights.shape == (20, reference.size) and (weights >= 0).all()
    for index in np.unique(reference):
        number = (reference == index).sum()
        assert weights[:, reference == index].sum(1) == pytest.approx(np.full(20, number))
        times = weights[:, reference == index] * max(number - 1, 1) / number  # how often each was drawn
        assert times == pytest.approx(times.round())
    assert np.array_equal(weights, intervals.draws(reference, 20, seed))


def test_every_polygon_is_as_likely_and_seeds_differ():
    reference = np.repeat([0, 1], [10, 3])
    weights = intervals.draws(reference, 5000, 1)
    assert weights.mean(0) == pytest.approx(np.ones(13), abs=0.06)
    assert not np.array_equal(weights, intervals.draws(reference, 5000, 2))


@pytest.mark.parametrize("size", [2, 3, 10])
def test_the_mean_of_a_class_varies_over_draws_as_its_variance_says(size):
    values = np.random.default_rng(0).normal(size=size)
    drawn = intervals.draws(np.zeros(size, int), 20_000) @ values / size
    assert drawn.var() == pytest.approx(
        values.var(ddof=1) / size, rel=0.05
    )  # the plain bootstrap: (size - 1) / size of it


def test_interval_leaves_nan_out():
    assert intervals.interval(np.arange(101.0), 0.9) == pytest.approx((5, 95))
    assert intervals.interval(np.array([np.nan, 1, np.nan, 1])) == (1, 1)
    assert np.isnan(intervals.interval(np.full(5, np.nan))).all()
    with pytest.raises(InputError, match="95"):
        intervals.interval(np.arange(5), 95)


def test_intervals_hold_the_point_estimate():
    counts, reference = polygons(25, 0.8)
    table = intervals.macro_f1_intervals({"one": counts}, reference, 500)
    assert list(table) == ["model", "macro_f1", "low", "high", "oa", "oa_low", "oa_high"]
    row = table.iloc[0]
    matrix = np.stack([counts[reference == index].sum(0) for index in range(CLASSES)])
    assert row["macro_f1"] == metrics.macro_f1(matrix) and row["oa"] == metrics.overall_accuracy(matrix)
    assert row["low"] < row["macro_f1"] < row["high"] and row["oa_low"] < row["oa"] < row["oa_high"]


def test_more_polygons_narrow_the_interval():
    few, many = (
        intervals.macro_f1_intervals({"one": counts}, reference, 500).iloc[0]
        for counts, reference in (polygons(8, 0.8), polygons(128, 0.8))
    )
    assert (few["high"] - few["low"]) / (many["high"] - many["low"]) == pytest.approx(4, rel=0.4)  # sqrt(128 / 8)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    truth = intervals.macro_f1_intervals({"one": polygons(20_000, 0.8)[0]}, polygons(20_000, 0.8)[1], 1)["macro_f1"][0]
    held = []
    for seed in range(150):
        counts, reference = polygons(30, 0.8, seed + 1)
        row = intervals.macro_f1_intervals({"one": counts}, reference, 300).iloc[0]
        held.append(row["low"] <= truth <= row["high"])
    assert 0.87 <= np.mean(held) <= 1


def test_training_polygons_that_are_drawn_too_widen_the_interval_of_a_score():
    """As many training as test polygons: twice the variance; the score itself stays."""
    counts, reference = polygons(30, 0.8)
    here, anew = (
        intervals.macro_f1_intervals({"one": counts}, reference, 500, training=training).iloc[0]
        for training in (0, len(reference))
    )
    assert anew["macro_f1"] == here["macro_f1"] and anew["oa"] == here["oa"]
    assert (anew["high"] - anew["low"]) / (here["high"] - here["low"]) == pytest.approx(2**0.5)


def test_identical_models_differ_by_nothing_and_share_a_rank():
    counts, reference = polygons(10, 0.7)
    row = intervals.differences({"one": counts, "other": counts}, reference, 200).iloc[0]
    assert (row["difference"], row["low"], row["high"]) == (0, 0, 0) and not row["settled"]
    table = intervals.ranks({"one": counts, "other": counts}, reference, 200)
    assert (table[["rank", "rank_low", "rank_high"]] == 1).all(axis=None)


def test_clearly_better_model_is_settled_and_first():
    good, reference = polygons(20, 0.9)
    models = {"bad": polygons(20, 0.5, 1)[0], "good": good, "like bad": polygons(20, 0.5, 2)[0]}
    table = intervals.differences(models, reference, 500).set_index(["first", "second"])
    assert len(table) == 3 and (table["difference"] >= 0).all()
    assert table.loc["good", "settled"].all()
    close = table.drop(index="good").iloc[0]
    assert not close["settled"] and close["low"] < 0 < close["high"]
    ranks = intervals.ranks(models, reference, 500).set_index("model")
    assert ranks.loc["good"].tolist() == [1, 1, 1] and ranks.index[0] == "good"
    assert (ranks.drop(index="good")[["rank_low", "rank_high"]] == [2, 3]).all(axis=None)


def test_differences_are_paired():
    counts, reference = polygons(15, 0.7)
    better = counts.copy()
    moved = better[np.arange(reference.size), (reference + 1) % CLASSES] // 4  # a little better in every polygon
    better[np.arange(reference.size), (reference + 1) % CLASSES] -= moved
    better[np.arange(reference.size), reference] += moved
    models = {"plain": counts, "better": better}
    alone = intervals.macro_f1_intervals(models, reference, 500).set_index("model")
    assert alone.loc["plain", "high"] > alone.loc["better", "low"]  # overlap, and yet
    assert intervals.differences(models, reference, 500)["settled"].all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: intervals.draws([]), "Cannot draw"),
        (lambda: intervals.draws([0, -1]), "Cannot draw"),
        (lambda: intervals.draws([0, 1], 0), "Cannot draw 0 times"),
        (lambda: intervals.resampled_confusions(np.ones((3, 2)), [0, 1], [[1, 1]]), "do not fit"),
        (lambda: intervals.resampled_confusions(np.ones((2, 2)), [0, 2], [[1, 1]]), "only 0 to 1"),
        (lambda: intervals.resampled_confusions(np.array([[1, 0], [0, 0]]), [0, 1], [[1, 1]]), r"\[1\] have no pixels"),
        (lambda: intervals.ranks({}, [0, 1]), "at least one model"),
        (lambda: intervals.differences({"a": np.ones((2, 2)), "b": np.ones((2, 3))}, [0, 1]), "'b': \\(2, 3\\)"),
    ],
)
def test_mistakes_say_what_was_found(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_trainings_that_differ_widen_the_interval_and_unsettle_a_pair():
    counts, reference = polygons(20, 0.8)
    lucky = counts.copy()
    lucky[np.arange(len(reference)), reference] += 60
    alike, apart = np.stack([counts, counts]), np.stack([counts, lucky])
    rows = [intervals.macro_f1_intervals({"one": stack}, reference, 300).iloc[0] for stack in (alike, apart)]
    assert rows[1]["high"] - rows[1]["low"] > 1.3 * (rows[0]["high"] - rows[0]["low"])
    pair = intervals.differences({"apart": apart, "alike": alike}, reference, 300).iloc[0]
    assert pair["first"] == "apart" and not pair["settled"]
    assert intervals.differences({"lucky": lucky, "one": counts}, reference, 300)[
        "settled"
    ].all()  # of one training each
    ranks = intervals.ranks({"apart": apart, "alike": alike}, reference, 300).set_index("model")
    assert ranks.loc["apart", ["rank_low", "rank_high"]].tolist() == [1, 1]  # never worse: at times it is alike
