"""Tables of the paper with the values of a run beside the printed ones; `styling.style` renders them on a page."""

import numpy as np
import pandas as pd
import xarray as xr

from .. import nomenclature
from ..evaluation.scores import DASH, TEST, VALIDATION, chosen_scores, scores_table
from ..nomenclature import LandCover
from . import paper

#: Set -> its title, F1 by class code, means; as printed.
PRINTED_F1 = {
    "validation": (VALIDATION, paper.TABLE_4_VALIDATION, paper.TABLE_4_VALIDATION_MEAN),
    "test": (TEST, paper.TABLE_4_TEST, paper.TABLE_4_TEST_MEAN),
}


def table_1(scene: xr.DataArray) -> pd.DataFrame:
    """Table 1: dates of the scene (band, time, y, x), their timesteps, and the share of pixels masked on each.

    Printed dates and timesteps are added where the scene shares any of the dates.
    """
    share = 100 * scene["mask"].mean(("y", "x"))
    ours = pd.DataFrame(
        {"scene": range(1, scene.sizes["time"] + 1), "masked (%)": share.values},
        index=scene.indexes["time"].strftime("%Y-%m-%d"),
    )
    printed = pd.DataFrame({"paper": range(1, len(paper.DATES) + 1)}, index=list(paper.DATES))
    shared = not ours.index.intersection(printed.index).empty
    table = (printed.join(ours, how="outer") if shared else ours).rename_axis("date")
    steps = table[["paper", "scene"] if shared else ["scene"]].map(
        lambda value: DASH if pd.isna(value) else f"{value:.0f}"
    )
    masked = table["masked (%)"].map(lambda value: DASH if pd.isna(value) else f"{value:.1f}")
    return steps.rename(columns=lambda name: f"timestep, {name}").join(masked)


def table_2_3(counts: pd.DataFrame, printed: bool = True) -> pd.DataFrame:
    """Tables 2 and 3: labelled pixels of the training pool and of the test set, printed and ours, with totals.

    Parameters
    ----------
    counts: one row for each class and set (train, validation, test); columns code, class_name, set, polygons, pixels.
    printed: add the printed numbers; without them the table lists the classes of `counts` alone.
    """
    classes = counts[["code", "class_name"]].drop_duplicates()
    legend = list(paper.CLASSES.items()) if printed else [*classes.itertuples(index=False)]
    counts = counts.assign(part=np.where(counts["set"] == "test", "test set", "training pool"))
    ours = counts.groupby(["part", "code"])[["polygons", "pixels"]].sum()
    columns = {}
    for part, facts, total in (
        ("training pool", paper.TABLE_2, paper.POLYGONS_POOL),
        ("test set", paper.TABLE_3, paper.POLYGONS_TEST),
    ):
        mine = ours.xs(part).reindex([code for code, _ in legend]) if part in ours.index else None
        for quantity, values, whole in (("polygons", {}, total), ("pixels", facts, sum(facts.values()))):
            if printed:
                columns[part, quantity, "paper"] = [values.get(code, np.nan) for code, _ in legend] + [whole]
            if mine is None:
                columns[part, quantity, "ours"] = [np.nan] * (len(legend) + 1)
            else:
                columns[part, quantity, "ours"] = [*mine[quantity], mine[quantity].sum()]
    rows = [*legend, ("", "Total")]
    table = pd.DataFrame(columns, index=pd.MultiIndex.from_tuples(rows, names=["code", "class"]))
    table = table.map(lambda value: DASH if pd.isna(value) else f"{value:,.0f}")
    return table if printed else table.droplevel(2, axis=1)


def table_4(
    results: pd.DataFrame, trainings: pd.DataFrame, legend: tuple[LandCover, ...], printed: bool = True
) -> pd.DataFrame:
    """Table 4: class F1 of the chosen training of each model on validation and test, its cost, and F1 over its trainings.

    Parameters
    ----------
    results, trainings, legend: see `scores_table`.
    printed: the columns are (model, "paper") and (model, "ours") for the six printed models, (model, "ours") for those added
        to them, and the rows are the printed classes. Otherwise this is the table of scores, with the printed models first.

    Some printed rows do not average to the printed mean, so a row "Mean of the printed rows" follows it. The deviation over
    trainings is that of a sample. A missing value is a dash.
    """
    known = [name for name in paper.MODELS if printed or name in set(trainings["model"])]
    names = known + [name for name in trainings["model"].unique() if name not in known]
    if not printed:
        return scores_table(results, trainings, legend)[names]
    ours = scores_table(results, trainings, nomenclature.CLASSES)
    *others, (efficiency, reliability) = ours.index
    rows = []
    for row in [*others, (efficiency, f"{reliability} (paper: {paper.TRAININGS})")]:
        rows += [row, (row[0], "Mean of the printed rows")] if row[1] == "Mean" else [row]
    ours = ours.set_axis(pd.MultiIndex.from_tuples([*others, rows[-1]])).reindex(rows)
    columns = {}
    for name in names:
        if name in paper.MODELS:
            columns[name, "paper"] = _printed_column(name)
        columns[name, "ours"] = ours[name].tolist() if name in ours else [DASH] * len(rows)
    return pd.DataFrame(columns, index=ours.index, dtype=object).fillna(DASH)


