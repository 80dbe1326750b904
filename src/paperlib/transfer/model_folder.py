"""A trained model as a folder that explains itself: what is in it, how it is written, read and checked."""

import hashlib
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import scipy.special  # noqa: F401 - before torch: skops looks for its functions in all modules loaded earlier

from .. import store
from ..errors import InputError
from ..features.quantiles import Quantiles
from ..nomenclature import LandCover, recolour
from ..outputs import writing
from ..training.classifier import FILE, Classifier
from ..training.polygon_scores import PolygonScores
from .area import Area
from .card import write_card
from .likeness import SceneStatistics

#: The format of model folders, and its version: raise it where older programs cannot read what is written.
FORMAT, VERSION = "paperlib model", 1
#: The file that lists the others with their hashes, and the text for people, which may be edited.
MANIFEST, CARD = "model.json", "README.md"
QUANTILES, SCORES, SCENE, AREA = "quantiles.csv", "scores.json", "training_scene.json", "applicability.npz"


@dataclass(frozen=True)
class TrainedModel:
    """A classifier with all that is known of its training."""

    classifier: Classifier
    quantiles: Quantiles  # of the training pixels, by channel and day
    scores: dict[str, PolygonScores]  # on the polygons of "validation" and "test"; of an ensemble none
    area: Area  # of applicability
    home: SceneStatistics  # the scene of the training, as the classifier sees it
    facts: dict[str, Any]  # scene, polygons, settings and provenance of the training
    digest: str = ""  # SHA-256 of the manifest, hence of all files; "" before it is written

    @property
    def name(self) -> str:
        """The name of the classifier."""
        return self.classifier.name

    @property
    def legend(self) -> tuple[LandCover, ...]:
        """Classes in the order of the logits."""
        return self.classifier.legend

    def recolour(self, palette: str) -> "TrainedModel":
        """The same model with the colours of a palette; see `nomenclature.recolour`."""
        return replace(self, classifier=replace(self.classifier, legend=recolour(self.legend, palette)))

    def save(self, folder: Path) -> None:
        """Write the model to a folder, whole or not at all; files of the same names there are replaced.

        classifier.json and the weights (see `Classifier.load`); quantiles.csv; scores.json; training_scene.json;
        applicability.npz (see `area`); README.md, the model card; model.json with facts about the training and the SHA-256
        of each file but the card. Raises `InputError` where `folder` cannot be written.
        """
        with writing(folder, folder=True) as part:
            self.classifier.save(part)
            self.quantiles.frame().to_csv(part / QUANTILES, index=False, float_format="%.9g")
            store.write_json(part / SCORES, {name: found.to_dict() for name, found in self.scores.items()})
            store.write_json(part / SCENE, self.home.to_dict())
            self.area.save(part / AREA)
            files = {path.name: digest(path) for path in sorted(part.iterdir()) if path.is_file()}
            content = {
                "format": FORMAT, "version": VERSION, "paperlib": metadata.version("paperlib"), "name": self.name,
                "receptive_field": self.classifier.model.receptive_field, **self.facts, "files": files,
            }  # fmt: skip
            store.write_json(part / MANIFEST, content)
            write_card(part / CARD, self.classifier, self.scores, self.facts)


def load_model(folder: str | Path) -> TrainedModel:
    """The model in a folder that `paperlib train --save` wrote.

    Raises `InputError` for a folder without a model (kind "model.missing") or with several ("model.several"), a file
    that is missing ("model.file") or not the one that was written ("model.changed"), another format ("model.format"),
    and a model of a newer version ("model.newer").
    """
    (folder, *more) = find_models(folder)
    if more:
        raise InputError(
            f"{folder.parent} holds several models: {', '.join(path.name for path in (folder, *more))}.",
            "Name the folder of one.", kind="model.several",
        )  # fmt: skip
    content = _read_manifest(folder / MANIFEST)
    for name, expected in content["files"].items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"{path} is missing from the model.", "Copy the whole folder again.", kind="model.file")
        if digest(path) != expected:
            raise InputError(
                f"{path} is not the file that was saved with the model: its SHA-256 differs from that in {MANIFEST}.",
                "Copy the whole folder again, or train the model again.", kind="model.changed",
            )  # fmt: skip
    scores = store.read_json(folder / SCORES)
    facts = {
        name: value
        for name, value in content.items()
        if name not in ("format", "version", "paperlib", "name", "receptive_field", "files")
    }
    return TrainedModel(
        Classifier.load(folder),
        Quantiles.of_frame(pd.read_csv(folder / QUANTILES)),
        {part: PolygonScores.from_dict(found) for part, found in scores.items()},
        Area.load(folder / AREA),
        SceneStatistics.from_dict(store.read_json(folder / SCENE)),
        facts,
        digest(folder / MANIFEST),
    )


def find_models(folder: str | Path) -> list[Path]:
    """The folder itself if it is a model, else its sub-folders that are, by name. Raises `InputError` without any."""
    folder = Path(folder)
    found = [folder] if (folder / MANIFEST).is_file() else sorted(path.parent for path in folder.glob(f"*/{MANIFEST}"))
    if not found:
        what = f"{FILE} is there, but no {MANIFEST}" if (folder / FILE).is_file() else f"{MANIFEST} is missing"
        raise InputError(
            f"{folder} holds no trained model: {what}.", "Give a folder that `paperlib train --save` wrote.",
            kind="model.missing",
        )  # fmt: skip
    return found


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        content = store.read_json(path)
    except ValueError as error:
        raise _wrong_format(path, f"it is no JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or not isinstance(content.get("version"), int):
        raise _wrong_format(path, f"its format is not {FORMAT!r}")
    if content["version"] > VERSION:
        raise InputError(
            f"{path.parent} was written by a newer paperlib ({content.get('paperlib')}): its format has version "
            f"{content['version']}, this program reads up to {VERSION}.",
            "Upgrade paperlib, or train the model again with this version.", kind="model.newer",
        )  # fmt: skip
    if not isinstance(content.get("files"), dict) or not {FILE, QUANTILES, SCORES, SCENE, AREA} <= set(
        content["files"]
    ):
        raise _wrong_format(path, "its list of files is missing or incomplete")
    return content


def _wrong_format(path: Path, reason: str) -> InputError:
    return InputError(f"{path} cannot be read: {reason}.", "Copy the whole folder again.", kind="model.format")
