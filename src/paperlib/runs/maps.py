"""Whole-scene maps by the trainings of each classifier, first of all the chosen one."""

from collections.abc import Iterable
from pathlib import Path

import xarray as xr

from .. import store
from ..errors import InputError
from ..mapping.layers import bytes_of
from ..mapping.scene_maps import map_scene, read_map
from ..settings import describe
from . import keys
from .trained import Trained


class Maps:
    """The maps of a run, each made when it is first asked for."""

    def __init__(self, trained: Trained):
        self.trained, self.dataset, self.settings = trained, trained.dataset, trained.settings

    def require_order(self) -> None:
        """Raise `InputError` for a run whose dates are shuffled: no scene gives the series in that order."""
        if self.settings.sample.dates == "shuffled":
            problem = "A run with shuffled dates has scores but no maps."
            raise InputError(problem, "Map the run it comes from (sample.dates=all).", kind="settings.varied")

    @property
    def every(self) -> bool:
        """Whether maps hold all layers: where the settings say so, and of the simulated scene, whose pages show them."""
        return self.settings.map.probabilities or not self.settings.scene.path

    def folder(self, name: str) -> Path:
        """Folder of the map by the chosen training of a classifier: class.tif, confidence.tif; see `mapping.map_scene`.

        Raises `InputError` for a run whose dates are shuffled.
        """
        return self._made(name, self.trained.chosen(name), self.every)

    def _made(self, name: str, number: int, every: bool) -> Path:
        """Folder of the map by training `number` of a classifier, with all layers or two."""
        self.require_order()

        def make(folder: Path) -> None:
            classifier = self.trained.classifier(name, number)
            map_scene(
                classifier, self.dataset.scene, folder, window=self.settings.map.window, progress=self.trained.progress,
                superpixels=self.dataset.superpixels if classifier.model.needs_superpixels else None, every=every,
            )  # fmt: skip

        training, facts = self.trained.training(name, number).name, describe(self.settings)
        key = keys.map_key(training, every, self.settings.map.palette)
        room = 2 * bytes_of(self.pixels(), len(self.dataset.legend), every)  # windows, then the maps
        return store.find_or_make(self.dataset.store, "map", name, key, make, facts, resumes=True, needed=room)

    def made(self, name: str) -> bool:
        """Whether the map by the chosen training of a classifier is in the store."""
        key = keys.map_key(self.trained.best(name).name, self.every, self.settings.map.palette)
        return store.place(self.dataset.store, "map", name, key).is_dir()

    def classified(self) -> int:
        """How many pixels are classified for a map."""
        return self.pixels()

    def pixels(self) -> int:
        """How many pixels the products of a map hold."""
        return self.dataset.scene.sizes["y"] * self.dataset.scene.sizes["x"]

    def write_parts(self, name: str, folder: Path) -> None:
        """Write what a map consists of beside it to a folder: nothing, for a single scene."""

    def seconds(self, name: str) -> float:
        """How long the map took."""
        return store.read_json(self.folder(name) / "provenance.json")["seconds"]

    def classes(self, name: str) -> xr.DataArray:
        """Class codes (y, x)."""
        return read_map(self.folder(name) / "class.tif")

    def by_trainings(self, name: str, numbers: Iterable[int]) -> list[Path]:
        """Folders of maps by these trainings of a classifier, of two layers; raises `InputError` as `folder` does."""
        return [self._made(name, number, False) for number in numbers]

    def classes_by_training(self, name: str) -> list[xr.DataArray]:
        """Class codes (y, x) of the maps by all trainings of a classifier, that by the chosen one first."""
        chosen = self.trained.chosen(name)
        others = [number for number in range(self.settings.train.trainings) if number != chosen]
        folders = [self.folder(name), *self.by_trainings(name, others)]
        return [read_map(folder / "class.tif") for folder in folders]

    def confidence(self, name: str) -> xr.DataArray:
        """Confidence in percent (y, x), 255 where there is none."""
        return read_map(self.folder(name) / "confidence.tif")
