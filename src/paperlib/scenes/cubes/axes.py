"""Axes of a cube: which dimension is which, dates, coordinate reference system, pixel grid."""

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import rioxarray  # noqa: F401  (gives every xarray object its .rio)
import xarray as xr
from affine import Affine
from rasterio.crs import CRS

from ...errors import NOTHING_TO_DO, InputError, InputWarning
from ..meaning.choices import Choices
from ..meaning.dates import parse_dates
from ..meaning.dates_in_names import DAY_OF_YEAR, find_dates
from ..rasters import Grid

#: Names of dimensions, in small letters, by what they are here.
DIMENSIONS = {
    "time": ("time", "t", "date", "dates", "datetime", "times", "valid_time", "acquisition_date", "day"),
    "band": ("band", "bands", "variable", "variables", "channel", "channels", "spectral", "wavelength"),
    "y": ("y", "lat", "latitude", "northing", "northings", "yc", "y_coord", "row", "rows", "rlat", "nav_lat"),
    "x": ("x", "lon", "longitude", "long", "easting", "eastings", "xc", "x_coord", "col", "column", "columns", "rlon"),
}  # fmt: skip
STANDARD_NAMES = {
    "projection_x_coordinate": "x", "longitude": "x", "projection_y_coordinate": "y", "latitude": "y", "time": "time",
}  # fmt: skip
CRS_ATTRIBUTES = ("crs", "crs_wkt", "spatial_ref", "epsg", "proj:epsg", "proj:code", "projection")
LARGEST = 1e9  # of a coordinate, in the units of any CRS
MONTHS = re.compile(r"(?i)\s*months?\s+since\s+(\d{1,4})-(\d{1,2})(?:-(\d{1,2}))?\b.*")


def name_dimensions(cube: xr.Dataset) -> xr.Dataset:
    """The cube with its dimensions called band, time, y and x, by CF attributes of their coordinates or by their names."""
    renamed = {}
    for name in map(str, cube.dims):
        known = _by_attributes(cube.variables[name].attrs) if name in cube.variables else None
        known = known or next((key for key, names in DIMENSIONS.items() if name.lower() in names), None)
        if known and known != name:
            renamed[name] = known
    taken = {name for name in map(str, cube.dims) if name not in renamed}
    renamed = {name: known for name, known in renamed.items() if known not in taken}
    twice = [known for known in renamed.values() if list(renamed.values()).count(known) > 1]
    renamed = {name: known for name, known in renamed.items() if known not in twice}
    clash = {known: f"{known}_of_file" for known in renamed.values() if known in cube.variables}
    return cube.rename(clash).rename(renamed)


def _by_attributes(attrs: dict[str, Any]) -> str | None:
    standard = STANDARD_NAMES.get(str(attrs.get("standard_name", "")).lower())
    if standard:
        return standard
    units = str(attrs.get("units", "")).lower()
    if units in ("degrees_north", "degree_north"):
        return "y"
    if units in ("degrees_east", "degree_east"):
        return "x"
    return {"x": "x", "y": "y", "t": "time"}.get(str(attrs.get("axis", "")).lower())


def decode_times(cube: xr.Dataset, path: Path) -> xr.Dataset:
    """The cube with its coordinate time as dates; "months since", which xarray cannot read, among others."""
    if "time" not in cube.variables:
        return cube
    variable = cube["time"].variable
    match = MONTHS.fullmatch(str(variable.attrs.get("units", "")))
    try:
        if match:
            months = np.asarray(variable.values, float)
            start = np.datetime64(f"{int(match[1]):04}-{int(match[2]):02}", "M")
            days = (start + np.rint(months).astype(int)).astype("datetime64[ns]")
            days = days + np.timedelta64(int(match[3] or 1) - 1, "D")
        elif "units" in variable.attrs:
            days = xr.conventions.decode_cf_variable("time", variable).values
        else:
            return cube
    except (ValueError, OverflowError, TypeError) as error:
        raise InputError(
            f"{path}: its dates cannot be read ({str(error).splitlines()[0].split('. Try')[0]}).",
            "Write them with xarray, or as 'days since 1970-01-01'.", kind="scene.dates",
        ) from error  # fmt: skip
    return cube.assign_coords(time=(variable.dims, days))


