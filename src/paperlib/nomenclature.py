"""Land cover classes: packaged nomenclatures, nomenclatures in CSV files, and mappings from the codes of other products."""

import hashlib
import re
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
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


#: Value of class maps where there is no class.
NODATA_CLASS = 0

#: Packaged nomenclatures: the classes of CLC+ Backbone, with its two broad-leaved classes as one and without lichens and
#: snow (the default where a nomenclature is needed and none is named), and those of ESA WorldCover.
NOMENCLATURES = ("clcplus", "worldcover")

#: Packaged mappings to the codes of the nomenclature "clcplus": from CLC+ Backbone (2018 on), ESA WorldCover (2020, 2021)
#: and OSO of Theia (23 classes, 2018 on). Rows without a code are classes that have no counterpart.
MAPPINGS = ("clcplus", "worldcover", "oso")

#: Codes that maps can hold, if they are not above 255.
HELD = re.compile(r"[1-9]\d{0,2}")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def legend(codes: Iterable[int], classes: tuple[LandCover, ...] | None = None) -> tuple[LandCover, ...]:
    """The classes with these codes, in the order of `classes` (default: `CLASSES`), which is the class index order.

    Raises `InputError` for a code that `classes` does not have.
    """
    classes = CLASSES if classes is None else classes
    wanted = {int(code) for code in codes}
    unknown = sorted(wanted - {cover.code for cover in classes})
    if unknown:
        known = ", ".join(f"{cover.code} {cover.name}" for cover in classes)
        raise InputError(
            f"Unknown class codes {unknown}. Known codes: {known}.", "Recode the polygons to these.", kind="labels.code"
        )
    return tuple(cover for cover in classes if cover.code in wanted)


def colour_table(legend: tuple[LandCover, ...]) -> dict[int, tuple[int, int, int, int]]:
    """Colour table of a class map: class code -> (red, green, blue, alpha); nodata is transparent."""
    table = {NODATA_CLASS: (0, 0, 0, 0)}
    for cover in legend:
        table[cover.code] = (*bytes.fromhex(cover.colour.removeprefix("#")), 255)
    return table


def read_nomenclature(path: str | Path) -> tuple[LandCover, ...]:
    """Classes of one of `NOMENCLATURES` or of a CSV file with columns code, name and colour, in the order of the file.

    Codes are whole numbers from 1 to 255, colours are like #ff0000. Raises `InputError` for a file that is no such table;
    the message names the row that is wrong.
    """
    source = _packaged(f"{path}.csv") if str(path) in NOMENCLATURES else Path(path)
    table = _read_table(source, ("code", "name", "colour"))
    codes = _whole(table["code"], source, least=1)
    classes = zip(codes.tolist(), table["name"], table["colour"].str.lower(), strict=True)
    return check_nomenclature([LandCover(*row) for row in classes], path)


def check_nomenclature(classes: Sequence[LandCover], where: str | Path) -> tuple[LandCover, ...]:
    """Return the classes. Raises `InputError` for a code outside 1 to 255, a missing name or colour, and duplicates."""
    for code, name, colour, *_ in classes:
        if not 1 <= code <= 255:
            problem = f"{where}: class code {code}; codes from 1 to 255 are expected, as maps can hold."
            raise InputError(problem, kind="nomenclature.code")
        if not isinstance(name, str) or not name:
            raise InputError(f"{where}: class {code} has no name.", "Give it one.", kind="nomenclature.name")
        if not name.isprintable():
            problem = f"{where}: the name {name!r} of class {code} holds characters that cannot be printed."
            raise InputError(problem, "Remove them.", kind="nomenclature.name")
        if not isinstance(colour, str) or not COLOUR.fullmatch(colour):
            problem = f"{where}: colour {colour!r} of {name}; one like #ff0000 is expected."
            raise InputError(problem, kind="nomenclature.colour")
    for column, values in pd.DataFrame([cover[:2] for cover in classes], columns=["code", "name"]).items():
        duplicates = values[values.duplicated()].tolist()
        if duplicates:
            problem = f"{where}: {column} {duplicates[0]!r} comes twice; each class needs its own."
            raise InputError(problem, kind=f"nomenclature.{column}")
    return tuple(classes)


