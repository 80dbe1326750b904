"""NetCDF and Zarr cubes: one variable (band, time, y, x), or one variable (time, y, x) a band."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rioxarray  # noqa: F401  (gives every xarray object its .rio)
import xarray as xr
from affine import Affine

from ...errors import InputError
from .. import sensors
from ..dates import parse_dates, select_dates
from ..rasters import NODATA, Grid
from ..series import assemble

PLANE = {"time", "y", "x"}
#: Integers are reflectance x 10000; floats, and integers with a scale factor of their own, are reflectance.
INTEGER_SCALE = 10000.0
LARGEST = 1e9  # of a coordinate, in the units of any CRS


class CubeSeries:
    """Series of variables that xarray reads lazily: one with dimension band, or one a band; see `series.Series`."""

    def __init__(self, path: Path, variables: Sequence[xr.DataArray], mask: xr.DataArray | None, scale: float):
        self.path, self.variables, self.own_mask, self.scale = path, variables, mask, scale

    def _read(self, variable: xr.DataArray, order: tuple[str, ...], **place: slice) -> np.ndarray:
        try:
            return variable.isel(place).transpose(*order).values
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(f"{self.path} cannot be read ({error}). Is it complete? Get it again.") from error

    def read(self, y: slice, x: slice, out: np.ndarray) -> np.ndarray:
        """As `series.Series` says."""
        bands, dates = (slice(0, size) for size in out.shape[:2])
        out[...] = self.values(bands, dates, y, x)
        return self._mask(out, dates, y, x)

    def values(self, band: slice, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        place = {"time": time, "y": y, "x": x}
        if "band" in self.variables[0].dims:
            raw = self._read(self.variables[0], ("band", "time", "y", "x"), band=band, **place)
        else:
            raw = np.stack([self._read(variable, ("time", "y", "x"), **place) for variable in self.variables[band]])
        values = raw.astype(np.float32)
        if self.scale != 1:
            values[raw == NODATA] = np.nan
            values /= np.float32(self.scale)
        return values

    def mask(self, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        bands = self.variables[0].sizes.get("band", len(self.variables))
        return self._mask(self.values(slice(0, bands), time, y, x), time, y, x)

    def _mask(self, values: np.ndarray, time: slice, y: slice, x: slice) -> np.ndarray:
        out = np.isnan(values).any(axis=0)
        if self.own_mask is not None:
            out |= self._read(self.own_mask, ("time", "y", "x"), time=time, y=y, x=x) != 0
        return out


def open_cube(path: Path, bands: Sequence[str] | None, dates: Sequence | None, **attrs) -> xr.DataArray:
    """The lazy array of `scene.open_scene` of a cube; `bands` and `dates` select. Reads coordinates only."""
    try:
        cube = xr.open_dataset(
            path, engine="zarr" if path.is_dir() else None, decode_coords="all", chunks=None, cache=False
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]  # xarray goes on to recommend its own documentation
        raise InputError(f"{path} cannot be read as a NetCDF or Zarr cube ({reason}). Is it complete?") from error
    try:
        return _label(path, cube, bands, dates, **attrs)
    except InputError:
        cube.close()  # the file can then be mended from where it was opened
        raise


def _label(path: Path, cube: xr.Dataset, bands: Sequence[str] | None, dates: Sequence | None, **attrs) -> xr.DataArray:
    # A CRS variable that no grid_mapping attribute names is still one.
    cube = cube.set_coords([name for name in ("spatial_ref", "crs") if name in cube.data_vars])
    variables, names = _variables(path, cube)
    missing = sorted((PLANE | set(variables[0].dims)) - set(cube.coords))
    if missing:
        raise InputError(f"{path} has no coordinate {', '.join(missing)}; band, time, y and x need their values.")
    chosen = _choose(path, names, bands)
    if "band" in variables[0].dims:
        variables = [variables[0].isel(band=[names.index(band) for band in chosen])]
    else:
        variables = [variables[names.index(band)] for band in chosen]
    days = parse_dates(cube["time"].values, path)
    order = select_dates(days, dates, path)
    # North up, west left, dates in order; all of it stays lazy.
    turn = {axis: slice(None, None, -1) for axis, sign in (("y", -1), ("x", 1)) if _step(path, cube, axis) * sign < 0}
    place = {"time": order, **turn}
    mask = cube["mask"] if "mask" in cube.variables else None
    if mask is not None and set(mask.dims) != PLANE:
        raise InputError(f"{path}: its mask has dimensions {mask.dims}, expected time, y, x.")
    scale = _scale(path, variables)
    own_mask = None if mask is None else mask.isel(place)
    series = CubeSeries(path, [variable.isel(place) for variable in variables], own_mask, scale)
    return assemble(series, chosen, days[order], _grid(path, cube.isel(turn)), product="cube", scale=scale, **attrs)


def _variables(path: Path, cube: xr.Dataset) -> tuple[list[xr.DataArray], list[str]]:
    """The variable (band, time, y, x), or those (time, y, x), and the names of the bands."""
    dims = {str(name): set(variable.dims) for name, variable in cube.data_vars.items() if name != "mask"}
    whole = [name for name, own in dims.items() if own == PLANE | {"band"}]
    single = [name for name, own in dims.items() if own == PLANE]
    if len(whole) == 1:
        names = cube["band"].values if "band" in cube.coords else []
        return [cube[whole[0]]], [str(name) for name in names]
    if whole or not single:
        found = "; ".join(f"{name} {cube[name].dims}" for name in dims) or "no variable"
        raise InputError(
            f"{path}: one variable with dimensions band, time, y, x is expected, or one with time, y, x a band; "
            f"found {found}."
        )
    return [cube[name] for name in single], single


def _choose(path: Path, held: list[str], asked: Sequence[str] | None) -> tuple[str, ...]:
    """The bands asked for; by default those of the paper, in the cube's order."""
    chosen = tuple(asked) if asked is not None else tuple(band for band in held if band in sensors.BANDS)
    twice = sorted({band for band in chosen if held.count(band) > 1})
    if twice:
        raise InputError(f"{path} has several bands {', '.join(twice)}; each needs a name of its own.")
    absent = [band for band in chosen if band not in held]
    if absent or not chosen:
        wanted = ", ".join(absent) or f"any of {', '.join(sensors.BANDS)}"
        raise InputError(f"{path} has no band {wanted}; it has {', '.join(held)}. Choose with bands=.")
    return chosen


