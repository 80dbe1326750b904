"""Leave one tile out: what a map of a tile without labels is worth, beside maps of tiles that have some.

Three trainings are compared on the same polygons, the test polygons of each tile: "pooled" has learned from all tiles,
"own" from that tile alone, "others" from all tiles but that one.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pandas as pd

from ... import store
from ...allocation import processors
from ...errors import InputError
from ...evaluation.scoring import polygon_counts
from ...features.normaliser import Normaliser
from ...features.samples import Samples, of_polygons
from ...settings import describe, key
from ...training.classifier import Classifier
from ...training.polygon_scores import PolygonScores
from ...training.trials import write_training
from .. import keys
from ..batches.cluster import connect
from ..experiment import Experiment
from ..trained import Trained
from .dataset import RegionDataset
from .spread import LOCAL, Task, finish

KINDS = ("pooled", "own", "others")
#: Name of the row of all tiles together.
ALL = "all tiles"


def leave_one_out(run: Experiment, name: str) -> pd.DataFrame:
    """Macro F1 of a classifier on the test polygons of each tile, by what it has learned from.

    Columns tile, learned (see `KINDS`), polygons, pixels, macro_f1, low, high (95 %, over polygons). The rows `ALL` hold
    every polygon once, each classified by the training of its tile. A tile that lacks polygons to learn from has no row
    "own". One training for each, with the seed of the run. Raises `InputError` for a single scene.
    """
    dataset = region_of(run)
    rows: list[dict] = []
    together: dict[str, list[pd.DataFrame]] = {kind: [] for kind in KINDS}
    for tile in scored_tiles(dataset):
        for kind in kinds_of(dataset, tile):
            table = polygons_of(run.trained, name, kind, tile)
            together[kind].append(table)
            rows.append({"tile": tile, "learned": kind, **_score(table, run)})
    for kind in KINDS:
        if len(together[kind]) == len(scored_tiles(dataset)):
            rows.append({"tile": ALL, "learned": kind, **_score(pd.concat(together[kind]), run)})
    return pd.DataFrame(rows)


def score_tiles(
    run: Experiment, names: Sequence[str], scheduler: str = "", report: Callable[[str], None] = print
) -> pd.DataFrame:
    """`leave_one_out` of several classifiers, with a column model in front.

    `scheduler`: of a Dask cluster, on which each training is a task (see `spread`); empty: in this process. Raises
    `InputError` for a single scene.
    """
    dataset = region_of(run)
    if scheduler:
        _ = dataset.samples  # once, for all tasks
        tasks = [
            Task(f"{name} for {tile}, learned from {kind}", fold, (run.trained, name, kind, tile))
            for name in names
            for tile in scored_tiles(dataset)
            for kind in kinds_of(dataset, tile)
        ]
        with connect("" if scheduler == LOCAL else scheduler, min(len(tasks), processors())) as client:
            finish(client, tasks, report)
    table = pd.concat([leave_one_out(run, name).assign(model=name) for name in names], ignore_index=True)
    return table[["model", *table.columns.drop("model")]]


def region_of(run: Experiment) -> RegionDataset:
    """The region of a run. Raises `InputError` for a single scene."""
    if not isinstance(run.dataset, RegionDataset):
        problem = f"{run.settings.scene.path or 'The simulated scene'} is a single scene: it has no tiles to leave out."
        raise InputError(
            problem, "Give a region: a folder with one sub-folder a tile, or a list.", kind="region.format"
        )
    return run.dataset


def scored_tiles(dataset: RegionDataset) -> list[str]:
    """Names of the tiles that have test polygons."""
    polygons = dataset.polygons
    return sorted(polygons.loc[polygons["set"] == "test", "tile"].unique())


def kinds_of(dataset: RegionDataset, tile: str) -> list[str]:
    """What a training to be scored on a tile can learn from; "own" only where the tile has polygons of both sets."""
    mine = set(dataset.polygons.loc[dataset.polygons["tile"] == tile, "set"])
    return [kind for kind in KINDS if kind != "own" or {"train", "validation"} <= mine]


def polygons_of(trained: Trained, name: str, kind: str, tile: str) -> pd.DataFrame:
    """How a training labels the test polygons of a tile: columns polygon, reference, predicted, pixels."""
    polygons = trained.dataset.polygons
    table = pd.read_csv(fold(trained, name, kind, tile) / "polygons.csv")
    mine = polygons.loc[(polygons["tile"] == tile) & (polygons["set"] == "test"), "polygon_id"]
    return table[(table["set"] == "test") & table["polygon"].isin(mine)]


def fold(trained: Trained, name: str, kind: str, tile: str) -> Path:
    """Folder of a training on the own polygons of a tile, on those of the others, or of all (the training of the run).

    As `trials` keeps trainings; normalised, stopped and chosen by its own polygons alone. Made where it is not in the store.
    """
    if kind == "pooled":
        return trained.training(name)
    dataset, chosen = cast(RegionDataset, trained.dataset), trained.settings

    def make(folder: Path) -> None:
        wanted = [other for other in dataset.labelled if other != tile] if kind == "others" else [tile]
        samples, tiles = trained.samples(name), dataset.tile_of_polygon()
        learned = {part: of_tiles(samples[part], tiles, wanted) for part in ("train", "validation")}
        parts = {**learned, "test": of_tiles(samples["test"], tiles, [tile])}
        classifier = Classifier.train(
            name, learned, trained.inputs, dataset.legend, chosen.train, chosen.seed,
            normaliser=Normaliser.fit(learned["train"]), oversampling=chosen.sample.oversample,
            state=folder / "state.safetensors",
            imitation=trained.imitation_for(name),
        )  # fmt: skip
        write_training(folder, classifier, parts)

    named = key(keys.training_key(chosen, name, 0), kind, tile)
    facts = describe(chosen)
    return store.find_or_make(dataset.store, "fold", f"{name}-{kind}-{tile}", named, make, facts, resumes=True)


def of_tiles(samples: Samples, tiles: pd.Series, wanted: list[str]) -> Samples:
    """The samples whose labelled polygons belong to some tiles; `tiles`: the tile of each polygon_id."""
    return of_polygons(samples, tiles.index[tiles.isin(wanted)])


def _score(table: pd.DataFrame, run: Experiment) -> dict:
    counts, reference = polygon_counts(table, len(run.legend))
    scores = PolygonScores(counts, reference, run.legend)
    macro = scores.table.iloc[0]
    return {
        "polygons": len(reference), "pixels": int(counts.sum()), "macro_f1": macro["estimate"],
        "low": macro["low"], "high": macro["high"],
    }  # fmt: skip
