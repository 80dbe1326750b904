"""Labelled polygons whose series contradict their class, ranked, with the class they look like and what says so."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from ..features.samples import Samples, join
from ..figures.labelling_figures import evidence_figure
from ..figures.theme import Figure
from ..labels.formats.styles import class_style
from ..labels.formats.writing import write_polygons
from ..nomenclature import LandCover
from ..outputs import writing
from ..runs.experiment import Experiment
from .out_of_fold import labels_of, out_of_fold
from .sheets import write_page
from .verdict import Verdict, verdict_of

#: Score from which a polygon is a suspect: classifiers that have not seen it give another class so much more probability.
STRONG = 0.5
#: Dates and bands named against a label.
NAMED = 3


@dataclass(frozen=True)
class Suspects:
    """Every polygon of the training pool, the most doubtful first.

    `table`: columns rank (from 1), polygon_id, code, class_name, looks_like, looks_like_code, probability (of its class),
    other_probability (of the class it looks like), score (their difference, NaN where the polygon could not be judged),
    suspect, against (text), geometry. `group`: number by polygon_id; those of one are judged together. `series`: mean of
    each polygon's pixels (polygon, channel, date), in the order of `label` (class index by polygon_id).
    """

    table: gpd.GeoDataFrame
    series: np.ndarray
    label: pd.Series
    channels: tuple[str, ...]
    dates: tuple[str, ...]
    legend: tuple[LandCover, ...]
    group: Mapping[int, int] | None = None

    @property
    def number(self) -> int:
        """How many polygons are suspects."""
        return int(self.table["suspect"].sum())

    def verdict(self) -> Verdict:
        """What the list says of the labels as a whole; its text is a sentence or two."""
        return verdict_of(self.table, STRONG, self.group)

    def compare(self, polygon: int) -> pd.DataFrame:
        """A polygon's series beside those of its class and of the class it looks like.

        Columns channel, date, value, own, own_spread, other, other_spread (median over polygons, and its deviation), and
        against: by how many deviations the value is nearer to the other class.
        """
        row = self.table.set_index("polygon_id").loc[polygon]
        codes = [cover.code for cover in self.legend]
        kinds = codes.index(row["code"]), codes.index(row["looks_like_code"])
        return _compare(self.series, self.label, polygon, *kinds, self.channels, self.dates)

    def figure(self, polygon: int) -> Figure:
        """A polygon's series beside those of its class and of the class it looks like, in the channels that say most."""
        row = self.table.set_index("polygon_id").loc[polygon]
        legend = {cover.code: cover for cover in self.legend}
        compared = self.compare(polygon)
        channels = compared.groupby("channel", sort=False)["against"].max().nlargest(NAMED).index
        return evidence_figure(compared, list(channels), legend[row["code"]], legend[row["looks_like_code"]])


def find_suspects(
    run: Experiment,
    name: str = "iota2_base",
    folds: int = 5,
    seeds: Iterable[int] = (0, 1, 2),
    progress: Callable[[str], None] | None = None,
) -> Suspects:
    """Rank the polygons of a run's training pool by how surely their series contradict their label.

    Parameters
    ----------
    run: its polygons of training and validation are judged; those of the test set are left alone.
    name: the classifier that judges.
    folds, seeds, progress: see `out_of_fold`.

    Raises `InputError` where `out_of_fold` does.
    """
    run = run.override({"sample.dates": "all", "sample.split": "polygon", "sample.training_share": 1.0})
    parts = run.trained.samples(name)
    samples = join(parts[part] for part in ("train", "validation"))
    group = groups_of(run)
    probability = out_of_fold(
        name, samples, group, run.trained.inputs, run.legend, run.settings.train, folds, seeds, progress
    )
    return rank(probability, samples, run.polygons, run.legend, tuple(run.dates), group)


def groups_of(run: Experiment) -> dict[int, int]:
    """The group of each polygon_id: those of one group are judged together."""
    return dict(zip(run.polygons["polygon_id"], run.polygons.get("group", run.polygons["polygon_id"]), strict=True))


def scores(probability: pd.DataFrame, label: pd.Series) -> pd.DataFrame:
    """Columns other (class index), probability, other_probability, score, by polygon_id.

    `probability`: as `out_of_fold` returns it; `label`: class index by polygon_id.
    """
    values, own = probability.to_numpy(), label.loc[probability.index].to_numpy()
    row = np.arange(len(values))
    others = values.copy()
    others[row, own] = -1
    other = np.where(np.isnan(values[:, 0]), own, np.nan_to_num(others, nan=-1).argmax(1))
    table = pd.DataFrame(
        {"other": other, "probability": values[row, own], "other_probability": values[row, other]}, probability.index
    )
    return table.assign(score=table["other_probability"] - table["probability"]).assign(
        score=lambda table: table["score"].where(~np.isnan(values[:, 0]))
    )


