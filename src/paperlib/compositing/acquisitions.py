"""Acquisitions of Sentinel-2 L2A: where bands and masks lie, what their values mean, and how they are read.

Acquisitions come from a STAC service (`stac.search`) or from product folders on disk (`local_acquisitions`).
"""

import re
import time
import warnings
from collections.abc import Callable, Iterable
from functools import reduce
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from ..errors import InputError
from ..scenes.formats.theia import LARGEST, QUANTIFICATION, read_scale
from ..scenes.rasters import NODATA, Grid
from ..scenes.sensors import BANDS

#: Flags of a WASP synthesis, used for single acquisitions too: 0 nodata, 1 cloud or its shadow, 2 snow, 3 water, 4 land.
EMPTY, CLOUD, SNOW, WATER, LAND = range(5)
#: The flag of each SCL class: 0 none, 1 defective, 2 dark, 3 cloud shadow, 4 plants, 5 bare, 6 water, 7 unclassified,
#: 8 and 9 cloud, 10 cirrus, 11 snow. Every other value is taken for no data.
FLAG_OF_SCL = np.zeros(256, np.uint8)
FLAG_OF_SCL[:12] = [EMPTY, EMPTY, LAND, CLOUD, LAND, LAND, WATER, LAND, CLOUD, CLOUD, CLOUD, SNOW]

THEIA = re.compile(
    r"SENTINEL(?P<platform>2[A-Z])_(?P<date>\d{8})-\d{6}-\d{3}_L2A_(?P<tile>T\w{5})_[A-Z]_V(?P<v>\d+-\d+)"
)
SAFE = re.compile(r"S(?P<platform>2[A-Z])_MSIL2A_(?P<date>\d{8})T\d{6}_N(?P<v>\d{4})_R\d{3}_(?P<tile>T\w{5})_\w+\.SAFE")
#: From this processing baseline on, stored values are 1000 higher; 99.99 is that of users' own processing.
OFFSET_SINCE, OFFSET, OWN = 4.0, -0.1, 99.99
#: A remote read is tried this often, after pauses of `PAUSE`, twice, four times as many seconds.
TRIES, PAUSE = 4, 1.0
#: GDAL keeps failures of remote files in mind unless told not to. With several threads, a truncated JPEG 2000 file gives
#: wrong values without an error (GDAL 3.10); bands are read in parallel instead.
OPTIONS = {
    "CPL_VSIL_CURL_NON_CACHED": "/vsicurl/http",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_HTTP_CONNECTTIMEOUT": 15,  # seconds, as the next two
    "GDAL_HTTP_LOW_SPEED_TIME": 30,
    "GDAL_HTTP_TIMEOUT": 300,
    "GDAL_HTTP_LOW_SPEED_LIMIT": 1000,  # bytes a second
    "GDAL_NUM_THREADS": 1,
}


class Layer(NamedTuple):
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
    bands: dict[str, Layer]  # of `sensors.BANDS`, each
    masks: dict[str, str]  # "SCL" (20 m), or of Theia "CLM" and maybe "MG2" (10 m), and where it lies


class Unreadable(InputError):
    """A file of an acquisition that cannot be read or used, after all tries."""

    def __init__(self, acquisition: Acquisition, message: str):
        super().__init__(message)
        self.acquisition = acquisition


