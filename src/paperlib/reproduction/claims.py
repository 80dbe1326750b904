"""Claims of the paper, tested on the scene of a run: each gets an estimate, its 95 % interval and a verdict.

A claim of a positive difference is supported where the interval lies above zero, not supported where it lies below, and
undecided where it contains zero. A claim of no difference is supported where the interval lies within ± `NEGLIGIBLE`, not
supported where it lies outside, and undecided otherwise. Many claims are tested at once, so a verdict must also hold at a
false discovery rate of 5 % over all of them (Benjamini and Hochberg, 1995); otherwise the claim is undecided.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from .. import models
from ..errors import InputError
from ..evaluation import metrics
from ..evaluation.quantities import Deviation, Estimate, Luck, Quantity, mean
from ..runs.experiment import Experiment
from ..runs.side_by_side import make_trainings
from . import evidence
from .evidence import class_f1, macro_f1, vary

NEGLIGIBLE = 0.05
SUPPORTED, REFUTED, UNDECIDED = "supported", "not supported", "undecided"
#: Verdict on a claim on maps where each classifier has one: between maps of three trainings, a quantity changed its sign.
ONE_MAP = f"{UNDECIDED}: There is one map of each classifier, which does not tell the luck of its training."
CTX, BASE = models.FORESTS
SPATIAL = ("3D-CNN", "2D-CNN", "SpatioTempCNN")

#: Classifiers whose maps the claims look at.
MAPPED = ("TempCNN", "3D-CNN", BASE)

#: Classifiers that the claims train on varied samples, by the variation; beside them the forest on each single date, once.
VARIED: tuple[tuple[dict, tuple[str, ...]], ...] = (
    ({"dates": "shuffled"}, (BASE, "2D-CNN", "TempCNN", "3D-CNN")),
    ({"split": "pixel"}, (BASE,)),
    ({"oversample": False}, ("TempCNN",)),
    ({"indices": False}, ("TempCNN",)),
    ({"training_share": 0.5}, ("TempCNN",)),
)


class Claim(NamedTuple):
    """One claim: its text, its section, the quantity measured, and the function that measures it.

    `equal` marks a claim that there is no difference, `varied` one that takes networks trained on varied samples. `of_map`
    marks one that is measured on maps: of all trainings of a classifier, or of those that a kept run holds. With one map of
    each, the interval holds the blocks of this map alone, and the claim is undecided.
    """

    text: str
    section: str
    measured: str
    measure: Callable[[Experiment], Quantity | Deviation]
    equal: bool = False
    varied: bool = False
    of_map: bool = False


def verdict(estimated: Estimate, equal: bool = False) -> str:
    """Verdict of an estimate on a claim of a positive difference, or of no difference (`equal`)."""
    low, high = estimated.low, estimated.high
    if equal:
        within, beyond = low > -NEGLIGIBLE and high < NEGLIGIBLE, low > NEGLIGIBLE or high < -NEGLIGIBLE
        return SUPPORTED if within else REFUTED if beyond else UNDECIDED
    return SUPPORTED if low > 0 else REFUTED if high < 0 else UNDECIDED


def p_value(quantity: Quantity | Deviation, equal: bool = False) -> float:
    """Smallest error rate at which `verdict` still decides: two-sided p of the nearest bound of the claim."""
    if not equal:
        return quantity.p_value(0.0)
    return quantity.p_value(NEGLIGIBLE if quantity.value >= 0 else -NEGLIGIBLE)


def claims_table(run: Experiment, varied: bool = True, mapped: bool = True) -> pd.DataFrame:
    """Claims on the scene of a run: columns number, claim, section, measured, estimate, low, high, verdict.

    Without `varied`, those that take networks trained on varied samples are left out, which takes a fifth of the time;
    without `mapped`, those on maps, which take a map by every training. A claim that the scene cannot test, since it lacks a
    class or the truth, is undecided; the reason follows the verdict.
    """
    rows, p_values = [], []
    _train(run, varied)
    for number, claim in enumerate(CLAIMS, start=1):
        if (claim.varied and not varied) or (claim.of_map and not mapped):
            continue
        try:
            quantity = claim.measure(run)
            estimated, p = quantity.estimate(), p_value(quantity, claim.equal)
            outcome = verdict(estimated, claim.equal)
            if claim.of_map and isinstance(quantity, Quantity) and not any(luck.freedom for luck in quantity.luck):
                p, outcome = float("nan"), ONE_MAP
        except InputError as error:
            estimated, p, outcome = Estimate(*[float("nan")] * 3), float("nan"), f"{UNDECIDED}: {error.problem}"
        rows.append((number, claim.text, claim.section, claim.measured, *estimated, outcome))
        p_values.append(p)
    columns = ["number", "claim", "section", "measured", "estimate", "low", "high", "verdict"]
    table = pd.DataFrame(rows, columns=columns)
    tested = np.isfinite(p_values)
    adjusted = stats.false_discovery_control(np.array(p_values)[tested])
    chance = np.flatnonzero(tested)[adjusted >= 0.05]
    table.loc[[row for row in chance if table.loc[row, "verdict"] in (SUPPORTED, REFUTED)], "verdict"] = UNDECIDED
    return table


def _train(run: Experiment, networks: bool) -> None:
    """Make the trainings that the claims take, side by side; those on the best date when it is known.

    networks: whether networks are trained on varied samples too. A variation that the scene does not allow is left to its
    claim, which says why.
    """
    several, first = len(run.dates) > 1, once(run)
    jobs = run.trained.jobs((*models.NAMES, CTX, BASE))
    for changes, names in VARIED:
        chosen = [name for name in names if networks or name == BASE]
        if chosen and (several or "dates" not in changes):
            jobs = [*jobs, *vary(run, **changes).trained.jobs(chosen)]
    for date in run.dates if several else ():
        jobs = [*jobs, *vary(first, dates=date).trained.jobs((BASE,))]
    with suppress(InputError):
        make_trainings(jobs)
        if several:
            make_trainings(vary(run, dates=best_date(run)).trained.jobs((BASE, "TempCNN") if networks else (BASE,)))


def once(run: Experiment) -> Experiment:
    """The same run with the first training of each classifier alone."""
    return run.override({"train.trainings": 1})


def _best_other(run: Experiment, among: tuple[str, ...]) -> str:
    """The best of these classifiers by mean macro F1 on test."""
    return max(among, key=lambda name: macro_f1(run, name).value)


def _first_beats_rest(run: Experiment) -> Quantity:
    others = ("TempCNN", "2D-CNN", "SpatioTempCNN", CTX, BASE)
    return macro_f1(run, "3D-CNN") - macro_f1(run, _best_other(run, others))


def _worst_spatial_beats_forests(run: Experiment) -> Quantity:
    worst = min(SPATIAL, key=lambda name: macro_f1(run, name).value)
    return macro_f1(run, worst) - macro_f1(run, _best_other(run, (CTX, BASE)))


def _with_dates(run: Experiment) -> Experiment:
    """The run itself. Raises `InputError` for a scene with a single date."""
    if len(run.dates) < 2:
        raise InputError("The scene has a single date.", kind="claims.dates")
    return run


def _order_matters(name: str) -> Callable[[Experiment], Quantity]:
    return lambda run: macro_f1(_with_dates(run), name) - macro_f1(vary(run, dates="shuffled"), name)


@lru_cache(maxsize=1)  # two claims and the text beside them ask for it
def best_date(run: Experiment) -> str:
    """The single date with which the first training of a forest scores best on validation."""
    first = once(run)
    return max(run.dates, key=lambda date: macro_f1(vary(first, dates=date), BASE, "validation").value)


def _one_date_is_less(name: str) -> Callable[[Experiment], Quantity]:
    return lambda run: macro_f1(_with_dates(run), name) - macro_f1(vary(run, dates=best_date(run)), name)


def _optimism(run: Experiment, name: str) -> Quantity:
    """Validation macro F1 minus test macro F1."""
    validation, test = (metrics.macro_f1(evidence.confusions(run, name, part)) for part in ("validation", "test"))
    return evidence.of_polygons(run, validation - test, name)


def _minorities(run: Experiment, name: str) -> Quantity:
    """Mean F1 of the minority classes of the scene, Shrubland and Non-vegetated land."""
    codes = [code for code in evidence.codes(run) if code in (5, 10)]
    if not codes:
        raise InputError("The scene has none of the minority classes.", kind="claims.class")
    return evidence.of_polygons(run, np.mean([class_f1(run, name, code) for code in codes], axis=0), name)


def _spread_over_trainings(run: Experiment) -> Deviation:
    """Largest standard deviation of validation macro F1 over the trainings of a network."""
    scores = [metrics.macro_f1(evidence.confusions(run, name, "validation"))[:, 0] for name in models.NAMES]
    trainings = min(map(len, scores))  # a kept run may lack some
    largest = max(np.std(values, ddof=1) for values in scores) if trainings > 1 else np.nan
    return Deviation(float(largest), trainings - 1, len(scores))


def _slower(run: Experiment) -> Quantity:
    """Logarithm of the ratio of training seconds with and without context."""
    table = run.trainings([CTX, BASE]).pivot(index="training", columns="model", values="training_seconds")
    ratios = np.log(table[CTX].to_numpy() / table[BASE].to_numpy())
    squares = float(((ratios - ratios.mean()) ** 2).sum())
    return Quantity(np.array([ratios.mean()]), 0, (Luck(squares, len(ratios) - 1, 1 / len(ratios)),))


def _crops_as_built(run: Experiment) -> Quantity:
    """Share of crop fields predicted as built-up or bare land: forest minus 3D-CNN."""
    forest_share, network_share = (evidence.share_predicted(run, name, 7, (1, 10)) for name in (BASE, "3D-CNN"))
    return forest_share - network_share


def _needles_are_hardest(run: Experiment) -> Quantity:
    """Macro F1 minus F1 of needle-leaved trees, mean over all classifiers."""
    names = (*models.NAMES, CTX, BASE)
    harder = {name: metrics.macro_f1(evidence.confusions(run, name)) - class_f1(run, name, 2) for name in names}
    return mean([evidence.of_polygons(run, values, name) for name, values in harder.items()])


F1, SHARE = "macro F1 on test", "share of pixels"

CLAIMS = (
    Claim("3D-CNN is the best model of the benchmark.", "3.6", f"{F1}: 3D-CNN minus the best other", _first_beats_rest),
    Claim("CNNs with spatio-temporal features outperform forests.", "4", f"{F1}: their worst minus the best forest",
          _worst_spatial_beats_forests),
    Claim("Spatio-temporal convolutions beat temporal ones.", "4", f"{F1}: 3D-CNN minus TempCNN",
          lambda run: macro_f1(run, "3D-CNN") - macro_f1(run, "TempCNN")),
    Claim("Temporal convolutions alone can be determining: TempCNN beats the forest on the same pixels.", "4",
          f"{F1}: TempCNN minus iota2_base", lambda run: macro_f1(run, "TempCNN") - macro_f1(run, BASE)),
    Claim("Two streams beat each single stream.", "2.2.4", f"{F1}: SpatioTempCNN minus the better of TempCNN and 3D-CNN",
          lambda run: macro_f1(run, "SpatioTempCNN") - macro_f1(run, _best_other(run, ("TempCNN", "3D-CNN")))),
    Claim("A prior segmentation helps: iota2_ctx beats iota2_base.", "3.6", f"{F1}: iota2_ctx minus iota2_base",
          lambda run: macro_f1(run, CTX) - macro_f1(run, BASE)),
    Claim("Contextual features cost training time.", "3.6", "logarithm of the ratio of training seconds", _slower),
    Claim("A forest does not see the order of the dates.", "2.1", f"{F1}: dates in order minus shuffled, iota2_base",
          _order_matters(BASE), equal=True),
    Claim("A 2D-CNN on stacked dates does not see their order.", "2.2.2", f"{F1}: dates in order minus shuffled, 2D-CNN",
          _order_matters("2D-CNN"), equal=True, varied=True),
    Claim("TempCNN learns from the order of the dates.", "2.2.1", f"{F1}: dates in order minus shuffled, TempCNN",
          _order_matters("TempCNN"), varied=True),
    Claim("3D-CNN learns from the order of the dates.", "2.2.3", f"{F1}: dates in order minus shuffled, 3D-CNN",
          _order_matters("3D-CNN"), varied=True),
    Claim("One date is not enough (forest).", "3.4", f"{F1}: all dates minus the best date, iota2_base",
          _one_date_is_less(BASE)),
    Claim("One date is not enough (network).", "3.4", f"{F1}: all dates minus the best date, TempCNN",
          _one_date_is_less("TempCNN"), varied=True),
    Claim("Splitting by pixel instead of by polygon flatters the scores.", "3.2",
          "validation minus test macro F1: split by pixel minus split by polygon, iota2_base",
          lambda run: _optimism(vary(run, split="pixel"), BASE) - _optimism(run, BASE)),
    Claim("Oversampling helps the minority classes.", "3.2",
          "their mean F1 on test: with oversampling minus without, TempCNN",
          lambda run: _minorities(run, "TempCNN") - _minorities(vary(run, oversample=False), "TempCNN"),
          varied=True),
    Claim("Results are stable over trainings.", "3.6", "largest standard deviation of validation macro F1",
          _spread_over_trainings, equal=True),
    Claim("Spectral indices may be useless for a network (left open).", "3.3", f"{F1}: with indices minus without, TempCNN",
          lambda run: macro_f1(run, "TempCNN") - macro_f1(vary(run, indices=False), "TempCNN"), equal=True,
          varied=True),
    Claim("More polygons would help.", "4", f"{F1}: all training polygons minus half of them, TempCNN",
          lambda run: macro_f1(run, "TempCNN") - macro_f1(vary(run, training_share=0.5), "TempCNN"), varied=True),
    Claim("Needle-leaved trees are harder than the other classes.", "3.6", "F1 on test: mean of all classes minus theirs",
          _needles_are_hardest),
    Claim("Forests take crop fields for built-up or bare land.", "3.6",
          "share of the test pixels of fields so classified: iota2_base minus 3D-CNN", _crops_as_built),
    Claim("Pixel-based maps have more speckle.", "3.6", f"{SHARE} in specks: TempCNN minus 3D-CNN",
          lambda run: evidence.specks(run, "TempCNN") - evidence.specks(run, "3D-CNN"), of_map=True),
    Claim("CNNs have less speckle than a forest.", "3.6", f"{SHARE} in specks: iota2_base minus TempCNN",
          lambda run: evidence.specks(run, BASE) - evidence.specks(run, "TempCNN"), of_map=True),
    Claim("Patch-based models erase small features.", "2.2.4",
          "recall in objects narrower than 3 pixels: TempCNN minus 3D-CNN",
          lambda run: evidence.recall_in_narrow_objects(run, "TempCNN")
          - evidence.recall_in_narrow_objects(run, "3D-CNN"), of_map=True),
    Claim("Patch-based models dilate large features.", "2.2.4",
          f"{SHARE} beside built-up objects given to them: 3D-CNN minus TempCNN",
          lambda run: evidence.spread_beside(run, "3D-CNN") - evidence.spread_beside(run, "TempCNN"), of_map=True),
    Claim("Class borders are often labelled built-up.", "3.6",
          f"{SHARE} given to built-up: at borders of other classes minus off borders, TempCNN",
          lambda run: evidence.more_at_borders(run, "TempCNN", 1), of_map=True),
)  # fmt: skip
