"""Days of the year, and whether a series covers the season of another one.

Dates of two years are compared as days of a year of 365 days, in which 29 February lies half a day after 28 February: the
same calendar date is the same day in every year. Days count from 1 January of the first date's year and may pass 365, so
that a season may cross the new year.
"""

from datetime import date, timedelta

import numpy as np
import xarray as xr

from ..errors import Finding

#: Days of a year without 29 February, and the day on which a leap year begins to lag behind, 28 February.
YEAR, LEAP = 365, 58
#: Days by which a series may begin later or end earlier than the season, and which may lie between a day of the season
#: and the nearest date: half of the step of monthly syntheses.
TOLERANCE = 15.0
#: So many missing days are named in a message.
NAMED = 4


def days_since(scene: xr.DataArray, origin: np.datetime64) -> np.ndarray:
    """Days (date,), float64, from a moment to each date of a scene (band, time, y, x)."""
    return (scene.time.values - origin) / np.timedelta64(1, "D")


def days_of_year(scene: xr.DataArray) -> np.ndarray:
    """Days (date,), float64, from 1 January of the year of the scene's first date, 365 a year; they may pass 365."""
    times = scene.time.values
    years = times.astype("datetime64[Y]")
    day = (times - years) / np.timedelta64(1, "D")
    length = ((years + 1).astype("datetime64[D]") - years.astype("datetime64[D]")) / np.timedelta64(1, "D")
    leap = length > YEAR
    day = np.where(leap & (day > LEAP), np.where(day < LEAP + 2, LEAP + (day - LEAP) / 2, day - 1), day)
    return (years - years[0]).astype(int) * float(YEAR) + day


def align(days: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The days of a series, moved by whole years so that it covers the wanted days as well as it can.

    Of several years that do so alike, the one that moves least. `days`, `wanted`: ascending, (date,) and (day,).
    """

    def cost(years: int) -> tuple[float, float, int]:
        moved = days + years * YEAR
        return float(_outside(moved, wanted).max()), float(_nearest(moved, wanted)[1].sum()), abs(years)

    return days + min(_moves(days, wanted), key=cost) * float(YEAR)


def coverage_problems(scene: xr.DataArray, wanted: np.ndarray, tolerance: float = TOLERANCE) -> list[Finding]:
    """Days of a season (day,) that a scene does not cover (an error), or that lie far from its dates (a warning)."""
    days, place = align(days_of_year(scene), wanted), str(scene.attrs.get("source", ""))
    nearest, distance = _nearest(days, wanted)
    dates = [f"{time:%Y-%m-%d}" for time in scene.indexes["time"]]
    told = [
        f"{calendar_day(day)} (nearest date {dates[number]}, {far:.0f} days off)"
        for day, number, far in zip(wanted, nearest, distance, strict=True)
    ]
    missing = _outside(days, wanted) > tolerance
    findings = []
    if missing.any():
        findings.append(
            Finding(
                "error", "dates", f"{dates[0]} to {dates[-1]} do not cover the season of the classifier: "
                f"{_listed(told, missing)} missing; up to {tolerance:g} days are bridged", place,
                "Use a scene that covers these days, or train a classifier on the dates of this one.", "scene.dates",
            )
        )  # fmt: skip
    own = days_of_year(scene)
    fitting = [years for years in _moves(own, wanted) if _nearest(own + years * YEAR, wanted)[1].max() <= tolerance]
    if len(fitting) > 1:
        first, *_, last = (dates[number] for number in (nearest[0], nearest[-1]))
        findings.append(
            Finding(
                "warning", "dates", f"{dates[0]} to {dates[-1]} cover the season of the classifier {len(fitting)} times: "
                f"{first} to {last} is used", place,
                "Open the scene with the dates of one season, if it is another one that you want.", "scene.dates",
            )
        )  # fmt: skip
    far = (distance > tolerance) & ~missing
    if far.any():
        findings.append(
            Finding(
                "warning", "dates", f"more than {tolerance:g} days from a day of the classifier to the nearest date: "
                f"{_listed(told, far)}", place,
                "Values are interpolated in time; use a scene with more dates.", "scene.dates",
            )
        )  # fmt: skip
    return findings


def _moves(days: np.ndarray, wanted: np.ndarray) -> range:
    """By how many years a series may be moved so that it meets the wanted days."""
    return range(int(np.floor((wanted[0] - days[-1]) / YEAR)), int(np.ceil((wanted[-1] - days[0]) / YEAR)) + 1)


def _outside(days: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """By how many days each wanted day lies before the first or after the last day of a series, 0 between them."""
    return np.maximum(days[0] - wanted, wanted - days[-1]).clip(min=0)


def _nearest(days: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of the nearest day of a series to each wanted day, and how far it is."""
    apart = np.abs(days[:, None] - wanted)
    return apart.argmin(0), apart.min(0)


def calendar_day(day: float) -> str:
    """A day of the year as "15 February"."""
    found = date(2001, 1, 1) + timedelta(days=int(day) % YEAR)
    return f"{found.day} {found:%B}"


def _listed(told: list[str], chosen: np.ndarray) -> str:
    picked = [text for text, wanted in zip(told, chosen, strict=True) if wanted]
    left = len(picked) - NAMED
    more = f" and {left} more {'days' if left > 1 else 'day'}" if left > 0 else ""
    return ", ".join(picked[:NAMED]) + more
