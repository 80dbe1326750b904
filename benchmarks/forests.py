"""Speed of a forest's map from files to files, compared with scikit-learn's `predict_proba` alone on an array in memory.

    python benchmarks/forests.py [SIDE [REPEATS]]

Grows a forest of all 100 trees on the training pixels of preset demo. Medians are kept in results/forests.csv.
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
    """Thousand pixels per second of scikit-learn on all cores, chunk by chunk."""
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
    model.fit(run.trained.normalised["train"], seed=0)
    forest.ENOUGH = enough
    pixels = forest.as_table(run.trained.normalised["test"].pixels().x)
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
