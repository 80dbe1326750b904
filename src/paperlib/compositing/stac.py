"""Search a STAC service for Sentinel-2 L2A: which acquisitions a tile or an area has in the months of a year.

The services name bands, scale and offset differently; `acquisition_of_item` brings them together. What a service says is not
trusted: only addresses on its own hosts, or on hosts the user allows, are ever opened, and nothing of it names a file.
"""

import math
import re
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pandas as pd
from pystac_client import Client
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from rasterio.warp import transform, transform_bounds
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from ..errors import InputError
from ..scenes.formats.l2a import Acquisition, BandFile, offset_of
from ..scenes.formats.remote import SERVICES, check_remote
from ..scenes.meaning.dates import parse_dates
from ..scenes.sensors import BANDS
from . import acquisitions

ENDPOINT = "https://earth-search.aws.element84.com/v1"
COLLECTION = "sentinel-2-l2a"
#: Hosts of the images of services, beside the service's own.
HOSTS = {
    "earth-search.aws.element84.com": (
        "sentinel-cogs.s3.us-west-2.amazonaws.com",
        "e84-earth-search-sentinel-data.s3.us-west-2.amazonaws.com",  # of the collection sentinel-2-c1-l2a
    ),
    "planetarycomputer.microsoft.com": (
        "sentinel2l2a01.blob.core.windows.net",
        "landsateuwest.blob.core.windows.net",
        "hls2euwest.blob.core.windows.net",
    ),
    "stac.dataspace.copernicus.eu": ("download.dataspace.copernicus.eu", "eodata.dataspace.copernicus.eu"),
}
LOCAL = ("localhost", "127.0.0.1", "::1")
#: Names of the bands, in the order of `sensors.BANDS`, and of the SCL: Earth Search, Planetary Computer, CDSE.
NAMES = (
    "blue green red nir rededge1 rededge2 rededge3 nir08 swir16 swir22 scl",
    "B02 B03 B04 B08 B05 B06 B07 B8A B11 B12 SCL",
    "B02_10m B03_10m B04_10m B08_10m B05_20m B06_20m B07_20m B8A_20m B11_20m B12_20m SCL_20m",
)
TILE = re.compile(r"(?:MGRS-)?T?(?P<tile>(?:0?[1-9]|[1-5]\d|60)[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V])")
#: Characters of an address in which GDAL and Python see the same parts.
ADDRESS = re.compile(r"[A-Za-z0-9._~:/?#\[\]$&'()*+,;=%-]+")
RETRIES, TIMEOUT = 5, 60  # seconds
PAGE, MOST = 100, 10000  # items


def tile_name(text: str) -> str:
    """A tile as files name it, "T31TCJ", of "31TCJ", "T31TCJ" or "MGRS-31TCJ". Raises `InputError` for anything else."""
    match = TILE.fullmatch(str(text))
    if not match:
        raise InputError(
            f"{str(text)[:40]!r} is no Sentinel-2 tile.", "A name like 31TCJ is expected.", kind="fetch.tile"
        )
    return f"T{match['tile']:0>5}"


def tile_bounds(tile: str) -> tuple[int, tuple[float, float, float, float]]:
    """EPSG code of a tile, and left, bottom, right, top in its metres: 109.8 km wide, named by the square at its top left.

    The letters of a square recur every 2000 km northwards; the latitude band tells which is meant.
    """
    name = tile_name(tile)
    zone, band, column, row = int(name[1:3]), name[3], name[4], name[5]
    columns = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")[zone % 3]
    if column not in columns:
        raise InputError(
            f"{tile} is no Sentinel-2 tile: the squares of zone {zone} begin with one of {columns}.",
            "Correct --tile.",
            kind="fetch.tile",
        )
    north = 100_000 * (("ABCDEFGHJKLMNPQRSTUV".index(row) - (5 if zone % 2 == 0 else 0)) % 20)
    epsg = (32600 if band >= "N" else 32700) + zone
    latitude = -76 + 8 * "CDEFGHJKLMNPQRSTUVWX".index(band)  # the middle of the band
    _, (middle,) = transform("EPSG:4326", f"EPSG:{epsg}", [6 * zone - 183], [latitude])
    north += 2_000_000 * round((middle - north) / 2_000_000)
    left, top = 100_000 * (columns.index(column) + 1), north + 100_000
    return epsg, (left, top - 109_800, left + 109_800, top)


