"""Whole-scene maps: a classifier over overlapping windows, written as class and confidence GeoTIFF.

Every core of the machine takes the next window and does all of it: it reads, fills gaps, computes indices, normalises,
classifies, and writes the result. So reading and computing overlap without any queue between them; on a GPU, whose
turn is short, the windows of some cores are being read while that of another is classified.
"""

import math
import os
import shutil
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import cast

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

from .. import allocation, devices, environment
from ..errors import InputError, InputWarning
from ..features.inputs import Inputs
from ..features.superpixels import segment_scene
from ..nomenclature import NODATA_CLASS, LandCover, colour_table
from ..outputs import size, writing
from ..scenes.series import rows_cached
from ..scenes.windowing import Window, windows
from ..training.classifier import Classifier
from .inference import Engine

NODATA_CONFIDENCE = 255


def map_scene(
    classifier: Classifier,
    scene: xr.DataArray,
    folder: Path,
    window: int = 256,
    superpixels: xr.DataArray | None = None,
    device: torch.device | str | None = None,
    progress: bool = False,
) -> None:
    """Classify every pixel of a scene and write `class.tif` and `confidence.tif` (Cloud Optimized GeoTIFF) to `folder`.

    Parameters
    ----------
    classifier: a trained classifier. The scene may be another than that of its training; see `Inputs.problems`.
    scene: (band, time, y, x), lazy.
    folder: is made if it does not exist. Windows that a killed run left there are kept and not done again.
    window: rows of the windows that are classified, in pixels; they have twice as many columns. Each is read with what a
        model sees around it (`Inputs.read_around`), so the result equals that of one pass over the whole scene. Memory
        depends on the window, and on the dates and the width of the scene, not on its rows.
    superpixels: (y, x) of the whole scene, lazy, for a model that takes them; None: computed.
    device: None: the GPU where there is one, else the processor.
    progress: whether a bar shows the pixels done.

    class.tif: uint8 class codes with colour table and names, 0 where no date of the pixel is usable. confidence.tif:
    uint8, probability of that class in percent, 255 where there is none. Both state the precision of the computation
    and, where it was mixed, the share of sample pixels that got the same class as in float32.

    Raises `InputError` for a scene that lacks what the classifier reads; warns where its dates are far from those of
    the training.
    """
    _check(classifier.inputs, scene)
    engine = Engine(classifier, devices.choose(device))
    windows_folder = folder / "windows"
    windows_folder.mkdir(parents=True, exist_ok=True)
    allocation.configure()
    if classifier.model.needs_superpixels and superpixels is None:
        superpixels = _segment(classifier, scene, windows_folder / "superpixels.tif")
    # superpixels are seen whole, as far as the scene goes
    reach = classifier.model.receptive_field // 2 if classifier.model.needs_superpixels else 0
    with rows_cached(scene, window + 4 * engine.halo + 2 * reach):
        agreed = engine.choose_precision(scene)
        codes = np.array([cover.code for cover in classifier.legend], np.uint8)
        parts = _parts(scene, window, reach)
        largest = max(classifier.inputs.numbers_around(part.read, engine.halo) for part in parts)
        memory = threading.local()  # each thread has its own, for all its windows

        def classify(part: Window) -> None:
            if not hasattr(memory, "values"):
                memory.values = np.empty(largest, np.float32)
            around = None if superpixels is None else superpixels[part.read].values
            values, usable = classifier.inputs.read_around(scene, *part.read, engine.halo, memory.values)
            result = np.empty((2, *usable[part.inner].shape), np.uint8)
            result[0], result[1] = NODATA_CLASS, NODATA_CONFIDENCE
            if usable[part.inner].any():
                index, probability = engine.classify(values, around)
                percent = np.rint(100 * probability).astype(np.uint8)
                for image, found in zip(result, (codes[index], percent), strict=True):
                    np.copyto(image, found[part.inner], where=usable[part.inner])
            _save(_place(windows_folder, part), result)

        _on_every_core(classify, [part for part in parts if not _place(windows_folder, part).exists()], progress)
        precision = {"precision": f"mixed bfloat16, {agreed:.4%} as float32" if engine.mixed else "float32"}
        _assemble(folder, scene, parts, classifier.legend, precision)
    shutil.rmtree(windows_folder)


def _check(inputs: Inputs, scene: xr.DataArray) -> None:
    """Raise the first error of a scene that cannot be mapped, and warn of what makes its map worse."""
    for finding in inputs.problems(scene):  # errors come first
        problem = f"The scene does not suit the classifier: {finding.subject} {finding.value}."
        if finding.level == "error":
            raise InputError(problem, finding.fix, kind=finding.kind, place=finding.place)
        warnings.warn(InputWarning(problem, finding.fix, kind=finding.kind, place=finding.place), stacklevel=3)


def _segment(classifier: Classifier, scene: xr.DataArray, path: Path) -> xr.DataArray:
    """The superpixels of a scene (y, x), lazy, written whole to `path` unless they are there already."""
    if not path.exists():
        partial = path.with_suffix(".partial.tif")
        segment_scene(scene, classifier.normaliser, partial, inputs=classifier.inputs)
        os.replace(partial, path)
    return read_map(path)


def _parts(scene: xr.DataArray, window: int, halo: int) -> list[Window]:
    """Windows of a scene with their halo: wide, since files are stored in lines and those of a row of windows must stay
    in GDAL's cache; of even size, since narrow windows at the end would cost more than their share.
    """
    shape = scene.sizes["y"], scene.sizes["x"]
    rows, columns = (
        math.ceil(side / math.ceil(side / wanted)) for side, wanted in zip(shape, (window, 2 * window), strict=True)
    )
    return list(windows(shape, (rows, columns), halo))


def _on_every_core(work: Callable[[Window], None], parts: list[Window], progress: bool) -> None:
    """`work` on every part, in threads of which each computes alone; the first error ends it."""
    before = torch.get_num_threads()
    total = sum(_pixels(part.core) for part in parts)
    bar = tqdm(desc="map", total=total, unit="px", unit_scale=True, disable=not (progress and environment.watched()))
    try:
        with bar, ThreadPoolExecutor(allocation.processors(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
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
    """The two maps, out of the results of all windows; older ones in the folder stay until both are whole."""
    profile = {
        "driver": "GTiff", "dtype": "uint8", "count": 1, "height": scene.sizes["y"], "width": scene.sizes["x"],
        "crs": scene.rio.crs, "transform": scene.rio.transform(), "tiled": True, "bigtiff": "if_safer",
    }  # fmt: skip
    kinds = (("class", NODATA_CLASS, "nearest"), ("confidence", NODATA_CONFIDENCE, "average"))
    with writing(folder, folder=True) as target:
        for number, (name, nodata, resampling) in enumerate(kinds):
            raw, final = target / f"{name}.raw.tif", target / f"{name}.tif"
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
                copy_raster(
                    raw,
                    final,
                    driver="COG",
                    compress="deflate",
                    resampling=resampling,
                    num_threads=allocation.processors(),
                )
                whole = _holds(final, number, folder / "windows", parts)
            except (RasterioError, CPLE_BaseError):  # rasterio lets some of GDAL's errors through as they are
                whole = False
            if not whole:  # GDAL says little, or nothing, when it closes a file on a full disk
                raise InputError(
                    f"{folder / final.name} could not be written whole: "
                    f"{size(shutil.disk_usage(folder).free)} are free there.",
                    "Make room and give the same command again; what is classified is kept.", kind="disk.full",
                )  # fmt: skip
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
    return cast(xr.DataArray, rioxarray.open_rasterio(path)).squeeze("band", drop=True)
