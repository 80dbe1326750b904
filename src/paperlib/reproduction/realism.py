"""Realism of the simulated scene: distributions by class and date, and classifiers transferred to and from a real scene."""

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
    """Scores and confusion matrices of classifiers in a scene that they were not trained on."""

    scores: pd.DataFrame  # index model; at home, abroad (macro F1), then the F1 of each class abroad
    confusions: dict[str, pd.DataFrame]  # (reference, predicted), pixels abroad


def shared_classes_and_dates(
    first: Experiment, second: Experiment
) -> tuple[tuple[nomenclature.LandCover, ...], pd.DatetimeIndex]:
    """Classes of both scenes, and the dates of the one with fewer dates."""
    shared = {cover[:2] for cover in first.legend} & {cover[:2] for cover in second.legend}  # code and name
    return nomenclature.legend(code for code, _ in shared), pd.DatetimeIndex(min(first.dates, second.dates, key=len))


def labelled_pixels(
    run: Experiment, legend: tuple[nomenclature.LandCover, ...], dates: pd.DatetimeIndex, *sets: str
) -> Samples:
    """Labelled pixels of some sets, of these classes alone, linearly interpolated to other dates.

    Dates before the first or after the last date of the run get the values of that date.
    """
    parts = [run.samples[name].pixels() for name in sets]
    x, label, polygon = (torch.cat([getattr(part, name) for part in parts]) for name in ("x", "label", "polygon"))
    own_days, days = (index.to_julian_date().to_numpy() for index in (pd.DatetimeIndex(run.dates), dates))
    interpolated = x.new_empty(*x.shape[:2], len(dates), *x.shape[3:])  # (sample, channel, date, y, x)
    interpolate(x.flatten(0, 1).numpy(), own_days, days, interpolated.flatten(0, 1).numpy())
    codes = [cover.code for cover in legend]
    index = torch.tensor([codes.index(cover.code) if cover.code in codes else -1 for cover in run.legend])
    label = index[label]
    kept = label.flatten() >= 0
    return Samples(interpolated[kept], label[kept], polygon[kept], parts[0].channels)


def distributions(simulated: Experiment, real: Experiment) -> pd.DataFrame:
    """Values of both scenes by class, channel and date, over all labelled pixels, at the dates that both cover.

    Columns code, class_name, channel, date; simulated_10, simulated_50, simulated_90, real_10, real_50, real_90
    (percentiles); distance (Wasserstein, in reflectance or units of the index) and relative (distance in real standard
    deviations).
    """
    legend, dates = shared_classes_and_dates(simulated, real)
    scenes = {"simulated": simulated, "real": real}
    samples = {name: labelled_pixels(run, legend, dates, "train", "validation", "test") for name, run in scenes.items()}
    rows = []
    for index, cover in enumerate(legend):
        own = {name: part.x[part.label.flatten() == index, ..., 0, 0].numpy() for name, part in samples.items()}
        for channel in CHANNELS:
            number = samples["real"].channels.index(channel)
            for day, date in enumerate(dates):
                values = {name: part[:, number, day] for name, part in own.items()}
                row = {"code": cover.code, "class_name": cover.name, "channel": channel, "date": date}
                for name, part in values.items():
                    quantiles = np.quantile(part, QUANTILES)
                    row |= {
                        f"{name}_{share:.0%}"[:-1]: value for share, value in zip(QUANTILES, quantiles, strict=True)
                    }
                row["distance"] = wasserstein_distance(values["simulated"], values["real"])
                rows.append(row | {"relative": row["distance"] / values["real"].std()})
    return pd.DataFrame(rows)


def distance_table(table: pd.DataFrame) -> pd.DataFrame:
    """Mean distance over the dates by class, in units of the channel and in standard deviations of the real scene."""
    means = table.groupby(["class_name", "channel"], sort=False)[["distance", "relative"]].mean().unstack()
    columns = {channel: means["distance", channel] for channel in CHANNELS}
    columns |= {f"{channel} / std": means["relative", channel] for channel in CHANNELS}
    return pd.DataFrame(columns).rename_axis("class").round(3)


def transfer(source: Experiment, target: Experiment, seed: int = 0) -> Transfer:
    """Scores of classifiers trained on the training pixels of `source`, on all labelled pixels of `target`.

    A forest and `NETWORK` are trained on the classes of both scenes, at the dates of the one with fewer dates, to which the
    other is interpolated. Both are normalised as the source is. "at home" is the test set of the source, treated alike.
    """
    legend, dates = shared_classes_and_dates(source, target)
    parts = {name: labelled_pixels(source, legend, dates, name) for name in ("train", "validation", "test")}
    parts["abroad"] = labelled_pixels(target, legend, dates, "train", "validation", "test")
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
    """Median and 10 to 90 % of the pixels by class (rows), channel (columns) and date; `table` as of `distributions`."""
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
