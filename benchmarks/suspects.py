"""How many wrong labels `paperlib suspects` finds, and what it says of clean ones.

    python benchmarks/suspects.py [CLASSIFIER ...]

Ten simulated scenes at preset demo. A tenth of the polygons of the training pool get a wrong class, drawn at random, and the
list is made of them; and once more of the labels as they are. Kept in results/suspects.csv, one row for each classifier:
the share of wrong labels among the first 15 % of the list (mean and lowest of the scenes), the share of polygons that are
called suspects with and without wrong labels, and in how many scenes the verdict is right.
"""

import sys

import numpy as np
import pandas as pd
from record import keep

from paperlib import Experiment
from paperlib.pages.better_labels import judge, pool_of, spoil

CLASSIFIERS = {"iota2_base": (0, 1, 2), "TempCNN": (0,)}  # seeds of the folds
SCENES = range(1, 11)
FIRST = 0.15  # share of the list


def measure(name: str, seed: int) -> dict[str, float]:
    """One scene, with and without wrong labels."""
    run = Experiment("demo", settings={"scene.seed": seed})
    samples = pool_of(run, name)
    changed, wrong = spoil(samples, len(run.legend), seed)
    spoilt, clean = (judge(run, name, one, CLASSIFIERS[name]) for one in (changed, samples))
    first = spoilt.table["polygon_id"].head(int(np.ceil(FIRST * len(spoilt.table))))
    return {
        "found": np.isin(wrong, first).mean(),
        "suspects": spoilt.number / len(spoilt.table),
        "suspects, clean": clean.number / len(spoilt.table),
        "said": "hold mistakes" in spoilt.verdict(),
        "said, clean": "look clean" in clean.verdict(),
    }


def main(*names: str) -> None:
    """Measure and keep one row for each classifier."""
    rows = []
    for name in names or CLASSIFIERS:
        scenes = pd.DataFrame([measure(name, seed) for seed in SCENES]).astype(float)
        print(scenes.round(3).to_string(index=False), flush=True)
        means = scenes.mean().to_dict()
        rows.append({"classifier": name, "scenes": len(scenes), **means, "found, lowest": scenes["found"].min()})
    keep("suspects", pd.DataFrame(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
