"""Scores: against scikit-learn where it is right, and against its way with absent classes where it is not wanted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from paperlib.evaluation import metrics

labels = arrays.arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 3))


@given(labels, st.randoms())
def test_agrees_with_scikit_learn_over_the_classes_present(reference, random):
    predicted = np.array([random.choice([value, random.randint(0, 3)]) for value in reference])
    matrix = metrics.confusion(reference, predicted, 4)
    assert np.array_equal(matrix, confusion_matrix(reference, predicted, labels=range(4)))
    assert metrics.overall_accuracy(matrix) == pytest.approx(accuracy_score(reference, predicted))
    present = np.unique(reference)
    expected = f1_score(reference, predicted, labels=present, average="macro", zero_division=0)
    assert metrics.macro_f1(matrix) == pytest.approx(expected)


@given(labels, st.integers(1, 30))
def test_unlabelled_pixels_change_no_score(reference, extra):
    predicted = (reference + 1) % 4
    padded = np.concatenate([reference, np.full(extra, -1)])
    guessed = np.concatenate([predicted, np.arange(extra) % 4])
    assert np.array_equal(metrics.confusion(padded, guessed, 4), metrics.confusion(reference, predicted, 4))


def test_absent_class_is_left_out_and_missed_class_counts_zero():
    matrix = metrics.confusion([0, 0, 1, 1], [0, 0, 0, 3], 4)
    values = metrics.f1(matrix)
    assert values[0] == pytest.approx(0.8) and values[1] == 0
    assert np.isnan(values[2:]).all()  # class 3 is predicted once but has no reference
    assert metrics.macro_f1(matrix) == pytest.approx(0.4)


def test_nothing_labelled_scores_nan():
    matrix = metrics.confusion([-1, -1], [0, 1], 2)
    assert np.isnan(metrics.macro_f1(matrix)) and np.isnan(metrics.overall_accuracy(matrix))
