"""Hectares on pages are those on the ground, in a CRS whose metres are none: compared with geodesic areas of the pixels."""

import copy
import re
from itertools import pairwise

import numpy as np
import pytest
import rioxarray  # noqa: F401  (gives .rio)
import xarray as xr
from bs4 import BeautifulSoup
from pyproj import Geod, Transformer

from paperlib.evaluation import summaries
from paperlib.pages import client_report
from paperlib.pages.explore.contents import contents

MODEL, STEP = "iota2_base", 13.8
#: Web Mercator, around Toulouse: a square metre of it covers 0.52 m2.
LEFT, TOP = 160_000.0, 5_400_000.0


def moved(data: xr.DataArray) -> xr.DataArray:
    """The same pixels in EPSG:3857."""
    x = LEFT + STEP * (0.5 + np.arange(data.sizes["x"]))
    y = TOP - STEP * (0.5 + np.arange(data.sizes["y"]))
    return data.drop_vars("spatial_ref", errors="ignore").assign_coords(x=x, y=y).rio.write_crs(3857)


@pytest.fixture(scope="module")
def codes(run) -> xr.DataArray:
    return moved(run.class_map(MODEL))


@pytest.fixture(scope="module")
def expected(codes, run) -> dict[int, float]:
    """Hectares by code: geodesic areas of the pixels of each row, on the ellipsoid."""
    rows = TOP - STEP * np.arange(codes.sizes["y"] + 1)
    degrees = Transformer.from_crs(3857, 4326, always_xy=True)
    (west, east), latitudes = (
        degrees.transform([LEFT, LEFT + STEP], [TOP, TOP])[0],
        degrees.transform(rows * 0, rows)[1],
    )
    areas = np.array(
        [
            abs(Geod(ellps="WGS84").polygon_area_perimeter([west, east, east, west], [high, high, low, low])[0])
            for high, low in pairwise(latitudes)
        ]
    )
    return {cover.code: float(((codes.values == cover.code) * areas[:, None]).sum() / 10_000) for cover in run.legend}


@pytest.fixture(scope="module")
def elsewhere(run, codes):
    """The run, with its map and scene in EPSG:3857."""
    other, confidence = copy.copy(run), moved(run.confidence_map(MODEL))
    other.class_map, other.confidence_map = lambda name: codes, lambda name: confidence
    return other


def test_table_of_areas(elsewhere, codes, expected, run):
    counts, reference = run.trained.chosen_counts("test", [MODEL])
    table = summaries.area_table(counts[MODEL], reference, codes, run.legend)[2]
    assert sum(expected.values()) == pytest.approx(367.5, rel=0.02)  # planar, it were 1.91 times as much
    np.testing.assert_allclose(table["mapped (ha)"], list(expected.values()), rtol=1e-3)


def test_report_for_clients(elsewhere, expected, tmp_path):
    page = BeautifulSoup(
        client_report.write_report(elsewhere, MODEL, tmp_path / "report.html").read_text(), "html.parser"
    )
    (total,) = re.findall(r"classes on ([\d,]+) hectares", page.get_text())
    assert float(total.replace(",", "")) == pytest.approx(sum(expected.values()), abs=0.6)
    rows = [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in page.find("table").tbody.find_all("tr")]
    found = [float(row[1].replace(",", "")) for row in rows]
    np.testing.assert_allclose(found, list(expected.values()), rtol=1e-3, atol=0.051)  # one decimal


def test_interactive_map(elsewhere, codes, expected, run):
    scene, polygons = moved(run.scene).isel(time=slice(0, 1)), run.polygons.set_crs(3857, allow_override=True)
    part = {"y": slice(0, 96), "x": slice(40, 192)}
    for place, share in (({}, 1.0), (part, 96 * 152 / 192**2)):  # a window of it has the areas of the window
        data = contents(scene.isel(place), {MODEL: codes.isel(place)}, {}, polygons, run.legend, (LEFT, TOP))
        hectares = data["maps"][0]["hectares"]
        assert sum(hectares) == pytest.approx(share * sum(expected.values()), rel=1e-3)
        if not place:
            np.testing.assert_allclose(hectares, list(expected.values()), rtol=1e-3, atol=0.006)
