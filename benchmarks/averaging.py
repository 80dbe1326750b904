"""What the exponential mean of weights is worth (train.average): macro F1 by its share of the steps.

    python benchmarks/averaging.py [PRESET [CLASSIFIER ...]]

Trains networks (TempCNN) with each share of `SHARES`, as often as the preset says. Mean and standard deviation over
trainings are kept in results/averaging.csv; 0 is the training as it is by default.
"""

import sys

import pandas as pd
from record import keep

from paperlib import Experiment

SHARES = (0.0, 0.05, 0.1)


def main(preset: str = "demo", *names: str) -> None:
    """Measure and keep one row for each classifier and share."""
    rows = []
    for name in names or ("TempCNN",):
        for share in SHARES:
            table = Experiment(preset, settings={"train.average": share}).trainings([name])
            row = {"classifier": name, "preset": preset, "share": share, "trainings": len(table)}
            for part in ("validation", "test"):
                scores = table[f"macro_f1_{part}"]
                row |= {f"macro F1 {part}": scores.mean(), f"std {part}": scores.std()}
            rows.append(row)
    keep("averaging", pd.DataFrame(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
