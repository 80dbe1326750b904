"""One function a table of the book: data in, a DataFrame out; `style` dresses any of them for a page."""

import numpy as np
import pandas as pd
import xarray as xr

from .. import nomenclature
from ..evaluation.scores import DASH, TEST, VALIDATION, chosen_scores, scores_table
from ..nomenclature import LandCover
from . import paper

PRINTED_F1 = {
    "validation": (VALIDATION, paper.TABLE_4_VALIDATION, paper.TABLE_4_VALIDATION_MEAN),
    "test": (TEST, paper.TABLE_4_TEST, paper.TABLE_4_TEST_MEAN),
}


def table_1(scene: xr.DataArray) -> pd.DataFrame:
    """Table 1: every date of the scene, its timestep, and the share of pixels masked on it.

    The printed dates and their timesteps stand beside it where the scene shares any of them.
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
    """Tables 2 and 3: labelled pixels of the training pool and of the test set, as printed and ours, with totals.

    Parameters
    ----------
    counts: one row a class and set (train, validation, test), columns code, class_name, set, polygons, pixels.
    printed: whether the paper's numbers stand beside ours; without them only the classes of `counts` are listed.
    """
    held = counts[["code", "class_name"]].drop_duplicates()
    legend = (
        [(cover.code, cover.name) for cover in nomenclature.CLASSES] if printed else [*held.itertuples(index=False)]
    )
    counts = counts.assign(part=np.where(counts["set"] == "test", "test set", "training pool"))
    ours = counts.groupby(["part", "code"])[["polygons", "pixels"]].sum()
    columns = {}
    for part, facts, total in (
        ("training pool", paper.TABLE_2, paper.POLYGONS_POOL),
        ("test set", paper.TABLE_3, paper.POLYGONS_TEST),
    ):
        here = ours.xs(part).reindex([code for code, _ in legend]) if part in ours.index else None
        for what, values, whole in (("polygons", {}, total), ("pixels", facts, sum(facts.values()))):
            if printed:
                columns[part, what, "paper"] = [values.get(code, np.nan) for code, _ in legend] + [whole]
            if here is None:
                columns[part, what, "ours"] = [np.nan] * (len(legend) + 1)
            else:
                columns[part, what, "ours"] = [*here[what], here[what].sum()]
    rows = [*legend, ("", "Total")]
    table = pd.DataFrame(columns, index=pd.MultiIndex.from_tuples(rows, names=["code", "class"]))
    table = table.map(lambda value: DASH if pd.isna(value) else f"{value:,.0f}")
    return table if printed else table.droplevel(2, axis=1)


def table_4(
    results: pd.DataFrame, trainings: pd.DataFrame, legend: tuple[LandCover, ...], printed: bool = True
) -> pd.DataFrame:
    """Table 4: class F1 of each model's chosen training on validation and test, its cost, and F1 over its trainings.

    Parameters
    ----------
    results: F1 of every class in every training; columns model, training, set (validation, test), code, f1.
    trainings: one row a training; columns model, training, macro_f1_validation, parameters, training_seconds,
        inference_seconds, chosen.
    legend: classes of the scene.
    printed: columns are (model, "paper" or "ours") for the paper's six models and any other of ours, rows its eight
        classes. Otherwise the columns are our models alone and the rows the classes of `legend`.

    "Mean" is the printed one beside the mean of our class F1; the printed rows do not all average to the printed mean,
    so their own mean stands below it. The deviation over trainings is that of a sample. What is not there is a dash.
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
        columns[name, "paper"] = _printed_column(name)
        columns[name, "ours"] = ours[name].tolist() if name in ours else [DASH] * len(rows)
    return pd.DataFrame(columns, index=ours.index, dtype=object).fillna(DASH)


def headline_table(table: pd.DataFrame) -> pd.DataFrame:
    """The means of a `table_4`, a row a model: mean F1 on validation and test, printed beside ours where it has both."""
    means = table.xs("Mean", level=1).T.rename_axis(columns=None)
    names = means.index.unique(0)
    return means.unstack().reindex(names) if means.index.nlevels == 2 else means


def differences_table(results: pd.DataFrame, trainings: pd.DataFrame, legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Table 4, ours less printed: F1 of each class in the chosen trainings, validation and test, NaN where one lacks.

    Classes that the paper does not have are left out. `results` and `trainings` as `table_4` takes them.
    """
    ours = chosen_scores(results, trainings).pivot_table(index=["set", "code"], columns="model", values="f1")
    rows = {}
    for part, (title, printed, _) in PRINTED_F1.items():
        for cover in [cover for cover in legend if cover in nomenclature.CLASSES]:
            for model, value in zip(paper.MODELS, printed[cover.code], strict=True):
                found = ours[model].get((part, cover.code), np.nan) if model in ours else np.nan
                rows.setdefault((title, cover.name), {})[model] = found - value
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
    """One model's column of Table 4 as printed; dashes for a model that the paper does not have."""
    size = 2 * (len(nomenclature.CLASSES) + 2) + 4
    if name not in paper.MODELS:
        return [DASH] * size
    place = paper.MODELS.index(name)
    column = []
    for _, scores, means in PRINTED_F1.values():
        f1 = [scores[cover.code][place] for cover in nomenclature.CLASSES]
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
    """Parameters of each network as printed in Table 4 (thousands) and counted, and its receptive field in pixels.

    `models` has the columns model, parameters_reference (at the paper's input), parameters (at this scene's) and
    receptive_field.
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
