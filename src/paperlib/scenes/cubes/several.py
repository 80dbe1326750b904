"""A folder of NetCDF files, each with some dates of one series."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from ...errors import InputError, InputWarning
from ..meaning.choices import Choices
from ..meaning.dates_in_names import find_dates
from ..rasters import Grid
from ..series import Series
from ..shaping.finish import finish_scene
from .cube import open_cube

YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
FILES = (".nc", ".nc4", ".cdf", ".h5", ".hdf5")


def find_cubes(folder: Path) -> list[Path]:
    """NetCDF files in a folder, in the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in FILES and not path.name.startswith("."))


def are_dates(paths: Sequence[Path]) -> bool:
    """Whether files are those of one place, by their names: they differ in a date or a year alone."""
    rests = set()
    for path in paths:
        days, rest = find_dates(path.stem)
        years = 0
        if not days:
            rest, years = YEAR.subn("_", rest)
        if not days and not years:
            return False
        rests.add(rest)
    return len(rests) == 1


class JoinedSeries:
    """Dates of several series as one; see `series.Series`. `places[t]`: the series, and the date there, of date t."""

    def __init__(self, parts: Sequence[Series], sizes: Sequence[int], places: Sequence[tuple[int, int]]):
        self.parts, self.sizes, self.places = list(parts), list(sizes), list(places)

    def read(self, y: slice, x: slice, out: np.ndarray) -> np.ndarray:
        """As `series.Series` says."""
        mask = np.empty(out.shape[1:], bool)
        for number in {part for part, _ in self.places}:
            values = np.empty((len(out), self.sizes[number], *out.shape[2:]), np.float32)
            gone = self.parts[number].read(y, x, values)
            for t, (part, date) in enumerate(self.places):
                if part == number:
                    out[:, t], mask[t] = values[:, date], gone[date]
        return mask

    def values(self, band: slice, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        dates = [self.parts[part].values(band, slice(date, date + 1), y, x) for part, date in self.places[time]]
        return np.concatenate(dates, axis=1)

    def mask(self, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        return np.concatenate([self.parts[part].mask(slice(date, date + 1), y, x) for part, date in self.places[time]])


def open_cubes(folder: Path, choices: Choices) -> xr.DataArray:
    """The lazy array of `scene.open_scene` of the NetCDF files in a folder. Raises `InputError` where they do not fit."""
    paths = find_cubes(folder)
    each = replace(choices, dates=None, every="")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scenes = [open_cube(path, each) for path in paths]
    said = [warning.message for warning in caught if isinstance(warning.message, InputWarning)]
    for message in {
        message.kind: message for message in reversed(said)
    }.values():  # one of each kind, of the first file
        warnings.warn(message, stacklevel=2)
    first = scenes[0]
    for path, scene in zip(paths, scenes, strict=True):
        for what, ours, theirs in (
            ("bands", list(first.band.values), list(scene.band.values)),
            ("pixels", _grid_of(first), _grid_of(scene)),
        ):
            if ours != theirs:
                held = f"{paths[0].name} {_short(ours)}, {path.name} {_short(theirs)}"
                raise InputError(
                    f"{folder}: the files have different {what}: {held}.",
                    "Take away what does not belong to the series, or choose bands that all have with --bands.",
                    kind="scene.files",
                )
    dates = [(number, date) for number, scene in enumerate(scenes) for date in range(scene.sizes["time"])]
    parts, sizes = [scene.encoding["series"][1] for scene in scenes], [scene.sizes["time"] for scene in scenes]
    times = first.indexes["time"].append([scene.indexes["time"] for scene in scenes[1:]])
    return finish_scene(
        lambda order: JoinedSeries(parts, sizes, [dates[index] for index in order]),
        list(map(str, first.band.values)), times, _grid_of(first), choices, first.encoding["values"],
        **first.attrs | {"source": str(folder), "product": "cubes"},
    )  # fmt: skip


def _grid_of(scene: xr.DataArray) -> Grid:
    return Grid(scene.rio.crs, scene.rio.transform(), scene.sizes["y"], scene.sizes["x"])


def _short(value: object) -> str:
    return f"{value.height} x {value.width} in {value.crs}" if isinstance(value, Grid) else ", ".join(map(str, value))  # type: ignore[call-overload]
