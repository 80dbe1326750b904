"""What smoothing after classification costs and gains, on the known truth of simulated scenes.

    python benchmarks/smoothing.py [CLASSIFIER ...]

Maps the scenes of `SCENES` at preset demo with one training of each classifier (TempCNN and both forests), smooths each map
in every way of `WAYS`, and compares it with the truth: share of pixels that are right, share of pixels in specks, recall in
objects narrower than 3 pixels, and F1 of class borders within one pixel. The default of `paperlib smooth` is the strongest
way that loses no more than one point of recall in narrow objects for any classifier in either half of the scenes.
Means over the scenes of a half are kept in results/smoothing.csv.
"""

import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import rasterio
from record import keep

from paperlib import Experiment
from paperlib.evaluation import geometry
from paperlib.mapping.layers import NODATA_PROBABILITY, STEP
from paperlib.mapping.smoothing.methods import bayesian, majority, without_small

SCENES = {"choice": (1, 2), "check": (31, 32)}  # seeds of scenes
CLASSIFIERS = ("TempCNN", "iota2_base", "iota2_ctx")
NARROW = 3  # pixels

Way = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def by_probability(probability: np.ndarray, codes: np.ndarray, names: np.ndarray, **choice: float) -> np.ndarray:
    """Classes of smoothed probabilities."""
    return names[bayesian(probability, **choice).argmax(0)]


WAYS: dict[str, Way] = {"as classified": lambda probability, codes, names: codes}
for side, smoothness in ((5, 0.03), (5, 0.3), (5, 3)):
    WAYS[f"bayesian, {side} pixels, {smoothness}"] = partial(by_probability, side=side, smoothness=smoothness)
WAYS["majority, 3 pixels"] = lambda probability, codes, names: majority(codes, 3)
for pixels in (2, 3, 4, 5, 9):
    WAYS[f"objects of {pixels} pixels"] = lambda probability, codes, names, size=pixels: without_small(codes, size)


def measure(codes: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Scores of a map, codes (y, x), beside the truth (y, x)."""
    borders = geometry.boundary_f1(geometry.edges(codes), geometry.edges(truth))
    narrow = geometry.recall_by_width(truth, codes, (1, NARROW))["recall"].iloc[0]
    share = geometry.speckle(codes)["isolated_share"]
    return {"accuracy": (codes == truth).mean(), "speckle": share, "narrow": narrow, "borders": borders["f1"]}


def compare(name: str, seed: int) -> pd.DataFrame:
    """All ways on one map of a scene."""
    run = Experiment("demo", settings={"scene.seed": seed, "train.trainings": 1, "map.probabilities": True})
    with rasterio.open(run.map(name) / "probabilities.tif") as file:
        stored = file.read()
    probability = np.where(stored == NODATA_PROBABILITY, np.nan, STEP * stored).astype(np.float32)
    names, codes = np.array([cover.code for cover in run.legend], np.uint8), run.class_map(name).values
    rows = [
        {"way": way, **measure(smooth(probability, codes, names), run.truth.values)} for way, smooth in WAYS.items()
    ]
    return pd.DataFrame(rows)


def main(*names: str) -> None:
    """Measure and keep the means over scenes."""
    tables = []
    for name in names or CLASSIFIERS:
        for part, seeds in SCENES.items():
            table = pd.concat([compare(name, seed) for seed in seeds]).groupby("way", sort=False).mean().reset_index()
            tables.append(table.assign(classifier=name, scenes=part))
            print(tables[-1].round(4).to_string(index=False), flush=True)
    table = pd.concat(tables)
    keep("smoothing", table[["classifier", "scenes", "way", "accuracy", "speckle", "narrow", "borders"]])


if __name__ == "__main__":
    main(*sys.argv[1:])
