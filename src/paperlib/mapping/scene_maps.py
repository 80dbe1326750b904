"""Whole-scene maps: a classifier over overlapping windows, written as class and confidence GeoTIFF.

Every core of the machine takes the next window and does all of it: it reads, fills gaps, computes indices, normalises,
classifies, and writes the result. So reading and computing overlap without any queue between them; on a GPU, whose
turn is short, the windows of some cores are being read while that of another is classified.
"""

import math
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, cast

import numpy as np
import rioxarray
import torch
import xarray as xr
from tqdm import tqdm

from .. import allocation, devices, environment
from ..features.superpixels import segment_scene
from ..nomenclature import NODATA_CLASS, LandCover
from ..outputs import writing
from ..scenes.series import rows_cached
from ..scenes.windowing import Window, windows
from ..training.classifier import Classifier
from . import layers
from .inference import Engine
from .overlaps import Part, shared, write_overlaps

NODATA_CONFIDENCE = layers.NODATA_PERCENT


def map_scene(
    classifier: Classifier, scene: xr.DataArray, folder: Path, window: int = 256, superpixels: xr.DataArray | None = None,
    device: torch.device | str | None = None, progress: bool = False, every: bool = False, overlaps: Sequence[Part] = (),
) -> None:  # fmt: skip
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
    every: whether to write `margin.tif`, `entropy.tif` and `probabilities.tif` as well.
    overlaps: parts (rows, columns) whose probabilities are written to `overlaps.tif`; see `overlaps`.

    class.tif: uint8 class codes with colour table and names, 0 where no date of the pixel is usable. confidence.tif:
    uint8, probability of that class in percent, 255 where there is none. margin.tif: by how much it exceeds the next class;
    entropy.tif: that of all probabilities, 100 where all classes are alike; disagreement.tif, of an ensemble: by how much
    probability its members differ from their mean; all as confidence. probabilities.tif: uint16, a
    band for each class under its name, in steps of 0.0001, 65535 where there is none. All state the precision of the
    computation and, where it was mixed, the share of sample pixels that got the same class as in float32.

    Raises `InputError` for a scene that lacks what the classifier reads; warns where its dates are far from those of
    the training.
    """
    classifier.inputs.check(scene)
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
        parts = parts_of(scene, window, reach)
        largest = max(classifier.inputs.numbers_around(part.read, engine.halo) for part in parts)
        memory = threading.local()  # each thread has its own, for all its windows

        def classify(part: Window) -> None:
            if not hasattr(memory, "values"):
                memory.values = np.empty(largest, np.float32)
            around = None if superpixels is None else superpixels[part.read].values
            values, usable = classifier.inputs.read_around(scene, *part.read, engine.halo, memory.values)
            kept = every or any(shared(part.core, overlaps))
            result, shares = _results(engine, codes, values, around, usable, part, every, kept)
            if kept:
                _save(_place(windows_folder, part, "probabilities"), shares)
            _save(_place(windows_folder, part), result)

        number = _bytes(every, engine.several)
        on_every_core(classify, [part for part in parts if not _done(windows_folder, part, number)], progress)
        precision = {"precision": f"mixed bfloat16, {agreed:.4%} as float32" if engine.mixed else "float32"}
        if overlaps:
            places = [part for part in parts if any(shared(part.core, overlaps))]
            images = ((part.core, np.load(_place(windows_folder, part, "probabilities"))) for part in places)
            write_overlaps(folder, scene, len(codes), images, overlaps)
        wanted = layers.layers_of(classifier.legend, every, engine.several)
        _assemble(folder, scene, parts, wanted, classifier.legend, precision)
    shutil.rmtree(windows_folder)


def _results(
    engine: Engine, codes: np.ndarray, values: np.ndarray, around: np.ndarray | None, usable: np.ndarray, part: Window,
    every: bool, kept: bool,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Layers in bytes (layer, y, x) and probabilities uint16 (class, y, x; no class unless `kept`) of a window's core."""
    known = usable[part.inner]
    result = np.full((_bytes(every, engine.several), *known.shape), NODATA_CONFIDENCE, np.uint8)
    result[0] = NODATA_CLASS
    shares = np.full((len(codes) if kept else 0, *known.shape), layers.NODATA_PROBABILITY, np.uint16)
    if known.any():
        index, probability, *more = engine.classify(values, around, kept)
        found = [codes[index], layers.percent(100 * probability)]
        if kept:
            every_share = more.pop(0)
            np.copyto(shares, layers.stored(every_share)[:, *part.inner], where=known)
            if every:
                found += [layers.percent(layers.margin(every_share)), layers.percent(layers.entropy(every_share))]
        found += [layers.percent(100 * apart) for apart in more]
        for image, layer in zip(result, found, strict=True):
            np.copyto(image, layer[part.inner], where=known)
    return result, shares