def _scale(path: Path, variables: Sequence[xr.DataArray]) -> float:
    """10000 for stored integers without a scale factor, 1 for floats.

    The stored type counts: a fill value makes xarray give integers as floats.
    """
    factors = [variable.encoding.get(name) for variable in variables for name in ("scale_factor", "add_offset")]
    if not all(factor is None or np.isfinite(factor) for factor in factors):
        raise InputError(f"{path}: a scale factor or offset is not finite; {factors} found. Write the cube again.")
    scales = {
        INTEGER_SCALE
        if np.dtype(variable.encoding.get("dtype", variable.dtype)).kind in "iu"
        and "scale_factor" not in variable.encoding
        else 1.0
        for variable in variables
    }
    if len(scales) > 1:
        raise InputError(f"{path}: some bands are integers, some floats; one type is expected for all.")
    return scales.pop()


def _step(path: Path, cube: xr.Dataset, axis: str) -> float:
    """Signed pixel size in metres along an axis. Raises `InputError` unless the coordinate is regular."""
    centres = cube[axis].values
    if centres.ndim != 1 or centres.size < 2 or centres.dtype.kind not in "iuf":
        raise InputError(f"{path}: coordinate {axis} has shape {centres.shape}; two or more centres are expected.")
    if not (np.abs(centres) < LARGEST).all():
        raise InputError(f"{path}: coordinate {axis} holds {centres}, which are no places. Write the cube again.")
    step = (float(centres[-1]) - float(centres[0])) / (centres.size - 1)
    if not step or np.abs(centres - (float(centres[0]) + step * np.arange(centres.size))).max() > abs(step) / 100:
        raise InputError(f"{path}: coordinate {axis} is not regular. Resample the cube to a regular grid.")
    return step


def _grid(path: Path, cube: xr.Dataset) -> Grid:
    """Grid of a cube that is north-up. Raises `InputError` without a CRS and for a rotated grid."""
    try:
        crs = cube.rio.crs
    except (ValueError, RuntimeError) as error:  # those of encoding and of rasterio and pyproj
        raise InputError(f"{path}: its CRS cannot be read ({str(error)[:200]}). Write one with rioxarray.") from error
    if crs is None:
        raise InputError(f"{path} has no CRS. Write one with rioxarray: cube.rio.write_crs('EPSG:32631').")
    stored = cube.rio.transform()
    if stored.b or stored.d:
        raise InputError(f"{path} is rotated: its transform is {tuple(stored)[:6]}. Bring it to a north-up grid.")
    height, width = _step(path, cube, "y"), _step(path, cube, "x")
    left, top = float(cube.x[0]) - width / 2, float(cube.y[0]) - height / 2
    return Grid(crs, Affine(width, 0, left, 0, height, top), cube.sizes["y"], cube.sizes["x"])
