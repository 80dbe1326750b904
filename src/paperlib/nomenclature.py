"""Classes of land cover, at hand or read from files, and tables from the codes of other products to them."""

import re
import warnings
from collections.abc import Sequence
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from .errors import InputError


class LandCover(NamedTuple):
    """One class of a legend.

    `code` is its number in maps (1 to 255), `colour` is like "#ff0000". `source` is the code in the user's file where
    maps cannot hold that code (a text, 0, a number above 255); empty where it equals `code`.
    """

    code: int
    name: str
    colour: str
    source: str = ""

    @property
    def own_code(self) -> str:
        """The code as the user's file has it."""
        return self.source or str(self.code)


#: Table 2, in the paper's order. The colours are those of CLC+ Backbone where the class exists there; section 3.6
#: names two of them (Built up in red, Non-vegetated in grey).
CLASSES = (
    LandCover(1, "Built up", "#ff0000"),
    LandCover(2, "Woodland needle-leaved trees", "#228b22"),
    LandCover(3, "Woodland broad-leaved trees", "#80ff00"),
    LandCover(5, "Shrubland", "#804000"),
    LandCover(6, "Permanent herbaceous land", "#ccf24e"),
    LandCover(7, "Periodically herbaceous land", "#fedf60"),
    LandCover(10, "Non-vegetated land", "#9c9c9c"),
    LandCover(11, "Water", "#0080ff"),
)

#: In class maps: no class.
NODATA_CLASS = 0


def legend(codes, classes: tuple[LandCover, ...] = CLASSES) -> tuple[LandCover, ...]:
    """The classes with these codes, in the order of `classes` (Table 2): the index order used inside the library.

    Raises `InputError` for a code that the nomenclature does not have.
    """
    wanted = {int(code) for code in codes}
    unknown = sorted(wanted - {cover.code for cover in classes})
    if unknown:
        known = ", ".join(f"{cover.code} {cover.name}" for cover in classes)
        raise InputError(f"Unknown class codes {unknown}. Known codes: {known}. Recode the polygons to these.")
    return tuple(cover for cover in classes if cover.code in wanted)


def colour_table(legend: tuple[LandCover, ...]) -> dict[int, tuple[int, int, int, int]]:
    """Colour table of a class map: class code -> (red, green, blue, alpha); nodata is transparent."""
    table = {NODATA_CLASS: (0, 0, 0, 0)}
    for cover in legend:
        table[cover.code] = (*bytes.fromhex(cover.colour.removeprefix("#")), 255)
    return table


#: Mapping tables of the package, to the classes of the paper: CLC+ Backbone (2018 on), ESA WorldCover (2020, 2021) and
#: OSO of Theia (23 classes, 2018 on). Rows without a code are classes that have no counterpart in the paper.
MAPPINGS = ("clcplus", "worldcover", "oso")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def read_nomenclature(path: str | Path) -> tuple[LandCover, ...]:
    """Classes of a CSV file with columns code (1 to 255), name and colour (like #ff0000), in the order of the file.

    Raises `InputError` for a file that is no such table, and names the row that is wrong.
    """
    table = _read_table(Path(path), ("code", "name", "colour"))
    codes = _whole(table["code"], path, least=1)
    classes = zip(codes.tolist(), table["name"], table["colour"].str.lower(), strict=True)
    return check_nomenclature([LandCover(*row) for row in classes], path)


def check_nomenclature(classes: Sequence[LandCover], where: str | Path) -> tuple[LandCover, ...]:
    """The classes as they are. Raises `InputError` for a code outside 1 to 255, no name, no colour, or one given twice."""
    for code, name, colour, *_ in classes:
        if not 1 <= code <= 255:
            raise InputError(f"{where}: class code {code}; codes from 1 to 255 are expected, as maps can hold.")
        if not isinstance(name, str) or not name:
            raise InputError(f"{where}: class {code} has no name. Give it one.")
        if not name.isprintable():
            raise InputError(f"{where}: the name {name!r} of class {code} holds characters that cannot be printed.")
        if not isinstance(colour, str) or not COLOUR.fullmatch(colour):
            raise InputError(f"{where}: colour {colour!r} of {name}; one like #ff0000 is expected.")
    for what, values in (("code", [cover.code for cover in classes]), ("name", [cover.name for cover in classes])):
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            raise InputError(f"{where}: {what} {twice[0]!r} comes twice; each class needs its own.")
    return tuple(classes)


def read_mapping(name: str | Path) -> dict[int, int]:
    """Source code -> class code, of a table of `MAPPINGS` or of a CSV file with columns source and code.

    A row without a code is a class of the source that is left out. Raises `InputError` for what is no such table.
    """
    path = files("paperlib") / "nomenclatures" / f"{name}.csv" if str(name) in MAPPINGS else Path(name)
    if not path.is_file():
        raise InputError(f"No mapping table {name}: neither one of {', '.join(MAPPINGS)} nor a file.")
    table = _read_table(path, ("source", "code"))
    table = table[table["code"] != ""]
    source, code = _whole(table["source"], path), _whole(table["code"], path, least=1)
    twice = source[source.duplicated()].tolist()
    if twice or table.empty:
        raise InputError(
            f"{path}: {f'source {twice[0]} comes twice' if twice else 'no row has a code'}. Mend the table."
        )
    return dict(zip(source.tolist(), code.tolist(), strict=True))


def _read_table(path, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of a CSV file as texts; its separator is a comma or, as spreadsheets may write it, a semicolon."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        separator = ";" if ";" in text.partition("\n")[0] else ","
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # cells that would be left out
            table = pd.read_csv(StringIO(text), sep=separator, dtype=str, keep_default_na=False, index_col=False)
    except (OSError, ValueError, pd.errors.ParserWarning) as error:  # those of pandas and of decoding are ValueErrors
        raise InputError(f"{path} cannot be read as a CSV file ({error}). Columns {', '.join(columns)} do.") from error
    absent = [column for column in columns if column not in table]
    if absent or table.empty:
        lacking = f"no column {', '.join(absent)}" if absent else "no row"
        found = ", ".join(map(str, table.columns))
        raise InputError(f"{path} has {lacking}; it has {found}. Expected: {', '.join(columns)}, then a line a class.")
    return table[list(columns)].fillna("").apply(lambda column: column.str.strip())


def _whole(column: pd.Series, path, least: int = 0) -> pd.Series:
    wrong = column[~column.str.fullmatch(r"\d{1,9}") | (pd.to_numeric(column, errors="coerce") < least)]
    if least:  # a code of class maps, which are uint8
        wrong = pd.concat([wrong, column[pd.to_numeric(column, errors="coerce") > 255]])
    if len(wrong):
        limits = f"from {least} to 255" if least else "of 0 or more"
        raise InputError(f"{path}: {column.name} {wrong.iloc[0]!r}; a whole number {limits} is expected.")
    return column.astype(int)
