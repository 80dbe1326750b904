"""Areas of change between two years, true, as mapped and corrected by the confusion of both maps.

    python benchmarks/change.py [PRESET [CLASSIFIER ...]]

Trains classifiers (TempCNN, 2D-CNN and iota2_base) once on the simulated scene of a preset (demo), maps it and the year
2019 of the same landscape, in which 6 % of the area have another class, and compares both maps as `paperlib change` does:
with the scores on the test polygons of the training and on the polygons of 2019. Columns in hectares: changed in truth,
on the maps, corrected with its interval; off_mapped, off_corrected: differences from the true transitions, added up over
all pairs of different classes. misfit: the share of the area that independent errors do not explain. Results are kept in
results/change.csv.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from record import keep

from paperlib import Experiment, settings
from paperlib.mapping.class_map import ClassMap
from paperlib.simulation.scene import simulate_scene
from paperlib.simulation.years import simulate_year
from paperlib.transfer import open_for, score, write_change, write_map
from paperlib.transfer.changes.transitions import changed
from paperlib.transfer.saving import trained_model

NAMES = ("TempCNN", "2D-CNN", "iota2_base")


def main(preset: str = "demo", *names: str) -> None:
    """Measure, and keep the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        chosen = settings.make(preset).scene
        wanted = {"size": chosen.size, "pool": chosen.pool, "test": chosen.test, "seed": chosen.seed}
        years = simulate_scene(place / "2018", **wanted), simulate_year(place / "2019", **wanted)
        truth = write_change(*(ClassMap.open(year / "truth.tif") for year in years), place / "truth", [])
        options = {"settings": {"train.trainings": 1}, "store": place / "store"}
        run = Experiment(preset, years[0], years[0] / "polygons.gpkg", **options)
        for name in names or NAMES:
            model = trained_model(run, name)
            scenes = [open_for(model.classifier.inputs, year) for year in years]
            maps = [place / name / year.name for year in years]
            for scene, target in zip(scenes, maps, strict=True):
                write_map(model, scene, target, report=lambda text: None)
            scores = [model.scores["test"], score(model, scenes[1], years[1] / "polygons.gpkg").scores]
            found = write_change(*map(ClassMap.open, maps), place / name / "change", scores)
            true = truth.mapped * found.mapped.sum() / truth.mapped.sum()  # a few pixels have no class on the maps
            other = ~np.eye(len(true), dtype=bool)
            value, low, high = found.change
            rows.append({"classifier": name, "true": float(changed(true)), "mapped": found.mapped_change,
                         "corrected": value, "low": low, "high": high,
                         "off_mapped": np.abs(found.mapped - true)[other].sum(),
                         "off_corrected": np.abs(found.corrected - true)[other].sum(), "misfit": found.misfit,
                         "area": found.mapped.sum()})  # fmt: skip
    keep("change", pd.DataFrame(rows), preset=preset)


if __name__ == "__main__":
    main(*sys.argv[1:])
