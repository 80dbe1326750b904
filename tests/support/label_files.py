"""Labels of eight classes in squares, as many tests of label files write them, and how these read them."""

import warnings

import geopandas as gpd
import numpy as np
import pytest
import rioxarray  # noqa: F401  (gives .rio)
import shapely
import xarray as xr

from paperlib import nomenclature
from paperlib.errors import InputError, InputWarning
from paperlib.labels import legend_of, load_polygons

LEFT, TOP, SIZE = 350000, 4840000, 100
BOUNDS = (LEFT, TOP - 10 * SIZE, LEFT + 10 * SIZE, TOP)
PLACE = {"crs": 32631, "bounds": BOUNDS, "pixel": (10.0, 10.0)}
CLASSES = nomenclature.read_nomenclature("clcplus")
#: Classes of one's own, as French field surveys have them.
OWN = {2: "Forêt", 5: "Pré fauché", 9: "Bâti", 40: "Bœuf – pâture"}


def squares() -> gpd.GeoDataFrame:
    """Six squares of 30 m of each of eight classes: four of the pool, two of the test set."""
    rows = [(cover, number) for cover in CLASSES for number in range(6)]
    squares = [shapely.box(x, y - 30, x + 30, y) for x, y in map(corner, range(len(rows)))]
    return gpd.GeoDataFrame(
        {
            "polygon_id": range(1, len(rows) + 1),
            "code": [cover.code for cover, _ in rows],
            "class_name": [cover.name for cover, _ in rows],
            "set": ["test" if number > 3 else "pool" for _, number in rows],
        },
        geometry=squares,
        crs=32631,
    )


def corner(number: int) -> tuple[float, float]:
    """Upper left corner of the square of a number, 100 m from the next."""
    return LEFT + 20 + 100 * (number % 9), TOP - 20 - 100 * (number // 9)


def scene() -> xr.DataArray:
    y, x = TOP - 5 - 10 * np.arange(SIZE), LEFT + 5 + 10 * np.arange(SIZE)
    return xr.DataArray(np.zeros((SIZE, SIZE)), coords={"y": y, "x": x}, dims=("y", "x")).rio.write_crs(32631)


def load(path, **choices) -> gpd.GeoDataFrame:
    """The labels, and what was said of them in `.attrs["said"]`: kind -> text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        polygons = load_polygons(path, **PLACE, **choices)
    polygons.attrs["said"] = {
        warning.message.kind: str(warning.message) for warning in caught if isinstance(warning.message, InputWarning)
    }
    return polygons


def error(path, **choices) -> InputError:
    with pytest.raises(InputError) as caught, warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        load_polygons(path, **PLACE, **choices)
    return caught.value


def names(polygons) -> set[str]:
    return {cover.name for cover in legend_of(polygons)}
