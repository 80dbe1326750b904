"""Leave one tile out: what a map of a tile without labels is worth, beside maps of tiles that have some.

Three trainings are compared on the same polygons, the test polygons of each tile: "pooled" has learned from all tiles,
"own" from that tile alone, "others" from all tiles but that one.
"""

from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import torch

from ... import store
from ...evaluation.scoring import polygon_counts
from ...features.normaliser import Normaliser
from ...features.samples import Samples
from ...settings import describe, key
from ...training.classifier import Classifier
from ...training.polygon_scores import PolygonScores
from ...training.trials import write_training
from .. import keys
from ..experiment import Experiment
from .dataset import RegionDataset

KINDS = ("pooled", "own", "others")
#: Name of the row of all tiles together.
ALL = "all tiles"


def leave_one_out(run: Experiment, name: str) -> pd.DataFrame:
    """Macro F1 of a classifier on the test polygons of each tile, by what it has learned from.

    Columns tile, learned (see `KINDS`), polygons, pixels, macro_f1, low, high (95 %, over polygons). The rows `ALL` hold
    every polygon once, each classified by the training of its tile. A tile that lacks polygons to learn from has no row
    "own". One training for each, with the seed of the run.
    """
    rows: list[dict] = []
    together: dict[str, list[pd.DataFrame]] = {kind: [] for kind in KINDS}
    for tile in scored_tiles(run):
        for kind in kinds_of(run, tile):
            table = polygons_of(run, name, kind, tile)
            together[kind].append(table)
            rows.append({"tile": tile, "learned": kind, **_score(table, run)})
    for kind in KINDS:
        if len(together[kind]) == len(scored_tiles(run)):
            rows.append({"tile": ALL, "learned": kind, **_score(pd.concat(together[kind]), run)})
    return pd.DataFrame(rows)


def scored_tiles(run: Experiment) -> list[str]:
    """Names of the tiles that have test polygons."""
    polygons = run.polygons
    return sorted(polygons.loc[polygons["set"] == "test", "tile"].unique())


def kinds_of(run: Experiment, tile: str) -> list[str]:
    """What a training to be scored on a tile can learn from; "own" only where the tile has polygons of both sets."""
    mine = set(run.polygons.loc[run.polygons["tile"] == tile, "set"])
    return [kind for kind in KINDS if kind != "own" or {"train", "validation"} <= mine]


def polygons_of(run: Experiment, name: str, kind: str, tile: str) -> pd.DataFrame:
    """How a training labels the test polygons of a tile: columns polygon, reference, predicted, pixels."""
    folder = run.trained.training(name) if kind == "pooled" else fold(run, name, kind, tile)
    table = pd.read_csv(folder / "polygons.csv")
    mine = run.polygons.loc[(run.polygons["tile"] == tile) & (run.polygons["set"] == "test"), "polygon_id"]
    return table[(table["set"] == "test") & table["polygon"].isin(mine)]


def fold(run: Experiment, name: str, kind: str, tile: str) -> Path:
    """Folder of a training on the own polygons of a tile, or on those of the others, as `trials` keeps trainings.

    Normalised, stopped and chosen by its own polygons alone. Made where it is not in the store.
    """
    dataset = cast(RegionDataset, run.dataset)

    def make(folder: Path) -> None:
        others = [other for other in dataset.labelled if other != tile]
        samples, tiles = run.trained.samples(name), dataset.tile_of_polygon()
        learned = {
            part: of_tiles(samples[part], tiles, others if kind == "others" else [tile])
            for part in ("train", "validation")
        }
        parts = {**learned, "test": of_tiles(samples["test"], tiles, [tile])}
        classifier = Classifier.train(
            name, learned, run.trained.inputs, dataset.legend, run.settings.train, run.settings.seed,
            normaliser=Normaliser.fit(learned["train"]), oversampling=run.settings.sample.oversample,
            state=folder / "state.safetensors",
        )  # fmt: skip
        write_training(folder, classifier, parts)

    training = keys.training_key(run.settings, name, 0)
    return store.find_or_make(
        run.store,
        "fold",
        f"{name}-{kind}-{tile}",
        key(training, kind, tile),
        make,
        describe(run.settings),
        resumes=True,
    )


def of_tiles(samples: Samples, tiles: pd.Series, wanted: list[str]) -> Samples:
    """The samples whose labelled polygons belong to some tiles; `tiles`: the tile of each polygon_id."""
    mine = tiles.index[tiles.isin(wanted)].to_numpy()
    inside = torch.from_numpy(np.isin(samples.polygon.numpy(), mine))
    label, polygon = (torch.where(inside, values, -1) for values in (samples.label, samples.polygon))
    kept = (label >= 0).flatten(1).any(1)
    return Samples(samples.x, label, polygon, samples.channels, samples.superpixel)[kept]


def _score(table: pd.DataFrame, run: Experiment) -> dict:
    counts, reference = polygon_counts(table, len(run.legend))
    scores = PolygonScores(counts, reference, run.legend)
    macro = scores.table.iloc[0]
    return {
        "polygons": len(reference), "pixels": int(counts.sum()), "macro_f1": macro["estimate"],
        "low": macro["low"], "high": macro["high"],
    }  # fmt: skip
