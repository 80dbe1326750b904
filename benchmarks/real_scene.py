"""What the page real-scene keeps of the scene around Bouconne: scores, claims, maps, and how far the maps can be relied on.

    python benchmarks/real_scene.py [PRESET]

Needs the image (`paperlib fetch bouconne`) and, for the eight types, the crops in data/theia_l3a; a part whose images are
missing is left out. Tables are kept in results/, the maps in data/results/real-scene/maps.tif:
  real-scene      mean macro F1 of the trainings on the test polygons with 95 % intervals, and the mean F1 of each class
  real-pairs      differences between classifiers
  real-claims     the claims of the paper, as far as a scene without known truth can test them
  real-geometry   speckle of the maps, and how far their class borders follow the edges of the image
  real-stability  share of the pixels that all trainings of a classifier give one class, by the class of its map
  real-dates      scores where one date is left out of the test series and filled from its neighbours, and of all series
  real-types      a forest on eight types of one date
Preset demo takes some ten minutes on two cores.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import record
import xarray as xr

from paperlib import Experiment, models
from paperlib.evaluation import intervals, metrics, summaries
from paperlib.features.patches import extract
from paperlib.mapping.scene_maps import map_scene, read_map
from paperlib.reproduction import claims, evidence, real_scene
from paperlib.reproduction.studies import single_date
from paperlib.training.classifier import Classifier

keep = partial(record.keep, whole=True)

#: Classifiers of the table of dates: they see single pixels.
BY_DATE = ("iota2_base", "TempCNN")


def scores(run: Experiment) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores by classifier, and differences between classifiers."""
    table = evidence.scores(run)
    classes = run.class_scores()
    classes = classes[classes["set"] == "test"].pivot_table(index="model", columns="code", values="f1")
    names = {cover.code: cover.name for cover in run.legend}
    classes.columns = [f"F1, {names[code]}" for code in classes.columns]
    counts, reference = run.trained.counts("test")
    return table.join(classes, on="model").assign(polygons=len(reference)), intervals.differences(counts, reference)


def stability(run: Experiment, maps: dict[str, xr.DataArray]) -> pd.DataFrame:
    """Share of the pixels of each class, and of all, to which every training of a classifier gives the class of its map."""
    rows = []
    for name, codes in maps.items():
        agree = np.full(codes.shape, True)
        for folder in run.trained.folders(name):
            agree &= map_of(run, folder) == codes.values
        row = {
            "model": name,
            "trainings": len(run.trained.folders(name)),
            "all classes": agree[codes.values > 0].mean(),
        }
        rows.append(row | {cover.name: agree[codes.values == cover.code].mean() for cover in run.legend})
    return pd.DataFrame(rows)


def map_of(run: Experiment, training: Path) -> np.ndarray:
    """Class codes (y, x) of the scene by one training."""
    classifier = Classifier.load(training)
    superpixels = run.dataset.superpixels if classifier.model.needs_superpixels else None
    with tempfile.TemporaryDirectory() as folder:
        map_scene(classifier, run.scene, Path(folder), run.settings.map.window, superpixels)
        return read_map(Path(folder) / "class.tif").values


def by_date(run: Experiment) -> pd.DataFrame:
    """Macro F1 on the test polygons, mean over trainings, where a date of the series is missing and is filled."""
    scene = run.scene.load()
    test = run.polygons[run.polygons["set"] == "test"]
    rows = []
    for left in ("none", *run.dates):
        seen = scene.copy(deep=True)
        if left != "none":
            seen["mask"].loc[{"time": left}] = True
        samples = extract(seen, run.dataset.burned, test, run.settings.sample.patch, models.reach(), run.dataset.inputs)
        row = {"left out": left}
        for name in BY_DATE:
            found = [
                metrics.macro_f1(Classifier.load(folder).evaluate(samples).confusion)
                for folder in run.trained.folders(name)
            ]
            row[name] = float(np.mean(found))
        rows.append(row)
    return pd.DataFrame(rows)


def main(preset: str) -> None:
    """Measure and keep all tables and the maps, as far as the images are there."""
    run = real_scene.bouconne(preset)
    if run is not None:
        table, pairs = scores(run)
        keep("real-scene", table, preset=preset)
        keep("real-pairs", pairs, preset=preset)
        maps = run.class_maps()
        real_scene.keep_maps(maps)
        keep(
            "real-geometry", summaries.geometry_table(maps, summaries.scene_edges(run.scene)).reset_index(names="model")
        )
        keep("real-stability", stability(run, maps))
        keep("real-dates", by_date(run))
        keep("real-claims", claims.claims_table(run).drop(columns="section"), preset=preset)
    folder = single_date.crops_folder()
    if folder is not None:
        keep("real-types", single_date.swap_polygons(folder))


if __name__ == "__main__":
    main(*sys.argv[1:] or ["demo"])
