"""GeoTIFF stacks: every date and band is a layer of one file."""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import xarray as xr

from ...errors import InputError
from .. import sensors
from ..dates import parse_dates, select_dates
from ..rasters import NODATA, RasterFile, read_header
from ..series import RasterSeries, assemble

LAYER = re.compile(r"(?P<date>\d{4}-?\d{2}-?\d{2})[ _](?P<band>\w+)")


def open_stack(path: Path, bands: Sequence[str] | None, dates: Sequence | None, **attrs) -> xr.DataArray:
    """The lazy array of `open_scene` of a date-major GeoTIFF stack. Reads its header and dates only."""
    header = read_header(path)
    days, held = _described(path, header.descriptions) or _sidecar(path) or (None, None)
    if dates is not None:
        days = parse_dates(dates, "argument dates")
    if days is None:
        raise InputError(
            f"The dates of {path} are not known. Say them in one of three ways: open_scene(path, dates=['2018-04-29', "
            f"...]); band descriptions like '2018-04-29 B2'; or a file {dates_file(path)} with one date a line."
        )
    held = held or sensors.BANDS
    if header.count != len(days) * len(held):
        raise InputError(
            f"{path} has {header.count} layers; {len(days)} dates x {len(held)} bands ({' '.join(held)}) are "
            f"{len(days) * len(held)}. Correct the dates, or say the bands of each date in a line 'bands: B2 B3 ...' "
            f"of {dates_file(path).name}. To take some of the dates, slice the scene."
        )
    chosen = tuple(bands) if bands is not None else held
    absent = [band for band in chosen if band not in held]
    if absent:
        raise InputError(f"{path} has no band {', '.join(absent)}; it has {' '.join(held)}.")
    order = select_dates(days, None, path)
    integer = header.dtype.kind in "iu"
    file = RasterFile(path, NODATA if header.nodata is None and integer else header.nodata)
    scale = 10000.0 if integer else 1.0
    layers = [[(file, 1 + date * len(held) + held.index(band)) for band in chosen] for date in order]
    row_bytes = header.count * header.dtype.itemsize * header.grid.width
    series = RasterSeries(layers, [None] * len(order), scale, row_bytes)
    return assemble(series, chosen, days[order], header.grid, product="stack", scale=scale, **attrs)


def _described(path: Path, descriptions: Sequence[str | None]) -> tuple[pd.DatetimeIndex, tuple[str, ...]] | None:
    """Dates and bands of layer descriptions like "2018-04-29 B2"; None where not every layer has one."""
    matches = [LAYER.fullmatch((text or "").strip()) for text in descriptions]
    if not all(matches):
        return None
    layers = [(match["date"], match["band"]) for match in matches]
    dates, bands = (tuple(dict.fromkeys(part)) for part in zip(*layers, strict=True))
    if layers != [(date, band) for date in dates for band in bands]:
        raise InputError(
            f"The layers of {path} are described as {', '.join(descriptions[:3])}, ...; date-major order with the same "
            f"bands at each date is expected: all bands of the first date, then of the second."
        )
    return parse_dates(dates, path), bands


def dates_file(path: Path) -> Path:
    """The text file with dates beside a stack."""
    return path.with_suffix(".dates.txt")


def _sidecar(path: Path) -> tuple[pd.DatetimeIndex, tuple[str, ...] | None] | None:
    """Dates, and bands if said, of the text file beside a stack; None where there is none."""
    beside = dates_file(path)
    if not beside.is_file():
        return None
    try:
        lines = [line.strip() for line in beside.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{beside} cannot be read ({error}). A text file with one date a line is expected.") from error
    said = [line.partition(":")[2].split() for line in lines if line.lower().startswith("bands:")]
    dates = parse_dates([line for line in lines if not line.lower().startswith("bands:")], beside)
    if any(len(set(names)) != len(names) for names in said) or len(said) > 1:
        raise InputError(f"{beside}: one line 'bands: B2 B3 ...' with different names is expected, found {said}.")
    return dates, tuple(said[0]) if said else None
