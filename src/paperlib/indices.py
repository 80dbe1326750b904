"""Spectral indices as the paper prints them (section 3.3, equations 1 to 3), and gap filling in time."""

from collections.abc import Sequence

import numpy as np
import torch

#: Index and the bands that it needs.
INDICES = {"NDVI": ("B8", "B4"), "NDWI": ("B3", "B8"), "BI": ("B4", "B3")}


def channel_names(bands: Sequence[str]) -> tuple[str, ...]:
    """Bands, then those of NDVI, NDWI and BI whose bands are all present."""
    return (*bands, *(name for name, needed in INDICES.items() if set(needed) <= set(bands)))


def add_indices(values, bands: Sequence[str], axis: int):
    """Append the index channels of `channel_names(bands)` along `axis`, which holds the bands in this order.

    `values` is a numpy array or torch tensor of any shape; so is the result, in float32. An index is 0 where its
    denominator is 0, and NaN where one of its bands is NaN.
    """
    if isinstance(values, torch.Tensor):
        library, values = torch, values.to(torch.float32)
    else:
        library, values = np, np.asarray(values, np.float32)
    before = (slice(None),) * (axis % values.ndim)
    band = {name: values[(*before, slice(i, i + 1))] for i, name in enumerate(bands)}
    added = []
    for name in channel_names(bands)[len(bands) :]:
        a, b = (band[needed] for needed in INDICES[name])
        if name == "BI":
            added.append(library.sqrt(_divide(library, a**2, b**2)))
        else:
            added.append(_divide(library, a - b, a + b))
    return library.concatenate([values, *added], axis)


def _divide(library, numerator, denominator):
    empty = denominator == 0
    # numerator * 0 and not 0, so that NaN stays NaN.
    return library.where(empty, numerator * 0, numerator) / library.where(empty, 1, denominator)


def fill_gaps(values: np.ndarray, mask: np.ndarray, days: Sequence[float]) -> np.ndarray:
    """Replace masked dates of each pixel: linear in time between the nearest usable dates, the nearest one at the ends.

    Parameters
    ----------
    values: float32 (band, time, y, x); mask: bool (time, y, x), True where not usable; a NaN in a band is not usable
    either; days: (time,) ascending numbers, like days since the first date.

    Returns
    -------
    A new float32 array (band, time, y, x); NaN where a pixel has no usable date.
    """
    days = np.asarray(days, np.float64)
    if values.shape[1:] != mask.shape or days.shape != mask.shape[:1] or (np.diff(days) <= 0).any():
        raise ValueError(f"values {values.shape}, mask {mask.shape}, days {days}: shapes differ or days do not ascend")
    out = values.astype(np.float32, copy=True)
    usable = ~(mask | np.isnan(values).any(axis=0))
    pixels = ~usable.all(axis=0)  # only these need work
    usable, gappy = usable[:, pixels], out[:, :, pixels]  # (time, pixel), (band, time, pixel)
    date = np.arange(len(days))[:, None]
    before = np.maximum.accumulate(np.where(usable, date, -1), axis=0)
    after = np.minimum.accumulate(np.where(usable, date, len(days))[::-1], axis=0)[::-1]
    # Outside the usable dates both neighbours are the nearest one; where there is none, any index does: NaN below.
    first = np.where(before < 0, after, before).clip(max=len(days) - 1)
    last = np.where(after == len(days), before, after).clip(min=0)
    span = days[last] - days[first]
    weight = np.where(span > 0, (days[:, None] - days[first]) / np.where(span > 0, span, 1), 0).astype(np.float32)
    low, high = (np.take_along_axis(gappy, index[None], axis=1) for index in (first, last))
    filled = low * (1 - weight) + high * weight
    filled[:, :, ~usable.any(axis=0)] = np.nan
    out[:, :, pixels] = filled
    return out
