"""One training as the store keeps it: made, read back, gathered into frames.

A folder holds `scores.json` (confusion matrices on validation and test, seconds, normaliser), `polygons.csv` (the same
by polygon), the weights (`weights.safetensors`, or `forest.skops`), and for networks `history.csv` and
`confusions.csv`, one row an epoch.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file

from .. import store
from ..evaluation import metrics
from ..features.samples import Normaliser, Samples
from ..models.context import ContextForest
from ..models.forest import Forest
from ..nomenclature import LandCover
from ..settings import Train
from . import loop

#: Not trained in epochs.
FORESTS = (Forest, ContextForest)


def make_training(
    folder: Path,
    name: str,
    model: torch.nn.Module,
    parts: dict[str, Samples],
    normaliser: Normaliser,
    legend: tuple[LandCover, ...],
    choice: Train,
    oversampling: bool,
    seed: int,
    progress: bool = False,
    before: float = 0.0,
) -> None:
    """Train a classifier on the normalised samples `parts["train"]` and fill `folder`.

    `before`: seconds that preparing the samples took for this classifier alone; they count as training.
    Validation alone stops the training and chooses the epoch; the test set is looked at once, after the end.
    """
    started = time.perf_counter()
    if isinstance(model, FORESTS):
        model.fit(parts["train"], seed=seed)
        epochs = {}
    else:
        state = folder / "state.safetensors"
        done = loop.train(
            model, parts["train"], parts["validation"], choice, oversampling=oversampling, seed=seed,
            progress=progress, state=state,
        )  # fmt: skip
        state.unlink()
        epochs = {"best_epoch": done.best_epoch, "epochs": len(done.history)}
    seconds = time.perf_counter() - started
    if epochs:
        done.history.to_csv(folder / "history.csv", index=False)
        _confusions_frame(done.confusions).to_csv(folder / "confusions.csv", index=False)
        save_file({key: value.cpu() for key, value in model.state_dict().items()}, folder / "weights.safetensors")
    else:
        model.save(folder / "forest.skops")
    found = {part: loop.evaluate(model, parts[part]) for part in ("validation", "test")}
    polygons = [evaluation.polygons.assign(set=part) for part, evaluation in found.items()]
    pd.concat(polygons).to_csv(folder / "polygons.csv", index=False)
    scores = {
        "model": name, "seed": seed, "codes": [cover.code for cover in legend],
        "channels": list(parts["train"].channels), "normaliser": normaliser.to_dict(),
        "parameters": count_parameters(model) or None,
        "training_seconds": round(before + seconds, 2), **epochs,
        "confusion": {part: evaluation.confusion.tolist() for part, evaluation in found.items()},
    }  # fmt: skip
    store.write_json(folder / "scores.json", scores)


def load_classifier(folder: Path, model: torch.nn.Module) -> torch.nn.Module:
    """The trained classifier of a folder: `model`, as built for it, with the stored weights; a forest as it was."""
    if isinstance(model, FORESTS):
        return type(model).load(folder / "forest.skops")
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    return model.eval()


def polygon_counts(polygons: pd.DataFrame, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels int64 (polygon, predicted class index) and the class index (polygon,) of each, as `intervals` takes them.

    `polygons` as of `loop.by_polygon`.
    """
    table = polygons.pivot_table(index=["polygon", "reference"], columns="predicted", values="pixels", fill_value=0)
    counts = table.reindex(columns=range(classes), fill_value=0).to_numpy().astype(np.int64)
    return counts, table.index.get_level_values("reference").to_numpy()


def count_parameters(model: torch.nn.Module) -> int:
    """Trainable numbers of a network; 0 for a forest."""
    return sum(weight.numel() for weight in model.parameters())


def trainings_frame(scores: list[dict]) -> pd.DataFrame:
    """One row a training, with its macro F1 on both sets; `chosen` marks each model's best by validation macro F1.

    The test set has no say in that choice. Columns: model, training, seed, best_epoch, epochs, parameters,
    training_seconds, macro_f1_validation, macro_f1_test, chosen.
    """
    columns = ("model", "training", "seed", "best_epoch", "epochs", "parameters", "training_seconds")
    table = pd.DataFrame([{column: one.get(column) for column in columns} for one in scores])
    for part in ("validation", "test"):
        table[f"macro_f1_{part}"] = [metrics.macro_f1(np.array(one["confusion"][part])) for one in scores]
    best = table.groupby("model")["macro_f1_validation"].idxmax()
    return table.assign(chosen=table.index.isin(best))


def class_scores_frame(scores: list[dict]) -> pd.DataFrame:
    """F1 of each class in each training: columns model, training, set, code, f1 (NaN: the set lacks the class)."""
    frames = [
        pd.DataFrame(
            {"model": one["model"], "training": one["training"], "set": part, "code": one["codes"],
             "f1": metrics.f1(np.array(confusion))}
        )
        for one in scores
        for part, confusion in one["confusion"].items()
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _confusions_frame(confusions: np.ndarray) -> pd.DataFrame:
    """Confusion matrices (epoch, reference, predicted) in long form, epochs from 1."""
    epoch, reference, predicted = np.indices(confusions.shape).reshape(3, -1)
    return pd.DataFrame(
        {"epoch": epoch + 1, "reference": reference, "predicted": predicted, "pixels": confusions.ravel()}
    )
