"""Faults that a scene's values and masks show, in a sample of its pixels.

Sides of up to `WHOLE` pixels are read whole, others in `ACROSS` windows of `SIDE` pixels: a whole tile takes well under a
minute, and memory does not depend on its size.
"""

import hashlib
from collections import defaultdict
from itertools import product

import numpy as np
import xarray as xr

from ..errors import Finding, InputError
from ..scenes.meaning.values import optical
from ..scenes.series import read_window
from .faults import attempt, listed, note

WHOLE, ACROSS, SIDE = 256, 8, 32
#: Shares of the sampled pixels from which on it is worth a warning.
MASKED, HELD, NEVER, ABSURD, ZERO = 0.4, 0.05, 0.01, 0.01, 0.001
#: Reflectance of land and water: medians of a scene outside the first pair, single values outside the second, are none.
MEDIAN, VALUE = (0.005, 1.5), (-0.1, 1.5)
#: The median of a date is off when it is so many times the usual one, or a fraction of it.
OFF = 5
SAME = "Was a file copied twice? Get it again."


def pixel_faults(scene: xr.DataArray, findings: list[Finding]) -> np.ndarray:
    """Masks and values of the sampled pixels. Returns the masked share of each date (date,)."""
    values, mask = _read_sample(scene, findings)
    names, source = [f"{day:%Y-%m-%d}" for day in scene.indexes["time"]], scene.attrs["source"]
    shares = mask.mean(axis=1)
    for name, share in zip(names, shares, strict=True):
        if share >= MASKED:
            fix = (
                "Leave this date out, or get it again." if share == 1 else "Use it knowing that gaps are interpolated."
            )
            note(findings, "warning", "masked pixels", f"{100 * share:.0f} % of the date are masked", name, fix)
    never = mask.all(axis=0).mean()
    if never >= NEVER:
        value = f"{100 * never:.1f} % of the scene have no usable date"
        fix = "Add dates. Maps have no class there." if never < 1 else "Get the scene again, with its masks."
        note(findings, "error" if never == 1 else "warning", "masked pixels", value, source, fix)
    _check_filled(mask, names, findings)
    _check_layers(values, [str(band) for band in scene.band.values], names, findings)
    values[:, mask] = np.nan
    reflectance = optical(list(scene.band.values), scene.attrs.get("sensor", ""))
    if reflectance:  # of radar, temperatures and indices any value is possible
        _check_values(values[reflectance], mask, names, source, findings)
    return shares


def _check_filled(mask: np.ndarray, names: list[str], findings: list[Finding]) -> None:
    """Pixels whose gaps have no usable date on one side; `mask` (time, pixel). Their values are held, not interpolated."""
    usable = ~mask.all(axis=0)
    for date, place, side in ((0, "before", "next"), (-1, "after", "last")) if len(names) > 1 else ():
        share = (mask[date] & usable).mean()
        if share >= HELD and not mask[date].all():  # a date that is masked as a whole has a warning of its own
            value = f"{100 * share:.1f} % of the pixels have nothing usable here: they hold their {side} usable date"
            fix = f"Add a date {place} it, or use it knowing that these values are held constant."
            note(findings, "warning", "gaps at the ends", value, names[date], fix)
    share = (mask.sum(axis=0) == len(mask) - 1).mean()
    if share >= NEVER and len(mask) > 2:
        value = f"{100 * share:.1f} % of the pixels have a single usable date, whose values all other dates get"
        fix = "Add dates. There, classes that differ by their change over the year cannot be told apart."
        note(findings, "warning", "one usable date", value, f"{names[0]} to {names[-1]}", fix)


def _read_sample(scene: xr.DataArray, findings: list[Finding]) -> tuple[np.ndarray, np.ndarray]:
    """Reflectance (band, time, pixel) and mask (time, pixel); a date whose file cannot be read is all masked."""
    values, masks, broken = [], [], set()
    for y, x in product(*(_places(scene.sizes[dim]) for dim in ("y", "x"))):
        out = np.empty((*scene.shape[:2], y.stop - y.start, x.stop - x.start), np.float32)
        try:
            mask = read_window(scene, y, x, out)
        except InputError:  # then date by date, which is slower
            mask = np.ones(out.shape[1:], bool)
            for date in range(scene.sizes["time"]):
                part = scene[:, date : date + 1, y, x]
                place = f"{scene.indexes['time'][date]:%Y-%m-%d}"
                read = None if date in broken else attempt(findings, "band file", place, part.compute)
                if read is None:
                    broken.add(date)
                else:
                    out[:, date], mask[date] = read.values[:, 0], read.mask.values[0]
        values.append(out.reshape(*out.shape[:2], -1))
        masks.append(mask.reshape(len(mask), -1))
    return np.concatenate(values, axis=-1), np.concatenate(masks, axis=-1)


