"""Faults that values betray: no reflectance, an offset not taken off, corrupt dates, layers in another order."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import xarray as xr

from ...errors import Finding, InputError
from ..sensors import BANDS, roles_of
from ..series import Values, read_window
from .values import IMPOSSIBLE, optical, sample_places

#: The darkest hundredth of the darkest band of a scene lies below 0.09 unless an offset of 0.1 was not taken off; that of
#: Landsat's stored numbers read as reflectance x 10000 lies above 0.5.
DARK, DARKEST, LANDSAT_DARK = 0.09, 0.2, 0.5
#: No surface, and no cloud, reflects more than this over half of a scene.
BRIGHTEST = 1.3
#: The brightest hundredth of the brightest band lies above this on land, but not of numbers x 1000 or of 8 bits.
BRIGHT = 0.08
#: From this share of a date's pixels on, one value in all bands is named; reflectance has that nowhere.
CONSTANT = 0.001
#: The darkest hundredth lies below this where an offset of 0.1 was taken off that the values do not carry.
NEGATIVE = -0.03
#: Dates whose darkest values differ by about 0.1 have different offsets.
STEP = (0.06, 0.14)
#: Share of saturated values of a date from which on it is named.
SATURATED_SHARE = 0.01
#: How much better another order of layers must fit before it is named.
BETTER = 0.75
#: Orders in which programs write the ten bands.
ORDERS = {
    "ESA's": ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12"),
    "the alphabet's": ("B11", "B12", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A"),
    "the reverse of ESA's": ("B12", "B11", "B8A", "B8", "B7", "B6", "B5", "B4", "B3", "B2"),
}
WAVELENGTHS = ("B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12")


def value_problems(scene: xr.DataArray, few: bool = False) -> list[Finding]:
    """Findings about the values of a scene as `open_scene` gives it; reads windows spread over it.

    An "error" cannot be reflectance: training refuses it until `--scale` or `--offset` say that the values are meant.
    `few`: three dates alone, which is enough for errors.
    """
    about: Values = scene.encoding.get("values", Values())
    where = str(scene.attrs.get("source", ""))
    names, places = list(scene.band.values), optical(scene.band.values, scene.attrs.get("sensor", ""))
    if about.dtype in ("uint8", "int8") and not about.declared:
        fix = "Give the scale, as --scale 0.00392 where 255 is reflectance 1; --scale 1 if the values are meant."
        value = "the images have 8 bits and declare no scale, so that their values are not known to be reflectance"
        return [Finding("error", "values", value, where, fix, "scene.values")]
    if not places:
        return []
    dates = list(range(scene.sizes["time"]))
    dates = sorted({0, len(dates) // 2, len(dates) - 1}) if few else dates
    values = _sample(scene, dates)
    seen = values[places]
    if not np.isfinite(seen).any():
        return []
    findings = [] if about.declared and about.said else _impossible(seen, about, where)
    if few or findings:
        return findings
    days = [f"{day:%Y-%m-%d}" for day in scene.indexes["time"]]
    if about.unnamed:
        findings += _order(values, names, where)
    if not about.said and not findings:  # the darkest bands of a date are others where layers are in another order
        findings += _offsets(seen, [names[place] for place in places], days, about, where)
    findings += _saturated(about, days, where) + _constant(seen, days, where, float(scene.attrs.get("scale", 1.0)))
    if about.zero and np.isnan(seen).any():
        value = f"0 is taken for nothing: the file declares no nodata ({100 * np.isnan(seen).mean():.1f} % of what was read)"
        fix = "Confirm it with --nodata 0, or give the stored value that means nothing, as --nodata 65535."
        findings.append(Finding("warning", "nodata", value, where, fix, "scene.nodata"))
    return findings


def refuse_values(scene: xr.DataArray) -> None:
    """Raise `InputError` where the values of a scene cannot be reflectance, and nobody says that they are meant."""
    for finding in value_problems(scene, few=True):
        if finding.level == "error":
            raise InputError(f"{finding.place}: {finding.value}.", finding.fix, kind=finding.kind)


def _sample(scene: xr.DataArray, dates: Sequence[int]) -> np.ndarray:
    """Reflectance (band, time, pixel) of windows spread over a scene, NaN where masked."""
    parts = []
    for y, x in sample_places(scene.sizes["y"], scene.sizes["x"]):
        out = np.empty((*scene.shape[:2], y.stop - y.start, x.stop - x.start), np.float32)
        mask = read_window(scene, y, x, out)
        out[:, mask] = np.nan
        parts.append(out[:, dates].reshape(len(out), len(dates), -1))
    return np.concatenate(parts, axis=2)


def _impossible(seen: np.ndarray, about: Values, where: str) -> list[Finding]:
    middle = float(np.nanmedian(seen))
    if middle > IMPOSSIBLE:
        value = f"a median of {middle:.3g} cannot be reflectance, which lies between 0 and 1"
        fix = "Give the scale and the offset, as --scale 0.0001; --scale 1 if the values are meant."
        return [Finding("error", "values", value, where, fix, "scene.values")]
    floors = [np.nanpercentile(band, 1) for band in seen if np.isfinite(band).any()]
    if not about.declared and min(floors) > LANDSAT_DARK:
        value = (
            f"even the darkest values are {min(floors):.2f}: these look like Landsat's stored numbers, not reflectance"
        )
        fix = "Give --scale 0.0000275 --offset -0.2 for Landsat Collection 2; --scale 0.0001 if the values are meant."
        return [Finding("error", "values", value, where, fix, "scene.values")]
    usual = max(float(np.nanmedian(band)) for band in seen if np.isfinite(band).any())
    if usual > BRIGHTEST:
        value = f"one band has a median of {usual:.3g}, which no surface reflects"
        fix = "Give the scale, as --scale 65535 where that is reflectance 1; --scale 0.0001 if the values are meant."
        return [Finding("error", "values", value, where, fix, "scene.values")]
    brightest = max(np.nanpercentile(band, 99) for band in seen if np.isfinite(band).any())
    if not about.declared and brightest < BRIGHT:
        value = (
            f"even the brightest values are {brightest:.3f}: these look like reflectance x 1000 or numbers of 8 bits"
        )
        fix = "Give the scale, as --scale 0.001; --scale 0.0001 if the values are meant, as of open water."
        return [Finding("error", "values", value, where, fix, "scene.values")]
    return []


def _constant(seen: np.ndarray, days: Sequence[str], where: str, scale: float) -> list[Finding]:
    """One value in all bands of a pixel, that is not 0: what is stored where there is nothing."""
    if len(seen) < 3:
        return []
    with np.errstate(invalid="ignore"):
        flat = (seen == seen[:1]).all(axis=0) & (seen[0] != 0)  # (time, pixel)
    named = [(day, share) for day, share in zip(days, flat.mean(axis=1), strict=True) if share >= CONSTANT]
    if not named:
        return []
    values, counts = np.unique(seen[0][flat], return_counts=True)
    listed = ", ".join(f"{day} {100 * share:.1f} %" for day, share in named)
    value = (
        f"pixels have {values[counts.argmax()]:.4g} in all bands, as where there is nothing: {listed} of what was read"
    )
    stored = scale * values[counts.argmax()]
    fix = f"Give the stored value that means nothing, which without an offset is --nodata {stored:.6g}."
    return [Finding("warning", "nodata", value, where, fix, "scene.nodata")]


def _offsets(seen: np.ndarray, bands: Sequence[str], days: Sequence[str], about: Values, where: str) -> list[Finding]:
    """An offset of 1000 that was not taken off, in all dates or in some."""
    with np.errstate(all="ignore"):
        floors = np.full(len(days), np.nan)
        for t in range(len(days)):
            low = [np.nanpercentile(band, 1) for band in seen[:, t] if np.isfinite(band).any()]
            floors[t] = min(low) if low else np.nan
    usable = floors[np.isfinite(floors)]
    if not usable.size:
        return []
    if DARK <= np.min(usable) <= DARKEST:
        said = " although the file declares a scale without one" if about.declared else ""
        value = f"an offset of 1000 is likely not taken off{said}: the darkest values are {np.min(usable):.3f}"
        roles = roles_of(bands)
        if "blue" in roles:
            blue = np.nanmedian(seen[bands.index(roles["blue"])])
            value += f", blue has a median of {blue:.3f}"
        fix = "Give --offset -0.1 (processing baseline 04.00 and later), or --offset 0 if the values are right."
        return [Finding("warning", "offset", value, where, fix, "scene.offset")]
    if np.max(usable) < NEGATIVE:
        value = f"an offset is taken off that the values do not carry: the darkest values are {np.min(usable):.3f}"
        fix = "Give --offset 0 if that is so, or --offset with the right one."
        return [Finding("warning", "offset", value, where, fix, "scene.offset")]
    order = np.sort(usable)
    jumps = np.diff(order)
    if len(jumps) and STEP[0] <= jumps.max() <= STEP[1] and order[0] < DARK:
        limit = order[jumps.argmax()] + jumps.max() / 2
        low = [day for day, floor in zip(days, floors, strict=True) if floor < limit]
        if order[0] < NEGATIVE and order[-1] < DARK:
            value = (
                f"the darkest values of {', '.join(low)} are {order[0]:.3f}: an offset is taken off that is not in them"
            )
            fix = f"Give these dates none: --offset 0 --offset-dates {','.join(low)}"
            return [Finding("warning", "offset", value, where, fix, "scene.offset")]
        high = [day for day, floor in zip(days, floors, strict=True) if floor > limit]
        value = (
            f"the darkest values of {', '.join(high)} lie {jumps.max():.2f} above those of other dates: offsets differ"
        )
        fix = f"Give the offset of these dates: --offset -0.1 --offset-dates {','.join(high)}"
        return [Finding("warning", "offset", value, where, fix, "scene.offset")]
    return []


def _saturated(about: Values, days: Sequence[str], where: str) -> list[Finding]:
    if about.saturated is None:
        return []
    shares = about.saturated()
    named = [(day, share) for day, share in zip(days, shares, strict=True) if share > SATURATED_SHARE]
    if not named:
        return []
    listed = ", ".join(f"{day} {100 * share:.0f} %" for day, share in named)
    value = f"stored values of 60000 and more are no reflectance and are not used: {listed} of what was read"
    fix = "Get these dates again; if the values are meant, give --scale 0.0001 and --nodata."
    return [Finding("warning", "saturated", value, where, fix, "scene.saturated")]


def _order(values: np.ndarray, names: Sequence[str], where: str) -> list[Finding]:
    """Another order of layers than the one assumed: neighbours in wavelength, and dates of one band, are alike."""
    fix = (
        "If the order is another, give the bands in it with --bands B2,B3,..., and --pattern band-major where all dates of "
        "a band lie together; or write lines 'bands: B2 B3 ...' and 'order: band-major' into the .dates.txt beside it."
    )
    with np.errstate(all="ignore"):
        levels = np.log(np.clip(np.nanmedian(values, axis=2), 1e-3, None)).T.reshape(-1)  # as stored, date by date
    bands, dates = values.shape[:2]
    roles = roles_of(names)
    if {"blue", "nir"} <= set(roles):
        blue, near = (float(np.nanmedian(values[list(names).index(roles[role])])) for role in ("blue", "nir"))
        infrared = f"near infrared ({roles['nir']}) is darker than blue ({roles['blue']})"
    else:
        blue, near, infrared = 0.0, 1.0, ""
    if bands > 1 and dates > 1 and np.isfinite(levels).all():
        by_date, by_band = (
            levels.reshape(dates, bands).std(axis=0).mean(),
            levels.reshape(bands, dates).std(axis=1).mean(),
        )
        if by_band < BETTER * by_date:
            value = (
                f"the layers are taken date by date, each with {', '.join(names)}; their values fit all dates of the first "
                "band, then of the second, better"
            )
            return [Finding("warning", "bands", value, where, fix, "scene.order")]
    if set(names) != set(BANDS):
        value = (
            f"the bands of a date are taken as {', '.join(names)}; then {infrared}: medians {near:.3f} and {blue:.3f}"
        )
        return [Finding("warning", "bands", value, where, fix, "scene.order")] if near < blue else []
    usable = values[:, :, np.isfinite(values).all(axis=(0, 1))].reshape(bands, -1)
    if usable.shape[1] < 100:
        return []
    alike = np.corrcoef(usable)
    assumed = _path(alike, names)
    levels = np.median(usable, axis=1)

    def unlikeness(order: str) -> tuple[float, bool]:
        """Neighbours that are unlike; of an order and its reverse, that with the brighter near infrared comes first."""
        places = [ORDERS[order].index(band) for band in ("B8", "B2")]
        return _path(alike, ORDERS[order]), levels[places[0]] < levels[places[1]]

    best = min(ORDERS, key=unlikeness)
    if _path(alike, ORDERS[best]) < BETTER * assumed:
        value = f"the bands of a date are taken as {', '.join(names)}; their values fit {best} order better: "
        return [Finding("warning", "bands", value + ", ".join(ORDERS[best]), where, fix, "scene.order")]
    return []


def _path(alike: np.ndarray, names: Sequence[str]) -> float:
    """How unlike neighbours in wavelength are, if the layers have these names: the sum of 1 - correlation."""
    places = [list(names).index(band) for band in WAVELENGTHS]
    return round(float(sum(1 - alike[one, other] for one, other in pairwise(places))), 6)
