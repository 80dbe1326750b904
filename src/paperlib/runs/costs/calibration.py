"""What classifiers cost on this machine: a few steps, windows and patches of the scene at hand, timed."""

import tempfile
import time
import warnings
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch

from ... import devices, models
from ...errors import InputWarning
from ...features.normaliser import Normaliser
from ...features.samples import Samples
from ...features.variations import vary
from ...mapping.scene_maps import parts_of
from ...mapping.timing import WORTHWHILE, Reading, read_windows, seconds_of_pixel, share_of_watch
from ...models.contract import Model
from ...outputs import used
from ...training.classifier import Classifier, options_of
from ...training.timing import growth, seconds_of_epoch, seconds_of_fit, seconds_of_imitation, seconds_of_scoring
from ..experiment import Experiment
from ..pretrained.imitations import encoded_of, has_imitation
from .excerpts import Excerpt, SuperpixelExcerpt, pixels, read_excerpt, read_superpixels

#: Pixels that a forest is grown on, at most.
PIXELS = 20_000


class Rates(NamedTuple):
    """What a classifier costs, in seconds of one processor (with a GPU: wall-clock seconds)."""

    epoch: float  # of a network, validation included; 0 of a forest
    once: float  # of a training: the growth of a forest, the scores at its end
    start: float  # of a map, whatever its size
    pixel: float  # of a map, read, classified and written
    weights: int  # bytes of a trained classifier

    def training(self, epochs: int) -> float:
        """Seconds of a training of so many epochs."""
        return self.epoch * epochs + self.once


