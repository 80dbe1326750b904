"""The Orfeo ToolBox itself beside iota2_base: the same pixels, the same window, five seeds.

    python benchmarks/otb.py [PRESET [SIDE]]
    python benchmarks/otb.py speed [PRESET [SIDE]]

Needs the programs of the Orfeo ToolBox (Debian: otb-bin). Both grow a forest on the training pixels of a preset (demo), and
classify its validation and test pixels and a window of SIDE pixels (256) in the middle of its scene. The seed of a program
also shuffles the pixels, since OpenCV's forests do not depend on the seed that the ToolBox is given. Agreement is the share
of the window's pixels that get the same class, averaged over pairs of seeds. Kept in results/otb.csv; with preset paper,
also as trainings of `NAME` in data/results/paper, beside those of benchmarks/paper.py.

*Stopping as OpenCV 4.6* is iota2_base with the one rule that was found to differ: after each tree, OpenCV counts the
errors of the pixels outside the bag of that tree alone, by all votes so far; iota2_base counts those of all pixels that any
tree left out.

The second measures one seed: seconds of processor time to train, thousand pixels a second of processor time to map, which
depend less on what else runs than the clock does, and peak memory. The ToolBox works from file to file, iota2_base in
memory. Kept in results/otb-speed.csv.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
import torch
from record import keep

from paperlib import Experiment, store
from paperlib.evaluation import metrics
from paperlib.evaluation.scoring import by_polygon
from paperlib.models import forest
from paperlib.reproduction.kept import code
from paperlib.reproduction.kept.writing import write_counts

NAME, SEEDS = "iota2_base, OTB 8.1.1", 5
TRAIN, APPLY = "otbcli_TrainVectorClassifier", "otbcli_ImageClassifier"
OPTIONS = ("-classifier", "rf", "-classifier.rf.max", "50", "-classifier.rf.min", "20", "-classifier.rf.nbtrees", "100")


#: Runs the program that it is given, and prints its seconds of processor time and its peak memory (GB).
MEASURE = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6)
sys.exit(status)
"""


def execute(*command: str) -> tuple[float, float]:
    """Seconds of processor time and peak memory (GB) of a program on one thread."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
    # in a small process of its own: a child's peak memory begins with that of its parent
    words = [sys.executable, "-c", MEASURE, *command]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-2000:]}")
    seconds, memory = map(float, done.stdout.split()[-2:])
    return seconds, memory


def write_points(x: np.ndarray, y: np.ndarray, path: Path) -> list[str]:
    """Write pixels x (pixel, feature) of class index y (pixel,) as points; return the names of their features."""
    names = [f"f{number}" for number in range(x.shape[1])]
    table = pd.DataFrame(x, columns=names).assign(code=y.astype(np.int32) + 1)
    gpd.GeoDataFrame(table, geometry=shapely.points(np.arange(len(x)), 0), crs=32631).to_file(path)
    return names


def write_image(x: np.ndarray, path: Path) -> None:
    """Write x (feature, y, x) as a float32 GeoTIFF."""
    profile = {"count": len(x), "height": x.shape[1], "width": x.shape[2], "dtype": "float32", "interleave": "pixel"}
    with rasterio.open(
        path, "w", driver="GTiff", transform=rasterio.Affine(10, 0, 0, 0, -10, 0), crs=32631, **profile
    ) as file:
        file.write(x)


class Orfeo:
    """A forest by the Orfeo ToolBox."""

    def __init__(self, x: np.ndarray, y: np.ndarray, seed: int):
        with tempfile.TemporaryDirectory() as folder:
            points, model = Path(folder) / "pixels.gpkg", Path(folder) / "model.txt"
            names = write_points(x, y, points)
            files = ("-io.vd", str(points), "-cfield", "code", "-io.out", str(model), "-feat", *names)
            self.seconds, self.memory = execute(TRAIN, *files, *OPTIONS, "-rand", str(seed + 1))
            self.model = model.read_text()
        self.trees = int(re.search(r"ntrees: *(\d+)", self.model)[1])

    def classify(self, x: np.ndarray) -> np.ndarray:
        """Class index (y, x) of x (feature, y, x); notes seconds and memory."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_image(x, folder / "image.tif")
            (folder / "model.txt").write_text(self.model)
            files = (
                "-in",
                str(folder / "image.tif"),
                "-model",
                str(folder / "model.txt"),
                "-out",
                str(folder / "map.tif"),
            )
            self.seconds_map, self.memory_map = execute(APPLY, *files)
            with rasterio.open(folder / "map.tif") as file:
                return file.read(1).astype(int) - 1


