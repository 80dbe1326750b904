"""Spectral indices, and what is missing in time: gaps are filled, other dates interpolated."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

#: Index and the roles of the bands that it needs, in the order of its equation.
INDICES = {"NDVI": ("nir", "red"), "NDWI": ("green", "nir"), "BI": ("red", "green")}


def possible_indices(roles: Mapping[str, str]) -> tuple[str, ...]:
    """Those of NDVI, NDWI and BI whose bands are all present. `roles`: role of a band -> its name."""
    return tuple(name for name, needed in INDICES.items() if set(needed) <= set(roles))


def write_indices(values: np.ndarray, bands: Sequence[str], indices: Sequence[str], roles: Mapping[str, str]) -> None:
    """Fill the last channels of `values` float32 (channel, time, ...), the indices, from the first ones, the bands.

    NDVI = (nir - red) / (nir + red); NDWI = (green - nir) / (green + nir); BI = sqrt(red^2 / green^2). An index is 0
    where its denominator is 0, and NaN where one of its bands is NaN. `roles`: role of a band -> its name.
    """
    channels = (*bands, *indices)
    if len(values) != len(channels):
        raise ValueError(f"values have {len(values)} channels, expected {len(channels)}: {', '.join(channels)}")
    for number, name in enumerate(indices, start=len(bands)):
        first, second = (bands.index(roles[role]) for role in INDICES[name])
        for a, b, out in zip(values[first], values[second], values[number], strict=True):  # a date stays in the cache
            if name == "BI":
                np.sqrt(_divide(a**2, b**2), out=out)
            else:
                out[...] = _divide(a - b, a + b)


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    empty = denominator == 0
    if empty.any():
        # numerator * 0 and not 0, so that NaN stays NaN.
        numerator, denominator = np.where(empty, numerator * 0, numerator), np.where(empty, 1, denominator)
    return numerator / denominator


def fill_gaps(values: np.ndarray, mask: np.ndarray, days: npt.ArrayLike) -> None:
    """Replace masked dates of each pixel: linear in time between the nearest usable dates, the nearest one at the ends.

    Parameters
    ----------
    values: float32 (band, time, y, x), changed in place; NaN afterwards where a pixel has no usable date.
    mask: bool (time, y, x), True where not usable: where a band is NaN, and wherever else it must not be used.
    days: (time,) ascending numbers, like days since the first date.
    """
    days = np.array(days, np.float64, ndmin=1)
    if values.shape[1:] != mask.shape or days.shape != mask.shape[:1] or (np.diff(days) <= 0).any():
        raise ValueError(f"values {values.shape}, mask {mask.shape}, days {days}: shapes differ or days do not ascend")
    rows, columns = np.nonzero(mask.any(axis=0))  # only these pixels need work
    usable: np.ndarray = ~mask[:, rows, columns]  # (time, pixel)
    date = np.arange(len(days), dtype=np.int16)[:, None]
    before = np.maximum.accumulate(np.where(usable, date, -1), axis=0)
    after = np.minimum.accumulate(np.where(usable, date, len(days))[::-1], axis=0)[::-1]
    gap_date, pixel = np.nonzero(~usable)
    before, after = before[gap_date, pixel], after[gap_date, pixel]
    # Outside the usable dates both neighbours are the nearest one; where there is none, any index does: NaN below.
    first = np.where(before < 0, after, before).clip(max=len(days) - 1)
    last = np.where(after == len(days), before, after).clip(min=0)
    span = days[last] - days[first]
    weight = np.where(span > 0, (days[gap_date] - days[first]) / np.where(span > 0, span, 1), 0).astype(np.float32)
    empty = ~np.asarray(usable.any(axis=0))
    weight[empty[pixel]] = np.nan
    place = rows[pixel] * mask.shape[2] + columns[pixel]
    size = np.int64(mask[0].size)
    gap, first, last = (date * size + place for date in (gap_date, first, last))
    for band in values:
        flat = band.reshape(-1, copy=False)  # one number a place is found faster than three
        flat[gap] = flat[first] * (1 - weight) + flat[last] * weight


def interpolate(values: np.ndarray, days: npt.ArrayLike, wanted: npt.ArrayLike, out: np.ndarray) -> None:
    """Write `values` at other days: linear in time, those of the first and the last date beyond them.

    Parameters
    ----------
    values: float32 (band, time, ...), without gaps.
    days: (time,) ascending.
    wanted: (day,) of the result.
    out: float32 (band, day, ...), the result.
    """
    last = values.shape[1] - 1
    place = np.interp(np.array(wanted, ndmin=1), np.asarray(days), np.arange(last + 1))
    for number, before in enumerate(place.astype(int)):
        weight = np.float32(place[number] - before)
        after = min(before + 1, last)
        out[:, number] = values[:, before] * (1 - weight) + values[:, after] * weight
