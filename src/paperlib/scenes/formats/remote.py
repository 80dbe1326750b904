"""Images behind addresses: https, signed for Planetary Computer, and object storage such as that of Copernicus Data Space.

What an address leads to is not trusted: it is opened with the driver of GeoTIFF or JPEG 2000 alone, so that no file can send
GDAL to others, as a VRT could.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

import rasterio

from ...errors import InputError

LOCAL = ("localhost", "127.0.0.1", "::1")
#: Characters of an address in which GDAL and Python see the same parts.
ADDRESS = re.compile(r"[A-Za-z0-9._~:/?#\[\]$&'()*+,;=%-]+")
#: Planetary Computer's storage, whose addresses need a signature.
SIGNED = ".blob.core.windows.net"
#: Buckets whose service is known.
SERVICES = {"eodata": "eodata.dataspace.copernicus.eu"}
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
#: Of /vsicurl: what lies beside a file is not looked for, and a request is tried again after a second.
CURL = "/vsicurl?empty_dir=yes&max_retry=4&retry_delay=1&url="


def is_remote(href: str) -> bool:
    """Whether a text is an address, and no path."""
    return urlsplit(href).scheme in ("http", "https", "s3")


def check_remote(href: str) -> str:
    """The address, where it can be opened: https, http on this machine, or s3 with keys in the environment.

    Raises `InputError` for any other, and where a signature or keys are needed that cannot be had.
    """
    parts = urlsplit(href) if ADDRESS.fullmatch(href) else None
    if parts and parts.scheme == "s3" and parts.hostname:
        lacking = [key for key in KEYS if not os.environ.get(key)]
        if lacking:
            service = SERVICES.get(parts.hostname, "its service")
            raise InputError(
                f"{href[:200]} needs keys of {service}.",
                f"Set the environment variables {' and '.join(lacking)} to those of your account.",
                kind="remote.keys",
            )
        return href
    if not parts or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)):
        raise InputError(f"{href[:200]!r} is not opened.", "Give an https address.", kind="remote.address")
    if _needs_signature(href):
        _signer(href)
    return href


def opener_of(path: Path | str) -> Callable:
    """What opens a raster file: `open_remote` of an address, `rasterio.open` of a path."""
    return open_remote if isinstance(path, str) and is_remote(path) else rasterio.open


def open_remote(href: str, mode: str = "r") -> rasterio.DatasetReader:
    """Open an image behind an address for reading; what is read later is fetched then, piece by piece.

    Raises `InputError` as `check_remote` does, and rasterio's errors where there is no such image.
    """
    check_remote(href)
    parts = urlsplit(href)
    driver = "JP2OpenJPEG" if parts.path.lower().endswith(".jp2") else "GTiff"
    if parts.scheme != "s3":
        return rasterio.open(CURL + quote(sign(href), safe=""), mode, driver=driver)
    options = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_HTTP_MAX_RETRY": "4"}
    if parts.hostname in SERVICES and not os.environ.get("AWS_S3_ENDPOINT"):
        options |= {"AWS_S3_ENDPOINT": SERVICES[parts.hostname], "AWS_VIRTUAL_HOSTING": "FALSE"}
    with rasterio.Env(**options):
        return rasterio.open(f"/vsis3/{parts.hostname}{parts.path}", mode, driver=driver)


def _needs_signature(href: str) -> bool:
    parts = urlsplit(href)
    return str(parts.hostname).endswith(SIGNED) and "sig=" not in parts.query


def sign(href: str) -> str:
    """The address with a signature of the hour, where it needs one; the package keeps and renews it."""
    if not _needs_signature(href):
        return href
    try:
        return _signer(href)(href)
    except InputError:
        raise
    except Exception as error:  # of requests, of its retries, of pydantic: whatever the package meets
        raise InputError(
            f"{href[:200]} could not be signed ({type(error).__name__}: {str(error)[:200]}).",
            "Is the network there? Try again.",
            kind="remote.signature",
        ) from error


def _signer(href: str) -> Callable[[str], str]:
    try:
        import planetary_computer
    except ImportError as error:
        raise InputError(
            f"{href[:200]} needs a signature of Planetary Computer.",
            "Install the package that gives it: pip install 'paperlib[signing]'",
            kind="remote.signature",
        ) from error
    return planetary_computer.sign
