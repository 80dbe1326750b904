"""What the attributes of a cube declare: the satellite, scale and offset, and which stored values are nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from ...errors import InputError
from ..meaning.choices import Choices
from ..meaning.values import SATURATED, Meaning, meaning_of, possible_nodata, sample_places
from ..quality import letters
from ..sensors import sensor_named
from ..series import Values
from .series import BandSource, CubeSeries

#: Attributes and coordinates in which programs name the satellite.
PLATFORMS = ("platform", "satellite", "sensor", "mission", "constellation", "eo:platform", "instrument", "source")
#: Attributes that say what is stored where there is nothing, in letters alone; the first that is there counts.
NODATA_ATTRIBUTES = ("fillvalue", "missingvalue", "nodata", "nodatavals", "nodatavalue", "nodatavalues", "missing")


def platform_of(cube: xr.Dataset) -> str:
    """The sensor that attributes or coordinates name; "" where they name none, or several."""
    texts = [cube.attrs.get(key) for key in PLATFORMS]
    for key in PLATFORMS:
        if key in cube.coords and cube[key].dtype.kind in "OUT":
            texts += list(np.unique(cube[key].values.astype(str)))
    found = set()
    for text in texts:
        if isinstance(text, str) and text:
            try:
                found.add(sensor_named(text.split(",")[0]).name)
            except InputError:
                continue
    return found.pop() if len(found) == 1 else ""


def declared_meaning(cube: xr.Dataset, name: str, dtype: np.dtype, choices: Choices, where: str) -> Meaning:
    """What stored values of a variable mean, by its attributes and those of the file."""
    attrs = cube[name].attrs | {key: cube[name].encoding[key] for key in ("_FillValue",) if key in cube[name].encoding}
    gain, offset = (_number(attrs.get(key, cube.attrs.get(key))) for key in ("scale_factor", "add_offset"))
    if gain is None and offset is None and dtype.kind in "iu":
        gain, offset = (_number(attrs.get(key)) for key in ("scale", "offset"))
    nodata = next(iter([*_nodata_of(attrs), *_nodata_of(cube.attrs)]), None)
    nodata = possible_nodata(nodata, dtype)
    declared = [value for key in ("_FillValue", "missing_value") if (value := _number(attrs.get(key))) is not None]
    meaning = meaning_of(dtype, gain, offset, nodata, choices, f"{where} ({name})")
    if nodata is not None and np.isnan(nodata):
        meaning = meaning._replace(nodata=None, valid=(-9999.0, meaning.valid[1]))
    elif len(set(declared)) > 1 and dtype.kind != "u":
        meaning = meaning._replace(valid=(min(declared), meaning.valid[1]))
    if nodata is None and choices.nodata is None:
        meaning = meaning._replace(valid=_valid_range(attrs, meaning.valid))
    return meaning


def _nodata_of(attrs: Mapping) -> list[float]:
    """The nodata values that attributes name, in the order of `NODATA_ATTRIBUTES`."""
    named = {letters(key): value for key, value in reversed(list(attrs.items()))}
    values = [_number(named[key]) for key in NODATA_ATTRIBUTES if key in named]
    return [value for value in values if value is not None]


def _valid_range(attrs: Mapping, valid: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    """Stored values beyond these are nothing: below CF's valid_min or valid_range where that is negative or 0.

    A lowest value above 0, and the highest value, are often those of the data alone, and are not believed.
    """
    low = _number(attrs.get("valid_min", attrs.get("valid_range")))
    return (low - 1 if low is not None and low <= 0 else valid[0], valid[1])


def _number(value) -> float | None:
    try:
        values = np.ravel(value)
        return None if value is None or not len(values) else float(values[0])
    except (TypeError, ValueError):
        return None


def about_values(bands: Sequence[BandSource], cube: xr.Dataset, choices: Choices) -> Values:
    """What is known of the stored values."""
    first = bands[0]
    declared = any(band.meaning.declared for band in bands)
    source = first.variable.array
    attrs = [source.attrs, source.encoding, cube.attrs]
    dtype = first.variable.dtype
    declares = any(possible_nodata(value, dtype) is not None for each in attrs for value in _nodata_of(each))
    zero = dtype.kind == "u" and choices.nodata is None and not declares

    def saturated() -> list[float]:
        series, shape = CubeSeries(bands, [], range(cube.sizes["time"])), (cube.sizes["y"], cube.sizes["x"])
        shares = [series.saturated(y, x) for y, x in sample_places(*shape, across=2)]
        return np.mean(shares, axis=0).tolist()

    high = any(band.meaning.valid[1] == SATURATED for band in bands)
    return Values(str(dtype), declared, choices.says_values, zero, False, saturated if high else None)