def search(
    dates: Iterable,
    tile: str | None = None,
    bbox: Collection[float] | None = None,
    endpoint: str = ENDPOINT,
    collection: str = COLLECTION,
    hosts: Collection[str] = (),
    window_days: float = 46,
) -> list[Acquisition]:
    """Acquisitions of a tile, an area (west, south, east, north in degrees) or both, within half a window of the dates.

    `hosts`: from which images may be read, beside those of the endpoint. An item that cannot be used (an asset is
    missing, its reflectance offset is not known, an address lies elsewhere) is left out with a warning.
    Raises `InputError` when the service cannot be reached or refuses after retries, and when nothing usable is found.
    """
    found = find_items(dates, tile, bbox, endpoint, (collection,), hosts, window_days)
    wanted = None if tile is None else tile_name(tile)
    items = [item for item in found.items if wanted is None or _tile(item) == wanted]
    return acquisitions.keep_usable(lambda item: acquisition_of_item(item, found.allowed), items, found.where)


class Found(NamedTuple):
    """What a search gives: items as parsed JSON, the hosts that images may lie on, the search in words, and its source."""

    items: list[dict[str, Any]]
    allowed: frozenset[str]
    where: str
    source: str


def find_items(
    dates: Iterable,
    tile: str | None,
    bbox: Collection[float] | None,
    endpoint: str,
    collections: Collection[str],
    hosts: Collection[str] = (),
    window_days: float = 46,
) -> Found:
    """Items of collections in a tile's extent or an area, within half a window of the dates, as they come.

    Raises `InputError` when the service cannot be reached or refuses after retries.
    """
    days = parse_dates(dates, "argument dates").sort_values()
    if tile is None and bbox is None:
        raise InputError(
            "Neither a tile nor an area is given.",
            "Say where: a tile like 31TCJ, or an area as west, south, east, north in degrees.",
            kind="fetch.place",
        )
    wanted = None if tile is None else tile_name(tile)
    if bbox is None:
        assert wanted is not None
        epsg, box = tile_bounds(wanted)
        bbox = transform_bounds(f"EPSG:{epsg}", "EPSG:4326", *box)
    allowed = allowed_hosts(endpoint, hosts)
    half = pd.Timedelta(days=window_days / 2)
    period = f"{days[0] - half:%Y-%m-%d}T00:00:00Z/{days[-1] + half:%Y-%m-%d}T23:59:59Z"
    service = StacApiIO(timeout=TIMEOUT)
    # Only these can be asked, whatever the service's links or redirects say.
    service.session.adapters.clear()
    retry = Retry(
        RETRIES, backoff_factor=acquisitions.PAUSE, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None,
        respect_retry_after_header=False,
    )  # fmt: skip
    own = urlsplit(endpoint)
    service.session.mount(f"{own.scheme}://{own.netloc}/", HTTPAdapter(max_retries=retry))
    try:
        client = Client.open(endpoint, stac_io=service)
        found = client.search(
            collections=list(collections), bbox=list(bbox), datetime=period, limit=PAGE, max_items=MOST + 1
        )
        items = list(found.items_as_dicts())
    # pystac-client raises NotImplementedError where a service does not say that it can be searched, and the errors of
    # Python itself where an answer lacks what it expects
    except (APIError, NotImplementedError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{endpoint} gave no answer that can be used ({str(error)[:300] or type(error).__name__}).",
            "Is it a STAC API, and is the network there? Try again, or name another one with --endpoint.",
            kind="fetch.service",
        ) from error
    if len(items) > MOST:
        raise InputError(
            f"More than {MOST} items answer the search.",
            "Ask for a smaller area, or for fewer dates.",
            kind="fetch.items",
        )
    place = f"{wanted or 'area'} {tuple(round(one, 3) for one in bbox)}"
    source = f"{endpoint}, collection {', '.join(collections)}"
    return Found(items, allowed, f"{source}, {place}, {period}", source)


def allowed_hosts(endpoint: str, hosts: Collection[str] = ()) -> frozenset[str]:
    """Hosts of an endpoint, of its images, and those the user allows. Raises `InputError` for an endpoint without one."""
    host = urlsplit(endpoint).hostname
    if not host:
        raise InputError(
            f"{endpoint} is no address of a service.", f"One like {ENDPOINT} is expected.", kind="fetch.address"
        )
    allowed = frozenset({host, *HOSTS.get(host, ()), *hosts})
    check_address(endpoint, allowed)
    return allowed


def _bucket_service(href: object) -> str:
    """The service of a known bucket that an address names; "" for any other address."""
    return SERVICES.get(href.split("/")[2], "") if isinstance(href, str) and href.startswith("s3://") else ""


