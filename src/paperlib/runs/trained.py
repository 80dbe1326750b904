"""Classifiers trained on a dataset: every training, its scores, and which one is chosen."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from .. import models, store
from ..allocation import one_thread
from ..errors import InputError
from ..evaluation.scoring import polygon_counts
from ..features.inputs import Inputs
from ..features.normaliser import Normaliser
from ..features.samples import Samples
from ..features.variations import varied_inputs, vary
from ..labels import legend_of
from ..models import CLASSIFIERS, NETWORKS
from ..settings import Settings, describe
from ..training.classifier import Classifier, count_parameters
from ..training.imitation import Imitation
from ..training.polygon_scores import PolygonScores
from ..training.trials import answers, class_scores_frame, trainings_frame, write_training
from . import keys
from .dataset import Dataset
from .pretrained.imitations import imitation_of
from .side_by_side import Job, make_trainings


class Trained:
    """The trainings of classifiers on a dataset, each made when it is first asked for.

    Parameters
    ----------
    dataset: where the samples come from.
    settings: those of the run; `sample` may vary the samples (see `variations`), `train` and `seed` are used as well.
    progress: whether a line shows the progress.
    """

    def __init__(self, dataset: Dataset, settings: Settings, progress: bool = False):
        self.dataset, self.settings, self.progress = dataset, settings, progress
        self._counts: dict[tuple[str, str], tuple[list[np.ndarray], np.ndarray]] = {}  # claims ask for them often

    def __reduce__(self) -> tuple:
        return Trained, (self.dataset, self.settings)  # workers vary and normalise the samples themselves

    @cached_property
    def inputs(self) -> Inputs:
        """What the classifiers read of a scene, as `settings.sample` varies it.

        Shuffled dates leave it as it is: no scene gives the series in that order.
        """
        return varied_inputs(self.dataset.inputs, self.settings.sample, self.dataset.dates)

    @cached_property
    def varied(self) -> dict[str, Samples]:
        """The samples of each set as `settings.sample` varies them, not normalised."""
        return vary(self.dataset.samples, self.settings.sample, self.dataset.dates, self.settings.seed)

    @property
    def normaliser(self) -> Normaliser:
        """The dataset's normaliser, of the channels that the varied samples have."""
        channels = self.dataset.samples["train"].channels
        return self.dataset.normaliser.select([channels.index(name) for name in self.varied["train"].channels])

    @cached_property
    def normalised(self) -> dict[str, Samples]:
        """The varied samples of each set, normalised, as networks take them."""
        return {name: samples.map(self.normaliser.apply) for name, samples in self.varied.items()}

    @cached_property
    def imitation(self) -> Imitation:
        """The imitation of Galileo on the scene; see `imitations.imitation_of`.

        Raises `InputError` for shuffled dates, which no scene has.
        """
        if self.settings.sample.dates == "shuffled":
            problem = (
                "Galileo cannot be trained on shuffled dates: the scene on which it is imitated has them in order."
            )
            raise InputError(problem, "Leave it out, or the variation.", kind="settings.varied")
        return imitation_of(self.dataset, self.inputs, self.settings)

    def imitation_for(self, name: str) -> Imitation | None:
        """What a pretrained classifier starts from; None for the others."""
        return self.imitation if models.find(name).pretrained else None

    def samples(self, name: str) -> dict[str, Samples]:
        """Samples of each set that a classifier takes, not normalised: patches, or whole superpixels.

        Raises `InputError` where `settings.sample` varies the samples of a classifier that needs superpixels.
        """
        if not models.find(name).needs_superpixels:
            return self.varied
        sample = self.settings.sample
        if any(getattr(sample, field) != getattr(type(sample)(), field) for field in keys.VARIED):
            problem = f"{name} cannot be varied: its superpixels come from the whole scene."
            raise InputError(problem, "Leave it out, or the variation.", kind="settings.varied")
        return self.dataset.superpixel_samples

    def networks(self, channels: int, dates: int, classes: int) -> pd.DataFrame:
        """Trainable parameters of each network at a reference size of its input, and at that of this run.

        Columns model, parameters_reference (at `channels`, `dates`, `classes`), parameters, receptive_field (pixels).
        """
        here = len(self.inputs.channels()), len(self.inputs.days), len(self.dataset.legend)
        rows = []
        for name in (*NETWORKS, *models.VARIANTS):
            model, reference = models.build(name, *here), models.build(name, channels, dates, classes)
            rows.append((name, count_parameters(reference), count_parameters(model), model.receptive_field))
        return pd.DataFrame(rows, columns=["model", "parameters_reference", "parameters", "receptive_field"])

    # -- trainings -----------------------------------------------------------------------------------------------------

    def jobs(self, names: Iterable[str]) -> list[Job]:
        """All trainings of these classifiers, for `side_by_side.make_trainings`."""
        return [Job(self, name, number) for name in names for number in range(self.settings.train.trainings)]

    def make(self, names: Iterable[str], then: str = "", after: float = 0.0) -> None:
        """Train what is not in the store yet, side by side; `then`, `after`: what follows, for the line of progress."""
        make_trainings(self.jobs(names), then, after)

    @property
    def variation(self) -> str:
        """What `settings.sample` varies, as "dates=shuffled"; empty where it varies nothing."""
        sample, usual = self.settings.sample, type(self.settings.sample)()
        varied = {field: getattr(sample, field) for field in (*keys.VARIED, "oversample")}
        return ", ".join(f"{field}={value}" for field, value in varied.items() if value != getattr(usual, field))

    def place(self, name: str, number: int = 0) -> Path:
        """Folder of one training in the store, which exists where it is made."""
        return store.place(self.dataset.store, "training", name, keys.training_key(self.settings, name, number))

    @one_thread()
    def training(self, name: str, number: int = 0, progress: Callable[[dict], object] | None = None) -> Path:
        """Folder of one training of a classifier (see `trials`), trained and scored where it is not in the store.

        `progress` as of `loop.train`.
        """

        def make(folder: Path) -> None:
            parts, before = self.samples(name), 0.0
            if models.find(name).needs_superpixels:  # the training includes the segmentation, as the paper's does
                before = store.read_json(self.dataset.superpixels_folder / "provenance.json")["seconds"]
            classifier = Classifier.train(
                name, parts, self.inputs, legend_of(self.dataset.polygons), self.settings.train, self.settings.seed + number,
                normaliser=self.normaliser, oversampling=self.settings.sample.oversample,
                state=folder / "state.safetensors", progress=progress,
                imitation=self.imitation_for(name),
            )  # fmt: skip
            write_training(folder, classifier, parts, before)

        key, facts = keys.training_key(self.settings, name, number), describe(self.settings)
        return store.find_or_make(self.dataset.store, "training", name, key, make, facts, resumes=True)

    def folders(self, name: str) -> list[Path]:
        """Folders of all trainings of a classifier."""
        self.make([name])
        return [self.training(name, number) for number in range(self.settings.train.trainings)]

    def chosen(self, name: str) -> int:
        """Number of the chosen training of a classifier: the best by validation macro F1."""
        table = self.trainings([name])
        return int(table.loc[table["chosen"], "training"].iloc[0])

    def best(self, name: str) -> Path:
        """Folder of the chosen training of a classifier."""
        return self.training(name, self.chosen(name))

    def classifier(self, name: str, number: int | None = None) -> Classifier:
        """A training of a classifier, by default the chosen one, with the colours of the run, on which none depends."""
        folder = self.best(name) if number is None else self.training(name, number)
        return replace(Classifier.load(folder), legend=self.dataset.legend)

    def answers(self, name: str, number: int, part: str = "test") -> tuple[Tensor, Tensor]:
        """Logits (pixel, class) of a training at the labelled pixels of a set, and their classes; see `trials.answers`."""
        return answers(self.training(name, number), part, lambda: self.samples(name)[part])

    def chosen_answers(self, name: str) -> dict[str, tuple[Tensor, Tensor]]:
        """`answers` of the chosen training of a classifier, on "validation" and on "test"."""
        return {part: self.answers(name, self.chosen(name), part) for part in ("validation", "test")}

    # -- scores --------------------------------------------------------------------------------------------------------

    def _scores(self, names: Iterable[str]) -> list[dict]:
        jobs = self.jobs(names)
        make_trainings(jobs)
        return [
            {**store.read_json(self.training(job.name, job.number) / "scores.json"), "training": job.number}
            for job in jobs
        ]

    def trainings(self, names: Iterable[str] = CLASSIFIERS) -> pd.DataFrame:
        """Every training of these classifiers, the chosen ones marked; see `trials.trainings_frame`."""
        return trainings_frame(self._scores(names))

    def class_scores(self, names: Iterable[str] = CLASSIFIERS) -> pd.DataFrame:
        """F1 of each class in every training; see `trials.class_scores_frame`."""
        return class_scores_frame(self._scores(names))

    def history(self, names: Iterable[str] = NETWORKS) -> pd.DataFrame:
        """Every epoch of every training of these networks: columns model, training, then those of `loop.train`."""
        names = tuple(names)
        self.make(names)
        frames = [
            pd.read_csv(folder / "history.csv").assign(model=name, training=number)
            for name in names
            for number, folder in enumerate(self.folders(name))
        ]
        return pd.concat(frames, ignore_index=True)

    def polygon_counts(self, name: str, part: str = "test") -> tuple[list[np.ndarray], np.ndarray]:
        """How each training of a classifier labels the polygons of "validation" or "test"; see `scoring.polygon_counts`.

        Pixels (polygon, predicted class index) by training, and the class index (polygon,) of each polygon.
        """
        if (name, part) not in self._counts:
            tables = [self._polygons(folder) for folder in self.folders(name)]
            counts = [polygon_counts(table[table["set"] == part], len(self.dataset.legend)) for table in tables]
            self._counts[name, part] = [pixels for pixels, _ in counts], counts[0][1]
        return self._counts[name, part]

    def _polygons(self, folder: Path) -> pd.DataFrame:
        """Counts by polygon of the training in a folder."""
        return pd.read_csv(folder / "polygons.csv")

    def counts(
        self, part: str = "test", names: Iterable[str] = CLASSIFIERS
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """`polygon_counts` of all trainings of each classifier (training, polygon, class), as `intervals` takes them."""
        counts = {name: self.polygon_counts(name, part) for name in names}
        return {name: np.stack(pixels) for name, (pixels, _) in counts.items()}, next(iter(counts.values()))[1]

    def chosen_counts(
        self, part: str = "test", names: Iterable[str] = CLASSIFIERS
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """`polygon_counts` of the chosen training of each classifier."""
        names = list(names)
        chosen = self.trainings(names).query("chosen").set_index("model")["training"]
        counts, reference = self.counts(part, names)
        return {name: trainings[chosen[name]] for name, trainings in counts.items()}, reference

    def polygon_scores(self, name: str, part: str = "test") -> PolygonScores:
        """The scores of the chosen training of a classifier on "validation" or "test", with intervals."""
        counts, reference = self.chosen_counts(part, [name])
        return PolygonScores(counts[name], reference, self.dataset.legend, f"{part} polygons of the training")

    def confusions(self, part: str = "test", names: Iterable[str] = CLASSIFIERS) -> dict[str, np.ndarray]:
        """Confusion matrix (reference, predicted) of each classifier's chosen training on "validation" or "test"."""
        return {name: np.array(store.read_json(self.best(name) / "scores.json")["confusion"][part]) for name in names}
