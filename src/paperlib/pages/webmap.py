"""A run as an interactive map in a static page: everything the browser needs is packed into one piece of HTML.

The page reads three files of the book beside it (`vendor/ol` and `map`, see book/vendor/README.md) and nothing else; it
asks no server. Without scripts a picture stands in.
"""

import base64
import io
import json
import math
import zlib
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
from ..scenes.windowing import window_around
from .page import Html

#: Side in pixels of the part of a scene that is shown; a larger scene is cut, so that every pixel shown is a real one.
SIDE = 400

#: Characters of one map. A page may weigh 5 MB, of which the theme and OpenLayers take 1.3.
LIMIT = 3_500_000

#: Dates with a composite, spread over the series; the time series of a pixel has all of them.
COMPOSITE_DATES = 12

#: Bytes of all time series before they are compressed; they decide how many pixels have one.
SERIES_BYTES = 1_200_000

NO_VALUE = -32768  # in time series: nodata
DASHES = {"-": "", ":": "2 3", "--": "7 3", "-.": "7 3 2 3"}

PAGE = """<link rel="stylesheet" href="vendor/ol/ol.css"><link rel="stylesheet" href="map/webmap.css">
<div class="webmap"><div class="webmap-app" hidden></div><figure class="webmap-still">
<img src="{still}" alt="{alternative}"><figcaption>{caption}</figcaption></figure></div>
<script type="application/json" id="webmap-data">{data}</script>
<script src="vendor/ol/ol.js" defer></script><script src="map/webmap.js" defer></script>"""


def interactive_map(run: Experiment, side: int = SIDE, names=CLASSIFIERS) -> Html:
    """The maps of a run over its scene, to look at in a browser: layers, swipe, polygons, pixels.

    A scene larger than `side` pixels is cut to a window around the place of Figure 9 (see `Dataset.window`), which
    shrinks by a fifth as often as it takes for the HTML to stay below `LIMIT`. `names`: the classifiers shown.
    """
    maps, confidences = run.class_maps(names), {name: run.confidence_map(name) for name in names}
    place = run.scene.isel(run.dataset.window(1, FIGURE_9_CLASS))
    side = min(side, max(run.scene.sizes["y"], run.scene.sizes["x"]))
    while True:
        part = run.dataset.window(side, FIGURE_9_CLASS)
        scene = run.scene.isel(part)
        cut = {name: one.isel(part) for name, one in maps.items()}
        sure = {name: one.isel(part) for name, one in confidences.items()}
        data = contents(scene, cut, sure, run.polygons, run.legend, (place["x"].item(), place["y"].item()))
        data["offset"] = [part["y"].start, part["x"].start]
        data["whole"] = [run.scene.sizes["y"], run.scene.sizes["x"]]
        still = map_figures.maps_figure(dict(list(cut.items())[:2]), scene, run.legend)
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
    """What the browser is given, ready for JSON.

    Parameters
    ----------
    scene: reflectance (band, time, y, x) with its mask, the part that is shown, north up.
    maps: class codes (y, x) of the same part by name, "truth" among them where it is known.
    confidences: per cent (y, x), 255 where there is none, by the names of those maps that have one.
    polygons: with polygon_id, code and set, in the scene's CRS; those that touch the part are taken.
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
    """Base64 of the bytes of an array, compressed by zlib; all lowest bytes first, which compresses better."""
    plain = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    planes = plain.view(np.uint8).reshape(-1, plain.itemsize).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode()


def _composites(scene: xr.DataArray) -> dict[str, dict[str, str]]:
    """Colour composites as data URIs by name and date, stretched like those of `map_figures`."""
    count = scene.sizes["time"]
    some = scene.isel(time=np.unique(np.linspace(0, count - 1, min(COMPOSITE_DATES, count)).round().astype(int)))
    dates = some.indexes["time"].strftime("%Y-%m-%d")
    return {
        name: dict(zip(dates, map(_picture, images.composite(some, bands)), strict=True))
        for name, bands in images.available_composites(scene).items()
    }


def _picture(colours: np.ndarray) -> str:
    """Data URI of an image (y, x, 3) in 0..1."""
    buffer = io.BytesIO()
    Image.fromarray((255 * colours).round().astype(np.uint8)).save(buffer, "webp", quality=80, method=6)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def _geojson(polygons: gpd.GeoDataFrame) -> dict:
    """Polygons with number, class code and set; coordinates to 0.1 m."""
    rows = zip(*(polygons[name] for name in ("polygon_id", "code", "set", "geometry")), strict=True)
    features = [
        {
            "type": "Feature",
            "properties": {"polygon": int(number), "code": int(code), "set": part},
            "geometry": shapely.geometry.mapping(shapely.transform(geometry, lambda points: points.round(1))),
        }
        for number, code, part, geometry in rows
    ]
    return {"type": "FeatureCollection", "features": features}


def _series(scene: xr.DataArray, place: tuple[float, float]) -> dict:
    """Reflectance x 10000 (band, time, y, x) as int16 and mask (time, y, x) of a square around a place."""
    bands, dates = scene.sizes["band"], scene.sizes["time"]
    side = math.isqrt(SERIES_BYTES // (2 * bands * dates))
    window = window_around(scene, *place, side)
    part = scene.isel(window).compute()
    stored = np.where(np.isnan(part.values), NO_VALUE, np.rint(part.values * 10_000)).astype(np.int16)
    looks = [theme.CHANNELS[band] for band in part["band"].values]
    return {
        "row": window["y"].start,
        "column": window["x"].start,
        "size": [part.sizes["y"], part.sizes["x"]],
        "bands": [str(band) for band in part["band"].values],
        "looks": [[colour, DASHES[line]] for colour, line, _ in looks],
        "dates": [f"{date:%Y-%m-%d}" for date in pd.DatetimeIndex(part["time"].values)],
        "values": pack(stored),
        "mask": pack(part["mask"].transpose("time", "y", "x").values.astype(np.uint8)),
    }


def render(data: dict, still: theme.Figure) -> Html:
    """The HTML of `contents` (with offset and whole, rows and columns in the scene); `still` stands in for it."""
    buffer = io.BytesIO()
    still.savefig(buffer, format="webp")
    picture = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
    shown = [one["name"] for one in data["maps"][:2]]
    alternative = f"A colour composite of the scene beside the class maps {' and '.join(shown)}, with their legend."
    caption = "This picture stands in for an interactive map, which needs scripts."
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    return Html(PAGE.format(still=picture, alternative=escape(alternative), caption=caption, data=text))
