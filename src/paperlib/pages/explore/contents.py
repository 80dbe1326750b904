"""What the interactive map shows of a run: composites, class maps with their confidence, polygons, series of pixels."""

import io
import math

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr
from matplotlib import colormaps
from matplotlib.colors import to_hex
from PIL import Image

from ... import ground
from ...figures import images, theme
from ...figures.html import data_uri
from ...nomenclature import LandCover
from ...scenes.meaning.values import optical
from ...scenes.sensors import roles_of
from ...scenes.windowing import window_around
from .packing import pack

#: Dates with a colour composite, spread over the series; the time series of pixels have all dates.
COMPOSITE_DATES = 12

#: Bytes of all time series before compression, which limit the number of pixels that have one.
SERIES_BYTES = 600_000

NO_VALUE = -32768  # no data in time series
#: What values of time series are stored times: the largest that leaves them within 16 bits.
SCALES = (10_000, 1000, 100, 10, 1)
#: Dash pattern in SVG by line style of matplotlib.
DASHES = {"-": "", ":": "2 3", "--": "7 3", "-.": "7 3 2 3"}


def contents(
    scene: xr.DataArray,
    maps: dict[str, xr.DataArray],
    confidences: dict[str, xr.DataArray],
    polygons: gpd.GeoDataFrame,
    legend: tuple[LandCover, ...],
    place: tuple[float, float],
) -> dict:
    """Data of the map, ready for JSON.

    Parameters
    ----------
    scene: the window, reflectance (band, time, y, x) with its mask, north up.
    maps: class codes (y, x) of the window by name, with "truth" where it is known.
    confidences: per cent (y, x), 255 for no data, by name of the map.
    polygons: columns polygon_id, code, set and geometry, in the CRS of the scene; those that touch the window are kept.
    legend: classes of the maps.
    place: easting and northing around which pixels have a time series.
    """
    left, right, bottom, top = images.extent(scene)
    inside = polygons[polygons.intersects(shapely.box(left, bottom, right, top))]
    return of_maps(scene, maps, confidences, legend) | {
        "images": _composites(scene),
        "polygons": _geojson(inside),
        "series": _series(scene, place),
    }


def of_maps(
    grid: xr.DataArray,
    maps: dict[str, xr.DataArray],
    confidences: dict[str, xr.DataArray],
    legend: tuple[LandCover, ...],
) -> dict:
    """What the maps alone say, without images, polygons and series; parameters as of `contents`.

    `grid`: an image with the CRS and coordinates of all maps.
    """
    left, right, bottom, top = images.extent(grid)
    transform, crs = grid.rio.transform(), grid.rio.crs
    hectares = {name: ground.areas_of_codes(codes.values, transform, crs) / 10_000 for name, codes in maps.items()}
    return {
        "extent": [float(edge) for edge in (left, bottom, right, top)],
        "size": [grid.sizes["y"], grid.sizes["x"]],
        "legend": [cover._asdict() for cover in legend],
        "ramp": [to_hex(colour) for colour in colormaps["cividis"](np.linspace(0, 1, 101))],
        "images": {},
        "maps": [
            {
                "name": name,
                "classes": pack(codes.values.astype(np.uint8)),
                "confidence": pack(confidences[name].values) if name in confidences else None,
                "probabilities": None,
                "hectares": [round(float(hectares[name][cover.code]), 2) for cover in legend],
            }
            for name, codes in maps.items()
        ],
        "polygons": {"type": "FeatureCollection", "features": []},
        "series": None,
    }


def _composites(scene: xr.DataArray) -> dict[str, dict[str, str]]:
    """Colour composites as data URIs, by name and date."""
    count = scene.sizes["time"]
    dated = scene.isel(time=np.unique(np.linspace(0, count - 1, min(COMPOSITE_DATES, count)).round().astype(int)))
    dates = dated.indexes["time"].strftime("%Y-%m-%d")
    return {
        name: dict(zip(dates, map(_picture, images.composite(dated, bands)), strict=True))
        for name, bands in images.available_composites(scene).items()
    }


def _picture(colours: np.ndarray) -> str:
    """Data URI of an image (y, x, 3) from 0 to 1."""
    buffer = io.BytesIO()
    Image.fromarray((255 * colours).round().astype(np.uint8)).save(buffer, "webp", quality=75, method=6)
    return data_uri("webp", buffer.getvalue())


def _geojson(polygons: gpd.GeoDataFrame) -> dict:
    """Polygons as GeoJSON with number, class code and set; coordinates are rounded to 0.1 m."""
    rounded = shapely.transform(polygons.geometry.values, lambda points: points.round(1))
    columns = polygons[["polygon_id", "code", "set", "geometry"]].set_geometry(rounded)
    return columns.rename(columns={"polygon_id": "polygon"}).to_geo_dict(drop_id=True)


def _series(scene: xr.DataArray, place: tuple[float, float]) -> dict:
    """Values x "scale", int16 (band, time, y, x), and mask (time, y, x) of a square around a place, packed.

    The scale is 10000, or less where values are larger than reflectance, as decibels are.
    """
    bands, dates = scene.sizes["band"], scene.sizes["time"]
    side = math.isqrt(SERIES_BYTES // (2 * bands * dates))
    window = window_around(scene, *place, side)
    part = scene.isel(window).compute()
    names = [str(band) for band in part["band"].values]
    largest = float(np.nanmax(np.abs(part.values))) if np.isfinite(part.values).any() else 1.0
    scale = next(scale for scale in SCALES if largest * scale < -NO_VALUE or scale == SCALES[-1])
    scaled = np.clip(np.rint(part.values * scale), NO_VALUE + 1, -NO_VALUE - 1)
    stored = np.where(np.isnan(part.values), NO_VALUE, scaled).astype(np.int16)
    sensor = str(scene.attrs.get("sensor", ""))
    roles = roles_of(names, sensor)
    return {
        "row": window["y"].start,
        "column": window["x"].start,
        "size": [part.sizes["y"], part.sizes["x"]],
        "bands": names,
        "red": names.index(roles["red"]) if "red" in roles else None,
        "infrared": names.index(roles["nir"]) if "nir" in roles else None,
        "scale": scale,
        "unit": "reflectance (0 to 1)" if len(optical(names, sensor)) == len(names) else "value",
        "styles": [[colour, DASHES[line]] for colour, line, _ in theme.channel_styles(names).values()],
        "dates": [f"{date:%Y-%m-%d}" for date in pd.DatetimeIndex(part["time"].values)],
        "values": pack(stored),
        "mask": pack(part["mask"].transpose("time", "y", "x").values.astype(np.uint8)),
    }
