"""Measurements kept by the scripts in benchmarks/: tables with the machine and the commit of each row."""

import pandas as pd

from ..errors import InputError
from ..store import asked, project

#: Columns that describe machine, code and libraries.
FACTS = ("machine", "commit", "torch", "numpy", "xarray", "rasterio", "geopandas", "scikit-learn")


def read_measurements(name: str) -> pd.DataFrame:
    """The table of benchmarks/results/NAME.csv.

    Columns of `FACTS` whose value all rows share become `attrs` of the table; the others are moved beside the first column.
    Raises `InputError` for a measurement that does not exist and for a file that is no such table.
    """
    path = project() / "benchmarks" / "results" / f"{name}.csv"
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in path.parent.glob("*.csv"))) or "nothing"
        raise InputError(
            f"No measurement {name!r} in {path.parent}; it holds {names}.", "Run its script in benchmarks/.",
            kind="measurements",
        )  # fmt: skip
    asked.append(path)
    try:
        table = pd.read_csv(path, dtype={"repeats": "Int64"})  # whole numbers, also where a row has none
    except (OSError, ValueError) as error:  # errors of pandas and of decoding are ValueErrors
        raise InputError(
            f"{path} cannot be read as a CSV file ({error}).",
            "Run its script in benchmarks/ again.",
            kind="measurements",
        ) from error
    if table.empty or "commit" not in table:
        raise InputError(f"{path} has no row or no column commit.", "Run its script again.", kind="measurements")
    shared = [fact for fact in FACTS if fact in table and table[fact].nunique(dropna=False) == 1]
    facts = {fact: str(table[fact].iloc[0]) for fact in shared}
    first = [table.columns[0], *(fact for fact in FACTS if fact in table and fact not in shared)]
    table = table[first + [column for column in table if column not in first + shared]]
    table.attrs = facts
    return table


def caption(table: pd.DataFrame) -> str:
    """Machine, torch and commit of a table of measurements; "several" where rows differ."""
    facts = {
        fact: table.attrs.get(fact, "several" if fact in table else "unknown")
        for fact in ("machine", "torch", "commit")
    }
    machine = "several machines" if facts["machine"] == "several" else facts["machine"]
    commit = "several commits" if facts["commit"] == "several" else f"commit {facts['commit']}"
    return f"{machine}; torch {facts['torch']}; {commit}"
