"""On this machine's GPU what the paper did on two V100: the trainings of Table 4, and a map of a whole tile by each network.

    python benchmarks/gpu.py [SIDE [PRESET]]

Seconds of all trainings of PRESET (paper: five of each network; empty the store first, it keeps the seconds of those it
holds); and of maps from files to files of SIDE x SIDE pixels (10980) and eleven dates, with the sums over all threads of
reading and preparing, classifying, and writing, and the share of time that the GPU was busy, as nvidia-smi samples it.
Without a GPU it measures the processor, and the column `device` says so. Kept in results/gpu-trainings.csv and
results/gpu-maps.csv.
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
from paperlib.mapping import inference, scene_maps

STAGES = {
    "read and prepare": (scene_maps, "read_features"),
    "classify": (inference.Classifier, "classify"),
    "write": (scene_maps, "_save"),
    "assemble": (scene_maps, "_assemble"),
}
SAMPLING = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200"]


@contextmanager
def timed_stages() -> Iterator[Counter]:
    """Seconds that all threads together spend in each of `STAGES` meanwhile."""
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
    """The GPU's utilization in percent, every 200 ms meanwhile, in the list when done; empty without nvidia-smi."""
    found: list[float] = []
    if not shutil.which(SAMPLING[0]):
        yield found
        return
    with subprocess.Popen(SAMPLING, stdout=subprocess.PIPE, text=True) as sampler:
        try:
            yield found
        finally:
            sampler.terminate()
            found += [float(line) for line in sampler.communicate()[0].split() if line.isdigit()]


def trainings(run: Experiment) -> pd.DataFrame:
    """Seconds that each network's trainings took; those that the store holds are not done again."""
    table = run.trainings(models.NAMES).groupby("model", sort=False)["training_seconds"].agg(["size", "sum"])
    table.loc["all"] = table.sum()
    return table.reset_index().set_axis(["model", "trainings", "seconds"], axis=1)


def maps(run: Experiment, side: int) -> pd.DataFrame:
    """Seconds of a map by each network, and where they went."""
    scene, rows = open_scene(tile(side)), []
    for name in models.NAMES:
        model = run.classifier(name)
        with tempfile.TemporaryDirectory() as folder, timed_stages() as spent, busy() as share:
            started = time.perf_counter()
            scene_maps.map_scene(model, scene, run.normaliser, run.legend, Path(folder))
            seconds = time.perf_counter() - started
        rows.append(
            {"model": name, "seconds": seconds, "Mpx/s": side**2 / seconds / 1e6}
            | {f"{stage} (s, all threads)": spent[stage] for stage in STAGES}
            | {"GPU busy (%)": np.mean(share) if share else np.nan}
        )
        print(rows[-1], flush=True)
    return pd.DataFrame(rows)


def main(side: int = TILE, preset: str = "paper") -> None:
    """Train, then map."""
    allocation.configure()
    run = Experiment(preset)
    facts = {"preset": preset, "device": store.device_name()}
    keep("gpu-trainings", trainings(run), **facts)
    keep("gpu-maps", maps(run, side), side=side, **facts)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
