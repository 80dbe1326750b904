"""One map out of the maps of tiles: where tiles overlap, the mean of their probabilities decides, so that no seam shows.

A mosaic consists of the maps of the tiles and, on top of them, a sparse file a layer with what holds where tiles overlap.
VRTs show them as one image, and Cloud Optimized GeoTIFFs are copied from those.
"""

import math
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import rasterio
import shapely
from affine import Affine
from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError
from rasterio.shutil import copy as copy_raster
from rasterio.warp import calculate_default_transform
from rasterio.windows import Window

from .. import allocation
from ..errors import InputError
from ..mapping.layers import (
    NODATA_PROBABILITY,
    STEP,
    Layer,
    entropy,
    layers_of,
    margin,
    percent,
    stored,
)  # fmt: skip
from ..mapping.overlaps import FILE, Part
from ..nomenclature import LandCover
from ..scenes.rasters import Grid, RasterFile
from .region import footprint, neighbours
from .virtual import write_vrt

#: Side in pixels of the windows in which overlaps are computed: memory is that of a window of every tile that meets it.
BLOCK = 512
#: Bytes of GDAL's cache of decoded blocks: by default it grows with the machine.
CACHE = 128 * 1024**2


def crs_named(text: str) -> CRS:
    """The CRS of a text such as "EPSG:3035". Raises `InputError` for one that is none or is not tied to the Earth."""
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        problem = f"region.crs = {text!r} is no coordinate reference system."
        raise InputError(problem, "Write one like EPSG:32631.", kind="settings.value") from error


def mosaic_grid(grids: dict[str, Grid], crs: CRS) -> Grid:
    """The grid that holds all tiles in a CRS: on the pixels of the first tile in that CRS, or on whole multiples of them."""
    first = next((grid for grid in grids.values() if grid.crs == crs), None)
    if first is None:
        some = next(iter(grids.values()))
        step = calculate_default_transform(some.crs, crs, some.width, some.height, *some.bounds)[0]
        width, height, start_x, start_y = step.a, -step.e, 0.0, 0.0
    else:
        width, height = first.transform.a, -first.transform.e
        start_x, start_y = first.transform.c, first.transform.f
    left, bottom, right, top = shapely.total_bounds([footprint(grid, crs) for grid in grids.values()]).tolist()
    west, east = ((side - start_x) / width for side in (left, right))
    south, north = ((side - start_y) / height for side in (bottom, top))
    low, high = (math.floor(side + 1e-6) for side in (west, south))
    columns, rows = math.ceil(east - 1e-6) - low, math.ceil(north - 1e-6) - high
    corner = start_x + low * width, start_y + (high + rows) * height
    return Grid(crs, Affine(width, 0, corner[0], 0, -height, corner[1]), rows, columns)


def overlaps_of(grids: dict[str, Grid]) -> dict[str, list[Part]]:
    """The parts (rows, columns) of each tile that other tiles overlap, a pixel more on each side."""
    parts: dict[str, list[Part]] = {}
    for name, others in neighbours(grids).items():
        grid = grids[name]
        rectangles = [_window(grid, overlap.bounds, 1) for overlap in others.values()]
        parts[name] = sorted(rectangles, key=lambda part: (part[0].start, part[1].start))
    return parts


def _window(grid: Grid, bounds: tuple[float, ...], margin: int = 0) -> Part:
    """Rows and columns of a grid that meet bounds in its CRS."""
    left, bottom, right, top = bounds
    (first, low), (last, high) = ~grid.transform @ (left, top), ~grid.transform @ (right, bottom)
    rows, columns = (
        slice(max(0, math.floor(start + 1e-6) - margin), min(size, math.ceil(stop - 1e-6) + margin))
        for start, stop, size in ((low, high, grid.height), (first, last, grid.width))
    )
    return rows, columns


def write_mosaic(
    maps: dict[str, Path], grids: dict[str, Grid], crs: CRS, legend: tuple[LandCover, ...], folder: Path
) -> Grid:
    """Write one map of several tiles to a folder, and return its grid.

    Parameters
    ----------
    maps: folder of the map of each tile, with class.tif, confidence.tif and, where others overlap it, overlaps.tif. Further
        layers that all of them have, as of `map_scene`, are in the mosaic too.
    grids: of the same tiles.
    crs: of the mosaic; tiles of another one are resampled to the nearest pixel.
    legend: classes in the order of the probabilities.

    Writes for each layer, as class, class.tif (Cloud Optimized GeoTIFF), overlap-class.tif, and class.vrt, which shows the
    same from the maps of the tiles. Memory depends on `BLOCK`, not on the number of tiles. Raises `InputError` where the
    disk is full.
    """
    grid = mosaic_grid(grids, crs)
    with rasterio.Env(GDAL_CACHEMAX=CACHE):
        write_overlaps(maps, grids, grid, legend, folder)
        for layer in layers_in(maps, legend):
            virtual = write_vrt(folder / f"{layer.name}.vrt", layer, maps, grids, grid, legend)
            predictor = {"predictor": "standard"} if layer.dtype != "uint8" else {}
            try:
                copy_raster(
                    virtual, folder / f"{layer.name}.tif", driver="COG", compress="deflate", resampling=layer.resampling,
                    num_threads=allocation.processors(), bigtiff="if_safer", **predictor,
                )  # fmt: skip
            except RasterioError as error:
                problem = f"{folder / layer.name}.tif could not be written whole ({error})."
                raise InputError(problem, "Make room and give the same command again.", kind="disk.full") from error
    return grid


