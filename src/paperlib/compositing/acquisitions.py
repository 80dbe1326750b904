"""Acquisitions of Sentinel-2 L2A: where bands and masks lie, what their values mean, and how they are read.

Acquisitions come from a STAC service (`stac.search`) or from product folders on disk (`local_acquisitions`).
"""

import time
import warnings
from collections.abc import Callable, Iterable
from functools import reduce
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from affine import Affine
from rasterio.errors import RasterioError
from rasterio.windows import Window

from ..errors import InputError, InputWarning
from ..scenes.formats.l2a import Acquisition, find_folders, newest, read_product
from ..scenes.formats.remote import is_remote, open_remote, sign
from ..scenes.rasters import Grid

#: Flags of a WASP synthesis, used for single acquisitions too: 0 nodata, 1 cloud or its shadow, 2 snow, 3 water, 4 land.
EMPTY, CLOUD, SNOW, WATER, LAND = range(5)
#: The flag of each SCL class: 0 none, 1 defective, 2 dark, 3 cloud shadow, 4 plants, 5 bare, 6 water, 7 unclassified,
#: 8 and 9 cloud, 10 cirrus, 11 snow. Every other value is taken for no data.
FLAG_OF_SCL = np.zeros(256, np.uint8)
FLAG_OF_SCL[:12] = [EMPTY, EMPTY, LAND, CLOUD, LAND, LAND, WATER, LAND, CLOUD, CLOUD, CLOUD, SNOW]

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
        for again in range(TRIES if is_remote(href) else 1):
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
    if href.startswith("s3:"):
        return open_remote(href)
    driver = "JP2OpenJPEG" if href.partition("?")[0].lower().endswith(".jp2") else "GTiff"
    return rasterio.open(f"/vsicurl/{sign(href)}" if href.startswith("http") else href, driver=driver)


def _grid_of(source: rasterio.DatasetReader) -> Grid:
    return Grid(source.crs, source.transform, source.height, source.width)


class Area(NamedTuple):
    """Part of a tile: the tile's grids at 10 m and 20 m, and rows and columns of the part in pixels of 20 m."""

    fine: Grid
    coarse: Grid
    rows: slice
    columns: slice
    shift: tuple[int, int] = (0, 0)  # row and column of 10 m at which the grid of 20 m begins
    whole: tuple[slice, slice] | None = None  # rows and columns of 20 m that both grids hold; None: all

    @property
    def grids(self) -> dict[str, Grid]:
        """The grids of the part alone: R1 of 10 m, R2 of 20 m."""
        height, width = self.rows.stop - self.rows.start, self.columns.stop - self.columns.start
        y, x = self.fine_part(self.rows, self.columns)
        fine = self.fine.transform @ Affine.translation(x.start, y.start)
        coarse = self.coarse.transform @ Affine.translation(self.columns.start, self.rows.start)
        return {
            "R1": Grid(self.fine.crs, fine, 2 * height, 2 * width),
            "R2": Grid(self.coarse.crs, coarse, height, width),
        }

    def fine_part(self, y: slice, x: slice) -> tuple[slice, slice]:
        """Rows and columns of 10 m of rows and columns of 20 m."""
        return _doubled(y, self.shift[0]), _doubled(x, self.shift[1])

    def widened(self, y: slice, x: slice, margin: int) -> tuple[slice, slice]:
        """Rows and columns of 20 m with a margin on each side, as far as there are pixels."""
        rows, columns = self.whole or (slice(0, self.coarse.height), slice(0, self.coarse.width))
        return _margin(y, rows, margin), _margin(x, columns, margin)


def _doubled(part: slice, shift: int) -> slice:
    return slice(2 * part.start + shift, 2 * part.stop + shift)


def _margin(part: slice, whole: slice, margin: int) -> slice:
    return slice(max(part.start - margin, whole.start), min(part.stop + margin, whole.stop))


def read_flags(reader: Reader, acquisition: Acquisition, area: Area, y: slice, x: slice) -> np.ndarray:
    """Flags (y, x) of an acquisition on the 20 m grid, uint8; `area` holds the grids of the tile.

    A pixel of Theia's 10 m masks that is cloud or snow makes the whole pixel of 20 m so; water needs all four.
    """
    if "SCL" in acquisition.masks:
        return FLAG_OF_SCL[reader.read(acquisition, acquisition.masks["SCL"], area.coarse, y, x)]
    fine = area.fine_part(y, x)
    cloud = reduce(np.bitwise_or, _quarters(reader.read(acquisition, acquisition.masks["CLM"], area.fine, *fine)))
    flags = np.full(cloud.shape, LAND, np.uint8)
    if "MG2" in acquisition.masks:
        kind = _quarters(reader.read(acquisition, acquisition.masks["MG2"], area.fine, *fine))
        flags[reduce(np.bitwise_and, kind) & 1 != 0] = WATER
        flags[reduce(np.bitwise_or, kind) & 4 != 0] = SNOW
    flags[cloud != 0] = CLOUD
    return flags


def _quarters(image: np.ndarray) -> list[np.ndarray]:
    """The four images (y, x) that hold one pixel of 10 m of each pixel of 20 m."""
    return [image[row::2, column::2] for row in (0, 1) for column in (0, 1)]


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
            warnings.warn(InputWarning(f"Left out: {error.problem}", error.fix, kind="fetch.left_out"), stacklevel=3)
    if not acquisitions:
        reason = (
            f"{len(faults)} were found and none can be used; the first: {faults[0]}" if faults else "none was found"
        )
        raise InputError(
            f"No Sentinel-2 L2A product in {where}: {reason.rstrip('.')}.",
            "Ask for another place or season.",
            kind="fetch.nothing",
        )
    return newest(acquisitions)


def local_acquisitions(folder: str | Path) -> list[Acquisition]:
    """Acquisitions of the L2A products that lie in a folder, its folders or theirs: of Theia, or of ESA (.SAFE), by date.

    A product without a needed file is left out with a warning. Raises `InputError` when no usable product is there.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"{folder} is no folder.",
            "Give one of L2A products: SENTINEL2A_..._L2A_... or S2A_MSIL2A_....SAFE.",
            kind="fetch.folder",
        )
    products = find_folders(folder)
    return keep_usable(
        read_product, products, f"{folder} (SENTINEL2A_..._L2A_... and S2A_MSIL2A_....SAFE were looked for)"
    )
