"""A folder of image files: one a date and band, one a date, or one a band, told apart by their names."""

import json
import re
import warnings
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pandas as pd
import xarray as xr

from ...errors import InputError, InputWarning, counted
from ..meaning.choices import Choices
from ..meaning.dates_in_names import find_dates, warn_of_day_first
from ..meaning.filenames import LAYERS, Parsed, compile_pattern, parse_name
from ..meaning.names import ASIDE, band_rank
from ..meaning.values import LANDSAT_GAIN, LANDSAT_OFFSET
from ..quality import letters
from ..rasters import Header, read_header
from .layers import LayerSource, join_sensors, open_layers
from .stac_items import IMAGES
from .stack import name_layers

#: Files may lie in the folder itself, in its folders, or deeper.
DEEPEST = 4
ENVI = (".dat", ".bsq", ".bil", ".bip")
LANDSAT_BAND = re.compile(r"(?i)SR_B\d$")


def find_images(folder: Path) -> list[Path]:
    """Image files in a folder and its folders, in the order of their names."""
    places = ["/".join(["*"] * depth) for depth in range(1, DEEPEST + 1)]
    return sorted({path for place in places for path in folder.glob(place) if _is_image(path)})


def _is_image(path: Path) -> bool:
    """Whether a file is an image by its name; files of ENVI have a header beside, hidden files are other programs' notes."""
    suffix = path.suffix.lower()
    envi = suffix in ENVI and any(header.is_file() for header in (path.with_suffix(".hdr"), Path(f"{path}.hdr")))
    return (suffix in IMAGES or envi) and not path.name.startswith(".") and path.is_file()


def open_loose(folder: Path, choices: Choices) -> xr.DataArray:
    """The lazy array of `scene.open_scene` of a folder of image files.

    Raises `InputError` for a file whose date or layers cannot be told, with an example and the option that tells them.
    """
    paths = find_images(folder)
    parsed = dict(zip(paths, _parse(folder, paths, choices), strict=True))
    aside = [path for path in paths if ASIDE.match(letters(parsed[path].band))]
    if aside:
        names = ", ".join(dict.fromkeys(parsed[path].band for path in aside))
        warnings.warn(
            InputWarning(
                f"{folder}: {counted(len(aside), f'file of {names} is', f'files of {names} are')} left out, "
                f"like {aside[0].name}.",
                "They hold no reflectance; to read one all the same, name it with --bands.",
                kind="scene.left_out",
            ),
            stacklevel=3,
        )
    paths = [path for path in paths if path not in aside or parsed[path].band in (choices.bands or ())]
    found: dict[str, list[LayerSource]] = {}
    for path in paths:
        found.setdefault(parsed[path].sensor, []).extend(_layers(path, parsed[path], choices))
    sensors = set(found) - {""}
    sources = join_sensors(found, str(folder)) if not choices.sensor else list(chain(*found.values()))
    sources.sort(key=lambda source: band_rank(source.name))
    if not sources:
        raise InputError(f"{folder} holds no image of a band.", "Give a folder of GeoTIFF files.", kind="scene.bands")
    sensor = choices.sensor or (sensors.pop() if len(sensors) == 1 else "")
    return open_layers(sources, choices, sensor, "files", str(folder))


def _parse(folder: Path, paths: Sequence[Path], choices: Choices) -> list[Parsed]:
    """Date and band of each file, from its name, else from the folders it lies in."""
    pattern = compile_pattern(choices.pattern) if choices.pattern else None
    parsed = []
    for path in paths:
        name = path.name[: -len(path.suffix)]
        if pattern is not None:
            match = pattern.fullmatch(name)
            if not match:
                raise InputError(
                    f"{path} does not fit the pattern {choices.pattern!r}.",
                    "Correct --pattern, or take the file away.", kind="scene.pattern",
                )  # fmt: skip
            fields = match.groupdict()
            dates = parse_name(fields.get("date") or "").dates
            if "date" in fields and not dates:
                raise InputError(
                    f"{path}: {fields['date']!r} is no date, by the pattern {choices.pattern!r}.",
                    "Dates like 20180215, 2018-02-15 or 2018046 are expected.", kind="scene.dates",
                )  # fmt: skip
            parsed.append(Parsed(dates, fields.get("band") or ""))
            continue
        parsed.append(parse_name(name))
    if pattern is None:
        warn_of_day_first((path.name for path in paths), str(folder))
    place = _date_place([each.dates for each in parsed])
    result = []
    for path, each in zip(paths, parsed, strict=True):
        dates, band = each.dates, each.band
        for parent in path.relative_to(folder).parents:
            if parent != Path():
                above = parse_name(parent.name)
                dates, band = dates or above.dates, band or above.band
        dates = dates or tuple(find_dates(path.relative_to(folder).parent.as_posix())[0])
        result.append(Parsed(dates[place : place + 1] or dates[:1], band, each.sensor))
    return result


def _date_place(found: Sequence[Sequence[pd.Timestamp]]) -> int:
    """Which of several dates of a name counts: the first that is not the same in all files, as a day of processing is."""
    counts = {len(dates) for dates in found}
    if len(counts) == 1 and (count := counts.pop()) > 1:
        for place in range(count):
            if len({dates[place] for dates in found}) > 1:
                return place
    return 0


def _layers(path: Path, parsed: Parsed, choices: Choices) -> list[LayerSource]:
    header = read_header(path, any_grid=True)
    item = _item_bands(path, header) or LAYERS.get((parsed.sensor, parsed.band, header.layers), ())
    return name_layers(path, header, parsed, choices, item, _default(parsed))


def _default(parsed: Parsed) -> tuple[float, float] | None:
    """Gain and offset of Landsat's Collection 2, which its files do not declare."""
    if parsed.sensor.startswith("landsat") and LANDSAT_BAND.match(parsed.band):
        return LANDSAT_GAIN, LANDSAT_OFFSET
    return None


def _item_bands(path: Path, header: Header) -> tuple[str, ...]:
    """Names of the layers by a STAC item beside the file; none where there is no such item."""
    for beside in (Path(f"{path}.json"), path.with_suffix(".json")):
        if not beside.is_file():
            continue
        try:
            assets = json.loads(beside.read_text(encoding="utf-8-sig")).get("assets", {})
            for asset in assets.values():
                if Path(str(asset.get("href", ""))).name == path.name:
                    bands = asset.get("eo:bands") or asset.get("bands") or asset.get("raster:bands") or []
                    names = tuple(str(band.get("name", "")) for band in bands)
                    if len(names) == header.layers and all(names):
                        return names
        except (OSError, ValueError, AttributeError, TypeError):
            continue  # another program's file: the names are looked for elsewhere
    return ()
