"""Points of a sample answered from the known truth of the simulated scene, and what is estimated from them beside it."""

import numpy as np
import pandas as pd

from ..accuracy.design import Design
from ..accuracy.report import Assessment
from ..evaluation import metrics
from ..runs.experiment import Experiment

#: Scores of an assessment and their titles, in the order of the table.
SCORES = {
    "overall": "overall accuracy", "macro_f1": "macro F1", "users": "user's accuracy", "producers": "producer's accuracy",
    "hectares": "area (ha)",
}  # fmt: skip


def answers(run: Experiment, design: Design) -> pd.Series:
    """Class code of the truth at each point of a design, as text by id, as an interpreter would give it.

    Raises `InputError` for a scene whose truth is not known.
    """
    table = design.table()
    return pd.Series(run.truth.values[table["row"], table["column"]].astype(str), table.index)


def beside_truth(run: Experiment, model: str, assessment: Assessment) -> pd.DataFrame:
    """Estimates and 95 % intervals beside the truth: columns score, class, estimate, low, high, truth, held.

    `held` says whether the interval holds the truth, which all pixels of the map give.
    """
    names = {str(cover.code): cover.name for cover in run.legend}
    truth = _true_scores(run, model)
    scores = assessment.scores[assessment.scores["score"].isin(SCORES)]
    rows = [
        (
            SCORES[row.score],
            names.get(row["class"], ""),
            row.estimate,
            row.low,
            row.high,
            truth[row.score, row["class"]],
        )
        for _, row in scores.iterrows()
    ]
    table = pd.DataFrame(rows, columns=["score", "class", "estimate", "low", "high", "truth"])
    held = (table["low"] <= table["truth"] + 1e-9) & (table["truth"] - 1e-9 <= table["high"])
    return table.assign(held=np.where(table[["low", "truth"]].isna().any(axis=1), "–", np.where(held, "yes", "no")))


def _true_scores(run: Experiment, model: str) -> dict[tuple[str, str], float]:
    """Scores of the whole map by (score, class code as text)."""
    mapped, truth = run.class_map(model).values, run.truth.values
    codes = [cover.code for cover in run.legend]
    index = np.full(256, -1)
    index[codes] = np.arange(len(codes))
    inside = (mapped > 0) & (truth > 0)
    confusion = metrics.confusion(index[truth[inside]], index[mapped[inside]], len(codes))
    with np.errstate(invalid="ignore"):
        users, producers = np.diag(confusion) / confusion.sum(0), np.diag(confusion) / confusion.sum(1)
    x, y = run.truth["x"].values, run.truth["y"].values
    hectares = confusion.sum(1) * abs((x[1] - x[0]) * (y[1] - y[0])) / 10_000
    scores = {
        ("overall", ""): float(metrics.overall_accuracy(confusion)),
        ("macro_f1", ""): float(metrics.macro_f1(confusion)),
    }
    for name, values in (("users", users), ("producers", producers), ("hectares", hectares)):
        scores |= {(name, str(code)): float(value) for code, value in zip(codes, values, strict=True)}
    return scores
