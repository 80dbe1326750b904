"""Products of Sentinel-2 L2A on disk, of ESA (.SAFE) and of Theia: where bands and masks lie, what their values mean."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pandas as pd
import xarray as xr

from ...errors import InputError
from ..meaning.choices import Choices
from ..rasters import NODATA
from ..sensors import BANDS
from .layers import LayerSource, open_layers
from .theia import LARGEST, QUANTIFICATION, read_scale

THEIA = re.compile(
    r"SENTINEL(?P<platform>2[A-Z])_(?P<date>\d{8})-\d{6}-\d{3}_L2A_(?P<tile>T\w{5})_[A-Z]_V(?P<v>\d+-\d+)"
)
SAFE = re.compile(r"S(?P<platform>2[A-Z])_MSIL2A_(?P<date>\d{8})T\d{6}_N(?P<v>\d{4})_R\d{3}_(?P<tile>T\w{5})_\w+\.SAFE")
#: From this processing baseline on, stored values are 1000 higher; 99.99 is that of users' own processing.
OFFSET_SINCE, OFFSET, OWN = 4.0, -0.1, 99.99


class BandFile(NamedTuple):
    """One band: reflectance is stored value x scale + offset, except where `nodata` is stored."""

    href: str  # a path, or an address that starts with http
    scale: float = 1 / QUANTIFICATION
    offset: float = 0.0
    nodata: int = 0


class Acquisition(NamedTuple):
    """One tile at one passage of one satellite."""

    name: str
    platform: str  # "2A"
    date: pd.Timestamp  # the day
    tile: str  # "T31TCJ"
    version: float  # processing baseline or product version; 0 where not known
    bands: dict[str, BandFile]  # of `sensors.BANDS`, each
    masks: dict[str, str]  # "SCL" (20 m), or of Theia "CLM" and maybe "MG2" (10 m), and where it lies


def offset_of(version: float) -> float | None:
    """The reflectance offset of a processing baseline by ESA's rule; None for an unknown one."""
    if not 0 < version < OWN:
        return None
    return OFFSET if version >= OFFSET_SINCE else 0.0


def newest(acquisitions: Iterable[Acquisition]) -> list[Acquisition]:
    """The acquisitions by date; of one tile, day and satellite only those of the highest baseline.

    Catalogues hold products beside their reprocessed versions. Parts of one passage have one baseline, so all stay.
    """
    acquisitions = sorted(acquisitions, key=lambda acquisition: (acquisition.date, acquisition.name))
    best: dict[tuple, float] = {}
    for acquisition in acquisitions:
        key = acquisition.tile, acquisition.date, acquisition.platform
        best[key] = max(best.get(key, 0), acquisition.version)
    return [
        acquisition
        for acquisition in acquisitions
        if acquisition.version == best[acquisition.tile, acquisition.date, acquisition.platform]
    ]


def find_folders(folder: Path) -> list[Path]:
    """Product folders: the folder itself, those in it, and those in theirs."""
    places = sorted({folder.absolute(), *folder.absolute().glob("*"), *folder.absolute().glob("*/*")})
    return [path for path in places if path.is_dir() and (THEIA.fullmatch(path.name) or SAFE.fullmatch(path.name))]


def open_l2a(folder: Path, choices: Choices) -> xr.DataArray:
    """The lazy array of `scene.open_scene` of the L2A products in a folder; SCL, or Theia's CLM, masks clouds.

    Raises `InputError` for a product without a needed file.
    """
    sources = [
        LayerSource(Path(band.href), 1, product.date, name, (band.scale, band.offset), float(band.nodata))
        for product in newest(map(read_product, find_folders(folder)))
        for name, band in product.bands.items()
    ]
    masks = [
        LayerSource(Path(product.masks[name]), 1, product.date, name)
        for product in newest(map(read_product, find_folders(folder)))
        for name in ("SCL", "CLM")
        if name in product.masks
    ]
    return open_layers(sources + masks, choices, choices.sensor or "sentinel-2", "l2a", str(folder))


