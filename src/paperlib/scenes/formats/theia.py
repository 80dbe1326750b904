"""Theia L3A monthly syntheses (Sentinel-2, WASP processor): product folders with their native file names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import xarray as xr
from affine import Affine

from ...errors import InputError
from .. import sensors
from ..meaning.choices import Choices
from ..meaning.dates import select_dates
from ..quality import FLG
from ..rasters import NODATA, Grid, Header, RasterFile, keep_open, read_header
from ..series import Layer, QualityLayer, RasterSeries, Values
from ..shaping.finish import finish_scene

#: ..._FRC_B2.tif: flat reflectance of a band; a suffix as in ..._FRC_B2_crop.tif is allowed.
BAND_FILE = re.compile(
    r"(?P<name>SENTINEL2\w_(?P<date>\d{8})-\d{6}-\d{3}_L3A_(?P<tile>T\w{5})_[A-Z]_V\d+-\d+)"
    r"_FRC_(?P<band>B\d{1,2}A?)(?:_\w+)?\.tiff?"
)
EXAMPLE = "SENTINEL2X_20180815-000000-000_L3A_T31TCJ_D_V1-1_FRC_B2.tif"
#: Products may lie in the folder itself, in its folders, or one level deeper (<root>/T31TCJ/<product>/).
PLACES = ("*.tif*", "*/*.tif*", "*/*/*.tif*")
FINE = 10.0  # metres
QUANTIFICATION, LARGEST = 10000.0, 1e6


@dataclass
class Product:
    """The files of one date."""

    name: str
    tile: str
    date: pd.Timestamp
    folder: Path
    bands: dict[str, Path] = field(default_factory=dict)

    @property
    def flags(self) -> Path | None:
        """The 10 m flag file (0 nodata, 1 cloud, 2 snow, 3 water, 4 land), where there is one."""
        return next(iter(sorted((self.folder / "MASKS").glob(f"{self.name}_FLG_R1*.tif"))), None)

    @property
    def metadata(self) -> Path | None:
        """The metadata file, where there is one."""
        path = self.folder / f"{self.name}_MTD_ALL.xml"
        return path if path.is_file() else None

    @property
    def files(self) -> list[Path]:
        """Every file that opening and reading the product may touch."""
        return [*self.bands.values(), *(path for path in (self.flags, self.metadata) if path)]


def find_products(folder: Path) -> list[Product]:
    """The products under a folder, by date.

    Raises `InputError` when there is none, and for several tiles, two products of a date or two files of a band.
    """
    products: dict[tuple[Path, str], Product] = {}
    for path in sorted(path for place in PLACES for path in folder.glob(place)):
        match = BAND_FILE.fullmatch(path.name)
        if not match:
            continue
        try:
            date = pd.Timestamp(match["date"])
        except ValueError as error:
            raise InputError(
                f"{path}: {match['date']} in its name is no date (YYYYMMDD).", "Get it again.", kind="scene.dates"
            ) from error
        key = path.parent, match["name"]
        product = products.setdefault(key, Product(match["name"], match["tile"], date, path.parent))
        if match["band"] in product.bands:
            twins = f"{product.bands[match['band']].name} and {path.name}"
            raise InputError(
                f"{path.parent} holds two files of one band and date: {twins}.", "Keep one.", kind="scene.files"
            )
        product.bands[match["band"]] = path
    found = sorted(products.values(), key=lambda product: product.date)
    if not found:
        raise _nothing(folder)
    tiles = sorted({product.tile for product in found})
    if len(tiles) > 1:
        raise InputError(
            f"{folder} holds several tiles: {', '.join(tiles)}.",
            "Give the folder of one tile, or for a region one folder a tile, or a YAML list of tiles.",
            kind="scene.tiles",
        )
    for before, after in pairwise(found):
        if before.date == after.date:
            pair = f"{before.folder / before.name} and {after.folder / after.name}"
            raise InputError(
                f"Two products of one date, {before.date:%Y-%m-%d}: {pair}.", "Keep one.", kind="scene.files"
            )
    return found


def _nothing(folder: Path) -> InputError:
    there = sorted(path.name + "/" * path.is_dir() for path in folder.iterdir())
    listed = ", ".join(there[:5]) + (f" and {len(there) - 5} more" if len(there) > 5 else "")
    raw = "Products of level 1C are not corrected for the atmosphere: get those of level 2A. "
    return InputError(
        f"{folder} holds no scene: GeoTIFF and JPEG 2000 files, and products of Theia (L3A: {EXAMPLE}) and ESA were looked "
        f"for in it, its folders and theirs; {'there lies ' + listed if there else 'it is empty'}.",
        (raw if "MSIL1C" in listed else "")
        + "Give the folder that holds the images, or the path of a GeoTIFF stack, a NetCDF file or a .zarr folder.",
        kind="scene.nothing",
    )


def choose_bands(products: Sequence[Product], bands: Sequence[str] | None) -> tuple[str, ...]:
    """The bands asked for, or those of `sensors.BANDS` that the products hold; every date must have each.

    Raises `InputError` that names band and date.
    """
    held = {band for product in products for band in product.bands}
    chosen = tuple(bands) if bands is not None else tuple(band for band in sensors.BANDS if band in held)
    if not chosen:
        raise InputError(
            f"{products[0].folder} holds none of the bands {', '.join(sensors.BANDS)}.",
            "Choose its bands with --bands.",
            kind="scene.bands",
        )
    for band in chosen:
        missing = [f"{product.date:%Y-%m-%d}" for product in products if band not in product.bands]
        if missing:
            raise InputError(
                f"Band {band} is missing at {', '.join(missing)} (a file ..._FRC_{band}.tif is expected beside "
                f"{next(iter(products[0].bands.values()))} and its like).",
                "Get it, move products without it elsewhere, or choose other bands with --bands.",
                kind="scene.bands",
            )
    return chosen


def read_scale(path: Path | None) -> float:
    """The stored value of reflectance 1 as a metadata file gives it; 10000 without a file or an entry."""
    if path is None:
        return QUANTIFICATION
    try:
        # ElementTree's expat fetches no external entity and limits the growth of internal ones.
        entry = ElementTree.parse(path).find(".//REFLECTANCE_QUANTIFICATION_VALUE")
        scale = QUANTIFICATION if entry is None else float(entry.text or "")
    except (ElementTree.ParseError, ValueError, TypeError, LookupError) as error:  # the last: of an unknown encoding
        raise InputError(
            f"{path} is no valid metadata file ({error}).", "Get it again, or take it away.", kind="scene.metadata"
        ) from error
    if not 1 <= scale <= LARGEST:
        raise InputError(
            f"{path}: REFLECTANCE_QUANTIFICATION_VALUE is {scale:g}.",
            f"A number from 1 to {LARGEST:g} is expected.",
            kind="scene.metadata",
        )
    return scale


def choose_grid(headers: dict[Path, Header]) -> Grid:
    """The 10 m grid that all 10 m bands and dates share; of 20 m bands alone, their extent at 10 m.

    Raises `InputError` that names the file which differs from the first, or does not overlap it.
    """
    fine = {path: header.grid for path, header in headers.items() if abs(header.grid.transform.a - FINE) < 1e-6}
    first, grid = next(iter((fine or {path: header.grid for path, header in headers.items()}).items()))
    for path, header in headers.items():
        if header.grid.crs != grid.crs:
            raise InputError(
                f"{path} is in {header.grid.crs}, {first} in {grid.crs}; one CRS is expected.",
                "Reproject it.",
                kind="scene.grid",
            )
    for path, other in fine.items():
        if other != grid:
            raise InputError(
                f"{path} lies on another grid than {first}: {_words(other)}, expected {_words(grid)}.",
                "Get it again, or bring it to that grid with gdalwarp.",
                kind="scene.grid",
            )
    for path, header in headers.items():
        other, (left, bottom, right, top) = header.grid, header.grid.bounds
        west, south, east, north = grid.bounds
        if left >= east or right <= west or bottom >= north or top <= south:
            raise InputError(
                f"{path} lies beside {first}: {_words(other)} does not overlap {_words(grid)}.",
                "Take the file of another place away.",
                kind="scene.grid",
            )
    if fine:
        return grid
    west, south, east, north = grid.bounds
    transform = Affine(FINE, 0, west, 0, -FINE, north)
    return Grid(grid.crs, transform, round((north - south) / FINE), round((east - west) / FINE))


def _words(grid: Grid) -> str:
    step = grid.transform
    return f"{grid.height} rows x {grid.width} columns of {step.a:g} m from ({step.c:g}, {step.f:g})"


def _band_file(path: Path, header: Header, grid: Grid, choices: Choices) -> RasterFile:
    if header.dtype.kind == "u":
        raise InputError(
            f"{path} holds {header.dtype}; a band file holds int16, with {NODATA} where there is no data.",
            "Convert it to int16, for example with gdal_translate -ot Int16.",
            kind="scene.type",
        )
    nodata = NODATA if header.nodata is None else header.nodata
    nodata = nodata if choices.nodata is None else choices.nodata
    return RasterFile(path, nodata) if header.grid == grid else RasterFile(path, nodata, grid, choices.resampling)


def open_theia(folder: Path, choices: Choices) -> xr.DataArray:
    """The lazy array of `scene.open_scene` of the products in a folder. Reads headers and metadata only."""
    products = find_products(folder)
    kept = select_dates(pd.DatetimeIndex([product.date for product in products]), choices.dates, folder)
    products = [products[index] for index in kept]
    bands = choose_bands(products, choices.bands)
    headers = {product.bands[band]: read_header(product.bands[band]) for product in products for band in bands}
    grid = choose_grid(headers)
    scale, offset = _scaling(products, choices)
    layers = [
        [
            Layer(_band_file(path, headers[path], grid, choices), 1, scale, offset)
            for path in (product.bands[band] for band in bands)
        ]
        for product in products
    ]
    flags = [_flag_file(product.flags, grid) for product in products]
    quality = [[QualityLayer(file, 1, FLG.with_values(choices.mask_classes))] if file else [] for file in flags]
    keep_open(len(headers) + len(flags))
    row_bytes = len(flags) * grid.width + sum(
        header.dtype.itemsize * header.grid.width * grid.transform.e / header.grid.transform.e
        for header in headers.values()
    )
    return finish_scene(
        lambda order: RasterSeries([layers[t] for t in order], [quality[t] for t in order], row_bytes),
        bands, pd.DatetimeIndex([product.date for product in products]), grid, replace(choices, dates=None),
        Values("int16", said=choices.says_values),
        source=str(folder), product="theia_l3a", resampling=choices.resampling, scale=scale, sensor="sentinel-2",
    )  # fmt: skip


def _scaling(products: Sequence[Product], choices: Choices) -> tuple[float, float]:
    """What stored values are divided by, and what is added then: by the metadata, or as the user says."""
    scales = {product.metadata or product.folder: read_scale(product.metadata) for product in products}
    if choices.gain is None and len(set(scales.values())) > 1:
        listed = ", ".join(f"{path} {scale:g}" for path, scale in scales.items())
        raise InputError(
            f"The dates have different reflectance scales: {listed}.", "One scale is expected.", kind="scene.scale"
        )
    scale = next(iter(scales.values())) if choices.gain is None else 1 / choices.gain
    return scale, choices.shift(1 / scale) or 0.0


def _flag_file(path: Path | None, grid: Grid) -> RasterFile | None:
    if path is None:
        return None
    own = read_header(path).grid
    # Outside the flags nothing is known to be usable: 0 is their own nodata.
    return RasterFile(path, None) if own == grid else RasterFile(path, 0, grid, "nearest")
