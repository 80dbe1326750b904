"""A virtual raster (VRT) over the maps of tiles: a small text file that any GIS opens as one image."""

import os
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import rasterio
from affine import Affine
from rasterio.shutil import copy as copy_raster
from rasterio.vrt import WarpedVRT

from ..mapping.gis import label
from ..mapping.layers import Layer
from ..nomenclature import LandCover, colour_table
from ..scenes.rasters import EXACT, Grid
from .region import footprint


def write_vrt(
    path: Path, layer: Layer, maps: dict[str, Path], grids: dict[str, Grid], grid: Grid, legend: tuple[LandCover, ...]
) -> Path:
    """Write the VRT of a layer of maps, and return its path.

    It shows the file of the layer of each tile and, on top, overlap-NAME.tif beside it. A tile on another grid is shown
    through a VRT of its own beside it, NAME-TILE.vrt, which resamples it to the nearest pixel. `maps`: folder of the map
    of each tile. Paths in the files are relative to them.
    """
    root = ElementTree.Element("VRTDataset", rasterXSize=str(grid.width), rasterYSize=str(grid.height))
    ElementTree.SubElement(root, "SRS").text = grid.crs.to_wkt()
    ElementTree.SubElement(root, "GeoTransform").text = ", ".join(f"{value!r}" for value in grid.transform.to_gdal())
    sources = [_placed(maps[name] / f"{layer.name}.tif", name, path, own, grid, layer) for name, own in grids.items()]
    overlap = path.with_name(f"overlap-{layer.name}.tif")
    if overlap.is_file():
        sources.append((overlap, grid, (0, 0)))
    for number, title in enumerate(layer.bands or ("",), start=1):
        data_type = {"uint8": "Byte", "uint16": "UInt16"}[layer.dtype]
        band = ElementTree.SubElement(root, "VRTRasterBand", dataType=data_type, band=str(number))
        _describe(band, layer, title, legend)
        for file, own, place in sources:
            _add_source(band, number, file, path, own, place, layer.nodata)
    ElementTree.indent(root)
    path.write_text(ElementTree.tostring(root, "unicode"), encoding="utf-8")
    return path


def _placed(
    file: Path, name: str, path: Path, own: Grid, grid: Grid, layer: Layer
) -> tuple[Path, Grid, tuple[int, int]]:
    """The file of a tile, or the VRT that shows it on another grid, with its grid and its place (row, column) there."""
    if _offset(own, grid) is None:
        own = _on(own, grid)
        file = _write_warped(file, path.with_name(f"{layer.name}-{name}.vrt"), own, layer.nodata)
    return file, own, _offset(own, grid) or (0, 0)


def _describe(band: ElementTree.Element, layer: Layer, title: str, legend: tuple[LandCover, ...]) -> None:
    """What the values in the band of a VRT mean: its title, step and unit, or names and colours of classes."""
    if title:
        ElementTree.SubElement(band, "Description").text = title
    ElementTree.SubElement(band, "NoDataValue").text = str(layer.nodata)
    if layer.step != 1:
        ElementTree.SubElement(band, "Scale").text = f"{layer.step!r}"
    if layer.unit:
        ElementTree.SubElement(ElementTree.SubElement(band, "Metadata"), "MDI", key="unit").text = layer.unit
    if not layer.coded:
        return
    names = ElementTree.SubElement(band, "CategoryNames")
    by_code = {cover.code: label(cover) for cover in legend}
    for code in range(max(by_code) + 1):
        ElementTree.SubElement(names, "Category").text = by_code.get(code, "")
    metadata = ElementTree.SubElement(band, "Metadata")
    for cover in legend:
        ElementTree.SubElement(metadata, "MDI", key=f"class_{cover.code}").text = cover.name
    ElementTree.SubElement(band, "ColorInterp").text = "Palette"
    colours = colour_table(legend)
    table = ElementTree.SubElement(band, "ColorTable")
    for code in range(max(colours) + 1):
        red, green, blue, *alpha = colours.get(code, (0, 0, 0, 0))
        parts = {"c1": red, "c2": green, "c3": blue, "c4": alpha[0] if alpha else 255}
        ElementTree.SubElement(table, "Entry", {name: str(value) for name, value in parts.items()})


def _add_source(
    band: ElementTree.Element, number: int, file: Path, path: Path, own: Grid, place: tuple[int, int], nodata: int
) -> None:
    """A band of a file in that of a VRT, its corner at a place (row, column); its nodata pixels show what lies below."""
    source = ElementTree.SubElement(band, "ComplexSource")
    ElementTree.SubElement(source, "SourceFilename", relativeToVRT="1").text = _relative(file, path)
    ElementTree.SubElement(source, "SourceBand").text = str(number)
    sides = {"xSize": str(own.width), "ySize": str(own.height)}
    ElementTree.SubElement(source, "SrcRect", {"xOff": "0", "yOff": "0", **sides})
    ElementTree.SubElement(source, "DstRect", {"xOff": str(place[1]), "yOff": str(place[0]), **sides})
    ElementTree.SubElement(source, "NODATA").text = str(nodata)


def _relative(file: Path, path: Path) -> str:
    return Path(os.path.relpath(file.absolute(), path.absolute().parent)).as_posix()


def _offset(own: Grid, grid: Grid) -> tuple[int, int] | None:
    """Rows and columns from the corner of a grid to that of another whose pixels coincide with its own; else None."""
    if own.crs != grid.crs or not np.allclose(tuple(own.transform)[:2], tuple(grid.transform)[:2], atol=1e-9):
        return None
    column, row = ~grid.transform @ (own.transform.c, own.transform.f)
    fits = np.allclose((row, column), np.rint((row, column)), atol=1e-3)
    return (round(row), round(column)) if fits else None


def _on(own: Grid, grid: Grid) -> Grid:
    """The part of a grid that a tile on another one meets."""
    left, bottom, right, top = footprint(own, grid.crs).bounds
    (first, low), (last, high) = ~grid.transform @ (left, top), ~grid.transform @ (right, bottom)
    column, row = max(0, int(np.floor(first))), max(0, int(np.floor(low)))
    shape = min(grid.height, int(np.ceil(high))) - row, min(grid.width, int(np.ceil(last))) - column
    return Grid(grid.crs, grid.transform @ Affine.translation(column, row), *shape)


def _write_warped(file: Path, target: Path, grid: Grid, nodata: int) -> Path:
    """A VRT that resamples a file to a grid, to the nearest pixel, exactly."""
    with (
        rasterio.open(file) as source,
        WarpedVRT(
            source, crs=grid.crs, transform=grid.transform, height=grid.height, width=grid.width, nodata=nodata, **EXACT
        ) as warped,
    ):
        copy_raster(warped, target, driver="VRT")
    tree = ElementTree.parse(target)
    for named in tree.iter("SourceDataset"):
        named.text, named.attrib["relativeToVRT"] = _relative(file, target), "1"
    tree.write(target, encoding="utf-8")
    return target