def crs_of(path: Path, cube: xr.Dataset) -> CRS:
    """The CRS of a cube: of its grid mapping, of attributes and coordinates that programs write, or of degrees alone."""
    try:
        crs = cube.rio.crs
    except (ValueError, RuntimeError, TypeError, AttributeError) as error:  # those of encoding, rasterio and pyproj
        raise InputError(
            f"{path}: its CRS cannot be read ({str(error)[:200]}).", "Write one with rioxarray.", kind="scene.crs"
        ) from error
    if crs is not None:
        return crs
    mappings = [variable.attrs for variable in cube.variables.values() if "grid_mapping_name" in variable.attrs]
    for text in [*_crs_texts(cube), *mappings]:
        try:
            found = pyproj.CRS.from_cf(text) if isinstance(text, dict) else pyproj.CRS.from_user_input(text)
            return CRS.from_wkt(found.to_wkt())
        except (pyproj.exceptions.CRSError, ValueError, TypeError, KeyError):
            continue
    if _in_degrees(cube):
        warnings.warn(
            InputWarning(
                f"{path} names no CRS; its coordinates are taken for degrees of WGS 84 (EPSG:4326).",
                "If they are others, write the CRS with rioxarray.", kind="scene.crs",
            ),
            stacklevel=4,
        )  # fmt: skip
        return CRS.from_epsg(4326)
    raise InputError(
        f"{path} has no CRS.", "Write one with rioxarray: cube.rio.write_crs('EPSG:32631').", kind="scene.crs"
    )


def _crs_texts(cube: xr.Dataset) -> list[Any]:
    """What a file says of its CRS, in order of trust: variables that hold a CRS, coordinates of a code, attributes."""
    texts: list[Any] = []
    for variable in cube.variables.values():
        for key in ("crs_wkt", "spatial_ref", "proj4", "esri_pe_string", "epsg_code"):
            value = variable.attrs.get(key)
            texts.append(_joined(value) if isinstance(value, np.ndarray | list | tuple) else value)
    for name in ("epsg", "proj:epsg", "proj:code"):
        if name in cube.variables and cube[name].size:
            texts.append(cube[name].values.ravel()[0])
    for attrs in (cube.attrs, *(variable.attrs for variable in cube.data_vars.values())):
        texts += [attrs.get(key) for key in CRS_ATTRIBUTES]
    return [int(text) if isinstance(text, np.integer | np.floating) else text for text in texts if text is not None]


def _joined(value: Any) -> str:
    """A text that a program stored as characters."""
    return "".join(
        part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in np.ravel(value)
    )


def _in_degrees(cube: xr.Dataset) -> bool:
    """Whether x and y can only be degrees: by their units or former names, and their range."""
    x, y = np.asarray(cube["x"].values, float), np.asarray(cube["y"].values, float)
    fits = np.abs(x).max() <= 360 and np.abs(y).max() <= 90
    named = any("degree" in str(cube[axis].attrs.get("units", "")).lower() for axis in "xy")
    standard = {cube[axis].attrs.get("standard_name") for axis in "xy"} == {"longitude", "latitude"}
    return bool(fits and (named or standard or cube.attrs.get("_geographic")))


def step_of(path: Path, cube: xr.Dataset, axis: str) -> float:
    """Signed pixel size along an axis. Raises `InputError` unless the coordinate is regular."""
    places = cube[axis].values
    if places.ndim != 1 or places.size < 2 or places.dtype.kind not in "iuf":
        raise InputError(
            f"{path}: coordinate {axis} has shape {places.shape}.",
            "Two or more centres are expected.",
            kind="scene.grid",
        )
    if lost := int((~(np.abs(places) < LARGEST)).sum()):
        raise InputError(
            f"{path}: {lost} of {places.size} values of coordinate {axis} are no places.",
            "Write the cube again.",
            kind="scene.grid",
        )
    step = (float(places[-1]) - float(places[0])) / (places.size - 1)
    if not step or np.abs(places - (float(places[0]) + step * np.arange(places.size))).max() > _tolerance(places, step):
        raise InputError(
            f"{path}: coordinate {axis} is not regular.", "Resample the cube to a regular grid.", kind="scene.grid"
        )
    return step


def _tolerance(places: np.ndarray, step: float) -> float:
    """A hundredth of a pixel, and what a float of this type cannot tell apart."""
    rounding = np.abs(places).max() * np.finfo(places.dtype).eps if places.dtype.kind == "f" else 0.0
    return abs(step) / 100 + rounding


