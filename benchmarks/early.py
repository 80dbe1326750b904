"""How early in the season a scene can be mapped, and whether `paperlib early` says so.

    python benchmarks/early.py [CLASSIFIER ...]

Simulated scenes at preset demo, five for iota2_base and two for TempCNN. For every last date a classifier is trained on the
dates up to it alone and maps the scene, whose class is known everywhere (every second pixel is judged, along both axes).
results/early.csv: each score of the map by last date, mean over scenes with a 95 % interval (Student's t), and what the
validation polygons say. results/early-dates.csv: for each scene the earliest date within 0.02 of the macro F1 of the whole
season, of the map and as `early` says from the validation polygons, with its interval. A scene takes the forest 40 s of
processor time; scenes are kept in $PAPERLIB_STORE.
"""

import sys

import numpy as np
import pandas as pd
import torch
from record import keep
from scipy import stats

from paperlib import Experiment
from paperlib.evaluation import metrics
from paperlib.evaluation.scoring import polygon_counts
from paperlib.features.inputs import Inputs
from paperlib.labelling.early import ACCEPTED, Early
from paperlib.labelling.first_dates import samples_until
from paperlib.pages.trust.validation import STEP, predict
from paperlib.training.classifier import Classifier

SCENES = {"iota2_base": range(1, 6), "TempCNN": range(1, 3)}


def scores_of(confusion: np.ndarray, classes: list[str]) -> dict[str, float]:
    """Scores of a map, by their names in `Early`."""
    found = {"macro F1": metrics.macro_f1(confusion), "overall accuracy": metrics.overall_accuracy(confusion)}
    return found | dict(zip([f"F1 {name}" for name in classes], metrics.f1(confusion), strict=True))


def measure(name: str, seed: int) -> tuple[pd.DataFrame, dict]:
    """One scene: scores of the map and of validation by last date; the earliest dates."""
    run = Experiment("demo", settings={"scene.seed": seed, "train.trainings": 1})
    run.dataset.scene = run.scene.load()  # read once
    classes = [cover.name for cover in run.legend]
    true = np.searchsorted([cover.code for cover in run.legend], run.truth.values[::STEP, ::STEP]).ravel()
    rows, counts, dates, reference = [], [], [], np.empty(0)
    for number, date in enumerate(run.dates, start=1):
        parts = samples_until(run, number)
        if parts is None:
            continue
        scene = run.scene.isel(time=slice(number))
        inputs = Inputs.of(scene)
        classifier = Classifier.train(name, parts, inputs, run.legend, run.settings.train)
        held, reference = polygon_counts(classifier.evaluate(parts["validation"]).polygons, len(classes))
        counts.append(held.astype(float))
        dates.append(date)
        x = torch.from_numpy(inputs.read(scene)[..., ::STEP, ::STEP].copy()).flatten(2).permute(2, 0, 1)
        seen = ~torch.isnan(x).flatten(1).any(1)
        found = np.full(len(x), -1)
        found[seen.numpy()] = predict(classifier, x[seen][..., None, None])
        known = found >= 0
        worth = scores_of(metrics.confusion(true[known], found[known], len(classes)), classes)
        rows += [{"scene": seed, "score": score, "date": date, "map": value} for score, value in worth.items()]
    early = Early({name: np.stack(counts)}, np.asarray(reference), tuple(dates), run.legend)
    table = pd.DataFrame(rows).merge(early.scores()[["score", "date", "estimate"]], on=["score", "date"])
    curve = table[table["score"] == "macro F1"]["map"].to_numpy()
    fine = (curve[-1] - curve <= ACCEPTED)[::-1].cumprod()[::-1].astype(bool)
    row = early.earliest().iloc[0]
    return table.rename(columns={"estimate": "validation"}), {
        "classifier": name, "scene": seed, "map": dates[int(fine.argmax())], "said": row["earliest"], "low": row["low"],
        "high": row["high"],
    }  # fmt: skip


def summary(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Means over scenes, with half widths of their intervals."""
    whole = table[table["date"] == table["date"].max()].set_index(["scene", "score"])["map"]
    last = pd.MultiIndex.from_frame(table[["scene", "score"]])
    table = table.assign(loss=whole.reindex(last).to_numpy() - table["map"].to_numpy())
    grouped = table.groupby(["score", "date"], sort=False)
    found = grouped[["map", "loss", "validation"]].mean()
    count = grouped.size()
    for column in ("map", "loss"):
        found[f"{column} ±"] = stats.t.ppf(0.975, count - 1) * grouped[column].std() / np.sqrt(count)
    return found.reset_index().assign(classifier=name, scenes=count.to_numpy())


def main(*names: str) -> None:
    """Measure and keep the tables of each classifier, after every scene."""
    for name in names or SCENES:
        found = []
        for seed in SCENES[name]:
            found.append(measure(name, seed))
            table = summary(name, pd.concat([scene for scene, _ in found]))
            keep("early", table[["classifier", *table.columns.drop("classifier")]], preset="demo")
            keep("early-dates", pd.DataFrame([dates for _, dates in found]), preset="demo")


if __name__ == "__main__":
    main(*sys.argv[1:])
