"""Speed of a forest's map from files to files, compared with scikit-learn's `predict_proba` alone on an array in memory.

    python benchmarks/forests.py [SIDE [REPEATS]]

Grows a forest of all 100 trees on the training pixels of preset demo. Medians are kept in results/forests.csv.
"""

import sys
import time

import numpy as np
import pandas as pd
from maps import end_to_end
from record import keep

from paperlib import Experiment
from paperlib.allocation import processors
from paperlib.models import forest
from paperlib.models.contract import as_table
from paperlib.training.classifier import Classifier


def predict_alone(grown, x: np.ndarray, turns: int) -> float:
    """Thousand pixels per second of scikit-learn on all cores, chunk by chunk."""
    grown.n_jobs = processors()
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
    classifier = Classifier.train(
        forest.NAME,
        run.trained.varied,
        run.trained.inputs,
        run.legend,
        run.settings.train,
        normaliser=run.trained.normaliser,
    )
    forest.ENOUGH = enough
    (grown,) = classifier.model.estimators
    pixels = as_table(run.trained.normalised["test"].pixels().x)
    x = np.resize(pixels, (65_536, pixels.shape[1]))
    maps, alone = [], []
    for _ in range(repeats):
        maps.append(end_to_end(classifier, side))
        alone.append(predict_alone(grown, x, turns=8))
    row = {"model": forest.NAME, "trees": len(grown.estimators_), "end to end (kpx/s)": np.median(maps),
           "predict alone (kpx/s)": np.median(alone), "ratio": np.median(maps) / np.median(alone)}  # fmt: skip
    keep("forests", pd.DataFrame([row]), side=side, repeats=repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
