"""Tables of points: CSV files with coordinates in columns or as text."""

import csv
import warnings
from io import StringIO
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ...errors import InputError, InputWarning
from .encodings import choose_encoding

#: Columns of coordinates in degrees (longitude, latitude), by their letters and digits alone; those of a place that should
#: be observed come before those of the observer.
DEGREES: tuple[tuple[str, str], ...] = (
    ("longitude", "latitude"),
    ("lon", "lat"),
    ("long", "lat"),
    ("lng", "lat"),
    ("thlong", "thlat"),
    ("xlon", "ylat"),
)
DEGREES += (("lonwgs84", "latwgs84"), ("pointlon", "pointlat"), ("gpslong", "gpslat"), ("gpslon", "gpslat"))
#: Columns of coordinates in degrees or in a projection.
PLANE = (
    ("x", "y"),
    ("easting", "northing"),
    ("xcoord", "ycoord"),
    ("pointx", "pointy"),
    ("coordx", "coordy"),
    ("e", "n"),
)
#: Columns of geometries as text (WKT).
TEXTS = ("geometry", "geom", "wkt", "thegeom", "samplegeom", "wktgeom", "wktgeometry")
#: LUCAS writes this for a place that is not known.
NOWHERE = 88.888888


def read_points(path: Path, encoding: str = "") -> gpd.GeoDataFrame:
    """The rows of a CSV file with their places; a row without one has no geometry.

    The separator is a comma, semicolon or tab, decimals have a point or, between other separators, a comma. Places are
    columns of coordinates like longitude and latitude, or x and y, or one of geometries as text. Coordinates that cannot be
    degrees are in the scene's CRS: the table then has none. Raises `InputError` for a file without places.
    """
    content = path.read_bytes()
    text = content.decode(choose_encoding(content, "", path.name, encoding)).removeprefix("\ufeff")
    first = text.partition("\n")[0]
    separator = max(",;\t|", key=first.count)
    try:
        rows = list(csv.reader(StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise _unreadable(path, str(error)) from error
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if len(rows) < 2 or any(len(row) > len(rows[0]) for row in rows):
        raise _unreadable(path, "it has no rows" if len(rows) < 2 else "rows have more cells than the first line")
    width = len(rows[0])
    table = pd.DataFrame(
        [row + [""] * (width - len(row)) for row in rows[1:]], columns=[name.strip() for name in rows[0]]
    )
    places, geographic = _places(table, path)
    crs = "EPSG:4326" if geographic else None
    return gpd.GeoDataFrame(table.drop(columns="geometry", errors="ignore"), geometry=places, crs=crs)


def _unreadable(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path} holds no polygons and no table of points: {reason}.",
        "Write columns longitude, latitude and code, or a GeoPackage.",
        kind="labels.file",
    )


def _places(table: pd.DataFrame, path: Path) -> tuple[np.ndarray, bool]:
    """The geometry of each row, and whether coordinates are degrees."""
    known = {"".join(letter for letter in name.lower() if letter.isalnum()): name for name in table.columns}
    for x, y in (*DEGREES, *PLANE):
        if x in known and y in known:
            return _from_columns(table[known[x]], table[known[y]], path)
    for name in TEXTS:
        if name in known:
            shapes = shapely.from_wkt(
                table[known[name]].where(table[known[name]] != "", None).to_numpy(object), "ignore"
            )
            if any(shape is not None for shape in shapes):
                return shapes, _are_degrees(shapely.total_bounds(shapes))
    raise _unreadable(path, f"no columns of coordinates among {', '.join(table.columns)}")


def _from_columns(x: pd.Series, y: pd.Series, path: Path) -> tuple[np.ndarray, bool]:
    values = [pd.to_numeric(column.str.strip().str.replace(",", "."), errors="coerce").to_numpy() for column in (x, y)]
    nowhere = np.isnan(values[0] + values[1]) | (np.isclose(values, NOWHERE, atol=1e-5)).any(axis=0)
    if nowhere.all():
        raise _unreadable(path, f"no row has numbers in {x.name} and {y.name}")
    places = np.full(len(x), None, object)
    places[~nowhere] = shapely.points(values[0][~nowhere], values[1][~nowhere])
    finite = np.isfinite(values).all(axis=0)
    fits = _are_degrees(shapely.total_bounds(places[finite]))
    if not fits:
        problem = (
            f"{path.name}: {x.name} and {y.name} are no degrees; they are taken for coordinates in the scene's CRS."
        )
        fix = "If they are not, write degrees, or a GeoPackage with its CRS."
        warnings.warn(InputWarning(problem, fix, kind="labels.crs"), stacklevel=2)
    return places, fits


def _are_degrees(bounds) -> bool:
    left, bottom, right, top = bounds
    return -180 <= left <= right <= 360 and -90 <= bottom <= top <= 90
