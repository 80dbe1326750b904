"""Figures of the evidence; their look is compared by image (see test_figures.py)."""

import itertools

import numpy as np
import pandas as pd
import pytest

from paperlib import claims, evidence_figures, paper

LOOK = pytest.mark.mpl_image_compare(tolerance=12, style="default", savefig_kwargs={"dpi": 60})


def pairs() -> pd.DataFrame:
    rows = [
        (first, second, 0.1 - 0.01 * row, 0.05 - 0.01 * row, 0.15 - 0.01 * row, row < 5)
        for row, (first, second) in enumerate(itertools.combinations(paper.MODELS, 2))
    ]
    return pd.DataFrame(rows, columns=["first", "second", "difference", "low", "high", "settled"])


def verdicts() -> pd.DataFrame:
    answers = itertools.cycle(
        [claims.SUPPORTED, claims.REFUTED, claims.UNDECIDED, f"{claims.UNDECIDED}: needs a known truth"]
    )
    rows = [(claim.text, answer) for claim, answer in zip(claims.CLAIMS, answers, strict=False)]
    return pd.DataFrame(rows, columns=["claim", "verdict"]).assign(number=range(1, len(rows) + 1))


@LOOK
def test_intervals():
    f1 = np.linspace(0.8, 0.7, 6)
    table = pd.DataFrame({"model": paper.MODELS, "macro_f1": f1, "low": f1 - 0.05, "high": f1 + 0.04})
    figure = evidence_figures.intervals_figure(table)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()][-1] == "TempCNN"  # the best on top
    return figure


@LOOK
def test_differences():
    figure = evidence_figures.differences_figure(pairs())
    hollow = [line for line in figure.axes[0].lines if line.get_markerfacecolor() == "white"]
    assert len(hollow) == 10
    return figure


@LOOK
def test_claims_have_a_mark_each():
    table = verdicts()
    figure = evidence_figures.claims_figure(table)
    marks = [line for line in figure.axes[0].lines if line.get_marker() in "oXs"]
    assert len(marks) == len(table)
    return figure


@LOOK
def test_fusion():
    weight = np.linspace(0, 1, 21)
    parts = [
        pd.DataFrame({"training": name, "weight": weight, "macro_f1": 0.8 + 0.1 * np.sin(3 * weight + number)})
        for number, name in enumerate(["trained apart", "trained as one"])
    ]
    return evidence_figures.fusion_figure(pd.concat(parts))


@LOOK
def test_recall_by_width():
    bins = {"width_from": [1, 2, 3, 5, 9, 17], "width_to": [2, 3, 5, 9, 17, np.inf]}
    tables = {
        name: pd.DataFrame(bins | {"recall": np.linspace(0.3 + 0.05 * row, 0.95, 6)})
        for row, name in enumerate(paper.MODELS)
    }
    figure = evidence_figures.recall_by_width_figure(tables)
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels == ["1", "2", "3 to <5", "5 to <9", "9 to <17", "17 or more"]
    return figure
