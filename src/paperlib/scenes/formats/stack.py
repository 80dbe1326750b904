"""GeoTIFF files of several layers: which date and band each layer is, by its description, a text beside it, or order."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import xarray as xr

from ...errors import InputError, counted
from .. import sensors
from ..meaning.choices import Choices
from ..meaning.dates import parse_dates
from ..meaning.dates_in_names import warn_of_day_first
from ..meaning.filenames import Parsed, are_numbers, parse_name
from ..rasters import Header, read_header
from .layers import LayerSource, open_layers

LAYER = re.compile(r"(?P<date>\d{4}-?\d{2}-?\d{2})[ _](?P<band>\w+)")
#: What `--pattern`, or a line "order: ..." of the text beside a stack, may say of layers that have no names.
ORDERS = {"date-major": "date-major", "band-major": "band-major", "date": "date-major", "band": "band-major"}


def open_stack(path: Path, choices: Choices) -> xr.DataArray:
    """The lazy array of `open_scene` of a GeoTIFF stack. Reads its header and dates only."""
    header = read_header(path, any_grid=True)
    parsed = parse_name(path.name[: -len(path.suffix)])
    parsed = parsed._replace(dates=parsed.dates[:1])
    layers = name_layers(path, header, parsed, choices, given=True)
    # Of a stack, dates that are given name its layers; to take some of them, slice the scene.
    unnamed = are_numbers(header.descriptions) and header.layers > 1 and choices.pattern not in ORDERS
    choices, sensor = replace(choices, dates=None), choices.sensor or parsed.sensor
    return open_layers(layers, choices, sensor, "stack", str(path), unnamed)


def name_layers(
    path: Path, header: Header, parsed: Parsed, choices: Choices, item: Sequence[str] = (),
    default: tuple[float, float] | None = None, given: bool = False,
) -> list[LayerSource]:  # fmt: skip
    """Date and name of each layer of a file.

    Parameters
    ----------
    parsed: what the name of the file tells.
    item: names of the layers that a description beside the file gives.
    default: gain and offset of the product.
    given: whether `choices.dates` are those of the layers.

    Raises `InputError` where dates or names are not known, or do not fit the number of layers.
    """
    beside = _sidecar(path)
    days = parse_dates(choices.dates, "argument dates") if given and choices.dates is not None else beside[0]
    dates, names = _described(header.descriptions)
    warn_of_day_first(filter(None, header.descriptions), str(path))
    if item and not all(names):
        names = list(item)
    if all(names) and not all(dates):
        dates = _dates_by_name(path, names, days, parsed, given)
    elif all(dates) and not all(names):
        names = _names_by_date(path, dates, parsed, beside[1], choices)
    elif not all(dates):
        dates, names = _unnamed(path, header, days, parsed, beside, choices, given)
    sources = [
        LayerSource(path, index, time, name, default)
        for index, (time, name) in enumerate(zip(dates, names, strict=True), start=1)
    ]
    twice = [key for key, count in Counter((source.time, source.name) for source in sources).items() if count > 1]
    if twice:
        raise InputError(
            f"Dates of {path}: band {twice[0][1]} of {twice[0][0]:%Y-%m-%d} comes twice.",
            "Each layer needs a date and a band of its own.", kind="scene.layers",
        )  # fmt: skip
    return sources


def _described(descriptions: Sequence[str | None]) -> tuple[list, list]:
    """Dates and names that descriptions of layers tell, None and "" where they tell none."""
    if are_numbers(descriptions):
        return [None] * len(descriptions), [""] * len(descriptions)
    dates, names = [], []
    for text in ((text or "").strip() for text in descriptions):
        match = LAYER.fullmatch(text)
        parsed = parse_name(text)
        name = match["band"] if match and parsed.dates else parsed.band or ("" if parsed.dates else text)
        dates.append(parsed.dates[0] if parsed.dates else None)
        names.append(name)
    return dates, names


def _dates_by_name(path: Path, names: Sequence[str], days, parsed: Parsed, given: bool) -> list[pd.Timestamp]:
    """Dates of named layers: each name comes once a date, in order."""
    seen: Counter[str] = Counter()
    turns = []
    for name in names:
        turns.append(seen[name])
        seen[name] += 1
    count = max(seen.values())
    if days is None and count == 1 and parsed.dates:
        days = pd.DatetimeIndex(parsed.dates[:1])
    if days is None:
        raise _unknown_dates(path, given)
    if set(seen.values()) != {len(days)}:
        uneven = ", ".join(f"{name} {number}" for name, number in seen.items())
        raise InputError(
            f"{path} has {counted(len(names), 'layer')}, by name {uneven}; there are {counted(len(days), 'date')}.",
            f"Correct the dates, or the descriptions of the layers, or {dates_file(path).name}.", kind="scene.layers",
        )  # fmt: skip
    return [days[turn] for turn in turns]


def _names_by_date(path: Path, dates, parsed: Parsed, said, choices: Choices) -> list[str]:
    """Names of dated layers: the band of the file, or each date has the same bands in order."""
    seen: Counter[pd.Timestamp] = Counter()
    turns = []
    for date in dates:
        turns.append(seen[date])
        seen[date] += 1
    count = max(seen.values())
    held = (parsed.band,) if parsed.band and count == 1 else said or choices.bands
    if held is None or len(held) != count:
        raise InputError(
            f"{path} has layers with dates, {count} a date, and nothing tells their bands.",
            "Name them in order with --bands, like --bands B2,B3,B4.", kind="scene.bands",
        )  # fmt: skip
    return [held[turn] for turn in turns]


def _unnamed(path: Path, header: Header, days, parsed: Parsed, beside, choices: Choices, given: bool):
    """Dates and names of layers that have neither: by their order."""
    _, said, order = beside
    if days is None and parsed.dates:
        days = pd.DatetimeIndex(parsed.dates[:1])
    if days is None:
        raise _unknown_dates(path, given)
    asked = choices.bands if choices.bands and header.layers == len(days) * len(choices.bands) else None
    band = (parsed.band,) if parsed.band and header.layers == len(days) else None
    if not (said or asked or band or given) and header.layers != len(days) * len(sensors.BANDS):
        raise InputError(
            f"{path} has {counted(header.layers, 'layer')} without names; the bands are not known.",
            f"Name all {header.layers // len(days)} in order with --bands, like --bands B1,B2,B3,...", kind="scene.bands",
        )  # fmt: skip
    held = said or band or asked or sensors.BANDS
    if header.layers != len(days) * len(held):
        raise InputError(
            f"{path} has {counted(header.layers, 'layer')}; {counted(len(days), 'date')} x {counted(len(held), 'band')} "
            f"({' '.join(held)}) are {len(days) * len(held)}.",
            f"Correct the dates, or say the bands of each date in a line 'bands: B2 B3 ...' of {dates_file(path).name}.",
            kind="scene.layers",
        )
    order = ORDERS.get(choices.pattern, order)
    if order == "band-major":
        return list(days) * len(held), [name for name in held for _ in days]
    return [day for day in days for _ in held], list(held) * len(days)


def _unknown_dates(path: Path, given: bool) -> InputError:
    if not given:
        return InputError(
            f"{path}: no date is found in its name, in those of its folders, or in its layers.",
            "Say where it stands, like --pattern '{}_{date}_{band}'; dates like 20180215 or 2018-02-15 are understood. "
            "If it is no image of the series, take it away.",
            kind="scene.dates",
        )
    return InputError(
        f"The dates of {path} are not known.",
        f"Write them into a file {dates_file(path)}, one date a line, or into the layer descriptions, like '2018-04-29 B2'.",
        kind="scene.dates",
    )


def dates_file(path: Path) -> Path:
    """The text file with dates beside a stack."""
    return path.with_suffix(".dates.txt")


def _sidecar(path: Path) -> tuple[pd.DatetimeIndex | None, tuple[str, ...] | None, str]:
    """Dates, bands and order by the text file beside a stack; None, None and "date-major" where there is none."""
    beside = dates_file(path)
    if not beside.is_file():
        return None, None, "date-major"
    try:
        lines = [line.strip() for line in beside.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{beside} cannot be read ({error}).", "A text file with one date a line is expected.", kind="scene.dates"
        ) from error
    bands: list[list[str]] = []
    orders: list[list[str]] = []
    days: list[str] = []
    for line in lines:
        key, _, rest = line.partition(":")
        if key.lower() in ("bands", "order") and rest:
            (bands if key.lower() == "bands" else orders).append(rest.split())
        elif line.lower().startswith("bands:"):
            bands.append([])
        else:
            days.append(line)
    dates = parse_dates(days, beside)
    if any(len(set(names)) != len(names) for names in bands) or len(bands) > 1:
        raise InputError(
            f"{beside}: the lines of bands are {bands}.", "One line 'bands: B2 B3 ...' with different names is expected.",
            kind="scene.bands",
        )  # fmt: skip
    order = ORDERS.get(" ".join(orders[0]) if orders else "date")
    if order is None or len(orders) > 1:
        raise InputError(
            f"{beside}: order {orders} is not understood.",
            "Write 'order: date-major' or 'order: band-major'.",
            kind="scene.order",
        )
    return dates, tuple(bands[0]) or None if bands else None, order
