"""The audit finds what the paper's printed values contradict, and nothing in values that agree."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperlib import nomenclature
from paperlib.reproduction import audit, paper, recomputed

CODES = list(paper.TABLE_2)
COLUMN = paper.MODELS.index


def consistent():
    """A Table 4 whose means are those of its rows and bear every claim out: model k scores alike in each class."""
    scores = dict(zip(paper.MODELS, (0.85, 0.99, 0.90, 0.94, 0.87, 0.80), strict=True))
    rows = {code: tuple(scores.values()) for code in CODES}
    return rows, tuple(scores.values())


def test_three_printed_means_disagree_with_their_rows():
    table = recomputed.means_table()
    assert len(table) == 12 and table["agrees"].sum() == 9
    found = table[~table["agrees"]].set_index(["set", "model"]).round(3)
    assert found.index.tolist() == [("validation", "iota2_base"), ("test", "3D-CNN"), ("test", "iota2_ctx")]
    assert found["printed mean"].tolist() == [0.680, 0.804, 0.753]
    assert found["mean of rows"].tolist() == [0.805, 0.756, 0.725]
    assert found["difference"].tolist() == [-0.125, 0.048, 0.028]


def test_tolerance_is_what_it_says():
    assert recomputed.means_table(tolerance=0.0001)["agrees"].sum() == 1  # iota2_base on test is exact
    assert recomputed.means_table(tolerance=0.2)["agrees"].all()


def test_each_candidate_reconciles_its_mean_and_none_is_left_out():
    cells = recomputed.candidates_table()
    counts = cells.groupby(["set", "model"]).size().to_dict()
    assert counts == {("test", "3D-CNN"): 3, ("test", "iota2_ctx"): 4, ("validation", "iota2_base"): 1}
    for _, cell in cells.iterrows():
        rows, means = recomputed.TABLE_4[cell["set"]]
        code = next(cover.code for cover in nomenclature.CLASSES if cover.name == cell["class"])
        column = {other: rows[other][COLUMN(cell["model"])] for other in rows} | {code: cell["needed"]}
        assert np.mean(list(column.values())) == pytest.approx(means[COLUMN(cell["model"])])
        assert -0.0075 <= cell["needed"] <= 1.0075
    near = cells[cells["near"]].set_index("model")
    assert near["class"].to_dict() == {"3D-CNN": "Woodland broad-leaved trees", "iota2_ctx": "Non-vegetated land"}
    assert near["needed"].round(3).tolist() == [0.873, 0.583]


def test_iota2_base_misses_just_its_water_row():
    cell = recomputed.candidates_table().query("model == 'iota2_base'").iloc[0]
    assert cell["class"] == "Water" and cell["printed"] == 1 and abs(cell["needed"]) < 0.0075
    rows = [cells[COLUMN("iota2_base")] for code, cells in paper.TABLE_4_VALIDATION.items() if code != 11]
    assert round(sum(rows) / 8, 3) == 0.680


def test_ranking_by_printed_means_by_rows_and_by_pixels():
    table = recomputed.ranking_table()
    order = ["3D-CNN", "2D-CNN", "SpatioTempCNN", "iota2_ctx", "TempCNN", "iota2_base"]
    assert table.index.tolist() == order and table["rank, printed mean"].tolist() == [1, 2, 3, 4, 5, 6]
    assert table["rank, mean of rows"].tolist() == [3, 1, 2, 5, 4, 6]
    assert table["rank, by pixels"].tolist() == [6, 2, 1, 4, 3, 5]
    assert table.loc["3D-CNN", "by pixels"] == pytest.approx(0.878, abs=5e-4)


def test_pixel_weights_follow_the_codes_not_the_order():
    shuffled = dict(reversed(paper.TABLE_3.items()))
    assert np.allclose(recomputed.ranking_table(counts=shuffled), recomputed.ranking_table())


def test_claims_that_depend_on_the_means_taken():
    table = recomputed.claim_margins_table().set_index("claim").round(3)
    assert table["printed means"].tolist() == [0.005, -0.001, 0.045, 0.003]
    assert table["means of rows"].tolist() == [-0.043, -0.043, 0.031, -0.024]
    assert table["at worst"].iloc[2] == 0.003  # spatio-temporal networks before forests: in every reading
    places = [finding.place for finding in audit.check_claims()]
    assert len(places) == 5 and not any("outperform" in place for place in places)


def test_best_of_five():
    assert recomputed.expected_best() == pytest.approx(1.16296, abs=1e-5)
    assert recomputed.expected_best(2) == pytest.approx(1 / np.sqrt(np.pi))
    table = recomputed.reliability_table().set_index("model")
    assert table["z"].round(2).tolist() == [1.70, 1.30, 1.43, 0.70] and table["possible"].all()
    assert table.loc["TempCNN", "chance"] == pytest.approx(0.204, abs=1e-3)
    draws = np.random.default_rng(0).normal(size=(100_000, 5)).max(axis=1)
    assert (draws > table.loc["3D-CNN", "z"]).mean() == pytest.approx(table.loc["3D-CNN", "chance"], abs=0.01)


@given(st.lists(st.floats(0.1, 0.9), min_size=5, max_size=5).filter(lambda values: np.std(values) > 0.005))
def test_any_five_trainings_are_possible(values):
    printed = (round(float(np.mean(values)), 2), round(float(np.std(values, ddof=1)), 2))
    table = recomputed.reliability_table([round(max(values), 3)] + [0] * 5, [printed] + [None] * 5)
    assert table["possible"].tolist() == [True]


@pytest.mark.parametrize("best", [0.84, 0.95])
def test_a_best_that_no_five_trainings_give(best):
    table = recomputed.reliability_table([best] * 6, [(0.86, 0.02)] + [None] * 5)
    assert not table["possible"].any()


def test_shares_of_classes():
    table = recomputed.shares_table()
    assert (table["pool"].sum(), table["test"].sum()) == (52707, 265902)
    assert table["test (%)"].round(1)[["Built up", "Shrubland", "Non-vegetated land"]].tolist() == [58.1, 1.5, 0.8]
    assert table["pool (%)"].round(1)[["Built up", "Shrubland", "Non-vegetated land"]].tolist() == [18.1, 1.3, 1.9]
    assert table.loc["Non-vegetated land", "weight in macro F1 / share of test"] == pytest.approx(15.6, abs=0.05)


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_no_pair_exceeds_the_highest_geometric_mean(precision, recall):
    f1 = 2 * precision * recall / (precision + recall)
    assert np.sqrt(precision * recall) <= recomputed.highest_geometric(f1) + 1e-12
    assert recomputed.highest_geometric(2 * recall / (1 + recall)) == pytest.approx(np.sqrt(recall))


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 100), st.integers(1, 100))
def test_exchange_recovers_a_confusion_of_two_classes(right, wrong, other_right, other_wrong):
    f1 = 2 * right / (2 * right + wrong + other_wrong)
    other_f1 = 2 * other_right / (2 * other_right + wrong + other_wrong)
    recall, taken = recomputed.exchange(f1, other_f1, right + wrong, other_right + other_wrong)
    assert recall == pytest.approx(right / (right + wrong))
    assert taken == pytest.approx(other_wrong / (other_right + other_wrong))


def test_nothing_is_found_in_a_table_that_agrees():
    rows, means = consistent()
    assert audit.check_means({"test": (rows, means)}) == []
    assert recomputed.candidates_table({"test": (rows, means)}).empty
    assert audit.check_claims(rows, means) == []
    assert audit.check_classes(rows, rows) == []


def test_nothing_is_found_in_labels_that_agree():
    pool = dict.fromkeys(CODES, 290 * 30)
    assert audit.check_labels(pool, dict.fromkeys(CODES, 131 * 30), 80_000) == []
    assert len(audit.check_labels()) == 3


def test_nothing_is_found_in_costs_that_agree():
    forests = ((493, 379, 463, 872, None, None), ("1.0",) * 6, (10, 20, 30, 40, 50, 60))
    trained = (*paper.TABLE_4_RELIABILITY[:4], (0.88, 0.01), (0.67, 0.01))
    assert audit.check_costs(*forests, trained) == []
    assert len(audit.check_costs()) == 4
    worse = (*trained[:5], (0.9, 0.01))  # the best of them cannot lie below their mean
    assert [one.place for one in audit.check_costs(*forests, worse)] == ["Table 4: iota2_base"]


def test_nothing_is_found_in_data_that_agree():
    months = [f"2018-{month:02}-15" for month in range(1, 13)]
    assert audit.check_data(months, lambda b4, b3: np.sqrt((b4**2 + b3**2) / 2), 109.8) == []
    gaps, year, index, tile = audit.check_data()
    assert "2018-07-08" in gaps.place and gaps.recomputed == "23 to 38 days"
    assert (year.recomputed, index.recomputed, tile.recomputed) == ("11", "|B4/B3|", "109.8 km")


def test_needle_leaved_trees_are_lost_by_every_model():
    (lost,) = audit.check_classes()
    assert "needle-leaved" in lost.place and lost.difference == "≥ 0.437 lost" and "?" in lost.consequence
    assert "37, 80, 31, 33, 33, 28 %" in lost.consequence  # 3D-CNN apart, with its printed broad-leaved cell


def test_audit_lists_every_finding_with_its_consequence():
    table = audit.inconsistencies()
    assert table.columns.tolist() == ["place", "printed", "recomputed", "difference", "consequence"]
    assert len(table) == 20 and table["place"].is_unique
    assert table["consequence"].str.endswith((".", "?")).all()
    streams = table.set_index("place").loc["Table 4: SpatioTempCNN"]
    assert streams.tolist()[:3] == ["867 k", "872 k", "-5 k"]
    assert len(audit.inconsistencies(tolerance=0.2)) == 17
