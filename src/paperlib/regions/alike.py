"""Polygons of a region that show one object, also where they belong to different tiles."""

import geopandas as gpd
import numpy as np
import pandas as pd

from ..features.alike import Pairs, neighbours, pair_alike, read_series
from .region import Region


def find_alike_in(region: Region, polygons: gpd.GeoDataFrame, near: float) -> Pairs:
    """As `features.alike.find_alike`, for polygons in `region.crs` with the `tile` of each.

    Series of different tiles are compared on the dates that both have.
    """
    polygons = polygons.reset_index(drop=True)
    days = sorted({day for times in region.times.values() for day in times.normalize()})
    series: dict[int, np.ndarray] = {}
    for name in sorted(polygons["tile"].unique()):
        scene = region.scene(name)
        found = read_series(scene, polygons[polygons["tile"] == name].geometry.to_crs(scene.rio.crs))
        series |= {row: _on_days(values, region.times[name], days) for row, values in found.items()}
    return pair_alike(polygons, neighbours(polygons, near), series)


def _on_days(values: np.ndarray, times: pd.DatetimeIndex, days: list[pd.Timestamp]) -> np.ndarray:
    """Series (2, band * date) of a tile on the days of all tiles, NaN on those that it lacks."""
    places = [days.index(day) for day in times.normalize()]
    out = np.full((2, values.shape[1] // len(times), len(days)), np.nan, np.float32)
    out[..., places] = values.reshape(2, -1, len(times))
    return out.reshape(2, -1)
