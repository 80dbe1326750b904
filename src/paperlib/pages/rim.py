"""Tables of benchmarks/rim.py on the page of maps: what is lost at the end of a scene and where data are missing."""

import pandas as pd

from ..reproduction.paper import MODELS

#: Cases in which neighbours are missing, and in which dates are.
NEIGHBOURS = ("border of the scene", "border of a part", "strip without data", "strip, same pixels")
DATES = ("first date missing", "a middle date missing", "last date missing", "all dates but one missing")


def rim_table(measured: pd.DataFrame, cases: tuple[str, ...], value: str = "right") -> pd.DataFrame:
    """Differences of a value, "right" (share of pixels with their true class) or "confidence", by classifier and case.

    `measured` is a table as `read_measurements` returns it. Classifiers are in the order of Table 4.
    """
    table = measured.pivot_table(index="classifier", columns="case", values=f"{value}, difference", sort=False)
    order = sorted(table.index, key=lambda name: MODELS.index(name) if name in MODELS else len(MODELS))
    return table.loc[order, [case for case in cases if case in table]].rename_axis(columns=None)


def worst(measured: pd.DataFrame, case: str) -> float:
    """The largest loss of share right over classifiers in a case, as a negative number."""
    return float(measured.loc[measured["case"] == case, "right, difference"].min())
