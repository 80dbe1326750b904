"""Cost and error of the area of applicability with representatives of the training pixels instead of all of them.

    python benchmarks/applicability.py [PRESET [CLASSIFIER ...]]

Trains classifiers (TempCNN and iota2_base) once on the simulated scene of a preset (demo). For several numbers of
representatives: the share of the scene's pixels outside the area, the share of pixels with the same answer as with all
training pixels, and seconds of the layers for the whole scene beside those of the map. Results are kept in
results/applicability.csv.
"""

import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from record import keep

from paperlib import Experiment
from paperlib.mapping.scene_maps import map_scene, read_map
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


if __name__ == "__main__":
    main(*sys.argv[1:])
