"""A SIMULATED region: one landscape cut into four overlapping tiles of native product files, with known truth.

The tiles hold the pixels of one simulated scene (`scene.simulate_scene`), as if it had been cut: three in its own UTM zone
bit by bit, and one, in the north-west, in the zone beside it: bands of 10 m resampled to the nearest pixel, those of 20 m
by cubic convolution, since a nearest pixel of them lies up to 14 m off. Each tile has clouds of its own, and one of them
lacks a date.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
from affine import Affine
from pyproj import Transformer
from rasterio.crs import CRS
from scipy.ndimage import gaussian_filter

from ..errors import InputError
from ..scenes.rasters import NODATA, Grid, RasterFile, read_header
from .scene import CRS_TILE, ORIGIN, TILE, simulate_scene, write_metadata, write_raster
from .years import FIRST_YEAR, simulate_year

CRS_BESIDE = CRS.from_epsg(32630)
#: Names of the tiles in the north-west, north-east, south-west and south-east.
NAMES = ("T30TYP", "T31TCJ", "T31TBH", "T31TCH")
#: Share of a tile that its own clouds cover on each date, and how much they brighten it (stored values).
CLOUDS, BRIGHT = 0.03, 3000
#: The tile without the date of this number.
LACKING, LACKED = "T31TCH", 5


class _Cut(NamedTuple):
    """A tile to be cut: its name and its grid of 10 m."""

    name: str
    grid: Grid


def simulate_tiles(
    folder: Path,
    size: int = 160,
    side: int = 96,
    pool: int = 40,
    test: int = 24,
    seed: int = 31,
    clouds: float = CLOUDS,
    year: int = FIRST_YEAR,
) -> Path:
    """Write a simulated region to a new or empty folder and return the folder.

    Parameters
    ----------
    size: side of the landscape in pixels of 10 m; even.
    side: side of each tile in pixels of 10 m; even, and more than half of `size`, so that tiles overlap.
    pool, test, seed: as of `scene.simulate_scene`.
    clouds: share of each tile and date under clouds of its own; 0: none, and no date is missing.
    year: another one than the first is a later one of the same landscape, as of `years.simulate_year`.

    Writes tiles/NAME/, one folder of products a tile; whole/, the scene that the tiles were cut from; polygons.gpkg and
    truth.tif, as of that scene. Raises `InputError` for sizes that are not possible.
    """
    if side % 2 or not size / 2 < side <= size:
        problem = f"Tiles of {side} pixels do not cover {size} pixels twice two with an overlap."
        raise InputError(problem, f"Give an even number above {size // 2}.", kind="simulation.tiles")
    folder = Path(folder)
    wanted = {"size": size, "pool": pool, "test": test, "seed": seed}
    if year == FIRST_YEAR:
        whole = simulate_scene(folder / "whole", **wanted)
    else:
        whole = simulate_year(folder / "whole", **wanted, year=year)
    for name in ("polygons.gpkg", "truth.tif"):
        shutil.move(whole / name, folder / name)
    random = np.random.default_rng(seed if year == FIRST_YEAR else [seed, year])
    for tile in _cuts(size, side):
        for number, product in enumerate(sorted((whole / TILE).iterdir())):
            cloud = _cloud((tile.grid.height, tile.grid.width), clouds, random)
            if not (clouds and (tile.name, number) == (LACKING, LACKED)):
                _cut_product(product, folder / "tiles" / tile.name, tile, cloud)
    return folder


def _cuts(size: int, side: int) -> list[_Cut]:
    """The four tiles of a landscape of `size` pixels."""
    start = size - side
    places = [(0, 0), (0, start), (start, 0), (start, start)]  # row, column
    cuts = []
    for name, (row, column) in zip(NAMES, places, strict=True):
        corner = Affine(10, 0, ORIGIN[0], 0, -10, ORIGIN[1]) @ Affine.translation(column, row)
        cuts.append(_Cut(name, Grid(CRS_TILE, corner, side, side)))
    return [_Cut(NAMES[0], _beside(cuts[0].grid)), *cuts[1:]]


def _beside(grid: Grid) -> Grid:
    """The grid of the zone beside that covers another grid, on the same multiples of 20 m as tiles of Sentinel-2."""
    left, bottom, right, top = Transformer.from_crs(grid.crs, CRS_BESIDE, always_xy=True).transform_bounds(*grid.bounds)
    west, north = 20 * np.floor(left / 20), 20 * np.ceil(top / 20)
    rows, columns = (2 * int(np.ceil(span / 20)) for span in (north - bottom, right - west))
    return Grid(CRS_BESIDE, Affine(10, 0, west, 0, -10, north), rows, columns)


def _cloud(shape: tuple[int, int], share: float, random: np.random.Generator) -> np.ndarray:
    """Where a tile has a cloud of its own (y, x), in blocks of 2 x 2 pixels."""
    field = gaussian_filter(random.normal(size=(shape[0] // 2, shape[1] // 2)), 5)
    return np.kron(field > np.quantile(field, 1 - share), np.ones((2, 2), bool))


def _cut_product(product: Path, folder: Path, tile: _Cut, cloud: np.ndarray) -> None:
    """Write one date of a tile: the pixels of a product in its grid, under a cloud (y, x)."""
    name = product.name.replace(TILE, tile.name)
    target = folder / name
    (target / "MASKS").mkdir(parents=True)
    for path in sorted(product.rglob("*.tif")):
        pixel = read_header(path).grid.transform.a
        step = round(pixel / 10)
        corner = tile.grid.transform @ Affine.scale(step)
        grid = Grid(tile.grid.crs, corner, tile.grid.height // step, tile.grid.width // step)
        kind = path.stem.rpartition(f"{product.name}_")[2]
        nodata = 0 if kind.startswith(("FLG", "WGT")) else NODATA
        way = "cubic" if kind.startswith("FRC") and step == 2 else "nearest"
        (image,) = RasterFile(path, nodata, grid, way).read([1], slice(0, grid.height), slice(0, grid.width))
        covered = cloud[::step, ::step] & (image != nodata)
        image = np.where(covered, 1, image) if kind.startswith("FLG") else image
        image = np.where(covered, image + BRIGHT, image) if kind.startswith("FRC") else image
        written = target / path.relative_to(product).as_posix().replace(product.name, name)
        write_raster(written, image, grid.transform, crs=grid.crs)
    date = name.split("_")[1][:8]
    write_metadata(
        target / f"{name}_MTD_ALL.xml", f"{date[:4]}-{date[4:6]}-{date[6:]}", (tile.grid.height, tile.grid.width),
        tile.name, (tile.grid.transform.c, tile.grid.transform.f),
    )  # fmt: skip
