"""Write polygons to a vector file, whole or not at all, with a style for QGIS."""

import sqlite3
from pathlib import Path

import geopandas as gpd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from ...errors import InputError
from ...outputs import check_place, writing
from .parquet import SUFFIX, require_writer, write_geoparquet
from .styles import add_style

#: Formats that keep outlines, CRS and all columns.
FORMATS = (".gpkg", ".geojson", ".fgb", ".shp", SUFFIX)
#: Bytes of an empty GeoPackage, and of a polygon in it.
EMPTY, POLYGON = 100_000, 300
#: What libraries raise when they cannot write.
ERRORS = (DataLayerError, DataSourceError, sqlite3.Error)


def check_target(path: Path, polygons: int) -> None:
    """Raise `InputError` unless about so many polygons can be written to a new file: before they are drawn."""
    if path.exists() and path.is_file():
        raise InputError(f"{path} is there already.", "Name another file.", kind="output.place")
    if path.suffix.lower() not in FORMATS:
        raise InputError(
            f"{path} has the ending {path.suffix or 'of no format'}.", f"Name a file with one of {', '.join(FORMATS)}.",
            kind="output.format",
        )  # fmt: skip
    if path.suffix.lower() == SUFFIX:
        require_writer()
    check_place(path, needed=EMPTY + POLYGON * polygons)


def write_polygons(polygons: gpd.GeoDataFrame, path: Path, style: str = "") -> None:
    """Write polygons with all their columns to a vector file of one of `FORMATS`; a file that is there is replaced.

    `style`: QML of `styles`, which QGIS applies when it opens the file; empty: none. Raises `InputError` where the file
    cannot be written, and when its disk is full.
    """
    with writing(path, needed=EMPTY + POLYGON * len(polygons), errors=ERRORS) as part:
        if path.suffix.lower() == SUFFIX:
            write_geoparquet(polygons, part)
        else:
            _write(polygons, part)
        if style:
            add_style(part, part.stem, style)


def _write(polygons: gpd.GeoDataFrame, part: Path) -> None:
    polygons.to_file(part, layer=part.stem)
    if pyogrio.read_info(part, layer=part.stem)["features"] != len(polygons):  # GDAL may keep silent when it closes it
        raise DataLayerError(f"not all of the {len(polygons)} polygons were written")
