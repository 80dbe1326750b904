"""What contradictions say of the labels as a whole: clean, a few doubtful ones, mistakes, or nothing.

A classifier contradicts right labels too: of a class of which it has learnt little, and of single objects that look like
another class. So contradictions count only in classes of which the classifier recognises most polygons, and those of a
group, which are judged together and resemble each other, count once. A share of `CLEAN` of strong ones is what right labels
give; by chance they give more, up to the 95 % quantile of the binomial distribution.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from scipy.stats import binom

from ..errors import counted

#: Share of strong contradictions up to which labels look clean: a classifier mistakes so many polygons itself.
CLEAN = 0.05
#: Share of a class's polygons from which on, when another class is more probable for them, the class is not recognised.
UNKNOWN = 0.5


@dataclass(frozen=True)
class Verdict:
    """`strong` of `judged` polygons, those of one group counted once, contradict their label.

    `state`: "clean"; "doubtful", a few more contradictions than right labels usually give; "wrong", more than they give by
    chance; "unknown", where most polygons are of classes that are not recognised. `unrecognised`: names of these.
    """

    state: str
    strong: int
    judged: int
    unrecognised: tuple[str, ...] = ()
    grouped: bool = False

    def __str__(self) -> str:
        once = " (of those that stay together, one counts)" if self.grouped else ""
        those = f"of {self.judged} polygons{once}"
        found = counted(self.strong, f"{those} contradicts its label", f"{those} contradict their label") + " strongly"
        classes = ", ".join(self.unrecognised)
        if self.state == "unknown":
            return (
                f"The labels cannot be judged: this classifier takes most polygons of {classes} for another class. Choose "
                "another model, train it for longer, or draw more polygons."
            )
        text = {
            "clean": f"The labels look clean: {found}, no more than classes that resemble each other explain.",
            "doubtful": f"Some labels may be wrong: {found}, a few more than right labels usually do. Look at the "
            "first ones of the list.",
            "wrong": f"The labels hold mistakes: {found}. Look at them in the order of the list.",
        }[self.state]
        if classes:
            reason = "they are few, unlike each other, or labelled wrongly"
            text += f" Not judged: {classes}, most of whose polygons this classifier takes for another class: {reason}."
        return text


def verdict_of(table: pd.DataFrame, strong: float, group: Mapping[int, int] | None = None) -> Verdict:
    """The verdict on a list of suspects.

    Parameters
    ----------
    table: columns polygon_id, class_name, score (NaN: not judged); see `suspects.Suspects`.
    strong: score from which a contradiction is strong.
    group: a number by polygon_id; polygons of one number are one object. None: each polygon is one.
    """
    table = table.dropna(subset="score")
    number = table["polygon_id"] if group is None else table["polygon_id"].map(dict(group))
    contradicted = (table["score"] > 0).groupby(table["class_name"], sort=False).mean()
    unrecognised = tuple(contradicted.index[contradicted >= UNKNOWN])
    known = ~table["class_name"].isin(unrecognised)
    judged, found = number[known].nunique(), number[known & (table["score"] >= strong)].nunique()
    if 2 * known.sum() < len(table):
        state = "unknown"
    elif found <= CLEAN * judged:
        state = "clean"
    else:
        state = "doubtful" if found <= binom.ppf(0.95, judged, CLEAN) else "wrong"
    return Verdict(state, found, judged, unrecognised, bool(judged < known.sum()))
