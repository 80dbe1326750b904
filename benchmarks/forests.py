"""The forest's map, files to files, against scikit-learn's `predict` alone on an array in memory, side by side.

    python benchmarks/forests.py [SIDE [REPEATS]]

A forest of all 100 trees grown on the training pixels of preset demo; medians are kept in results/forests.csv.
"""

import os
import sys
import time

import numpy as np
import pandas as pd
from maps import end_to_end
from record import keep

from paperlib import Experiment
from paperlib.models import forest


def predict_alone(grown, x: np.ndarray, turns: int) -> float:
    """Thousand pixels a second of scikit-learn on all cores, chunk by chunk."""
    grown.n_jobs = os.cpu_count()
    started = time.perf_counter()
    for _ in range(turns):
        grown.predict_proba(x)
    seconds = time.perf_counter() - started
    grown.n_jobs = 1
    return turns * len(x) / seconds / 1000


def main(side: int = 1024, repeats: int = 3) -> None:
    """Measure iota2_base."""
    run = Experiment("demo")
    enough, forest.ENOUGH = forest.ENOUGH, 0  # all trees
    model = forest.Forest(len(run.legend))
    model.fit(run.normalised["train"], seed=0)
    forest.ENOUGH = enough
    pixels = forest.as_table(run.normalised["test"].pixels().x)
    x = np.resize(pixels, (65_536, pixels.shape[1]))
    maps, alone = [], []
    for _ in range(repeats):
        maps.append(end_to_end(run, model, side))
        alone.append(predict_alone(model.forest, x, turns=8))
    row = {"model": forest.NAME, "trees": len(model.forest.estimators_), "end to end (kpx/s)": np.median(maps),
           "predict alone (kpx/s)": np.median(alone), "ratio": np.median(maps) / np.median(alone)}  # fmt: skip
    keep("forests", pd.DataFrame([row]), side=side, repeats=repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
