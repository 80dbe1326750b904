"""How often intervals hold and verdicts turn, counted on planted repetitions."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from paperlib.pages.coverage import KINDS, by_kind, by_quantity, claims_table
from paperlib.reproduction.claims import REFUTED, SUPPORTED, UNDECIDED


def repeated(kind, quantity, estimates, half, verdicts=None):
    """One row for each repetition, with an interval of the same width everywhere."""
    estimates = np.asarray(estimates, float)
    return pd.DataFrame(
        {
            "repetition": range(len(estimates)), "kind": kind, "quantity": quantity, "estimate": estimates,
            "low": estimates - half, "high": estimates + half, "verdict": verdicts,
        }
    )  # fmt: skip


def test_intervals_of_the_right_width_hold_in_95_per_cent():
    random = np.random.default_rng(0)
    rows = [repeated("score", f"score {one}", random.normal(one, 0.1, 1000), 0.196) for one in (0.2, 0.7)]
    rows.append(repeated("difference", "half as wide", random.normal(0.3, 0.1, 1000), 0.098))
    table = by_kind(pd.concat(rows))
    assert table.index.tolist() == [KINDS["score"], KINDS["difference"]] and table["quantities"].tolist() == [2, 1]
    assert table["held"].tolist() == pytest.approx([0.95, 0.67], abs=0.02)
    assert (table["least"] <= table["held"]).all() and (table["repetitions"] == 1000).all()


def test_the_truth_is_the_mean_of_the_other_repetitions_or_zero():
    rows = pd.concat([repeated("score", "s", [1, 2, 6], 2), repeated("zero", "z", [1, 2, 6], 2)])
    table = by_quantity(rows).set_index("quantity")
    assert table.loc["s", "held"] == pytest.approx(1 / 3)  # 1 of 4, 2 of 3.5 and 6 of 1.5: only the second is near
    assert table.loc["z", "held"] == pytest.approx(2 / 3)
    assert table.loc["s", ["mean", "deviation", "width"]].tolist() == pytest.approx([3, np.std([1, 2, 6], ddof=1), 4])


def test_verdicts_turn_between_repetitions_that_contradict_each_other():
    verdicts = [SUPPORTED, SUPPORTED, REFUTED, UNDECIDED, SUPPORTED]
    table = claims_table(repeated("claim", "c", [1, 1, -1, 0, 1], 0.5, verdicts))
    pairs = list(combinations(verdicts, 2))
    contradicting = sum({one, other} == {SUPPORTED, REFUTED} for one, other in pairs)
    assert table.loc["c", "turned"] == pytest.approx(contradicting / len(pairs))
    assert table.loc["c", ["supported", "not supported", "undecided"]].tolist() == [3, 1, 1]


def test_a_repetition_without_an_interval_does_not_count():
    rows = repeated("claim", "c", [1, 1.1, np.nan], 0.5, [SUPPORTED, SUPPORTED, UNDECIDED])
    found = by_quantity(rows).iloc[0]
    assert found["repetitions"] == 2 and found["held"] == 1 and found["turned"] == 0
