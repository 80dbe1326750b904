"""Classifiers trained on a dataset: every training, its scores, and which one is chosen."""

from collections.abc import Iterable
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from .. import models, store
from ..errors import InputError
from ..features.samples import Samples
from ..models import context
from ..models.registry import CLASSIFIERS, FORESTS, NETWORKS
from ..settings import Settings, describe
from ..training.trials import (
    class_scores_frame,
    count_parameters,
    load_classifier,
    make_training,
    polygon_counts,
    trainings_frame,
)
from . import keys
from .dataset import Dataset
from .variations import vary


class Trained:
    """The trainings of classifiers on a dataset, each made when it is first asked for.

    Parameters
    ----------
    dataset: where the samples come from.
    settings: those of the run; `sample` may vary the samples (see `variations`), `train` and `seed` are used as well.
    progress: whether bars show the progress.
    """

    def __init__(self, dataset: Dataset, settings: Settings, progress: bool = False):
        self.dataset, self.settings, self.progress = dataset, settings, progress

    @cached_property
    def normalised(self) -> dict[str, Samples]:
        """The samples of each set as classifiers take them: normalised, and varied as `settings.sample` asks."""
        normaliser = self.dataset.normaliser
        parts = {name: samples.map(normaliser.apply) for name, samples in self.dataset.samples.items()}
        return vary(parts, self.settings.sample, self.dataset.dates, self.settings.seed)

    @cached_property
    def normalised_superpixels(self) -> dict[str, Samples]:
        """The same for iota2_ctx, whole superpixels. Raises `InputError` where `settings.sample` varies the samples."""
        sample = self.settings.sample
        if any(getattr(sample, name) != getattr(type(sample)(), name) for name in keys.VARIED):
            problem = f"{context.NAME} cannot be varied: its superpixels come from the whole scene."
            raise InputError(problem, kind="settings.varied")
        normaliser = self.dataset.normaliser
        return {name: samples.map(normaliser.apply) for name, samples in self.dataset.superpixel_samples.items()}

    def networks(self, channels: int, dates: int, classes: int) -> pd.DataFrame:
        """Trainable parameters of each network at a reference size of its input, and at that of this run.

        Columns model, parameters_reference (at `channels`, `dates`, `classes`), parameters, receptive_field (pixels).
        """
        rows = []
        for name in (*NETWORKS, *models.VARIANTS):
            model, reference = self._build(name), models.build(name, channels, dates, classes)
            rows.append((name, count_parameters(reference), count_parameters(model), model.receptive_field))
        return pd.DataFrame(rows, columns=["model", "parameters_reference", "parameters", "receptive_field"])

    def _build(self, name: str) -> torch.nn.Module:
        if name not in (known := (*CLASSIFIERS, *models.VARIANTS)):
            raise InputError(f"Unknown model {name!r};", f"choose one of {', '.join(known)}.", kind="settings.model")
        classes = len(self.dataset.legend)
        if name in FORESTS:
            return FORESTS[name](classes=classes)
        choice, (_, channels, dates, *_) = self.settings.train, self.normalised["train"].x.shape
        return models.build(name, channels, dates, classes, dropout=choice.dropout, fusion=choice.fusion)

    # -- trainings -----------------------------------------------------------------------------------------------------

    def training(self, name: str, number: int = 0) -> Path:
        """Folder of one training of a classifier (see `trials`), trained and scored where it is not in the store."""

        def make(folder: Path) -> None:
            seed = self.settings.seed + number
            torch.manual_seed(seed)  # of the initial weights
            parts, before = self.normalised, 0.0
            if name == context.NAME:  # its training includes the segmentation, as the paper's does
                parts = self.normalised_superpixels
                before = store.read_json(self.dataset.superpixels_folder / "provenance.json")["seconds"]
            make_training(
                folder, name, self._build(name), parts, self.dataset.normaliser, self.dataset.legend,
                self.settings.train, self.settings.sample.oversample, seed, self.progress, before,
            )  # fmt: skip

        key, facts = keys.training_key(self.settings, name, number), describe(self.settings)
        return store.find_or_make(self.dataset.store, "training", name, key, make, facts, resumes=True)

    def folders(self, name: str) -> list[Path]:
        """Folders of all trainings of a classifier."""
        return [self.training(name, number) for number in range(self.settings.train.trainings)]

    def best(self, name: str) -> Path:
        """Folder of the chosen training of a classifier: the best by validation macro F1."""
        table = self.trainings([name])
        return self.training(name, int(table.loc[table["chosen"], "training"].iloc[0]))

    def classifier(self, name: str) -> torch.nn.Module:
        """The chosen training of a classifier, ready to predict normalised samples."""
        return load_classifier(self.best(name), self._build(name))

    # -- scores --------------------------------------------------------------------------------------------------------

    def _scores(self, names: Iterable[str]) -> list[dict]:
        trainings = product(names, range(self.settings.train.trainings))
        return [
            {**store.read_json(self.training(name, number) / "scores.json"), "training": number}
            for name, number in trainings
        ]

    def trainings(self, names: Iterable[str] = CLASSIFIERS) -> pd.DataFrame:
        """Every training of these classifiers, the chosen ones marked; see `trials.trainings_frame`."""
        return trainings_frame(self._scores(names))

    def class_scores(self, names: Iterable[str] = CLASSIFIERS) -> pd.DataFrame:
        """F1 of each class in every training; see `trials.class_scores_frame`."""
        return class_scores_frame(self._scores(names))

    def history(self, names: Iterable[str] = NETWORKS) -> pd.DataFrame:
        """Every epoch of every training of these networks: columns model, training, then those of `loop.train`."""
        frames = [
            pd.read_csv(folder / "history.csv").assign(model=name, training=number)
            for name in names
            for number, folder in enumerate(self.folders(name))
        ]
        return pd.concat(frames, ignore_index=True)

    def polygon_counts(self, name: str, part: str = "test") -> tuple[list[np.ndarray], np.ndarray]:
        """How each training of a classifier labels the polygons of "validation" or "test"; see `trials.polygon_counts`.

        Pixels (polygon, predicted class index) by training, and the class index (polygon,) of each polygon.
        """
        tables = [pd.read_csv(folder / "polygons.csv") for folder in self.folders(name)]
        counts = [polygon_counts(table[table["set"] == part], len(self.dataset.legend)) for table in tables]
        return [pixels for pixels, _ in counts], counts[0][1]

    def chosen_counts(
        self, part: str = "test", names: Iterable[str] = CLASSIFIERS
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """`polygon_counts` of the chosen training of each classifier, as `intervals` takes them."""
        chosen = self.trainings(names).query("chosen").set_index("model")["training"]
        counts = {name: self.polygon_counts(name, part) for name in names}
        pixels = {name: trainings[chosen[name]] for name, (trainings, _) in counts.items()}
        return pixels, next(iter(counts.values()))[1]

    def confusions(self, part: str = "test", names: Iterable[str] = CLASSIFIERS) -> dict[str, np.ndarray]:
        """Confusion matrix (reference, predicted) of each classifier's chosen training on "validation" or "test"."""
        return {name: np.array(store.read_json(self.best(name) / "scores.json")["confusion"][part]) for name in names}
