"""Speed of a forest: its growth compared with the Orfeo ToolBox, its map with scikit-learn's `predict_proba` alone.

    python benchmarks/forests.py [SIDE [REPEATS]]
    python benchmarks/forests.py growth [PRESET [REPEATS]]

The first maps a square from files to files by a forest of all 100 trees, grown on the training pixels of preset demo, and
predicts an array in memory. Medians are kept in results/forests.csv.

The second grows the forest of the training pixels of a preset (demo): as the library does, which stops as OpenCV does; all
100 trees, as scikit-learn would; and with the Orfeo ToolBox from a file of the same pixels, if it is installed (Debian:
otb-bin). Kept in results/growth.csv.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
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


def grow_seconds(x: np.ndarray, y: np.ndarray, enough: float) -> tuple[float, int]:
    """Seconds to grow a forest that stops at this out-of-bag error, and its trees."""
    usual, forest.ENOUGH = forest.ENOUGH, enough
    started = time.perf_counter()
    trees = len(forest.grow(x, y, 0).estimators_)
    forest.ENOUGH = usual
    return time.perf_counter() - started, trees


def orfeo_seconds(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Seconds of the Orfeo ToolBox on the same pixels, from file to file, and its trees; NaN where it is not installed."""
    program = shutil.which("otbcli_TrainVectorClassifier")
    if program is None:
        return np.nan, np.nan
    with tempfile.TemporaryDirectory() as folder:
        points, model = Path(folder) / "pixels.gpkg", Path(folder) / "model.txt"
        names = [f"f{number}" for number in range(x.shape[1])]
        table = pd.DataFrame(x, columns=names).assign(code=y.astype(np.int32) + 1)
        gpd.GeoDataFrame(table, geometry=shapely.points(np.arange(len(x)), 0), crs=32631).to_file(points)
        started = time.perf_counter()
        files = ["-io.vd", str(points), "-cfield", "code", "-io.out", str(model), "-feat", *names]
        options = "-classifier rf -classifier.rf.max 50 -classifier.rf.min 20 -classifier.rf.nbtrees 100"
        subprocess.run([program, *files, *options.split()], check=True, capture_output=True)
        seconds = time.perf_counter() - started
        return seconds, float(re.search(r"ntrees: *(\d+)", model.read_text())[1])


def growth(preset: str = "demo", repeats: int = 3) -> None:
    """Measure the growth of iota2_base."""
    load, run = os.getloadavg()[0], Experiment(preset)
    pixels = run.trained.normalised["train"].pixels()
    x, y = pixels.x.flatten(1).numpy(), pixels.label.flatten().numpy()
    ways = {
        "in steps": lambda: grow_seconds(x, y, forest.ENOUGH),
        "all 100 trees": lambda: grow_seconds(x, y, 0),
        "Orfeo ToolBox, from a file": lambda: orfeo_seconds(x, y),
    }
    grow_seconds(x, y, forest.ENOUGH)  # the first call imports scikit-learn
    turns = [{way: measure() for way, measure in ways.items()} for _ in range(repeats)]
    row: dict = {"preset": preset, "pixels": len(x), "features": x.shape[1]}
    for way in ways:
        row |= {f"{way} (s)": np.median([turn[way][0] for turn in turns]), f"{way}: trees": turns[0][way][1]}
    keep("growth", pd.DataFrame([row]), repeats=repeats, **{"load before": round(load, 1)})


if __name__ == "__main__":
    if sys.argv[1:2] == ["growth"]:
        growth(*sys.argv[2:3], *map(int, sys.argv[3:]))
    else:
        main(*map(int, sys.argv[1:]))
