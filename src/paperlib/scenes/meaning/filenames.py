"""Dates and bands in the names of files, folders and layers, as agencies and programs write them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from ...errors import InputError
from ..quality import letters, rule_of
from .dates_in_names import find_dates
from .names import ASIDE, band_key

#: Names whose parts have fixed places: those with two dates, or with a date that generic rules would misread.
PATTERNS: tuple[tuple[str, re.Pattern], ...] = (
    ("landsat-8", re.compile(r"L[CO]0[89]_L\w{3}_\d{6}_(?P<date>\d{8})_\d{8}_\d{2}_(?:T1|T2|RT)_(?P<band>.+)")),
    ("landsat-5", re.compile(r"L[TE]0[457]_L\w{3}_\d{6}_(?P<date>\d{8})_\d{8}_\d{2}_(?:T1|T2|RT)_(?P<band>.+)")),
    ("hls-s30", re.compile(r"HLS\.S30\.T\w{5}\.(?P<date>\d{7})T\d{6}\.v\d\.\d\.(?P<band>\w+)")),
    ("hls-l30", re.compile(r"HLS\.L30\.T\w{5}\.(?P<date>\d{7})T\d{6}\.v\d\.\d\.(?P<band>\w+)")),
    ("sentinel-2", re.compile(r"(?:L2A_)?T\d\d[A-Z]{3}_(?P<date>\d{8})T\d{6}_(?P<band>[A-Z0-9]{3})(?:_[126]0m)?")),
    ("planet", re.compile(r"(?P<date>\d{8})_\d{6}_\w+_3[AB]_(?:Analytic\w*|(?P<band>udm2?))(?:_\w+)?")),
    ("planet", re.compile(r"(?:global|ps)\w*_(?P<date>\d{4}_\d{2})_mosaic(?P<band>)[\w.-]*")),
    ("modis", re.compile(r"M[OYC]D\w+\.A(?P<date>\d{7})\.h\d\dv\d\d\.\d{3}\.\d{13}[._](?P<band>.+)")),
)
#: Layers of products whose files may not name them, by sensor, kind of file, and number of layers.
LAYERS: dict[tuple[str, str, int], tuple[str, ...]] = {
    ("planet", "", 4): ("blue", "green", "red", "nir"),
    ("planet", "", 8): ("coastal_blue", "blue", "green_i", "green", "yellow", "red", "rededge", "nir"),
    ("planet", "udm2", 8): (
        "clear", "snow", "shadow", "light_haze", "heavy_haze", "cloud", "confidence", "unusable_data",
    ),
}  # fmt: skip
#: Names that only count layers.
COUNTED = re.compile(r"(?i)(?:band|layer|lyr|\w*\.tif)?[ _.:]*(\d+)")


class Parsed(NamedTuple):
    """What a name tells: dates in their order, and the band or quality layer ("" where there is none)."""

    dates: tuple[pd.Timestamp, ...]
    band: str
    sensor: str = ""


def parse_name(text: str) -> Parsed:
    """Dates and band in a name without extension.

    >>> parse_name("MySite_20180215_B02_10m").band
    'B02'
    """
    for sensor, pattern in PATTERNS:
        match = pattern.fullmatch(text)
        if match and (dates := find_dates(match["date"])[0]):
            band = match["band"] or ""
            return Parsed(tuple(dates), find_band(band) or band, sensor)
    dates, rest = find_dates(text)
    return Parsed(tuple(dates), find_band(rest))


def find_band(text: str) -> str:
    """The part of a text that names a band, a quality layer, or a known layer that is neither; "" for none.

    Underscores, dots and spaces divide the parts; several may make one name (SR_B5, red_edge_1). The last that fits counts.
    """
    parts = [part for part in re.split(r"[_.\s]+", text) if part]
    for end in range(len(parts), 0, -1):
        for start in range(max(0, end - 3), end):
            name = "_".join(parts[start:end])
            if re.match(r"(?i)T?\d{2,}$", parts[start]) and start < end - 1:
                continue  # numbers and times begin no name
            if band_key(name) or rule_of(name) or ASIDE.match(letters(name)):
                return name
    for part in reversed(parts):
        for piece in reversed(part.split("-")):
            if piece != part and (band_key(piece) or rule_of(piece) or ASIDE.match(letters(piece))):
                return piece
    return ""


def compile_pattern(pattern: str) -> re.Pattern:
    """A user's pattern such as "{}_{date}_{band}" as a regular expression for names without extension.

    Raises `InputError` for a field that is not {date}, {band} or {}.
    """
    text, used = "", set()
    for piece in re.split(r"(\{[^{}]*\})", re.sub(r"\.(tiff?|jp2|vrt|img)$", "", pattern, flags=re.IGNORECASE)):
        field = piece[1:-1] if piece.startswith("{") else None
        if field is None:
            text += re.escape(piece)
        elif field == "":
            text += r".*?"
        elif field in ("date", "band") and field not in used:
            used.add(field)
            text += r"(?P<date>\d[\d_.-]*\d)(?:T\d{6}Z?)?" if field == "date" else r"(?P<band>[A-Za-z0-9._-]+?)"
        else:
            raise InputError(
                f"pattern = {pattern!r}: {piece} is not known, or comes twice.",
                "Give {date}, {band}, and {} for anything else, like '{}_{date}_{band}'.",
                kind="settings.scene.pattern",
            )
    if not used:
        raise InputError(
            f"pattern = {pattern!r} names neither a date nor a band.", "Give it like '{}_{date}_{band}'.",
            kind="settings.scene.pattern",
        )  # fmt: skip
    return re.compile(text)


def are_numbers(descriptions: Sequence[str | None]) -> bool:
    """Whether descriptions of layers are none, or only count them ("Band 1", "Band 2", ...)."""
    texts = [(text or "").strip() for text in descriptions]
    if not any(texts) or texts in (["Band 1"], ["band_1"]):
        return True
    matches = [COUNTED.fullmatch(text) for text in texts]
    numbers = [int(match[1]) for match in matches if match]
    return len(numbers) == len(texts) and len(texts) > 1 and numbers in (
        list(range(1, len(texts) + 1)), list(range(len(texts)))
    )  # fmt: skip