class LastTree(forest._OutOfBag):
    """OpenCV's rule of when a forest is good enough."""

    def enough(self, grown_forest, grown: int) -> int | None:
        """As `forest._OutOfBag.enough`, with the errors of the pixels that the last tree left out."""
        trees = zip(grown_forest.estimators_[grown:], grown_forest.estimators_samples_[grown:], strict=True)
        for number, (tree, drawn) in enumerate(trees, start=grown + 1):
            outside = np.ones(len(self.x), bool)
            outside[drawn] = False
            self.votes[outside] += tree.predict_proba(self.x[outside], check_input=False).astype(np.int64)
            if (self.votes[outside].argmax(1) != self.classes[outside]).mean() < forest.ENOUGH:
                return number
        return None


class Ours:
    """A forest as iota2_base grows it."""

    rule = forest._OutOfBag

    def __init__(self, x: np.ndarray, y: np.ndarray, seed: int):
        usual, forest._OutOfBag, started = forest._OutOfBag, self.rule, time.process_time()
        self.grown, self.classes = forest.grow(x, y, seed), int(y.max()) + 1
        forest._OutOfBag, self.seconds, self.memory = usual, time.process_time() - started, np.nan
        self.trees = len(self.grown.estimators_)

    def classify(self, x: np.ndarray) -> np.ndarray:
        """Class index (y, x) of x (feature, y, x); notes seconds."""
        started = time.process_time()
        votes = forest.vote_shares(self.grown, x.reshape(len(x), -1).T, self.classes)
        self.seconds_map, self.memory_map = time.process_time() - started, np.nan
        return votes.argmax(1).reshape(x.shape[1:])


class OursAsOpenCV(Ours):
    """A forest as iota2_base grows it, but for the rule of when to stop."""

    rule = LastTree


WAYS: dict[str, Callable] = {NAME: Orfeo, "iota2_base": Ours, "iota2_base, stopping as OpenCV 4.6": OursAsOpenCV}


