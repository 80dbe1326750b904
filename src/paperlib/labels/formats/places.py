"""Places in the columns of a table: coordinates in degrees or in a projection, geometries as text."""

import re
import warnings
from itertools import product

import numpy as np
import pandas as pd
import shapely

from ...errors import InputWarning

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
#: Words of names of columns that survey programs write beside others: _gps_latitude, location-Latitude, lat_1_Location.
WORDS = {"longitude": "latitude", "long": "lat", "lon": "lat", "lng": "lat"}
#: Columns of one place as text, latitude first: "43.65 1.22 120 4.5".
POINTS = ("gps", "location", "geopoint", "geolocation", "coordinates", "coords", "position", "latlon", "latlong")
PAIR = re.compile(r"\s*(-?\d{1,2}\.\d+)[\s,;]+(-?\d{1,3}\.\d+)(?:[\s,;]+-?[\d.]+)*\s*")
#: Degrees, minutes and seconds, like `43°39'12.5"N`.
SEXAGESIMAL = re.compile(
    r"\s*(?P<before>[NSEWO])?\s*(?P<d>\d{1,3})\s*[°ºd:\s]\s*(?P<m>\d{1,2}(?:\.\d+)?)\s*['′’m:\s]\s*"
    r"(?:(?P<s>\d{1,2}(?:\.\d+)?)\s*(?:[\"″”s]|''|’’)?)?\s*(?P<after>[NSEWO])?\s*", re.IGNORECASE,
)  # fmt: skip


def places_of(table: pd.DataFrame, name: str) -> tuple[np.ndarray, bool]:
    """The geometry of each row of texts, and whether coordinates are degrees; `name` of the file is for messages.

    Raises `ValueError` that says what was looked for where no row has a place.
    """
    known = {"".join(letter for letter in name.lower() if letter.isalnum()): name for name in table.columns}
    pairs = [(known[x], known[y]) for x, y in DEGREES if x in known and y in known] or _pairs(table)
    pairs += [(known[x], known[y]) for x, y in PLANE if x in known and y in known]
    if pairs:
        return _from_columns(table[pairs[0][0]], table[pairs[0][1]], name)
    for column in (known[text] for text in POINTS if text in known):
        matches = [PAIR.fullmatch(text) for text in table[column]]
        if any(matches):
            parts = [(match[2], match[1]) if match else ("", "") for match in matches]
            x, y = (pd.Series(values, name=column, dtype=object) for values in zip(*parts, strict=True))
            return _from_columns(x, y, name)
    for column in (known[text] for text in TEXTS if text in known):
        shapes = shapely.from_wkt(table[column].where(table[column] != "", None).to_numpy(object), "ignore")
        if any(shape is not None for shape in shapes):
            return shapes, _are_degrees(shapely.total_bounds(shapes))
    raise ValueError(f"no columns of coordinates among {', '.join(table.columns)}")


def _pairs(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Columns of longitude and latitude whose names have a word for each and are the same otherwise."""
    words = {
        name: [word.lower() for word in re.findall(r"[A-Za-z][a-z]*|\d+", name)] for name in map(str, table.columns)
    }
    found = []
    for (x, left), (y, right) in product(words.items(), repeat=2):
        places = [place for place, word in enumerate(left) if word in WORDS]
        if len(places) == 1 and right == [*left[: places[0]], WORDS[left[places[0]]], *left[places[0] + 1 :]]:
            found.append((x, y))
    return found


def _degrees(text: str) -> float:
    """A number, or degrees with minutes and seconds; NaN of anything else."""
    try:
        return float(text.strip().replace(",", ".")) if text.strip() else np.nan
    except ValueError:
        match = SEXAGESIMAL.fullmatch(text.replace(",", "."))
    if not match:
        return np.nan
    value = float(match["d"]) + float(match["m"]) / 60 + float(match["s"] or 0) / 3600
    return -value if (match["before"] or match["after"] or "N").upper() in "SWO" else value


def _from_columns(x: pd.Series, y: pd.Series, name: str) -> tuple[np.ndarray, bool]:
    values = [np.array([_degrees(text) for text in column]) for column in (x, y)]
    nowhere = np.isnan(values[0] + values[1]) | (np.isclose(values, NOWHERE, atol=1e-5)).any(axis=0)
    if nowhere.all():
        raise ValueError(f"no row has numbers in {x.name} and {y.name}")
    places = np.full(len(x), None, object)
    places[~nowhere] = shapely.points(values[0][~nowhere], values[1][~nowhere])
    finite = np.isfinite(values).all(axis=0)
    fits = _are_degrees(shapely.total_bounds(places[finite]))
    if not fits:
        problem = f"{name}: {x.name} and {y.name} are no degrees; they are taken for coordinates in the scene's CRS."
        fix = "If they are not, write degrees, or a GeoPackage with its CRS."
        warnings.warn(InputWarning(problem, fix, kind="labels.crs"), stacklevel=2)
    return places, fits


def _are_degrees(bounds) -> bool:
    left, bottom, right, top = bounds
    return -180 <= left <= right <= 360 and -90 <= bottom <= top <= 90