class Reader:
    """Reads windows of the files of acquisitions and keeps the files open; use one file from one thread at a time."""

    def __init__(self):
        self._sources = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for href in list(self._sources):
            self._drop(href)

    def keep(self, acquisitions: Iterable[Acquisition]) -> None:
        """Close the files of all acquisitions but these."""
        wanted = {
            href
            for acquisition in acquisitions
            for href in (*acquisition.masks.values(), *(one.href for one in acquisition.bands.values()))
        }
        for href in set(self._sources) - wanted:
            self._drop(href)

    def grid(self, acquisition: Acquisition, href: str) -> Grid:
        """The grid of a file of an acquisition. Raises `Unreadable` as `read` does."""
        return self._try(acquisition, href, _grid_of)

    def read(self, acquisition: Acquisition, href: str, grid: Grid, y: slice, x: slice) -> np.ndarray:
        """Stored values (y, x) of a file of an acquisition; `grid` is the one that the file must have.

        Raises `Unreadable` when it has another, or cannot be read: a remote file after `TRIES` tries.
        """

        def window(source: rasterio.DatasetReader) -> np.ndarray:
            if _grid_of(source) != grid or np.dtype(source.dtypes[0]).kind not in "iu":
                found = f"{source.dtypes[0]} on {_grid_of(source)}"
                raise Unreadable(acquisition, f"{href} is {found}; integers on {grid} are expected.")
            return source.read(1, window=Window.from_slices(y, x))

        return self._try(acquisition, href, window)

    def _try(self, acquisition: Acquisition, href: str, use: Callable):
        for again in range(TRIES if href.startswith("http") else 1):
            if again:
                time.sleep(PAUSE * 2 ** (again - 1))
            try:
                with rasterio.Env(**OPTIONS):
                    if href not in self._sources:
                        self._sources[href] = _open(href)
                    return use(self._sources[href])
            except RasterioError as error:
                self._drop(href)
                fault = error
        raise Unreadable(acquisition, f"{href} cannot be read ({fault.__cause__ or fault}). Is it complete?") from fault

    def _drop(self, href: str) -> None:
        if href in self._sources:
            with rasterio.Env(**OPTIONS):
                self._sources.pop(href).close()


def _open(href: str) -> rasterio.DatasetReader:
    # With one driver, so that no remote file can send GDAL to other files, as a VRT could.
    driver = "JP2OpenJPEG" if href.partition("?")[0].lower().endswith(".jp2") else "GTiff"
    return rasterio.open(f"/vsicurl/{href}" if href.startswith("http") else href, driver=driver)


def _grid_of(source: rasterio.DatasetReader) -> Grid:
    return Grid(source.crs, source.transform, source.height, source.width)


def read_flags(reader: Reader, acquisition: Acquisition, grids: tuple[Grid, Grid], y: slice, x: slice) -> np.ndarray:
    """Flags (y, x) of an acquisition on the 20 m grid, uint8; `grids` are those of the tile at 10 m and 20 m.

    A pixel of Theia's 10 m masks that is cloud or snow makes the whole pixel of 20 m so; water needs all four.
    """
    if "SCL" in acquisition.masks:
        return FLAG_OF_SCL[reader.read(acquisition, acquisition.masks["SCL"], grids[1], y, x)]
    fine = (slice(2 * y.start, 2 * y.stop), slice(2 * x.start, 2 * x.stop))
    cloud = reduce(np.bitwise_or, _quarters(reader.read(acquisition, acquisition.masks["CLM"], grids[0], *fine)))
    flags = np.full(cloud.shape, LAND, np.uint8)
    if "MG2" in acquisition.masks:
        kind = _quarters(reader.read(acquisition, acquisition.masks["MG2"], grids[0], *fine))
        flags[reduce(np.bitwise_and, kind) & 1 != 0] = WATER
        flags[reduce(np.bitwise_or, kind) & 4 != 0] = SNOW
    flags[cloud != 0] = CLOUD
    return flags


def _quarters(image: np.ndarray) -> list[np.ndarray]:
    """The four images (y, x) that hold one pixel of 10 m of each pixel of 20 m."""
    return [image[row::2, column::2] for row in (0, 1) for column in (0, 1)]


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


def keep_usable(make: Callable[..., Acquisition], sources: Iterable, where: str) -> list[Acquisition]:
    """The acquisitions that `make` gives of sources, newest versions only; what cannot be used is left out with a warning.

    Raises `InputError` when there is none, with the fault of the first that was left out.
    """
    acquisitions, faults = [], []
    for source in sources:
        try:
            acquisitions.append(make(source))
        except InputError as error:
            faults.append(str(error))
            warnings.warn(f"Left out: {error}", stacklevel=3)
    if not acquisitions:
        reason = (
            f"{len(faults)} were found and none can be used; the first: {faults[0]}" if faults else "none was found"
        )
        raise InputError(f"No Sentinel-2 L2A product in {where}: {reason}")
    return newest(acquisitions)


