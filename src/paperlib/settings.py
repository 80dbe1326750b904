"""Everything that can be chosen in a run, as one frozen value with three presets and stable keys."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, fields, replace

from .errors import InputError

RESAMPLINGS = ("nearest", "bilinear", "cubic")
LARGEST_SEED = 2**31 - 1  # scikit-learn takes less than twice that; trainings count on from it


@dataclass(frozen=True)
class Scene:
    """Where the images and the polygons come from."""

    path: str = ""  # folder of products, GeoTIFF stack, NetCDF or Zarr cube; empty: the simulated scene
    polygons: str = ""  # vector file; empty: the polygons of the simulated scene
    resampling: str = "bilinear"  # how 20 m bands come to the 10 m grid
    size: int = 384  # simulated scene: side in pixels of 10 m
    pool: int = 90  # simulated scene: polygons of the training pool
    test: int = 50  # simulated scene: test polygons
    seed: int = 31  # simulated scene: its random seed


@dataclass(frozen=True)
class Sample:
    """How polygons become samples."""

    patch: int = 16  # side of a patch in pixels
    validation: float = 0.3  # share of the pool's polygons
    oversample: bool = True  # repeat patches of minority classes (section 3.2)
    # what follows puts claims to the test; see `variations`
    split: str = "polygon"  # training and validation are divided by "polygon" or by "pixel"
    training_share: float = 1.0  # share of the training polygons that is used
    dates: str = "all"  # "all"; "shuffled"; or one of the scene's dates, like "2018-07-08"
    indices: bool = True  # spectral indices beside the bands


@dataclass(frozen=True)
class Train:
    """The training loop. Section 3.5 gives patience and trainings; the rest is not printed."""

    epochs: int = 8
    patience: int = 5
    trainings: int = 2  # trainings a model
    learning_rate: float = 1e-3
    patches: int = 8  # a batch holds this many patches
    dropout: float = 0.1
    fusion: float = 0.5  # SpatioTempCNN: weight of the temporal stream, 0 to 1


@dataclass(frozen=True)
class Map:
    """Whole-scene maps."""

    window: int = 256  # rows of the window that a core takes at once, halo excluded, in pixels; twice as many columns


@dataclass(frozen=True)
class Settings:
    """One run. `seed` seeds the split and the trainings: training number n of a run uses `seed + n`."""

    scene: Scene = field(default_factory=Scene)
    sample: Sample = field(default_factory=Sample)
    train: Train = field(default_factory=Train)
    map: Map = field(default_factory=Map)
    seed: int = 0


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


def make(preset: str = "", scene: str = "", polygons: str = "", seed: int = 0) -> Settings:
    """Settings of a preset, pointed at a scene and its polygons.

    Parameters
    ----------
    preset: "tiny", "demo" or "paper"; empty: the environment variable PAPERLIB_PRESET, else "demo".
    scene, polygons: paths; both empty: the environment variables PAPERLIB_SCENE and PAPERLIB_POLYGONS, else the
        simulated scene.
    seed: of the split and the first training.

    Raises `InputError` for an unknown preset, a value of the wrong type, or a scene without polygons.
    """
    for name, value, kind in (("preset", preset, str), ("scene", scene, str), ("polygons", polygons, str)):
        if not isinstance(value, kind):
            raise InputError(f"{name} = {value!r} is a {type(value).__name__}; a text is expected, like {name}=''.")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"seed = {seed!r}; a whole number from 0 to {LARGEST_SEED} is expected, like seed=0.")
    preset = preset or os.environ.get("PAPERLIB_PRESET", "") or "demo"
    if preset not in PRESETS:
        raise InputError(f"Unknown preset {preset!r}; choose one of {', '.join(PRESETS)}.")
    if not scene and not polygons:
        scene, polygons = os.environ.get("PAPERLIB_SCENE", ""), os.environ.get("PAPERLIB_POLYGONS", "")
    if bool(scene) != bool(polygons):
        given, lacking = ("scene", "polygons") if scene else ("polygons", "scene")
        raise InputError(f"{given} is given without {lacking}: give both paths, or neither for the simulated scene.")
    chosen = PRESETS[preset]
    return replace(chosen, scene=replace(chosen.scene, path=scene, polygons=polygons), seed=seed)


def key(*parts) -> str:
    """Twelve hexadecimal digits that depend only on the values given: dataclasses, numbers, texts, lists, dicts."""
    plain = [asdict(part) if hasattr(part, "__dataclass_fields__") else part for part in parts]
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def describe(settings: Settings) -> dict[str, object]:
    """Settings as one flat dictionary ("train.epochs": 12), for provenance."""
    flat: dict[str, object] = {"seed": settings.seed}
    for part in fields(settings):
        value = getattr(settings, part.name)
        if hasattr(value, "__dataclass_fields__"):
            flat |= {f"{part.name}.{name}": content for name, content in asdict(value).items()}
    return flat
