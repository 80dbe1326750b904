"""How early in the season a classifier can be used: its accuracy against the last date that is available.

For each date a classifier is trained on the dates up to it alone, and judged on the validation polygons. Gaps are filled
from these dates alone: a value interpolated towards a later date would know the future. Intervals are over draws of
polygons, the same for all dates, so that differences between dates are paired.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from .. import models
from ..errors import InputError
from ..evaluation import intervals, metrics
from ..evaluation.scoring import polygon_counts
from ..features.inputs import Inputs
from ..features.samples import Samples
from ..figures.trust.early_figure import early_figure
from ..nomenclature import LandCover
from ..outputs import writing
from ..regions.tiles import find_tiles
from ..runs.experiment import Experiment
from ..training.classifier import Classifier
from .first_dates import samples_until, superpixels_until
from .sheets import write_page

#: Loss of a score against the whole season that counts as none.
ACCEPTED = 0.02
#: Draws of polygons.
DRAWS = 1000


@dataclass(frozen=True)
class Early:
    """Pixels of the validation polygons by predicted class, for every last date.

    Parameters
    ----------
    counts: for each classifier float64 (date, polygon, predicted class), means over trainings.
    reference: class index of each polygon.
    dates: last dates, like "2018-07-08"; the last one is the whole season.
    legend: the classes.
    seed: of the draws of polygons.
    """

    counts: dict[str, np.ndarray]
    reference: np.ndarray
    dates: tuple[str, ...]
    legend: tuple[LandCover, ...]
    seed: int = 0

    def resampled(self, name: str) -> dict[str, np.ndarray]:
        """Scores (date, 1 + draw) of a classifier: macro F1, overall accuracy and F1 of each class; draw 0 is none."""
        weights = intervals.draws(self.reference, DRAWS, self.seed)
        every = np.concatenate([np.ones((1, len(self.reference))), weights])
        stacks = [_confusions(counts, self.reference, every) for counts in self.counts[name]]
        stack = np.stack(stacks)  # (date, draw, reference, predicted)
        by_class = metrics.f1(stack)
        found = {"macro F1": metrics.macro_f1(stack), "overall accuracy": metrics.overall_accuracy(stack)}
        return found | {f"F1 {cover.name}": by_class[..., number] for number, cover in enumerate(self.legend)}

    def scores(self) -> pd.DataFrame:
        """Columns classifier, score, date, estimate, low, high, loss, loss_low, loss_high (against the whole season)."""
        rows = []
        for name in self.counts:
            for score, values in self.resampled(name).items():
                losses = values[-1] - values
                for date, estimate, loss in zip(self.dates, values, losses, strict=True):
                    own, lost = intervals.interval(estimate[1:]), intervals.interval(loss[1:])
                    rows.append((name, score, date, estimate[0], *own, loss[0], *lost))
        columns = ["classifier", "score", "date", "estimate", "low", "high", "loss", "loss_low", "loss_high"]
        return pd.DataFrame(rows, columns=columns)

    def earliest(self, accepted: float = ACCEPTED) -> pd.DataFrame:
        """The first date from which on a score stays within `accepted` of the whole season, with its 95 % interval.

        Columns classifier, score, whole season, earliest, low, high, estimate (of the score at that date).
        """
        rows = []
        for name in self.counts:
            for score, values in self.resampled(name).items():
                fine = (values[-1] - values <= accepted)[::-1].cumprod(0)[::-1].astype(bool)  # from here to the end
                first = fine.argmax(0)
                low, high = np.quantile(first[1:], [0.025, 0.975], method="inverted_cdf")
                dates = (self.dates[place] for place in (first[0], low, high))
                rows.append((name, score, values[-1, 0], *dates, values[first[0], 0]))
        return pd.DataFrame(
            rows, columns=["classifier", "score", "whole season", "earliest", "low", "high", "estimate"]
        )

    def sentences(self) -> list[str]:
        """What was found, a sentence a classifier."""
        table = self.earliest()
        return [
            f"{row['classifier']}: macro F1 {row['whole season']:.3f} with all dates up to {self.dates[-1]}, and from "
            f"{row['earliest']} on within {ACCEPTED} of it ({row['estimate']:.3f}; 95 % interval of that date: "
            f"{row['low']} to {row['high']})."
            for _, row in table[table["score"] == "macro F1"].iterrows()
        ]  # fmt: skip


def _confusions(counts: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Confusion matrices (draw, reference, predicted) of counts (polygon, predicted) that are means over trainings."""
    classes = counts.shape[1]
    return np.stack([weights[:, reference == index] @ counts[reference == index] for index in range(classes)], axis=1)


