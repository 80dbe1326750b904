"""Cost and error of the area of applicability with representatives of the training pixels instead of all of them.

    python benchmarks/applicability.py [PRESET [CLASSIFIER ...]]

Trains classifiers (TempCNN and iota2_base) once on the simulated scene of a preset (demo). For several numbers of
representatives: the share of the scene's pixels outside the area, the share of pixels with the same answer as with all
training pixels, and seconds of the layers for the whole scene beside those of the map. Results are kept in
results/applicability.csv.

    python benchmarks/applicability.py real [CLASSIFIER ...]

The area on the real scene (paperlib fetch bouconne): accuracy of the test pixels inside and outside, with
all classes, and with each class left out of the training: which share of its test pixels lies outside. Kept in
results/applicability-real.csv (classifier: iota2_base).
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from record import keep

from paperlib import Experiment
from paperlib.evaluation.scoring import evaluate
from paperlib.features.samples import Samples
from paperlib.mapping.scene_maps import map_scene, read_map
from paperlib.reproduction.real_scene import bouconne
from paperlib.training.classifier import Classifier
from paperlib.transfer import area as module
from paperlib.transfer.area_maps import write_area

NAMES = ("TempCNN", "iota2_base")
NUMBERS = (150, 300, 600, 1200, 10**9)


def main(preset: str = "demo", *names: str) -> None:
    """Measure, and keep the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        run = Experiment(preset, settings={"train.trainings": 1}, store=place / "store")
        for name in names or NAMES:
            classifier, samples, masks = run.classifier(name), run.trained.samples(name), {}
            started = time.perf_counter()
            map_scene(classifier, run.scene, place / name)
            mapped = time.perf_counter() - started
            for number in NUMBERS:
                module.REPRESENTATIVES = number
                area = module.Area.learn(classifier, samples)
                started = time.perf_counter()
                share = write_area(classifier, area, run.scene, place / f"{name}-{number}")
                seconds = time.perf_counter() - started
                masks[number] = read_map(place / f"{name}-{number}" / "applicability.tif").values
                rows.append({"classifier": name, "representatives": len(area.samples), "outside": share,
                             "threshold": area.threshold, "seconds": seconds, "map_seconds": mapped})  # fmt: skip
            every = masks[NUMBERS[-1]]
            for row, mask in zip(rows[-len(NUMBERS) :], masks.values(), strict=True):
                row["same_answer"] = float((mask == every)[every != 255].mean())
    keep("applicability", pd.DataFrame(rows), preset=preset)


def real(*names: str) -> None:
    """Measure on the real scene, and keep the table."""
    rows = []
    run = bouconne("demo", settings={"train.trainings": 1})
    if run is None:
        sys.exit("The image has not been fetched: paperlib fetch bouconne")
    for name in names or ("iota2_base",):
        every = run.trained.samples(name)
        for number, cover in [(-1, None), *enumerate(run.legend)]:
            samples = {part: without(held, number) for part, held in every.items()}
            classifier = Classifier.train(name, samples, run.trained.inputs, run.legend, run.settings.train)
            found = inside_outside(classifier, module.Area.learn(classifier, samples), every["test"], number)
            rows.append({"classifier": name, "left_out": cover.name if cover else "none", **found})
    keep("applicability-real", pd.DataFrame(rows), preset="demo")


def without(samples: Samples, number: int) -> Samples:
    """The samples without those of a class; -1: all."""
    kept = samples.label.flatten(1).max(1).values != number
    return samples[kept.nonzero().flatten()]


def inside_outside(classifier: Classifier, area: module.Area, test: Samples, number: int) -> dict[str, float]:
    """Shares of test pixels outside the area, of the class that was left out and of the others, and accuracies."""
    pixels = test.pixels()
    outside = area.index(classifier.normaliser.apply(pixels.x)[..., 0, 0].permute(1, 2, 0)) > area.threshold
    label = pixels.label.flatten().numpy()
    found = evaluate(classifier.model, test.within(classifier.model.receptive_field).map(classifier.normaliser.apply))
    right, left_out = found.predicted == label, label == number

    def share(values: np.ndarray, where: np.ndarray) -> float:
        return float(values[where].mean()) if where.any() else float("nan")

    return {
        "pixels": len(label), "outside": outside.mean(), "outside_known": share(outside, ~left_out),
        "outside_left_out": share(outside, left_out), "accuracy": right.mean(),
        "accuracy_inside": share(right, ~outside), "accuracy_outside": share(right, outside),
    }  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["real"]:
        real(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
