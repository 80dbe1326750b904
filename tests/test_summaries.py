"""Tables of our own, on small inputs whose answer is known."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from paperlib import paper, summaries

LEGEND = paper.legend([3, 11])


def test_isolated_pixels():
    codes = np.full((5, 6), 3)
    codes[2, 2] = 11  # alone
    codes[0, 4] = codes[1, 5] = 11  # touch at a corner
    assert np.argwhere(summaries.isolated(codes)).tolist() == [[2, 2]]


@given(arrays.arrays(np.int8, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(1, 2)))
def test_isolated_agrees_with_its_definition(codes):
    for y, x in np.ndindex(codes.shape):
        around = codes[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
        assert summaries.isolated(codes)[y, x] == ((around == codes[y, x]).sum() == 1)


def test_areas_leave_nodata_out():
    truth = xr.DataArray(np.array([[3, 3, 11, 11]], np.uint8), dims=("y", "x"))
    ours = xr.DataArray(np.array([[3, 11, 11, 0]], np.uint8), dims=("y", "x"))
    table = summaries.areas_table({"truth": truth, "TempCNN": ours}, LEGEND)
    assert table.loc["Water", "TempCNN (%)"] == pytest.approx(200 / 3)
    assert table.loc["agreement with truth", "TempCNN (%)"] == pytest.approx(200 / 3)
    assert "agreement with truth" not in summaries.areas_table({"TempCNN": ours}, LEGEND).index


def test_separability_finds_the_best_date_of_each_pair():
    dates = pd.to_datetime(["2018-02-15", "2018-08-15"])
    rows = [
        {"class_name": name, "channel": channel, "date": date, "mean": mean, "std": 0.1}
        for name, means in {"A": (0.1, 0.1), "B": (0.2, 0.5), "C": (0.15, 0.1)}.items()
        for channel in ("B2", "NDVI")
        for date, mean in zip(dates, means, strict=True)
    ]
    table = summaries.separability_table(pd.DataFrame(rows))
    assert table["classes"].tolist() == ["A / C", "A / B", "B / C"]
    assert table["distance (std)"].tolist() == [0.5, 4.0, 4.0]
    assert str(table["date"].iloc[1]) == "2018-08-15"


def test_networks_stand_beside_the_printed_counts():
    networks = pd.DataFrame(
        {"model": ["3D-CNN"], "parameters_paper": [378984], "parameters": [1], "receptive_field": [7]}
    )
    table = summaries.models_table(networks)
    assert table.loc["3D-CNN", "printed (k)"] == 379
