"""Labels of other years than the images: what was seen then may not be there any more."""

import re

import pandas as pd

from ..errors import Finding, counted
from ..labels.rows import rows_text

#: Columns of the first and the last day for which a row holds, as in tables of sits, and of its year; by letters alone.
STARTS, ENDS = ("startdate", "datestart", "validfrom", "begin"), ("enddate", "dateend", "validto", "end")
YEARS = ("year", "annee", "jahr", "campagne", "surveyyear", "cropyear", "refyear", "referenceyear")


def other_times(table: pd.DataFrame, days: pd.DatetimeIndex, place: str) -> list[Finding]:
    """A finding where rows of a label table say that they are of a time without images; `days` are those of the scene.

    Rows whose time cannot be read, and tables without such columns, give none.
    """
    known = {re.sub(r"[^a-z]", "", str(name).lower()): name for name in table.columns}
    start, end = (next((known[name] for name in names if name in known), None) for names in (STARTS, ENDS))
    year = next((known[name] for name in YEARS if name in known), None)
    if start is not None and end is not None:
        first, last = (pd.to_datetime(table[name], errors="coerce", format="mixed", utc=True) for name in (start, end))
        first, last = (column.dt.tz_localize(None) for column in (first, last))
        column = f"{start} and {end}"
    elif year is not None:
        years = pd.to_numeric(table[year], errors="coerce")
        years = years.where(years.between(1970, 2100))
        first = pd.to_datetime(years.astype("Int64").astype(str) + "-01-01", errors="coerce")
        last, column = first + pd.DateOffset(years=1, days=-1), str(year)
    else:
        return []
    wrong = ((last < days.min()) | (first > days.max())).to_numpy()
    if not wrong.any():
        return []
    rows = f"of {len(table)} rows"
    value = counted(wrong.sum(), f"{rows} is", f"{rows} are") + f" of another time than the images, by {column}: "
    value += f"{first[wrong].min():%Y-%m-%d} to {last[wrong].max():%Y-%m-%d}; the images are of "
    value += f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}"
    fix = "Take these rows away, unless the same still stands there."
    rows = rows_text((wrong.nonzero()[0] + 1).tolist(), numbered=False)
    return [Finding("warning", "label dates", value, f"{place}, {rows}", fix, "labels.time")]
