"""What stored values mean: the scale and offset that turn them into reflectance, and which of them are nothing."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...errors import InputError, InputWarning
from ..quality import Rule
from ..rasters import NODATA
from ..sensors import INDEX_ROLES, roles_of
from ..series import Series
from .choices import LARGEST_FACTOR, Choices

#: Integers without a declared scale are reflectance x 10000, as those of Theia, ESA, HLS, Planet and MODIS are.
INTEGER_SCALE = 10000.0
#: Signed values up to this are nothing where no value is declared to be: -9999, -10000, -32768, -3.4e38.
LOWEST = -9999.0
#: Floats from this on are nothing: NetCDF writes 9.97e36 where nothing was written.
HIGHEST = 1e30
#: Stored values from this on are saturated or corrupt, not reflectance 6 and more.
SATURATED = 60000.0
#: Landsat Collection 2: reflectance is stored value x 0.0000275 - 0.2.
LANDSAT_GAIN, LANDSAT_OFFSET = 2.75e-5, -0.2
#: Median of reflectance that no surface has; medians of floats from the second on are reflectance x 10000.
IMPOSSIBLE, TEN_THOUSANDS = 1.5, 200.0


class Meaning(NamedTuple):
    """Reflectance is stored value / divisor + offset; nothing is stored as `nodata`, or outside `valid`."""

    divisor: float
    offset: float
    nodata: float | None
    valid: tuple[float | None, float | None]
    declared: bool  # whether the file or the user says the scale
    undated: float = 0.0  # the offset of dates that the user's offset does not concern: the file's own


def meaning_of(
    dtype: np.dtype, gain: float | None, offset: float | None, nodata: float | None, choices: Choices, where: str,
    default: tuple[float, float] | None = None,
) -> Meaning:  # fmt: skip
    """What values of a layer mean.

    Parameters
    ----------
    dtype: stored type.
    gain, offset, nodata: what the file declares; None where it declares nothing.
    choices: what the user says, which counts first.
    where: the file, for messages.
    default: gain and offset that the kind of product is known to have, where the file declares none.

    Raises `InputError` for a scale or an offset that is no number, or a scale that is not above 0.
    """
    factors = [value for value in (gain, offset) if value is not None]
    if not np.isfinite(factors).all() or (gain is not None and gain <= 0):
        raise InputError(
            f"{where}: scale factor {gain} and offset {offset} are declared; a scale factor or offset is not finite, or "
            "the scale is not above 0.",
            "Write the file again, or give --scale and --offset.",
            kind="scene.scale",
        )
    declared = (gain or 1.0) != 1.0 or bool(offset)
    stated = offset or 0.0
    if declared:
        gain = gain or 1.0
        if gain > LARGEST_FACTOR:  # what reflectance 1 is stored as
            gain = 1 / gain
        elif gain == 1 and dtype.kind in "iu" and abs(stated) > LARGEST_FACTOR:  # an offset alone
            gain = 1 / INTEGER_SCALE
        offset = stated * gain if abs(stated) > LARGEST_FACTOR else stated  # ESA's is in stored units
    elif default:
        (gain, offset), declared = default, True
    else:
        gain, offset = (1 / INTEGER_SCALE if dtype.kind in "iu" else 1.0), 0.0
    if choices.gain is not None:
        gain = choices.gain
        offset = stated * gain if abs(stated) > LARGEST_FACTOR else stated
    own, shift = offset, choices.shift(gain)
    offset = offset if shift is None else shift
    divisor = 1 / gain
    if abs(divisor - round(divisor)) <= 1e-6 * abs(divisor):
        divisor = float(round(divisor))  # so that 0.0001 gives exactly what 10000 gives
    nodata = nodata if choices.nodata is None else choices.nodata
    high = SATURATED if dtype == np.uint16 and divisor == INTEGER_SCALE else HIGHEST if dtype.kind == "f" else None
    low = None
    if nodata is None:
        nodata = 0.0 if dtype.kind == "u" else float(NODATA) if dtype.kind == "i" and dtype.itemsize > 1 else None
        low = LOWEST if dtype.kind == "f" or (dtype.kind == "i" and dtype.itemsize > 1) else None
    return Meaning(divisor, offset, nodata, (low, high), declared or choices.says_values, own)


def possible_nodata(nodata: float | None, dtype: np.dtype) -> float | None:
    """A declared nodata value, None where the type cannot hold it, as -9999 of unsigned integers."""
    if nodata is None or dtype.kind not in "iu":
        return nodata
    limits = np.iinfo(dtype)
    return nodata if limits.min <= nodata <= limits.max else None  # NaN is neither


def optical(bands: Sequence[str], sensor: str) -> list[int]:
    """Places of the bands whose values are reflectance: those with a role that is neither radar's nor an index."""
    others = {"vv", "vh", "hh", "hv", "thermal1", "thermal2", *INDEX_ROLES}
    named = {band for role, band in roles_of(bands, sensor).items() if role not in others}
    return [place for place, band in enumerate(bands) if band in named]