def read_classes(path: str | Path) -> tuple[LandCover, ...]:
    """Classes as a label file may have them: one of `NOMENCLATURES`, or a CSV file with columns code and name, and colour.

    Codes are any texts or numbers; those that maps cannot hold get small ones (see `map_codes`). Classes without a colour
    get one (see `made_colours`). Raises `InputError` for a file that is no such table.
    """
    source = _packaged(f"{path}.csv") if str(path) in NOMENCLATURES else Path(path)
    if not source.is_file():
        problem = f"No nomenclature {path}: neither one of {', '.join(NOMENCLATURES)} nor a file."
        raise InputError(problem, "Give one of these names or the path of a CSV file.", kind="nomenclature.file")
    table = _read_table(source, ("code", "name"), ("colour",))
    if (table["code"] == "").any():
        row = int((table["code"] == "").to_numpy().argmax()) + 2
        raise InputError(f"{path}: line {row} has no code.", "Give each class its code.", kind="nomenclature.code")
    colours, codes = made_colours(table["code"]), map_codes(table["code"])
    rows = zip(table["code"], table["name"], table["colour"].str.lower(), strict=True)
    classes = [own_class(code, codes[code], name, colour or colours[code]) for code, name, colour in rows]
    return check_nomenclature(classes, path)


def own_class(source: str, code: int, name: str, colour: str) -> LandCover:
    """A class with the code `source` in the user's file and `code` in maps."""
    return LandCover(code, name, colour, "" if source == str(code) else source)


def map_codes(sources: Iterable[str]) -> dict[str, int]:
    """Source code (text) -> code in maps. Those from 1 to 255 stay; all others get the smallest free ones, in order.

    Numbers come in ascending order before texts. Raises `InputError` for more than 255 classes.
    """
    ordered = sorted(set(sources), key=_rank)
    kept = {source: int(source) for source in ordered if HELD.fullmatch(source) and int(source) <= 255}
    free = iter(code for code in range(1, 256) if code not in set(kept.values()))
    if len(ordered) > 255:
        raise InputError(
            f"There are {len(ordered)} classes, like {', '.join(ordered[:3])}; maps hold up to 255.",
            "Choose another column with --field, or join classes.",
            kind="labels.classes",
        )
    return {source: kept[source] if source in kept else next(free) for source in ordered}


def _rank(source: str) -> tuple:
    return (0, int(source), "") if re.fullmatch(r"-?(0|[1-9]\d*)", source) else (1, 0, source)


def made_colours(sources: Iterable[str]) -> dict[str, str]:
    """Source code -> a colour of its own. The same class has the same colour in every file and run, with one exception.

    A code from 1 to 255 has its place in a list of 255 colours; each colour of this list is the one farthest from all before
    it (CIELAB, for normal, protan and deutan vision; Machado et al., 2009). The first 12 are at least 25 apart, the first
    64 at least 9. Other codes get one of the first 64 by their hash; where it is taken (the exception), the next.
    """
    palette = _palette()
    result: dict[str, str] = {}
    taken: set[int] = set()
    ordered = sorted(set(sources), key=lambda source: (not HELD.fullmatch(source), _rank(source)))
    for source in ordered:
        held = HELD.fullmatch(source) and int(source) <= len(palette)
        place = int(source) - 1 if held else int(hashlib.sha256(source.encode()).hexdigest(), 16) % 64
        while place in taken and len(taken) < len(palette):
            place = (place + 1) % len(palette)
        taken.add(place)
        result[source] = palette[place]
    return result


def recolour(legend: Sequence[LandCover], palette: str) -> tuple[LandCover, ...]:
    """A legend with the colours of a palette: "safe", those of `made_colours`, or "", its own.

    The paper's colours stand for what they show (greens for vegetation), and colour-blind readers confuse some of them.
    """
    if not palette:
        return tuple(legend)
    colours = made_colours(cover.own_code for cover in legend)
    return tuple(cover._replace(colour=colours[cover.own_code]) for cover in legend)


@cache
def _palette() -> tuple[str, ...]:
    return tuple(_read_table(_packaged("colours.csv"), ("colour",))["colour"])


