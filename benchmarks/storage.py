"""Time of reading and preparing a pixel, by the file layout of a scene and the number of its dates.

    python benchmarks/storage.py [REPEATS]

Reads a row of windows over the whole width of a tile (benchmarks/tile.py) on all cores, as a map does, after another
row that opens the files. Each of REPEATS (3) turns reads every layout; medians are kept in results/storage.csv, also of the
ratios to the stack by band of the same compression and dates in the same turn. The layouts are products of eleven
dates, products of two years (the second year repeats the first), GeoTIFF stacks of both, stored layer by layer
(interleave=band) and pixel by pixel, and cubes of the eleven dates: NetCDF, Zarr 2 and Zarr 3 in chunks of a window, and
Zarr 2 in chunks that span eight windows. All are deflated, but for a stack and cubes that are packed with zstd, as Zarr
packs by default. The time is that of the processor: it includes
reading, filling gaps and indices, and does not depend on other work of the machine. The script takes some minutes,
mostly to write the files.
"""

import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numcodecs
import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from record import keep
from tile import TILE, tile
from zarr.codecs import GzipCodec, ZstdCodec

from paperlib import allocation, open_scene
from paperlib.features.inputs import Inputs
from paperlib.scenes.formats.theia import find_products
from paperlib.scenes.rasters import NODATA
from paperlib.scenes.series import read_window, rows_cached
from paperlib.scenes.windowing import Window, windows
from paperlib.settings import Map

ROWS = 2 * Map().window
DEFLATE, ZSTD = {"compress": "deflate", "zlevel": 1}, {"compress": "zstd", "zstd_level": 1}


def two_years(products: Path, folder: Path) -> Path:
    """Link the products, and link them again with dates one year later."""
    for path in (file for source in find_products(products) for file in source.files):
        for year in ("2018", "2019"):
            link = folder / str(path.relative_to(products)).replace("2018", year)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    return folder


def stack(scene: xr.DataArray, path: Path, interleave: str, packing: dict) -> Path:
    """Write a scene as one date-major GeoTIFF with this compression."""
    bands, dates = scene.band.values, scene.time.values
    profile = {
        "driver": "GTiff", "dtype": "int16", "count": len(bands) * len(dates), "height": ROWS, "width": scene.sizes["x"],
        "crs": scene.rio.crs, "transform": scene.rio.transform(), "nodata": NODATA, "interleave": interleave,
        "bigtiff": "if_safer", **packing,
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


def cube(scene: xr.DataArray, path: Path, chunk: tuple[int, int], codec: object, version: int) -> Path:
    """Write a scene as NetCDF (always deflated) or Zarr with this codec, one variable of integers."""
    raw = np.empty((scene.sizes["band"], scene.sizes["time"], ROWS, scene.sizes["x"]), np.int16)
    for start in range(0, ROWS, 64):
        values = np.empty((*raw.shape[:2], 64, raw.shape[3]), np.float32)
        read_window(scene, slice(start, start + 64), slice(0, raw.shape[3]), values)
        raw[:, :, start : start + 64] = np.nan_to_num(np.rint(values * 10000), nan=NODATA).astype(np.int16)
    coords = {name: scene[name].values for name in scene.dims}
    data = xr.DataArray(raw, coords, scene.dims, "reflectance").rio.write_crs(scene.rio.crs).to_dataset()
    data["reflectance"].attrs |= {"scale_factor": 1e-4, "_FillValue": np.int16(NODATA)}
    chunks = (1, 1, *chunk)
    if path.suffix == ".nc":
        packing = {"zlib": True, "complevel": 1, "chunksizes": chunks}
        data.to_netcdf(path, encoding={"reflectance": packing}, engine="h5netcdf")
    else:
        packing = {"chunks": chunks, "compressors": codec}
        data.to_zarr(path, encoding={"reflectance": packing}, zarr_format=version)
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
        started = time.process_time()
        list(pool.map(read_part, [part for part in parts if part.core[0].start == size]))
        seconds = time.process_time() - started
    return 1e6 * seconds / (size * shape[1])


def main(repeats: int = 3) -> None:
    """Measure each layout in turn."""
    allocation.configure()
    products = tile(ROWS, TILE)
    with tempfile.TemporaryDirectory() as folder:
        year, years = products, two_years(products, Path(folder) / "years")
        stored = {"products": year, "products, two years": years}
        for interleave, (name, path) in product(("band", "pixel"), (("", year), (", two years", years))):
            stored[f"stack by {interleave}{name}"] = stack(
                open_scene(path), Path(folder) / f"{interleave}{name}.tif", interleave, DEFLATE
            )
        stored["stack by band, zstd"] = stack(open_scene(year), Path(folder) / "zstd.tif", "band", ZSTD)
        side = Map().window
        one, eight = (side, 2 * side), (2 * side, 8 * side)
        for name, file, chunk, codec, version in (
            ("NetCDF by windows", "small.nc", one, None, 0),
            ("Zarr by windows", "small.zarr", one, numcodecs.Zlib(1), 2),
            ("Zarr by windows, zstd", "zstd.zarr", one, numcodecs.Zstd(1), 2),
            ("Zarr 3 by windows", "small3.zarr", one, GzipCodec(level=1), 3),
            ("Zarr 3 by windows, zstd", "zstd3.zarr", one, ZstdCodec(level=1), 3),
            ("Zarr by eight windows", "large.zarr", eight, numcodecs.Zlib(1), 2),
        ):
            stored[name] = cube(open_scene(year), Path(folder) / file, chunk, codec, version)
        os.sync()  # what was written reaches the disk before anything is measured
        turns = pd.DataFrame([{name: cost(path) for name, path in stored.items()} for _ in range(repeats)])
        dates = {name: open_scene(path).sizes["time"] for name, path in stored.items()}
    rows = []
    for name, spent in turns.median().items():
        like = "stack by band" + next((end for end in (", two years", ", zstd") if name.endswith(end)), "")
        rows.append((name, dates[name], spent, spent / dates[name], (turns[name] / turns[like]).median()))
    columns = [
        "stored as",
        "dates",
        "core microseconds a pixel",
        "core microseconds a pixel and date",
        "times the stack",
    ]
    keep("storage", pd.DataFrame(rows, columns=columns), rows=ROWS, repeats=repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