def sample_places(height: int, width: int, side: int = 32, across: int = 3) -> list[tuple[slice, slice]]:
    """Windows of up to `side` pixels, `across` in each direction, spread over a scene."""

    def starts(size: int) -> list[int]:
        count = min(across, max(1, size // side))
        return sorted({int((size - min(side, size)) * (n + 0.5) / count) for n in range(count)})

    return [
        (slice(y, min(y + side, height)), slice(x, min(x + side, width))) for y in starts(height) for x in starts(width)
    ]


def probability_rule(values: np.ndarray) -> Rule | None:
    """The rule of a layer of probabilities, from 0 to 1 or in per cent, by some of its values; None where it is a mask."""
    values = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not values.size or np.isin(values, (0, 1, 255)).all():
        return None
    return Rule("above", (0.5,) if values.max() <= 1 else (50,))


def warn_of_probability(where: str) -> None:
    """Warn that a quality layer is taken for probabilities."""
    problem = f"{where} holds probabilities; pixels of more than 50 % are taken for cloud."
    fix = "For another threshold, write a layer cloud_mask of 0 and 1 instead."
    warnings.warn(InputWarning(problem, fix, kind="scene.quality"), stacklevel=4)


def float_divisor(series: Series, shape: tuple[int, ...], bands: Sequence[str], sensor: str, where: str) -> float:
    """What floats without a declared scale are to be divided by: 1, or 10000 with a warning.

    `shape` (band, time, y, x) of the series. Reads a few small windows of a few dates. Raises `InputError` for values
    that cannot be reflectance, nor ten thousand times that.
    """
    places = optical(bands, sensor)
    if not places:
        return 1.0
    found = []
    for time in sorted({0, shape[1] // 2, shape[1] - 1}):
        for y, x in sample_places(shape[2], shape[3], across=2):
            values = series.values(slice(0, shape[0]), slice(time, time + 1), y, x)[places]
            found.append(values[np.isfinite(values) & (values > 0)])
    values = np.concatenate(found)
    middle = float(np.median(values)) if values.size else 0.0
    if middle <= IMPOSSIBLE:
        return 1.0
    if middle < TEN_THOUSANDS:
        raise InputError(
            f"{where}: values of {middle:.3g} (median) cannot be reflectance, which lies between 0 and 1.",
            "Give the scale: --scale 0.01 of per cents, --scale 0.00392 of 8 bits; --scale 1 if they are meant.",
            kind="scene.values",
        )
    warnings.warn(
        InputWarning(
            f"{where}: floats of {middle:.0f} (median) are taken for reflectance x 10000.",
            "Confirm it with --scale 0.0001; --scale 1 takes them as they are.",
            kind="scene.values",
        ),
        stacklevel=3,
    )
    return INTEGER_SCALE