def local_acquisitions(folder: str | Path) -> list[Acquisition]:
    """Acquisitions of the L2A products that lie in a folder, its folders or theirs: of Theia, or of ESA (.SAFE), by date.

    A product without a needed file is left out with a warning. Raises `InputError` when no usable product is there.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder. Give one of L2A products: SENTINEL2A_..._L2A_... or S2A_MSIL2A_....SAFE."
        )
    places = sorted({folder.absolute(), *folder.absolute().glob("*"), *folder.absolute().glob("*/*")})
    products = [path for path in places if path.is_dir() and (THEIA.fullmatch(path.name) or SAFE.fullmatch(path.name))]
    return keep_usable(_local, products, f"{folder} (SENTINEL2A_..._L2A_... and S2A_MSIL2A_....SAFE were looked for)")


def _local(path: Path) -> Acquisition:
    theia = THEIA.fullmatch(path.name)
    match = theia or SAFE.fullmatch(path.name)
    assert match is not None, "the caller found a product by its name"
    try:
        date = pd.Timestamp(match["date"])
    except ValueError as error:
        raise InputError(f"{path}: {match['date']} in its name is no date (YYYYMMDD).") from error
    version = float(match["v"].replace("-", ".")) if theia else int(match["v"]) / 100
    bands, masks = _theia_files(path) if theia else _safe_files(path, version)
    return Acquisition(path.name, match["platform"], date, match["tile"], version, bands, masks)


def _theia_files(path: Path) -> tuple[dict[str, Layer], dict[str, str]]:
    metadata = path / f"{path.name}_MTD_ALL.xml"
    scale = 1 / read_scale(metadata if metadata.is_file() else None)
    bands = {band: Layer(_one(path, f"{path.name}_FRE_{band}.tif"), scale, nodata=NODATA) for band in BANDS}
    masks = {"CLM": _one(path, f"MASKS/{path.name}_CLM_R1.tif")}
    if (path / f"MASKS/{path.name}_MG2_R1.tif").is_file():
        masks["MG2"] = _one(path, f"MASKS/{path.name}_MG2_R1.tif")
    return bands, masks


def _safe_files(path: Path, version: float) -> tuple[dict[str, Layer], dict[str, str]]:
    scale, offsets = _safe_scale(path / "MTD_MSIL2A.xml", version)
    bands = {}
    for band in BANDS:
        name, metres = f"B{band[1:]:0>2}", 10 if band in ("B2", "B3", "B4", "B8") else 20
        href = _one(path, f"GRANULE/*/IMG_DATA/R{metres}m/*_{name}_{metres}m.jp2")
        bands[band] = Layer(href, scale, offsets[band])
    return bands, {"SCL": _one(path, "GRANULE/*/IMG_DATA/R20m/*_SCL_20m.jp2")}


def _safe_scale(path: Path, version: float) -> tuple[float, dict[str, float]]:
    """Scale, and offset by band, as a product's metadata say; of the baseline in its name where there is no such file."""
    by_rule = offset_of(version)
    if not path.is_file():
        if by_rule is None:
            raise InputError(f"{path} is missing, and baseline {version:05.2f} does not tell the reflectance offset.")
        return 1 / QUANTIFICATION, dict.fromkeys(BANDS, by_rule)
    try:
        tree = ElementTree.parse(path)
        quantum = float(tree.findtext(".//BOA_QUANTIFICATION_VALUE") or QUANTIFICATION)
        found = {int(entry.attrib["band_id"]): float(entry.text or "") for entry in tree.iter("BOA_ADD_OFFSET")}
    except (ElementTree.ParseError, ValueError, TypeError, LookupError) as error:
        raise InputError(f"{path} is no valid metadata file ({error}). Get it again.") from error
    if not (1 <= quantum <= LARGEST and all(abs(offset) <= quantum for offset in found.values())):
        added = sorted(set(found.values()))
        raise InputError(f"{path}: BOA_QUANTIFICATION_VALUE {quantum:g}, BOA_ADD_OFFSET {added} give no reflectance.")
    order = [f"B{number}" for number in range(1, 9)] + ["B8A"] + [f"B{number}" for number in range(9, 13)]
    lacking = [band for band in BANDS if order.index(band) not in found]
    if by_rule and lacking:
        raise InputError(
            f"{path} has no BOA_ADD_OFFSET of {', '.join(lacking)}, which baseline {version:05.2f} needs. Get it again."
        )
    offsets = {band: found.get(order.index(band), 0.0) / quantum for band in BANDS}
    return 1 / quantum, offsets


def _one(path: Path, pattern: str) -> str:
    found = sorted(path.glob(pattern))
    if len(found) != 1:
        raise InputError(f"{path} holds {len(found)} files {pattern}, expected one. Get the product again.")
    return str(found[0])
