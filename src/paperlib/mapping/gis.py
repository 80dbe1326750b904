"""What a GIS wants beside a class map: style, names of the classes, their areas."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import rasterio
from rasterio.windows import Window

from .. import ground
from ..nomenclature import NODATA_CLASS, LandCover


def write_style(path: Path, legend: tuple[LandCover, ...]) -> None:
    """Write a QGIS style of a class map: a colour and a name for each code."""
    root = ElementTree.Element("qgis", version="3.28", styleCategories="Symbology")
    pipe = ElementTree.SubElement(root, "pipe")
    renderer = ElementTree.SubElement(
        pipe, "rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1", nodataColor=""
    )
    palette = ElementTree.SubElement(renderer, "colorPalette")
    for cover in legend:
        ElementTree.SubElement(
            palette, "paletteEntry", value=str(cover.code), color=cover.colour, label=cover.name, alpha="255"
        )
    ElementTree.indent(root)
    path.write_text(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ElementTree.tostring(root, "unicode")
    )


def write_categories(path: Path, legend: tuple[LandCover, ...]) -> None:
    """Write the names of the codes 0, 1, 2, ... beside a GeoTIFF, as GDAL keeps them (a TIFF itself has no place)."""
    root = ElementTree.Element("PAMDataset")
    band = ElementTree.SubElement(root, "PAMRasterBand", band="1")
    names = ElementTree.SubElement(band, "CategoryNames")
    by_code = {cover.code: cover.name for cover in legend}
    for code in range(max(by_code) + 1):
        ElementTree.SubElement(names, "Category").text = by_code.get(code, "")
    ElementTree.indent(root)
    path.write_text(ElementTree.tostring(root, "unicode"))


def class_areas(path: Path, legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Columns code, class_name, hectares on the ground, share (%) of the mapped area, of a class map.

    The map is read in strips of whole blocks. Raises `InputError` for a map in a CRS that is not tied to the Earth.
    """
    with rasterio.open(path) as file:
        hectares, step = np.zeros(256), file.block_shapes[0][0]
        for top in range(0, file.height, step):
            strip = Window(0, top, file.width, min(step, file.height - top))
            codes = file.read(1, window=strip)
            hectares += ground.areas_of_codes(codes, file.window_transform(strip), file.crs) / 10_000
    mapped = hectares[np.arange(256) != NODATA_CLASS].sum()
    rows = [
        (cover.code, cover.name, hectares[cover.code], 100 * hectares[cover.code] / max(mapped, 1e-9))
        for cover in legend
    ]
    return pd.DataFrame(rows, columns=["code", "class_name", "hectares", "share (%)"]).round(2)
