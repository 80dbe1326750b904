"""Dates of a series, as people and files write them."""

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from .errors import InputError

DATE = re.compile(r"(\d{4}-\d{2}-\d{2}|\d{8})(?!\d)")


def parse_dates(values: Iterable, where: str | Path) -> pd.DatetimeIndex:
    """Days of ISO or YYYYMMDD texts or date-like values, in the order given; `where` is for the messages.

    Raises `InputError` for what is no date, for a day that comes twice, and for no date at all.
    """
    texts = [str(value).strip() for value in values]
    wrong = [text for text in texts if not DATE.match(text)]
    try:
        days = pd.DatetimeIndex([pd.Timestamp(text[:10] if "-" in text else text[:8]) for text in texts if not wrong])
    except ValueError:
        wrong = texts
    if wrong or not texts:
        found = f"{wrong[0]!r}" if len(wrong) == 1 else ", ".join(map(repr, wrong[:5])) or "none"
        raise InputError(f"Dates of {where}: {found} found, dates like 2018-08-15 or 20180815 are expected.")
    twice = days[days.duplicated()]
    if len(twice):
        raise InputError(f"Dates of {where}: {twice[0]:%Y-%m-%d} comes twice; each date may come once.")
    return days


def select_dates(held: pd.DatetimeIndex, asked: Iterable | None, where: str | Path) -> list[int]:
    """Indices into `held` of the dates asked for (None: all), in time order. Raises `InputError` for an absent one."""
    wanted = held if asked is None else parse_dates(asked, "argument dates")
    absent = wanted.difference(held)
    if len(absent):
        listed = ", ".join(f"{day:%Y-%m-%d}" for day in held.sort_values())
        raise InputError(f"{where} has no date {absent[0]:%Y-%m-%d}; it has {listed}.")
    return [int(index) for index in held.get_indexer(wanted.sort_values())]
