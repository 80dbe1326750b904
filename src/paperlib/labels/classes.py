"""The legend: which classes a label file has, with their codes in maps, names and colours."""

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from ..errors import InputError
from ..nomenclature import (
    NOMENCLATURES,
    LandCover,
    check_nomenclature,
    made_colours,
    map_codes,
    own_class,
    read_classes,
    read_nomenclature,
)

#: A code that is a number; "0611" is a text.
NUMBER = r"-?(0|[1-9]\d*)"


@dataclass(frozen=True)
class Legend:
    """The classes of a label file, by the code that the file has, and where their names come from."""

    classes: dict[str, LandCover]
    origin: str


def classes_file(path: Path) -> Path:
    """Where the table of its own classes lies beside a label file: NAME.classes.csv beside NAME.gpkg."""
    return path.with_suffix(".classes.csv")


def choose_legend(rows: pd.DataFrame, path: Path, nomenclature: str = "") -> Legend:
    """The classes of labelled rows; codes that a given nomenclature does not have are not in it.

    Parameters
    ----------
    rows: columns label (the file's code as text), and name and colour (texts, empty where the file has none).
    path: the label file.
    nomenclature: a packaged one or a CSV file, where the user asked for one.

    A nomenclature that is asked for counts first, then the table beside the file, then names and colours in its columns.
    A file with names alone gets the colours of a packaged nomenclature if that has all of its names, and made ones
    otherwise. Codes alone never choose a nomenclature: 1 may be anything.
    Raises `InputError` where names or colours contradict each other.
    """
    if nomenclature or classes_file(path).is_file():
        where = nomenclature or classes_file(path)
        given = read_classes(where)
        classes = {cover.own_code: cover for cover in given}
        by_name = {cover.name.casefold(): cover for cover in given}
        labels = rows["label"].unique()
        if nomenclature and not set(labels) & set(classes):  # the file has names instead of codes
            classes = {label: by_name[label.casefold()] for label in labels if label.casefold() in by_name}
        return Legend({label: classes[label] for label in labels if label in classes}, str(where))
    for part in ("name", "colour"):  # a row without it is of the class all the same
        filled = rows[part].mask(rows[part] == "").groupby(rows["label"]).transform("first").fillna("")
        rows = rows.assign(**{part: rows[part].mask(rows[part] == "", filled)})
    table = rows.drop_duplicates(["label", "name", "colour"])
    repeated = table[table["label"].duplicated()]
    if len(repeated):
        label = repeated["label"].iloc[0]
        texts = table.loc[table["label"] == label, ["name", "colour"]].apply(" ".join, axis=1)
        raise InputError(
            f"class {label} has several names or colours: {', '.join(text.strip() for text in texts)}",
            f"Give each code one name and one colour, choose another column with --name-field, or write a table "
            f"{classes_file(path).name} with columns code, name, colour.",
            kind="labels.classes",
        )
    if table["name"].eq("").all() and not table["label"].str.fullmatch(NUMBER).all():
        table = table.assign(name=table["label"])
    known = _agreeing(table)
    codes, colours = map_codes(table["label"]), made_colours(table["label"])
    if known:
        colours = {
            label: known[name.casefold()].colour for label, name in zip(table["label"], table["name"], strict=True)
        }
    names = table.assign(name=table["name"].where(table["name"] != "", "class " + table["label"]))
    names.loc[names["name"].duplicated(keep=False), "name"] += " (" + names["label"] + ")"
    classes = {
        row.label: own_class(row.label, codes[row.label], row.name_, row.colour or colours[row.label])
        for row in names.rename(columns={"name": "name_"}).itertuples(index=False)
    }
    check_nomenclature(list(classes.values()), path)
    return Legend(classes, str(path))


def _agreeing(table: pd.DataFrame) -> dict[str, LandCover]:
    """Classes by name of the packaged nomenclature that has all names of a file; none where there is no such one."""
    for nomenclature in NOMENCLATURES:
        known = {cover.name.casefold(): cover for cover in read_nomenclature(nomenclature)}
        if set(table["name"].str.casefold()) <= set(known):
            return known
    return {}


def legend_of(polygons: gpd.GeoDataFrame) -> tuple[LandCover, ...]:
    """The classes of polygons in ascending order of their codes, which is the order of class indices.

    `polygons` has columns code and class_name, and colour and source where they are known, as `load_polygons` returns it.
    """
    table = polygons.drop_duplicates("code").sort_values("code")
    if "colour" not in table:
        legend = choose_legend(
            pd.DataFrame({"label": table["code"].astype(str), "name": table["class_name"], "colour": ""}),
            Path("polygons"),
        )
        return tuple(legend.classes[str(code)] for code in table["code"])
    source = table["source"] if "source" in table else [""] * len(table)
    rows = zip(table["code"].tolist(), table["class_name"], table["colour"], source, strict=True)
    return tuple(LandCover(*row) for row in rows)


def class_title(cover: LandCover) -> str:
    """A class in messages: "class 7 Wheat", but "class 7" or "class Wheat" where code and name say the same."""
    same = cover.name in (cover.own_code, f"class {cover.own_code}")
    return f"class {cover.own_code}" if same else f"class {cover.own_code} {cover.name}"


def legend_table(legend: tuple[LandCover, ...], polygons: gpd.GeoDataFrame | None = None) -> str:
    """The legend as text for a terminal: code in maps, code in the file, name, colour, and how many polygons there are."""
    counts = {} if polygons is None else polygons["code"].value_counts().to_dict()
    rows = [("in maps", "in the file", "labels", "colour", "class")]
    rows += [
        (str(cover.code), cover.own_code, str(counts.get(cover.code, "")), cover.colour, cover.name) for cover in legend
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
