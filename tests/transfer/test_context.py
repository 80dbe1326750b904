"""What networks see around judged polygons is compared with where they were trained."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import shapely
import xarray as xr

from paperlib.transfer.context import shared_context


def test_polygons_within_the_reach_of_a_network_are_counted():
    coords = {"y": 4_836_000.0 - 10 * np.arange(8), "x": 356_000.0 + 10 * np.arange(8)}
    scene = xr.DataArray(np.zeros((8, 8)), dims=("y", "x"), coords=coords)
    rows = [
        ("train", 0),
        ("validation", 35),
        ("validation", 500),
        ("test", 45),
        ("test", 70),
    ]  # metres east of the first
    shapes = [shapely.box(356_000 + east, 4_835_900, 356_005 + east, 4_835_905) for _, east in rows]
    polygons = gpd.GeoDataFrame(
        {"polygon_id": range(5), "group": range(5), "set": [part for part, _ in rows]}, geometry=shapes, crs=32631
    )
    run = SimpleNamespace(scene=scene, polygons=polygons)
    (sentence,) = shared_context(run, ["TempCNN", "2D-CNN", "iota2_base", "iota2_ctx"])
    assert sentence.startswith(
        "2D-CNN sees 40 m around a pixel; 1 of 2 validation polygons and 0 of 2 test polygons lie"
    )
    assert shared_context(run, ["TempCNN"]) == []
