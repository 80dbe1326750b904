"""How close the simulated scene comes to a real one: distributions by class and date, and classifiers carried across."""

from dataclasses import replace
from textwrap import fill
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.stats import wasserstein_distance

from .. import nomenclature
from ..evaluation import metrics
from ..features.indices import interpolate
from ..features.samples import Samples
from ..figures.theme import Figure, styled
from ..runs.experiment import Experiment
from ..settings import Train
from ..training.classifier import Classifier

CHANNELS = ("NDVI", "NDWI", "B8", "B11")
FOREST, NETWORK = "iota2_base", "TempCNN"
TRAIN = Train(epochs=8, patches=256)  # a batch holds this many pixels
QUANTILES = (0.1, 0.5, 0.9)


class Transfer(NamedTuple):
    """What becomes of classifiers in a scene they were not trained on: scores, and confusion matrices by model."""

    scores: pd.DataFrame  # index model; at home, abroad (macro F1), then the F1 of each class abroad
    confusions: dict[str, pd.DataFrame]  # (reference, predicted), pixels abroad


def common(one: Experiment, other: Experiment) -> tuple[tuple[nomenclature.LandCover, ...], pd.DatetimeIndex]:
    """The classes that both have, and the dates of the one with fewer."""
    codes = {cover.code for cover in one.legend} & {cover.code for cover in other.legend}
    return nomenclature.legend(codes), pd.DatetimeIndex(min(one.dates, other.dates, key=len))


def pixels(run: Experiment, legend: tuple[nomenclature.LandCover, ...], dates: pd.DatetimeIndex, *sets: str) -> Samples:
    """The labelled pixels of some sets at other dates, linearly interpolated in time, and of these classes alone.

    A date before the first or after the last of the run gets the values of that one.
    """
    parts = [run.samples[name].pixels() for name in sets]
    x, label, polygon = (torch.cat([getattr(part, name) for part in parts]) for name in ("x", "label", "polygon"))
    held, wanted = (days.to_julian_date().to_numpy() for days in (pd.DatetimeIndex(run.dates), dates))
    there = x.new_empty(*x.shape[:2], len(dates), *x.shape[3:])  # (sample, channel, date, y, x)
    interpolate(x.flatten(0, 1).numpy(), held, wanted, there.flatten(0, 1).numpy())
    codes = [cover.code for cover in legend]
    index = torch.tensor([codes.index(cover.code) if cover.code in codes else -1 for cover in run.legend])
    label = index[label]
    kept = label.flatten() >= 0
    return Samples(there[kept], label[kept], polygon[kept], parts[0].channels)


def distributions(simulated: Experiment, real: Experiment) -> pd.DataFrame:
    """The values of both scenes by class, channel and date, over all labelled pixels, at the dates both can show.

    Columns code, class_name, channel, date, simulated_10, _50, _90, real_10, _50, _90 (per cent of the pixels lie below),
    distance (Wasserstein, in reflectance or units of the index), relative (to the real standard deviation).
    """
    legend, dates = common(simulated, real)
    scenes = {"simulated": simulated, "real": real}
    samples = {name: pixels(run, legend, dates, "train", "validation", "test") for name, run in scenes.items()}
    rows = []
    for index, cover in enumerate(legend):
        own = {name: part.x[part.label.flatten() == index, ..., 0, 0].numpy() for name, part in samples.items()}
        for channel in CHANNELS:
            number = samples["real"].channels.index(channel)
            for day, date in enumerate(dates):
                values = {name: part[:, number, day] for name, part in own.items()}
                row = {"code": cover.code, "class_name": cover.name, "channel": channel, "date": date}
                for name, part in values.items():
                    found = np.quantile(part, QUANTILES)
                    row |= {f"{name}_{share:.0%}"[:-1]: value for share, value in zip(QUANTILES, found, strict=True)}
                row["distance"] = wasserstein_distance(values["simulated"], values["real"])
                rows.append(row | {"relative": row["distance"] / values["real"].std()})
    return pd.DataFrame(rows)


def distance_table(table: pd.DataFrame) -> pd.DataFrame:
    """Mean distance over the dates by class, in units of the channel and in real standard deviations."""
    means = table.groupby(["class_name", "channel"], sort=False)[["distance", "relative"]].mean().unstack()
    columns = {channel: means["distance", channel] for channel in CHANNELS}
    columns |= {f"{channel} / std": means["relative", channel] for channel in CHANNELS}
    return pd.DataFrame(columns).rename_axis("class").round(3)


def transfer(source: Experiment, target: Experiment, seed: int = 0) -> Transfer:
    """Classifiers trained on the source's training pixels and applied to all labelled pixels of the target.

    A forest and `NETWORK`, over the classes of both, at the dates of the one with fewer, to which the other is
    interpolated. Normalised as the source is. "at home" is the source's own test set under the same restrictions.
    """
    legend, dates = common(source, target)
    parts = {name: pixels(source, legend, dates, name) for name in ("train", "validation", "test")}
    parts["abroad"] = pixels(target, legend, dates, "train", "validation", "test")
    days = tuple(((dates - pd.Timestamp(dates[0].year, 1, 1)) / pd.Timedelta(days=1)).tolist())
    inputs = replace(source.dataset.inputs, days=days)
    names = pd.Index([cover.name for cover in legend])
    scores, confusions = {}, {}
    for name in (FOREST, NETWORK):
        classifier = Classifier.train(name, parts, inputs, legend, TRAIN, seed)
        home, abroad = (classifier.evaluate(parts[part]).confusion for part in ("test", "abroad"))
        scores[name] = {"at home": metrics.macro_f1(home), "abroad": metrics.macro_f1(abroad)}
        scores[name] |= dict(zip(names, metrics.f1(abroad), strict=True))
        confusions[name] = pd.DataFrame(abroad, names.rename("reference"), names.rename("predicted"))
    return Transfer(pd.DataFrame(scores).T.rename_axis("model").round(3), confusions)


@styled
def distributions_figure(table: pd.DataFrame) -> Figure:
    """Median and 10 to 90 % of the pixels by class (rows), channel (columns) and date, simulated and real."""
    classes, channels = table["class_name"].unique(), table["channel"].unique()
    figure = Figure((8, 1.25 * len(classes) + 0.6), layout="constrained")
    axes = figure.subplots(len(classes), len(channels), sharex=True, sharey="col", squeeze=False)
    for (name, channel), rows in table.groupby(["class_name", "channel"], sort=False):
        ax = axes[list(classes).index(name), list(channels).index(channel)]
        for scene, colour, line in (("simulated", "#c2571a", "--"), ("real", "#1f4e9c", "-")):
            ax.fill_between(rows["date"], rows[f"{scene}_10"], rows[f"{scene}_90"], color=colour, alpha=0.25, lw=0)
            ax.plot(rows["date"], rows[f"{scene}_50"], color=colour, ls=line, marker=".", label=scene)
    for ax, channel in zip(axes[0], channels, strict=True):
        ax.set_title(channel)
    for ax, name in zip(axes[:, 0], classes, strict=True):
        ax.set_ylabel(fill(name, 14))
    ticks = pd.DatetimeIndex(table["date"].unique())[::2]
    axes[-1, 0].set_xticks(ticks, [f"{date:%b}" for date in ticks])
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    alt = f"Lines: median and 10 to 90 % of {', '.join(channels)} by date, simulated and real, for {len(classes)} classes."
    return figure.describe(alt, table)
