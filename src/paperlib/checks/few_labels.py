"""Which classifiers to prefer for the number of polygons at hand, as benchmarks/few_labels.py measured it."""

from functools import cache
from pathlib import Path

import geopandas as gpd
import pandas as pd

from ..errors import counted

#: Written by the benchmark: macro F1 by scene, polygons of each class and classifier.
TABLE = Path(__file__).with_name("few_labels.csv")
#: Macro F1 below the best that counts as alike, and from which on a classifier is named as the one to avoid.
ALIKE, WORSE = 0.01, 0.03
#: A classifier of the benchmark that cannot be chosen: it maps some hundred pixels a second.
TEACHER = "Galileo, the encoder itself"


@cache
def measured() -> pd.DataFrame:
    """Mean macro F1 over the scenes of the benchmark: one row for each number of polygons, one column a classifier.

    The index is the number of polygons of each class that were learnt from; where all were, their number is not in it.
    """
    table = pd.read_csv(TABLE)
    few = table[(table["polygons"] != "all") & (table["model"] != TEACHER)]
    return few.pivot_table(index=few["polygons"].astype(int), columns="model", values="macro_f1")


def advice(polygons: gpd.GeoDataFrame) -> str:
    """What to prefer and what to avoid for polygons that are not divided yet (columns code, set); empty without any.

    Counted are the polygons that are not test polygons, of the median class.
    """
    counts = polygons[polygons["set"] != "test"].groupby("code").size()
    if not len(counts):
        return ""
    number = round(counts.median())
    text = f"{counted(number, 'polygon')} to learn from in the median class. {sentence(number)}"
    return f"{text} Galileo needs weights: paperlib fetch galileo." if "Galileo" in text else text


def sentence(number: int, table: pd.DataFrame | None = None) -> str:
    """What `table` (None: `measured()`) says for this number of polygons of each class, or the next smaller one it has."""
    table = measured() if table is None else table
    size = max([int(row) for row in table.index if row <= number], default=int(table.index[0]))
    scores = table.loc[size].dropna().sort_values(ascending=False)
    best = scores.iloc[0]
    alike = [f"{name} ({value:.2f})" for name, value in scores.items() if value >= best - ALIKE]
    worse = [f"{name} ({value:.2f})" for name, value in scores.items() if value <= best - WORSE]
    text = f"With {counted(size, 'polygon')} of each class, the best macro F1 was that of {', '.join(alike)}"
    return f"{text}; avoid {', '.join(worse)}." if worse else f"{text}; no other was {WORSE} lower."
