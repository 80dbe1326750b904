"""Tables as pages show them: the marks in their cells, and `style`, which dresses any of them."""

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from ..evaluation.scores import DASH, EFFICIENCY, TEST, VALIDATION
from ..nomenclature import LandCover

MARK = "✓"
SENTENCE = 35  # characters: longer text in a cell is wrapped


def classes_table(legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """The nomenclature: code, name and colour of each class."""
    return pd.DataFrame([cover[:3] for cover in legend], columns=["code", "class", "colour"])


def trainings_table(trainings: pd.DataFrame) -> pd.DataFrame:
    """Every training, none left out; a mark in "chosen" where it is its model's best by validation macro F1."""
    whole = trainings[["best_epoch", "epochs"]].map(lambda value: DASH if pd.isna(value) else f"{value:.0f}")
    table = trainings[["model", "training", "seed"]].join(whole)
    names = {"best_epoch": "best epoch", "epochs": "epochs run"}
    return table.rename(columns=names).assign(
        **{
            "macro F1 validation": trainings["macro_f1_validation"],
            "macro F1 test": trainings["macro_f1_test"],
            "training (s)": trainings["training_seconds"],
            "chosen": trainings["chosen"].map({True: MARK, False: ""}),
        }
    )


def style(table: pd.DataFrame, caption: str = "", decimals: int = 3) -> Styler:
    """Dress a table for a page, light or dark.

    Numbers have `decimals`, one in a column in per cent or seconds; what is missing is a dash, a running index is left
    out, a column "colour" becomes swatches, sentences are wrapped. Bold: the best F1 of a row of `table_4`, the chosen
    rows of `trainings_table`.
    """
    dressed = table.style.format(
        lambda value: _text(value, decimals), na_rep=DASH, escape="html"
    )  # names of classes are a user's
    for axis in (0, 1):
        dressed = dressed.format_index(escape="html", axis=axis)
    rounded = [name for name in table.columns if str(name).endswith(("(%)", "(s)"))]
    dressed = dressed.format(lambda value: _text(value, 1), subset=rounded, na_rep=DASH).apply(_bold, axis=None)
    if "colour" in table:
        dressed = dressed.map(lambda colour: f"background-color: {colour}; color: transparent", subset=["colour"])
    long = [name for name in table.columns if table[name].map(lambda value: len(str(value)) > SENTENCE).any()]
    if long:
        wrapped = {"white-space": "normal !important", "text-align": "left !important", "max-width": "20em"}
        dressed = dressed.set_properties(subset=long, **wrapped, **{"min-width": "9em"})
    if isinstance(table.index, pd.RangeIndex):
        dressed = dressed.hide(axis="index")
    if caption:
        dressed = dressed.set_caption(caption)
    return dressed.set_table_attributes('style="font-size: 0.8em"').set_table_styles(
        [
            {
                "selector": "td",
                "props": "text-align: right; vertical-align: top; white-space: nowrap; padding: 0.2em 0.35em",
            },
            {"selector": "th.row_heading", "props": "text-align: left; vertical-align: top; padding: 0.2em 0.35em"},
            {"selector": "th.col_heading", "props": "text-align: center; padding: 0.2em 0.35em"},
            {"selector": "caption", "props": "caption-side: top; text-align: left"},
        ]
    )


def _text(value: object, decimals: int) -> str:
    return f"{value:.{decimals}f}" if isinstance(value, float) else str(value)


def _bold(table: pd.DataFrame) -> pd.DataFrame:
    """The CSS of `style`'s bold cells: the paper's best and our best of a row are each marked, where two compete."""
    css = pd.DataFrame("", index=table.index, columns=table.columns)
    if "chosen" in table:
        css.loc[table["chosen"] == MARK] = "font-weight: bold"
    if not isinstance(table.index, pd.MultiIndex) or not set(table.index.get_level_values(0)) >= {VALIDATION, TEST}:
        return css
    rows = table.index.get_level_values(0) != EFFICIENCY
    sources = table.columns.get_level_values(-1) if table.columns.nlevels == 2 else np.repeat("ours", table.shape[1])
    for source in set(sources):
        part = table.loc[rows, sources == source].apply(pd.to_numeric, errors="coerce").round(3)
        best = part.eq(part.max(axis=1), axis=0) & (part.notna().sum(axis=1) > 1).to_numpy()[:, None]
        css.loc[rows, sources == source] = np.where(best, "font-weight: bold", "")
    return css
