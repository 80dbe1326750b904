"""Which dates and bands a trained classifier needs: macro F1 lost when they are exchanged between polygons, or left out.

Permutation importance (Breiman, 2001, Random forests, Machine Learning 45), by polygon: pixels of one polygon resemble each
other, so exchanging pixels within it would change nothing, and an interval over pixels would be too narrow.

A classifier of superpixels reads more than the labelled pixels. For it, all pixels of the superpixels that a polygon touches
take the values of another polygon's: labelled ones those of labelled ones, the others those of the others. The superpixels
themselves stay as the whole series gave them, so what a date or channel does for their outlines is not measured.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ..errors import InputError
from ..evaluation import intervals, metrics
from ..evaluation.scoring import polygon_counts
from ..features.indices import interpolate, write_indices
from ..features.inputs import Inputs
from ..features.samples import Samples
from ..figures.importance_figures import importance_figure
from ..outputs import writing
from ..training.classifier import Classifier
from .sheets import write_page

#: Loss of macro F1 that `fewest_dates` accepts.
ACCEPTED = 0.01


def importance(
    classifier: Classifier,
    samples: Samples,
    dates: Iterable[str],
    repeats: int = 5,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """How much macro F1 is lost when one date, or one channel, is that of another polygon.

    Parameters
    ----------
    classifier: a trained classifier.
    samples: of polygons that it has not learnt from, not normalised: those of validation. For a classifier of superpixels,
        as `superpixels.extract_superpixels` gives them.
    dates: names of the dates.
    repeats: exchanges of each date and channel.
    seed: of the exchanges and of the draws of polygons.
    progress: is called with a line of text after each date and channel.

    Columns kind ("date", "channel"), name, loss (mean over exchanges), low, high (95 %: over draws of polygons and
    exchanges), the largest loss of a kind first. Raises `InputError` for samples of fewer than two polygons.
    """
    samples = _checked(classifier, samples)
    random = np.random.default_rng(seed)
    whole, reference = _counts(classifier, samples)
    weights = intervals.draws(reference, 500, seed)
    before = _macro_f1(whole, reference, weights)
    rows, members = [], _members(samples)
    axes = {"date": (2, list(dates)), "channel": (1, list(samples.channels))}
    for kind, (axis, names) in axes.items():
        for number, name in enumerate(names):
            lost = []
            for _ in range(repeats):
                counts, _ = _counts(classifier, _exchanged(samples, axis, number, _others(members, random)))
                lost.append(before - _macro_f1(counts, reference, weights))
            every = np.stack(lost)  # (exchange, draw); draw 0 is the polygons as they are
            low, high = intervals.interval(every[:, 1:].ravel())
            rows.append((kind, name, every[:, 0].mean(), low, high))
            if progress:
                progress(f"{kind} {name}")
    table = pd.DataFrame(rows, columns=["kind", "name", "loss", "low", "high"])
    return table.sort_values(["kind", "loss"], ascending=[False, False], ignore_index=True)


def fewest_dates(
    classifier: Classifier, samples: Samples, dates: Iterable[str], accepted: float = ACCEPTED
) -> pd.DataFrame:
    """Dates left out one after the other, always the one whose loss is least, until one is left.

    Values of dates that are left out are interpolated from the others, as those under clouds are; the classifier stays.
    `classifier`, `samples` and `dates` as of `importance`. Returns one row a step: columns dates (their number), left_out
    (the date that goes in this step, empty in the first row), macro_f1, loss, kept (text), enough: whether this is the
    smallest number of dates at which the loss is below `accepted` in this step and all before.
    """
    samples, names = _checked(classifier, samples), list(dates)
    kept = list(range(len(names)))
    score = _score(classifier, samples)
    rows = [(len(kept), "", score, 0.0, ", ".join(names))]
    while len(kept) > 1:
        tried = {date: _score(classifier, without(samples, classifier.inputs, date, kept)) for date in kept}
        gone = max(tried, key=lambda date: tried[date])
        kept = [date for date in kept if date != gone]
        rows.append((len(kept), names[gone], tried[gone], score - tried[gone], ", ".join(names[date] for date in kept)))
    table = pd.DataFrame(rows, columns=["dates", "left_out", "macro_f1", "loss", "kept"])
    fine = (table["loss"] < accepted).cumprod().astype(bool)
    return table.assign(enough=table.index == fine[fine].index[-1])


def without(samples: Samples, inputs: Inputs, date: int, kept: list[int]) -> Samples:
    """Samples whose values are interpolated from the dates `kept` without `date`; indices are those of these values."""
    held = [one for one in kept if one != date]
    bands, days = len(inputs.bands), np.array(inputs.days)
    x = samples.x.permute(1, 2, 0, 3, 4).flatten(2).contiguous().numpy().copy()  # (channel, date, pixel)
    values = np.ascontiguousarray(x[:bands, held])
    interpolate(values, days[held], days, x[:bands])
    write_indices(x, inputs.bands, inputs.indices, inputs.roles)
    shape = samples.x.shape
    back = torch.from_numpy(x).reshape(shape[1], shape[2], shape[0], *shape[3:]).permute(2, 0, 1, 3, 4)
    return replace(samples, x=back.contiguous())


def _checked(classifier: Classifier, samples: Samples) -> Samples:
    samples = samples.within(classifier.model.receptive_field)
    if len(torch.unique(samples.polygon[samples.polygon >= 0])) < 2:
        raise InputError(
            "Dates are exchanged between polygons, and there is one alone.", "Add polygons.", kind="importance.polygons"
        )
    return samples


def _members(samples: Samples) -> list[tuple[np.ndarray, np.ndarray]]:
    """Numbers of the samples of each polygon, twice: those that hold a label, and those that do not.

    Of superpixels, of which all pixels are one sample: numbers of the pixels. Those without a label count for the polygon
    that has most pixels in their superpixel.
    """
    if samples.superpixel is None:
        owner = samples.polygon.flatten(1).max(1).values.numpy()
        labelled = np.ones(len(owner), bool)
    else:
        own, superpixel = samples.polygon.flatten().numpy(), samples.superpixel.flatten().numpy()
        labelled = own >= 0
        shared = pd.DataFrame({"superpixel": superpixel[labelled], "polygon": own[labelled]}).value_counts()
        first = shared.reset_index().drop_duplicates("superpixel").set_index("superpixel")["polygon"]
        owner = np.where(labelled, own, first.reindex(superpixel, fill_value=-1))
    return [
        (np.flatnonzero((owner == polygon) & labelled), np.flatnonzero((owner == polygon) & ~labelled))
        for polygon in np.unique(owner[labelled])
    ]


def _others(members: list[tuple[np.ndarray, np.ndarray]], random: np.random.Generator) -> dict[str, np.ndarray]:
    """Numbers `to` of all samples, and `of` of as many of other polygons, drawn at random; `members` as of `_members`."""
    circle = random.permutation(len(members))  # each polygon takes from the next one
    to, of = [], []
    for polygon, giver in zip(circle, np.roll(circle, 1), strict=True):
        labelled, around = members[giver]
        for taking, giving in zip(members[polygon], (labelled, around if len(around) else labelled), strict=True):
            if len(taking):
                to.append(taking)
                of.append(random.choice(giving, len(taking)))
    return {"to": np.concatenate(to), "of": np.concatenate(of)}


def _exchanged(samples: Samples, axis: int, number: int, others: dict[str, np.ndarray]) -> Samples:
    """The samples with the values of `others` at one `number` of an axis of x."""
    x, where = samples.x.clone(), 0 if samples.superpixel is None else -1
    values = x.select(axis, number)
    to, of = (torch.from_numpy(others[name]) for name in ("to", "of"))
    values.index_copy_(where, to, values.index_select(where, of))
    return replace(samples, x=x)


def _counts(classifier: Classifier, samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    return polygon_counts(classifier.evaluate(samples).polygons, len(classifier.legend))


def _macro_f1(counts: np.ndarray, reference: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Macro F1 (1 + draw,): of the polygons as they are, then of each draw."""
    every = np.concatenate([np.ones((1, len(reference))), weights])
    return metrics.macro_f1(intervals.resampled_confusions(counts, reference, every))


