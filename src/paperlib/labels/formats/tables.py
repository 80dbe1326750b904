"""Tables of points: CSV files with coordinates in columns or as text."""

import csv
import re
from io import StringIO
from pathlib import Path

import geopandas as gpd
import pandas as pd

from ...errors import InputError
from .encodings import choose_encoding
from .places import places_of

SEPARATOR = re.compile(r"sep=(.)\r?\n")


def read_points(path: Path, encoding: str = "") -> gpd.GeoDataFrame:
    """The rows of a CSV file with their places; a row without one has no geometry.

    The separator is a comma, semicolon or tab, decimals have a point or, between other separators, a comma. Places are
    columns of coordinates like longitude and latitude, or x and y, or one of places or geometries as text. Coordinates
    that cannot be degrees are in the scene's CRS: the table then has none. Raises `InputError` for a file without places.
    """
    content = path.read_bytes()
    text = content.decode(choose_encoding(content, "", path.name, encoding)).removeprefix("\ufeff")
    said = SEPARATOR.match(text)  # Excel's own line
    text = text[said.end() :] if said else text
    while text.startswith("#"):
        text = text.partition("\n")[2]
    first = text.partition("\n")[0]
    separator = said[1] if said else max(",;\t|", key=first.count)
    try:
        rows = list(csv.reader(StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise _unreadable(path, str(error)) from error
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    rows = [row[: len(rows[0])] if not any(cell.strip() for cell in row[len(rows[0]) :]) else row for row in rows]
    if len(rows) < 2 or any(len(row) > len(rows[0]) for row in rows):
        raise _unreadable(path, "it has no rows" if len(rows) < 2 else "rows have more cells than the first line")
    width = len(rows[0])
    table = pd.DataFrame(
        [row + [""] * (width - len(row)) for row in rows[1:]], columns=[name.strip() for name in rows[0]]
    )
    try:
        places, geographic = places_of(table, path.name)
    except ValueError as error:
        raise _unreadable(path, str(error)) from error
    crs = "EPSG:4326" if geographic else None
    return gpd.GeoDataFrame(table.drop(columns="geometry", errors="ignore"), geometry=places, crs=crs)


def _unreadable(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} holds no polygons and no table of points: {reason}.",
        "Write columns longitude, latitude and code, or a GeoPackage.",
        kind="labels.file",
    )
