"""The tables of the rim say what was measured, in the order of Table 4."""

import pandas as pd
import pytest

from paperlib.pages.measurements import read_measurements
from paperlib.pages.rim import DATES, NEIGHBOURS, rim_table, worst

MEASURED = pd.DataFrame(
    [
        ("other", "strip without data", -0.03, 0.1), ("2D-CNN", "strip without data", -0.01, 0.0),
        ("2D-CNN", "border of the scene", 0.02, -0.2), ("TempCNN", "border of the scene", 0.01, 0.3),
    ],
    columns=["classifier", "case", "right, difference", "confidence, difference"],
)  # fmt: skip


def test_differences_by_classifier_and_case():
    table = rim_table(MEASURED, NEIGHBOURS)
    assert list(table.index) == ["TempCNN", "2D-CNN", "other"]
    assert list(table.columns) == ["border of the scene", "strip without data"]
    assert table.loc["2D-CNN"].tolist() == [0.02, -0.01] and table.isna().sum().sum() == 2
    assert rim_table(MEASURED, NEIGHBOURS, "confidence").loc["other", "strip without data"] == 0.1
    assert worst(MEASURED, "strip without data") == -0.03


def test_networks_lose_nearly_nothing_where_neighbours_are_missing():
    """What was measured over the demo scene with three trainings of each; pixel models show what the places alone do."""
    measured = read_measurements("rim")
    networks = measured[measured["classifier"].isin(["2D-CNN", "3D-CNN", "SpatioTempCNN"])]
    assert len(networks["classifier"].unique()) == 3 and (networks["trainings"] >= 3).all()
    for case in NEIGHBOURS:
        assert worst(networks, case) >= -0.02, case
    table = rim_table(measured, (*NEIGHBOURS, *DATES))
    assert table.loc["TempCNN", ["border of a part", "strip, same pixels"]].tolist() == pytest.approx([0, 0])
