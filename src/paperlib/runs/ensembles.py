"""The mean of all trainings of some classifiers: as one classifier, its scores, and its map."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from rasterio.errors import RasterioError

from .. import store
from ..errors import InputError
from ..evaluation import metrics
from ..mapping.gis import write_gis_files
from ..mapping.layers import bytes_of
from ..mapping.scene_maps import map_scene
from ..mapping.stac_item import map_item
from ..models.ensemble import Ensemble
from ..outputs import writing
from ..training.classifier import Classifier
from .experiment import Experiment
from .products import period


def combine(classifiers: Iterable[Classifier], name: str = "ensemble") -> Classifier:
    """Trained classifiers as one, by the mean of their calibrated probabilities.

    Raises `InputError` where they do not read the same of a scene, in the same normalisation, or have other classes.
    """
    members = list(classifiers)
    first = members[0]
    for other in members[1:]:
        alike = other.inputs == first.inputs and other.legend == first.legend
        if not alike or other.normaliser.to_dict() != first.normaliser.to_dict():
            raise InputError(
                f"{other.name} reads other bands or dates than {first.name}, or has other classes or other samples.",
                "Combine classifiers of one run: of the same scene, polygons and seed.", kind="models.ensemble",
            )  # fmt: skip
    model = Ensemble([member.model for member in members], [member.temperature for member in members])
    about = {"members": [{"name": member.name, **member.about} for member in members]}
    return Classifier(name, model.eval(), first.inputs, first.normaliser, first.legend, about)


def ensemble_of(run: Experiment, names: Iterable[str]) -> Classifier:
    """All trainings of these classifiers as one; it is called after them."""
    names = list(names)
    run.trained.make(names)
    return combine(
        (Classifier.load(run.trained.training(*member)) for member in members(run, names)),
        f"{'+'.join(names)} ensemble",
    )


def members(run: Experiment, names: Iterable[str]) -> list[tuple[str, int]]:
    """All trainings of these classifiers by name and number, in the order of `ensemble_of`."""
    return [(name, number) for name in names for number in range(run.settings.train.trainings)]


def ensemble_scores(run: Experiment, groups: Iterable[Iterable[str]]) -> pd.DataFrame:
    """Macro F1 of the trainings of some classifiers, and of the mean of all of them: one row for each group of names.

    Columns classifier, trainings, macro_f1_validation, macro_f1_test (means over trainings), then the same of the ensemble
    (ensemble_validation, ensemble_test).
    """
    rows = []
    for group in map(list, groups):
        table, together = run.trainings(group), cast(Ensemble, ensemble_of(run, group).model)
        row = {"classifier": ", ".join(group), "trainings": len(table)}
        for part in ("validation", "test"):
            answers, labels = zip(*(run.trained.answers(*member, part) for member in members(run, group)), strict=True)
            predicted = together.shares(answers).mean(0).argmax(1)
            confusion = metrics.confusion(labels[0].numpy(), predicted.numpy(), len(run.legend))
            row[f"macro_f1_{part}"] = table[f"macro_f1_{part}"].mean()
            row[f"ensemble_{part}"] = metrics.macro_f1(confusion)
        rows.append(row)
    return pd.DataFrame(rows)


def write_ensemble(run: Experiment, names: Iterable[str], folder: Path) -> Path:
    """Map a run's scene with the mean of all trainings of these classifiers, and write what `write_products` writes.

    disagreement.tif is written as well: by how much probability a member differs from the mean, in per cent. Returns the
    folder. Raises `InputError` for classifiers that have no mean, and where the folder cannot be written.
    """
    together, every = ensemble_of(run, names), run.settings.map.probabilities
    needed = 2 * bytes_of(int(np.prod([run.scene.sizes[dim] for dim in ("y", "x")])), len(run.legend), every)
    with writing(folder, folder=True, needed=needed, errors=(RasterioError,)) as target:
        superpixels = run.dataset.superpixels if together.model.needs_superpixels else None
        map_scene(
            together,
            run.scene,
            target,
            run.settings.map.window,
            superpixels,
            progress=run.trained.progress,
            every=every,
        )
        write_gis_files(target, run.legend)
        facts = {
            "created": datetime.now(UTC).isoformat(timespec="seconds"), "paperlib:commit": store.commit(),
            "paperlib:classifier": {"name": together.name, **together.about},
        }  # fmt: skip
        item = map_item(target, folder.name, f"Land cover by {together.name}", run.legend, period(run.scene), facts)
        item.save_object(include_self_link=False, dest_href=str(target / "item.json"))
    return folder