def find_early(
    run: Experiment, names: Iterable[str] = ("iota2_base",), until: Iterable[str] = (),
    progress: Callable[[str], None] | None = None,
) -> Early:  # fmt: skip
    """Train classifiers on the dates up to each date of a run, and judge them on its validation polygons.

    Parameters
    ----------
    run: its scene, polygons (divided as for any training), and settings of the training; `train.trainings` trainings of
        each classifier count on average.
    names: of classifiers. For one of superpixels, the scene is divided into them anew for every date.
    until: the last dates that are tried, like "2018-07-08", beside that of the whole season; default: all.
    progress: is called with a line of text after each date.

    Begins with the first date on which every polygon of training and validation has a usable pixel. Raises `InputError`
    for a region, a scene of one date, and a date that the scene lacks.
    """
    names, total, wanted = tuple(names), len(run.dates), set(until) or set(run.dates)
    _check(run, wanted)
    whole = {name for name in names if models.find(name).needs_superpixels}
    halo = max((models.find(name).receptive_field // 2 for name in names if name not in whole), default=0)
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    dates: list[str] = []
    reference = np.empty(0, int)
    for number in range(1, total + 1):
        last = run.dates[number - 1] in wanted or number == total
        parts = samples_until(run, number, halo) if last else None
        if parts is None:
            continue
        dates.append(run.dates[number - 1])
        context = superpixels_until(run, number, parts) if whole else parts
        for name in names:
            counts, reference = _judge(run, name, context if name in whole else parts, number)
            found[name].append(counts)
        if progress:
            progress(f"{dates[-1]}: {number} of {total} dates")
    return Early(
        {name: np.stack(counts) for name, counts in found.items()}, reference, tuple(dates), run.legend,
        run.settings.seed,
    )  # fmt: skip


def _judge(run: Experiment, name: str, parts: dict[str, Samples], number: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean counts (polygon, predicted class) over trainings, and the class of each polygon."""
    scene, choice = run.scene.isel(time=slice(number)), run.settings.train
    total: np.ndarray | float = 0.0
    for training in range(choice.trainings):
        classifier = Classifier.train(
            name, parts, Inputs.of(scene), run.legend, choice, run.settings.seed + training,
            oversampling=run.settings.sample.oversample,
        )  # fmt: skip
        counts, reference = polygon_counts(classifier.evaluate(parts["validation"]).polygons, len(run.legend))
        total = total + counts / choice.trainings
    return np.asarray(total), reference


def _check(run: Experiment, wanted: set[str]) -> None:
    if run.settings.scene.path and find_tiles(run.settings.scene.path):
        raise InputError(
            f"{run.settings.scene.path} is a region of several tiles.", "Give one of its tiles.", kind="early.region"
        )
    if len(run.dates) < 2:
        raise InputError(
            f"The scene has one date alone, {run.dates[0]}.", "Give a series of several dates.", kind="early.dates"
        )
    if unknown := sorted(wanted - set(run.dates)):
        raise InputError(
            f"The scene has no date {', '.join(unknown)}.", f"Choose among {', '.join(run.dates)}.", kind="early.dates"
        )


def write_early(found: Early, folder: Path) -> Path:
    """Write scores.csv, earliest.csv and early.html to a folder, which is made if it does not exist; returns it.

    Raises `InputError` where the folder cannot be written.
    """
    with writing(folder, folder=True) as target:
        scores, earliest = found.scores(), found.earliest()
        scores.round(4).to_csv(target / "scores.csv", index=False)
        earliest.round(4).to_csv(target / "earliest.csv", index=False)
        figure = early_figure(scores, earliest, found.legend)
        words = [*found.sentences(), NOTE]
        write_page(
            target / "early.html", "How early in the season", words, [("Accuracy and the last date", "", figure)]
        )
    return folder


#: What must be known to read the result.
NOTE = (
    "Scores are those of the validation polygons; each classifier knows the dates up to the one shown alone, also where "
    "gaps are filled. A monthly synthesis holds images taken after its date: it is ready some weeks later."
)
