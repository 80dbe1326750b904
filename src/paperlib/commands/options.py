"""Options that several commands share, and those that override settings.

To add an option that overrides a setting: add the field to its dataclass in `settings` (type, range and default stand
there), and a line to `SETTING_OPTIONS`. Every command with the decorator `takes_settings` then has it, and the value is
checked as it is everywhere else.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from .. import settings
from ..errors import InputError

SceneArgument = Annotated[
    Path,
    typer.Argument(
        metavar="SCENE",
        help="folder of products, GeoTIFF stack, NetCDF or Zarr cube; or a region: folder or YAML list of tiles",
    ),
]
PolygonsArgument = Annotated[
    Path,
    typer.Argument(
        metavar="POLYGONS",
        help="labels: vector file of polygons or points, or CSV of points; the class in a column `code`",
    ),
]
PresetOption = Annotated[str, typer.Option(help="tiny, demo or paper: size of patches, epochs, trainings")]
ModelOption = Annotated[list[str] | None, typer.Option(help="a classifier; repeatable; default: all")]
ProbabilitiesOption = Annotated[
    bool, typer.Option("--probabilities", help="also write margin, entropy and the probability of every class")
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON for scripts")]
StoreOption = Annotated[
    Path | None, typer.Option(help="folder of artifacts; default: $PAPERLIB_STORE, else data/artifacts")
]

SchedulerOption = Annotated[
    str, typer.Option(help="Dask scheduler for the tiles of a region: tcp://HOST:PORT, or local for workers here")
]

#: Name of a setting -> help of the option that overrides it. The option has the last part of the name: "labels.set_field"
#: becomes `--set-field TEXT`, a truth value `--repair / --no-repair`, a tuple `--bands B2,B3,B4`.
SETTING_OPTIONS = {
    "scene.resampling": "resampling of 20 m bands to 10 m: nearest, bilinear or cubic",
    "scene.bands": "bands to read, by the names of the files; default: the bands of the sensor",
    "scene.sensor": "sentinel-2, landsat-8, landsat-5, hls-s30, hls-l30, planet, modis, sentinel-1",
    "scene.scale": "reflectance is stored value x SCALE + OFFSET; as 0.0001",
    "scene.offset": "added to the scaled value; as -0.1, or -1000 in stored units",
    "scene.offset_dates": "dates to which OFFSET applies, as 2022-01-25.. or 2018-08-15,2018-11-15; default: all",
    "scene.nodata": "stored value where there is nothing",
    "scene.mask_classes": "classes (SCL) or bits (QA_PIXEL) of the quality layer that must not be used",
    "scene.pixel": "what x and y of a cube are: centre or corner of pixels",
    "scene.every": "composites of a period: month, 16D, 10D; medians of what is usable",
    "scene.pattern": "how files are named, as '{}_{date}_{band}'",
    "labels.field": "column of the labels with the class; default: code, else the one that looks like it",
    "labels.name_field": "column with the names of the classes; default: class_name, else the one that fits",
    "labels.set_field": "column that marks the test set; default: set",
    "labels.group_field": "column whose equal values stay in one set, such as a parcel, farm or tile",
    "labels.near": "metres: polygons of a class this near whose series are alike stay in one set; default: 60; 0: none",
    "labels.blocks": "metres: polygons in one square of this side stay in one set",
    "labels.layer": "layer of the labels, where their file holds several",
    "labels.encoding": "encoding of texts in shapefiles and CSV files, as cp1252",
    "labels.nomenclature": "classes of the labels: clcplus, worldcover or a CSV with columns code, name, colour",
    "labels.buffer": "metres around points that are labelled; default: the pixel they lie in",
    "labels.repair": "mend invalid outlines instead of leaving them out",
    "labels.join_spellings": "classes that differ in capitals, accents and signs alone are one",
    "map.palette": "safe: colours of classes that colour-blind readers can tell apart, in maps, styles and figures",
    "region.crs": "CRS of a region's mosaic, as EPSG:32631; default: that of most tiles",
    "region.mixed_years": "tiles of a region may be of different years",
}

SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="override one setting, as train.epochs=40; repeatable"),
]
FileOption = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE.yml", help="YAML file of settings to override")
]


def refuse_region(scene: Path) -> None:
    """Raise `InputError` for a region, in a command that takes a single scene."""
    from ..regions import find_tiles

    if find_tiles(scene):
        raise InputError(f"{scene} is a region of several tiles.", "Give one of its tiles.", kind="region.single")


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--set`, `--settings` and the options of `SETTING_OPTIONS` to a command.

    The command gets what was given as its argument `overrides` (dict): --set wins over an option, an option over a file.
    """

    @wraps(command)
    def wrapper(**values: Any) -> None:
        file, pairs = values.pop("settings_file"), values.pop("set_pairs")
        overrides = settings.read_overrides(file) if file else {}
        for name in SETTING_OPTIONS:
            if (value := values.pop(_variable(name))) is not None:
                overrides[name] = value
        command(**values, overrides=overrides | dict(map(_pair, pairs or ())))

    hints = get_type_hints(command, include_extras=True)
    own = [parameter for parameter in inspect.signature(command).parameters.values() if parameter.name != "overrides"]
    added = {"set_pairs": SetOption, "settings_file": FileOption}
    added |= {_variable(name): _option(name, text) for name, text in SETTING_OPTIONS.items()}
    more = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in added]
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    annotations = {parameter.name: hints[parameter.name] for parameter in own} | added
    signature = [parameter.replace(annotation=annotations[parameter.name]) for parameter in (*own, *more)]
    wrapper.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    wrapper.__annotations__ = annotations
    return wrapper


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text} has no value.", "Write --set train.epochs=40.", kind="settings.format")
    return name.strip(), value.strip()


def _variable(setting: str) -> str:
    return setting.replace(".", "_")


def _option(setting: str, text: str) -> Any:
    """The annotation of the option that overrides a setting; its value stays text, for the settings to read."""
    field = settings.known()[setting]
    flag = "--" + setting.rpartition(".")[2].replace("_", "-")
    if field.type is bool:
        return Annotated[bool | None, typer.Option(f"{flag}/--no-{flag[2:]}", help=text)]
    kinds = {int: "INTEGER", float: "NUMBER"}
    inner = next((kind for kind in (field.type, *get_args(field.type)) if kind in kinds), str)
    metavar = kinds.get(inner, "TEXT") + (",..." if getattr(field.type, "__origin__", None) is tuple else "")
    return Annotated[str | None, typer.Option(flag, metavar=metavar, help=text)]
