"""Monthly syntheses of Sentinel-2 L2A acquisitions, written as Theia L3A product folders.

The idea is that of CNES's WASP (Hagolle, Morin and Kadiri, 2018, doi:10.5281/zenodo.1401360): the reflectance of a pixel
is the mean of its cloud-free acquisitions in a window of about 46 days, weighted by nearness in time and distance to cloud.
Unlike WASP, it weighs no aerosol, which SCL does not give, corrects no directional effect, and takes SCL or CLM as the whole
truth about clouds. Snow counts only where a pixel has no acquisition without snow.
"""

import os
import shutil
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from filelock import FileLock
from rasterio.errors import RasterioError
from rasterio.io import DatasetWriter
from rasterio.warp import transform_bounds
from rasterio.windows import Window
from tqdm import tqdm

from ..errors import InputError
from ..scenes.dates import parse_dates
from ..scenes.formats.l2a import Acquisition
from ..scenes.formats.theia import FINE, QUANTIFICATION
from ..scenes.rasters import NODATA, Grid, read_header
from ..scenes.sensors import BANDS, BANDS_10M
from ..scenes.windowing import windows
from .acquisitions import Reader, Unreadable
from .weighting import Area, map_threads, weighted_mean

#: Side of a block in pixels of 20 m: one internal tile of the 20 m files of Earth Search and ESA, four of the 10 m files.
BLOCK = 1024
THREADS = 8  # that read, and write
CACHE = 256_000_000  # bytes that GDAL may keep of files, all together; its default is a share of the machine's memory
MASKS = ("FLG", "WGT", "DTS")


class Month(NamedTuple):
    """One synthesis: its name, its date, the days its window reaches each way, and the acquisitions in it."""

    name: str
    day: pd.Timestamp
    half: float
    acquisitions: list[Acquisition]

    @property
    def files(self) -> dict[str, str]:
        """The raster files of its product, by what they hold: a band, or mask and level as in FLG_R1."""
        masks = {f"{mask}_{level}": f"MASKS/{self.name}_{mask}_{level}.tif" for level in ("R1", "R2") for mask in MASKS}
        return {band: f"{self.name}_FRC_{band}.tif" for band in BANDS} | masks

    @property
    def metadata(self) -> str:
        """Its metadata file."""
        return f"{self.name}_MTD_ALL.xml"


def months(year: int) -> list[str]:
    """The 15th of each month of a year, the dates of Theia's syntheses."""
    return [f"{year:04}-{month:02}-15" for month in range(1, 13)]


def synthesise(
    acquisitions: Sequence[Acquisition],
    dates: Iterable,
    folder: str | Path,
    tile: str | None = None,
    bounds: Sequence[float] | None = None,
    window_days: float = 46,
    progress: bool = False,
) -> list[Path]:
    """Write one synthesis a date to `folder`/TILE/ as a Theia L3A product; return the products' folders by date.

    Parameters
    ----------
    acquisitions: of `stac.search` or `acquisitions.local_acquisitions`; of several tiles, say which with `tile`.
    dates: middles of the windows; each needs an acquisition within half of `window_days`.
    bounds: part of the tile, west, south, east, north in degrees, widened to whole pixels of 20 m. Default: all of it.

    A synthesis appears whole or not at all, and one that is there is kept: a run that was broken off goes on where it
    was. An acquisition that cannot be read after retries is left out of the whole synthesis with a warning, as long as
    others remain. Memory depends on the block, not on the area or on the number of acquisitions.

    Products hold ten bands at native resolution (int16, reflectance x 10000, -10000 nodata) and masks at 10 m (R1) and
    20 m (R2): FLG (0 no clear acquisition, 2 snow, 3 water, 4 land), WGT (sum of the weights x 1000) and DTS (weighted
    mean of the acquisitions' dates, in days after the date of the synthesis; -10000 nodata).
    Raises `InputError` for acquisitions of several tiles, a date without readable acquisitions, bounds
    beside the tile, and a product in `folder` of another area or window.
    """
    if not window_days > 0:
        raise InputError(f"window_days = {window_days}; a number of days above 0 is expected, 46 for Theia's window.")
    days = parse_dates(dates, "argument dates").sort_values()
    acquisitions, half = _of_tile(acquisitions, tile), window_days / 2
    name = acquisitions[0].tile
    wanted = [
        Month(
            f"SENTINEL2X_{day:%Y%m%d}-000000-000_L3A_{name}_D_V1-1", day, half,
            [acquisition for acquisition in acquisitions if abs((acquisition.date - day).days) <= half],
        )
        for day in days
    ]  # fmt: skip
    if bare := [f"{month.day:%Y-%m-%d}" for month in wanted if not month.acquisitions]:
        raise InputError(
            f"No acquisition of {name} lies within {half:g} days of {', '.join(bare)}; the {len(acquisitions)} "
            f"acquisitions are of {acquisitions[0].date:%Y-%m-%d} to "
            f"{acquisitions[-1].date:%Y-%m-%d}. Choose other dates, or a wider window."
        )
    area = _area(_grid(acquisitions), bounds)
    # one reader for all months: windows overlap, and what GDAL still holds of a file is not read from it again
    with rasterio.Env(GDAL_CACHEMAX=CACHE), Reader() as reader, ThreadPoolExecutor(THREADS) as pool:
        for month in wanted:
            reader.keep(month.acquisitions)
            _find_or_make(Path(folder), month, area, reader, pool, progress)
    return [Path(folder) / name / month.name for month in wanted]


