"""A second real scene: one date, 2018-08-15, with sixteen polygons of eight types, two of each.

The image crops are those of the repository nkarasiak/atelier_SAGEO2019, branch data (see data/README.md). They are read
from data/theia_l3a.
"""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from ...evaluation import metrics
from ...features.inputs import Inputs
from ...features.patches import extract
from ...labels.burning import burn
from ...nomenclature import LandCover
from ...scenes.scene import open_scene
from ...settings import Train
from ...store import project
from ...training.classifier import Classifier

POLYGONS = "ROI.gpkg"
PATCH = 16

#: English names of the French types of the polygons.
TYPES = {
    "eau": "water", "feuillu": "broad-leaved", "resineux": "needle-leaved", "culture": "crop", "sol nu": "bare soil",
    "bati": "built", "route": "road", "milieu ouvert": "open land",
}  # fmt: skip


def crops_folder() -> Path | None:
    """The folder data/theia_l3a, or None where it does not hold the image crops."""
    folder = project() / "data" / "theia_l3a"
    return folder if (folder / POLYGONS).is_file() else None


def swap_polygons(folder: Path, seed: int = 0) -> pd.DataFrame:
    """Scores of a forest trained on one polygon of each type and tested on the other, and with the two swapped.

    Columns training ("first" or "second" polygon of each type), oa, macro_f1, and the F1 of each type.
    """
    scene = open_scene(folder)
    polygons = gpd.read_file(folder / POLYGONS).to_crs(scene.rio.crs)
    legend = tuple(LandCover(number, name, "#000000") for number, name in enumerate(TYPES.values(), start=1))
    polygons = polygons.assign(
        polygon_id=range(1, len(polygons) + 1),
        code=polygons["type"].map(list(TYPES).index) + 1,
        set=np.where(polygons.groupby("type").cumcount() == 0, "first", "second"),
    )
    burned = burn(polygons, scene, legend)
    halves = {name: extract(scene, burned, half, PATCH) for name, half in polygons.groupby("set")}
    rows = []
    for training, testing in (("first", "second"), ("second", "first")):
        forest = Classifier.train("iota2_base", {"train": halves[training]}, Inputs.of(scene), legend, Train(), seed)
        confusion = forest.evaluate(halves[testing]).confusion
        row = {"training": training, "oa": metrics.overall_accuracy(confusion), "macro_f1": metrics.macro_f1(confusion)}
        rows.append(row | dict(zip(TYPES.values(), metrics.f1(confusion), strict=True)))
    return pd.DataFrame(rows)