def agreement(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    """Share of pixels with the same class, mean over pairs of maps; of the same list, pairs of different maps."""
    pairs = itertools.combinations(first, 2) if first is second else itertools.product(first, second)
    return float(np.mean([(one == other).mean() for one, other in pairs]))


def prepare(preset: str, side: int) -> tuple[Experiment, dict, np.ndarray]:
    """A run, its labelled pixels by set, and normalised features (feature, y, x) of a window in the middle of its scene."""
    if shutil.which(TRAIN) is None:
        raise SystemExit("The Orfeo ToolBox is not installed (Debian: apt install otb-bin).")
    run = Experiment(preset)
    samples = {part: run.trained.normalised[part].pixels() for part in ("train", "validation", "test")}
    middle = [slice((run.scene.sizes[dim] - side) // 2, (run.scene.sizes[dim] + side) // 2) for dim in ("y", "x")]
    series = torch.from_numpy(run.trained.inputs.read(run.scene, *middle))[None]
    return run, samples, run.trained.normaliser.apply(series)[0].numpy().reshape(-1, side, side)


def speed(preset: str = "demo", side: int = 256) -> None:
    """Measure and keep seconds and memory of one seed."""
    load, (_, samples, window) = os.getloadavg()[0], prepare(preset, side)
    x, y = samples["train"].x.flatten(1).numpy(), samples["train"].label.flatten().numpy()
    rows = []
    forest.grow(x[:200], y[:200], 0)  # the first call imports scikit-learn
    for way, kind in WAYS.items():
        one = kind(x, y, 0)
        one.classify(window)
        rows.append({
            "case": f"{preset}, {way}", "trees": one.trees, "training (s)": one.seconds,
            "mapping (kpx/s)": side**2 / one.seconds_map / 1000, "memory, training (GB)": one.memory,
            "memory, mapping (GB)": one.memory_map,
        })  # fmt: skip
    keep("otb-speed", pd.DataFrame(rows), pixels=len(y), side=side, **{"load before": round(load, 1)})


def main(preset: str = "demo", side: int = 256) -> None:
    """Measure and keep trees, scores and agreement."""
    run, samples, window = prepare(preset, side)
    tables = {part: pixels.x.flatten(1).numpy() for part, pixels in samples.items()}
    y = samples["train"].label.flatten().numpy()
    rows, maps = [], {way: [] for way in WAYS}
    for way, kind in WAYS.items():
        grown = []
        for seed in range(SEEDS):
            order = np.random.default_rng(seed).permutation(len(y))
            one = kind(tables["train"][order], y[order], seed)
            maps[way].append(one.classify(window))
            one.predicted = {part: one.classify(tables[part].T[:, None])[0] for part in ("validation", "test")}
            grown.append(one)
        rows.append(summary(way, preset, grown, samples, side))
        if preset == "paper" and way == NAME:
            keep_trainings(run, grown, samples)
    for row in rows:
        row["agreement with another seed"] = agreement(maps[row["way"]], maps[row["way"]])
        row["agreement with the Orfeo ToolBox"] = agreement(maps[NAME], maps[row["way"]])
    table = pd.DataFrame(rows)
    table.insert(0, "case", f"{preset}, " + table["way"])
    keep("otb", table, side=side, pixels=len(y), seeds=SEEDS)


def summary(way: str, preset: str, grown: list, samples: dict, side: int) -> dict:
    """One row of the table: means over seeds."""
    f1 = {part: [macro_f1(samples[part], one.predicted[part]) for one in grown] for part in ("validation", "test")}
    return {
        "way": way, "preset": preset, "trees": np.mean([one.trees for one in grown]),
        "macro F1, validation": np.mean(f1["validation"]), "macro F1, test": np.mean(f1["test"]),
        "std over seeds": np.std(f1["test"], ddof=1),
    }  # fmt: skip


def confusion_of(samples, predicted: np.ndarray) -> np.ndarray:
    """Confusion matrix (reference, predicted)."""
    label = samples.label.flatten().numpy()
    return metrics.confusion(label, predicted, max(label.max(), predicted.max()) + 1)


def macro_f1(samples, predicted: np.ndarray) -> float:
    """Macro F1 of class indices (pixel,)."""
    return float(metrics.macro_f1(confusion_of(samples, predicted)))


def keep_trainings(run: Experiment, grown: list, samples: dict) -> None:
    """Write the trainings of the Orfeo ToolBox beside the kept ones, with the same files."""
    for number, one in enumerate(grown):
        folder = store.project() / "data" / "results" / "paper" / "trainings" / NAME / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        parts = one.predicted.items()
        tables = [by_polygon(samples[part], predicted).assign(set=part) for part, predicted in parts]
        write_counts(pd.concat(tables), folder)
        facts = store.provenance({}, one.seconds)
        scores = {
            "model": NAME, "codes": [cover.code for cover in run.legend], "seed": number, "parameters": None,
            "training_seconds": round(one.seconds, 2), "trees": one.trees,
            "confusion": {part: confusion_of(samples[part], predicted).tolist() for part, predicted in parts},
        }  # fmt: skip
        store.write_json(folder / "scores.json", scores)
        kept = {fact: facts[fact] for fact in ("seconds", "commit", "format", "device")}
        kept |= {"created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S+00:00}"}
        digests = {stage: code.digest(stage) for stage in ("scene", "samples")}
        store.write_json(folder / "provenance.json", kept | {"code": digests})


if __name__ == "__main__":
    quick = sys.argv[1:2] == ["speed"]
    words = sys.argv[2:] if quick else sys.argv[1:]
    (speed if quick else main)(*words[:1], *map(int, words[1:]))