def _score(classifier: Classifier, samples: Samples) -> float:
    return float(metrics.macro_f1(classifier.evaluate(samples).confusion))


def write_importance(table: pd.DataFrame, steps: pd.DataFrame, name: str, folder: Path) -> Path:
    """Write importance.csv, dates.csv and importance.html to a folder, which is made if it does not exist; returns it.

    `table` and `steps` as of `importance` and `fewest_dates`; `name` is that of the classifier. Raises `InputError` where
    the folder cannot be written.
    """
    with writing(folder, folder=True) as target:
        table.round(4).to_csv(target / "importance.csv", index=False)
        steps.round(4).to_csv(target / "dates.csv", index=False)
        words = (
            f"Macro F1 of {name} on the validation polygons, lost when a date or a channel is that of another polygon.",
            sentence(steps),
        )
        figure = importance_figure(table)
        write_page(
            target / "importance.html", "Which dates and bands matter", words, [("Dates and channels", "", figure)]
        )
    return folder


def sentence(steps: pd.DataFrame) -> str:
    """What `fewest_dates` found, in a sentence."""
    row, number = steps[steps["enough"]].iloc[0], steps["dates"].iloc[0]
    if row["dates"] == number:
        return f"All {number} dates are needed: without any one of them, macro F1 falls by {ACCEPTED} or more."
    fallen = f"falls by {row['loss']:.3f}" if row["loss"] >= 0.0005 else "does not fall"
    return (
        f"{row['dates']} of {number} dates are enough: {row['kept']}. With the others interpolated from them, macro F1 "
        f"{fallen}."
    )
