"""STAC items in a JSON file (one, or an item collection) whose images lie on disk or behind addresses."""

import json
import re
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pandas as pd
import xarray as xr

from ...errors import InputError, counted
from ..meaning.choices import Choices
from ..meaning.names import ASIDE, band_key
from ..meaning.values import LANDSAT_GAIN, LANDSAT_OFFSET
from ..quality import letters, rule_of
from ..rasters import read_header
from ..sensors import sensor_named
from .layers import LayerSource, join_sensors, open_layers
from .remote import check_remote, opener_of

IMAGES = (".tif", ".tiff", ".jp2", ".vrt", ".img")
#: Collections and items of HLS, whose two sensors give one number to different bands.
HLS = re.compile(r"(?i)hls\.?([ls]30)")
#: Roles of assets that are no data.
OTHER_ROLES = {"thumbnail", "overview", "metadata", "visual"}


def read_items(path: Path) -> list[dict[str, Any]]:
    """The items of a file. Raises `InputError` where it holds none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is no valid JSON ({error}).", "Write it again.", kind="scene.unreadable") from error
    items = content.get("features", [content]) if isinstance(content, dict) else content
    items = [item for item in items if isinstance(item, dict) and isinstance(item.get("assets"), dict)] if items else []
    if not items:
        raise InputError(
            f"{path} holds no STAC item.", "Give an item, or an item collection (a FeatureCollection of items).",
            kind="scene.stac",
        )  # fmt: skip
    return items


def open_items(path: Path, choices: Choices) -> xr.DataArray:
    """The lazy array of `scene.open_scene` of the images that items name, on disk or behind addresses."""
    found: dict[str, list[LayerSource]] = {}
    for item in read_items(path):
        sensor, layers = item_layers(path, item)
        found.setdefault(sensor, []).extend(layers)
    sources = join_sensors(found, str(path)) if not choices.sensor else list(chain(*found.values()))
    if not sources:
        raise InputError(
            f"{path}: no asset of its items is an image of a band.", "Give other items.", kind="scene.stac"
        )
    (sensor,) = found if len(found) == 1 else ("",)
    return open_layers(sources, choices, choices.sensor or sensor, "stac", str(path))


def item_layers(path: Path, item: dict[str, Any]) -> tuple[str, list[LayerSource]]:
    """The sensor of an item, "" where it is not known, and the layers of its images; `path` is the file of the item.

    Values of Landsat's surface reflectance are those of Collection 2 where the item declares nothing. Raises `InputError`
    for an item without a date and for images that cannot be opened.
    """
    sensor, time, layers = _sensor(item), _time(path, item), []
    for name, asset in _data(item["assets"]).items():
        for layer in _layers(path, name, asset, time):
            numbers = sensor.startswith("landsat") and band_key(layer.name) and layer.default is None
            layers.append(replace(layer, default=(LANDSAT_GAIN, LANDSAT_OFFSET)) if numbers else layer)
    return sensor, layers


def asset_path(path: Path, asset: dict[str, Any]) -> Path | str:
    """Where the image of an asset lies: a path, or an address as text.

    Raises `InputError` for an address that is not opened, see `remote.check_remote`.
    """
    href = str(asset.get("href", ""))
    address = urlsplit(href)
    if address.scheme not in ("", "file") or href.startswith("//"):
        return check_remote(href)
    place = Path(unquote(address.path))
    return place if place.is_absolute() else path.parent / place


def _time(path: Path, item: dict[str, Any]) -> pd.Timestamp:
    properties = item.get("properties") or {}
    text = properties.get("datetime") or properties.get("start_datetime")
    try:
        return pd.Timestamp(str(text)).tz_localize(None).normalize() if text else pd.Timestamp(None)
    except (ValueError, TypeError):
        try:
            return pd.Timestamp(str(text)).tz_convert(None).normalize()
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{path}: item {item.get('id')} has no date ({text!r}).", "Dates like 2018-08-15 are expected.",
                kind="scene.dates",
            ) from error  # fmt: skip


def _sensor(item: dict[str, Any]) -> str:
    properties = item.get("properties") or {}
    for name in (item.get("collection"), item.get("id")):
        if match := HLS.match(str(name)):
            return f"hls-{match[1].lower()}"
    for key in ("platform", "constellation", "eo:platform"):
        try:
            return sensor_named(str(properties.get(key))).name
        except InputError:
            continue
    return ""


def _data(assets: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Assets that are images of data; a copy in JPEG 2000 beside another is left out, as Earth Search has them."""
    return {
        name: asset
        for name, asset in assets.items()
        if isinstance(asset, dict)
        and Path(urlsplit(str(asset.get("href", ""))).path).suffix.lower() in IMAGES
        and not OTHER_ROLES & set(asset.get("roles") or ())
        and not (name.endswith("-jp2") and name.removesuffix("-jp2") in assets)
        and not ASIDE.match(letters(name))
    }


def _layers(path: Path, name: str, asset: dict[str, Any], time: pd.Timestamp) -> list[LayerSource]:
    place = asset_path(path, asset)
    described = asset.get("eo:bands") or asset.get("bands") or []
    rasters = asset.get("raster:bands") or asset.get("bands") or []
    names = [str(band.get("name", "")) for band in described if isinstance(band, dict)]
    if len(names) > 1:
        if read_header(place, True, opener_of(place)).layers != len(names):
            raise InputError(
                f"{path}: asset {name} names {counted(len(names), 'band')}; {place} has another number.",
                "Correct the item.", kind="scene.stac",
            )  # fmt: skip
    else:
        names = [name if band_key(name) or rule_of(name) or not names else names[0]]
    layers = []
    for index, band in enumerate(names, start=1):
        about = rasters[index - 1] if len(rasters) >= index and isinstance(rasters[index - 1], dict) else {}
        scale, offset, nodata = (about.get(f"raster:{key}", about.get(key)) for key in ("scale", "offset", "nodata"))
        default = (float(scale or 1), float(offset or 0)) if scale not in (None, 1) or offset else None
        layers.append(LayerSource(place, index, time, band, default, _number(nodata)))
    return layers


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None
