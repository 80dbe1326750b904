"""Which columns of a label file hold the class, its name, the set, the number and the group; and what they say."""

import re
from dataclasses import dataclass
from unicodedata import normalize

import numpy as np
import pandas as pd

from ...errors import InputError
from ...settings import Labels

#: Values of the column `set`, in lower case, for polygons that the file sets apart for validation: they join the pool.
VALIDATION = ("validation", "val", "valid")
#: Values of the column `set`, in lower case: the training pool, and the test set.
POOL, TEST = ("pool", "train", "training", *VALIDATION), ("test",)
#: Texts that programs write where there is no value.
ABSENT = ("", "null", "<null>", "nan", "<na>")
#: The burned grid holds polygon numbers as int32.
LARGEST_ID = 2**31 - 1
#: Columns that hold the class where no column is called `code`, if there is exactly one of them.
LIKELY = ("label", "class", "class_code", "class_id", "classcode", "code_class", "type")
NAMES = ("class_name", "classname", "class_label")
#: Columns whose equal values mean one object: its pieces are neighbours.
NUMBERS = ("polygon_id", "polygonid", "parcel_id", "parcelid", "field_id", "fieldid", "plot_id", "plotid")
#: A text that is a whole number, written as numbers are.
WHOLE = re.compile(r"(-?(?:0|[1-9]\d*))(?:[.,]0+)?")


@dataclass(frozen=True)
class Columns:
    """Names of columns; empty where the file has none."""

    label: str
    name: str = ""
    colour: str = ""
    set: str = ""
    number: str = ""
    group: str = ""
    guessed: tuple[str, ...] = ()  # what was not named by the user and is not usual: "label", "name"


def choose_columns(table: pd.DataFrame, options: Labels) -> Columns:
    """The columns that are used; case and spaces around a name do not matter.

    Raises `InputError` for a column that is asked for and not there, and where none or several could hold the class.
    """
    named = {
        part: _asked(table, getattr(options, f"{option}_field" if option else "field"), option)
        for part, option in (("label", ""), ("name", "name"), ("set", "set"), ("group", "group"))
    }
    guessed = []
    if not named["label"]:
        named["label"] = _find(table, "code")
        if not named["label"]:
            likely = [column for column in map(lambda name: _find(table, name), LIKELY) if column]
            likely = likely or [column for column in map(lambda name: _find(table, name), NAMES) if column]
            if len(likely) != 1:
                raise InputError(
                    f"there is no column `code` with the class{' and several could be it' if likely else ''}; the file "
                    f"has {_described(table)}",
                    "Name the column of the class with --field.",
                    kind="labels.field",
                )
            named["label"] = likely[0]
            guessed.append("label")
    named["set"] = named["set"] or _find(table, "set")
    taken = {column for column in named.values() if column}
    number = next(
        (column for column in map(lambda name: _find(table, name), NUMBERS) if column not in ("", *taken)), ""
    )
    if not named["name"]:
        named["name"] = next(
            (name for name in map(lambda name: _find(table, name), NAMES) if name not in ("", *taken)), ""
        )
        if not named["name"]:
            named["name"] = _fitting(table, named["label"], taken | {number})
            guessed += ["name"] if named["name"] else []
    colour = _find(table, "colour") or _find(table, "color")
    return Columns(**named, colour=colour, number=number, guessed=tuple(guessed))


def _find(table: pd.DataFrame, name: str) -> str:
    wanted = name.strip().lower()
    return next((column for column in _attributes(table) if str(column).strip().lower() == wanted), "")


def _attributes(table: pd.DataFrame) -> list[str]:
    return [column for column in table.columns if column != getattr(table, "_geometry_column_name", "geometry")]


def _asked(table: pd.DataFrame, name: str, option: str) -> str:
    column = _find(table, name) if name else ""
    if name and not column:
        raise InputError(
            f"there is no column {name!r}; the file has {_described(table)}",
            f"Give one of them with --{option + '-' if option else ''}field.",
            kind="labels.field",
        )
    return column


def _described(table: pd.DataFrame, values: int = 4) -> str:
    """Every column with some of its values."""
    parts = []
    for column in _attributes(table):
        held = list(dict.fromkeys(str(value)[:24] for value in table[column].dropna()))
        more = ", ..." if len(held) > values else ""
        parts.append(f"{column} ({', '.join(held[:values])}{more})")
    return "; ".join(parts) or "no column"


