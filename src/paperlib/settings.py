"""Everything that can be chosen in a run, as one frozen value with three presets, overrides and stable keys.

Every field can be overridden in the same way: by a mapping in Python (`Experiment(settings={"train.epochs": 40})`), by
`--set train.epochs=40` or `--settings FILE.yml` on the command line, or by the parameter `settings` of a notebook.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from . import environment
from .errors import InputError
from .fields import bounded, check, chosen, convert

RESAMPLINGS = ("nearest", "bilinear", "cubic")
LARGEST_SEED = 2**31 - 1  # scikit-learn takes less than twice that; trainings count on from it
#: Settings of `Scene` that concern the simulated scene alone.
SIMULATED = ("size", "pool", "test", "seed")


class _Section:
    """A part of the settings; its fields are checked when it is made (see `fields.check`)."""

    def __post_init__(self) -> None:
        check(self, type(self).__name__.lower())


@dataclass(frozen=True)
class Scene(_Section):
    """Where the images come from, and how they are read."""

    path: str = ""  # folder of products, GeoTIFF stack, NetCDF or Zarr cube, or a region; empty: the simulated scene
    polygons: str = ""  # vector file; empty: the polygons of the simulated scene
    resampling: str = chosen("bilinear", *RESAMPLINGS)  # of 20 m bands to the 10 m grid
    bands: tuple[str, ...] = ()  # the bands to read, in this order; empty: the sensor's default bands
    sensor: str = ""  # as sentinel-2, landsat-8, hls-l30; empty: by the names of bands
    scale: float | None = None  # reflectance is stored value x scale + offset; none: what the files declare
    offset: float | None = None  # in reflectance; beyond 2 in stored units
    offset_dates: str = ""  # to which offset applies, as "2022-01-25.." or "2018-08-15,2018-11-15"; empty: to all
    nodata: float | None = None  # stored value where there is nothing; none: what the files declare
    mask_classes: tuple[int, ...] = ()  # of the quality layer, not to be used; empty: clouds and their shadows
    pixel: str = chosen("", "", "centre", "corner")  # what x and y of a cube are; empty: found out
    every: str = ""  # composites: "month", or days as "16D"; empty: every acquisition
    pattern: str = ""  # how files are named, as "{}_{date}_{band}"; empty: found out
    size: int = bounded(384, 64, 16_384)  # simulated scene: side in pixels of 10 m, even
    pool: int = bounded(90, 1, 100_000)  # simulated scene: polygons of the training pool
    test: int = bounded(50, 1, 100_000)  # simulated scene: test polygons
    seed: int = bounded(31, 0, LARGEST_SEED)  # simulated scene: its random seed


@dataclass(frozen=True)
class Labels(_Section):
    """How the label file is read, and what stays together when it is divided."""

    field: str = ""  # column with the class; empty: `code`, else the one column that looks like it
    name_field: str = ""  # column with the names of the classes; empty: `class_name`, else the one that fits the codes
    set_field: str = ""  # column that marks the test set; empty: `set`
    group_field: str = ""  # column whose equal values stay in one set, such as a parcel, farm or tile
    near: float = bounded(
        60.0, 0
    )  # metres: polygons of a class this near whose series are alike stay in one set; 0: none
    blocks: float = bounded(0.0, 0)  # metres: polygons in one square of this side stay in one set; 0: no blocks
    layer: str = ""  # layer of a file that holds several
    encoding: str = ""  # of texts in shapefiles and CSV files; empty: what the file says, else UTF-8 or Windows-1252
    nomenclature: str = ""  # packaged nomenclature or CSV file; empty: the classes of the label file itself
    buffer: float = bounded(0.0, 0)  # metres around points; 0: the pixel that the point lies in
    repair: bool = False  # mend invalid outlines instead of leaving them out
    join_spellings: bool = False  # classes that differ in capitals, accents and signs alone are one


@dataclass(frozen=True)
class Sample(_Section):
    """How polygons become samples."""

    patch: int = bounded(16, 1, 1024)  # side of a patch in pixels
    validation: float = bounded(0.3, 0, 0.9, above=True)  # share of the pool's polygons
    oversample: bool = True  # repeat patches of minority classes
    # The rest varies the samples to test what training needs; see `features.variations`.
    split: str = chosen("polygon", "polygon", "pixel")  # what training and validation are divided by
    training_share: float = bounded(1.0, 0, 1, above=True)  # share of the training polygons that is used
    dates: str = "all"  # "all"; "shuffled"; or one of the scene's dates, like "2018-07-08"
    indices: bool = True  # spectral indices beside the bands


@dataclass(frozen=True)
class Train(_Section):
    """The training loop. Patience and the number of trainings are the paper's, which prints none of the others."""

    epochs: int = bounded(8, 1, 100_000)
    patience: int = bounded(5, 1, 100_000)  # epochs without a better validation score before training stops
    trainings: int = bounded(3, 1, 1000)  # trainings a model
    learning_rate: float = bounded(1e-3, 0, 1, above=True)
    patches: int = bounded(8, 1, 4096)  # a batch holds this many patches
    dropout: float = bounded(0.1, 0, 0.99)
    average: float = bounded(0.0, 0, 0.1)  # share of all steps whose weights are averaged, over all epochs; 0: none
    fusion: float = bounded(0.5, 0, 1)  # SpatioTempCNN: weight of the temporal stream
    largest_leaf: int = bounded(20, 1, 1_000_000)  # forests: nodes of up to so many pixels are not split
    imitated: int = bounded(10_000, 20, 1_000_000)  # Galileo: pixels of the scene on which a network imitates it


