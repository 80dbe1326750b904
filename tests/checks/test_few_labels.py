"""The pre-flight names the classifiers to prefer for so many polygons, as the benchmark measured it."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from paperlib.checks import few_labels
from paperlib.pages.measurements import read_measurements

TABLE = pd.DataFrame({"A": [0.70, 0.90], "B": [0.80, 0.91], "C": [0.795, 0.92]}, index=[1, 4])


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "With 1 polygon of each class, the best macro F1 was that of B (0.80), C (0.80); avoid A (0.70)."),
        (3, "With 1 polygon of each class, the best macro F1 was that of B (0.80), C (0.80); avoid A (0.70)."),
        (
            50,
            "With 4 polygons of each class, the best macro F1 was that of C (0.92), B (0.91); no other was 0.03 lower.",
        ),
    ],
)
def test_the_nearest_smaller_number_decides(number, expected):
    assert few_labels.sentence(number, TABLE) == expected


def test_polygons_to_learn_from_are_counted(monkeypatch):
    monkeypatch.setattr(few_labels, "measured", lambda: TABLE.rename(columns={"B": "Galileo"}))
    codes, sets = [1, 1, 1, 2, 2, 2, 3], ["pool", "pool", "test", "pool", "pool", "pool", "test"]
    frame = gpd.GeoDataFrame({"code": codes, "set": sets}, geometry=[box(0, 0, 1, 1)] * 7)
    text = few_labels.advice(frame)  # 2 and 3 polygons: a median of 2
    assert text.startswith("2 polygons to learn from in the median class. With 1 polygon of each class")
    assert text.endswith("Galileo needs weights: paperlib fetch galileo.")
    assert few_labels.advice(frame[frame["set"] == "test"]) == ""


def test_the_packaged_table_is_what_the_benchmark_kept():
    """No number of it is typed: each row is one of benchmarks/results/few-labels.csv."""
    kept, packaged = read_measurements("few-labels"), pd.read_csv(few_labels.TABLE)
    columns = list(packaged.columns)
    pd.testing.assert_frame_equal(
        kept[columns].astype({"polygons": str}).reset_index(drop=True), packaged.astype({"polygons": str})
    )
    measured = few_labels.measured()
    assert few_labels.TEACHER not in measured and "Galileo" in measured and {1, 2} <= set(measured.index)
    assert measured.to_numpy(na_value=0.5).min() > 0.2 and measured.max().max() <= 1
