"""Scores against the number of labelled polygons of each class."""

import pandas as pd

from ..theme import WIDTH, Figure, model_styles, styled


@styled
def few_labels_figure(measured: pd.DataFrame) -> Figure:
    """Macro F1 by number of polygons of each class, with intervals of 95 %, one panel for each scene, one line a classifier.

    `measured`: columns scene, polygons ("1" to "8" or "all"), model, macro_f1, low, high, as benchmarks/few_labels.py keeps.
    """
    scenes, sizes = list(measured["scene"].unique()), list(dict.fromkeys(measured["polygons"].astype(str)))
    figure = Figure((WIDTH, 3.8), layout="constrained")
    axes = figure.subplots(1, len(scenes), sharey=True, squeeze=False)[0]
    names = list(measured["model"].unique())
    styles = model_styles(names)
    for ax, scene in zip(axes, scenes, strict=True):
        for turn, (name, part) in enumerate(measured[measured["scene"] == scene].groupby("model", sort=False)):
            place = [sizes.index(str(size)) + 0.07 * (turn - len(names) / 2) for size in part["polygons"]]
            error = part["macro_f1"] - part["low"], part["high"] - part["macro_f1"]
            ax.errorbar(place, part["macro_f1"], error, label=name, markersize=4, linewidth=1, **styles[str(name)])
        ax.set(title=scene, xlabel="labelled polygons of each class")
        ax.set_xticks(range(len(sizes)), sizes)
    axes[0].set_ylabel("macro F1 on the test polygons (–)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure.describe(f"Macro F1 by number of polygons of each class, for {', '.join(names)}.", measured)
