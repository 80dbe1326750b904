"""What suggested places are worth: macro F1 by number of polygons, suggested or drawn at random.

    python benchmarks/suggest.py [SCENES [CLASSIFIER ...]]

Ten simulated scenes (SCENES) at preset demo. A classifier begins with two polygons of each class. In each round `ROUND`
places are added, chosen by `paperlib suggest` or drawn at random from the same candidates, and labelled with their most
frequent true class. The score is macro F1 on pixels drawn from the truth of the whole scene, which takes no part in any
choice. Means over scenes and 95 % intervals (Student's t) are kept in results/suggest.csv, with the paired difference.
Scores of a scene stay in the store, so that a run that was stopped goes on.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from record import keep
from scipy import stats

from paperlib import Experiment
from paperlib.evaluation import metrics
from paperlib.features.samples import Samples, join, of_polygons
from paperlib.labelling.out_of_fold import labels_of
from paperlib.labelling.places import features_of, find_places
from paperlib.labelling.suggest import choose
from paperlib.store import open_store
from paperlib.training.classifier import Classifier

CLASSIFIERS = ("iota2_base", "TempCNN")
FIRST, ROUND, ROUNDS, JUDGED = 2, 8, 8, 4000


class Loop:
    """One scene, its candidates with their answers, and the pixels that are judged."""

    def __init__(self, seed: int):
        self.run, self.seed = Experiment("demo", settings={"scene.seed": seed, "train.trainings": 1}), seed
        run, random = self.run, np.random.default_rng(seed)
        self.pool = join(run.trained.samples("iota2_base")[part] for part in ("train", "validation")).pixels()
        places = find_places(
            run.scene, run.classifier("iota2_base"), run.dataset.burned["polygon"].values >= 0, seed=seed
        )
        whole = (slice(0, run.scene.sizes["y"]), slice(0, run.scene.sizes["x"]))
        series = torch.from_numpy(run.dataset.inputs.read_around(run.scene, *whole, 0)[0])
        index = np.searchsorted([cover.code for cover in run.legend], run.truth.values)
        known = np.isin(run.truth.values, [cover.code for cover in run.legend])
        corner = places.bounds[:, :2]
        step = np.arange(places.bounds[0, 2] - corner[0, 0])
        rows, columns = (
            corner[:, axis, None, None] + step.reshape(shape) for axis, shape in ((0, (-1, 1)), (1, (1, -1)))
        )
        held = index[rows, columns].reshape(len(places), -1)
        self.answer = np.array([np.bincount(one).argmax() for one in held])
        usable = np.flatnonzero(known[rows, columns].reshape(len(places), -1).all(1))
        self.answer, rows, columns = self.answer[usable], rows[usable], columns[usable]
        self.squares = series[:, :, rows, columns].flatten(3).permute(2, 3, 0, 1)  # (place, pixel, channel, date)
        judged = random.choice(np.flatnonzero(known), JUDGED, replace=False)
        self.judged = series.flatten(2)[:, :, judged].permute(2, 0, 1)[..., None, None], index.flat[judged]

    def first(self) -> Samples:
        """`FIRST` polygons of each class."""
        label, random = labels_of(self.pool), np.random.default_rng(self.seed)
        return of_polygons(
            self.pool, np.concatenate([random.permutation(part.index)[:FIRST] for _, part in label.groupby(label)])
        )

    def answered(self, places: np.ndarray) -> Samples:
        """Samples of labelled places, numbered from 100,000."""
        x = self.squares[places]
        label = torch.from_numpy(self.answer[places]).repeat_interleave(x.shape[1])[:, None, None]
        polygon = torch.from_numpy(100_000 + places).repeat_interleave(x.shape[1])[:, None, None]
        return Samples(x.flatten(0, 1)[..., None, None], label, polygon, self.pool.channels)

    def train(self, name: str, samples: Samples) -> Classifier:
        """A classifier of labelled polygons, a quarter of which chooses the epoch of a network."""
        label = labels_of(samples)
        held = label.index[np.argsort(np.random.default_rng(self.seed).random(len(label)))[: len(label) // 4]]
        parts = {"train": samples, "validation": samples}
        if name not in ("iota2_base",):
            parts = {
                "train": of_polygons(samples, label.index.difference(held)),
                "validation": of_polygons(samples, held),
            }
        return Classifier.train(
            name, parts, self.run.dataset.inputs, self.run.legend, self.run.settings.train, self.seed
        )

    def score(self, classifier: Classifier) -> float:
        """Macro F1 on the judged pixels."""
        x, label = self.judged
        predicted = classifier.probabilities(x).argmax(1).flatten().numpy()
        return metrics.macro_f1(metrics.confusion(label, predicted, len(self.run.legend)))

    def curve(self, name: str, suggested: bool) -> list[float]:
        """Macro F1 after each round, before the first one too."""
        random, samples, left = np.random.default_rng(self.seed), self.first(), np.arange(len(self.answer))
        classifier = self.train(name, samples)
        scores = [self.score(classifier)]
        for _ in range(ROUNDS):
            if suggested:
                x = self.squares[left].flatten(0, 1)[..., None, None]
                shares = (
                    classifier.probabilities(x)[..., 0, 0].reshape(len(left), -1, len(self.run.legend)).mean(1).numpy()
                )
                normalise = classifier.normaliser.apply
                feature = normalise(x).reshape(len(left), self.squares.shape[1], -1).mean(1).numpy()
                known = features_of(normalise(samples.x), samples.polygon)
                taken = left[choose(shares, feature, known, ROUND)]
            else:
                taken = random.choice(left, ROUND, replace=False)
            left = np.setdiff1d(left, taken)
            samples = join([samples, self.answered(taken)])
            classifier = self.train(name, samples)
            scores.append(self.score(classifier))
        return scores


def summary(name: str, curves: dict[bool, np.ndarray], start: int) -> pd.DataFrame:
    """Means and half widths of their intervals, of curves (scene, round)."""
    count = len(curves[True])
    wide = stats.t.ppf(0.975, count - 1) / np.sqrt(count)
    columns = {"suggested": curves[True], "random": curves[False], "difference": curves[True] - curves[False]}
    table = pd.DataFrame({"classifier": name, "polygons": start + ROUND * np.arange(ROUNDS + 1)})
    for column, values in columns.items():
        table[column], table[f"{column} ±"] = values.mean(0), wide * values.std(0, ddof=1)
    return table


def curves_of(name: str, seed: int, folder: Path) -> pd.DataFrame:
    """Scores of one scene by number of polygons (rows), suggested and random (columns), from the folder or measured."""
    path = folder / f"{name} {seed}.csv"
    if not path.is_file():
        loop = Loop(seed)
        scores = {word: loop.curve(name, word == "suggested") for word in ("suggested", "random")}
        polygons = FIRST * len(loop.run.legend) + ROUND * np.arange(ROUNDS + 1)
        pd.DataFrame(scores, index=pd.Index(polygons, name="polygons")).to_csv(path)
        print(name, seed, f"{time.process_time():.0f} processor seconds so far", flush=True)
    return pd.read_csv(path, index_col="polygons")


def main(scenes: str = "10", *names: str) -> None:
    """Measure and keep the curves."""
    folder, tables = open_store() / "suggest", []
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or CLASSIFIERS:
        found = [curves_of(name, seed, folder) for seed in range(1, int(scenes) + 1)]
        curves = {word == "suggested": np.array([table[word] for table in found]) for word in ("suggested", "random")}
        tables.append(summary(name, curves, int(found[0].index[0])).assign(scenes=int(scenes)))
        print(tables[-1].round(3).to_string(index=False), flush=True)
    keep("suggest", pd.concat(tables))


if __name__ == "__main__":
    main(*sys.argv[1:])
