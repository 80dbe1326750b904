"""How often 95 % intervals of scores and of differences between models hold the truth, by repetition.

python benchmarks/intervals.py planted [REPETITIONS]
python benchmarks/intervals.py demo [REPETITIONS]

planted: two models of equal worth, scores drawn from known distributions (simulated numbers, no scene); the difference is
zero. Compares what holds: polygons alone, polygons and trainings resampled, and the pooled variances of `quantities`.
demo: the simulated scene of preset demo, its polygons and three trainings, all drawn anew in each repetition. The truth of a
score is its mean over the other repetitions, that of a difference too, and that of "dates in order minus shuffled" of the
forest is zero. 20 repetitions take half an hour on two cores.
"""

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pandas as pd
from record import keep

from paperlib import Experiment
from paperlib.evaluation.quantities import Quantity
from paperlib.reproduction import evidence

#: Polygons, standard deviation of a training, trainings.
CASES = [
    (polygons, luck, trainings)
    for polygons in (24, 130)
    for luck, trainings in ((0.01, 2), (0.03, 2), (0.03, 3), (0.03, 5))
]
#: Standard deviations of a polygon, shared by both models; of a model on a polygon; and of a training on a polygon.
POLYGON, MODEL, BOTH = 0.25, 0.08, 0.1
DRAWS = 300


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


def demo(repetition: int) -> dict[str, tuple[float, float, float]]:
    """Value and interval of each quantity on a scene, polygons and trainings of their own."""
    changes = {"scene.seed": 1000 + repetition, "train.trainings": 3}
    with tempfile.TemporaryDirectory() as store:
        run = Experiment("demo", seed=1000 * repetition, settings=changes, store=store)
        network, forest = (evidence.macro_f1(run, name) for name in ("TempCNN", "iota2_base"))
        shuffled = evidence.macro_f1(evidence.vary(run, dates="shuffled"), "iota2_base")
        found = {
            "macro F1, TempCNN": network, "macro F1, iota2_base": forest, "TempCNN minus iota2_base": network - forest,
            "iota2_base, dates in order minus shuffled (zero)": forest - shuffled,
        }  # fmt: skip
        return {name: tuple(quantity.estimate()) for name, quantity in found.items()}


def held_of(name: str, rows: list[dict]) -> dict:
    """Share of the repetitions whose interval holds the truth of a quantity."""
    values, low, high = np.array([row[name] for row in rows]).T
    truth = (values.sum() - values) / (len(values) - 1)  # of the other repetitions
    if "(zero)" in name:
        truth = np.zeros(len(values))
    inside = (low <= truth) & (truth <= high)
    return {
        "quantity": name, "mean": values.mean(), "sd over repetitions": values.std(ddof=1),
        "mean width": (high - low).mean(), "held": inside.mean(), "of": len(values),
    }  # fmt: skip


def main(part: str, repetitions: int) -> None:
    """Measure one part and keep its table."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        if part == "planted":
            table = pd.DataFrame(list(pool.map(partial(planted, repetitions=repetitions), CASES)))
            keep("intervals-planted", table, repetitions=repetitions)
        else:
            rows = list(pool.map(demo, range(repetitions)))
            keep("intervals-demo", pd.DataFrame([held_of(name, rows) for name in rows[0]]))


if __name__ == "__main__":
    part = sys.argv[1] if len(sys.argv) > 1 else "planted"
    main(part, int(sys.argv[2]) if len(sys.argv) > 2 else {"planted": 1500, "demo": 20}[part])
