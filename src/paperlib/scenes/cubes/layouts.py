"""Layouts of cubes beside the usual one: groups, images without time, a variable for each date and band."""

import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from ...errors import NOTHING_TO_DO, InputError, InputWarning
from ..chunks.arrays import Chunked, read_through
from ..chunks.hdf5 import deflated_arrays
from ..meaning.dates_in_names import find_dates
from ..meaning.names import band_key
from ..quality import rule_of

AS_STORED: dict[str, Any] = {
    "decode_coords": "all", "mask_and_scale": False, "decode_times": False, "chunks": None, "cache": False,
}  # fmt: skip
#: Attributes of a file of one date that say which.
DATES = (
    "time_coverage_start",
    "start_date",
    "acquisition_date",
    "sensing_time",
    "datetime",
    "date",
    "product_start_time",
)
#: Coordinates beside the names of bands that say what bands are.
NAMES = ("common_name", "band_name", "band_names", "name", "long_name", "title", "eo:common_name")


def open_dataset(path: Path) -> xr.Dataset:
    """The variables of a NetCDF file or Zarr folder as they are stored; of several groups, the one that has images.

    Raises `InputError` where it cannot be read, and where several groups have images.
    """
    cube = _open(path)
    groups = [] if any(variable.ndim > 1 for variable in cube.data_vars.values()) else _groups(path)
    opened = {name: _open(path, name) for name in groups}
    held = {name: group for name, group in opened.items() if any(v.ndim > 1 for v in group.data_vars.values())}
    if not held:
        return cube
    if len(held) > 1:
        raise InputError(
            f"{path} has images in several groups: {', '.join(held)}.",
            "Write those of one group, or all on one grid, into a file of their own with xarray.", kind="scene.groups",
        )  # fmt: skip
    ((name, group),) = held.items()
    coords = {key: value for key, value in cube.variables.items() if key not in group.variables and value.ndim <= 1}
    problem = f"{path}: its group {name.strip('/')} is read, which alone has images."
    warnings.warn(InputWarning(problem, NOTHING_TO_DO, kind="scene.groups"), stacklevel=4)
    return group.assign_coords(coords)


def _groups(path: Path) -> list[str]:
    try:
        return [name for name in xr.open_groups(path, engine=_engine(path), **AS_STORED) if name != "/"]
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, NotImplementedError):
        return []  # of a format without groups


def _engine(path: Path) -> str | None:
    return "zarr" if path.is_dir() else None


def _open(path: Path, group: str | None = None) -> xr.Dataset:
    find: Callable[[Path, str | None, Iterable[str]], Mapping[str, Chunked]] = deflated_arrays
    if path.is_dir():
        from ..chunks.zarr_folders import stored_arrays as find  # here, since zarr takes a good part of a second
    try:
        with warnings.catch_warnings():
            # Of a grid mapping that is named and not there: the CRS is looked for elsewhere.
            warnings.filterwarnings("ignore", "Variable.s. referenced in grid_mapping")
            warnings.filterwarnings("ignore", "Failed to open Zarr store with consolidated metadata")
            cube = xr.open_dataset(path, engine=_engine(path), group=group, **AS_STORED)
            return read_through(cube, find(path, group, map(str, cube.data_vars)))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]  # xarray goes on to recommend its own documentation
        raise InputError(
            f"{path} cannot be read as a NetCDF or Zarr cube ({reason}).", "Is it complete?", kind="scene.unreadable"
        ) from error


def band_names(cube: xr.Dataset) -> list[str]:
    """Names along the dimension band; those of a coordinate beside it where the dimension only counts them."""
    names = [_text(band) for band in cube["band"].values]
    if any(map(band_key, names)):
        return names
    for key in NAMES:
        if key in cube.coords and cube[key].dims == ("band",):
            others = [_text(name) for name in cube[key].values]
            if all(map(band_key, others)):
                return others
    attrs = [cube["band"].attrs, *(variable.attrs for variable in cube.data_vars.values()), cube.attrs]
    for value in (each[key] for each in attrs for key in NAMES if key in each):
        others = [_text(name) for name in np.ravel(value)]
        if len(others) == len(names) and all(map(band_key, others)):
            return others
    return names


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def with_planes(cube: xr.Dataset) -> xr.Dataset:
    """The cube with its images of one date and band each, named like "B02_20180515", joined along time."""
    if any({"time", "y", "x"} <= set(variable.dims) for variable in cube.data_vars.values()):
        return cube
    planes: dict[str, dict[pd.Timestamp, xr.DataArray]] = {}
    used = []
    for name, variable in cube.data_vars.items():
        images: list[tuple[str, xr.DataArray]]
        if set(variable.dims) == {"y", "x"}:
            said = str(variable.attrs.get("long_name", ""))
            images = [(said if find_dates(said)[0] else str(name), variable)]
        elif set(variable.dims) == {"band", "y", "x"} and np.size(texts := variable.attrs.get("long_name", ())) > 1:
            images = [
                (str(text), variable.isel(band=n)) for n, text in enumerate(np.ravel(texts)[: variable.sizes["band"]])
            ]
        else:
            continue
        for text, image in images:
            dates, rest = find_dates(text)
            band = next((part for part in re.split(r"[_.\s()]+", rest) if band_key(part) or rule_of(part)), "")
            if not dates or not band:
                return cube
            planes.setdefault(band, {})[dates[0]] = image
        used.append(name)
    days = sorted({day for found in planes.values() for day in found})
    if not planes or any(len(found) != len(days) for found in planes.values()):
        return cube
    joined = {}
    for band, found in planes.items():
        parts = [found[day].drop_vars("band", errors="ignore").chunk() for day in days]  # so that they stay on disk
        joined[band] = xr.concat(parts, "time", coords="minimal", compat="override", join="override")
        joined[band].attrs.pop("long_name", None)
    others = cube.drop_vars(used).drop_dims("band", errors="ignore")
    return others.assign(joined).assign_coords(time=("time", pd.DatetimeIndex(days)))


def with_time(cube: xr.Dataset, path: Path) -> xr.Dataset:
    """The cube with a dimension time, of one date where it has none: by a coordinate, an attribute, or the file's name.

    Dimensions of one value are dropped.
    """
    extra = [name for name, size in cube.sizes.items() if size == 1 and name not in ("band", "time", "y", "x")]
    cube = cube.squeeze(extra, drop=True)
    if "time" in cube.dims:
        return cube
    if "time" in cube.coords:
        return cube.expand_dims("time")
    day = _date_of(cube, path)
    if day is None or not any({"y", "x"} <= set(variable.dims) for variable in cube.data_vars.values()):
        return cube
    images = [name for name, variable in cube.data_vars.items() if {"y", "x"} <= set(variable.dims)]
    return cube.assign({name: cube[name].expand_dims(time=[day]) for name in images})


def _date_of(cube: xr.Dataset, path: Path) -> pd.Timestamp | None:
    attrs = {str(key).lower(): value for key, value in cube.attrs.items()}
    for text in (*(attrs.get(key) for key in DATES), path.name):
        days = find_dates(str(text))[0] if text else []
        if days:
            return days[0]
    return None
