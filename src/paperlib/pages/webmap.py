"""An interactive map of a run for a static page: all data that the browser needs are packed into one piece of HTML.

The page reads three files of the book beside it (`vendor/ol` and `map`, see book/vendor/README.md) and asks no server.
Without scripts it shows a picture.
"""

import base64
import io
import json
import math
import zlib
from collections.abc import Sequence
from html import escape

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr
from matplotlib import colormaps
from matplotlib.colors import to_hex
from PIL import Image

from .. import ground
from ..figures import images, map_figures, theme
from ..models.registry import CLASSIFIERS
from ..nomenclature import LandCover
from ..reproduction.paper import FIGURE_9_CLASS
from ..runs.experiment import Experiment
from ..scenes.meaning.values import optical
from ..scenes.sensors import roles_of
from ..scenes.windowing import window_around
from .page import Html

#: Side in pixels of the window that is shown; a larger scene is cut, not resampled.
SIDE = 400

#: Characters of the HTML of one map. A page may have 5 MB, of which the theme and OpenLayers take 1.3.
LIMIT = 3_500_000

#: Dates with a colour composite, spread over the series; the time series of pixels have all dates.
COMPOSITE_DATES = 12

#: Bytes of all time series before compression, which limit the number of pixels that have one.
SERIES_BYTES = 1_200_000

NO_VALUE = -32768  # no data in time series
#: What values of time series are stored times: the largest that leaves them within 16 bits.
SCALES = (10_000, 1000, 100, 10, 1)
#: Dash pattern in SVG by line style of matplotlib.
DASHES = {"-": "", ":": "2 3", "--": "7 3", "-.": "7 3 2 3"}

PAGE = """<link rel="stylesheet" href="vendor/ol/ol.css"><link rel="stylesheet" href="map/webmap.css">
<div class="webmap"><div class="webmap-app" hidden></div><figure class="webmap-still">
<img src="{still}" alt="{alternative}"><figcaption>{caption}</figcaption></figure></div>
<script type="application/json" id="webmap-data">{data}</script>
<script src="vendor/ol/ol.js" defer></script><script src="map/webmap.js" defer></script>"""


def interactive_map(run: Experiment, side: int = SIDE, names: Sequence[str] = CLASSIFIERS) -> Html:
    """The maps of a run over its scene for a browser, with layers, a swipe, polygons and the series of pixels.

    Parameters
    ----------
    side: side of the window in pixels; a smaller scene is shown whole. The window lies around the place of Figure 9, see
        `Dataset.window`, and shrinks by a fifth until the HTML has fewer than `LIMIT` characters.
    names: classifiers whose maps are shown.
    """
    maps, confidences = run.class_maps(names), {name: run.confidence_map(name) for name in names}
    place = run.scene.isel(run.dataset.window(1, FIGURE_9_CLASS))
    side = min(side, max(run.scene.sizes["y"], run.scene.sizes["x"]))
    while True:
        part = run.dataset.window(side, FIGURE_9_CLASS)
        scene = run.scene.isel(part)
        shown = {name: codes.isel(part) for name, codes in maps.items()}
        percent = {name: confidence.isel(part) for name, confidence in confidences.items()}
        data = contents(scene, shown, percent, run.polygons, run.legend, (place["x"].item(), place["y"].item()))
        data["offset"] = [part["y"].start, part["x"].start]
        data["whole"] = [run.scene.sizes["y"], run.scene.sizes["x"]]
        still = map_figures.maps_figure(dict(list(shown.items())[:2]), scene, run.legend)
        html = render(data, still)
        if len(html) <= LIMIT:
            return html
        side = side * 4 // 5


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
    transform, crs = scene.rio.transform(), scene.rio.crs
    hectares = {name: ground.areas_of_codes(codes.values, transform, crs) / 10_000 for name, codes in maps.items()}
    inside = polygons[polygons.intersects(shapely.box(left, bottom, right, top))]
    return {
        "extent": [float(edge) for edge in (left, bottom, right, top)],
        "size": [scene.sizes["y"], scene.sizes["x"]],
        "legend": [cover._asdict() for cover in legend],
        "ramp": [to_hex(colour) for colour in colormaps["cividis"](np.linspace(0, 1, 101))],
        "images": _composites(scene),
        "maps": [
            {
                "name": name,
                "classes": pack(codes.values.astype(np.uint8)),
                "confidence": pack(confidences[name].values) if name in confidences else None,
                "hectares": [round(float(hectares[name][cover.code]), 2) for cover in legend],
            }
            for name, codes in maps.items()
        ],
        "polygons": _geojson(inside),
        "series": _series(scene, place),
    }


def pack(values: np.ndarray) -> str:
    """Bytes of an array, compressed by zlib, as base64; the lowest bytes of all values come first and compress better."""
    plain = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    planes = plain.view(np.uint8).reshape(-1, plain.itemsize).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode()


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
    Image.fromarray((255 * colours).round().astype(np.uint8)).save(buffer, "webp", quality=80, method=6)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


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


def render(data: dict, still: theme.Figure) -> Html:
    """HTML of the map.

    `data` are those of `contents` with "offset" and "whole" (row and column of the window, size of the scene); `still`
    is shown without scripts.
    """
    buffer = io.BytesIO()
    still.savefig(buffer, format="webp")
    picture = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
    names = [layer["name"] for layer in data["maps"][:2]]
    alternative = f"A colour composite of the scene beside the class maps {' and '.join(names)}, with their legend."
    caption = "This picture replaces an interactive map, which needs scripts."
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    return Html(PAGE.format(still=picture, alternative=escape(alternative), caption=caption, data=text))
