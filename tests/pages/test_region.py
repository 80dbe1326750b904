"""Tables of the page of regions, on the region of the tests."""

import numpy as np
import pytest
import rasterio

from paperlib.pages.regional import region as page

MODEL = "iota2_base"


@pytest.fixture(scope="module")
def run(region_run):
    return region_run


def test_the_tiles_are_listed_with_their_polygons(run):
    table = page.tiles_table(run)
    assert table.loc["30TYP", "CRS"] == "EPSG:32630" and table.loc["31TCH", "dates"] == 10
    assert table[["train", "validation", "test"]].to_numpy().sum() == len(run.polygons)
    assert page.outlines(run)["tile"].tolist() == table.index.tolist()


def test_overlaps_are_told_from_the_rest(run):
    table = page.overlaps_table(run, MODEL).set_index("where")
    truth = page.truth(run)
    with rasterio.open(run.map(MODEL) / "class.tif") as file:
        window = file.window(*truth.rio.bounds()).round_offsets().round_lengths()
        mosaic = file.read(1, window=window)
    seen = mosaic > 0
    right = 100 * (mosaic == truth.values)[seen].mean()
    weighted = np.average(table["mosaic right"], weights=table["pixels"])
    assert weighted == pytest.approx(right, abs=0.5) and table["pixels"].sum() == pytest.approx(seen.sum(), rel=0.01)
    assert table.loc["one tile", "tiles disagree"] == 0 and table.loc["overlaps", "tiles disagree"] > 0
    assert table.loc["one tile", "mosaic right"] == pytest.approx(table.loc["one tile", "one tile right"], abs=0.5)