def headline_table(table: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Means of `table_4`, one row for each model: mean F1 on test and validation, printed and ours where it has both.

    `scores` are `intervals.macro_f1_intervals` on the test set; their intervals follow our mean on it.
    """
    means = table.xs("Mean", level=1).T.rename_axis(columns=None)
    names = means.index.unique(0)
    interval = scores.set_index("model").apply(lambda row: f"{row['low']:.2f} to {row['high']:.2f}", axis=1)
    if means.index.nlevels == 1:
        means.insert(means.columns.get_loc(TEST) + 1, "95 % interval", interval)
        return means.fillna(DASH)
    wide = means.unstack().reindex(names)
    wide[TEST, "95 % interval"] = interval
    order = [(TEST, "ours"), (TEST, "95 % interval"), (TEST, "paper"), (VALIDATION, "ours"), (VALIDATION, "paper")]
    return wide[order].fillna(DASH)


def differences_table(results: pd.DataFrame, trainings: pd.DataFrame, legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Table 4, ours minus printed: F1 of each class in the chosen trainings, NaN where one is missing.

    Classes that the paper lacks are left out. Parameters are those of `table_4`.
    """
    ours = chosen_scores(results, trainings).pivot_table(index=["set", "code"], columns="model", values="f1")
    rows: dict[tuple[str, str], dict[str, float]] = {}
    for part, (title, printed, _) in PRINTED_F1.items():
        for cover in [cover for cover in legend if paper.CLASSES.get(cover.code) == cover.name]:
            for model, value in zip(paper.MODELS, printed[cover.code], strict=True):
                f1 = ours[model].get((part, cover.code), np.nan) if model in ours else np.nan
                rows.setdefault((title, cover.name), {})[model] = f1 - value
    return pd.DataFrame.from_dict(rows, orient="index")


def printed_scores() -> pd.DataFrame:
    """F1 and means of Table 4 as printed: columns set (validation, test), model, class_name (of a class or "Mean"), f1."""
    rows = [
        (part, model, name, value)
        for part, (_, scores, means) in PRINTED_F1.items()
        for name, values in [*((paper.CLASSES[code], f1) for code, f1 in scores.items()), ("Mean", means)]
        for model, value in zip(paper.MODELS, values, strict=True)
    ]
    return pd.DataFrame(rows, columns=["set", "model", "class_name", "f1"])


def _printed_column(name: str) -> list:
    """The column of a model in Table 4 as printed."""
    place = paper.MODELS.index(name)
    column = []
    for _, scores, means in PRINTED_F1.values():
        f1 = [scores[code][place] for code in paper.CLASSES]
        column += [*f1, means[place], float(np.mean(f1))]
    parameters, reliability = paper.TABLE_4_PARAMETERS[place], paper.TABLE_4_RELIABILITY[place]
    return [
        *column,
        f"{parameters} k" if parameters else "NA",
        paper.TABLE_4_TRAINING_MINUTES[place],
        str(paper.TABLE_4_INFERENCE_MINUTES[place]),
        "{:.2f} ± {:.2f}".format(*reliability) if reliability else "NA",
    ]


def models_table(models: pd.DataFrame) -> pd.DataFrame:
    """Parameters of each network as printed in Table 4 (thousands) and as counted, and its receptive field in pixels.

    `models` has the columns model, parameters_reference (at the input size of the paper), parameters (at that of the
    run) and receptive_field; see `Trained.networks`.
    """
    printed = dict(zip(paper.MODELS, paper.TABLE_4_PARAMETERS, strict=True))
    return pd.DataFrame(
        {
            "printed (k)": [printed.get(name, DASH) for name in models["model"]],
            "at the paper's input": models["parameters_reference"].to_numpy(),
            "at this scene's input": models["parameters"].to_numpy(),
            "receptive field (px)": models["receptive_field"].to_numpy(),
        },
        index=pd.Index(models["model"], name="network"),
    )
