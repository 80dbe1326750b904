"""Values that follow from the printed values of the paper: means of rows, ranks, margins, ranges, shares."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import integrate, stats

from . import paper, tables

FORESTS = ("iota2_ctx", "iota2_base")
NEAR = 0.02  # a cell is near the other models where it lies at most this far outside the range of their F1
TABLE_4 = {part: (rows, means) for part, (_, rows, means) in tables.PRINTED_F1.items()}
TEST_ROWS, TEST_MEANS = TABLE_4["test"]
#: Sentences of the paper: text, section, the models it puts first, the models it puts behind them.
SENTENCES = (
    ("3D-CNN is the best performing model", "Section 3.6", ("3D-CNN",), {*paper.MODELS} - {"3D-CNN"}),
    ("CNNs using 3D convolutions are more accurate than 1D temporal, stacked 2D and RF", "Abstract",
     ("3D-CNN", "SpatioTempCNN"), ("TempCNN", "2D-CNN", *FORESTS)),
    ("All CNNs exploiting spatio-temporal features outperform RF", "Section 4",
     ("3D-CNN", "2D-CNN", "SpatioTempCNN"), FORESTS),
    ("iota2_ctx is followed by TempCNN", "Section 3.6", ("iota2_ctx",), ("TempCNN",)),
)  # fmt: skip


def means_table(table_4: dict = TABLE_4, tolerance: float = 0.001) -> pd.DataFrame:
    """Printed means of Table 4 beside the means of the rows printed above them; `table_4`: set -> (rows by code, means)."""
    parts = []
    for part, (rows, means) in table_4.items():
        ours = np.mean(list(rows.values()), axis=0)
        parts.append(pd.DataFrame({"set": part, "model": paper.MODELS, "printed mean": means, "mean of rows": ours}))
    table = pd.concat(parts, ignore_index=True)
    table["difference"] = table["printed mean"] - table["mean of rows"]
    return table.assign(agrees=table["difference"].abs() <= tolerance + 1e-9)


def candidates_table(table_4: dict = TABLE_4, tolerance: float = 0.001) -> pd.DataFrame:
    """Single cells that could be misprints, with the value that each needs for the printed mean to follow from its rows.

    Only cells whose needed value lies between 0 and 1, within the rounding to three decimals. "near": at most `NEAR` outside
    the range of the other models in that class.
    """
    cells = []
    for _, mean in means_table(table_4, tolerance).query("~agrees").iterrows():
        rows, place = table_4[mean["set"]][0], paper.MODELS.index(mean["model"])
        slack = 0.0005 * (2 * len(rows) - 1)  # rounding of the mean, times the classes, and of the other cells
        for code, f1 in rows.items():
            needed = f1[place] + len(rows) * mean["difference"]
            if -slack <= needed <= 1 + slack:
                others = [*f1[:place], *f1[place + 1 :]]
                away = max(min(others) - needed, needed - max(others), 0.0)
                cell = (mean["set"], mean["model"], paper.CLASSES[code], f1[place], needed, min(others), max(others))
                cells.append((*cell, away, away <= NEAR))
    columns = ["set", "model", "class", "printed", "needed", "lowest of others", "highest of others", "away", "near"]
    return pd.DataFrame(cells, columns=columns)


def ranking_table(
    rows: dict = TEST_ROWS, means: Sequence[float] = TEST_MEANS, counts: dict[int, int] = paper.TABLE_3
) -> pd.DataFrame:
    """Scores and ranks of the models: printed mean, mean of the printed rows, and F1 weighted by labelled pixels."""
    f1 = np.array([rows[code] for code in counts])
    table = pd.DataFrame(index=pd.Index(paper.MODELS, name="model"))
    weighted = np.average(f1, axis=0, weights=list(counts.values()))
    for name, values in {"printed mean": means, "mean of rows": f1.mean(axis=0), "by pixels": weighted}.items():
        table[name] = values
        table[f"rank, {name}"] = table[name].round(6).rank(ascending=False, method="min").astype(int)
    return table.sort_values("printed mean", ascending=False)


def claim_margins_table(rows: dict = TEST_ROWS, means: Sequence[float] = TEST_MEANS) -> pd.DataFrame:
    """Margin by which the models that a sentence puts first exceed those behind them; the sentence fails at 0 or below.

    "at worst" takes for each model the one of its two means that supports the sentence least.
    """
    table = pd.DataFrame([claim[:2] for claim in SENTENCES], columns=["claim", "place"])
    ours = np.mean(list(rows.values()), axis=0)
    for name, pair in {
        "printed means": (means, means),
        "means of rows": (ours, ours),
        "at worst": (means, ours),
    }.items():
        least, most = (dict(zip(paper.MODELS, pick(pair, axis=0), strict=True)) for pick in (np.min, np.max))
        table[name] = [min(least[m] for m in high) - max(most[m] for m in low) for *_, high, low in SENTENCES]
    return table


def reliability_table(
    means: Sequence[float] = TABLE_4["validation"][1], reliability: Sequence = paper.TABLE_4_RELIABILITY
) -> pd.DataFrame:
    """Printed validation means as the best of n trainings with the printed mean and std: z and its range by rounding.

    "chance" is the probability that the best of n normal draws is as high. "possible" says whether the best can be the
    largest of n numbers, which lies 1/sqrt(n) to sqrt(n - 1) standard deviations above their mean, by either definition of
    the standard deviation.
    """
    n, printed = paper.TRAININGS, zip(paper.MODELS, means, reliability, strict=True)
    rows = []
    for model, best, (mean, std) in (entry for entry in printed if entry[2]):
        corners = itertools.product((-0.0055, 0.0055), (max(std - 0.005, 1e-9), std + 0.005))
        ends = [(best - mean + shift) / spread for shift, spread in corners]
        z = (best - mean) / std
        possible = min(ends) <= np.sqrt(n - 1) and max(ends) >= 1 / np.sqrt(n)
        rows.append((model, mean, std, best, z, min(ends), max(ends), 1 - stats.norm.cdf(z) ** n, possible))
    columns = ["model", "mean", "std", "best", "z", "lowest z", "highest z", "chance", "possible"]
    return pd.DataFrame(rows, columns=columns)


def expected_best(n: int = paper.TRAININGS) -> float:
    """Expected value of the largest of n standard normal draws."""
    return integrate.quad(lambda x: x * n * stats.norm.pdf(x) * stats.norm.cdf(x) ** (n - 1), -10, 10)[0]


def shares_table(pool: dict[int, int] = paper.TABLE_2, test: dict[int, int] = paper.TABLE_3) -> pd.DataFrame:
    """Labelled pixels and shares of each class in both sets, and its weight in macro F1 divided by its share of test."""
    table = pd.DataFrame({"pool": pd.Series(pool), "test": pd.Series(test)})
    table[["pool (%)", "test (%)"]] = 100 * table / table.sum()
    table["weight in macro F1 / share of test"] = 100 / len(table) / table["test (%)"]
    return table.rename(index=paper.CLASSES).rename_axis("class")


def highest_geometric(f1: np.ndarray) -> np.ndarray:
    """Largest geometric mean of precision and recall whose harmonic mean is `f1`, reached where one of the two is 1."""
    f1 = np.asarray(f1, float)
    return np.sqrt(f1 / (2 - f1))


def exchange(f1: np.ndarray, other_f1: np.ndarray, count: int, other_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Recall of a class, and share of another class predicted as it, if the two are confused only with each other."""
    f1, other_f1 = np.asarray(f1, float), np.asarray(other_f1, float)
    predicted = (2 * other_count + f1 * count - other_f1 * (2 * other_count + count)) / (2 - f1 - other_f1)
    right = f1 * (count + predicted) / 2
    return right / count, (predicted - right) / other_count
