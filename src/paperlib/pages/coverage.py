"""How often 95 % intervals hold the truth, and how often verdicts turn, over repetitions of a whole run.

Takes what `benchmarks/intervals.py` keeps: one row for each repetition and quantity, with the columns repetition, kind
(one of `KINDS`), quantity, estimate, low, high and verdict. Scene, polygons and trainings are drawn anew in each
repetition.
"""

from math import comb

import numpy as np
import pandas as pd

from ..reproduction.claims import REFUTED, SUPPORTED

#: What the kinds of quantities are called on a page, in the order of the table.
KINDS = {
    "score": "macro F1 of a classifier",
    "score here": "the same, over test polygons and trainings alone",
    "difference": "difference of two classifiers",
    "zero": "difference that is zero but for luck",
    "claim": "quantity behind a claim",
    "map": "quantity behind a claim on maps",
    "one map": "the same on the map of one training alone",
}


def by_quantity(repetitions: pd.DataFrame) -> pd.DataFrame:
    """One row for each quantity: how often its interval holds the truth, and how often its verdict turns.

    The truth is the mean of a quantity over the other repetitions; of those of the kind "zero" it is zero. A verdict turns
    in a pair of repetitions if a claim is supported in one and not supported in the other. Columns kind, quantity, mean,
    deviation (standard deviation over repetitions), width (mean width of the intervals), held and turned (shares),
    supported, not_supported, repetitions. A repetition in which a quantity has no interval does not count.
    """
    rows = []
    for (kind, quantity), table in repetitions.groupby(["kind", "quantity"], sort=False):
        known = table.dropna(subset=["estimate", "low", "high"])
        values, low, high = (known[column].to_numpy() for column in ("estimate", "low", "high"))
        number = len(known)
        truth = np.zeros(number) if kind == "zero" else (values.sum() - values) / max(1, number - 1)
        supported, refuted = (int((known["verdict"] == verdict).sum()) for verdict in (SUPPORTED, REFUTED))
        rows.append(
            {
                "kind": kind, "quantity": quantity, "mean": values.mean() if number else np.nan,
                "deviation": values.std(ddof=1) if number > 1 else np.nan,
                "width": (high - low).mean() if number else np.nan,
                "held": ((low <= truth) & (truth <= high)).mean() if number > 1 else np.nan,
                "turned": supported * refuted / comb(number, 2) if number > 1 else np.nan,
                "supported": supported, "not_supported": refuted, "repetitions": number,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def by_kind(repetitions: pd.DataFrame) -> pd.DataFrame:
    """The mean and the least of `held` over the quantities of each kind: one row for each of `KINDS`.

    Columns quantities (their number), repetitions (the least of a quantity), held and least.
    """
    kinds = by_quantity(repetitions).groupby("kind")
    means = kinds.agg(
        quantities=("held", "size"), repetitions=("repetitions", "min"), held=("held", "mean"), least=("held", "min")
    )
    return means.reindex([kind for kind in KINDS if kind in means.index]).rename(index=KINDS).rename_axis("interval of")


def claims_table(repetitions: pd.DataFrame) -> pd.DataFrame:
    """One row for each claim: columns supported, not supported and undecided (repetitions), turned and held (shares)."""
    table = by_quantity(repetitions).query("kind in ('claim', 'map')").set_index("quantity").rename_axis("claim")
    table["undecided"] = table["repetitions"] - table["supported"] - table["not_supported"]
    columns = ["supported", "not_supported", "undecided", "turned", "held"]
    return table[columns].rename(columns={"not_supported": "not supported"})
