"""Files of a synthesis: a product folder as Theia's L3A has it, written by blocks and read again."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import rasterio
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from ..errors import InputError
from ..scenes.formats.l2a import Acquisition
from ..scenes.formats.theia import QUANTIFICATION
from ..scenes.rasters import NODATA, Grid, read_header
from ..scenes.sensors import BANDS, BANDS_10M
from ..scenes.windowing import windows
from .acquisitions import Area

MASKS = ("FLG", "WGT", "DTS")
#: Side in pixels of the blocks in which a written file is read again.
CHECKED = 2048


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


def store_block(target: DatasetWriter, image: np.ndarray, coarse: Grid, starts: Sequence[int]) -> None:
    """Write a layer of a block; `starts` are its first row and column on the grid of 20 m."""
    times = target.width // coarse.width
    row, column = (times * start for start in starts)
    with rasterio.Env():
        target.write(image, 1, window=Window(column, row, image.shape[1], image.shape[0]))


def close_target(target: DatasetWriter) -> None:
    """Compress and write what GDAL still holds of a file."""
    with rasterio.Env():
        target.close()


def read_again(path: Path) -> None:
    """Read a file of a product: GDAL says nothing of a disk that was full when it closed it."""
    with rasterio.open(path) as source:
        for block in windows(source.shape, CHECKED):
            source.read(1, window=Window.from_slices(*block.core))


def open_target(path: Path, key: str, grids: dict[str, Grid]) -> DatasetWriter:
    """A file of a product to write to; `key` is a band, or a mask with its level such as FLG_R1."""
    grid = grids["R1" if key in BANDS_10M or key.endswith("R1") else "R2"]
    return rasterio.open(
        path, "w", driver="GTiff", count=1, dtype="uint8" if key.startswith("FLG") else "int16",
        crs=grid.crs, transform=grid.transform, height=grid.height, width=grid.width,
        nodata=NODATA if key in BANDS else None,
        tiled=True, blockxsize=512, blockysize=512, compress="deflate", predictor=2, bigtiff="if_safer",
    )  # fmt: skip


def write_metadata(path: Path, month: Month, grids: dict[str, Grid]) -> None:
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


def lacking_acquisitions(product: Path, month: Month) -> list[str]:
    """Names of the acquisitions of a month that a product, by its metadata, was made without; [] where they cannot be read.

    A month that was fetched before its end lacks those that came later.
    """
    try:
        root = ElementTree.parse(product / month.metadata).getroot()
    except (OSError, ElementTree.ParseError):
        return []
    held = {entry.text for entry in root.iter("ACQUISITION")}
    return [acquisition.name for acquisition in month.acquisitions if acquisition.name not in held]


def check_product(product: Path, month: Month, area: Area) -> None:
    """Raise `InputError` unless a product has all its files and is of this area and window."""
    way_out = f"Delete {product} to make it again, or name another folder."
    lacking = [file for file in (*month.files.values(), month.metadata) if not (product / file).is_file()]
    if lacking:
        raise InputError(f"{product} has no {lacking[0]}.", way_out, kind="fetch.product")
    grid = read_header(product / month.files[BANDS_10M[0]]).grid
    if grid != area.grids["R1"]:
        problem = f"{product} holds another area, {grid}; asked for is {area.grids['R1']}."
        raise InputError(problem, way_out, kind="fetch.product")
    window = ElementTree.parse(product / month.metadata).findtext(".//WINDOW_DAYS")
    if window != f"{2 * month.half:g}":
        problem = f"{product} has a window of {window} days; asked for is {2 * month.half:g}."
        raise InputError(problem, way_out, kind="fetch.product")
