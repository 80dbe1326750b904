"""NetCDF and Zarr cubes: one variable with a dimension of bands, or one variable a band, whatever they are called."""

from pathlib import Path

import rioxarray  # noqa: F401  (gives every xarray object its .rio)
import xarray as xr

from ...errors import InputError
from ..meaning.choices import Choices
from ..meaning.names import ASIDE, plan_bands
from ..meaning.values import float_divisor
from ..quality import CLOUD_NAMES, MASK, flag_rule, letters, rule_of
from ..shaping.finish import finish_scene
from .attributes import about_values, declared_meaning, platform_of
from .axes import decode_times, grid_of, name_dimensions, time_values
from .layouts import band_names, open_dataset, with_planes, with_time
from .masks import cloud_rule, mask_rule
from .series import BandSource, CubeSeries
from .variables import Variable

PLANE = {"time", "y", "x"}


def open_cube(path: Path, choices: Choices) -> xr.DataArray:
    """The lazy array of `scene.open_scene` of a cube. Reads coordinates, and of floats and masks a few windows."""
    cube = open_dataset(path)
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
    cube = decode_times(with_time(with_planes(cube), path), path)
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
    plan = plan_bands(list(held), choices.bands, where, choices.sensor or platform_of(cube), described)
    times = time_values(cube, path)
    grid = grid_of(path, cube, choices, plan.sensor)
    names = {source for source, _ in held.values()}
    variables = {name: Variable(path, cube[name], 1 / len(names)) for name in names}
    bands = [
        BandSource(variables[source], number, declared_meaning(cube, source, variables[source].dtype, choices, where))
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
            rule = mask_rule(CubeSeries(bands, [], order), shape, variables[source], number, rule, where)
        elif letters(name) in CLOUD_NAMES and rule.kind == "bad":
            rule = cloud_rule(shape, variables[source], number, rule, f"{where}: {name}")
        quality.append((variables[source], number, rule.with_values(choices.mask_classes)))
    if all(variables[held[name][0]].dtype.kind == "f" for name in plan.sources) and not any(
        band.meaning.declared for band in bands
    ):
        divisor = float_divisor(CubeSeries(bands, quality, order), shape, plan.bands, plan.sensor, where)
        bands = [band._replace(meaning=band.meaning._replace(divisor=divisor)) for band in bands]
    return finish_scene(
        lambda chosen: CubeSeries(bands, quality, chosen, dated), plan.bands, times, grid, choices,
        about_values(bands, cube, choices), source=where, product="cube",
        resampling=choices.resampling, scale=bands[0].meaning.divisor, sensor=plan.sensor,
    )  # fmt: skip


def _is_crs(name: str, variable: xr.DataArray) -> bool:
    keys = {"crs_wkt", "spatial_ref", "grid_mapping_name", "GeoTransform", "epsg_code"}
    return name in ("spatial_ref", "crs") or (variable.ndim == 0 and bool(keys & set(variable.attrs)))


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
            names = band_names(cube)
            layers = {band: (name, number) for number, band in enumerate(names)}
            if len(layers) < cube.sizes["band"]:
                twice = sorted({band for band in names if names.count(band) > 1})
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
