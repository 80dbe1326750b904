"""Keys of artifacts: each hashes the settings and files that the bytes of a stage depend on, and nothing else.

`tests/runs/test_keys.py` compares these keys with a table: for every setting, the stages that it changes.
"""

from dataclasses import asdict
from typing import Any

from .. import models, store
from ..models.registry import FORESTS
from ..scenes.fingerprints import fingerprint
from ..settings import SIMULATED, Settings, key

#: Fields of `settings.Sample` that vary extracted samples instead of changing what is extracted.
VARIED = ("split", "training_share", "dates", "indices")
#: Settings of a scene that products of Theia L3A, as those of the simulated scene, answer themselves.
OF_OTHER_FILES = ("sensor", "pixel", "pattern")
#: Settings of the training loop that a single network takes.
OWN = {"fusion": "SpatioTempCNN"}


def simulated_scene(settings: Settings) -> dict[str, Any]:
    """The settings that the files of the simulated scene depend on."""
    return {name: getattr(settings.scene, name) for name in SIMULATED}


def scene_key(settings: Settings) -> str:
    """Key of the files of the simulated scene."""
    return key(simulated_scene(settings), store.FORMAT)


def samples_key(settings: Settings) -> str:
    """Key of the samples, and of the superpixels, whose features are normalised by the training samples."""
    scene, sample = asdict(settings.scene), settings.sample
    paths = [scene.pop("path"), scene.pop("polygons")]
    files = simulated_scene(settings) if not settings.scene.path else [fingerprint(path) for path in paths]
    unread = SIMULATED if settings.scene.path else (*SIMULATED, *OF_OTHER_FILES)
    read = {name: value for name, value in scene.items() if name not in unread}
    margin = models.WIDEST // 2
    return key(
        files, read, settings.labels, sample.patch, sample.validation, margin, settings.seed, store.FORMAT
    )  # fmt: skip


def same_dataset(one: Settings, other: Settings) -> bool:
    """Whether two runs read the same scene and polygons and extract the same samples."""
    first, second = ((run.scene, run.labels, run.sample.patch, run.sample.validation, run.seed) for run in (one, other))
    return first == second


def training_key(settings: Settings, name: str, number: int) -> str:
    """Key of training `number` of the classifier `name`."""
    sample = {field: getattr(settings.sample, field) for field in VARIED}
    train = {}
    if name not in FORESTS:
        train = {"oversample": settings.sample.oversample} | asdict(settings.train)
        train.pop("trainings")  # the number of trainings changes none of them
        for field, owner in OWN.items():
            if name != owner:
                train.pop(field)
    return key(samples_key(settings), name, train, sample, settings.seed + number, store.FORMAT)


def map_key(training: str) -> str:
    """Key of the map by the training in a folder of this name; the size of windows changes no byte of a map."""
    return key(training, store.FORMAT)