def read_product(path: Path) -> Acquisition:
    """The acquisition in a product folder. Raises `InputError` where a needed file is missing or not valid."""
    theia = THEIA.fullmatch(path.name)
    match = theia or SAFE.fullmatch(path.name)
    assert match is not None, "the caller found a product by its name"
    try:
        date = pd.Timestamp(match["date"])
    except ValueError as error:
        raise InputError(
            f"{path}: {match['date']} in its name is no date (YYYYMMDD).", "Get the product again.", kind="scene.dates"
        ) from error
    version = float(match["v"].replace("-", ".")) if theia else int(match["v"]) / 100
    bands, masks = _theia_files(path) if theia else _safe_files(path, version)
    return Acquisition(path.name, match["platform"], date, match["tile"], version, bands, masks)


def _theia_files(path: Path) -> tuple[dict[str, BandFile], dict[str, str]]:
    metadata = path / f"{path.name}_MTD_ALL.xml"
    scale = 1 / read_scale(metadata if metadata.is_file() else None)
    bands = {band: BandFile(_one(path, f"{path.name}_FRE_{band}.tif"), scale, nodata=NODATA) for band in BANDS}
    masks = {"CLM": _one(path, f"MASKS/{path.name}_CLM_R1.tif")}
    if (path / f"MASKS/{path.name}_MG2_R1.tif").is_file():
        masks["MG2"] = _one(path, f"MASKS/{path.name}_MG2_R1.tif")
    return bands, masks


def _safe_files(path: Path, version: float) -> tuple[dict[str, BandFile], dict[str, str]]:
    scale, offsets = _safe_scale(path / "MTD_MSIL2A.xml", version)
    bands = {}
    for band in BANDS:
        name, metres = f"B{band[1:]:0>2}", 10 if band in ("B2", "B3", "B4", "B8") else 20
        href = _one(path, f"GRANULE/*/IMG_DATA/R{metres}m/*_{name}_{metres}m.jp2")
        bands[band] = BandFile(href, scale, offsets[band])
    return bands, {"SCL": _one(path, "GRANULE/*/IMG_DATA/R20m/*_SCL_20m.jp2")}


def _safe_scale(path: Path, version: float) -> tuple[float, dict[str, float]]:
    """Scale, and offset by band, as a product's metadata say; of the baseline in its name where there is no such file."""
    by_rule = offset_of(version)
    if not path.is_file():
        if by_rule is None:
            raise InputError(
                f"{path} is missing, and baseline {version:05.2f} does not tell the reflectance offset.",
                "Get the product again.",
                kind="scene.metadata",
            )
        return 1 / QUANTIFICATION, dict.fromkeys(BANDS, by_rule)
    try:
        tree = ElementTree.parse(path)
        quantum = float(tree.findtext(".//BOA_QUANTIFICATION_VALUE") or QUANTIFICATION)
        found = {int(entry.attrib["band_id"]): float(entry.text or "") for entry in tree.iter("BOA_ADD_OFFSET")}
    except (ElementTree.ParseError, ValueError, TypeError, LookupError) as error:
        raise InputError(
            f"{path} is no valid metadata file ({error}).", "Get it again.", kind="scene.metadata"
        ) from error
    if not (1 <= quantum <= LARGEST and all(abs(offset) <= quantum for offset in found.values())):
        added = sorted(set(found.values()))
        raise InputError(
            f"{path}: BOA_QUANTIFICATION_VALUE {quantum:g}, BOA_ADD_OFFSET {added} give no reflectance.",
            "Get it again.",
            kind="scene.metadata",
        )
    order = [f"B{number}" for number in range(1, 9)] + ["B8A"] + [f"B{number}" for number in range(9, 13)]
    lacking = [band for band in BANDS if order.index(band) not in found]
    if by_rule and lacking:
        raise InputError(
            f"{path} has no BOA_ADD_OFFSET of {', '.join(lacking)}, which baseline {version:05.2f} needs.",
            "Get it again.",
            kind="scene.metadata",
        )
    offsets = {band: found.get(order.index(band), 0.0) / quantum for band in BANDS}
    return 1 / quantum, offsets


def _one(path: Path, pattern: str) -> str:
    found = sorted(path.glob(pattern))
    if len(found) != 1:
        raise InputError(
            f"{path} holds {len(found)} files {pattern}, expected one.", "Get the product again.", kind="scene.files"
        )
    return str(found[0])
