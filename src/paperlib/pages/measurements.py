"""What the scripts in benchmarks/ measured, as they kept it: tables with the machine and commit they were taken on."""

import pandas as pd

from ..errors import InputError
from ..store import project

#: Columns that say where and when.
FACTS = ("machine", "commit", "torch", "numpy", "xarray", "rasterio", "geopandas", "scikit-learn")


def read_measurements(name: str) -> pd.DataFrame:
    """The table of benchmarks/results/NAME.csv. Those of `FACTS` that all its rows share are in its attrs instead;
    the others stand beside the first column, which says what was measured, where they are seen.

    Raises `InputError` where it has not been measured, and for a file that is no such table.
    """
    path = project() / "benchmarks" / "results" / f"{name}.csv"
    if not path.is_file():
        held = ", ".join(sorted(file.stem for file in path.parent.glob("*.csv"))) or "nothing"
        raise InputError(f"No measurement {name!r} in {path.parent}; it holds {held}. Run its script in benchmarks/.")
    try:
        table = pd.read_csv(path, dtype={"repeats": "Int64"})  # whole, also where a row lacks them
    except (OSError, ValueError) as error:  # those of pandas and of decoding are ValueErrors
        raise InputError(
            f"{path} cannot be read as a CSV file ({error}). Run its script in benchmarks/ again."
        ) from error
    if table.empty or "commit" not in table:
        raise InputError(f"{path} has no row, or does not say of which commit it is. Run its script again.")
    shared = [fact for fact in FACTS if fact in table and table[fact].nunique(dropna=False) == 1]
    facts = {fact: str(table[fact].iloc[0]) for fact in shared}
    first = [table.columns[0], *(fact for fact in FACTS if fact in table and fact not in shared)]
    table = table[first + [column for column in table if column not in first + shared]]
    table.attrs = facts
    return table


def caption(table: pd.DataFrame) -> str:
    """Machine, torch and commit of a recorded table, or where in it they are."""
    facts = {
        fact: table.attrs.get(fact, "by row" if fact in table else "not said")
        for fact in ("machine", "torch", "commit")
    }
    return f"{facts['machine']}; torch {facts['torch']}; commit {facts['commit']}"
