"""What interpreted points of a finished map promise, against what the map is known to be.

    python benchmarks/points.py [DRAWS [SCENES]]

A simulated scene at preset demo (or more), whose class is known everywhere, mapped by TempCNN and by iota2_base; points are
drawn DRAWS (2,000) times and answered from the truth.

results/certificates.csv: how often a certified zone (`paperlib accuracy --zone`) is in truth wrong in more than the error
it states (false, promised: 0.05 at most), how often there is a zone (certified), and the share of the map it covers (mean,
0 without one), of 200 and 400 points of a simple random sample. The error is one that the whole map just exceeds, where a
false certificate is likeliest.

results/comparison.csv: points to interpret until the better of two maps is found in 80 % of the draws (5 %, two-sided):
where the maps differ alone (exact sign test, `paperlib design MAP1 MAP2`); one sample of the whole map for both (the same
test); and two separate assessments, a sample of its own for each map (normal test of two shares), all points counted.
"times" is the last over the first. The first column is the scene.
"""

import sys

import numpy as np
import pandas as pd
from record import keep
from scipy.stats import binom, norm

from paperlib import Experiment
from paperlib.accuracy.zones.certified import certify, zones_by_confidence

NAMES = ("TempCNN", "iota2_base")
POWER, LEVEL = 0.8, 0.05
#: Points of a sample from which a zone is certified.
POINTS = 200, 400
#: Points tried for a comparison: each a twentieth more than the one before.
TRIED = np.unique(np.round(10 * 1.05 ** np.arange(150)).astype(int))


def certificates(wrong: np.ndarray, confidence: np.ndarray, draws: int) -> pd.DataFrame:
    """False certificates over draws of points of one map: where it is wrong, bool, and confidence (%), of (pixel,)."""
    pixels, errors = (np.bincount(confidence, values, 101)[::-1].cumsum()[::-1] for values in (None, wrong))
    truly = errors / np.maximum(pixels, 1)  # share that is wrong at or above a confidence
    error, table, rows = 0.98 * wrong.mean(), np.bincount(confidence, minlength=101)[:, None], []
    for number in POINTS:
        random, found = np.random.default_rng(number), []
        for _ in range(draws):
            places = random.choice(len(wrong), number, replace=False, shuffle=False)
            points = pd.DataFrame({"confidence": confidence[places], "stratum": 0, "wrong": wrong[places]})
            least, *tables = zones_by_confidence(table, points)
            zone = certify(*tables, error=error)
            found.append((zone.coverage, truly[least[zone.number]] if zone.number >= 0 else 0.0))
        coverage, share = np.array(found).T
        rows.append(
            {"points": number, "draws": draws, "error": error, "false": (share > error).mean(),
             "certified": (coverage > 0).mean(), "coverage": coverage.mean()}
        )  # fmt: skip
    return pd.DataFrame(rows)


def points_needed(first: np.ndarray, second: np.ndarray, differ: np.ndarray, draws: int) -> dict[str, float]:
    """Points until the better map is found: `first` and `second` say where each map is right, bool (pixel,)."""
    random = np.random.default_rng(0)
    shares = np.array([(first & ~second).mean(), (second & ~first).mean()])
    better = 0 if shares[0] > shares[1] else 1

    def sign_test(number: int, inside: float) -> float:
        drawn = random.multinomial(number, [*(shares / inside), 1 - shares.sum() / inside], draws)
        decided = drawn[:, 0] + drawn[:, 1]
        return np.mean(drawn[:, better] > binom.isf(LEVEL / 2, decided, 0.5))  # a two-sided sign test

    def separate(number: int) -> float:
        right = random.binomial(number, [first.mean(), second.mean()], (draws, 2)) / number
        error = np.sqrt((right * (1 - right)).sum(1) / number)
        gap = (right[:, 0] - right[:, 1]) * (1 if better == 0 else -1)
        return np.mean(gap > norm.ppf(1 - LEVEL / 2) * np.maximum(error, 1e-12))

    def needed(power, times: int = 1) -> float:
        return next((times * number for number in TRIED.tolist() if power(number) >= POWER), np.nan)

    where = needed(lambda number: sign_test(number, differ.mean()))
    both = needed(lambda number: sign_test(number, 1.0))
    apart = needed(separate, 2)
    return {
        "accuracy of the first": first.mean(), "of the second": second.mean(), "maps differ in": differ.mean(),
        "points where they differ": where, "one sample for both": both, "two samples": apart, "times": apart / where,
    }  # fmt: skip


def maps_of(seed: int) -> tuple[np.ndarray, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """True class codes (pixel,) of a scene, and codes and confidence (%) of its maps by classifier."""
    run = Experiment("demo", settings={"scene.seed": seed, "train.trainings": 1})
    found = {name: (run.class_map(name).values.ravel(), run.confidence_map(name).values.ravel()) for name in NAMES}
    return run.truth.values.ravel(), found


def compare_maps(draws: int = 2000, scenes: int = 1) -> None:
    """Measure and keep the table of comparisons."""
    rows = []
    for seed in range(1, scenes + 1):
        truth, maps = maps_of(seed)
        codes = [code for code, _ in maps.values()]
        needed = points_needed(codes[0] == truth, codes[1] == truth, codes[0] != codes[1], draws)
        rows.append({"scene": seed, "maps": " and ".join(NAMES), **needed})
    keep("comparison", pd.DataFrame(rows), draws=draws)


def certify_maps(draws: int = 2000, scenes: int = 1) -> None:
    """Measure and keep the table of certificates, after every map."""
    tables = []
    for seed in range(1, scenes + 1):
        truth, maps = maps_of(seed)
        for name, (code, confidence) in maps.items():
            held = code > 0
            table = certificates((code != truth)[held], np.minimum(confidence[held], 100).astype(int), draws)
            tables.append(table.assign(map=f"{name}, scene {seed}"))
            keep("certificates", pd.concat(tables)[["map", *table]])


def main(*sizes: int) -> None:
    """Measure and keep both tables."""
    compare_maps(*sizes)
    certify_maps(*sizes)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