@dataclass(frozen=True)
class Map(_Section):
    """Whole-scene maps."""

    window: int = bounded(256, 8, 8192)  # rows that a core maps at once, in pixels without halo; twice as many columns
    probabilities: bool = False  # also margin, entropy and the probability of every class
    palette: str = chosen("", "", "safe")  # colours of the classes, also of figures; empty: their own


@dataclass(frozen=True)
class Region(_Section):
    """Several tiles as one scene."""

    crs: str = ""  # of the mosaic, as EPSG:32631; empty: that of most tiles
    mixed_years: bool = False  # tiles may be of different years


@dataclass(frozen=True)
class Settings:
    """One run. `seed` seeds the split and the trainings: training number n of a run uses `seed + n`."""

    scene: Scene = field(default_factory=Scene)
    labels: Labels = field(default_factory=Labels)
    sample: Sample = field(default_factory=Sample)
    train: Train = field(default_factory=Train)
    map: Map = field(default_factory=Map)
    region: Region = field(default_factory=Region)
    seed: int = bounded(0, 0, LARGEST_SEED)

    def __post_init__(self) -> None:
        check(self)


PRESETS = {
    "tiny": Settings(
        scene=Scene(size=192, pool=40, test=24),
        train=Train(epochs=2, trainings=1, patches=16),
        map=Map(window=96),
    ),
    "demo": Settings(),
    "paper": Settings(
        scene=Scene(size=2048, pool=290, test=131),
        sample=Sample(patch=32),
        train=Train(epochs=20, trainings=5),
    ),
}

#: Overrides: a mapping of names like "train.epochs" (or nested: {"train": {"epochs": 40}}), such a mapping as YAML text,
#: or the path of a YAML file.
Overrides = Mapping[str, Any] | str | Path


def make(
    preset: str = "", scene: str = "", polygons: str = "", seed: int = 0, settings: Overrides | None = None
) -> Settings:
    """Settings of a preset, pointed at a scene and its polygons, with overrides.

    Parameters
    ----------
    preset: "tiny", "demo" or "paper"; empty: the environment variable PAPERLIB_PRESET, else "demo".
    scene, polygons: paths; both empty: the environment variables PAPERLIB_SCENE and PAPERLIB_POLYGONS, else the
        simulated scene.
    seed: of the split and the first training.
    settings: overrides, see `Overrides`; they win over those of PAPERLIB_SETTINGS, and over the other arguments.

    Raises `InputError` for an unknown preset or setting, a value of the wrong type or out of range, or a scene without
    polygons.
    """
    for name, value in (("preset", preset), ("scene", scene), ("polygons", polygons)):
        if not isinstance(value, str):
            raise InputError(
                f"{name} = {value!r} is not possible.", f"Expected: a text, like {name}=''.", kind="settings.value"
            )
    preset = preset or environment.read("PRESET") or "demo"
    if preset not in PRESETS:
        raise InputError(
            f"Unknown preset {preset[:50]!r}.", f"Choose one of {', '.join(PRESETS)}.", kind="settings.preset"
        )
    if not scene and not polygons:
        scene, polygons = environment.read("SCENE"), environment.read("POLYGONS")
    made = PRESETS[preset]
    made = replace(made, scene=replace(made.scene, path=scene, polygons=polygons), seed=seed)
    made = override(override(made, environment.read("SETTINGS")), settings or {})
    if bool(made.scene.path) != bool(made.scene.polygons):
        given, missing = ("scene", "polygons") if made.scene.path else ("polygons", "scene")
        raise InputError(
            f"{given} is given without {missing}.", "Give both paths, or neither for the simulated scene.",
            kind="settings.scene",
        )  # fmt: skip
    return made


