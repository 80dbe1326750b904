"""How often 95 % intervals of accuracy and area hold the truth, over repeated stratified samples of known populations.

python benchmarks/coverage.py [DRAWS]

24 designs: three simulated populations with a class that the map has on 1 % of its area, 20 to 800 points, equal and half
proportional allocation. Compares exact limits combined by MOVER with normal (Wald) intervals. 1,000 draws take about ten
minutes on two cores.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product

import numpy as np
import pandas as pd
from record import keep
from scipy.stats import norm

from paperlib.accuracy.exact_intervals import mean_limits
from paperlib.accuracy.stratified import StratifiedSample, allocate, estimates, indicators

FOUR = [[0.75, 0.1, 0.1, 0.05], [0.01, 0.85, 0.08, 0.06], [0.004, 0.03, 0.92, 0.046], [0.002, 0.018, 0.03, 0.95]]
ACCURATE = [
    [0.9, 0.04, 0.03, 0.03], [0.002, 0.98, 0.01, 0.008], [0.001, 0.004, 0.99, 0.005], [0.0005, 0.0015, 0.003, 0.995],
]  # fmt: skip
#: User's accuracies of eight classes; errors are spread over the other classes in proportion to their areas.
EIGHT_AREAS = [0.01, 0.04, 0.07, 0.1, 0.13, 0.15, 0.2, 0.3]
EIGHT_RIGHT = [0.75, 0.8, 0.7, 0.9, 0.65, 0.88, 0.94, 0.97]


def spread(areas: list[float], right: list[float]) -> np.ndarray:
    """Shares of the reference classes (map class, reference class) from areas and user's accuracies."""
    others = np.tile(areas, (len(areas), 1)) * (1 - np.eye(len(areas)))
    return np.diag(right) + (1 - np.array(right))[:, None] * others / others.sum(1, keepdims=True)


#: Areas (class,) and shares of the reference classes within each map class.
POPULATIONS = {
    "four classes": ([0.01, 0.14, 0.3, 0.55], np.array(FOUR)),
    "eight classes": (EIGHT_AREAS, spread(EIGHT_AREAS, EIGHT_RIGHT)),
    "accurate": ([0.01, 0.09, 0.3, 0.6], np.array(ACCURATE)),
}
DESIGNS = [
    *product(["four classes", "eight classes"], [20, 50, 100, 400], ["equal", "half proportional"]),
    *product(["eight classes"], [160, 800, 200], ["equal"]),
    *product(["accurate"], [50, 100, 400], ["equal"]), *product(["accurate"], [100, 400], ["half proportional"]),
]  # fmt: skip


def coverage(design: tuple[str, int, str], draws: int) -> dict:
    """Least coverage over the classes, by score and method, of one design."""
    name, number, rule = design
    areas, shares = np.array(POPULATIONS[name][0]), POPULATIONS[name][1]
    units = allocate(number, areas * 1e7, "equal")
    if rule != "equal":
        units = allocate(number // 2, areas * 1e7, "equal", floor=0) + allocate(
            number - number // 2, areas * 1e7, "proportional", floor=0
        )
    names = tuple("abcdefgh"[: len(areas)])
    truth = {
        score: [(areas[:, None] * shares * y).sum() / (areas[:, None] * shares * x).sum() for y, x in pairs]
        for score, pairs in indicators(
            StratifiedSample(np.zeros((1, len(areas), len(areas)), int), areas, names, names)
        ).items()
    }
    generator, held = np.random.default_rng(0), {}
    for _ in range(draws):
        counts = np.zeros((len(areas),) * 3, np.int64)
        for stratum in range(len(areas)):
            counts[stratum, stratum] = generator.multinomial(units[stratum], shares[stratum] / shares[stratum].sum())
        sample = StratifiedSample(counts, areas * 1e7, names, names)
        normal = estimates(sample, finite=False).set_index("score")
        for score, pairs in indicators(sample).items():
            error = norm.ppf(0.975) * normal.loc[[score], "standard_error"].fillna(0).to_numpy()
            wald = np.abs(normal.loc[[score], "estimate"].to_numpy() - truth[score]) <= error
            exact = [np.prod(mean_limits(sample, y, x)(t)) <= 0 for (y, x), t in zip(pairs, truth[score], strict=True)]
            for method, inside in (("exact", exact), ("wald", wald)):
                held.setdefault((method, score), []).append(inside)
    least = {f"{score}, {method}": np.mean(inside, axis=0).min() for (method, score), inside in held.items()}
    return {"design": f"{name}, {number}, {rule}"} | least


def main(draws: int = 1000) -> None:
    """Measure every design and keep the table, with the least over all designs in its last row."""
    with ProcessPoolExecutor() as pool:
        rows = list(pool.map(coverage, DESIGNS, [draws] * len(DESIGNS)))
    table = pd.DataFrame(rows)
    least = table.drop(columns="design").min().to_dict()
    keep("coverage", pd.concat([table, pd.DataFrame([{"design": "least of all"} | least])]), draws=draws)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
