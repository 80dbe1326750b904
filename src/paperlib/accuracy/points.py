"""Interpreted points: the reference class of each sampled point, by its id, from the programs that people use.

Reads the points that `paperlib design` writes, filled in QGIS or a table, the exports of AcATaMa and Collect Earth
Online, and SEPAL's tables. Points are joined by id, never by their order.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path

import geopandas as gpd
import pandas as pd

from ..errors import InputError, InputWarning, counted

#: Names of the column of ids, in small letters, in the order in which they are looked for.
IDS = ("id", "plotid", "pl_id", "point_id")

#: Endings of files that are tables.
TABLES = (".csv", ".txt")

#: Columns of tables that hold the place of a point in degrees (WGS 84), x first: Collect Earth Online, SEPAL.
DEGREES = (("center_lon", "center_lat"), ("xcoordinate", "ycoordinate"), ("longitude", "latitude"))

#: Names of the column of reference classes that programs write: AcATaMa, its Shapefile, SEPAL.
ANSWERS = ("reference", "is labeled as", "is labeled", "ref_code", "label id", "label")

#: Columns of Collect Earth Online that hold no answer.
CEO = {
    "plotid", "sampleid", "sample_internal_id", "center_lon", "center_lat", "lon", "lat", "shape", "size_m",
    "sample_points", "email", "flagged", "flagged_reason", "confidence", "confidence_comment", "collection_time",
    "analysis_duration", "common_securewatch_date", "total_securewatch_dates", "sample_geom", "plot_geom",
}  # fmt: skip


def read_points(path: str | Path, field: str = "") -> pd.Series:
    """Reference class, as text, by id (index); points that nobody has labelled are left out.

    Parameters
    ----------
    path: a vector file or CSV.
    field: column of the reference class; empty: the one that the program that wrote the file uses.

    Raises `InputError` for a file without ids, an unknown column, an id that is no whole number, and for interpreters
    who contradict each other at a point.
    """
    table = _read(Path(path))
    columns = {column.strip().lower(): column for column in table}
    name = next((columns[name] for name in IDS if name in columns), None)
    if name is None:
        raise InputError(
            f"{path} has no column of point ids; it has {', '.join(map(str, table))}.",
            f"Name the ids of the design in a column called {IDS[0]}.",
            kind="points.id",
        )
    if {"email", "flagged"} <= set(columns):
        table = _collected(table, columns)
    answers = _answers(table, columns, field, path)
    ids = pd.to_numeric(table[name], errors="coerce")
    labelled = answers.notna() & (answers.astype(str).str.strip() != "")
    wrong = table[name][labelled & (ids.isna() | (ids % 1 != 0))]
    if len(wrong):
        raise InputError(
            f"{path} has labelled points with the ids {listed(wrong)}, which are no whole numbers.",
            "Keep the ids of the design.",
            kind="points.id",
        )
    found = pd.Series(answers[labelled].map(_text).to_numpy(), index=ids[labelled].astype(int), name="reference")
    return _one_answer(found, path)


def read_places(path: str | Path) -> gpd.GeoSeries | None:
    """Place of each point by id (index), of a vector file or of a CSV with columns in degrees; None where there is none.

    Rows without a number or a point are left out: `read_points` says what is wrong with a file.
    """
    path = Path(path)
    if path.suffix.lower() in TABLES:
        table = _read(path)
        columns = {column.strip().lower(): column for column in table}
        pair = next((pair for pair in DEGREES if set(pair) <= set(columns)), None)
        if pair is None:
            return None
        x, y = (pd.to_numeric(table[columns[name]], errors="coerce") for name in pair)
        places = gpd.GeoSeries(gpd.points_from_xy(x, y), crs=4326)
    else:
        table = gpd.read_file(path)
        if not isinstance(table, gpd.GeoDataFrame):
            return None
        columns, places = {column.strip().lower(): column for column in table}, table.geometry
    name = next((columns[name] for name in IDS if name in columns), None)
    if name is None:
        return None
    ids = pd.to_numeric(table[name], errors="coerce")
    points = (places.geom_type == "Point") & ~places.is_empty
    kept = (ids.notna() & (ids % 1 == 0)).to_numpy() & points.to_numpy()
    return places[kept].set_axis(ids[kept].astype(int))


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() in TABLES:
            table = pd.read_csv(path, dtype=str, encoding="utf-8-sig", sep=None, engine="python")
        else:
            table = pd.DataFrame(gpd.read_file(path).drop(columns="geometry", errors="ignore"))
    except Exception as error:  # of GDAL, pandas and the file system, on files that nobody thought of
        raise InputError(
            f"{path} cannot be read as points ({str(error).splitlines()[0].split('; It might help')[0]}).",
            "Give a vector file or a CSV with the columns id and reference.",
            kind="points.unreadable",
        ) from error
    return table.loc[:, ~table.columns.astype(str).str.startswith("Unnamed")]


def _collected(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Rows of Collect Earth Online that somebody answered and nobody flagged."""
    answered = table[columns["email"]].fillna("").astype(str).str.strip() != ""
    flagged = table[columns["flagged"]].astype(str).str.lower().isin(["true", "t", "1"])
    return table[answered & ~flagged]