def _fitting(table: pd.DataFrame, label: str, taken: set[str]) -> str:
    """The one column of texts that has one value for each class and another for each other class; "" without one."""
    keys = table[label].dropna().astype(str)
    if keys.nunique() < 2 or keys.nunique() == len(keys):
        return ""
    fitting = []
    for column in _attributes(table):
        if column in taken or not pd.api.types.is_string_dtype(table[column]):
            continue
        texts = texts_of(table[column].loc[keys.index])
        pairs = pd.DataFrame({"key": keys, "text": texts}).drop_duplicates()
        if (
            not (texts == "").any()
            and pairs["key"].is_unique
            and pairs["text"].is_unique
            and not texts.str.isdigit().all()
        ):
            fitting.append(column)
    return fitting[0] if len(fitting) == 1 else ""


def texts_of(column: pd.Series) -> pd.Series:
    """The values as texts, "" where there is none.

    Spaces around them are taken away, several become one, and letters with accents are single characters: what looks the
    same is the same.
    """
    empty = [pd.api.types.is_scalar(value) and pd.isna(value) for value in column]  # GeoJSON may hold lists
    values = ["" if no else normalize("NFC", " ".join(str(v).split())) for no, v in zip(empty, column, strict=True)]
    return pd.Series(values, column.index, dtype=object)


def spellings(labels: pd.Series) -> list[list[str]]:
    """Classes that differ in capitals, accents, spaces and signs alone, the commonest spelling of each first."""
    counts = labels.dropna().value_counts()
    words = counts[[bool(re.search(r"[^\W\d_]", label)) for label in counts.index]]
    keys = [
        re.sub(r"[\W_]", "", re.sub(r"[\u0300-\u036f]", "", normalize("NFKD", text)).casefold()) for text in words.index
    ]
    groups = pd.Series(words.index, dtype=object).groupby(keys, sort=False)
    return [list(group) for _, group in groups if len(group) > 1]


def read_classes(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """The class of each row as text ("11", "0611", "Forest"), None where there is none; and which rows are unreadable.

    Numbers are whole: 3.0 is "3", and so is the text "3.0" in a column of numbers. Texts stay as they are, with their zeros
    ("0611" is not "611"), as soon as one value of the column is not written as a number is.
    """
    if pd.api.types.is_bool_dtype(column):
        column = column.astype(str)
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(float, na_value=np.nan)
        empty = np.isnan(values)
        with np.errstate(invalid="ignore"):
            wrong = ~empty & ((values % 1 != 0) | (np.abs(values) > 2**62))
        texts = pd.Series(None, column.index, dtype=object)
        texts[~empty & ~wrong] = [str(int(value)) for value in column[~empty & ~wrong]]
        return texts, pd.Series(wrong, column.index)
    texts = texts_of(column)
    texts[texts.str.lower().isin(ABSENT)] = None
    numbers = [WHOLE.fullmatch(text) for text in texts.dropna()]
    if all(numbers):
        texts[texts.notna()] = [match[1] for match in numbers if match]
    return texts, pd.Series(False, column.index)


def read_sets(column: pd.Series | None, index: pd.Index) -> tuple[pd.Series, pd.Series]:
    """ "pool" or "test" of each row, and which rows say something else; a column without any value is as no column."""
    texts = None if column is None else texts_of(column).str.lower()
    if texts is None or (texts == "").all():
        return pd.Series("pool", index), pd.Series(False, index)
    return texts.isin(TEST).map({True: "test", False: "pool"}), ~texts.isin((*POOL, *TEST))


def read_numbers(column: pd.Series | None, index: pd.Index) -> tuple[pd.Series, bool]:
    """A whole number for each row, and whether the file gave them; else rows are numbered from 1.

    Numbers that repeat are none: see `objects`.
    """
    given = pd.to_numeric(texts_of(column), errors="coerce") if column is not None else None
    if given is not None and given.is_unique and given.between(0, LARGEST_ID).all() and (given % 1 == 0).all():
        return given.astype(int), True
    return pd.Series(np.arange(1, len(index) + 1), index), False
