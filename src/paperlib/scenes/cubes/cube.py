"""NetCDF and Zarr cubes: one variable with a dimension of bands, or one variable a band, whatever they are called."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import rioxarray  # noqa: F401  (gives every xarray object its .rio)
import xarray as xr

from ...errors import InputError
from ..meaning.choices import Choices
from ..meaning.names import ASIDE, plan_bands
from ..meaning.values import Meaning, float_divisor, meaning_of, sample_places
from ..quality import MASK, Rule, flag_rule, letters, rule_of
from ..sensors import sensor_named
from ..series import Values
from ..shaping.finish import finish_scene
from .axes import decode_times, grid_of, name_dimensions, time_values
from .variables import BandSource, CubeSeries, Variable

PLANE = {"time", "y", "x"}
#: Attributes and coordinates in which programs name the satellite.
PLATFORMS = ("platform", "satellite", "sensor", "mission", "constellation", "eo:platform", "instrument", "source")
#: Attributes that say what is stored where there is nothing, in letters alone; the first that is there counts.
NODATA_ATTRIBUTES = ("fillvalue", "missingvalue", "nodata", "nodatavals", "nodatavalue", "nodatavalues", "missing")


def open_cube(path: Path, choices: Choices) -> xr.DataArray:
    """The lazy array of `scene.open_scene` of a cube. Reads coordinates, and of floats and masks a few windows."""
    try:
        with warnings.catch_warnings():
            # Of a grid mapping that is named and not there: the CRS is looked for elsewhere.
            warnings.filterwarnings("ignore", "Variable.s. referenced in grid_mapping")
            warnings.filterwarnings("ignore", "Failed to open Zarr store with consolidated metadata")
            cube = xr.open_dataset(
                path, engine="zarr" if path.is_dir() else None, decode_coords="all", mask_and_scale=False,
                decode_times=False, chunks=None, cache=False,
            )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]  # xarray goes on to recommend its own documentation
        raise InputError(
            f"{path} cannot be read as a NetCDF or Zarr cube ({reason}).", "Is it complete?", kind="scene.unreadable"
        ) from error
    try:
        return _label(path, cube, choices)
    except InputError:
        cube.close()  # the file can then be mended from where it was opened
        raise


def _label(path: Path, cube: xr.Dataset, choices: Choices) -> xr.DataArray:
    geographic = {str(name).lower() for name in cube.dims} & {"lat", "latitude", "lon", "longitude"}
    cube = name_dimensions(cube)
    if geographic:
        cube.attrs["_geographic"] = True
    # A CRS variable that no grid_mapping attribute names is still one.
    cube = cube.set_coords([name for name in cube.data_vars if _is_crs(str(name), cube[name])])
    cube = decode_times(_with_time(cube), path)
    held = _layers(path, cube)
    missing = sorted((PLANE & set(cube.dims) | PLANE) - set(cube.coords))
    if missing:
        raise InputError(
            f"{path} has no coordinate {', '.join(missing)}.",
            "Band, time, y and x need their values.",
            kind="scene.grid",
        )
    where = str(path)
    described = {
        name: " ".join(str(cube[source].attrs.get(key, "")) for key in ("long_name",)).strip()
        for name, (source, number) in held.items()
        if number is None
    }
    flagged = {name: rule for name, (source, _) in held.items() if (rule := flag_rule(cube[source].attrs))}
    plan = plan_bands(list(held), choices.bands, where, choices.sensor or _platform(cube), described)
    times = time_values(cube, path)
    grid = grid_of(path, cube, choices, plan.sensor)
    names = {source for source, _ in held.values()}
    variables = {name: Variable(path, cube[name], 1 / len(names)) for name in names}
    bands = [
        BandSource(variables[source], number, _meaning(cube, source, variables[source].dtype, choices, where))
        for source, number in (held[name] for name in plan.sources)
    ]
    if len({variables[held[name][0]].dtype.kind in "iu" for name in plan.sources}) > 1 and choices.scale is None:
        kinds = {band.meaning.divisor for band in bands}
        if len(kinds) > 1 and not all(band.meaning.declared for band in bands):
            raise InputError(
                f"{path}: some bands are integers, some floats.", "One type is expected for all, or say --scale.",
                kind="scene.type",
            )  # fmt: skip
    shape = (len(bands), len(times), grid.height, grid.width)
    order = list(range(len(times)))
    dated = [one is choices for one in choices.at(times)]
    quality = []
    for name, rule in plan.quality.items():
        source, number = held[name]
        rule = flagged.get(name, rule)
        if letters(name) == MASK:
            rule = _sense(CubeSeries(bands, [], order), shape, variables[source], number, rule)
        quality.append((variables[source], number, rule.with_values(choices.mask_classes)))
    if all(variables[held[name][0]].dtype.kind == "f" for name in plan.sources) and not any(
        band.meaning.declared for band in bands
    ):
        divisor = float_divisor(CubeSeries(bands, quality, order), shape, plan.bands, plan.sensor, where)
        bands = [band._replace(meaning=band.meaning._replace(divisor=divisor)) for band in bands]
    return finish_scene(
        lambda chosen: CubeSeries(bands, quality, chosen, dated), plan.bands, times, grid, choices,
        _about(bands, cube, choices), source=where, product="cube",
        resampling=choices.resampling, scale=bands[0].meaning.divisor, sensor=plan.sensor,
    )  # fmt: skip


def _about(bands: Sequence[BandSource], cube: xr.Dataset, choices: Choices) -> Values:
    """What is known of the stored values."""
    first = bands[0]
    declared = any(band.meaning.declared for band in bands)
    source = first.variable.array
    attrs = [source.attrs, source.encoding, cube.attrs]
    undeclared = choices.nodata is None and not any(map(_nodata_of, attrs))
    zero = first.variable.dtype.kind == "u" and undeclared

    def saturated() -> list[float]:
        series, shape = CubeSeries(bands, [], range(cube.sizes["time"])), (cube.sizes["y"], cube.sizes["x"])
        shares = [series.saturated(y, x) for y, x in sample_places(*shape, across=2)]
        return np.mean(shares, axis=0).tolist()

    high = any(band.meaning.valid[1] is not None for band in bands)
    return Values(str(first.variable.dtype), declared, choices.says_values, zero, False, saturated if high else None)


def _is_crs(name: str, variable: xr.DataArray) -> bool:
    keys = {"crs_wkt", "spatial_ref", "grid_mapping_name", "GeoTransform", "epsg_code"}
    return name in ("spatial_ref", "crs") or (variable.ndim == 0 and bool(keys & set(variable.attrs)))


def _with_time(cube: xr.Dataset) -> xr.Dataset:
    """A cube of a single date has a scalar coordinate time, or none at all; dimensions of one value go."""
    extra = [name for name, size in cube.sizes.items() if size == 1 and name not in ("band", "time", "y", "x")]
    cube = cube.squeeze(extra, drop=True)
    return cube.expand_dims("time") if "time" in cube.coords and "time" not in cube.dims else cube


def _layers(path: Path, cube: xr.Dataset) -> dict[str, tuple[str, int | None]]:
    """Layers by name: the variable of each, and its number along the dimension band (None where there is none)."""
    held: dict[str, tuple[str, int | None]] = {}
    doubled: list[str] = []
    for name in map(str, cube.data_vars):
        dims = set(cube[name].dims)
        layers: dict[str, tuple[str, int | None]] = {}
        if dims == PLANE | {"band"}:
            if "band" not in cube.coords:
                raise InputError(
                    f"{path} has no coordinate band; band, time, y and x need their values.",
                    "Name the bands in it: cube.assign_coords(band=['B2', ...]).", kind="scene.bands",
                )  # fmt: skip
            layers = {str(band): (name, number) for number, band in enumerate(cube["band"].values)}
            if len(layers) < cube.sizes["band"]:
                twice = sorted({str(band) for band in cube["band"].values if list(cube["band"].values).count(band) > 1})
                raise InputError(
                    f"{path} has several bands {', '.join(twice)}.", "Each needs a name of its own.", kind="scene.bands"
                )
        elif dims == PLANE or (dims == {"y", "x"} and rule_of(name)):
            layers = {name: (name, None)}
        elif rule_of(name):
            raise InputError(
                f"{path}: its {name} has dimensions {cube[name].dims}.",
                "Time, y, x are expected.",
                kind="scene.quality",
            )
        doubled += [layer for layer in layers if layer in held]
        held |= layers
    if "mask" in cube.coords and "mask" not in held:
        if set(cube["mask"].dims) != PLANE:
            raise InputError(
                f"{path}: its mask has dimensions {cube['mask'].dims}.",
                "Time, y, x are expected.",
                kind="scene.quality",
            )
        held["mask"] = ("mask", None)
    if doubled or not any(rule_of(name) is None and not ASIDE.match(letters(name)) for name in held):
        found = "; ".join(f"{name} {cube[name].dims}" for name in map(str, cube.data_vars)) or "no variable"
        raise InputError(
            f"{path}: one variable with dimensions band, time, y, x is expected, or one with time, y, x a band; "
            f"found {found}.",
            "Rename its dimensions, or keep one variable of each band.",
            kind="scene.dimensions",
        )
    return held


def _platform(cube: xr.Dataset) -> str:
    """The sensor that attributes or coordinates name; "" where they name none, or several."""
    texts = [cube.attrs.get(key) for key in PLATFORMS]
    for key in PLATFORMS:
        if key in cube.coords and cube[key].dtype.kind in "OUT":
            texts += list(np.unique(cube[key].values.astype(str)))
    found = set()
    for text in texts:
        if isinstance(text, str) and text:
            try:
                found.add(sensor_named(text.split(",")[0]).name)
            except InputError:
                continue
    return found.pop() if len(found) == 1 else ""


def _meaning(cube: xr.Dataset, name: str, dtype: np.dtype, choices: Choices, where: str) -> Meaning:
    """What stored values of a variable mean, by its attributes and those of the file."""
    attrs = cube[name].attrs | {key: cube[name].encoding[key] for key in ("_FillValue",) if key in cube[name].encoding}
    gain, offset = (_number(attrs.get(key)) for key in ("scale_factor", "add_offset"))
    if gain is None and offset is None and dtype.kind in "iu":
        gain, offset = (_number(attrs.get(key)) for key in ("scale", "offset"))
    nodata = next(iter([*_nodata_of(attrs), *_nodata_of(cube.attrs)]), None)
    nodata = None if nodata is not None and np.isnan(nodata) and dtype.kind in "iu" else nodata
    declared = [value for key in ("_FillValue", "missing_value") if (value := _number(attrs.get(key))) is not None]
    meaning = meaning_of(dtype, gain, offset, nodata, choices, f"{where} ({name})")
    if nodata is not None and np.isnan(nodata):
        meaning = meaning._replace(nodata=None, valid=(-9999.0, meaning.valid[1]))
    elif len(set(declared)) > 1 and dtype.kind != "u":
        meaning = meaning._replace(valid=(min(declared), meaning.valid[1]))
    if nodata is None and choices.nodata is None:
        meaning = meaning._replace(valid=_valid_range(attrs, meaning.valid))
    return meaning


def _nodata_of(attrs: Mapping) -> list[float]:
    """The nodata values that attributes name, in the order of `NODATA_ATTRIBUTES`."""
    named = {letters(key): value for key, value in reversed(list(attrs.items()))}
    values = [_number(named[key]) for key in NODATA_ATTRIBUTES if key in named]
    return [value for value in values if value is not None]


def _valid_range(attrs: Mapping, valid: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    """Stored values beyond these are nothing: below CF's valid_min or valid_range where that is negative or 0.

    A lowest value above 0, and the highest value, are often those of the data alone, and are not believed.
    """
    low = _number(attrs.get("valid_min", attrs.get("valid_range")))
    return (low - 1 if low is not None and low <= 0 else valid[0], valid[1])


def _number(value) -> float | None:
    try:
        values = np.ravel(value)
        return None if value is None or not len(values) else float(values[0])
    except (TypeError, ValueError):
        return None


def _sense(series: CubeSeries, shape, variable: Variable, number: int | None, rule: Rule) -> Rule:
    """The sense of a layer that is only called mask: 1 is good where the images are empty at 0 and full at 1."""
    zero_empty, zero_full, one_empty, one_full = 0, 0, 0, 0
    for time in sorted({0, shape[1] // 2, shape[1] - 1}):
        for y, x in sample_places(shape[2], shape[3], side=64):
            place = slice(time, time + 1)
            values = series.values(slice(0, shape[0]), place, y, x)
            empty = np.isnan(values).any(axis=0)
            raw = variable.read(**({"band": [number]} if number is not None else {}), time=place, y=y, x=x)
            bad = rule.unusable(
                raw.reshape(empty.shape) if "time" in variable.dims else raw.reshape(empty.shape[1:])[None]
            )
            zero_empty, zero_full = zero_empty + (~bad & empty).sum(), zero_full + (~bad & ~empty).sum()
            one_empty, one_full = one_empty + (bad & empty).sum(), one_full + (bad & ~empty).sum()
    good = zero_empty > 0 and one_empty == 0 and one_full > zero_full
    return Rule("good") if good and rule.kind == "bad" else rule
