"""What validations say beside what maps are worth."""

import numpy as np
import pandas as pd

from ..theme import WIDTH, Figure, styled


@styled
def validation_figure(measured: pd.DataFrame, score: str = "overall accuracy") -> Figure:
    """What validations say less what the map of the whole scene is worth: a point each draw, a bar for the mean.

    `measured`: columns case, method, draw, "SCORE, said" and "SCORE, worth"; one panel for each case.
    """
    cases, methods = list(measured["case"].unique()), list(dict.fromkeys(measured["method"]))
    figure = Figure((WIDTH, 0.9 + 0.27 * len(methods) * -(-len(cases) // 2)), layout="constrained")
    axes = figure.subplots(-(-len(cases) // 2), min(2, len(cases)), sharex=True, sharey=True, squeeze=False)
    difference = measured[f"{score}, said"] - measured[f"{score}, worth"]
    for number, ax in enumerate(axes.flat):
        if number >= len(cases):
            ax.set_visible(False)
            continue
        here = measured["case"] == cases[number]
        for place, method in enumerate(methods):
            values = difference[here & (measured["method"] == method)].dropna()
            height = np.full(len(values), -float(place)) + np.linspace(-0.15, 0.15, len(values))
            ax.scatter(values, height, s=12, color="#4477aa", alpha=0.6, linewidth=0)
            if len(values):
                ax.vlines(values.mean(), -place - 0.35, -place + 0.35, color="#bb3344", linewidth=2)
        ax.axvline(0, color="0.3", linewidth=0.8)
        ax.set_yticks(-np.arange(len(methods)), methods)
        ax.set_title(cases[number])
        ax.grid(axis="x", color="0.93")
    for ax in axes[:, 0]:
        ax.set_ylabel("folds by")
    for ax in axes[-1]:
        ax.set_xlabel(f"{score}: said less worth")
    data = measured[["case", "method", "draw"]].assign(difference=difference)
    return figure.describe(
        f"Difference of the {score} that validations say and that of the whole map, by method, for {len(cases)} cases.",
        data,
    )
