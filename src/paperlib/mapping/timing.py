"""What a map will cost: some windows of the scene read and classified, as `map_scene` does it, and timed."""

import statistics
import tempfile
import time
import warnings
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr

from .. import allocation, devices
from ..errors import InputWarning
from ..scenes.series import rows_cached
from ..training.classifier import Classifier
from ..training.timing import clock
from . import layers
from .inference import Engine
from .scene_maps import parts_of, pixels_of

#: Pixels that are classified for the measurement, about; a network takes a block, which may be more.
PIXELS = 64 * 64

#: How often they are classified; the median counts.
REPEATS = 3

#: Side of a map that costs hardly more than none.
SMALL = 16
#: Pixels of a scene that is mapped as fast as it is measured.
WORTHWHILE = 2**16


class Reading(NamedTuple):
    """Windows of a scene read and layers written, for any classifier."""

    seconds: float  # a pixel
    start: float  # for opening the files of the scene and making those of the map, whatever their size
    values: np.ndarray  # float32 (channel, day, y, x), gap-filled, not normalised: what was read


def read_windows(classifier: Classifier, scene: xr.DataArray, window: int, every: bool = False) -> Reading:
    """Read two neighbouring windows in the middle of a scene, and write maps of two sizes.

    Files in lines are decoded for a whole row of windows when the first is read: its cost is shared among the row.
    """
    engine = Engine(classifier, devices.choose())
    now = clock(engine.device)
    parts = parts_of(scene, window, 0)
    rows = [part for part in parts if part.core[0] == parts[len(parts) // 2].core[0]]
    largest = max(classifier.inputs.numbers_around(part.read, engine.halo) for part in rows)
    memory, seconds = np.zeros(largest, np.float32), []
    with rows_cached(scene, window + 4 * engine.halo):
        started = now()
        corner = slice(0, SMALL), slice(0, SMALL)
        classifier.inputs.read_around(scene, *corner, engine.halo)  # opens the files
        opening = now() - started
        for part in rows[:2]:
            started = now()
            values, _ = classifier.inputs.read_around(scene, *part.core, engine.halo, memory)
            seconds.append(now() - started)
    held = [pixels_of(part.core) for part in rows]
    reading = (seconds[0] / held[0] + (len(rows) - 1) * seconds[-1] / held[-1]) / len(rows)
    started = now()
    _write(classifier, scene, SMALL, every)
    start = now() - started
    started = now()
    _write(classifier, scene, window, every)
    writing = max(0.0, now() - started - start) / (window**2 - SMALL**2)
    return Reading(reading + writing, opening + start, values.copy())


def _write(classifier: Classifier, scene: xr.DataArray, side: int, every: bool) -> None:
    """Write the layers of a map of `side` pixels, with patches of classes 16 pixels wide, to a place that is removed."""
    rows, columns = np.indices((side, side)) // 16
    image = ((rows * 7 + columns * 13) % len(classifier.legend) + 1).astype(np.uint8)
    profile = layers.profile_of(scene.rio.crs, scene.rio.transform(), image.shape)

    def images(bands: int) -> layers.Images:
        yield (slice(0, side), slice(0, side)), np.repeat(image[None], bands, 0).astype(np.uint16) if bands else image

    with tempfile.TemporaryDirectory() as folder:
        for layer in layers.layers_of(classifier.legend, every):
            show = partial(images, len(layer.bands))
            layers.write_layer(Path(folder), layer, profile, classifier.legend, show, {})


def seconds_of_pixel(
    classifier: Classifier, scene: xr.DataArray, values: np.ndarray, every: bool = False,
    superpixel: np.ndarray | None = None,
) -> float:  # fmt: skip
    """Seconds in which a classifier classifies a pixel of a scene, by some of the pixels of `values` (see `Reading`).

    The weights of a network do not matter, the trees of a forest do. Where `map_scene` would choose mixed precision, that
    is timed. `superpixel`: of a classifier that takes them; int (y, x), as large as `values`, which are then taken whole.
    """
    engine = Engine(classifier, devices.choose())
    if engine.may_mix(scene):
        engine.use_mixed()
    now, part = clock(engine.device), values if superpixel is not None else _cut(engine, values)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        engine.classify(part.copy(), superpixel, every)  # sets up what later calls reuse
        seconds = []
        for _ in range(1 if superpixel is not None else REPEATS):
            started = now()
            engine.classify(part.copy(), superpixel, every)
            seconds.append(now() - started)
        return statistics.median(seconds) / ((part.shape[-2] - 2 * engine.halo) * (part.shape[-1] - 2 * engine.halo))
    finally:
        torch.set_num_threads(before)


def _cut(engine: Engine, values: np.ndarray) -> np.ndarray:
    """As many whole blocks of an engine, with their halo, as hold `PIXELS`; at least one, at most all."""
    block = engine.block or 64
    across = max(1, round(PIXELS / block**2), engine.batch)
    return values[..., : block + 2 * engine.halo, : across * block + 2 * engine.halo]


def seconds_of_map(classifier: Classifier, scene: xr.DataArray, window: int, every: bool = False) -> float:
    """About how many seconds `map_scene` takes for a scene, by some of its pixels.

    0 for a scene that is mapped as fast as it is measured, and for a classifier of superpixels, of which none are known.
    """
    pixels = scene.sizes["y"] * scene.sizes["x"]
    if pixels < WORTHWHILE or classifier.model.needs_superpixels:
        return 0.0
    watch, processor = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)  # the map itself will say it
        reading = read_windows(classifier, scene, window, every)
        rate = reading.seconds + seconds_of_pixel(classifier, scene, reading.values, every)
    return reading.start + pixels * rate * share_of_watch(watch, processor)


def share_of_watch(watch: float, processor: float) -> float:
    """Wall-clock seconds for a second of processor time of a map, from a measurement that began at these times.

    Where other programs kept the processors busy during the measurement, they are taken to do so during the map.
    """
    if devices.choose().type != "cpu":
        return 1.0
    busy = (time.perf_counter() - watch) / max(time.process_time() - processor, 1e-9)
    return max(1.0, busy) / allocation.processors()
