"""Time on a GPU of what the paper did on two V100: the trainings of Table 4, and a map of a whole tile by each network.

    python benchmarks/gpu.py [SIDE [PRESET]]

Measures the seconds of all trainings of PRESET (default paper: five of each network). Empty the store first, because
trainings in the store are not repeated and keep their recorded seconds. Also measures maps from files to files of SIDE
x SIDE pixels (10980) and eleven dates: the time spent reading and preparing, classifying, and writing, summed over all
threads, and the share of time that the GPU was busy, as sampled by nvidia-smi. Without a GPU, the processor is
measured; the column `device` names it. Results are kept in results/gpu-trainings.csv and results/gpu-maps.csv.
"""

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from record import keep
from tile import TILE, tile

from paperlib import Experiment, allocation, models, open_scene, store
from paperlib.features import inputs
from paperlib.mapping import inference, scene_maps

STAGES = {
    "read and prepare": (inputs.Inputs, "read_around"),
    "classify": (inference.Engine, "classify"),
    "write": (scene_maps, "_save"),
    "assemble": (scene_maps, "_assemble"),
}
SAMPLING = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200"]


@contextmanager
def timed_stages() -> Iterator[Counter]:
    """Count the seconds that all threads together spend in each of `STAGES` within the context."""
    seconds, lock = Counter(), threading.Lock()

    def timed(stage: str, work):
        def run(*arguments, **named):
            started = time.perf_counter()
            try:
                return work(*arguments, **named)
            finally:
                with lock:
                    seconds[stage] += time.perf_counter() - started

        return run

    before = {stage: getattr(place, name) for stage, (place, name) in STAGES.items()}
    for stage, (place, name) in STAGES.items():
        setattr(place, name, timed(stage, before[stage]))
    try:
        yield seconds
    finally:
        for stage, (place, name) in STAGES.items():
            setattr(place, name, before[stage])


@contextmanager
def busy() -> Iterator[list[float]]:
    """Sample the GPU utilization in per cent every 200 ms; the list is filled on exit; empty without nvidia-smi."""
    utilization: list[float] = []
    if not shutil.which(SAMPLING[0]):
        yield utilization
        return
    with subprocess.Popen(SAMPLING, stdout=subprocess.PIPE, text=True) as sampler:
        try:
            yield utilization
        finally:
            sampler.terminate()
            utilization += [float(line) for line in sampler.communicate()[0].split() if line.isdigit()]


def trainings(run: Experiment) -> pd.DataFrame:
    """Seconds of each network's trainings. Trainings in the store are not repeated."""
    table = run.trainings(models.NAMES).groupby("model", sort=False)["training_seconds"].agg(["size", "sum"])
    table.loc["all"] = table.sum()
    return table.reset_index().set_axis(["model", "trainings", "seconds"], axis=1)


def maps(run: Experiment, side: int) -> pd.DataFrame:
    """Seconds of a map by each network, in total and by stage."""
    scene, rows = open_scene(tile(side)), []
    for name in models.NAMES:
        classifier = run.classifier(name)
        with tempfile.TemporaryDirectory() as folder, timed_stages() as spent, busy() as share:
            started = time.perf_counter()
            scene_maps.map_scene(classifier, scene, Path(folder))
            seconds = time.perf_counter() - started
        rows.append(
            {"model": name, "seconds": seconds, "Mpx/s": side**2 / seconds / 1e6}
            | {f"{stage} (s, all threads)": spent[stage] for stage in STAGES}
            | {"GPU busy (%)": np.mean(share) if share else np.nan}
        )
        print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def main(side: int = TILE, preset: str = "paper") -> None:
    """Measure the trainings, then the maps."""
    allocation.configure()
    run = Experiment(preset)
    facts = {"preset": preset, "device": store.device_name()}
    keep("gpu-trainings", trainings(run), **facts)
    keep("gpu-maps", maps(run, side), side=side, **facts)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
