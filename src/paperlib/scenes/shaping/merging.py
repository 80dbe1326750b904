"""Several acquisitions as one date: those of one day by the first usable one, those of a period by their median."""

import re
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...errors import NOTHING_TO_DO, InputError, InputWarning
from ..series import Series

EVERY = re.compile(r"month|(\d{1,3})D", re.IGNORECASE)


class GroupedSeries:
    """A series whose dates are groups of dates of another; see `series.Series`.

    `groups[t]`: indices of the inner dates of date t, in order; none for a period without acquisitions, which is empty.
    `how`: "first": each pixel from the first date of the group that may be used; "median": of all that may be used.
    """

    def __init__(self, inner: Series, groups: Sequence[Sequence[int]], how: str):
        self.inner, self.groups, self.how = inner, [list(group) for group in groups], how
        self.row_bytes = getattr(inner, "row_bytes", 0)

    def read(self, y: slice, x: slice, out: np.ndarray) -> np.ndarray:
        """As `series.Series` says."""
        count = 1 + max(index for group in self.groups for index in group)
        values = np.empty((len(out), count, *out.shape[2:]), np.float32)
        masks = self.inner.read(y, x, values)
        mask = np.ones(out.shape[1:], bool)
        for t, group in enumerate(self.groups):
            out[:, t], mask[t] = self._join(values[:, group], masks[group])
        return mask

    def values(self, band: slice, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        return self._both(band, time, y, x)[0]

    def mask(self, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        out = np.ones([part.stop - part.start for part in (time, y, x)], bool)
        for mask, group in zip(out, self.groups[time], strict=True):
            for index in group:  # a pixel may be used where it may be in one date of the group
                mask &= self.inner.mask(slice(index, index + 1), y, x)[0]
        return out

    def _both(self, band: slice, time: slice, y: slice, x: slice) -> tuple[np.ndarray, np.ndarray]:
        out = np.empty([part.stop - part.start for part in (band, time, y, x)], np.float32)
        mask = np.ones(out.shape[1:], bool)
        for t, group in enumerate(self.groups[time]):
            parts = [slice(index, index + 1) for index in group]
            if not parts:
                out[:, t] = np.nan
                continue
            values = np.concatenate([self.inner.values(band, part, y, x) for part in parts], axis=1)
            masks = np.concatenate([self.inner.mask(part, y, x) for part in parts])
            out[:, t], mask[t] = self._join(values, masks)
        return out, mask

    def _join(self, values: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One date, values (band, y, x) and mask (y, x), of several (band, time, y, x), (time, y, x)."""
        if not len(masks):
            return np.full((len(values), *values.shape[2:]), np.nan, np.float32), np.ones(values.shape[2:], bool)
        gone = np.asarray(masks.all(axis=0))
        if len(masks) == 1 or self.how == "first":
            first = np.argmin(masks, axis=0)  # the first that may be used; where there is none, the first of all
            return np.take_along_axis(values, first[None, None], axis=1)[:, 0], gone
        return _median(np.where(masks, np.nan, values)), gone


def _median(values: np.ndarray) -> np.ndarray:
    """Median (band, y, x) of values (band, time, y, x) without NaN; NaN where there are only those.

    numpy's warns of them, and in threads its warnings cannot be silenced.
    """
    values = np.sort(values, axis=1)  # NaN last
    count = np.isfinite(values).sum(axis=1, keepdims=True)
    low, high = (np.maximum(count - 1, 0) // 2, np.minimum(count // 2, values.shape[1] - 1))
    middle = [np.take_along_axis(values, place, axis=1)[:, 0] for place in (low, high)]
    return ((middle[0] + middle[1]) / 2).astype(np.float32)


def group_days(times: pd.DatetimeIndex, where: str) -> tuple[pd.DatetimeIndex, list[list[int]]]:
    """Days in order, and the indices of the acquisitions of each, in order of time. Warns of days with several."""
    order = np.argsort(times.to_numpy(), kind="stable")
    days = times.normalize()
    unique = days.unique().sort_values()
    groups = [[int(index) for index in order if days[index] == day] for day in unique]
    several = [day for day, group in zip(unique, groups, strict=True) if len(group) > 1]
    if several:
        listed = ", ".join(f"{day:%Y-%m-%d}" for day in several[:5]) + " ..." * (len(several) > 5)
        warnings.warn(
            InputWarning(
                f"{where}: {len(times)} acquisitions on {len(unique)} days; those of one day ({listed}) are joined, each "
                "pixel from the first that is usable.",
                NOTHING_TO_DO, kind="scene.same_day",
            ),
            stacklevel=3,
        )  # fmt: skip
    return unique, groups


def group_every(days: pd.DatetimeIndex, every: str) -> tuple[pd.DatetimeIndex, list[list[int]]]:
    """Periods and the indices of the days in each, from the first with a day to the last; a period may have none.

    "month": calendar months, dated on the 15th. "16D", "10D": periods of so many days that begin anew on 1 January, so
    that they are the same in every year (the last is shorter), dated on their middle day.
    Raises `InputError` for another text.
    """
    match = EVERY.fullmatch(every)
    if not match or (match[1] and not 1 <= int(match[1]) <= 366):
        raise InputError(
            f"every = {every!r} is not possible.", "Give month, or days like 16D or 10D.", kind="settings.scene.every"
        )
    if match[1] is None:
        starts = pd.date_range(days.min().replace(day=1), days.max(), freq="MS")
        middles = starts + pd.Timedelta(days=14)
    else:
        step = int(match[1])
        starts = pd.DatetimeIndex(
            [
                pd.Timestamp(year, 1, 1) + pd.Timedelta(days=day)
                for year in range(days.min().year, days.max().year + 1)
                for day in range(0, 365, step)
            ]
        )
        starts = starts[starts.searchsorted(days.min(), "right") - 1 : starts.searchsorted(days.max(), "right")]
        middles = starts + pd.Timedelta(days=step // 2)
    number = starts.searchsorted(days, "right") - 1
    return middles, [[int(index) for index in np.flatnonzero(number == n)] for n in range(len(starts))]