def _answers(table: pd.DataFrame, columns: dict[str, str], field: str, path) -> pd.Series:
    shares = {column: column.partition(":")[2] for column in table if ":" in str(column)}
    if field:
        if field.lower() in columns:
            return table[columns[field.lower()]]
        shares = {column: answer for column, answer in shares.items() if column.partition(":")[0] == field}
        if not shares:
            raise InputError(
                f"{path} has no column {field!r}; it has {', '.join(map(str, table))}.",
                "Choose one of them with --field.",
                kind="points.field",
            )
    elif known := [columns[name] for name in ANSWERS if name in columns]:
        return table[known[0]]
    if shares:
        return _largest_share(table, shares, path)
    questions = [
        column for name, column in columns.items() if name not in CEO and not name.startswith(("pl_", "smpl_"))
    ]
    if {"email", "flagged"} <= set(columns) and len(questions) == 1:
        return table[questions[0]]
    raise InputError(
        f"{path} has no column {' or '.join(ANSWERS)}; it has {', '.join(map(str, table))}.",
        "Choose the column of the reference class with --field.",
        kind="points.field",
    )


def _largest_share(table: pd.DataFrame, shares: dict[str, str], path) -> pd.Series:
    """The answer with the largest share of a plot; columns are called `question:answer`."""
    if len({column.partition(":")[0] for column in shares}) > 1:
        raise InputError(
            f"{path} has answers to several questions: {', '.join(sorted({c.partition(':')[0] for c in shares}))}.",
            "Choose one of them with --field.",
            kind="points.field",
        )
    values = table[list(shares)].apply(pd.to_numeric, errors="coerce").fillna(0)
    best = values.max(axis=1)
    tied = (values.eq(best, axis=0).sum(axis=1) > 1) & (best > 0)
    answers = values.idxmax(axis=1).map(shares)
    return answers.where((best > 0) & ~tied)


def _text(value) -> str:
    """A class as text; 3.0 of a column of numbers with gaps is 3."""
    return str(int(value)) if isinstance(value, float) and value == int(value) else str(value).strip()


def _one_answer(found: pd.Series, path) -> pd.Series:
    """One answer a point, where all of its interpreters agree."""
    several = found.groupby(level=0).nunique()
    contradictory = several.index[several > 1]
    if len(contradictory):
        raise InputError(
            f"Interpreters contradict each other in {path} at the points with id {listed(contradictory)}.",
            "Settle them, and leave one row a point.",
            kind="points.contradictory",
        )
    again = found.index.duplicated()
    if again.any():
        warnings.warn(
            InputWarning(
                f"{counted(again.sum(), f'row of {path} repeats', f'rows of {path} repeat')} a point with the same answer "
                f"(id {listed(found.index[again].unique())}).",
                "Nothing: each point counts once.", kind="points.repeated",
            ),
            stacklevel=3,
        )  # fmt: skip
    return found[~again].sort_index()


def listed(values: Iterable, most: int = 20) -> str:
    """Values as text for a message, some of many."""
    texts = [str(value) for value in values]
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")
