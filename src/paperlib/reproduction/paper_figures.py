"""Charts that show printed values beside ours."""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from .. import nomenclature
from ..evaluation.scores import chosen_scores
from ..figures.theme import WIDTH, Figure, model_styles, styled
from ..nomenclature import LandCover
from . import paper


@styled
def scores_figure(
    results: pd.DataFrame, trainings: pd.DataFrame, legend: tuple[LandCover, ...], printed: bool = True
) -> Figure:
    """Table 4 as dots: class F1 and mean of each model's chosen training (filled) beside the printed ones (hollow).

    Parameters are those of `tables.table_4`.
    """
    scores = chosen_scores(results, trainings)
    known = [name for name in paper.MODELS if printed or name in set(scores["model"])]
    names = known + [name for name in scores["model"].unique() if name not in known]
    looks = model_styles(names)
    covers = nomenclature.CLASSES if printed else legend
    labels, drawn = [*(cover.name for cover in covers), "Mean"], []
    figure = Figure((WIDTH, 0.55 * (len(covers) + 1) + 1.3), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True, sharex=True)
    facts = {
        "validation": (paper.TABLE_4_VALIDATION, paper.TABLE_4_VALIDATION_MEAN),
        "test": (paper.TABLE_4_TEST, paper.TABLE_4_TEST_MEAN),
    }
    for ax, (part, (rows, means)) in zip(axes, facts.items(), strict=True):
        for number, name in enumerate(names):
            height = np.arange(len(covers) + 1) + 0.7 * ((number + 0.5) / len(names) - 0.5)
            look = {"linestyle": "", "markersize": 5, **looks[name]}
            if printed and name in paper.MODELS:
                place = paper.MODELS.index(name)
                f1 = [rows[cover.code][place] for cover in covers] + [means[place]]
                ax.plot(f1, height, **look, markerfacecolor="white")
                drawn += [(part, name, "paper", label, value) for label, value in zip(labels, f1, strict=True)]
            mine = scores[(scores["model"] == name) & (scores["set"] == part)].set_index("code")["f1"]
            mine = mine.reindex([cover.code for cover in covers])
            f1 = [*mine, mine.mean()]
            ax.plot(f1, height, **look, markeredgecolor="0.2", markeredgewidth=0.4)
            drawn += [(part, name, "ours", label, value) for label, value in zip(labels, f1, strict=True)]
        for line in np.arange(len(covers)) + 0.5:
            ax.axhline(line, color="0.5" if line > len(covers) - 1 else "0.9", linewidth=0.8, zorder=0)
        ax.grid(axis="x", color="0.93")
        ax.set(title=part, xlabel="F1 (–)", xlim=(-0.03, 1.03), ylim=(len(covers) + 0.5, -0.5))
    axes[0].set_yticks(range(len(labels)), labels)
    handles = [Line2D([], [], linestyle="", label=name, **looks[name]) for name in names]
    if printed:
        handles += [
            Line2D([], [], linestyle="", marker="o", color="0.3", label="ours"),
            Line2D([], [], linestyle="", marker="o", color="0.3", markerfacecolor="white", label="as printed"),
        ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4))
    table = pd.DataFrame(drawn, columns=["set", "model", "source", "class_name", "f1"]).dropna()
    return figure.describe(
        f"Dots: F1 of each class and their mean on validation and test, for {', '.join(names)}.", table
    )
