"""One training as the store keeps it, and the trainings of a run gathered into frames.

The folder of a training holds the classifier (`classifier.json` and its weights), `scores.json` (confusion matrices on
validation and test, and the cost), `polygons.csv` (the same by polygon), `answers.safetensors` (the logits and labels of
these pixels), and for networks `history.csv` and `confusions.csv`, one row an epoch.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.torch import load_file, save_file
from torch import Tensor

from .. import store
from ..evaluation import metrics
from ..evaluation.calibration import fit_temperature
from ..features.samples import Samples
from .classifier import Classifier

ANSWERS = "answers.safetensors"


def write_training(folder: Path, classifier: Classifier, parts: dict[str, Samples], before: float = 0.0) -> None:
    """Fill the folder of a training: score the classifier on `parts`, samples that are not normalised, and save it.

    The validation polygons calibrate its probabilities. `before`: seconds that preparing the samples took for this
    classifier alone; they count as training.
    """
    evaluations = {part: classifier.evaluate(parts[part]) for part in ("validation", "test")}
    held_out = evaluations["validation"]
    replace(classifier, temperature=fit_temperature(held_out.logits, held_out.label)).save(folder)
    if classifier.record is not None:
        classifier.record.history.to_csv(folder / "history.csv", index=False)
        _confusions_frame(classifier.record.confusions).to_csv(folder / "confusions.csv", index=False)
    polygons = [evaluation.polygons.assign(set=part) for part, evaluation in evaluations.items()]
    pd.concat(polygons).to_csv(folder / "polygons.csv", index=False)
    logits = {part: evaluation.logits.contiguous() for part, evaluation in evaluations.items()}
    labels = {f"{part} labels": evaluation.label for part, evaluation in evaluations.items()}
    save_file(logits | labels, folder / ANSWERS)
    about = classifier.about
    scores = {
        "model": classifier.name, "codes": [cover.code for cover in classifier.legend],
        **{name: about[name] for name in ("seed", "parameters", "best_epoch", "epochs") if name in about},
        "training_seconds": round(before + about["training_seconds"], 2),
        "confusion": {part: evaluation.confusion.tolist() for part, evaluation in evaluations.items()},
    }  # fmt: skip
    store.write_json(folder / "scores.json", scores)


def answers(folder: Path, part: str, samples: Callable[[], Samples]) -> tuple[Tensor, Tensor]:
    """Logits float32 (pixel, class) of a training at the labelled pixels of "validation" or "test", and their class indices.

    `samples` gives the samples of that set, which are classified where an earlier version of this program kept no answers.
    """
    if (folder / ANSWERS).is_file():
        kept = load_file(folder / ANSWERS)
        return kept[part], kept[f"{part} labels"]
    evaluation = Classifier.load(folder).evaluate(samples())
    return evaluation.logits, evaluation.label


def trainings_frame(scores: list[dict]) -> pd.DataFrame:
    """One row a training, with its macro F1 on both sets; `chosen` marks each model's best by validation macro F1.

    The test set has no say in that choice. Columns: model, training, seed, best_epoch, epochs, parameters,
    training_seconds, macro_f1_validation, macro_f1_test, chosen.
    """
    columns = ("model", "training", "seed", "best_epoch", "epochs", "parameters", "training_seconds")
    table = pd.DataFrame([{column: training.get(column) for column in columns} for training in scores])
    for part in ("validation", "test"):
        table[f"macro_f1_{part}"] = [metrics.macro_f1(np.array(training["confusion"][part])) for training in scores]
    best = table.groupby("model")["macro_f1_validation"].idxmax()
    return table.assign(chosen=table.index.isin(best))


def class_scores_frame(scores: list[dict]) -> pd.DataFrame:
    """F1 of each class in each training: columns model, training, set, code, f1 (NaN: the set lacks the class)."""
    frames = [
        pd.DataFrame(
            {"model": training["model"], "training": training["training"], "set": part, "code": training["codes"],
             "f1": metrics.f1(np.array(confusion))}
        )
        for training in scores
        for part, confusion in training["confusion"].items()
    ]  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def _confusions_frame(confusions: np.ndarray) -> pd.DataFrame:
    """Confusion matrices (epoch, reference, predicted) in long form, epochs from 1."""
    epoch, reference, predicted = np.indices(confusions.shape).reshape(3, -1)
    return pd.DataFrame(
        {"epoch": epoch + 1, "reference": reference, "predicted": predicted, "pixels": confusions.ravel()}
    )
