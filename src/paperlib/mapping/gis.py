"""What a GIS wants beside a class map: style, names of the classes, their areas."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import rasterio

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
    """Columns code, class_name, hectares, share (%) of the mapped area, of a class map; it is read block by block."""
    with rasterio.open(path) as file:
        pixels = np.zeros(256, np.int64)
        for _, window in file.block_windows(1):
            pixels += np.bincount(file.read(1, window=window).ravel(), minlength=256)
        hectares = pixels * abs(file.transform.a * file.transform.e) / 10_000
    mapped = hectares[np.arange(256) != NODATA_CLASS].sum()
    rows = [
        (cover.code, cover.name, hectares[cover.code], 100 * hectares[cover.code] / max(mapped, 1e-9))
        for cover in legend
    ]
    return pd.DataFrame(rows, columns=["code", "class_name", "hectares", "share (%)"]).round(2)
