"""Dates of a series, as people and files write them."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from ...errors import InputError

#: A day, and maybe a time of that day as numpy, pandas or a metadata file writes it.
DATE = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8})(?:[T ][0-9]{2}:?[0-9]{2}[0-9:.]*(?:Z|[+-][0-9:]{2,6})?|\.0)?"
)


def parse_dates(values: Iterable, where: str | Path, several: bool = False) -> pd.DatetimeIndex:
    """Days of ISO or YYYYMMDD texts or date-like values, in the order given; `where` is for the messages.

    Raises `InputError` for what is no date, for a day that comes twice (unless `several` may), and for no date at all.
    """
    texts = [str(value).strip() for value in values]
    matches = [DATE.fullmatch(text) for text in texts]
    wrong = [text for text, match in zip(texts, matches, strict=True) if not match]
    try:
        days = pd.DatetimeIndex([pd.Timestamp(match["day"]) for match in matches if match and not wrong]).as_unit("ns")
    except ValueError:
        wrong = texts
    if wrong or not texts:
        found = ", ".join(repr(text[:40]) for text in wrong[:5]) or "there are none"
        fix = "Dates like 2018-08-15 or 20180815 are expected."
        raise InputError(f"Dates of {where} cannot be read: {found}.", fix, kind="scene.dates")
    twice = days[days.duplicated()]
    if len(twice) and not several:
        raise InputError(
            f"Dates of {where}: {twice[0]:%Y-%m-%d} comes twice.", "Each date may come once.", kind="scene.dates"
        )
    return days


def dates_among(days: pd.DatetimeIndex, text: str) -> np.ndarray:
    """Which of the days (day,) a text names: days and ranges like "2022-01-25..", "..2022", "2018-03..2018-05", with commas.

    Raises `InputError` for a text that is none.
    """
    found = np.zeros(len(days), bool)
    for part in text.split(","):
        first, dots, last = (side.strip() for side in part.partition(".."))
        last = last if dots else first
        try:
            start = pd.Period(first).start_time if first else pd.Timestamp.min
            end = pd.Period(last).end_time if last else pd.Timestamp.max
            if not first and not last:
                raise ValueError("nothing is named")
        except ValueError as error:
            raise InputError(
                f"{part.strip()!r} names no dates.", "Give dates like 2018-08-15, or ranges like 2022-01-25.. or ..2021.",
                kind="settings.scene.offset_dates",
            ) from error  # fmt: skip
        found |= np.asarray((days >= start) & (days <= end))
    return found


def select_dates(held: pd.DatetimeIndex, asked: Iterable | None, where: str | Path) -> list[int]:
    """Indices into `held` of the dates asked for (None: all), in time order. Raises `InputError` for an absent one."""
    wanted = held if asked is None else parse_dates(asked, "argument dates")
    absent = wanted.difference(held)
    if len(absent):
        listed = ", ".join(f"{day:%Y-%m-%d}" for day in held.sort_values())
        raise InputError(
            f"{where} has no date {absent[0]:%Y-%m-%d}; it has {listed}.", "Choose among them.", kind="scene.dates"
        )
    return [int(index) for index in held.get_indexer(wanted.sort_values())]