def check_address(href: str, allowed: Collection[str]) -> str:
    """The address if it is https (or http on this machine) and on an allowed host, or in an allowed service's bucket.

    Raises `InputError` otherwise, and for a bucket without keys in the environment.
    """
    if _bucket_service(href) in allowed:
        return check_remote(href)
    parts = host = None
    try:
        parts = urlsplit(href) if isinstance(href, str) and ADDRESS.fullmatch(href) else None
        host = parts.hostname if parts else None
    except ValueError:  # of an address that is none
        pass
    if not parts or not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOCAL)):
        raise InputError(f"{str(href)[:200]!r} is not opened.", "An https address is expected.", kind="fetch.address")
    if host not in allowed:
        raise InputError(
            f"{href[:200]!r} is not opened: its host is none of {', '.join(sorted(allowed))}.",
            "Allow it with --host, if you trust it.",
            kind="fetch.address",
        )
    return href


def _tile(item: dict) -> str | None:
    """The tile that an item says it shows, if it says a valid one."""
    own = item.get("properties") or {}
    square = "".join(str(own.get(f"mgrs:{part}", "")) for part in ("utm_zone", "latitude_band", "grid_square"))
    for text in (own.get("grid:code"), own.get("s2:mgrs_tile"), square):
        if text and TILE.fullmatch(str(text)):
            return tile_name(text)
    return None


def acquisition_of_item(item: dict, allowed: Collection[str]) -> Acquisition:
    """The acquisition that a STAC item (as parsed JSON) describes; `allowed` are the hosts its files may lie on.

    Raises `InputError` that names the item for one that cannot be used.
    """
    name = re.sub(r"[^ -~]", "?", str(item.get("id")))[:80]  # it is shown, and kept in metadata
    try:
        own, assets = item["properties"], item["assets"]
        tile = _tile(item)
        moment = pd.to_datetime(str(own["datetime"] or "NaT"), utc=True)
        if tile is None or pd.isna(moment):
            raise InputError("it says no tile or no date", kind="fetch.item")
        date = moment.tz_localize(None).normalize()
        *names, scl = max((names.split() for names in NAMES), key=lambda names: len(assets.keys() & {*names}))
        lacking = [asset for asset in (*names, scl) if asset not in assets]
        if lacking:
            raise InputError(f"it has no asset {', '.join(lacking)}", kind="fetch.item")
        version = float(own.get("s2:processing_baseline") or own.get("processing:version") or 0)
        bands = {
            band: BandFile(
                check_address(asset_address(assets[asset], allowed), allowed),
                *_scale_and_offset(own, version, assets[asset]),
            )
            for band, asset in zip(BANDS, names, strict=True)
        }
        masks = {"SCL": check_address(asset_address(assets[scl], allowed), allowed)}
        platform = str(own.get("platform", "")).upper()[-2:]
        return Acquisition(name, platform, date, tile, version, bands, masks)
    except InputError as error:
        raise InputError(f"item {name!r}: {error.problem}", error.fix, kind="fetch.item") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(
            f"item {name!r} is no valid Sentinel-2 L2A item ({type(error).__name__}: {error})", kind="fetch.item"
        ) from error


def asset_address(asset: dict, allowed: Collection[str]) -> str:
    """Where an asset lies: in a bucket whose service is allowed, as CDSE's is; else by https where it lies there too."""
    href = asset["href"]
    if _bucket_service(href) in allowed:
        return href
    return href if href.startswith("http") else asset.get("alternate", {}).get("https", {}).get("href", href)


def _scale_and_offset(own: dict, version: float, asset: dict) -> tuple[float, float]:
    """Scale and offset of a band asset.

    Earth Search declares an offset of -0.1 even where it has applied it to the values, and for baselines that have none;
    its own mark and the baseline count more. Without a declared one, the baseline decides.
    """
    declared = {**(asset.get("raster:bands") or asset.get("bands") or [{}])[0], **asset}
    scale = float(declared.get("raster:scale", declared.get("scale", 1e-4)))
    offset, by_rule = declared.get("raster:offset", declared.get("offset")), offset_of(version)
    if own.get("earthsearch:boa_offset_applied") is True or by_rule == 0:
        offset = 0.0
    elif offset is None:
        offset = by_rule
    if offset is None:
        raise InputError(
            "neither an offset nor a processing baseline is given, so its reflectance is not known", kind="fetch.item"
        )
    if not (0 < scale <= 0.01 and math.isfinite(float(offset)) and abs(float(offset)) <= 1):
        raise InputError(f"its scale {scale} and offset {offset} give no reflectance", kind="fetch.item")
    return scale, float(offset)
