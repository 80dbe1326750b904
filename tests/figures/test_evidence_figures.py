"""Figures of the evidence, compared with reference images as in test_charts.py."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from paperlib.figures import evidence_figures, theme
from paperlib.reproduction import claims, paper
from paperlib.reproduction.studies import fusion


def scores() -> pd.DataFrame:
    f1 = np.linspace(0.8, 0.7, 6)
    return pd.DataFrame({"model": paper.MODELS, "macro_f1": f1, "low": f1 - 0.05, "high": f1 + 0.04})


def pairs() -> pd.DataFrame:
    rows = [
        (first, second, 0.1 - 0.005 * row, 0.048 - 0.01 * row, 0.15 - 0.002 * row, row < 5)
        for row, (first, second) in enumerate(itertools.combinations(paper.MODELS, 2))
    ]
    return pd.DataFrame(rows, columns=["first", "second", "difference", "low", "high", "settled"])


def verdicts() -> pd.DataFrame:
    answers = itertools.cycle(
        [claims.SUPPORTED, claims.REFUTED, claims.UNDECIDED, f"{claims.UNDECIDED}: needs a known truth"]
    )
    rows = [(claim.text, answer) for claim, answer in zip(claims.CLAIMS, answers, strict=False)]
    return pd.DataFrame(rows, columns=["claim", "verdict"]).assign(number=range(1, len(rows) + 1))


def weights() -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {"training": name, "weight": fusion.WEIGHTS, "macro_f1": 0.8 + 0.1 * np.sin(3 * fusion.WEIGHTS + number)}
        )
        for number, name in enumerate([fusion.APART, fusion.AS_ONE])
    ]
    return pd.concat(parts)


def recalls() -> dict[str, pd.DataFrame]:
    bins = {"width_from": [1, 2, 3, 5, 9, 17], "width_to": [2, 3, 5, 9, 17, np.inf]}
    return {
        name: pd.DataFrame(bins | {"recall": np.linspace(0.3 + 0.05 * row, 0.95, 6)})
        for row, name in enumerate(paper.MODELS)
    }


DRAWINGS = {
    "intervals": lambda: evidence_figures.intervals_figure(scores()),
    "differences": lambda: evidence_figures.differences_figure(pairs()),
    "claims": lambda: evidence_figures.claims_figure(verdicts()),
    "fusion": lambda: evidence_figures.fusion_figure(weights()),
    "recall_by_width": lambda: evidence_figures.recall_by_width_figure(recalls()),
}


@pytest.mark.parametrize("name", DRAWINGS)
@pytest.mark.mpl_image_compare(baseline_dir="../baseline", tolerance=3, style="default", savefig_kwargs={"dpi": 40})
def test_figure(name):
    return DRAWINGS[name]()


@pytest.mark.parametrize("name", [name for name in DRAWINGS if name != "claims"])
def test_figure_is_whole_and_leaves_no_trace(name, is_whole):
    is_whole(DRAWINGS[name], rows_are_named=name in ("intervals", "differences"))


# -- what the pictures say ---------------------------------------------------------------------------------------------


def test_best_model_is_on_top_with_its_interval():
    panel = evidence_figures.intervals_figure(scores().sample(frac=1, random_state=0)).axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == list(reversed(paper.MODELS))
    bar, dot = panel.lines[-2:]
    assert np.allclose(bar.get_xdata(), [0.75, 0.84]) and np.allclose(dot.get_xdata(), 0.8)


def test_differences_that_hold_zero_are_hollow():
    panel = evidence_figures.differences_figure(pairs()).axes[0]
    hollow = [line.get_ydata()[0] for line in panel.lines if line.get_markerfacecolor() == "white"]
    assert hollow == list(range(10))  # the five settled ones are the largest


def test_line_at_zero_is_above_the_grid():
    figure = evidence_figures.differences_figure(pairs())
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    panel = figure.axes[0]
    x, y = (round(float(at)) for at in panel.transData.transform((0, 12.5)))
    column = np.asarray(canvas.buffer_rgba())[-y, x - 2 : x + 3, 0]
    assert column.min() < 160  # a dark line between two rows, not the pale grid


def test_every_claim_has_the_mark_of_its_verdict():
    table = verdicts()
    text, marks = evidence_figures.claims_figure(table).axes
    names = [label.get_text() for label in marks.get_xticklabels()]
    drawn = [names[int(line.get_xdata()[0])] for line in marks.lines if line.get_marker() in list("oXs")]
    assert drawn == [verdict.split(":")[0] for verdict in table["verdict"]]
    assert [one.get_text().replace("\n", " ") for one in text.texts[1::2]] == table["claim"].tolist()


def test_claims_do_not_run_into_their_marks():
    figure = evidence_figures.claims_figure(verdicts())
    figure.canvas.draw()
    text, marks = figure.axes
    boxes = [one.get_window_extent() for one in text.texts]
    assert min(box.x0 for box in boxes) >= 0 and max(box.x1 for box in boxes) < marks.get_window_extent().x0
    assert all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise(boxes[1::2]))
    needed, given = figure.get_tightbbox(), figure.get_size_inches()
    assert needed.x0 >= -0.01 and needed.x1 <= given[0] + 0.01 and needed.y0 >= -0.01 and needed.y1 <= given[1] + 0.01


def test_of_equal_weights_the_one_that_the_table_takes_is_starred():
    f1 = np.where(fusion.WEIGHTS <= 0.8, 0.9, 0.7)  # 0 to 0.8 are equal; `best_weight` takes the nearest to one half
    panel = evidence_figures.fusion_figure(
        pd.DataFrame({"training": fusion.APART, "weight": fusion.WEIGHTS, "macro_f1": f1})
    ).axes[0]
    assert [line.get_xdata()[0] for line in panel.lines if line.get_marker() == "*"] == [0.5]


def test_widths_are_labelled_by_their_limits():
    panel = evidence_figures.recall_by_width_figure(recalls()).axes[0]
    labels = [label.get_text() for label in panel.get_xticklabels()]
    assert labels == ["1", "2", "3 to <5", "5 to <9", "9 to <17", "17 or more"]


def test_a_model_looks_the_same_whatever_stands_before_it():
    alone, all_of_them = theme.model_styles(["3D-CNN"]), theme.model_styles(["mine", *reversed(paper.MODELS)])
    assert alone["3D-CNN"]["marker"] == all_of_them["3D-CNN"]["marker"]
    assert to_rgb(alone["3D-CNN"]["color"]) == to_rgb(all_of_them["3D-CNN"]["color"])
    assert len({look["marker"] for look in all_of_them.values()}) == len(paper.MODELS) + 1
