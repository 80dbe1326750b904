"""The pages of better maps and labels compare with the truth, and say of their measurements what these hold."""

import numpy as np
import pandas as pd
import pytest

from paperlib import Experiment
from paperlib.evaluation import geometry
from paperlib.pages import better_labels, better_maps


@pytest.fixture(scope="module")
def layered(store):
    """The tiny run with all layers of its maps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_QUIET", "1")
        yield Experiment("tiny", settings={"map.probabilities": True}, store=store)


def test_reliability_of_the_map_counts_its_pixels(layered):
    tables = better_maps.reliability_tables(layered, "iota2_base")
    codes, truth = layered.class_map("iota2_base").values, layered.truth.values
    known = np.isin(truth, [cover.code for cover in layered.legend]) & (codes != 0)
    for table in tables["whole map"].values():
        assert table["pixels"].sum() == known.sum()
        right = (table["accuracy"] * table["pixels"]).sum() / known.sum()
        assert right == pytest.approx((codes == truth)[known].mean(), abs=2e-3)
    errors = better_maps.errors_table(tables)
    assert list(errors.index) == ["test polygons", "whole map"] and errors.notna().all().all()
    confidence = layered.confidence_map("iota2_base").values[known].mean() / 100
    calibrated = tables["whole map"][better_maps.CALIBRATED]
    assert (calibrated["confidence"] * calibrated["pixels"]).sum() / known.sum() == pytest.approx(confidence, abs=0.01)


def test_smoothed_maps_are_scored_beside_the_truth(layered):
    window = layered.dataset.window(60, "")
    smoothed = better_maps.Smoothed(layered, "iota2_base", window)
    scores, before = smoothed.scores(), layered.class_map("iota2_base").values
    assert scores.index.tolist() == ["as classified", *better_maps.WAYS]
    assert scores.loc["as classified", "accuracy (%)"] == pytest.approx(100 * (before == layered.truth.values).mean())
    specks = 100 * geometry.speckle(before)["isolated_share"]
    assert scores.loc["as classified", "in specks (%)"] == pytest.approx(specks) and specks > 0
    assert (scores["in specks (%)"].iloc[1:] < specks).all()
    assert len(smoothed.objects["objects of 500 m²"]) < len(smoothed.objects["as classified"])
    assert smoothed.in_window("majority")["truth"].shape == (60, 60)


def test_the_default_is_compared_with_nothing_smoothed():
    rows = [
        ("A", "check", "as classified", 0.7, 0.4, 0.8, 0.02),
        ("A", "check", better_maps.DEFAULT, 0.71, 0.395, 0.81, 0.01),
        ("A", "choice", "as classified", 0.5, 0.2, 0.8, 0.02),
        ("A", "choice", better_maps.DEFAULT, 0.51, 0.195, 0.81, 0.01),
    ]
    table = pd.DataFrame(rows, columns=["classifier", "scenes", "way", "accuracy", "narrow", "borders", "speckle"])
    trade = better_maps.trade_table(table)
    assert len(trade) == 2 and trade["method"].tolist()[1] == "objects"
    found = better_maps.default_row(trade).loc["A"]
    assert found["accuracy"] == pytest.approx(1) and found["narrow"] == pytest.approx(-0.5)


def test_means_of_weights_are_compared_over_trainings():
    rows = [("A, demo", number, 0.05, "mean", 4 + 2 * number, 0.5, 0.2 + 0.2 * number) for number in (0, 1)]
    columns = ["measured", "training", "share", "end", "epochs", "macro F1 validation", "macro F1 test"]
    (found,) = better_maps.averaging_table(pd.DataFrame(rows, columns=columns)).to_dict("records")
    assert found["trainings"] == 2 and found["epochs"] == 5 and found["± validation"] == 0
    assert found["F1 on test"] == pytest.approx(0.3) and found["± test"] == pytest.approx(0.02**0.5)


def test_wrong_labels_are_listed_first(layered):
    found, wrong = better_labels.with_wrong_labels(layered, "iota2_base", seeds=(0,))
    pool = (layered.polygons["set"] != "test").sum()
    assert len(wrong) == round(0.1 * pool) and len(found.table) == pool
    table = better_labels.listed(found, wrong, share=0.25)
    assert len(table) == np.ceil(0.25 * pool) and (table["changed"] == "yes").sum() >= len(wrong) / 2


def test_what_is_saved_is_read_off_the_curves():
    curves = pd.DataFrame(
        {"classifier": ["A"] * 3 + ["B"] * 3, "polygons": [10, 20, 30] * 2, "suggested": [0.5, 0.7, 0.8, 0.5, 0.55, 0.58],
         "random": [0.5, 0.6, 0.7, 0.5, 0.6, 0.7]}
    )  # fmt: skip
    text = better_labels.saving(curves)
    assert "A reaches with 20 suggested polygons what it reaches with 30 random ones (33 % fewer)" in text
    assert "B needs more suggested polygons than random ones" in text
