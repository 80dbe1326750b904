"""How many wrong labels `paperlib suspects` finds, and what it says of clean ones.

    python benchmarks/suspects.py [CLASSIFIER ...]

Ten simulated scenes at preset demo. A tenth of the polygons of the training pool get a wrong class, drawn at random, and the
list is made of them; and once more of the labels as they are. Kept in results/suspects.csv, one row for each classifier:
the share of wrong labels among the first 15 % of the list (mean and lowest of the scenes), the share of polygons that are
called suspects with and without wrong labels, and in how many scenes the verdict is right.
"""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from record import keep

from paperlib import Experiment
from paperlib.features.samples import Samples
from paperlib.labelling.out_of_fold import joined, labels_of, out_of_fold
from paperlib.labelling.suspects import Suspects, rank

CLASSIFIERS = ("iota2_base", "TempCNN")
SCENES = range(1, 11)
WRONG, FIRST = 0.1, 0.15  # shares of the polygons


def judge(run: Experiment, name: str, samples: Samples) -> Suspects:
    """The list of suspects of samples with any labels."""
    label = labels_of(samples)
    alone = dict(zip(label.index, label.index, strict=True))
    found = out_of_fold(name, samples, alone, run.trained.inputs, run.legend, run.settings.train)
    return rank(found, samples, run.polygons, run.legend, tuple(run.dates))


def measure(name: str, seed: int) -> dict[str, float]:
    """One scene, with and without wrong labels."""
    run = Experiment("demo", settings={"scene.seed": seed})
    samples = joined(run.trained.samples(name)[part] for part in ("train", "validation"))
    label, random = labels_of(samples), np.random.default_rng(seed)
    wrong = random.choice(label.index, round(WRONG * len(label)), replace=False)
    changed = label.copy()
    for polygon in wrong:
        changed[polygon] = random.choice([index for index in range(len(run.legend)) if index != label[polygon]])
    labelled = samples.label >= 0
    values = samples.label.clone()
    values[labelled] = torch.tensor(changed.loc[samples.polygon[labelled].numpy()].to_numpy())
    spoilt, clean = judge(run, name, replace(samples, label=values)), judge(run, name, samples)
    first = spoilt.table["polygon_id"].head(int(np.ceil(FIRST * len(label))))
    return {
        "found": np.isin(wrong, first).mean(),
        "suspects": spoilt.number / len(label),
        "suspects, clean": clean.number / len(label),
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
