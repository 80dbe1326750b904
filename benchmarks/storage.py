"""Time of reading and preparing a pixel, by the file layout of a scene and the number of its dates.

    python benchmarks/storage.py [REPEATS]

Reads a row of windows over the whole width of a tile (benchmarks/tile.py) on all cores, as a map does, after another
row that opens the files. Medians of REPEATS (3) are kept in results/storage.csv. The layouts are products of eleven
dates, products of two years (the second year repeats the first), and GeoTIFF stacks of both, stored layer by layer
(interleave=band) and pixel by pixel. The time includes reading, filling gaps and indices. The script takes some
minutes, mostly to write the stacks.
"""

import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from record import keep
from tile import TILE, tile

from paperlib import allocation, open_scene
from paperlib.features.inputs import Inputs
from paperlib.scenes.formats.theia import find_products
from paperlib.scenes.rasters import NODATA
from paperlib.scenes.series import read_window, rows_cached
from paperlib.scenes.windowing import Window, windows
from paperlib.settings import Map

ROWS = 2 * Map().window


def two_years(products: Path, folder: Path) -> Path:
    """Link the products, and link them again with dates one year later."""
    for path in (file for source in find_products(products) for file in source.files):
        for year in ("2018", "2019"):
            link = folder / str(path.relative_to(products)).replace("2018", year)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    return folder


def stack(scene: xr.DataArray, path: Path, interleave: str) -> Path:
    """Write a scene as one date-major GeoTIFF with the compression of its products."""
    bands, dates = scene.band.values, scene.time.values
    profile = {
        "driver": "GTiff", "dtype": "int16", "count": len(bands) * len(dates), "height": ROWS, "width": scene.sizes["x"],
        "crs": scene.rio.crs, "transform": scene.rio.transform(), "nodata": NODATA, "interleave": interleave,
        "compress": "deflate", "zlevel": 1, "bigtiff": "if_safer",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        for number, (date, band) in enumerate(product(dates, bands), start=1):
            file.set_band_description(number, f"{date:.10} {band}")
        for start in range(0, ROWS, 64):
            place = slice(start, start + 64), slice(0, scene.sizes["x"])
            values = np.empty((len(bands), len(dates), 64, scene.sizes["x"]), np.float32)
            read_window(scene, *place, values)
            raw = np.nan_to_num(np.rint(values * 10000), nan=NODATA).astype(np.int16)
            file.write(raw.swapaxes(0, 1).reshape(-1, *raw.shape[2:]), window=place)
    return path


def cost(path: Path) -> float:
    """Core microseconds per pixel of the second row of windows."""
    scene, size = open_scene(path), Map().window
    shape = scene.sizes["y"], scene.sizes["x"]
    parts = list(windows(shape, (size, 2 * size)))
    inputs = Inputs.of(scene)
    largest = inputs.numbers_a_pixel() * 2 * size**2
    memory = threading.local()

    def read_part(part: Window) -> None:
        if not hasattr(memory, "values"):
            memory.values = np.empty(largest, np.float32)
        inputs.read(scene, *part.read, memory.values)

    with rows_cached(scene, size), ThreadPoolExecutor() as pool:
        list(pool.map(read_part, [part for part in parts if part.core[0].start == 0]))
        started = time.perf_counter()
        list(pool.map(read_part, [part for part in parts if part.core[0].start == size]))
        seconds = time.perf_counter() - started
    return 1e6 * seconds * allocation.processors() / (size * shape[1])


def main(repeats: int = 3) -> None:
    """Measure each layout in turn."""
    allocation.configure()
    products = tile(ROWS, TILE)
    with tempfile.TemporaryDirectory() as folder:
        year, years = products, two_years(products, Path(folder) / "years")
        stored = {"products": year, "products, two years": years}
        for interleave, (name, path) in product(("band", "pixel"), (("", year), (", two years", years))):
            stored[f"stack by {interleave}{name}"] = stack(
                open_scene(path), Path(folder) / f"{interleave}{name}.tif", interleave
            )
        measured = {name: statistics.median(cost(path) for _ in range(repeats)) for name, path in stored.items()}
        dates = {name: open_scene(path).sizes["time"] for name, path in stored.items()}
    rows = [(name, dates[name], spent, spent / dates[name]) for name, spent in measured.items()]
    columns = ["stored as", "dates", "core microseconds a pixel", "core microseconds a pixel and date"]
    keep("storage", pd.DataFrame(rows, columns=columns), rows=ROWS, repeats=repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
