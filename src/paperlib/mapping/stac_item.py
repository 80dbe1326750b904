"""The STAC item of a map: where it lies, what its files hold, how it was made."""

import re
from datetime import datetime
from importlib import metadata
from pathlib import Path

import antimeridian
import numpy as np
import pystac
import rasterio
import shapely
from pyproj import CRS, Transformer
from pystac.extensions.classification import Classification, ClassificationExtension
from pystac.extensions.projection import ProjectionExtension

from ..nomenclature import NODATA_CLASS, LandCover
from . import layers
from .scene_maps import NODATA_CONFIDENCE

#: The STAC extension "processing", for which pystac has no class.
PROCESSING = "https://stac-extensions.github.io/processing/v1.2.0/schema.json"
#: Vertices of the footprint on each side of the map: straight lines of its grid are none in degrees.
VERTICES = 20


def map_item(
    folder: Path,
    identifier: str,
    title: str,
    legend: tuple[LandCover, ...],
    period: tuple[datetime, datetime],
    facts: dict,
) -> pystac.Item:
    """The STAC item of the map in `folder` (see `runs.products`), with relative addresses of its files.

    Parameters
    ----------
    period: first and last date of the series that was classified, with time zone.
    facts: more properties, such as "created" and "processing:facility".

    The footprint of a map across the dateline is split there, as GeoJSON wants it, and its bbox has west > east.
    A CRS without code is described by WKT2.
    """
    with rasterio.open(folder / "class.tif") as file:
        crs, bounds, shape, transform = CRS.from_user_input(file.crs), file.bounds, file.shape, file.transform
    footprint = _footprint(crs, bounds)
    item = pystac.Item(
        id=identifier, geometry=shapely.geometry.mapping(footprint), bbox=antimeridian.bbox(footprint), datetime=None,
        start_datetime=period[0], end_datetime=period[1], stac_extensions=[PROCESSING],
        properties={"title": title, "processing:software": {"paperlib": metadata.version("paperlib")}, **facts},
    )  # fmt: skip
    code = crs.to_authority()
    ProjectionExtension.ext(item, add_if_missing=True).apply(
        code=":".join(code) if code else None, wkt2=None if code else crs.to_wkt(),
        shape=list(shape), transform=list(transform)[:6], bbox=list(bounds),
    )  # fmt: skip
    cog, csv = pystac.MediaType.COG, "text/csv"
    assets = {
        "class": ("class.tif", cog, "data", {"data_type": "uint8", "nodata": NODATA_CLASS}),
        "confidence": ("confidence.tif", cog, "data", {"data_type": "uint8", "unit": "%", "nodata": NODATA_CONFIDENCE}),
        **{
            name: (f"{name}.tif", cog, "data", fields)
            for name, fields in _more(legend).items()
            if (folder / f"{name}.tif").is_file()
        },
        "style": ("class.qml", "application/xml", "metadata", {}),
        "classes": ("classes.csv", csv, "metadata", {}),
        "areas": ("areas.csv", csv, "metadata", {}),
    }
    for key, (file, media, role, fields) in assets.items():
        item.add_asset(key, pystac.Asset(f"./{file}", media_type=media, roles=[role], extra_fields=fields))
    classes = ClassificationExtension.ext(item.assets["class"], add_if_missing=True)
    classes.apply([_classification(cover) for cover in legend])
    return item


def _more(legend: tuple[LandCover, ...]) -> dict[str, dict]:
    """Layers that a map may have beside classes and confidence, with what the item says of them."""
    percent = {"data_type": "uint8", "unit": "%", "nodata": NODATA_CONFIDENCE}
    bands = [{"name": cover.name, "data_type": "uint16", "scale": layers.STEP, "nodata": layers.NODATA_PROBABILITY}
             for cover in legend]  # fmt: skip
    far = {"data_type": "uint16", "scale": 0.001, "nodata": 65535}
    inside = {"data_type": "uint8", "nodata": 255}
    return {
        "margin": percent,
        "entropy": percent,
        "disagreement": percent,
        "dissimilarity": far,
        "applicability": inside,
        "probabilities": {"bands": bands},
    }


def _footprint(crs: CRS, bounds: tuple[float, float, float, float]) -> shapely.Geometry:
    """The outline of a grid in degrees; a multipolygon where it crosses the dateline."""
    left, bottom, right, top = bounds
    outline = shapely.segmentize(shapely.box(*bounds), max(right - left, top - bottom) / VERTICES)
    degrees = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    x, y = map(np.asarray, outline.exterior.coords.xy)
    places = np.transpose(degrees.transform(x, y, errcheck=True)).round(9)
    return antimeridian.fix_polygon(shapely.Polygon(places), fix_winding=True)


def _classification(cover: LandCover) -> Classification:
    """A class for the item; its name is for machines: letters, digits, - and _ alone."""
    name = f"{re.sub('[^0-9A-Za-z]+', '-', cover.name).strip('-')}-{cover.code}".lstrip("-")
    return Classification.create(
        value=cover.code, name=name, title=cover.name, color_hint=cover.colour.lstrip("#").upper(),
        description=f"Code {cover.source} of the labels" if cover.source else None,
    )  # fmt: skip
