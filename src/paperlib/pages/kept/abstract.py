"""The first page's abstract: in ten sentences, what of the paper stands, what does not, and what cannot be known.

Every number and name in it is computed from the kept run, or from the values that the paper prints.
"""

import itertools
from html import escape

import numpy as np
import pandas as pd

from ...evaluation import intervals
from ...models.registry import CLASSIFIERS, FORESTS
from ...reproduction import claims, evidence, paper, recomputed
from ...reproduction.claims import REFUTED, SUPPORTED, UNDECIDED
from ...runs.experiment import Experiment
from ..measurements import read_measurements
from ..page import Html

#: Texts of claims that a sentence quotes at most.
QUOTED = 3


def abstract(run: Experiment) -> Html:
    """The abstract as a list of sentences, in HTML."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences(run))
    return Html(f'<ul class="abstract">{items}</ul>')


def sentences(run: Experiment) -> list[str]:
    """The ten sentences. What a kept run lacks is said where its number would stand."""
    counts, reference = run.trained.counts("test")
    counts = {name: values for name, values in counts.items() if name in CLASSIFIERS}
    scores = evidence.scores(run, CLASSIFIERS).set_index("model")
    pairs = intervals.differences(counts, reference)
    verdicts = claims.claims_table(run)
    return [
        _subject(run, counts, reference), _best(scores), _network_and_forest(pairs, list(scores.index)), _settled(pairs),
        _tally(verdicts), _quote(verdicts, SUPPORTED, "Of what the paper claims, this stands here"),
        _quote(verdicts, REFUTED, "This does not stand"), _engine(), _printed(), _unknown(pairs),
    ]  # fmt: skip


def _subject(run: Experiment, counts: dict[str, np.ndarray], reference: np.ndarray) -> str:
    scene, train = run.settings.scene, run.settings.train
    found = {name: len(counts.get(name, ())) for name in CLASSIFIERS}
    few = [f"{number} of {name}" for name, number in found.items() if number < train.trainings]
    several = f"{train.trainings} trainings of each classifier" + (f" (so far {', '.join(few)})" if few else "")
    return (
        f"The benchmark of Carpentier et al. (2021) was repeated at its own size on simulated images, with {scene.pool} "
        f"polygons for training and validation, {len(reference)} test polygons and {several}."
    )


def _best(scores: pd.DataFrame) -> str:
    best = scores["macro_f1"].idxmax()
    f1, low, high = (scores.loc[best, name] for name in ("macro_f1", "low", "high"))
    printed = dict(zip(paper.MODELS, paper.TABLE_4_TEST_MEAN, strict=True))
    first = max(printed, key=printed.__getitem__)
    return (
        f"{best} has the highest mean F1 over its trainings on the test polygons, {f1:.3f} [{low:.3f}, {high:.3f}]; the "
        f"paper prints {printed[best]:.3f} for it and its highest, {printed[first]:.3f}, for {first}."
    )


def _network_and_forest(pairs: pd.DataFrame, names: list[str]) -> str:
    forests = [name for name in names if name in FORESTS]
    networks = [name for name in names if name not in FORESTS]
    mixed = pairs[pairs["first"].isin(networks) & pairs["second"].isin(forests)]
    turned = pairs[pairs["first"].isin(forests) & pairs["second"].isin(networks)]
    if not networks or not forests:
        return "Networks and forests cannot be compared yet."
    settled, other = int(mixed["settled"].sum()), int(turned["settled"].sum())
    return (
        f"Of the {len(mixed) + len(turned)} pairs of a network and a forest, the network is better in {len(mixed)}, "
        f"beyond chance in {settled}, and the forest beyond chance in {other}."
    )


def _settled(pairs: pd.DataFrame) -> str:
    settled = int(pairs["settled"].sum())
    return f"Of all {len(pairs)} pairs of models, the test polygons and trainings settle the order of {settled}."


def _tally(verdicts: pd.DataFrame) -> str:
    kinds = verdicts["verdict"]
    numbers = {kind: int((kinds == kind).sum()) for kind in (SUPPORTED, REFUTED, UNDECIDED)}
    unmeasured = int(kinds.str.startswith(f"{UNDECIDED}:").sum())
    lacking = f", and {unmeasured} take trainings or maps that are not kept yet" if unmeasured else ""
    return (
        f"Of {len(verdicts)} claims of the paper, {numbers[SUPPORTED]} are supported at a false discovery rate of 5 %, "
        f"{numbers[REFUTED]} are not{',' if lacking else ', and'} {numbers[UNDECIDED]} are undecided "
        f"at this size{lacking}."
    )


def _quote(verdicts: pd.DataFrame, kind: str, words: str) -> str:
    """The claims of a verdict with the largest estimates for the width of their intervals, in the paper's order."""
    chosen = verdicts[verdicts["verdict"] == kind]
    if chosen.empty:
        return f"{words}: none of the claims."
    certain = (chosen["estimate"].abs() / (chosen["high"] - chosen["low"])).fillna(0).nlargest(QUOTED).index
    texts = [f"“{text.rstrip('.')}”" for text in chosen.loc[sorted(certain), "claim"]]
    more = len(chosen) - len(texts)
    return f"{words}: {'; '.join(texts)}{f', and {more} more' if more else ''}."


def _engine() -> str:
    table = read_measurements("otb")
    preset = "paper" if (table["preset"] == "paper").any() else "demo"
    table = table[table["preset"] == preset].set_index("way")
    own = next(name for name in table.index if "OTB" in name)
    ours = table.loc["iota2_base"]
    return (
        f"The Orfeo ToolBox itself, the engine of the paper's forests, on the same pixels (preset {preset}) reaches "
        f"{table.loc[own, 'macro F1, test']:.3f} where the rebuilt forest reaches {ours['macro F1, test']:.3f}, and both "
        f"agree on {100 * ours['agreement with the Orfeo ToolBox']:.0f} % of the pixels, as two forests of the ToolBox "
        f"do on {100 * table.loc[own, 'agreement with another seed']:.0f} %."
    )


def _printed() -> str:
    means = recomputed.means_table()
    margins = recomputed.claim_margins_table()
    return (
        f"In the paper's own Table 4, {int(means['agrees'].sum())} of {len(means)} printed means follow from the rows above "
        f"them, and {int((margins['at worst'] > 0).sum())} of {len(margins)} sentences about the order of models hold "
        "whichever of the two means is taken."
    )


def _unknown(pairs: pd.DataFrame) -> str:
    half = float(((pairs["high"] - pairs["low"]) / 2).median())
    gaps = [abs(one - other) for one, other in itertools.combinations(paper.TABLE_4_TEST_MEAN, 2)]
    small = sum(gap < half for gap in gaps)
    return (
        "Without its images and polygons, which are not public, none of its numbers can be confirmed or refuted; but if "
        f"its scores vary as they do here, by ±{half:.3f} for a typical difference, {small} of its {len(gaps)} printed "
        "differences between models lie within chance."
    )
