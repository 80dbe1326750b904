"""Rows of a label file that are still in use, what was found in the others, and how a message names them."""

from collections.abc import Iterable
from pathlib import Path

import geopandas as gpd
import pandas as pd

from ..errors import Finding
from .formats import columns

#: So many rows are named in a message.
NAMED = 30


class Rows:
    """The rows of a table that are still in use, and what was found in the others."""

    def __init__(self, table: gpd.GeoDataFrame, chosen: columns.Columns, path: Path):
        self.table, self.path, self.total = table, path, len(table)
        self.crs, self.shapes = table.crs, table.geometry
        self.numbered = columns.read_numbers(table["number"] if chosen.number else None, table.index)[1]
        self.findings: list[Finding] = []

    def add(self, level: str, subject: str, value: str, place: str, fix: str, kind: str) -> None:
        """Note a fault."""
        self.findings.append(Finding(level, subject, value, place, fix, f"labels.{kind}"))

    def drop(self, wrong: pd.Series, subject: str, value: str, fix: str, kind: str, level: str = "error") -> None:
        """Leave rows out. A warning becomes an error where half of the rows or more are left out by then."""
        wrong = wrong.reindex(self.table.index, fill_value=False)
        if not wrong.any():
            return
        if level == "warning" and 2 * (self.total - len(self.table) + wrong.sum()) >= self.total:
            level = "error"
        left = "; they are left out" if level == "warning" else ""
        self.add(level, subject, f"{wrong.sum()} of {self.total} {value}{left}", self.place(wrong), fix, kind)
        self.table = self.table[~wrong]

    def place(self, chosen: pd.Series) -> str:
        """Which rows of the table are `chosen`."""
        return rows_text(self.table["polygon_id"][chosen], self.numbered)


def rows_text(numbers: Iterable, numbered: bool = True) -> str:
    """Where rows are: by their numbers, or by their place where the file does not number them."""
    numbers = list(numbers)
    more = f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
    return f"{'polygon_id' if numbered else 'row'} {', '.join(map(str, numbers[:NAMED]))}{more}"