def override(settings: Settings, overrides: Overrides) -> Settings:
    """Settings with other values for some fields.

    Raises `InputError` for an unknown name, with the nearest known one (kind "settings.name"), and for a value of the
    wrong type or out of range, with what is expected (kind "settings.value").
    """
    sections: dict[str, dict[str, Any]] = {}
    for name, value in read_overrides(overrides).items():
        declared = known().get(name)
        if declared is None:
            near = difflib.get_close_matches(name, known(), n=1, cutoff=0)[0]
            raise InputError(f"Unknown setting {name!r}.", f"Did you mean {near!r}?", kind="settings.name")
        section, _, last = name.rpartition(".")
        sections.setdefault(section, {})[last] = convert(name, declared, value, parse=True)
    top = sections.pop("", {})
    parts = {section: replace(getattr(settings, section), **values) for section, values in sections.items()}
    return replace(settings, **parts, **top)


def read_overrides(overrides: Overrides) -> dict[str, Any]:
    """Overrides as one flat dictionary ("train.epochs": 40). Raises `InputError` for what is no mapping."""
    content: Any = overrides
    if isinstance(overrides, Path) or (isinstance(overrides, str) and overrides.endswith((".yml", ".yaml"))):
        content = _read_yaml(Path(overrides))
    elif isinstance(overrides, str):
        content = _parse_yaml(overrides, "text")
    if not isinstance(content, Mapping):
        problem = f"The settings {str(overrides)[:200]!r} are no pairs of name and value."
        raise InputError(problem, "Write them as `train.epochs: 40`.", kind="settings.format")
    return _flat(content)


def _flat(content: Mapping, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def _read_yaml(path: Path) -> Any:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        fix = "Give the path of a YAML file with lines like `train.epochs: 40`."
        raise InputError(f"The settings {path} cannot be read: {error}.", fix, kind="settings.file") from error
    return _parse_yaml(text, str(path))


def _parse_yaml(text: str, source: str) -> Any:
    """YAML with every value as text, which the type of its field then reads: 1e-3, yes and 2018-07-08 mean what is meant."""
    import yaml

    try:
        return yaml.load(text, yaml.BaseLoader) or {}
    except yaml.YAMLError as error:
        problem = f"The settings cannot be read as YAML: {' '.join(str(error).split())}."
        raise InputError(problem, "Write them as `train.epochs: 40`.", kind="settings.format", place=source) from error


def known() -> dict[str, Any]:
    """Every setting by its name, like "train.epochs", with its `dataclasses.Field`."""
    found: dict[str, Any] = {}
    for part in fields(Settings):
        if is_dataclass(part.type):
            found |= {f"{part.name}.{inner.name}": inner for inner in fields(part.type)}
        else:
            found[part.name] = part
    return found


def key(*parts) -> str:
    """Twelve hexadecimal digits that depend only on the values given: dataclasses, numbers, texts, lists, dicts."""
    plain = [asdict(part) if is_dataclass(part) and not isinstance(part, type) else part for part in parts]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def describe(settings: Settings) -> dict[str, Any]:
    """Settings as one flat dictionary ("train.epochs": 12), for provenance."""
    flat: dict[str, Any] = {"seed": settings.seed}
    for part in fields(settings):
        value = getattr(settings, part.name)
        if is_dataclass(value) and not isinstance(value, type):
            flat |= {f"{part.name}.{name}": content for name, content in asdict(value).items()}
    return flat


def overridden(settings: Settings) -> tuple[str, dict[str, Any]]:
    """The preset that settings come nearest to, and the values in which they differ from it.

    Paths of a scene and its polygons and the seed are no differences; nor are, for a real scene, the settings of the
    simulated one.
    """
    apart = {"scene.path", "scene.polygons", "seed"}
    if settings.scene.path:
        apart |= {f"scene.{name}" for name in SIMULATED}
    mine = describe(settings)
    differences = {
        name: {setting: mine[setting] for setting, value in describe(preset).items()
               if setting not in apart and mine[setting] != value}
        for name, preset in PRESETS.items()
    }  # fmt: skip
    nearest = min(differences, key=lambda name: len(differences[name]))
    return nearest, differences[nearest]