def rank(
    probability: pd.DataFrame,
    samples: Samples,
    polygons: gpd.GeoDataFrame,
    legend: tuple[LandCover, ...],
    dates: tuple[str, ...],
    group: Mapping[int, int] | None = None,
) -> Suspects:
    """The list of suspects, from probabilities as `out_of_fold` returns them.

    `samples`: of these polygons, not normalised. `polygons`: their outlines, by polygon_id. `group`: as of `out_of_fold`.
    """
    label = labels_of(samples).loc[probability.index]
    series = _mean_series(samples, label.index)
    judged = scores(probability, label).sort_values("score", ascending=False, na_position="last", kind="stable")
    names, codes = [cover.name for cover in legend], [cover.code for cover in legend]
    own = label.loc[judged.index]
    table = pd.DataFrame(
        {
            "rank": np.arange(1, len(judged) + 1), "polygon_id": judged.index,
            "code": [codes[index] for index in own], "class_name": [names[index] for index in own],
            "looks_like": [names[index] for index in judged["other"]],
            "looks_like_code": [codes[index] for index in judged["other"]],
            **{name: judged[name].round(4).to_numpy() for name in ("probability", "other_probability", "score")},
            "suspect": (judged["score"] >= STRONG).to_numpy(),
        }
    )  # fmt: skip
    against = [
        _in_words(_compare(series, label, polygon, own[polygon], other, samples.channels, dates)) if doubtful else ""
        for polygon, other, doubtful in zip(judged.index, judged["other"], judged["score"] > 0, strict=True)
    ]
    outlines = polygons.set_index("polygon_id").geometry.loc[judged.index]
    placed = gpd.GeoDataFrame(table.assign(against=against), geometry=outlines.to_numpy(), crs=polygons.crs)
    return Suspects(placed, series, label, samples.channels, dates, legend, group)


def _mean_series(samples: Samples, polygons: pd.Index) -> np.ndarray:
    """Mean over the labelled pixels of each polygon (polygon, channel, date)."""
    pixels = samples.pixels()
    values = pixels.x[..., 0, 0].numpy().reshape(len(pixels), -1)
    means = pd.DataFrame(values).groupby(pixels.polygon.flatten().numpy()).mean().loc[polygons]
    return means.to_numpy().reshape(len(polygons), *pixels.x.shape[1:3])


def _compare(
    series: np.ndarray, label: pd.Series, polygon: int, own: int, other: int, channels: tuple[str, ...],
    dates: tuple[str, ...],
) -> pd.DataFrame:  # fmt: skip
    """See `Suspects.compare`. Medians, since some of the polygons that a class is compared by may be wrong themselves."""
    row = label.index.get_loc(polygon)
    beside = np.arange(len(label)) != row
    middle, spread = {}, {}
    for kind in (own, other):
        members = series[beside & (label.to_numpy() == kind)]
        middle[kind] = np.median(members, 0)
        spread[kind] = 1.4826 * np.median(np.abs(members - middle[kind]), 0)
    usual = np.maximum(np.median(np.stack(list(spread.values())), 0), 1e-3 + 0.02 * np.abs(series[row]))
    against = (np.abs(series[row] - middle[own]) - np.abs(series[row] - middle[other])) / usual
    grid = pd.MultiIndex.from_product([channels, dates], names=["channel", "date"])
    columns = {
        "value": series[row], "own": middle[own], "own_spread": spread[own], "other": middle[other],
        "other_spread": spread[other], "against": against,
    }  # fmt: skip
    return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, grid).reset_index()


def _in_words(compared: pd.DataFrame) -> str:
    """The dates and bands that speak most against a label."""
    chosen = compared.nlargest(NAMED, "against")
    chosen = chosen[chosen["against"] > 0]
    return "; ".join(
        f"{row.channel} on {row.date}: {row.value:.3g}, its class {row.own:.3g}, the other {row.other:.3g}"
        for row in chosen.itertuples()
    )


def write_suspects(found: Suspects, folder: Path, number: int = 30) -> Path:
    """Write suspects.gpkg, all polygons with a QGIS style, and suspects.html, the first `number` of them with their series.

    Returns the folder, which is made if it does not exist. Raises `InputError` where it cannot be written.
    """
    with writing(folder, folder=True) as target:
        write_polygons(found.table, target / "suspects.gpkg", _style(found))
        words = (
            str(found.verdict()),
            "Each polygon was judged by classifiers that were trained without it. In the pictures, black is the polygon, "
            "the solid line its class, the dashed line the class it looks like; bands show how much a class varies.",
        )
        write_page(target / "suspects.html", "Labels to look at", words, _cards(found, number))
    return folder


def _style(found: Suspects) -> str:
    """Contradicted polygons in the colour of the class they look like, with their rank; the others grey."""
    return class_style(
        found.legend, "looks_like", "rank", other="as labelled", where='"score" > 0', other_colour="#888888"
    )


def _cards(found: Suspects, number: int) -> Iterator[tuple[str, str, Figure]]:
    for row in found.table[found.table["score"] > 0].head(number).itertuples():
        heading = f"{row.rank}. Polygon {row.polygon_id}: labelled {row.class_name}, looks like {row.looks_like}"
        text = (
            f"Probability of its class {100 * row.probability:.0f} %, of the other {100 * row.other_probability:.0f} %. "
            f"Against the label: {row.against or 'no single date'}."
        )
        yield heading, text, found.figure(row.polygon_id)
