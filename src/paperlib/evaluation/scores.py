"""The table of scores of a run: class F1 of each classifier on validation and test, and what each one costs."""

import pandas as pd

from ..nomenclature import LandCover

DASH = "–"  # no value: not printed, not run, or a class that the set lacks
VALIDATION, TEST, EFFICIENCY = "Validation F1", "Test F1", "Efficiency"
ENSEMBLE = "Mean of all trainings"
#: Set -> its part of the table.
PARTS = {"validation": VALIDATION, "test": TEST}


def chosen_scores(results: pd.DataFrame, trainings: pd.DataFrame) -> pd.DataFrame:
    """Rows of `results` that belong to each model's chosen training: the best by validation, never by test."""
    chosen = trainings.loc[trainings["chosen"], ["model", "training"]]
    return results.merge(chosen, on=["model", "training"])


def scores_table(results: pd.DataFrame, trainings: pd.DataFrame, legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Class F1 of each model's chosen training on validation and test, its cost, and macro F1 over its trainings.

    Parameters
    ----------
    results: F1 of every class in every training; columns model, training, set (validation, test), code, f1.
    trainings: one row a training; columns model, training, macro_f1_validation, parameters, training_seconds,
        inference_seconds, chosen.
    legend: classes of the scene, one row each.

    Columns are the models in the order of `trainings`; rows have two levels, the part of the table and the class or
    quantity. "Mean" is the mean of the class F1 above it. The deviation over trainings is that of a sample. A missing
    value is a dash.
    """
    scores = chosen_scores(results, trainings)
    columns = {name: _column(name, scores, trainings, legend) for name in trainings["model"].unique()}
    counts = "–".join(str(count) for count in sorted({*trainings.groupby("model").size()}))
    labels = [*(cover.name for cover in legend), "Mean"]
    rows = [(part, label) for part in PARTS.values() for label in labels]
    reliability = f"F1 ± std on {counts} {'training' if counts == '1' else 'trainings'}"
    rows += [(EFFICIENCY, label) for label in ("Parameters", "Training (min)", "Inference (min)", reliability)]
    return pd.DataFrame(columns, index=pd.MultiIndex.from_tuples(rows), dtype=object).fillna(DASH)


def with_ensembles(table: pd.DataFrame, ensembles: pd.DataFrame) -> pd.DataFrame:
    """A table of `scores_table` with the macro F1 of the mean of all trainings of each classifier, in two more rows.

    `ensembles`: columns classifier, ensemble_validation, ensemble_test; a classifier without a row gets dashes.
    """
    scores = ensembles.set_index("classifier").reindex(table.columns)
    rows = {(ENSEMBLE, title): scores[f"ensemble_{part}"] for part, title in PARTS.items()}
    return pd.concat([table, pd.DataFrame(rows, dtype=object).T]).fillna(DASH)


def _column(name: str, scores: pd.DataFrame, trainings: pd.DataFrame, legend: tuple[LandCover, ...]) -> list:
    """The column of one model."""
    column: list = []
    for part in PARTS:
        f1 = scores[(scores["model"] == name) & (scores["set"] == part)].set_index("code")["f1"]
        f1 = f1.reindex([cover.code for cover in legend])
        column += [*f1, f1.mean()]
    runs = trainings[trainings["model"] == name]
    best, macro_f1 = runs[runs["chosen"]].iloc[0], runs["macro_f1_validation"]
    return [
        *column,
        f"{best['parameters'] / 1000:.0f} k" if (best["parameters"] or 0) > 0 else "NA",
        _minutes(best["training_seconds"]),
        _minutes(best["inference_seconds"]),
        f"{macro_f1.mean():.2f} ± {macro_f1.std():.2f}" if len(macro_f1) > 1 else f"{macro_f1.mean():.2f}",
    ]


def _minutes(seconds: float) -> str:
    """Minutes with two decimals, or with two digits where two decimals would leave fewer; a dash where there are none."""
    if pd.isna(seconds):
        return DASH
    return f"{seconds / 60:.2f}" if seconds >= 6 else f"{seconds / 60:.2g}"
