"""One run from scene to map: the only place that joins the stages, and what the notebooks call."""

from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import xarray as xr
from shapely import Point

from .. import models, settings, store
from ..errors import InputError
from ..mapping.scene_maps import map_scene, read_map
from ..models import context
from ..models.registry import CLASSIFIERS, FORESTS, NETWORKS
from ..scenes.windowing import window_around
from ..training.trials import (
    class_scores_frame,
    count_parameters,
    load_classifier,
    make_training,
    polygon_counts,
    trainings_frame,
)
from .dataset import Dataset


class Experiment(Dataset):
    """A scene, its polygons, the classifiers trained on them, and their maps.

    Parameters are those of `settings.make`: a preset, the paths of a scene and its polygons (both empty: the simulated
    scene), and a seed. Nothing is read or computed before it is asked for.
    """

    # -- training ------------------------------------------------------------------------------------------------------

    def networks(self) -> pd.DataFrame:
        """Columns model, parameters_paper (13 channels, 11 dates, 8 classes), parameters (this scene), receptive_field."""
        here = {name: self._build(name) for name in (*NETWORKS, *models.VARIANTS)}
        shape = {"channels": 13, "dates": 11, "classes": 8}
        rows = [
            (name, count_parameters(models.build(name, **shape)), count_parameters(model), model.receptive_field)
            for name, model in here.items()
        ]
        return pd.DataFrame(rows, columns=["model", "parameters_paper", "parameters", "receptive_field"])

    def _build(self, name: str) -> torch.nn.Module:
        if name not in (known := (*CLASSIFIERS, *models.VARIANTS)):
            raise InputError(f"Unknown model {name!r}; choose one of {', '.join(known)}.")
        if name in FORESTS:
            return FORESTS[name](classes=len(self.legend))
        choice, (_, channels, dates, *_) = self.settings.train, self.normalised["train"].x.shape
        return models.build(name, channels, dates, len(self.legend), dropout=choice.dropout, fusion=choice.fusion)

    def _training_key(self, name: str, number: int) -> str:
        choice = asdict(self.settings.train)
        choice.pop("trainings")  # how many there are changes none of them
        if name in FORESTS:
            choice = {}
        sample = asdict(self.settings.sample)
        return settings.key(self._samples_key, name, choice, sample, self.settings.seed + number, store.FORMAT)

    def training(self, name: str, number: int = 0) -> Path:
        """Folder of one training of a classifier (see `benchmark`), trained and scored when it is not there yet."""

        def make(folder: Path) -> None:
            seed = self.settings.seed + number
            torch.manual_seed(seed)  # of the initial weights
            parts, before = self.normalised, 0.0
            if name == context.NAME:  # its training includes the segmentation, as the paper's does
                parts = self.normalised_context
                before = store.read_json(self.superpixels_folder / "provenance.json")["seconds"]
            make_training(
                folder, name, self._build(name), parts, self.normaliser, self.legend, self.settings.train,
                self.settings.sample.oversample, seed, self.progress, before,
            )  # fmt: skip

        key = self._training_key(name, number)
        return store.find_or_make("training", name, key, make, settings.describe(self.settings), resumes=True)

    def _scores(self, names=CLASSIFIERS) -> list[dict]:
        trainings = product(names, range(self.settings.train.trainings))
        return [{**store.read_json(self.training(*one) / "scores.json"), "training": one[1]} for one in trainings]

    def trainings(self, names=CLASSIFIERS) -> pd.DataFrame:
        """Every training of these classifiers, the chosen ones marked; see `trials.trainings_frame`."""
        return trainings_frame(self._scores(names))

    def class_scores(self, names=CLASSIFIERS) -> pd.DataFrame:
        """F1 of each class in every training; see `trials.class_scores_frame`."""
        return class_scores_frame(self._scores(names))

    def history(self, names=NETWORKS) -> pd.DataFrame:
        """Every epoch of every training of these networks: columns model, training, then those of `loop.train`."""
        frames = [
            pd.read_csv(self.training(name, number) / "history.csv").assign(model=name, training=number)
            for name, number in product(names, range(self.settings.train.trainings))
        ]
        return pd.concat(frames, ignore_index=True)

    def best(self, name: str) -> Path:
        """Folder of the chosen training of a classifier: the best by validation macro F1."""
        table = self.trainings([name])
        return self.training(name, int(table.loc[table["chosen"], "training"].iloc[0]))

    def polygon_counts(self, name: str, part: str = "test") -> tuple[list[np.ndarray], np.ndarray]:
        """What each training of a classifier says of the polygons of "validation" or "test"; see `benchmark`.

        Pixels (polygon, predicted class index) by training, and the class index (polygon,) of each polygon.
        """
        folders = [self.training(name, number) for number in range(self.settings.train.trainings)]
        tables = [pd.read_csv(folder / "polygons.csv") for folder in folders]
        found = [polygon_counts(table[table["set"] == part], len(self.legend)) for table in tables]
        return [counts for counts, _ in found], found[0][1]

    def chosen_counts(self, part: str = "test", names=CLASSIFIERS) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """`polygon_counts` of the chosen training of each classifier, as `intervals` takes them."""
        chosen = self.trainings(names).query("chosen").set_index("model")["training"]
        found = {name: self.polygon_counts(name, part) for name in names}
        return {name: counts[chosen[name]] for name, (counts, _) in found.items()}, next(iter(found.values()))[1]

    def confusions(self, part: str = "test", names=CLASSIFIERS) -> dict[str, np.ndarray]:
        """Confusion matrix (reference, predicted) of each classifier's chosen training on "validation" or "test"."""
        return {name: np.array(store.read_json(self.best(name) / "scores.json")["confusion"][part]) for name in names}

    def classifier(self, name: str) -> torch.nn.Module:
        """The chosen training of a classifier, ready to predict normalised samples."""
        return load_classifier(self.best(name), self._build(name))

    def efficiency(self, names=CLASSIFIERS) -> pd.DataFrame:
        """`trainings` with the seconds that the whole-scene map of the chosen training took (inference_seconds)."""
        seconds = {name: store.read_json(self.map(name) / "provenance.json")["seconds"] for name in names}
        return self.trainings(names).assign(inference_seconds=lambda table: table["model"].map(seconds))

    # -- maps ----------------------------------------------------------------------------------------------------------

    def map(self, name: str) -> Path:
        """Folder of the whole-scene map by the chosen training of a classifier: class.tif and confidence.tif."""
        best = self.best(name)
        if (self.settings.sample.dates, self.settings.sample.indices) != ("all", True):
            raise InputError("A run varied in its dates or channels has scores but no maps; map the run it comes from.")

        def make(folder: Path) -> None:
            map_scene(
                self.classifier(name), self.scene, self.normaliser, self.legend, folder,
                window=self.settings.map.window, progress=self.progress,
                superpixels=self.superpixels if name == context.NAME else None,
            )  # fmt: skip

        key = settings.key(best.name, store.FORMAT)
        return store.find_or_make("map", name, key, make, settings.describe(self.settings), resumes=True)

    def class_map(self, name: str) -> xr.DataArray:
        """Class codes (y, x) of a classifier's map."""
        return read_map(self.map(name) / "class.tif")

    def confidence_map(self, name: str) -> xr.DataArray:
        """Confidence in percent (y, x) of a classifier's map, 255 where there is none."""
        return read_map(self.map(name) / "confidence.tif")

    def class_maps(self, names=CLASSIFIERS) -> dict[str, xr.DataArray]:
        """Class codes (y, x) of each classifier's map, after the truth where the scene has one."""
        truth = {"truth": self.truth} if self.simulated else {}
        return truth | {name: self.class_map(name) for name in names}

    def window(self, size: int, class_name: str = "") -> dict[str, slice]:
        """A square window of `size` pixels around the test polygon of a class that lies nearest to the scene's centre.

        Around the centre itself where no class is named, or no test polygon has it.
        """
        test = self.polygons[(self.polygons["set"] == "test") & (self.polygons["class_name"] == class_name)]
        left, bottom, right, top = self.scene.rio.bounds()
        middle = Point((left + right) / 2, (bottom + top) / 2)
        if len(test):
            middle = test.geometry.iloc[test.distance(middle).argmin()].centroid
        return window_around(self.scene, middle.x, middle.y, size)
