"""Validation macro F1 of iota2_ctx by the compactness of its superpixels, over several splits.

    python benchmarks/compactness.py [PRESET]

The test set is not used. Writes benchmarks/results/compactness-PRESET.csv, from which `superpixels.COMPACTNESS` was
chosen.
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd

from paperlib import Experiment, store
from paperlib.evaluation import metrics
from paperlib.features import superpixels
from paperlib.mapping.scene_maps import read_map
from paperlib.training.classifier import Classifier

SPLITS = (0, 1, 2)
COMPACTNESS = (0.02, 0.05, 0.1, 0.2)


def score(run: Experiment, compactness: float) -> float:
    """Validation macro F1 of iota2_ctx with superpixels of this compactness."""
    superpixels.COMPACTNESS = compactness
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "superpixels.tif"
        superpixels.segment_scene(run.scene, run.dataset.normaliser, path)
        numbers = read_map(path).load()
    parts = {}
    for name in ("train", "validation"):
        chosen = run.polygons[run.polygons["set"] == name]
        parts[name] = superpixels.extract_superpixels(run.scene, run.dataset.burned, numbers, chosen)
    classifier = Classifier.train(
        "iota2_ctx",
        parts,
        run.trained.inputs,
        run.legend,
        run.settings.train,
        run.settings.seed,
        normaliser=run.trained.normaliser,
    )
    return metrics.macro_f1(classifier.evaluate(parts["validation"]).confusion)


def main(preset: str = "demo") -> None:
    """Score every compactness on every split; print and keep one table."""
    rows = []
    for seed in SPLITS:
        run = Experiment(preset, seed=seed)
        rows += [(seed, compactness, score(run, compactness)) for compactness in COMPACTNESS]
    table = pd.DataFrame(rows, columns=["split", "compactness", "macro_f1"])
    table = table.pivot(index="compactness", columns="split", values="macro_f1").round(3)
    table = table.assign(mean=table.mean(axis=1).round(3)).reset_index()
    print(table.to_string(index=False))
    facts = store.provenance({}, 0)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    table.assign(preset=preset, commit=facts["commit"]).to_csv(results / f"compactness-{preset}.csv", index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
