"""Tables of our own, on small inputs whose answer is known."""

import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401  (gives .rio)
import xarray as xr

from paperlib import nomenclature
from paperlib.evaluation import geometry, summaries
from paperlib.reproduction import tables

LEGEND = nomenclature.legend([3, 11])


def test_geometry_of_a_map_with_and_without_truth():
    truth = np.ones((12, 12), np.uint8)
    truth[:, 6:] = 3
    ours = truth.copy()
    ours[3, 3] = 3
    maps = {name: xr.DataArray(codes, dims=("y", "x")) for name, codes in (("truth", truth), ("TempCNN", ours))}
    table = summaries.geometry_table(maps)
    assert table["objects"].tolist() == [2, 3]
    assert table.iloc[:, 1].tolist() == [0, pytest.approx(100 / 144)]
    assert table["borders, recall"].tolist() == [1, 1] and table.loc["TempCNN", "borders, precision"] < 1
    alone = {"TempCNN": maps["TempCNN"]}
    assert "borders, f1" not in summaries.geometry_table(alone)
    assert summaries.geometry_table(alone, geometry.edges(truth))["borders, recall"].tolist() == [1]


def test_areas_leave_nodata_out():
    truth = xr.DataArray(np.array([[3, 3, 11, 11]], np.uint8), dims=("y", "x"))
    ours = xr.DataArray(np.array([[3, 11, 11, 0]], np.uint8), dims=("y", "x"))
    table = summaries.areas_table({"truth": truth, "TempCNN": ours}, LEGEND)
    assert table.loc["Water", "TempCNN (%)"] == pytest.approx(200 / 3)
    assert table.loc["agreement with truth", "TempCNN (%)"] == pytest.approx(200 / 3)
    assert "agreement with truth" not in summaries.areas_table({"TempCNN": ours}, LEGEND).index


def test_no_half_width_rests_on_one_polygon():
    codes = xr.DataArray(
        np.array([[3, 3, 11, 11]], np.uint8), dims=("y", "x"), coords={"y": [5.0], "x": [5.0, 15, 25, 35]}
    )
    counts, reference = np.array([[9, 0], [8, 0], [0, 7]]), np.array([0, 0, 1])  # one polygon of water
    _, _, table = summaries.area_table(counts, reference, codes.rio.write_crs(32631), LEGEND)
    wide = table[["± (ha)", "± user's", "± producer's"]]
    assert wide.iloc[1].isna().all() and (wide.iloc[0] == 0).all()
    _, _, table = summaries.area_table(
        np.array([[9, 0], [8, 1], [0, 7]]), reference, codes.rio.write_crs(32631), LEGEND
    )
    assert table["± user's"].notna().all() and table["± producer's"].isna().tolist() == [False, True]
    assert table["± (ha)"].isna().tolist() == [False, True]


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
        {"model": ["3D-CNN"], "parameters_reference": [378984], "parameters": [1], "receptive_field": [7]}
    )
    table = tables.models_table(networks)
    assert table.loc["3D-CNN", "printed (k)"] == 379
