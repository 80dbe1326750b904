"""Macro F1 against the polygons of each class that are labelled, for all classifiers of single pixels.

python benchmarks/few_labels.py [SCENE] [so-far]  # what is done is kept in the store, and the same command goes on

With "so-far", tables are made of what is there.

1, 2, 4, 8 or all polygons of each class are drawn from those that are not test polygons, the same for all classifiers; all
their pixels are learnt from, and the test polygons of the run are classified. The simulated scene (preset demo), and
Bouconne where it has been fetched. Networks get no validation polygons, of which one label a class leaves none: they
make a fixed number of steps, set before any score was seen. Scikit-learn's classifiers and Galileo have 40 draws, the
networks and gradient boosting fewer.
"""

import sys
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import record
import torch
from torch.nn import functional

from paperlib import Experiment, models, store
from paperlib.allocation import one_thread
from paperlib.errors import InputWarning
from paperlib.evaluation import metrics
from paperlib.features.normaliser import Normaliser
from paperlib.features.samples import Samples, join, of_polygons, oversample
from paperlib.models.contract import Model
from paperlib.models.galileo import Encoded, bands_of
from paperlib.reproduction.real_scene import bouconne
from paperlib.training.galileo_weights import read_encoder
from paperlib.training.imitation import Imitation, months_of
from paperlib.training.loop import learning_rate

SIZES = (1, 2, 4, 8, 0)  # polygons of each class; 0: all
DRAWS, FEWER = 40, 6  # draws, and those of networks and gradient boosting
OF_ALL = 3  # draws where all polygons are taken: only the luck of the training differs
STEPS, BATCH = 250, 64  # of a network
TEACHER, STUDENT = "Galileo, the encoder itself", "Galileo"
CHEAP = (STUDENT, TEACHER, "Logistic regression", "iota2_base")
COSTLY = ("TempCNN", "L-TAE", "Gradient boosting")
REPEATS = 1000  # of the bootstrap
TABLE = Path(store.__file__).parent / "checks" / "few_labels.csv"


class Scene:
    """A scene, its labelled pixels, and what Galileo needs of it."""

    def __init__(self, name: str, run: Experiment):
        self.name, self.legend = name, run.legend
        inputs = run.dataset.inputs
        self.pool = join([run.samples["train"], run.samples["validation"]]).pixels()
        self.test = run.samples["test"].pixels()
        self.imitation = run.trained.imitation
        bands, months = bands_of(inputs.roles, inputs.channels()), months_of(inputs.days, run.dates[0])
        self.teacher = Encoded(read_encoder(), bands, months)

    @cached_property
    def embedded(self) -> dict[str, Samples]:
        """The encoder's embeddings of the pixels, as 128 channels of one date."""
        found = {}
        for part in ("pool", "test"):
            samples = getattr(self, part)
            with torch.no_grad():
                values = self.teacher(samples.x)[:, :, None]
            found[part] = Samples(values, samples.label, samples.polygon, tuple(map(str, range(128))))
        return found

    def polygons(self, size: int, draw: int) -> np.ndarray:
        """Numbers of `size` polygons of each class, or as many as it has, drawn from those that are not test polygons."""
        random = np.random.default_rng([draw, 7])
        label, number = self.pool.label.flatten().numpy(), self.pool.polygon.flatten().numpy()
        drawn = [random.permutation(np.unique(number[label == index])) for index in np.unique(label)]
        return np.concatenate([order[: size or None] for order in drawn])

    def classify(self, name: str, size: int, draw: int) -> np.ndarray:
        """Pixels (test polygon, predicted class) of a classifier that learns from one draw."""
        pool, test = (self.embedded[part] if name == TEACHER else getattr(self, part) for part in ("pool", "test"))
        train = of_polygons(pool, self.polygons(size, draw))
        model, normaliser = fit(name, train, len(self.legend), self.imitation, draw)
        with torch.inference_mode():
            predicted = model.eval()(normaliser.apply(test.x)).argmax(1).flatten().numpy()
        _, row = np.unique(test.polygon.flatten().numpy(), return_inverse=True)
        counts = np.zeros((row.max() + 1, len(self.legend)), np.int32)
        np.add.at(counts, (row, predicted), 1)
        return counts

    def reference(self) -> np.ndarray:
        """Class index of each test polygon."""
        _, first = np.unique(self.test.polygon.flatten().numpy(), return_index=True)
        return self.test.label.flatten().numpy()[first]


@one_thread()
def fit(name: str, train: Samples, classes: int, imitation: Imitation, seed: int) -> tuple[Model, Normaliser]:
    """A classifier that learns from pixels, and the normaliser of what it takes."""
    torch.manual_seed(seed)
    shape = len(train.channels), train.x.shape[2]
    if name == TEACHER:
        model = models.build("Logistic regression", *shape, classes)
        normaliser = Normaliser(torch.zeros(shape[0]), torch.ones(shape[0]))
    else:
        model = models.build(name, *shape, classes)
        normaliser = Normaliser.fit(train)
    if name == STUDENT:
        model.begin(imitation.start())
        normaliser = imitation.normaliser
    x = normaliser.apply(train.x)
    if not model.trained_in_epochs:
        model.fit(x, train.label, seed=seed)
        return model, normaliser
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters())
    order = torch.empty(0, dtype=torch.int64)
    model.train()
    for rate in 1e-3 * learning_rate(np.arange(STEPS) / STEPS):
        while len(order) < BATCH:
            repeated = oversample(train.label, generator)
            order = torch.cat([order, repeated[torch.randperm(len(repeated), generator=generator)]])
        part, order = order[:BATCH], order[BATCH:]
        optimiser.param_groups[0]["lr"] = float(rate)
        optimiser.zero_grad(set_to_none=True)
        functional.cross_entropy(model(x[part]), train.label[part]).backward()
        optimiser.step()
    return model, normaliser


