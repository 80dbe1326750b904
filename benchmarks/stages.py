"""Time of the stages of a map on one core: reading, filling gaps, indices, normalising, classifying.

    python benchmarks/stages.py [SIDE [REPEATS]]

Measures core microseconds per pixel of each stage, on windows of the default size of a scene of SIDE pixels (2048).
Files are open and in the cache of the operating system, and each block is decompressed once. Means are kept in
results/stages.csv. For comparison, GDAL alone reads the same windows of the same files at their own resolution, without
any processing.
"""

import math
import sys
import time
from contextlib import ExitStack

import numpy as np
import pandas as pd
import rasterio
import torch
from record import keep
from tile import tile

from paperlib import Experiment, allocation, models, open_scene
from paperlib.features.indices import fill_gaps, write_indices
from paperlib.features.season import days_of_year
from paperlib.mapping.inference import Engine
from paperlib.scenes.formats.theia import find_products
from paperlib.scenes.series import read_window, rows_cached
from paperlib.scenes.windowing import windows
from paperlib.settings import Map


def read_alone(files: list[rasterio.DatasetReader], place: tuple[slice, slice]) -> None:
    """Read a window, given in rows and columns of 10 m, of every file at its own resolution."""
    for file in files:
        factor = round(file.transform.a / 10)
        file.read(1, window=tuple((part.start // factor, -(-part.stop // factor)) for part in place))


def main(side: int = 2048, repeats: int = 3) -> None:
    """Time the stages of every network on `repeats` rows of windows; an earlier row opens the files."""
    allocation.configure()
    torch.set_num_threads(1)
    run = Experiment("demo")
    scene = open_scene(tile(side))
    inputs = run.trained.inputs
    bands = inputs.bands
    engines = {name: Engine(run.classifier(name)) for name in models.NAMES}
    for engine in engines.values():
        engine.choose_precision(scene)
    size = Map().window
    parts = list(windows((side, side), (size, 2 * size), 2 * models.reach()))
    before, parts = (
        [part for part in parts if first <= part.core[0].start // size < last]
        for first, last in ((1, 2), (2, 2 + repeats))
    )
    seconds: dict[str, list[float]] = {}

    def timed(stage: str, work, *arguments):
        started = time.process_time()
        result = work(*arguments)
        seconds.setdefault(stage, []).append(time.process_time() - started)
        return result

    with rows_cached(scene, size), ExitStack() as stack:
        paths = [path for product in find_products(tile(side)) for path in (*product.bands.values(), product.flags)]
        files = [stack.enter_context(rasterio.open(path)) for path in paths]
        series = len(inputs.channels()), len(inputs.days)
        largest = max(math.prod(part.stop - part.start for part in place.read) for place in before + parts)
        memory = np.empty(math.prod(series) * largest, np.float32)  # reused for all windows, as in a map
        for part in before:
            inputs.read(scene, *part.read, memory)
            read_alone(files, part.read)
        for part in parts:
            y, x = part.read
            timed("GDAL alone", read_alone, files, part.read)
            shape = *series, y.stop - y.start, x.stop - x.start
            out = memory[: math.prod(shape)].reshape(shape)
            mask = timed("read, decompress, double", read_window, scene, y, x, out[: len(bands)])
            timed("fill gaps", fill_gaps, out[: len(bands)], mask, days_of_year(scene))
            timed("indices", write_indices, out, bands, inputs.indices, inputs.roles)
            for name, engine in engines.items():
                place = (slice(max(0, side.start - engine.halo), side.stop + engine.halo) for side in part.inner)
                timed(f"normalise and classify, {name}", engine.classify, out[..., *place].copy())
    pixels = sum(math.prod(side.stop - side.start for side in part.core) for part in parts)
    rows = [(stage, 1e6 * sum(values) / pixels) for stage, values in seconds.items()]
    keep("stages", pd.DataFrame(rows, columns=["stage", "core microseconds a pixel"]), side=side, repeats=repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
