"""Whole-scene maps: a classifier over overlapping windows, written as class and confidence GeoTIFF.

Every core of the machine takes the next window and does all of it: it reads, fills gaps, computes indices, normalises,
classifies, and writes the result. So reading and computing overlap without any queue between them; on a GPU, whose
turn is short, the windows of some cores are being read while that of another is classified.
"""

import math
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import rasterio
import rioxarray
import torch
import xarray as xr
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window as RasterWindow
from tqdm import tqdm

from .. import allocation, devices
from ..errors import InputError
from ..features.indices import channel_names
from ..features.samples import Normaliser
from ..features.window import read_features
from ..nomenclature import NODATA_CLASS, LandCover, colour_table
from ..scenes.series import rows_cached
from ..scenes.windowing import Window, windows
from ..settings import Map
from .inference import Classifier

NODATA_CONFIDENCE = 255


def map_scene(
    model: torch.nn.Module,
    scene: xr.DataArray,
    normaliser: Normaliser,
    legend: tuple[LandCover, ...],
    folder: Path,
    window: int = Map().window,
    superpixels: xr.DataArray | None = None,
    device: torch.device | str | None = None,
    progress: bool = False,
) -> None:
    """Classify every pixel of a scene and write `class.tif` and `confidence.tif` (Cloud Optimized GeoTIFF) to `folder`.

    Windows of `window` rows, and twice as many columns, are read with a halo of half the model's receptive field, so the
    result equals that of one pass over the whole scene; memory depends on the window, and on the dates and the width of
    the scene, not on its rows. `superpixels` (y, x) of the whole scene, lazy, for a model that takes them. Windows that a
    killed run left in `folder` are kept and not done again.

    class.tif: uint8 class codes with colour table and names, 0 where no date of the pixel is usable.
    confidence.tif: uint8, probability of that class in percent, 255 where there is none. Both state the precision of
    the computation and, where it was mixed, the share of sample pixels that got the same class as in float32.
    """
    classifier = Classifier(model, normaliser, devices.choose(device))
    done = folder / "windows"
    done.mkdir(parents=True, exist_ok=True)
    allocation.configure()
    with rows_cached(scene, window + 2 * classifier.halo):
        agreed = classifier.choose_precision(scene)
        codes = np.array([cover.code for cover in legend] + [NODATA_CLASS], np.uint8)  # index -1 takes the last
        shape = scene.sizes["y"], scene.sizes["x"]
        # wide, since files are stored in lines and those of a row of windows must stay in GDAL's cache; of even size:
        # narrow windows at the end would cost more than their share
        even = tuple(
            math.ceil(side / math.ceil(side / wanted)) for side, wanted in zip(shape, (window, 2 * window), strict=True)
        )
        parts = list(windows(shape, even, classifier.halo))
        series = scene.sizes["time"] * len(channel_names(scene.band.values))  # numbers a pixel
        largest = series * max(_pixels(part.read) for part in parts)
        memory = threading.local()  # each thread has its own, for all its windows

        def one(part: Window) -> None:
            if not hasattr(memory, "values"):
                memory.values = np.empty(largest, np.float32)
            around = None if superpixels is None else superpixels[part.read].values
            index, probability = classifier.classify(
                read_features(scene, *part.read, memory.values), part.inner, around
            )
            percent = np.where(index < 0, NODATA_CONFIDENCE, np.rint(100 * probability)).astype(np.uint8)
            _save(_place(done, part), np.stack([codes[index], percent]))

        _on_every_core(one, [part for part in parts if not _place(done, part).exists()], progress)
        precision = {"precision": f"mixed bfloat16, {agreed:.4%} as float32" if classifier.mixed else "float32"}
        _assemble(folder, scene, parts, legend, precision)
    shutil.rmtree(done)


def _on_every_core(work: Callable[[Window], None], parts: list[Window], progress: bool) -> None:
    """`work` on every part, in threads of which each computes alone; the first error ends it."""
    before = torch.get_num_threads()
    total = sum(_pixels(part.core) for part in parts)
    bar = tqdm(desc="map", total=total, unit="px", unit_scale=True, disable=not progress)
    try:
        with bar, ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            futures = {pool.submit(work, part): part for part in parts}
            try:
                for future in as_completed(futures):
                    future.result()
                    bar.update(_pixels(futures[future].core))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    finally:
        torch.set_num_threads(before)


def _pixels(part: tuple[slice, slice]) -> int:
    return math.prod(side.stop - side.start for side in part)


def _place(folder: Path, part: Window) -> Path:
    """The whole extent names a window, so that one of another size is never taken for it."""
    rows, columns = part.core
    return folder / f"{rows.start}-{rows.stop}-{columns.start}-{columns.stop}.npy"


def _save(path: Path, array: np.ndarray) -> None:
    """Whole or not at all: a file under its final name is complete."""
    partial = path.with_suffix(".partial")
    with open(partial, "wb") as file:
        np.save(file, array)
    os.replace(partial, path)


def _assemble(
    folder: Path, scene: xr.DataArray, parts: list[Window], legend: tuple[LandCover, ...], precision: dict[str, str]
) -> None:
    """The two maps, out of the results of all windows."""
    profile = {
        "driver": "GTiff", "dtype": "uint8", "count": 1, "height": scene.sizes["y"], "width": scene.sizes["x"],
        "crs": scene.rio.crs, "transform": scene.rio.transform(), "tiled": True, "bigtiff": "if_safer",
    }  # fmt: skip
    kinds = (("class", NODATA_CLASS, "nearest"), ("confidence", NODATA_CONFIDENCE, "average"))
    for number, (name, nodata, resampling) in enumerate(kinds):
        raw, final = folder / f"{name}.raw.tif", folder / f"{name}.tif"
        images = ((RasterWindow.from_slices(*part.core), _load(folder / "windows", part)[number]) for part in parts)
        try:
            with rasterio.open(raw, "w", nodata=nodata, **profile) as file:
                if name == "class":
                    file.write_colormap(1, colour_table(legend))
                    file.update_tags(1, **{f"class_{cover.code}": cover.name for cover in legend})
                else:
                    file.update_tags(1, unit="percent")
                file.update_tags(**precision)
                for place, image in images:
                    file.write(image, 1, window=place)
            copy_raster(raw, final, driver="COG", compress="deflate", resampling=resampling, num_threads="all_cpus")
            whole = _holds(final, number, folder / "windows", parts)
        except (RasterioError, CPLE_BaseError):  # rasterio lets some of GDAL's errors through as they are
            whole = False
        if not whole:  # GDAL says little, or nothing, when it closes a file on a full disk
            final.unlink(missing_ok=True)
            raise InputError(
                f"{final} could not be written whole: {shutil.disk_usage(folder).free / 1e9:.1f} GB are free there. "
                "Make room and give the same command again; what is classified is kept."
            )
        raw.unlink()


def _load(folder: Path, part: Window) -> np.ndarray:
    return np.load(_place(folder, part))


def _holds(path: Path, number: int, folder: Path, parts: list[Window]) -> bool:
    """Whether a written map gives back the results of all windows."""
    with rasterio.open(path) as file:
        return all(
            np.array_equal(file.read(1, window=RasterWindow.from_slices(*part.core)), _load(folder, part)[number])
            for part in parts
        )


def read_map(path: Path) -> xr.DataArray:
    """A map as written by `map_scene`: uint8 (y, x) with coordinates in metres and `.rio` georeference."""
    return rioxarray.open_rasterio(path).squeeze("band", drop=True)
