"""Tables for pages: which columns they show, and how a page renders them (`style`)."""

from collections.abc import Callable
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
#: Columns from which a table has less space between them.
MANY = 12
#: What pages call a column of a table of the library.
HEADINGS = {
    "macro_f1": "macro F1", "macro_f1_validation": "macro F1, validation", "macro_f1_test": "macro F1, test",
    "ensemble_validation": "ensemble, validation", "ensemble_test": "ensemble, test", "oa": "overall accuracy",
    "oa_low": "overall accuracy, low", "oa_high": "overall accuracy, high", "rank_low": "lowest rank",
    "rank_high": "highest rank", "gain_low": "gain, low", "gain_high": "gain, high", "borders, f1": "borders, F1",
    "class_name": "class", "outside_range": "outside range", "outside_area": "outside area", "left_out": "left out",
    "difference_low": "difference, low", "difference_high": "difference, high", "lowest_draw": "lowest draw",
}  # fmt: skip


def classes_table(legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Code, name and colour of each class: columns code, class, colour."""
    return pd.DataFrame([cover[:3] for cover in legend], columns=["code", "class", "colour"])


def trainings_table(trainings: pd.DataFrame) -> pd.DataFrame:
    """Every training with its scores; `MARK` in "chosen" where it is the best of its model by validation macro F1."""
    whole = trainings[["best_epoch", "epochs"]].map(lambda value: DASH if pd.isna(value) else f"{value:.0f}")
    table = trainings[["model", "training", "seed"]].join(whole)
    return table.rename(columns={"best_epoch": "best epoch", "epochs": "epochs run"}).assign(
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

    A missing value is a dash, a default index is hidden, a column "colour" is shown as swatches, and long text is wrapped;
    names of rows onto two lines at most where the page is narrow. Mean and deviation stand in two lines. Words stand on
    the left and numbers on the right of their column; columns are named as in `HEADINGS`.
    Bold: the best F1 of each row of a table of scores, and the chosen rows of `trainings_table`. Text is escaped, since
    class names come from users.
    """
    styler = _formatted(table, decimals, _name if short else _whole_name).apply(_bold, axis=None)
    if "colour" in table:
        styler = styler.map(lambda colour: f"background-color: {colour}; color: transparent", subset=["colour"])
    styler = styler.map(lambda value: "white-space: normal !important" if "±" in str(value) else "")
    long = [name for name in table.columns if table[name].map(lambda value: len(str(value)) > SENTENCE).any()]
    if long:
        styler = styler.set_properties(
            subset=long, **{"white-space": "normal !important", "max-width": "20em", "min-width": "9em"}
        )
    if isinstance(table.index, pd.RangeIndex):
        styler = styler.hide(axis="index")
    if caption:
        styler = styler.set_caption(caption)
    longest = max((len(str(label)) for label in table.index.get_level_values(-1)), default=0)
    padding = f"padding: 0.2em {0.35 if table.shape[1] < MANY else 0.2}em"
    rows = f"text-align: left; vertical-align: top; {padding}"
    names = f"min-width: {min(longest, SENTENCE) // 2 + 3}ch" if longest > SENTENCE // 2 else "white-space: nowrap"
    cells = f"text-align: right; vertical-align: top; white-space: nowrap; {padding}"
    styler = styler.set_table_attributes('style="font-size: 0.8em"').set_table_styles(
        [
            {"selector": "td", "props": cells},
            {"selector": "th.row_heading", "props": rows},
            {"selector": "th.row_heading:last-of-type", "props": names},
            {"selector": "th.col_heading", "props": f"text-align: center; {padding}"},
            {"selector": "caption", "props": "caption-side: top; text-align: left"},
        ]
    )
    left = [{"selector": "", "props": "text-align: left !important"}]
    words = {name: left for name in table.columns if name in long or _holds_words(table[name])}
    return styler.set_table_styles(words, overwrite=False)


def _formatted(table: pd.DataFrame, decimals: int, name: Callable[[object], str]) -> Styler:
    """Values and names of a table as text; "yes" and "no" for truth values, and no zero with a sign."""
    digits = {column: 1 if str(column).endswith(("(%)", "(s)")) else decimals for column in table.columns}
    numbers = table.select_dtypes("floating").columns
    table = table.copy()
    for column in numbers:
        table[column] = table[column].mask(table[column].abs() < 0.5 * 10.0 ** -digits[column], 0.0)
    styler = table.style.format(precision=decimals, na_rep=DASH, escape="html")
    for axis, labels in enumerate((table.index, table.columns)):
        styler = styler.format_index(name, axis=axis) if len(labels) else styler
    rounded = [column for column, places in digits.items() if places != decimals]
    truths = table.select_dtypes("bool").columns
    styler = styler.format(precision=1, subset=rounded, na_rep=DASH, escape="html")
    return styler.format(lambda value: "yes" if value else "no", subset=truths)


def _holds_words(column: pd.Series) -> bool:
    """Whether most cells of a column are words: text that begins with a letter, beside missing values and marks."""
    text = column.map(lambda value: isinstance(value, str)).astype(bool)
    there = column[text & ~column.isin(("", DASH, MARK))]
    return len(there) > 0 and text.all() and there.str[0].str.isalpha().mean() >= 0.5


def _whole_name(label: object) -> str:
    """HTML of the name of a row or column."""
    return escape(DASH if label is None or label != label else HEADINGS.get(str(label), str(label)))


def _name(label: object) -> str:
    """HTML of the name of a row or column: the short form of a class name, with the full name on hover."""
    short = short_name(str(label))
    return _whole_name(label) if short == str(label) else f'<abbr title="{escape(str(label))}">{escape(short)}</abbr>'


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