def _places(length: int) -> list[slice]:
    """What is sampled along a side of a scene; its first and its last pixels always are."""
    if length <= WHOLE:
        return [slice(0, length)]
    return [slice(start, start + SIDE) for start in np.linspace(0, length - SIDE, ACROSS).astype(int).tolist()]


def _check_values(values: np.ndarray, mask: np.ndarray, names: list[str], source: str, findings: list[Finding]) -> None:
    """Scale, and values that no reflectance has; `values` (band, time, pixel), NaN where masked."""
    if mask.all():
        return
    medians = np.array(
        [np.nan if gone.all() else np.nanmedian(date) for date, gone in zip(values.swapaxes(0, 1), mask, strict=True)]
    )
    usual = np.nanmedian(medians)
    if not MEDIAN[0] <= usual <= MEDIAN[1]:
        value = f"the median reflectance is {usual:.3g}; about 0.1 is expected"
        fix = "Integers are reflectance x 10000, floats are reflectance: convert the file, or correct its scale factor."
        note(findings, "warning", "scale", value, source, fix)
        return
    for name, median in zip(names, medians, strict=True):
        if median > OFF * usual or median < usual / OFF:
            value = f"the median reflectance of the date is {median:.3g}; of the others {usual:.3g}"
            note(findings, "warning", "scale", value, name, "Has this date another scale or offset? Get it again.")
    with np.errstate(invalid="ignore"):
        absurd, empty = ((values < VALUE[0]) | (values > VALUE[1])).any(axis=0), (values == 0).all(axis=0)
    for which, least, what, fix in (
        (
            absurd,
            ABSURD,
            f"of the pixels have values outside {VALUE[0]} to {VALUE[1]}",
            "Is a nodata value not declared?",
        ),
        (
            empty,
            ZERO,
            "of the pixels are 0 in all bands and not masked",
            "Declare 0 as nodata, if that is what it means.",
        ),
    ):
        for name, share in zip(names, which.mean(axis=1), strict=True):
            if share >= least:
                note(findings, "warning", "absurd values", f"{100 * share:.1f} % {what}", name, fix)


def _check_layers(values: np.ndarray, bands: list[str], names: list[str], findings: list[Finding]) -> None:
    """Layers that are constant, and layers that are the same pixel for pixel; `values` (band, time, pixel)."""
    prints = np.empty(values.shape[:2], object)
    for band, date in np.ndindex(prints.shape):
        held = values[band, date][~np.isnan(values[band, date])]
        prints[band, date] = hashlib.sha256(values[band, date].tobytes()).digest()
        if not len(held) or held.min() == held.max():
            prints[band, date] = (band, date)  # like no other
        if len(held) > 1 and held.min() == held.max():
            place = f"{bands[band]}, {names[date]}"
            note(findings, "warning", "constant", f"{held[0]:g} in every pixel", place, "Get this band again.")
    dates = _twins([tuple(column) for column in prints.T])
    layers = _twins(list(map(tuple, prints)))
    for pairs, labels, what in ((dates, names, "all bands"), (layers, bands, "all dates")):
        for members in pairs:
            place = listed(labels[index] for index in members)
            note(findings, "warning", "identical", f"{what}, pixel for pixel", place, SAME)
    # What is left when of those that are the same everywhere only the first is looked at.
    left = [
        (band, date) for band, date in np.ndindex(prints.shape)
        if not any(band in members[1:] for members in layers) and not any(date in members[1:] for members in dates)
    ]  # fmt: skip
    for members in _twins([prints[layer] for layer in left]):
        place = " and ".join(f"{bands[left[index][0]]}, {names[left[index][1]]}" for index in members)
        note(findings, "warning", "identical", "one band, pixel for pixel", place, SAME)


def _twins(keys: list) -> list[list[int]]:
    """Indices of equal keys, where there are two or more of a key."""
    groups = defaultdict(list)
    for index, key in enumerate(keys):
        groups[key].append(index)
    return [members for members in groups.values() if len(members) > 1]
