"""How often 95 % intervals of scores, differences and claims hold the truth, and how often verdicts turn, by repetition.

python benchmarks/intervals.py planted [REPETITIONS]
python benchmarks/intervals.py demo [REPETITIONS [PRESET [FIRST]]]

planted: two models of equal worth, scores drawn from known distributions (simulated numbers, no scene); the difference is
zero. Compares what holds: polygons alone, polygons and trainings resampled, and the pooled variances of `quantities`.
demo: the simulated scene of a preset, its polygons and all trainings of the default book, drawn anew in each repetition. The
repetitions are kept as they are, see `paperlib.pages.coverage` for what they say; a run that was stopped goes on. One takes
seven minutes of a processor with bfloat16, thirteen without.
"""

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from copy import copy
from functools import partial
from itertools import combinations
from multiprocessing import get_context

import numpy as np
import pandas as pd
import xarray as xr
from record import RESULTS, keep

from paperlib import Experiment, models
from paperlib.evaluation import metrics
from paperlib.evaluation.quantities import Quantity
from paperlib.pages.coverage import by_kind
from paperlib.reproduction import claims, evidence
from paperlib.runs.maps import Maps

#: Polygons, standard deviation of a training, trainings.
CASES = [
    (polygons, luck, trainings)
    for polygons in (24, 130)
    for luck, trainings in ((0.01, 2), (0.03, 2), (0.03, 3), (0.03, 5))
]
#: Standard deviations of a polygon, shared by both models; of a model on a polygon; and of a training on a polygon.
POLYGON, MODEL, BOTH = 0.25, 0.08, 0.1
DRAWS = 300

COLUMNS = ["repetition", "kind", "quantity", "estimate", "low", "high", "verdict"]


def planted(case: tuple[int, float, int], repetitions: int) -> dict:
    """Share of intervals that hold zero, and their mean width, by method."""
    polygons, luck, trainings = case
    random, held, widths = np.random.default_rng(0), {}, {}
    for _ in range(repetitions):
        weights = random.multinomial(polygons - 1, np.full(polygons, 1 / polygons), size=DRAWS) / (polygons - 1)
        weights = np.vstack([np.full(polygons, 1 / polygons), weights])
        shared, values = random.normal(0, POLYGON, polygons), []
        for _ in range(2):
            scores = shared + random.normal(0, MODEL, polygons) + random.normal(0, luck, (trainings, 1))
            values.append((scores + random.normal(0, BOTH, (trainings, polygons))) @ weights.T)
        alone = np.quantile((values[0] - values[1]).mean(0)[1:], [0.025, 0.975])
        chosen = [
            np.take_along_axis(one[:, 1:], random.integers(0, trainings, (trainings, DRAWS)), 0).mean(0)
            for one in values
        ]
        together = np.quantile(chosen[0] - chosen[1], [0.025, 0.975])
        first, second = (Quantity.of_trainings(one, polygons - 1) for one in values)
        pooled = (first - second).estimate()[1:]
        methods = {"polygons alone": alone, "both resampled": together, "pooled variances": pooled}
        for method, (low, high) in methods.items():
            held.setdefault(method, []).append(low <= 0 <= high)
            widths.setdefault(method, []).append(high - low)
    shares = {method: np.mean(inside) for method, inside in held.items()}
    return {"case": f"{polygons} polygons, {luck}, {trainings} trainings"} | shares | {
        f"{method}, width": np.mean(width) for method, width in widths.items()
    }  # fmt: skip


def halves(run: Experiment, name: str) -> Quantity:
    """Macro F1 of the first half of the trainings of a classifier minus that of the second: zero but for luck."""
    values = metrics.macro_f1(evidence.confusions(run, name))
    first, second = (evidence.of_polygons(run, half, name) for half in np.split(values, 2))
    return first - second


class ChosenMaps(Maps):
    """The map of the chosen training alone, as a kept run has it."""

    def classes_by_training(self, name: str) -> list[xr.DataArray]:
        """Class codes (y, x) of this map."""
        return [self.classes(name)]


def of_one_map(run: Experiment) -> pd.DataFrame:
    """Claims on maps by the maps of the chosen trainings, with the columns `COLUMNS` but the first."""
    alone = copy(run)
    alone.maps = ChosenMaps(run.trained)
    rows = []
    for claim in claims.CLAIMS:
        if claim.of_map:
            estimate = claim.measure(alone).estimate()
            verdict = claims.verdict(estimate, claim.equal)
            rows.append(("one map", f"{claim.section}: {claim.text}", *estimate, verdict))
    return pd.DataFrame(rows, columns=COLUMNS[1:])


def measure(repetition: int, preset: str) -> pd.DataFrame:
    """Scores, differences and claims on a scene, polygons and trainings of their own, with the columns `COLUMNS`."""
    with tempfile.TemporaryDirectory() as store:
        changes = {"scene.seed": 1000 + repetition}
        run = Experiment(preset, seed=1000 * repetition, settings=changes, store=store)
        table = claims.claims_table(run, varied=False)
        named = table["section"] + ": " + table["claim"]
        kinds = ["map" if claims.CLAIMS[number - 1].of_map else "claim" for number in table["number"]]
        found = table[["estimate", "low", "high", "verdict"]].assign(kind=kinds, quantity=named)
        scores = {name: evidence.macro_f1(run, name) for name in (*models.NETWORKS, *models.FORESTS)}
        ratio = len(run.trained.polygon_counts(claims.BASE)[1]) / evidence.training_polygons(run)
        rows = [("score", f"macro F1, {name}", score.redrawn(ratio)) for name, score in scores.items()]
        rows += [("score here", f"macro F1, {name}", score) for name, score in scores.items()]
        rows += [
            ("difference", f"{one} minus {other}", scores[one] - scores[other])
            for one, other in combinations(scores, 2)
        ]
        shuffled = evidence.macro_f1(evidence.vary(run, dates="shuffled"), claims.BASE)
        rows.append(("zero", f"{claims.BASE}, dates in order minus shuffled", scores[claims.BASE] - shuffled))
        even = run.override({"train.trainings": 4})
        rows += [
            ("zero", f"{name}, two halves of four trainings", halves(even, name)) for name in ("TempCNN", "2D-CNN")
        ]
        one_map = of_one_map(run)
    table = pd.DataFrame([(kind, name, *one.estimate()) for kind, name, one in rows], columns=COLUMNS[1:-1])
    return pd.concat([table, found, one_map]).assign(repetition=repetition)[COLUMNS]


def main(part: str = "planted", repetitions: str = "", preset: str = "demo", first: str = "0") -> None:
    """Measure one part and keep its table."""
    if part == "planted":
        number = int(repetitions or 1500)
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            table = pd.DataFrame(list(pool.map(partial(planted, repetitions=number), CASES)))
        keep("intervals-planted", table, repetitions=number)
        return
    name = f"intervals-{preset}"
    path = RESULTS / f"{name}.csv"
    for repetition in range(int(first), int(repetitions or 20)):
        if not path.is_file() or repetition not in set(pd.read_csv(path)["repetition"]):
            keep(name, measure(repetition, preset), 3)
    print(by_kind(pd.read_csv(path)).to_string())


if __name__ == "__main__":
    main(*sys.argv[1:])
