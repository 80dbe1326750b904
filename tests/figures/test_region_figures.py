"""Figures of a region, compared with reference images as in test_charts.py."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr

from paperlib.figures.regional import region_figures
from paperlib.nomenclature import CLASSES

LEGEND = CLASSES[:8]


def maps() -> dict[str, xr.DataArray]:
    y, x = 4835675 - 10.0 * np.arange(40), 356045 + 10.0 * np.arange(50)
    place = np.add.outer(np.arange(40) // 7, np.arange(50) // 9) % len(LEGEND)
    code = np.array([cover.code for cover in LEGEND], np.uint8)[place]
    code[:5, :5] = 0
    first = xr.DataArray(code, dims=("y", "x"), coords={"y": y, "x": x})
    return {"mosaic": first, "truth": first[::-1].assign_coords(y=y)}


def outlines() -> gpd.GeoDataFrame:
    west, east = shapely.box(356040, 4835280, 356340, 4835680), shapely.box(356260, 4835280, 356540, 4835680)
    return gpd.GeoDataFrame({"tile": ["30TYP", "31TCJ"]}, geometry=[west, east], crs="EPSG:32631")


def folds() -> pd.DataFrame:
    rows = [
        (tile, kind, 0.8 - 0.2 * row - 0.1 * column, 0.6 - 0.2 * row - 0.1 * column, 0.95 - 0.2 * row - 0.1 * column)
        for row, tile in enumerate(("30TYP", "31TCJ", "all tiles"))
        for column, kind in enumerate(("pooled", "own", "others"))
        if (tile, kind) != ("30TYP", "own")
    ]
    return pd.DataFrame(rows, columns=["tile", "learned", "macro_f1", "low", "high"])


@pytest.mark.mpl_image_compare
def test_mosaic_figure():
    return region_figures.mosaic_figure(maps(), outlines(), LEGEND)


@pytest.mark.mpl_image_compare
def test_folds_figure():
    return region_figures.folds_figure(folds())


def test_figures_are_whole(is_whole):
    is_whole(lambda: region_figures.mosaic_figure(maps(), outlines(), LEGEND))
    is_whole(lambda: region_figures.folds_figure(folds()), rows_are_named=True)


def test_the_data_of_the_figures_are_what_is_drawn():
    drawn = region_figures.mosaic_figure(maps(), outlines(), LEGEND).data
    assert set(drawn["map"]) == {"mosaic", "truth"} and set(drawn["code"]) == {0, *(cover.code for cover in LEGEND)}
    pd.testing.assert_frame_equal(region_figures.folds_figure(folds()).data, folds())