def layers_in(maps: dict[str, Path], legend: tuple[LandCover, ...]) -> list[Layer]:
    """The layers that the maps of all tiles have: see `mapping.layers.layers_of`."""
    every = layers_of(legend, True)
    return [layer for layer in every if all((folder / f"{layer.name}.tif").is_file() for folder in maps.values())]


def copy_parts(
    maps: dict[str, Path], grids: dict[str, Grid], grid: Grid, legend: tuple[LandCover, ...], folder: Path
) -> None:
    """Copy the map of each tile to tiles/TILE/ in a folder that holds a mosaic, and write the VRTs over the copies there."""
    copies = {}
    for name, source in maps.items():
        copies[name] = folder / "tiles" / name
        copies[name].mkdir(parents=True, exist_ok=True)
        for file in source.iterdir():
            if file.is_file() and file.name not in (FILE, "provenance.json"):
                shutil.copyfile(file, copies[name] / file.name)
    for layer in layers_in(copies, legend):
        write_vrt(folder / f"{layer.name}.vrt", layer, copies, grids, grid, legend)


def write_overlaps(
    maps: dict[str, Path], grids: dict[str, Grid], grid: Grid, legend: tuple[LandCover, ...], folder: Path
) -> None:
    """Write overlap-NAME.tif for each layer of the maps: what holds where two or more tiles have a usable date."""
    codes = np.array([cover.code for cover in legend], np.uint8)
    files = {
        name: RasterFile(maps[name] / FILE, NODATA_PROBABILITY, grid) for name in maps if (maps[name] / FILE).is_file()
    }
    with ExitStack() as stack:
        targets = [
            (
                layer,
                stack.enter_context(rasterio.open(folder / f"overlap-{layer.name}.tif", "w", **_profile(layer, grid))),
            )
            for layer in layers_in(maps, legend)
        ]
        for (rows, columns), names in _blocks(grids, grid):
            total = np.zeros((len(legend), rows.stop - rows.start, columns.stop - columns.start), np.uint32)
            seen = np.zeros(total.shape[1:], np.uint32)
            for name in names:
                values = np.stack(files[name].read(range(1, len(legend) + 1), rows, columns))
                held = values[0] != NODATA_PROBABILITY
                total += np.where(held, values, 0)
                seen += held
            share, both = total * STEP / np.maximum(seen, 1), seen > 1
            for layer, target in targets:
                image = np.where(both, _image(layer, share, codes), layer.nodata).astype(layer.dtype)
                target.write(image if layer.bands else image[None], window=Window.from_slices(rows, columns))


def _profile(layer: Layer, grid: Grid) -> dict:
    """What rasterio must know to write the overlaps of a layer, which take no room where there are none."""
    return {
        "driver": "GTiff", "dtype": layer.dtype, "nodata": layer.nodata, "count": max(1, len(layer.bands)),
        "height": grid.height, "width": grid.width, "crs": grid.crs, "transform": grid.transform, "tiled": True,
        "compress": "deflate", "sparse_ok": True, "bigtiff": "if_safer",
    }  # fmt: skip


def _image(layer: Layer, share: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """A layer as stored, (y, x) or (band, y, x), of probabilities (class, y, x)."""
    if layer.coded:
        return codes[share.argmax(0)]
    if layer.bands:
        return stored(share)
    values = {
        "confidence": lambda: 100 * share.max(0),
        "margin": lambda: margin(share),
        "entropy": lambda: entropy(share),
    }
    return percent(values[layer.name]())


def _blocks(grids: dict[str, Grid], grid: Grid) -> Iterator[tuple[Part, list[str]]]:
    """Windows of the mosaic that two or more tiles meet, each once, with the names of these tiles."""
    names = list(grids)
    outlines = [footprint(own, grid.crs) for own in grids.values()]
    tree = shapely.STRtree(outlines)
    one, other = tree.query(outlines, predicate="intersects")
    shared = [outlines[a].intersection(outlines[b]) for a, b in zip(one, other, strict=True) if a < b]
    found = set()
    for overlap in shared:
        if overlap.area > 0:
            rows, columns = _window(grid, overlap.bounds)
            found |= {
                (row, column)
                for row in range(rows.start // BLOCK, -(-rows.stop // BLOCK))
                for column in range(columns.start // BLOCK, -(-columns.stop // BLOCK))
            }
    for row, column in sorted(found):
        rows = slice(row * BLOCK, min((row + 1) * BLOCK, grid.height))
        columns = slice(column * BLOCK, min((column + 1) * BLOCK, grid.width))
        (left, top), (right, bottom) = (
            grid.transform @ (columns.start, rows.start), grid.transform @ (columns.stop, rows.stop)
        )  # fmt: skip
        met = sorted(tree.query(shapely.box(left, bottom, right, top), predicate="intersects").tolist())
        if len(met) > 1:
            yield (rows, columns), [names[place] for place in met]