def _segment(classifier: Classifier, scene: xr.DataArray, path: Path) -> xr.DataArray:
    """The superpixels of a scene (y, x), lazy, written whole to `path` unless they are there already."""
    if not path.exists():
        partial = path.with_suffix(".partial.tif")
        segment_scene(scene, classifier.normaliser, partial, inputs=classifier.inputs)
        os.replace(partial, path)
    return read_map(path)


def parts_of(scene: xr.DataArray, window: int, halo: int) -> list[Window]:
    """Windows of a scene with their halo: wide, since files are stored in lines and those of a row of windows must stay
    in GDAL's cache; of even size, since narrow windows at the end would cost more than their share.
    """
    shape = scene.sizes["y"], scene.sizes["x"]
    rows, columns = (
        math.ceil(side / math.ceil(side / wanted)) for side, wanted in zip(shape, (window, 2 * window), strict=True)
    )
    return list(windows(shape, (rows, columns), halo))


def on_every_core(work: Callable[[Window], None], parts: list[Window], progress: bool) -> None:
    """`work` on every part, in threads of which each computes alone; the first error ends it."""
    before = torch.get_num_threads()
    total = sum(pixels_of(part.core) for part in parts)
    bar = tqdm(desc="map", total=total, unit="px", unit_scale=True, disable=not (progress and environment.watched()))
    try:
        with bar, ThreadPoolExecutor(allocation.processors(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            futures = {pool.submit(work, part): part for part in parts}
            try:
                for future in as_completed(futures):
                    future.result()
                    bar.update(pixels_of(futures[future].core))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    finally:
        torch.set_num_threads(before)


def pixels_of(part: Part) -> int:
    """Pixels of a rectangle."""
    return math.prod(side.stop - side.start for side in part)


def _place(folder: Path, part: Window, ending: str = "") -> Path:
    """The whole extent names a window, so that one of another size is never taken for it."""
    rows, columns = part.core
    name = f"{rows.start}-{rows.stop}-{columns.start}-{columns.stop}"
    return folder / (f"{name}.{ending}.npy" if ending else f"{name}.npy")


def _bytes(every: bool, several: bool) -> int:
    """Layers that take a byte a pixel; see `layers.layers_of`."""
    return 2 + 2 * every + several


def _done(folder: Path, part: Window, number: int) -> bool:
    """Whether a window is there, with so many layers."""
    path = _place(folder, part)
    return path.exists() and len(np.load(path, mmap_mode="r")) == number


def _save(path: Path, array: np.ndarray) -> None:
    """Whole or not at all: a file under its final name is complete."""
    partial = path.with_suffix(".partial")
    with open(partial, "wb") as file:
        np.save(file, array)
    os.replace(partial, path)


def _assemble(
    folder: Path, scene: xr.DataArray, parts: list[Window], wanted: list[layers.Layer], legend: tuple[LandCover, ...],
    tags: dict[str, str],
) -> None:  # fmt: skip
    """The layers of the map, out of the results of all windows; older ones in the folder stay until all are whole."""
    profile = layers.profile_of(scene.rio.crs, scene.rio.transform(), (scene.sizes["y"], scene.sizes["x"]))
    with writing(folder, folder=True) as target:
        for number, layer in enumerate(wanted):
            ending, place = ("probabilities", ...) if layer.bands else ("", number)

            def images(ending: str = ending, place: Any = place) -> layers.Images:
                return ((part.core, np.load(_place(folder / "windows", part, ending))[place]) for part in parts)

            layers.write_layer(target, layer, profile, legend, images, tags, folder)


def read_map(path: Path) -> xr.DataArray:
    """A map as written by `map_scene`: uint8 (y, x) with coordinates in metres and `.rio` georeference."""
    return cast(xr.DataArray, rioxarray.open_rasterio(path)).squeeze("band", drop=True)
