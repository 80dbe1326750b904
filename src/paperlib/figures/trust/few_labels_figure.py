"""Scores against the number of labelled polygons of each class."""

import pandas as pd

from ..theme import WIDTH, Figure, model_styles, styled

#: In all panels, so that those of different classifiers can be compared.
REFERENCE = "Galileo"


@styled
def few_labels_figure(measured: pd.DataFrame) -> Figure:
    """Macro F1 by number of polygons of each class, with intervals of 95 %, one line a classifier.

    One column of panels for each scene, one row for what classifiers see, with `REFERENCE` in each. `measured`: columns
    scene, sees, polygons ("1" to "8" or "all"), model, macro_f1, low, high, as benchmarks/few_labels.py keeps.
    """
    scenes, kinds = list(measured["scene"].unique()), list(measured["sees"].unique())
    sizes = list(dict.fromkeys(measured["polygons"].astype(str)))
    styles = model_styles(list(measured["model"].unique()))
    figure = Figure((WIDTH, 1.2 + 2.6 * len(kinds)), layout="constrained")
    axes = figure.subplots(len(kinds), len(scenes), sharex=True, sharey="col", squeeze=False)
    for row, kind in zip(axes, kinds, strict=True):
        shown = measured[(measured["sees"] == kind) | (measured["model"] == REFERENCE)]
        for ax, scene in zip(row, scenes, strict=True):
            lines = shown[shown["scene"] == scene].groupby("model", sort=False)
            for turn, (name, part) in enumerate(lines):
                place = [sizes.index(str(size)) + 0.07 * (turn - len(lines) / 2) for size in part["polygons"]]
                error = part["macro_f1"] - part["low"], part["high"] - part["macro_f1"]
                ax.errorbar(place, part["macro_f1"], error, label=name, markersize=4, linewidth=1, **styles[str(name)])
            ax.set_xticks(range(len(sizes)), sizes)
        row[0].set_ylabel(f"macro F1 (–)\n{kind}")
    for ax, scene in zip(axes[0], scenes, strict=True):
        ax.set_title(scene)
    for ax in axes[-1]:
        ax.set_xlabel("labelled polygons of each class")
    handles = {label: line for ax in axes[:, 0] for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    names = ", ".join(measured["model"].unique())
    return figure.describe(f"Macro F1 by number of polygons of each class, for {names}.", measured)