def read_mapping(name: str | Path, legend: Sequence[LandCover] = ()) -> dict[int, int]:
    """Source code -> class code in maps, from one of `MAPPINGS` or a CSV file with columns source and code.

    A row without a code is a class of the source that is left out. With a legend, codes are those of its own file, texts and
    numbers of any size. Raises `InputError` for a file that is no such table, and for a code that the legend lacks.
    """
    path = _packaged("mappings", f"{name}.csv") if str(name) in MAPPINGS else Path(name)
    if not path.is_file():
        problem = f"No mapping table {name}: neither one of {', '.join(MAPPINGS)} nor a file."
        raise InputError(problem, "Give one of these names or the path of a CSV file.", kind="nomenclature.file")
    table = _read_table(path, ("source", "code"))
    table = table[table["code"] != ""]
    source, own = _whole(table["source"], path), {cover.own_code: cover.code for cover in legend}
    if unknown := [code for code in table["code"] if own and code not in own]:
        raise InputError(
            f"{path} leads to {', '.join(unknown[:5])}; the nomenclature has {', '.join(own)}.",
            "Correct the mapping, or give another --nomenclature.", kind="labels.mapping",
        )  # fmt: skip
    code = table["code"].map(own) if own else _whole(table["code"], path, least=1)
    duplicates = source[source.duplicated()].tolist()
    if duplicates or table.empty:
        fault = f"source {duplicates[0]} comes twice" if duplicates else "no row has a code"
        raise InputError(f"{path}: {fault}.", "Correct the table.", kind="nomenclature.mapping")
    return dict(zip(source.tolist(), code.tolist(), strict=True))


@cache
def _details() -> pd.DataFrame:
    """Columns short and vegetation by class name, of all packaged nomenclatures; "" where a class has none."""
    columns = ("name", "short", "vegetation")
    tables = [_read_table(_packaged(f"{name}.csv"), columns) for name in NOMENCLATURES]
    return pd.concat(tables).drop_duplicates("name").set_index("name")


def short_name(name: str) -> str:
    """Short form of a class name for narrow figures; the name itself where no packaged nomenclature has a short form."""
    details = _details()
    return details["short"].get(name, "") or name


def is_vegetation(name: str) -> bool:
    """Whether a packaged nomenclature marks the class as vegetation: near infrared reflectance exceeds red."""
    return bool(_details()["vegetation"].get(name, ""))


def _packaged(*parts: str) -> Traversable:
    return files("paperlib").joinpath("nomenclatures", *parts)


def _read_table(path: Path | Traversable, columns: Sequence[str], optional: Sequence[str] = ()) -> pd.DataFrame:
    """Columns of a CSV file as texts; the separator is a comma or, as some spreadsheets write it, a semicolon.

    `optional` columns are empty where the file lacks them.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        separator = ";" if ";" in text.partition("\n")[0] else ","
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # cells that would be left out
            table = pd.read_csv(StringIO(text), sep=separator, dtype=str, keep_default_na=False, index_col=False)
    except (OSError, ValueError, pd.errors.ParserWarning) as error:  # errors of pandas and of decoding are ValueErrors
        problem, fix = f"{path} cannot be read as a CSV file ({error}).", f"Give it the columns {', '.join(columns)}."
        raise InputError(problem, fix, kind="nomenclature.file") from error
    table.columns = [str(column).strip().lower().replace("color", "colour") for column in table.columns]
    absent = [column for column in columns if column not in table]
    if absent or table.empty:
        missing = f"no column {', '.join(absent)}" if absent else "no row"
        problem = f"{path} has {missing}; it has {', '.join(map(str, table.columns))}."
        fix = f"Expected: {', '.join(columns)}, then one line for each class."
        raise InputError(problem, fix, kind="nomenclature.file")
    table = table.reindex(columns=[*columns, *optional])
    return table.fillna("").apply(lambda column: column.str.strip())


def _whole(column: pd.Series, path: Path | Traversable, least: int = 0) -> pd.Series:
    """A column of texts as whole numbers: `least` to 255, or any from 0 on."""
    wrong = column[~column.str.fullmatch(r"\d{1,9}") | (pd.to_numeric(column, errors="coerce") < least)]
    if least:  # a class code, since class maps are uint8
        wrong = pd.concat([wrong, column[pd.to_numeric(column, errors="coerce") > 255]])
    if len(wrong):
        limits = f"from {least} to 255" if least else "of 0 or more"
        problem = f"{path}: {column.name} {wrong.iloc[0]!r}; a whole number {limits} is expected."
        raise InputError(problem, kind="nomenclature.code")
    return column.astype(int)


#: Classes of the nomenclature "clcplus".
CLASSES = read_nomenclature("clcplus")
