"""Files that a GIS needs beside a class map: style, names and codes of the classes, their areas."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import rasterio
from rasterio.windows import Window

from .. import ground
from ..errors import InputError
from ..nomenclature import NODATA_CLASS, LandCover


def write_gis_files(folder: Path, legend: tuple[LandCover, ...]) -> None:
    """Write to `folder`, beside its class.tif: class.qml, class.tif.aux.xml, classes.csv and areas.csv.

    Raises `InputError` for a map in a CRS that is not tied to the Earth.
    """
    write_style(folder / "class.qml", legend)
    write_categories(folder / "class.tif.aux.xml", legend)
    codes_table(legend).to_csv(folder / "classes.csv", index=False)
    class_areas(folder / "class.tif", legend).to_csv(folder / "areas.csv", index=False)


def label(cover: LandCover) -> str:
    """The name of a class as legends show it: with the code of the user's file where that is not the map's code."""
    return f"{cover.name} ({cover.source})" if cover.source else cover.name


def write_style(path: Path, legend: tuple[LandCover, ...]) -> None:
    """Write a QGIS style of a class map: a colour and a label for each code."""
    root = ElementTree.Element("qgis", version="3.28", styleCategories="Symbology")
    pipe = ElementTree.SubElement(root, "pipe")
    renderer = ElementTree.SubElement(
        pipe, "rasterrenderer", type="paletted", band="1", opacity="1", alphaBand="-1", nodataColor=""
    )
    palette = ElementTree.SubElement(renderer, "colorPalette")
    for cover in legend:
        ElementTree.SubElement(
            palette, "paletteEntry", value=str(cover.code), color=cover.colour, label=label(cover), alpha="255"
        )
    ElementTree.indent(root)
    path.write_text(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ElementTree.tostring(root, "unicode"),
        encoding="utf-8",
    )


def write_categories(path: Path, legend: tuple[LandCover, ...]) -> None:
    """Write the labels of the codes 0, 1, 2, ... beside a GeoTIFF, as GDAL keeps them; the TIFF has no place for them."""
    root = ElementTree.Element("PAMDataset")
    band = ElementTree.SubElement(root, "PAMRasterBand", band="1")
    names = ElementTree.SubElement(band, "CategoryNames")
    by_code = {cover.code: label(cover) for cover in legend}
    for code in range(max(by_code) + 1):
        ElementTree.SubElement(names, "Category").text = by_code.get(code, "")
    ElementTree.indent(root)
    path.write_text(ElementTree.tostring(root, "unicode"), encoding="utf-8")


def codes_table(legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Columns code (of the map), source (of the user's file), name, colour: the classes of a map."""
    rows = [(cover.code, cover.own_code, cover.name, cover.colour) for cover in legend]
    return pd.DataFrame(rows, columns=["code", "source", "name", "colour"])


def read_legend(folder: Path) -> tuple[LandCover, ...]:
    """The classes of the map in a folder, from its classes.csv. Raises `InputError` where there is no such table."""
    path = folder / "classes.csv"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        rows = list(zip(*(table[name] for name in ("code", "source", "name", "colour")), strict=True))
        return tuple(LandCover(int(code), name, colour, source if source != code else "")
                     for code, source, name, colour in rows)  # fmt: skip
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"{folder} holds no table of the classes of its map ({path.name}: {error}).",
            "Name a folder that `paperlib map` has written.", kind="map.classes",
        ) from error  # fmt: skip


def class_areas(path: Path, legend: tuple[LandCover, ...]) -> pd.DataFrame:
    """Columns code, source, class_name, hectares on the ground, share (%) of the mapped area, of a class map.

    `source` is the code of the user's file; the column is there where a class has another code in the map. The map is
    read in strips of whole blocks. Raises `InputError` for a map in a CRS that is not tied to the Earth.
    """
    with rasterio.open(path) as file:
        hectares, step = np.zeros(256), file.block_shapes[0][0]
        for top in range(0, file.height, step):
            strip = Window(0, top, file.width, min(step, file.height - top))
            codes = file.read(1, window=strip)
            hectares += ground.areas_of_codes(codes, file.window_transform(strip), file.crs) / 10_000
    mapped = hectares[np.arange(256) != NODATA_CLASS].sum()
    rows = [
        (cover.code, cover.own_code, cover.name, hectares[cover.code], 100 * hectares[cover.code] / max(mapped, 1e-9))
        for cover in legend
    ]
    table = pd.DataFrame(rows, columns=["code", "source", "class_name", "hectares", "share (%)"]).round(2)
    return table if any(cover.source for cover in legend) else table.drop(columns="source")
