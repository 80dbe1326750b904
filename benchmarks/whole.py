"""Map a whole tile from files to files: minutes, peak memory, and speed compared with computing alone.

    python benchmarks/whole.py [REPEATS [MODEL ...]]

Maps 10980 x 10980 pixels and eleven dates (benchmarks/tile.py; the first run makes the scene, 11 GB) with the trainings
of preset demo, each map in a separate process. Medians of REPEATS (1) turns are kept in results/whole.csv. Computing
alone is measured before and after each map, as medians of five. With bfloat16 and two cores, a map takes 4 (2D-CNN) to
24 minutes (SpatioTempCNN).
"""

import json
import statistics
import subprocess
import sys

import pandas as pd
from maps import best_batch, compute_alone, end_to_end
from peak import peak_memory
from record import keep
from tile import TILE, tile

from paperlib import Experiment, allocation, models, open_scene
from paperlib.mapping.inference import Engine


def map_tile(name: str) -> None:
    """Map in this process as the command line does; print thousand pixels per second and peak resident memory in GB."""
    allocation.configure()
    run = Experiment("demo")
    rate = end_to_end(run.classifier(name), TILE)
    print(json.dumps([rate, peak_memory()]))


def one_turn(name: str, engine: Engine, batch: tuple[int, int]) -> dict[str, float]:
    """Measure a map between two measurements of computing alone."""
    before = [compute_alone(engine, batch) for _ in range(5)]
    process = subprocess.run([sys.executable, __file__, "--one", name], stdout=subprocess.PIPE, check=True, text=True)
    rate, memory = json.loads(process.stdout)
    after = [compute_alone(engine, batch) for _ in range(5)]
    alone = (statistics.median(before) + statistics.median(after)) / 2
    return {
        "whole tile (min)": TILE**2 / rate / 1000 / 60,
        "peak memory (GB)": memory,
        "end to end (kpx/s)": rate,
        "compute alone (kpx/s)": alone,
        "over compute alone": rate / alone,
    }


def main(repeats: int = 1, *names: str) -> None:
    """Measure the networks `names`, by default all."""
    allocation.configure()
    run = Experiment("demo")
    for name in names or models.NAMES:  # each result is kept at once, because a map takes long
        engine = Engine(run.classifier(name))
        engine.choose_precision(open_scene(tile()))
        batch = best_batch(engine)
        turns = pd.DataFrame(one_turn(name, engine, batch) for _ in range(repeats))
        print(turns.round(3).to_string(), flush=True)
        keep("whole", pd.DataFrame([{"model": name, **turns.median()}]), repeats=repeats)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        map_tile(sys.argv[2])
    else:
        main(*map(int, sys.argv[1:2]), *sys.argv[2:])