def grid_of(path: Path, cube: xr.Dataset, choices: Choices, sensor: str) -> Grid:
    """Grid of a cube whose x and y ascend or descend regularly; its transform may point north or south.

    Raises `InputError` without a CRS and for a rotated grid.
    """
    crs = crs_of(path, cube)
    try:
        stored = cube.rio.transform()
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        raise InputError(
            f"{path}: its transform cannot be read ({str(error)[:200]}).", "Write the cube again.", kind="scene.grid"
        ) from error
    if stored.b or stored.d:
        raise InputError(
            f"{path} is rotated: its transform is {tuple(stored)[:6]}.",
            "Bring it to a north-up grid.",
            kind="scene.grid",
        )
    width, height = step_of(path, cube, "x"), step_of(path, cube, "y")
    left, top = (float(cube[axis].values[0]) for axis in ("x", "y"))
    if unit := _kilometres(path, cube, crs):
        width, height, left, top = (unit * value for value in (width, height, left, top))
    if _is_corner(path, cube, crs, choices.pixel, (width, height), sensor):
        # The upper left corner, wherever the axis runs.
        left, top = left - min(width, 0), top - max(height, 0)
    else:
        left, top = left - width / 2, top - height / 2
    return Grid(crs, Affine(width, 0, left, 0, height, top), cube.sizes["y"], cube.sizes["x"])


def _kilometres(path: Path, cube: xr.Dataset, crs: CRS) -> float | None:
    """Units of the CRS in a kilometre where x and y are in kilometres and the CRS is not, with a warning; else None."""
    units = {str(cube[axis].attrs.get("units", "")).lower() for axis in "xy"}
    own = 1.0 if crs.is_geographic else crs.linear_units_factor[1]
    if crs.is_geographic or own > 100 or not units <= {"km", "kilometer", "kilometre", "kilometers", "kilometres"}:
        return None
    warnings.warn(
        InputWarning(
            f"{path}: x and y are in kilometres; they are brought to the units of its CRS.", NOTHING_TO_DO,
            kind="scene.grid",
        ),
        stacklevel=4,
    )  # fmt: skip
    return 1000 / own


def _is_corner(path: Path, cube: xr.Dataset, crs: CRS, pixel: str, step: tuple[float, float], sensor: str) -> bool:
    """Whether x and y are the pixels' upper left corners: stackstac's default, which its attributes give away."""
    if pixel:
        return pixel == "corner"
    x, y = float(cube["x"].values[0]), float(cube["y"].values[0])
    whole = all(abs(place / size - round(place / size)) < 1e-6 for place, size in ((x, step[0]), (y, step[1])) if size)
    if not whole:
        return False
    attrs = [cube.attrs, *(variable.attrs for variable in cube.data_vars.values())]
    names = [str(name) for name in cube.data_vars]
    stackstac = any(name.startswith("stackstac") for name in names) or any(
        "resolution" in each and ("crs" in each or "spec" in each) for each in attrs
    )
    mapping = cube.coords.get(cube.rio.grid_mapping)
    transform = str(mapping.attrs.get("GeoTransform", "")).split() if mapping is not None else []
    from_corner = len(transform) == 6 and (float(transform[0]), float(transform[3])) == (x, y)
    if stackstac or from_corner:
        warnings.warn(
            InputWarning(
                f"{path}: x and y are taken for the upper left corners of pixels, as stackstac writes them.",
                "To confirm, say --pixel corner; if they are centres, --pixel centre.", kind="scene.pixel",
            ),
            stacklevel=4,
        )  # fmt: skip
        return True
    if sensor in ("sentinel-2", "hls-s30", "hls-l30") and not crs.is_geographic:
        warnings.warn(
            InputWarning(
                f"{path}: x and y are whole multiples of the pixel size, as corners of Sentinel-2's pixels are; they are "
                "taken for centres.",
                "If they are upper left corners, say --pixel corner; to confirm, --pixel centre.", kind="scene.pixel",
            ),
            stacklevel=4,
        )  # fmt: skip
    return False


def time_values(cube: xr.Dataset, path: Path) -> pd.DatetimeIndex:
    """Acquisition times of a cube, in its order. Raises `InputError` for what is no date."""
    values = cube["time"].values
    if values.dtype.kind != "M":
        return parse_times(values, path)
    if np.isnat(values).any():
        raise InputError(f"Dates of {path}: NaT found, dates like 2018-08-15 are expected.", kind="scene.dates")
    return pd.DatetimeIndex(values).as_unit("ns")


def parse_times(values: np.ndarray, path: Path) -> pd.DatetimeIndex:
    """Dates of texts, or of numbers like 20180815, or 2018227 with the day of the year."""
    texts = [str(value).removesuffix(".0") for value in values.tolist()]
    if all(DAY_OF_YEAR.fullmatch(text) for text in texts):
        texts = [f"{day:%Y-%m-%d}" for text in texts for day in find_dates(text)[0]]
    return parse_dates(texts, path, several=True)
