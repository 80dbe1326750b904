"""Figures of what a classifier needs: dates and channels by the score that is lost without them."""

import numpy as np
import pandas as pd

from .theme import WIDTH, Figure, styled


@styled
def importance_figure(table: pd.DataFrame) -> Figure:
    """Macro F1 lost when a date or a channel is exchanged between polygons, with intervals, one panel for each kind.

    `table`: columns kind, name, loss, low, high; see `labelling.importance`. Dates are in their order, channels by loss.
    """
    kinds = list(table["kind"].unique())
    longest = int(table["kind"].value_counts().max())
    figure = Figure((WIDTH, 0.24 * longest + 1), layout="constrained")
    for ax, kind in zip(figure.subplots(1, len(kinds), squeeze=False, sharex=True).flat, kinds, strict=True):
        part = table[table["kind"] == kind]
        part = part.sort_values("name", ascending=False) if kind == "date" else part.sort_values("loss")
        place = np.arange(len(part))
        ax.barh(place, part["loss"], color="#4477aa", height=0.65)
        ax.hlines(place, part["low"], part["high"], color="0.2", linewidth=1.2)
        ax.axvline(0, color="0.3", linewidth=0.8)
        ax.set_yticks(place, part["name"])
        ax.set(xlabel="macro F1 lost", title=f"{kind} exchanged")
    most = table.loc[table["loss"].idxmax()]
    return figure.describe(
        f"Macro F1 lost when one {' or one '.join(kinds)} is exchanged between polygons; most by {most['name']}.", table
    )