def work(draws: int, fewer: int) -> Iterator[tuple[str, int, int]]:
    """Classifier, polygons of each class and number of the draw: the cheap ones and early draws first."""
    for draw in range(draws):
        for size in SIZES:
            if size == 0 and draw >= OF_ALL:
                continue
            yield from ((name, size, draw) for name in CHEAP)
            yield from ((name, size, draw) for name in COSTLY if draw < fewer)


def collect(scene: Scene, folder: Path, more: bool) -> dict[str, np.ndarray]:
    """Counts by "name|size|draw"; what `folder` holds is not made again, and `more` makes what is lacking."""
    path = folder / f"few-labels-{scene.name.split()[0].lower()}.npz"
    done = dict(np.load(path)) if path.is_file() else {}
    for number, (name, size, draw) in enumerate(work(DRAWS, FEWER) if more else ()):
        key = f"{name}|{size}|{draw}"
        if key not in done:
            done[key] = scene.classify(name, size, draw)
            if number % 10 == 0:
                np.savez_compressed(path, **done)
                print(scene.name, key, flush=True)
    np.savez_compressed(path, **done)
    return done


def table(scene: Scene, done: dict[str, np.ndarray]) -> pd.DataFrame:
    """Macro F1 and its difference from Galileo's on the same draws, with intervals of 95 %.

    Test polygons within their class and draws are both drawn anew.
    """
    reference, classes = scene.reference(), len(scene.legend)
    random = np.random.default_rng(0)
    rows = []
    for size in SIZES:
        weight = np.zeros((REPEATS + 1, len(reference)))
        weight[0] = 1
        for index in np.unique(reference):
            members = np.flatnonzero(reference == index)
            weight[1:, members] = random.multinomial(len(members), np.full(len(members), 1 / len(members)), REPEATS)
        draws = min(sum(f"{name}|{size}|{draw}" in done for draw in range(DRAWS)) for name in CHEAP)
        scores: dict[str, np.ndarray] = {}
        for name in (*CHEAP, *COSTLY):
            counts = [done[f"{name}|{size}|{draw}"] for draw in range(draws) if f"{name}|{size}|{draw}" in done]
            if counts:
                scores[name] = np.stack(
                    [_macro(weight, one, reference, classes) for one in counts], 1
                )  # (repeat, draw)
        for name, found in scores.items():
            draws = found.shape[1]
            chosen = np.vstack([np.arange(draws), random.integers(draws, size=(REPEATS, draws))])
            mine, other = (np.take_along_axis(values, chosen, 1) for values in (found, scores[STUDENT][:, :draws]))
            mean, gap = mine.mean(1), (mine - other).mean(1)
            low, high = np.percentile(mean[1:], (2.5, 97.5))
            less, more = np.percentile(gap[1:], (2.5, 97.5))
            pairs = found[0] - scores[STUDENT][0, :draws]
            rows.append(
                {"scene": scene.name, "polygons": size or "all", "model": name, "macro_f1": mean[0], "low": low,
                 "high": high, "difference": gap[0], "difference_low": less, "difference_high": more,
                 "lowest_draw": found[0].min(), "draws_lost_to_galileo": int((pairs < 0).sum()), "draws": draws}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _macro(weight: np.ndarray, counts: np.ndarray, reference: np.ndarray, classes: int) -> np.ndarray:
    """Macro F1 (repeat,) for weights (repeat, polygon) of the polygons with counts (polygon, predicted class)."""
    confusion = np.eye(classes)[reference][:, :, None] * counts[:, None]  # (polygon, class, predicted class)
    return metrics.macro_f1((weight @ confusion.reshape(len(reference), -1)).reshape(-1, classes, classes))


def main(only: str = "", so_far: str = "") -> None:
    """Make the tables of the scenes whose name begins with `only`, and the small one that the pre-flight reads."""
    folder = store.open_store() / "few-labels"
    folder.mkdir(parents=True, exist_ok=True)
    runs = {"Bouconne": bouconne("demo"), "simulated (preset demo)": Experiment("demo")}
    tables = []
    for name, run in runs.items():
        if not name.startswith(only):
            continue
        if run is None:
            print(f"{name} has not been fetched.", file=sys.stderr)
            continue
        scene = Scene(name, run)
        print(name, "R2", scene.imitation.r2, flush=True)
        tables.append(table(scene, collect(scene, folder, not so_far)).assign(r2=scene.imitation.r2))
    record.keep("few-labels", pd.concat(tables))
    result = pd.read_csv(record.RESULTS / "few-labels.csv")
    columns = ["scene", "polygons", "model", "macro_f1", "difference", "difference_low", "difference_high", "draws"]
    result[columns].round(3).to_csv(TABLE, index=False)


if __name__ == "__main__":
    warnings.simplefilter("ignore", InputWarning)  # of few pixels: that is the question
    main(*sys.argv[1:])
