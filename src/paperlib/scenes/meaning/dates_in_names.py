"""Dates in the names of files, folders and layers, as agencies and people write them."""

import re
import warnings
from collections.abc import Iterable

import pandas as pd

from ...errors import InputWarning

#: A day: 20180515, 2018-05-15.
DAY = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<s>[-_.]?)(?P<m>\d\d)(?P=s)(?P<d>\d\d)(?!\d)")
#: A year and the day of the year, as NASA has it: 2018135, doy2018135, doy2018135000000.
DAY_OF_YEAR = re.compile(r"(?<!\d)(?i:doy)?(?P<y>(?:19|20)\d\d)(?P<n>\d{3})(?:\d{6})?(?!\d)")
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
#: A month by name: 15May2018, 15-May-2018, May_2018, 2018May15.
NAMED = re.compile(
    rf"(?<![a-z\d])(?:(?P<d>\d{{1,2}})[-_. ]?)?(?P<b>{_MONTHS})[a-z]*[-_. ]?(?P<y>(?:19|20)\d\d)(?!\d)", re.IGNORECASE
)
NAMED_LAST = re.compile(
    rf"(?<!\d)(?P<y>(?:19|20)\d\d)[-_. ]?(?P<b>{_MONTHS})[a-z]*(?:[-_. ]?(?P<d>\d{{1,2}}))?(?![a-z\d])", re.IGNORECASE
)
#: Day, month, year; month, day, year is not read.
DAY_FIRST = re.compile(r"(?<!\d)(?P<d>\d\d)(?P<s>[-_./]?)(?P<m>\d\d)(?P=s)(?P<y>(?:19|20)\d\d)(?!\d)")
#: A month: 2018-05, and where there is nothing else 201805.
MONTH = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)[-_.](?P<m>\d\d)(?![\d])")
MONTH_ALONE = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?!\d)")
#: Folders of a year, a month and a day within each other: 2018/5/15.
NESTED = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)/(?P<m>\d{1,2})(?:/(?P<d>\d{1,2}))?(?!\d)")


def find_dates(text: str) -> tuple[list[pd.Timestamp], str]:
    """Dates in a text, whole days before months, and the text without them."""
    for pattern in (DAY, DAY_OF_YEAR, NAMED, NAMED_LAST, DAY_FIRST, MONTH, MONTH_ALONE, NESTED):
        found = [(match, _day(match)) for match in pattern.finditer(text)]
        days = [day for _, day in found if day is not None]
        if days:
            for match, day in reversed(found):
                if day is not None:
                    text = text[: match.start()] + "_" + text[match.end() :]
            return days, text
    return [], text


def _day(match: re.Match) -> pd.Timestamp | None:
    parts = match.groupdict()
    try:
        if "n" in parts:
            day = pd.Timestamp(int(parts["y"]), 1, 1) + pd.Timedelta(days=int(parts["n"]) - 1)
            return day if day.year == int(parts["y"]) and int(parts["n"]) else None
        month = _MONTHS.split("|").index(parts["b"].lower()) + 1 if "b" in parts else int(parts["m"])
        return pd.Timestamp(int(parts["y"]), month, int(parts.get("d") or 1))
    except ValueError:
        return None


def warn_of_day_first(texts: Iterable[str], where: str) -> None:
    """Warn where dates were read as day, month, year, which some write as month, day, year."""
    plain = [
        text for text in texts if not any(map(_day, DAY.finditer(text))) and any(map(_day, DAY_FIRST.finditer(text)))
    ]
    days = [int(match["d"]) for text in plain for match in DAY_FIRST.finditer(text)]
    if days and max(days) <= 12:
        problem = f"{where}: dates as in {plain[0]!r} are taken for day, month, year."
        fix = "If the month comes first, rename them to dates like 2018-08-15."
        warnings.warn(InputWarning(problem, fix, kind="scene.dates"), stacklevel=3)
