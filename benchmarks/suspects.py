"""How many wrong labels `paperlib suspects` finds, and what it says of clean ones.

    python benchmarks/suspects.py [PRESET [FIRST LAST [CLASSIFIER ...]]]

Simulated scenes FIRST to LAST (1 to 10) at preset tiny, whose classifiers are weak, and at demo. A tenth of the polygons of
the training pool get a wrong class, drawn at random, and the list is made of them; and once more of the labels as they are.
Kept in results/suspects.csv, one row for each preset and classifier: the share of wrong labels among the first 15 % of the
list (mean and lowest of the scenes), the share of polygons that are called suspects with and without wrong labels, and the
shares of scenes with each verdict. The rule of the verdict was chosen on scenes 11 to 18. Probabilities stay in the store:
a run that was stopped goes on.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from record import keep

from paperlib import Experiment
from paperlib.features.samples import Samples
from paperlib.labelling.suspects import groups_of, rank
from paperlib.pages.better_labels import judgement, pool_of, spoil
from paperlib.store import open_store

CLASSIFIERS = {"iota2_base": (0, 1, 2), "TempCNN": (0,)}  # seeds of the folds
PRESETS = ("tiny", "demo")
FIRST = 0.15  # share of the list


def judged(run: Experiment, name: str, samples: Samples, path: Path) -> pd.DataFrame:
    """Out-of-fold probabilities of polygons, from the file or computed."""
    if not path.is_file():
        judgement(run, name, samples, CLASSIFIERS[name]).to_csv(path)
    return pd.read_csv(path, index_col=0).rename(columns=int)


def measure(preset: str, name: str, seed: int, folder: Path) -> dict[str, float]:
    """One scene, with and without wrong labels."""
    run = Experiment(preset, settings={"scene.seed": seed})
    clean = pool_of(run, name)
    spoilt, wrong = spoil(clean, len(run.legend), seed)
    found = {}
    for word, samples in (("wrong", spoilt), ("clean", clean)):
        probability = judged(run, name, samples, folder / f"{preset} {name} {seed} {word}.csv")
        found[word] = rank(probability, samples, run.polygons, run.legend, tuple(run.dates), groups_of(run))
    table, states = found["wrong"].table, {word: one.verdict().state for word, one in found.items()}
    first = table["polygon_id"].head(int(np.ceil(FIRST * len(table))))
    return {
        "found": np.isin(wrong, first).mean(),
        "suspects": found["wrong"].number / len(table),
        "clean: suspects": found["clean"].number / len(table),
        "said mistakes": states["wrong"] == "wrong",
        "said maybe": states["wrong"] == "doubtful",
        "clean: said clean": states["clean"] == "clean",
        "clean: said maybe": states["clean"] == "doubtful",
        "clean: said mistakes": states["clean"] == "wrong",
    }


def main(preset: str = "", first: str = "1", last: str = "10", *names: str) -> None:
    """Measure and keep one row for each preset and classifier."""
    folder, rows = open_store() / "suspects", []
    folder.mkdir(parents=True, exist_ok=True)
    seeds = range(int(first), int(last) + 1)
    for one in [preset] if preset else PRESETS:
        for name in names or CLASSIFIERS:
            scenes = pd.DataFrame([measure(one, name, seed, folder) for seed in seeds]).astype(float)
            print(one, name, scenes.round(3).to_string(index=False), sep="\n", flush=True)
            row = {"preset": one, "classifier": name, "scenes": len(scenes), **scenes.mean()}
            rows.append({**row, "found, lowest": scenes["found"].min()})
    keep("suspects", pd.DataFrame(rows), 2)


if __name__ == "__main__":
    main(*sys.argv[1:])