class Calibration:
    """Costs of the classifiers of a run; each is measured when it is asked for. Nothing is written to the store."""

    def __init__(self, run: Experiment):
        self.run, self.dataset, self.settings = run, run.dataset, run.settings
        self._made: dict[str, tuple[Classifier, float]] = {}

    @cached_property
    def excerpt(self) -> Excerpt:
        """Samples of the run, or some of them."""
        return read_excerpt(self.dataset)

    @property
    def samples_bytes(self) -> int:
        """Size of all samples in patches."""
        return int(sum(part.x.nbytes for part in self.excerpt.parts.values()) / self.excerpt.share)

    @property
    def answers_bytes(self) -> int:
        """Size of the answers that a training keeps: logits and a class index of each validation and test pixel."""
        labelled = sum(int((self.excerpt.parts[part].label >= 0).sum()) for part in ("validation", "test"))
        return int(labelled / self.excerpt.share * (4 * len(self.run.legend) + 8))

    @cached_property
    def superpixels(self) -> SuperpixelExcerpt:
        """Superpixels of a part of the scene."""
        return read_superpixels(self.dataset, Normaliser.fit(self.excerpt.parts["train"]))

    @cached_property
    def _varied(self) -> dict[str, Samples]:
        return vary(self.excerpt.parts, self.settings.sample, self.dataset.dates, self.settings.seed)

    @cached_property
    def _normaliser(self) -> Normaliser:
        return Normaliser.fit(self._varied["train"])

    @cached_property
    def _normalised(self) -> dict[str, Samples]:
        return {name: samples.map(self._normaliser.apply) for name, samples in self._varied.items()}

    @cached_property
    def _reading(self) -> Reading:
        widest = max(models.NAMES, key=lambda name: models.find(name).receptive_field)
        window, every = self.settings.map.window, self.run.maps.every
        return read_windows(self._classifier(widest)[0], self.dataset.scene, window, every)

    def rates(self, name: str) -> Rates:
        """What a classifier costs."""
        classifier, once = self._classifier(name)
        model, share, epoch = classifier.model, self.excerpt.share, 0.0
        if model.trained_in_epochs:
            parts, sample = self._normalised, self.settings.sample
            epoch, once = seconds_of_epoch(
                model, parts["train"], parts["validation"], self.settings.train, sample.oversample, share
            )
        once += self._scoring(model)
        written, start, weights = self._stored(classifier)
        return Rates(epoch, once + written, self._reading.start + start, self.map_rate(name), weights)

    def _stored(self, classifier: Classifier) -> tuple[float, float, int]:
        """Processor seconds in which a classifier is written and read, libraries loaded, and the bytes that it takes."""
        with tempfile.TemporaryDirectory() as place:
            folder, started = Path(place) / "classifier", time.process_time()
            classifier.save(folder)
            written = time.process_time()
            Classifier.load(folder)
            return written - started, time.process_time() - written, used(folder)

    @property
    def imitation_seconds(self) -> float:
        """Seconds in which the encoder of a pretrained classifier is imitated on the scene; 0 where that is in the store."""
        inputs, pixels = self.run.trained.inputs, self.excerpt.parts["train"].pixels().x[..., 0, 0]
        if has_imitation(self.dataset, inputs, self.settings):
            return 0.0
        number = min(self.settings.train.imitated, self.run.maps.classified())
        return seconds_of_imitation(encoded_of(self.dataset, inputs), pixels, number)

    def map_rate(self, name: str, members: int = 1) -> float:
        """Seconds in which so many trainings of a classifier map a pixel: it is read, classified by each, and written."""
        classifier, _ = self._classifier(name)
        scene, chosen = self.dataset.scene, self.settings.map
        classifier.model.eval()
        if not classifier.model.needs_superpixels:
            seconds = seconds_of_pixel(classifier, scene, self._reading.values, self.run.maps.every)
            return self._reading.seconds + members * seconds
        part, reach = self.superpixels, classifier.model.receptive_field // 2
        seconds = seconds_of_pixel(classifier, scene, part.values, self.run.maps.every, part.numbers)
        around = parts_of(scene, chosen.window, reach)  # superpixels are seen whole
        more = sum(pixels(place.read) for place in around) / sum(pixels(place.core) for place in around)
        return more * (self._reading.seconds + members * seconds)

    def _classifier(self, name: str) -> tuple[Classifier, float]:
        """A network as it is before training, or a forest grown on some samples; and the seconds of its whole growth."""
        if name not in self._made:
            inputs, legend, train = self.run.trained.inputs, self.dataset.legend, self.settings.train
            torch.manual_seed(self.settings.seed)
            options = options_of(name, train)
            model = models.build(name, len(inputs.channels()), len(inputs.days), len(legend), **options)
            seconds = 0.0 if model.trained_in_epochs else self._fit(model)
            self._made[name] = Classifier(name, model, inputs, self._normaliser, legend, {"options": options}), seconds
        return self._made[name]

    def _fit(self, model: Model) -> float:
        """Fit a model that knows no epochs to some samples; the seconds that all samples of the run would take."""
        share, train = self.excerpt.share, self._normalised["train"]
        if model.needs_superpixels:
            train, share = self.superpixels.samples.map(self._normaliser.apply), self.superpixels.share
        elif (labelled := int((train.label >= 0).sum())) > PIXELS:
            drawn = torch.randperm(labelled, generator=torch.Generator().manual_seed(0))[:PIXELS]
            train, share = train.pixels()[drawn], share * PIXELS / labelled
        return seconds_of_fit(model, train, self.settings.seed) * growth(share, int((train.label >= 0).sum()))

    def _scoring(self, model: Model) -> float:
        """Seconds of the scores on validation and test at the end of a training."""
        if model.needs_superpixels:
            counts, part = self.dataset.polygons["set"].value_counts(), self.superpixels
            held_out = (counts["validation"] + counts["test"]) / counts["train"]
            return held_out * seconds_of_scoring(model, part.samples.map(self._normaliser.apply), part.share)
        sets = (self._normalised[name] for name in ("validation", "test"))
        return sum(seconds_of_scoring(model, samples, self.excerpt.share) for samples in sets)


def on_processor() -> bool:
    """Whether networks run on the processor, whose seconds are then counted, and not on a GPU."""
    return devices.choose().type == "cpu"


def map_seconds(run: Experiment, names: tuple[str, ...], members: int = 1) -> dict[str, float]:
    """About how many seconds each of these classifiers takes to map the scene of a run, before it is trained.

    Reads the samples of the run first. `members`: trainings of each that take part in its map. A scene that is mapped as
    fast as it is measured is not measured: nothing.
    """
    pixels = run.maps.classified()
    if not names or pixels < WORTHWHILE:
        return {}
    _ = run.dataset.samples
    calibration, watch, processor = Calibration(run), time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)  # the run itself will say it
        rates = {name: calibration.map_rate(name, members) for name in names}
    watched = share_of_watch(watch, processor)
    return {name: pixels * rate * watched for name, rate in rates.items()}
