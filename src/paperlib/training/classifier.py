"""A trained classifier with all that its use takes: trained once, saved, loaded anywhere, asked for probabilities."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError
from torch import Tensor

from .. import models, store
from ..allocation import one_thread
from ..errors import InputError
from ..evaluation.scoring import Evaluation, evaluate
from ..features.inputs import Inputs
from ..features.normaliser import Normaliser
from ..features.samples import Samples
from ..models.contract import Model
from ..nomenclature import LandCover
from ..outputs import writing
from ..settings import Train
from . import loop
from .imitation import Imitation

#: Name and version of the format of `classifier.json`.
FORMAT = "paperlib classifier 1"
FILE = "classifier.json"

#: Fields of `settings.Train` that decide on a training by the loop. Those in `Model.options` come on top.
LOOP = ("epochs", "patience", "learning_rate", "patches", "average")


@dataclass(frozen=True)
class Classifier:
    """A trained classifier; it needs neither samples nor polygons."""

    name: str
    model: Model  # takes normalised channels
    inputs: Inputs  # what is read of a scene
    normaliser: Normaliser
    legend: tuple[LandCover, ...]  # classes in the order of the logits
    about: dict  # of its training: seed, seconds, epochs, best_epoch, parameters, options
    record: loop.Training | None = None  # every epoch, of a network that was trained just now
    temperature: float = 1.0  # by which logits are divided for probabilities; see `evaluation.calibration`

    @property
    def halo(self) -> int:
        """Pixels around a window that must be given with it, on each side: half of a network's receptive field."""
        return self.model.halo

    @classmethod
    @one_thread()
    def train(
        cls,
        name: str,
        parts: dict[str, Samples],
        inputs: Inputs,
        legend: tuple[LandCover, ...],
        choice: Train,
        seed: int = 0,
        *,
        normaliser: Normaliser | None = None,
        oversampling: bool = True,
        state: Path | None = None,
        progress: Callable[[dict], object] | None = None,
        imitation: Imitation | None = None,
    ) -> Self:
        """Train a classifier on samples that are not normalised.

        Parameters
        ----------
        name: one of `models.CLASSIFIERS` or `models.VARIANTS`.
        parts: samples of "train" and, for networks, of "validation", which alone stops the training and chooses the epoch.
        inputs: what the samples were read with.
        legend: classes in the index order of the labels.
        choice: epochs, learning rate and options.
        seed: of the initial weights and of the training.
        normaliser: of the channels; None: fitted on `parts["train"]`.
        oversampling: whether networks see minority classes more often.
        state: a file kept up to date after each epoch, from which a killed training goes on to the same result; it is
            removed at the end.
        progress: is called after each epoch of a network; see `loop.train`.
        imitation: what a pretrained model starts from; its normaliser replaces `normaliser`.

        Raises `InputError` for an unknown name, sets without labels, and what `loop.train` raises.
        """
        started = time.perf_counter()
        if models.find(name).pretrained:
            normaliser = _of_scene(name, imitation, parts["train"])
        normaliser = normaliser or Normaliser.fit(parts["train"])
        options = options_of(name, choice)
        torch.manual_seed(seed)  # of the initial weights
        model = models.build(name, len(inputs.channels()), len(inputs.days), len(legend), **options)
        about: dict = {"seed": seed, "options": options, "parameters": count_parameters(model) or None}
        normalised = {part: parts[part].map(normaliser.apply) for part in ("train", "validation") if part in parts}
        record = None
        if model.trained_in_epochs:
            record = loop.train(
                model, normalised["train"], normalised["validation"], choice, oversampling=oversampling, seed=seed,
                progress=progress, state=state,
            )  # fmt: skip
            about |= {"best_epoch": record.best_epoch, "epochs": len(record.history)}
            if state is not None:
                state.unlink()
        else:
            train = normalised["train"]
            if imitation is not None:
                model.begin(imitation.start())
                about["r2"] = round(imitation.r2, 4)
            model.fit(train.x, train.label, train.superpixel, seed)
        about["training_seconds"] = round(time.perf_counter() - started, 2)
        return cls(name, model.eval(), inputs, normaliser, legend, about, record)

    def probabilities(self, x: Tensor, superpixel: Tensor | None = None) -> Tensor:
        """Probability of every class, float32 (batch, class, y, x).

        `x`: (batch, channel, day, y + 2 halo, x + 2 halo), not normalised; see `Inputs.read_around`. `superpixel`: int
        (batch, y, x), for a model that takes them. Computed on the device that holds the model.
        """
        device = next((weight.device for weight in self.model.parameters()), x.device)
        with torch.inference_mode():
            logits = self.model.eval()(self.normaliser.apply(x.to(device)), superpixel=superpixel)
        return (logits.float() / self.temperature).softmax(1)

    def evaluate(self, samples: Samples) -> Evaluation:
        """Classify samples, not normalised, and compare with their labels; see `evaluation.scoring.evaluate`."""
        return evaluate(self.model, samples.within(self.model.receptive_field).map(self.normaliser.apply))

    def save(self, folder: Path) -> None:
        """Write `classifier.json` and the weights to a folder, which is made if it does not exist: both or neither.

        Raises `InputError` where `outputs.writing` does.
        """
        with writing(folder, folder=True) as part:
            self.model.save(part)
            content = {
                "format": FORMAT, "name": self.name, "inputs": self.inputs.to_dict(),
                "channels": list(self.inputs.channels()), "normaliser": self.normaliser.to_dict(),
                "legend": [cover._asdict() for cover in self.legend], "about": self.about,
                "temperature": self.temperature,
                "weights": self.model.weights, "sha256": _digest(part / self.model.weights),
            }  # fmt: skip
            store.write_json(part / FILE, content)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, and nothing else.

        Raises `InputError` for a folder without a classifier (kind "classifier.missing"), another format
        ("classifier.format"), or weights that are not those that were saved ("classifier.weights").
        """
        folder = Path(folder)
        content = _read(folder / FILE)
        try:
            inputs, normaliser = Inputs.from_dict(content["inputs"]), Normaliser.from_dict(content["normaliser"])
            legend = tuple(LandCover(**cover) for cover in content["legend"])
            name, about = content["name"], content["about"]
            model = models.build(
                name, len(inputs.channels()), len(inputs.days), len(legend), **about.get("options", {})
            )
            weights = folder / model.weights
            whole = weights.is_file() and _digest(weights) == content["sha256"]
        except (KeyError, TypeError) as error:
            raise _wrong_format(folder / FILE, f"its entry {error} is missing or wrong") from error
        if not whole:
            raise InputError(
                f"{weights} is missing, or not the file that was saved with {FILE}.",
                "Copy the whole folder again, or train the classifier again.", kind="classifier.weights",
            )  # fmt: skip
        try:
            model.load(folder)
        except (RuntimeError, SafetensorError) as error:
            raise _wrong_format(weights, str(error).splitlines()[0]) from error
        temperature = content.get("temperature", 1.0)  # classifiers of older versions are not calibrated
        return cls(name, model.eval(), inputs, normaliser, legend, about, temperature=temperature)


def _of_scene(name: str, imitation: Imitation | None, train: Samples) -> Normaliser:
    """The normaliser of an imitation, with the number of labelled pixels that are learnt from."""
    if imitation is None:
        raise InputError(
            f"{name} learns from the pixels of a whole scene, which are not at hand here.",
            "Choose another model, such as TempCNN.", kind="models.pretrained",
        )  # fmt: skip
    return replace(imitation.normaliser, pixels=int((train.label >= 0).sum()))


def options_of(name: str, choice: Train) -> dict:
    """Fields of `choice` that are options of this model, by name."""
    return {option: getattr(choice, option) for option in models.find(name).options if hasattr(choice, option)}


def decisive(name: str, choice: Train, oversampling: bool) -> dict:
    """All of `choice` that can change a training of this classifier, for keys of artifacts."""
    if not models.find(name).trained_in_epochs:
        return options_of(name, choice)
    loop_fields = {field: getattr(choice, field) for field in LOOP}
    if choice.average:
        loop_fields["patience"] = choice.epochs  # all epochs are trained
    return loop_fields | {"oversample": oversampling} | options_of(name, choice)


def count_parameters(model: torch.nn.Module) -> int:
    """Trainable numbers of a network; 0 for a forest."""
    return sum(weight.numel() for weight in model.parameters())


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> dict:
    """Content of `classifier.json`, of this format."""
    if not path.is_file():
        raise InputError(
            f"{path.parent} holds no classifier: {path.name} is missing.",
            "Give a folder that Classifier.save wrote.", kind="classifier.missing",
        )  # fmt: skip
    try:
        content = store.read_json(path)
    except ValueError as error:
        raise _wrong_format(path, f"it is no JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        stated = content.get("format") if isinstance(content, dict) else None
        raise _wrong_format(path, f"its format is {stated!r}, expected {FORMAT!r}")
    return content


def _wrong_format(path: Path, reason: str) -> InputError:
    fix = "Train the classifier again with this version, or use the version that wrote it."
    return InputError(f"{path} cannot be read: {reason}.", fix, kind="classifier.format")
