"""Keys of artifacts: each hashes the settings and files that the bytes of a stage depend on, and nothing else.

`tests/runs/test_keys.py` compares these keys with a table: for every setting, the stages that it changes.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import models, store
from ..features.inputs import Inputs
from ..regions.tiles import fingerprint
from ..settings import SIMULATED, Settings, key
from ..training.classifier import decisive

#: Fields of `settings.Sample` that vary extracted samples instead of changing what is extracted.
VARIED = ("split", "training_share", "dates", "indices")
#: Settings of a scene that products of Theia L3A, as those of the simulated scene, answer themselves.
OF_OTHER_FILES = ("sensor", "pixel", "pattern")


def simulated_scene(settings: Settings) -> dict[str, Any]:
    """The settings that the files of the simulated scene depend on."""
    return {name: getattr(settings.scene, name) for name in SIMULATED}


def scene_key(settings: Settings) -> str:
    """Key of the files of the simulated scene."""
    return key(simulated_scene(settings), store.FORMAT)


def pairs_key(settings: Settings) -> str:
    """Key of the polygons that show one object: the scene, and the polygons before they are divided."""
    return key(*_read(settings), store.FORMAT)


def imitation_key(settings: Settings, inputs: Inputs) -> str:
    """Key of the imitation of Galileo: what is read of the scene, and of how many pixels. No label changes it."""
    files = simulated_scene(settings) if not settings.scene.path else fingerprint(settings.scene.path)
    unread = ("path", "polygons", *(SIMULATED if settings.scene.path else (*SIMULATED, *OF_OTHER_FILES)))
    read = {name: value for name, value in asdict(settings.scene).items() if name not in unread}
    return key(files, read, asdict(inputs), settings.train.imitated, store.FORMAT)


def superpixels_key(settings: Settings) -> str:
    """Key of the superpixels and of their samples: the scene, and the polygons in their sets.

    The channels of superpixels are normalised by the training pixels, which are the same in patches of any size.
    """
    return key(*_read(settings), settings.sample.validation, settings.seed, store.FORMAT)


def _read(settings: Settings) -> tuple[Any, ...]:
    """What is read: the files of the scene and the polygons, and the settings by which."""
    scene = asdict(settings.scene)
    paths = [scene.pop("path"), scene.pop("polygons")]
    if Path(settings.labels.nomenclature).is_file():
        paths.append(settings.labels.nomenclature)
    files = simulated_scene(settings) if not settings.scene.path else [fingerprint(path) for path in paths]
    unread = SIMULATED if settings.scene.path else (*SIMULATED, *OF_OTHER_FILES)
    read = {name: value for name, value in scene.items() if name not in unread}
    return files, read, settings.labels


def samples_key(settings: Settings) -> str:
    """Key of the samples in patches."""
    return key(superpixels_key(settings), settings.sample.patch, models.reach())


def same_dataset(one: Settings, other: Settings) -> bool:
    """Whether two runs read the same scene and polygons, extract the same samples and show them in the same colours."""
    first, second = (
        (
            run.scene,
            run.labels,
            run.sample.patch,
            run.sample.validation,
            run.region.mixed_years,
            run.map.palette,
            run.seed,
        )
        for run in (one, other)
    )
    return first == second


def training_key(settings: Settings, name: str, number: int) -> str:
    """Key of training `number` of the classifier `name`."""
    sample = {field: getattr(settings.sample, field) for field in VARIED}
    samples = superpixels_key(settings) if models.find(name).needs_superpixels else samples_key(settings)
    train = decisive(name, settings.train, settings.sample.oversample)
    return key(samples, name, train, sample, settings.seed + number, store.FORMAT)


def map_key(training: str, probabilities: bool = False, palette: str = "") -> str:
    """Key of the map, with all layers or two, by the training in this folder; windows of any size give the same bytes."""
    return key(training, *(["probabilities"] if probabilities else []), *filter(None, [palette]), store.FORMAT)
