"""Tables for pages: which columns they show, and how a page renders them (`style`)."""

from html import escape

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from ..evaluation.scores import DASH, EFFICIENCY, TEST, VALIDATION
from ..nomenclature import LandCover, short_name

#: Cell of a row that is chosen.
MARK = "✓"
#: Characters of a cell above which its text is wrapped.
SENTENCE = 35


def classes_table(legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Code, name and colour of each class: columns code, class, colour."""
    return pd.DataFrame([cover[:3] for cover in legend], columns=["code", "class", "colour"])


def trainings_table(trainings: pd.DataFrame) -> pd.DataFrame:
    """Every training with its scores; `MARK` in "chosen" where it is the best of its model by validation macro F1."""
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


def style(table: pd.DataFrame, caption: str = "", decimals: int = 3, short: bool = True) -> Styler:
    """Style a table for a page.

    Parameters
    ----------
    caption: text above the table.
    decimals: of numbers; columns in per cent or seconds have one.
    short: class names in the index are short, with the full name on hover.

    A missing value is a dash, a default index is hidden, a column "colour" is shown as swatches, and long text is wrapped.
    Mean and deviation stand in two lines.
    Bold: the best F1 of each row of a table of scores, and the chosen rows of `trainings_table`. Text is escaped, since
    class names come from users.
    """
    styler = table.style.format(precision=decimals, na_rep=DASH, escape="html")
    styler = styler.format_index(escape="html", axis=1)
    styler = styler.format_index(_row_name, axis=0) if short else styler.format_index(escape="html", axis=0)
    rounded = [name for name in table.columns if str(name).endswith(("(%)", "(s)"))]
    styler = styler.format(precision=1, subset=rounded, na_rep=DASH, escape="html").apply(_bold, axis=None)
    if "colour" in table:
        styler = styler.map(lambda colour: f"background-color: {colour}; color: transparent", subset=["colour"])
    styler = styler.map(lambda value: "white-space: normal !important" if "±" in str(value) else "")
    long = [name for name in table.columns if table[name].map(lambda value: len(str(value)) > SENTENCE).any()]
    if long:
        wrapped = {"white-space": "normal !important", "text-align": "left !important", "max-width": "20em"}
        styler = styler.set_properties(subset=long, **wrapped, **{"min-width": "9em"})
    if isinstance(table.index, pd.RangeIndex):
        styler = styler.hide(axis="index")
    if caption:
        styler = styler.set_caption(caption)
    return styler.set_table_attributes('style="font-size: 0.8em"').set_table_styles(
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


def _row_name(label: object) -> str:
    """HTML of an index label: the short form of a class name, with the full name on hover; other labels as they are."""
    full = DASH if label is None or label != label else str(label)
    short = short_name(full)
    return escape(full) if short == full else f'<abbr title="{escape(full)}">{escape(short)}</abbr>'


def _bold(table: pd.DataFrame) -> pd.DataFrame:
    """CSS of the cells that `style` shows in bold; printed scores and ours are compared among themselves.

    Styler.highlight_max does not do, since the cells hold dashes beside numbers.
    """
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