def _of_tile(acquisitions: Sequence[Acquisition], tile: str | None) -> list[Acquisition]:
    tiles = sorted({acquisition.tile for acquisition in acquisitions})
    wanted = f"T{tile.removeprefix('T')}" if tile else tiles[0] if len(tiles) == 1 else None
    if wanted not in tiles:
        raise InputError(f"Tiles {', '.join(tiles)}: one is needed.", "Choose one with --tile.", kind="fetch.tile")
    return sorted(
        (acquisition for acquisition in acquisitions if acquisition.tile == wanted),
        key=lambda acquisition: (acquisition.date, acquisition.name),
    )


def _grid(acquisitions: Sequence[Acquisition]) -> Grid:
    """The 10 m grid of the tile, of the first acquisition that can be read."""
    with Reader() as reader:
        for acquisition in acquisitions:
            try:
                grid = reader.grid(acquisition, acquisition.bands[BANDS_10M[0]].href)
            except Unreadable as error:
                fault = error
                continue
            if abs(grid.transform.a - FINE) > 1e-6 or grid.height % 2 or grid.width % 2:
                raise InputError(f"{acquisition.name} lies on {grid}; pixels of 10 m in even numbers are expected.")
            return grid
    raise fault


def _area(fine: Grid, bounds: Sequence[float] | None) -> Area:
    coarse = Grid(fine.crs, fine.transform * Affine.scale(2), fine.height // 2, fine.width // 2)
    if bounds is None:
        return Area(fine, coarse, slice(0, coarse.height), slice(0, coarse.width))
    west, south, east, north = transform_bounds("EPSG:4326", coarse.crs, *bounds)
    (left, top), (right, bottom) = ~coarse.transform * (west, north), ~coarse.transform * (east, south)
    rows, columns = (
        slice(max(int(np.floor(start)), 0), min(int(np.ceil(stop)), length))
        for start, stop, length in ((top, bottom, coarse.height), (left, right, coarse.width))
    )
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise InputError(
            f"The area {tuple(bounds)} (west, south, east, north in degrees) does not meet the tile, which lies in "
            f"{tuple(round(one, 4) for one in transform_bounds(coarse.crs, 'EPSG:4326', *coarse.bounds))}."
        )
    return Area(fine, coarse, rows, columns)


def _find_or_make(
    folder: Path, month: Month, area: Area, reader: Reader, pool: ThreadPoolExecutor, progress: bool
) -> None:
    tile = month.acquisitions[0].tile
    product, partial = folder / tile / month.name, folder / ".partial" / tile / month.name
    try:
        for place in (product.parent, partial.parent):
            place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error}). Name another folder.") from error
    with FileLock(f"{partial}.lock"):
        if not product.exists():
            _make(partial, month, area, reader, pool, progress)
            os.replace(partial, product)
        _check(product, month, area)


def _make(partial: Path, month: Month, area: Area, reader: Reader, pool: ThreadPoolExecutor, progress: bool) -> None:
    """Write a product to `partial`; begin again without an acquisition that proves unreadable, so none has a seam."""
    acquisitions = list(month.acquisitions)
    while True:
        shutil.rmtree(partial, ignore_errors=True)
        try:
            return _write(partial, month._replace(acquisitions=acquisitions), area, reader, pool, progress)
        except Unreadable as error:
            acquisitions.remove(error.acquisition)
            if not acquisitions:
                raise InputError(
                    f"None of the {len(month.acquisitions)} acquisitions around {month.day:%Y-%m-%d} can be read; the last: "
                    f"{error} What is done is kept: run it again to go on."
                ) from error
            warnings.warn(f"{month.name} is made without {error.acquisition.name}: {error}", stacklevel=5)
        except RasterioError as error:
            raise InputError(
                f"{partial} cannot be written ({error.__cause__ or error}). Is the disk full? What is done is kept: make "
                "room and run it again."
            ) from error


