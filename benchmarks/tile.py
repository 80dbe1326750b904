"""A large scene for benchmarks: the simulated scene of preset demo, mirrored repeatedly, as native product files.

    python benchmarks/tile.py [ROWS [COLUMNS]]

By default the scene has 10980 x 10980 pixels (a whole tile), eleven dates and 11 GB. The script streams rows to disk
and keeps the scene in the store, where the other benchmarks find it. The scene is only for measuring time and memory.
Noise prevents lines from repeating: without it, files are compressed up to nine times as well as real ones and read in
half the time.
"""

import sys
from pathlib import Path

import numpy as np
import rasterio

from paperlib import Experiment, store
from paperlib.scenes.formats.theia import find_products
from paperlib.scenes.rasters import NODATA
from paperlib.simulation.scene import write_metadata

TILE = 10980
ROWS_AT_ONCE = 512

#: Largest noise in stored units (reflectance x 10000). With it, a pixel takes 1.5 to 1.6 bytes, as in real L3A crops.
NOISE = 8


def mirrored(size: int, length: int) -> np.ndarray:
    """Indices 0 .. size - 1, alternately forwards and backwards, up to `length` indices."""
    index = np.arange(length) % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


def write_layer(source: Path, target: Path, rows: int, columns: int) -> None:
    """Write one raster file, mirrored to `rows` x `columns` pixels of 10 m, or to a quarter as many pixels of 20 m."""
    with rasterio.open(source) as file:
        image, profile = file.read(1), file.profile
    factor = round(profile["transform"].a / 10)
    down, across = mirrored(image.shape[0], rows // factor), mirrored(image.shape[1], columns // factor)
    profile = {key: profile[key] for key in ("driver", "dtype", "count", "crs", "transform", "nodata")}
    profile |= {"height": len(down), "width": len(across), "compress": "deflate", "zlevel": 1, "bigtiff": "if_safer"}
    random = np.random.default_rng(0)
    with rasterio.open(target, "w", **profile) as file:
        for start in range(0, len(down), ROWS_AT_ONCE):
            part = image[down[start : start + ROWS_AT_ONCE]][:, across]
            if "_FRC_" in target.name:  # reflectance only; flags, weights and days are unchanged
                noise = random.integers(-NOISE, NOISE, part.shape, np.int16, endpoint=True)
                np.add(part, noise, out=part, where=part != NODATA)
            file.write(part, 1, window=((start, start + len(part)), (0, len(across))))


def make(folder: Path, rows: int, columns: int) -> None:
    """Write the products of all dates to a folder."""
    for product in find_products(Experiment("demo").dataset.folder):
        target = folder / product.folder.relative_to(product.folder.parents[1])
        (target / "MASKS").mkdir(parents=True)
        for path in product.folder.rglob("*.tif"):
            write_layer(path, target / path.relative_to(product.folder), rows, columns)
        write_metadata(target / product.metadata.name, f"{product.date:%Y-%m-%d}", (rows, columns))


def tile(rows: int = TILE, columns: int = 0) -> Path:
    """Folder of the scene, which is made if it is not in the store. Sides are even numbers of pixels of 10 m."""
    columns = columns or rows
    return store.find_or_make(
        store.open_store(),
        "tile",
        "simulated",
        f"{rows}x{columns}-{NOISE}",
        lambda folder: make(folder, rows, columns),
        {"pixels": [rows, columns]},
    )


if __name__ == "__main__":
    print(tile(*map(int, sys.argv[1:])))
