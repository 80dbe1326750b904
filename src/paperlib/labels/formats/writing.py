"""Write labelled polygons to a vector file, whole or not at all."""

from pathlib import Path

import geopandas as gpd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from ...errors import InputError
from ...outputs import check_place, writing
from .parquet import SUFFIX, require_writer, write_geoparquet

#: Formats that keep outlines, CRS and all columns.
FORMATS = (".gpkg", ".geojson", ".fgb", ".shp", SUFFIX)
#: Bytes of an empty GeoPackage, and of a polygon in it.
EMPTY, POLYGON = 100_000, 300


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


def write_polygons(polygons: gpd.GeoDataFrame, path: Path) -> None:
    """Write polygons with all their columns to a vector file of one of `FORMATS`; a file that is there is replaced.

    Raises `InputError` where it cannot be written, and when its disk is full.
    """
    with writing(path, needed=EMPTY + POLYGON * len(polygons), errors=(DataLayerError, DataSourceError)) as part:
        if path.suffix.lower() == SUFFIX:
            write_geoparquet(polygons, part)
            return
        polygons.to_file(part)
        if pyogrio.read_info(part)["features"] != len(polygons):  # GDAL may keep silent when it closes a file
            raise DataLayerError(f"not all of the {len(polygons)} polygons were written")