def _write(partial: Path, month: Month, area: Area, reader: Reader, pool: ThreadPoolExecutor, progress: bool) -> None:
    (partial / "MASKS").mkdir(parents=True)
    grids = area.grids
    blocks = list(windows((grids["R2"].height, grids["R2"].width), BLOCK))
    with ExitStack() as stack:
        targets = {key: stack.enter_context(_target(partial / file, key, grids)) for key, file in month.files.items()}
        for block in tqdm(blocks, desc=f"{month.day:%Y-%m-%d}", unit="block", disable=None if progress else True):
            y, x = (
                slice(whole.start + core.start, whole.start + core.stop)
                for whole, core in zip((area.rows, area.columns), block.core, strict=True)
            )
            layers = weighted_mean(reader, pool, month.acquisitions, area, y, x, month.day, month.half)
            starts = [core.start for core in block.core]
            map_threads(pool, lambda key, of=layers, at=starts: _store(targets[key], of[key], grids["R2"], at), layers)
        map_threads(pool, _close, targets.values())
    _write_metadata(partial / month.metadata, month, grids)
    map_threads(pool, _read_again, [partial / file for file in month.files.values()])


def _store(target: DatasetWriter, image: np.ndarray, coarse: Grid, starts: Sequence[int]) -> None:
    """Write a layer of a block; `starts` are its first row and column on the grid of 20 m."""
    times = target.width // coarse.width
    row, column = (times * start for start in starts)
    with rasterio.Env():
        target.write(image, 1, window=Window(column, row, image.shape[1], image.shape[0]))


def _close(target: DatasetWriter) -> None:
    """Compress and write what GDAL still holds of a file."""
    with rasterio.Env():
        target.close()


def _read_again(path: Path) -> None:
    """Read a file of a product: GDAL says nothing of a disk that was full when it closed it."""
    with rasterio.open(path) as source:
        for block in windows(source.shape, 2 * BLOCK):
            source.read(1, window=Window.from_slices(*block.core))


def _target(path: Path, key: str, grids: dict[str, Grid]) -> DatasetWriter:
    grid = grids["R1" if key in BANDS_10M or key.endswith("R1") else "R2"]
    return rasterio.open(
        path, "w", driver="GTiff", count=1, dtype="uint8" if key.startswith("FLG") else "int16",
        crs=grid.crs, transform=grid.transform, height=grid.height, width=grid.width,
        nodata=NODATA if key in BANDS else None,
        tiled=True, blockxsize=512, blockysize=512, compress="deflate", predictor=2, bigtiff="if_safer",
    )  # fmt: skip


def _write_metadata(path: Path, month: Month, grids: dict[str, Grid]) -> None:
    """The fields of a Theia L3A MTD_ALL.xml that readers use, the window, and the acquisitions."""
    root = ElementTree.Element("Muscate_Metadata_Document")
    root.append(
        ElementTree.Comment(" Made by paperlib.compositing.synthesis from Sentinel-2 L2A: not a product of Theia ")
    )
    product = ElementTree.SubElement(root, "Product_Characteristics")
    ElementTree.SubElement(product, "SYNTHESIS_DATE").text = f"{month.day:%Y-%m-%d}T00:00:00.000Z"
    ElementTree.SubElement(product, "GEOGRAPHICAL_ZONE").text = month.acquisitions[0].tile
    ElementTree.SubElement(product, "WINDOW_DAYS").text = f"{2 * month.half:g}"
    used = ElementTree.SubElement(product, "ACQUISITIONS")
    for acquisition in month.acquisitions:
        ElementTree.SubElement(
            used, "ACQUISITION", date=f"{acquisition.date:%Y-%m-%d}", version=f"{acquisition.version:g}"
        ).text = acquisition.name
    radiometry = ElementTree.SubElement(root, "Radiometric_Informations")
    ElementTree.SubElement(radiometry, "REFLECTANCE_QUANTIFICATION_VALUE").text = f"{QUANTIFICATION:g}"
    values = ElementTree.SubElement(radiometry, "SPECIAL_VALUES_LIST")
    ElementTree.SubElement(values, "SPECIAL_VALUE", name="nodata").text = str(NODATA)
    place = ElementTree.SubElement(root, "Geoposition_Informations")
    for level, grid in grids.items():
        entry = ElementTree.SubElement(place, "Group_Geopositioning", group_id=level)
        step = grid.transform
        fields = {"ULX": step.c, "ULY": step.f, "XDIM": step.a, "YDIM": step.e}
        fields |= {"NROWS": grid.height, "NCOLS": grid.width}
        for name, value in fields.items():
            ElementTree.SubElement(entry, name).text = f"{value:.10g}"
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _check(product: Path, month: Month, area: Area) -> None:
    """Raise `InputError` unless a product has all its files and is of this area and window."""
    way_out = f"Delete {product} to make it again, or name another folder."
    lacking = [file for file in (*month.files.values(), month.metadata) if not (product / file).is_file()]
    if lacking:
        raise InputError(f"{product} has no {lacking[0]}. {way_out}")
    grid = read_header(product / month.files[BANDS_10M[0]]).grid
    if grid != area.grids["R1"]:
        raise InputError(f"{product} holds another area, {grid}; asked for is {area.grids['R1']}. {way_out}")
    window = ElementTree.parse(product / month.metadata).findtext(".//WINDOW_DAYS")
    if window != f"{2 * month.half:g}":
        raise InputError(f"{product} has a window of {window} days; asked for is {2 * month.half:g}. {way_out}")
