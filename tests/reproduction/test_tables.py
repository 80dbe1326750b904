"""Tables: printed values beside ours, dashes for missing values, the choice by validation alone."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from paperlib import nomenclature
from paperlib.evaluation.scores import DASH, EFFICIENCY, TEST, VALIDATION
from paperlib.figures import styling
from paperlib.reproduction import paper, tables

LEGEND = nomenclature.legend([1, 3, 11])


def make_results(models=("TempCNN", "iota2_base"), legend=LEGEND) -> pd.DataFrame:
    """F1 of two trainings a model; training 1 is the better on validation and the worse on test."""
    rows = [
        (model, training, part, cover.code, (0.5 + 0.3 * training if part == "validation" else 0.9 - 0.3 * training))
        for model in models
        for training in (0, 1)
        for part in ("validation", "test")
        for cover in legend
    ]
    table = pd.DataFrame(rows, columns=["model", "training", "set", "code", "f1"])
    table.loc[(table["set"] == "test") & (table["code"] == 11), "f1"] = np.nan  # no water in the test set
    return table


def make_trainings(models=("TempCNN", "iota2_base")) -> pd.DataFrame:
    rows = [
        {
            "model": model, "training": training, "seed": 7 + training, "best_epoch": np.nan if forest else 4,
            "epochs": np.nan if forest else 9, "parameters": 0 if forest else 493_210, "training_seconds": 90.0,
            "inference_seconds": 12.0, "macro_f1_validation": 0.5 + 0.3 * training,
            "macro_f1_test": 0.9 - 0.3 * training, "chosen": training == 1,
        }
        for model in models
        for training in (0, 1)
        for forest in [model == "iota2_base"]
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def table() -> pd.DataFrame:
    return tables.table_4(make_results(), make_trainings(), LEGEND)


def test_table_4_holds_every_printed_number(table):
    for part, rows, means in (
        (VALIDATION, paper.TABLE_4_VALIDATION, paper.TABLE_4_VALIDATION_MEAN),
        (TEST, paper.TABLE_4_TEST, paper.TABLE_4_TEST_MEAN),
    ):
        for place, model in enumerate(paper.MODELS):
            column = table.loc[part, (model, "paper")]
            assert [column[cover.name] for cover in nomenclature.CLASSES] == [
                rows[c.code][place] for c in nomenclature.CLASSES
            ]
            assert column["Mean"] == means[place]
    assert table.loc[(TEST, "Mean of the printed rows"), ("3D-CNN", "paper")] == pytest.approx(0.756, abs=5e-4)
    assert table.loc[EFFICIENCY, ("3D-CNN", "paper")].tolist() == ["379 k", "0.7", "40", "0.86 ± 0.03"]
    assert table.loc[EFFICIENCY, ("iota2_base", "paper")].tolist() == ["NA", "+40", "40", "NA"]


def test_table_4_shows_the_training_that_validation_chose(table):
    assert table.loc[(VALIDATION, "Built up"), ("TempCNN", "ours")] == pytest.approx(0.8)
    assert table.loc[(TEST, "Built up"), ("TempCNN", "ours")] == pytest.approx(0.6)  # training 0 has 0.9 on test


def test_table_4_mean_is_recomputed_from_class_f1():
    results = make_results()
    results.loc[(results["set"] == "validation") & (results["code"] == 3), "f1"] = 0.2
    table = tables.table_4(results, make_trainings(), LEGEND)
    assert table.loc[(VALIDATION, "Mean"), ("TempCNN", "ours")] == pytest.approx((0.8 + 0.2 + 0.8) / 3)
    assert table.loc[(TEST, "Mean"), ("TempCNN", "ours")] == pytest.approx(0.6)  # water, absent, counts for nothing


def test_differences_are_ours_less_printed():
    table = tables.differences_table(make_results(), make_trainings(), LEGEND)
    assert table.columns.tolist() == list(paper.MODELS)
    assert table.loc[(VALIDATION, "Built up"), "TempCNN"] == pytest.approx(0.8 - paper.TABLE_4_VALIDATION[1][0])
    assert table["3D-CNN"].isna().all()  # not run
    assert np.isnan(table.loc[(TEST, "Water"), "TempCNN"])  # not in the test set


def test_table_4_has_dashes_where_there_is_nothing(table):
    assert (table["iota2_ctx", "ours"] == DASH).all()  # not run
    assert table.loc[(VALIDATION, "Shrubland"), ("TempCNN", "ours")] == DASH  # not in the scene
    assert table.loc[(TEST, "Water"), ("TempCNN", "ours")] == DASH  # not in the test set
    assert not table.isna().any(axis=None)


def test_table_4_efficiency(table):
    values = table.loc[EFFICIENCY, ("TempCNN", "ours")]
    assert values.tolist() == ["493 k", "1.50", "0.20", f"0.65 ± {0.3 / np.sqrt(2):.2f}"]
    assert values.index[-1] == "F1 ± std on 2 trainings (paper: 5)"
    assert table.loc[(EFFICIENCY, "Parameters"), ("iota2_base", "ours")] == "NA"


def test_table_4_of_one_training_has_no_deviation():
    trainings = make_trainings().query("chosen")
    table = tables.table_4(make_results(), trainings, LEGEND)
    column = table.loc[EFFICIENCY, ("TempCNN", "ours")]
    assert column.iloc[-1] == "0.80" and column.index[-1].startswith("F1 ± std on 1 training (")


def test_table_4_of_a_quick_training_is_not_zero_minutes():
    table = tables.table_4(make_results(), make_trainings().assign(training_seconds=0.2), LEGEND)
    assert table.loc[(EFFICIENCY, "Training (min)"), ("TempCNN", "ours")] == "0.0033"


def test_table_4_without_the_paper_and_with_another_model():
    models = ("mine", "2D-CNN")
    table = tables.table_4(make_results(models), make_trainings(models), LEGEND, printed=False)
    assert table.columns.tolist() == ["2D-CNN", "mine"]  # the paper's order first
    assert table.loc[VALIDATION].index.tolist() == [*(cover.name for cover in LEGEND), "Mean"]
    both = tables.table_4(make_results(models), make_trainings(models), LEGEND)
    assert ("mine", "paper") not in both and both.shape[1] == 2 * len(paper.MODELS) + 1


@pytest.fixture
def counts() -> pd.DataFrame:
    rows = [
        (cover.code, cover.name, part, polygons, pixels)
        for cover in LEGEND
        for part, polygons, pixels in (("train", 5, 700), ("validation", 2, 300), ("test", 3, 450))
    ]
    return pd.DataFrame(rows, columns=["code", "class_name", "set", "polygons", "pixels"])


def test_table_2_3_beside_the_printed_counts(counts):
    table = tables.table_2_3(counts)
    assert len(table) == 9
    pool, test = table["training pool"], table["test set"]
    assert pool["pixels"].loc[(1, "Built up")].to_dict() == {"paper": "9,528", "ours": "1,000"}
    assert pool["pixels"].loc[(5, "Shrubland")].to_dict() == {"paper": "672", "ours": DASH}
    assert test["pixels"].loc[("", "Total")].to_dict() == {"paper": "265,902", "ours": "1,350"}
    assert pool["pixels"].loc[("", "Total"), "paper"] == "52,707"  # what Table 2 sums to
    assert pool["polygons"].loc[("", "Total")].to_dict() == {"paper": "290", "ours": "21"}


def test_table_2_3_without_the_paper(counts):
    table = tables.table_2_3(counts[counts["set"] != "test"], printed=False)
    assert table.index.get_level_values("code").tolist() == [1, 3, 11, ""]
    assert table["training pool", "pixels"].tolist() == ["1,000"] * 3 + ["3,000"]
    assert (table["test set"] == DASH).all(axis=None)


def test_table_1_aligns_dates_and_counts_masked_pixels():
    mask = np.zeros((2, 4, 5), bool)
    mask[1, :2, :3] = True
    scene = xr.DataArray(
        np.zeros((1, 2, 4, 5), np.float32),
        dims=("band", "time", "y", "x"),
        coords={"time": pd.to_datetime(["2018-04-29", "2018-08-15"]), "mask": (("time", "y", "x"), mask)},
    )
    table = tables.table_1(scene)
    assert table.index.tolist() == sorted({*paper.DATES, "2018-04-29"})
    assert table.loc["2018-04-29"].tolist() == [DASH, "1", "0.0"]
    assert table.loc["2018-08-15"].tolist() == ["7", "2", "30.0"]
    assert table.loc["2018-02-15"].tolist() == ["1", DASH, DASH]


def test_trainings_table_shows_every_training():
    table = styling.trainings_table(make_trainings())
    assert len(table) == 4
    assert table["chosen"].tolist() == ["", styling.MARK, "", styling.MARK]
    assert table["best epoch"].tolist() == ["4", "4", DASH, DASH]


def test_style_marks_the_best_of_a_row(table):
    html = styling.style(table, caption="Table 4").to_html()
    assert "Table 4" in html and "nan" not in html.lower()
    css = styling._bold(table)
    best = css.columns[(css.loc[(TEST, "Shrubland")] != "")]
    assert best.tolist() == [("3D-CNN", "paper")]  # 0.778
    assert (css.loc[(VALIDATION, "Built up")] != "").sum() == 3  # TempCNN printed, and our two, equal
    assert (css.loc[EFFICIENCY] == "").all(axis=None)


def test_style_of_one_model_marks_nothing():
    table = tables.table_4(make_results(["2D-CNN"]), make_trainings(["2D-CNN"]), LEGEND, printed=False)
    assert (styling._bold(table) == "").all(axis=None)


def test_style_rounds_by_unit_and_hides_a_running_index():
    html = styling.style(styling.trainings_table(make_trainings())).to_html()
    assert ">90.0<" in html and ">0.800<" in html and "row_heading" not in html.split("</style>")[1]


def test_style_takes_the_decimals_of_numbers_without_a_unit():
    html = styling.style(pd.DataFrame({"ratio": [0.8764], "share (%)": [12.345]}), decimals=2).to_html()
    assert ">0.88<" in html and ">12.3<" in html


def test_style_shows_the_colour_of_each_class():
    html = styling.style(styling.classes_table(LEGEND)).to_html()
    assert all(f"background-color: {cover.colour}" in html for cover in LEGEND)


def test_sentences_are_wrapped_and_numbers_are_not():
    table = pd.DataFrame({"claim": ["A sentence that would make the table wider than the page."], "estimate": [0.5]})
    html = styling.style(table).to_html()
    assert html.count("max-width: 20em") == 1 and "row0_col0" in html.split("max-width")[0]
    assert "max-width" not in styling.style(table[["estimate"]]).to_html()


def test_columns_are_named_for_readers_and_words_stand_on_the_left():
    frame = {"macro_f1": [-0.0001, 0.5], "near": [True, False], "model": ["TempCNN", "2D-CNN"], "mapped": ["8", DASH]}
    style, _, shown = styling.style(pd.DataFrame(frame)).to_html().partition("</style>")
    assert ">macro F1<" in shown and ">yes<" in shown and ">no<" in shown and ">0.000<" in shown
    assert style.count("text-align: left !important") == 1 and ".col2 {" in style


def test_names_with_signs_of_html_are_shown_as_they_are():
    table = pd.DataFrame({"class": ["Irrigated <crops>"], "<b>": ["A & B"]}, index=["<i>"])
    html = styling.style(table).to_html()
    assert all(text in html for text in ("Irrigated &lt;crops&gt;", "&lt;b&gt;", "A &amp; B", "&lt;i&gt;"))
    assert "<crops>" not in html and "<b>" not in html and "<i>" not in html


def test_the_headline_has_the_means_of_table_4_and_our_interval_a_row_a_model(table):
    scores = pd.DataFrame({"model": ["iota2_base", "TempCNN"], "low": [0.41, 0.52], "high": [0.614, 0.7]})
    headline = tables.headline_table(table, scores)
    assert headline.index.tolist() == list(paper.MODELS)  # in the paper's order
    for part in (VALIDATION, TEST):
        for source in ("paper", "ours"):
            for model in paper.MODELS:
                assert headline.loc[model, (part, source)] == table.loc[(part, "Mean"), (model, source)]
    assert headline.loc["TempCNN", (TEST, "95 % interval")] == "0.52 to 0.70"
    assert headline.loc["iota2_base", (TEST, "95 % interval")] == "0.41 to 0.61"
    assert headline.loc["3D-CNN", (TEST, "95 % interval")] == DASH  # not run
    alone = tables.headline_table(tables.table_4(make_results(), make_trainings(), LEGEND, printed=False), scores)
    assert alone.columns.tolist() == [VALIDATION, TEST, "95 % interval"]
    assert alone.loc["TempCNN", TEST] == pytest.approx(0.6)
    assert alone.loc["TempCNN", "95 % interval"] == "0.52 to 0.70"
