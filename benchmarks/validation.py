"""What validations say of a model's accuracy, against what its whole map is worth.

    python benchmarks/validation.py [DRAWS [CASE ...]]

Simulated scenes of 256 x 256 pixels, whose class is known everywhere. In each draw, ten polygons of every class are drawn:
dense (anywhere) or clustered (in four places). A classifier is validated by folds of random pixels, of polygons, of polygons
with those that show one object together (as trainings divide them by default), of square blocks, and by nearest neighbour
distance matching (kNNDM); and it is trained on all polygons and maps the scene. Cases, with their draws, five on each scene:
  iota2_base, dense                             20
  iota2_base, clustered                         20
  iota2_base, clustered, season varies          10; the season is 30 days later in the east than in the west
  TempCNN, dense; TempCNN, clustered            4
Every draw is kept in results/validation.csv as soon as it is done: what is said, what the map is worth, and what it is worth
inside objects, where polygons lie. Draws that are there are not repeated; delete their rows to do so. The forest takes
8 s of processor time a draw. Scenes are kept in $PAPERLIB_STORE.
"""

import sys
from functools import cache

import numpy as np
import pandas as pd
from record import RESULTS, keep

from paperlib import Experiment
from paperlib.pages.trust import validation
from paperlib.simulation.landscape import draw_landscape

CASES = {
    "iota2_base, dense": 20, "iota2_base, clustered": 20, "iota2_base, clustered, season varies": 10,
    "TempCNN, dense": 4, "TempCNN, clustered": 4,
}  # fmt: skip
SCENE = {"scene.size": 256, "scene.pool": 32, "scene.test": 24}
#: Draws on a scene; polygons of each class; days by which the season is later in the east.
DRAWS, EACH, GRADIENT = 5, 10, 30
#: What is measured of TempCNN: its trainings take long.
FEWER = ("pixels", "polygons, alike together", "blocks", "kNNDM")


@cache
def world(seed: int) -> tuple[validation.World, Experiment]:
    """A simulated scene, read whole."""
    run = Experiment("demo", settings={"scene.seed": seed, **SCENE})
    size = run.settings.scene.size
    x, _ = run.dataset.inputs.read_around(run.scene, slice(0, size), slice(0, size), 0)
    landscape = draw_landscape(size, np.random.default_rng(seed))
    return validation.World(x, landscape, run.dataset.inputs, run.legend), run


def measure(case: str, draw: int) -> pd.DataFrame:
    """All methods in one draw."""
    name, layout = case.split(", ", 1)
    seed = 1 + draw // DRAWS
    scene, run = world(seed)
    if "varies" in layout:
        scene = scene.with_gradient(GRADIENT)
    labels = validation.draw_labels(scene.landscape, EACH, "clustered" in layout, np.random.default_rng([draw, EACH]))
    methods = validation.METHODS if name == "iota2_base" else FEWER
    table = validation.compare(validation.Draw.of(scene, labels), name, run.settings.train, draw, methods)
    table = table.pivot(index="method", columns="score").loc[list(methods)]
    table.columns = [f"{score}, {column}" for column, score in table.columns]
    table = table.reset_index().assign(case=case, draw=draw, scene=seed)
    first = ["case", "draw", "scene", "method"]
    return table[[*first, *table.columns.difference(first, sort=False)]]


def main(draws: str = "", *cases: str) -> None:
    """Measure all cases, one draw of each after the other."""
    wanted = {case: int(draws) if draws else CASES[case] for case in cases or CASES}
    kept = RESULTS / "validation.csv"
    done = set(pd.read_csv(kept)[["case", "draw"]].itertuples(index=False, name=None)) if kept.is_file() else set()
    for draw in range(max(wanted.values())):
        for case in (case for case, number in wanted.items() if draw < number and (case, draw) not in done):
            keep("validation", measure(case, draw), subject=2)


if __name__ == "__main__":
    main(*sys.argv[1:])
