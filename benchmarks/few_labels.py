"""Macro F1 against the polygons of each class that are labelled, for all classifiers.

python benchmarks/few_labels.py [SCENE] [so-far]  # what is done is kept in the store, and the same command goes on

With "so-far", tables are made of what is there.

1, 2, 4, 8 or all polygons of each class are drawn from those that are not test polygons, the same for all classifiers; all
their pixels are learnt from, and the test polygons of the run are classified. The simulated scene (preset demo), and
Bouconne where it has been fetched. Networks get no validation polygons, of which one label a class leaves none: they
make a fixed number of steps, set before any score was seen, on single pixels or, where they see neighbours, on each
labelled pixel with what lies around it.
"""

import sys
import warnings
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import record
import torch
from torch.nn import functional

from paperlib import Experiment, devices, models, store
from paperlib.allocation import one_thread
from paperlib.errors import InputWarning
from paperlib.evaluation import intervals, metrics
from paperlib.features.normaliser import Normaliser
from paperlib.features.samples import Samples, join, of_polygons, oversample
from paperlib.models.contract import Model
from paperlib.models.galileo import Encoded, bands_of
from paperlib.reproduction.real_scene import bouconne
from paperlib.training.galileo_weights import read_encoder
from paperlib.training.imitation import Imitation, months_of
from paperlib.training.loop import learning_rate

SIZES = (1, 2, 4, 8, 0)  # polygons of each class; 0: all
DRAWS = 40
OF_ALL = 3  # draws where all polygons are taken: only the luck of the training differs
STEPS, BATCH = 250, 64  # of a network
TEACHER, STUDENT = "Galileo, the encoder itself", "Galileo"
SINGLE = (STUDENT, TEACHER, "Logistic regression", "iota2_base", "TempCNN", "L-TAE", "Gradient boosting")
AROUND = ("iota2_ctx", "2D-CNN", "3D-CNN", "SpatioTempCNN", "U-TAE")  # they see neighbours
PIXELS = 1024  # classified at once
REPEATS = 1000  # of the bootstrap
TABLE = Path(store.__file__).parent / "checks" / "few_labels.csv"


class Scene:
    """A scene, its labelled pixels, and what Galileo needs of it."""

    def __init__(self, name: str, run: Experiment):
        self.name, self.legend, self.run = name, run.legend, run
        inputs = run.dataset.inputs
        self.pool, self.test = self.samples(1)
        self.imitation = run.trained.imitation
        bands, months = bands_of(inputs.roles, inputs.channels()), months_of(inputs.days, run.dates[0])
        self.teacher = Encoded(read_encoder(), bands, months)

    @cache  # noqa: B019, there are two scenes
    def samples(self, side: int) -> tuple[Samples, Samples]:
        """Labelled pixels with their neighbours in a square of this side: those to learn from, and those of the test."""
        parts = (join([self.run.samples["train"], self.run.samples["validation"]]), self.run.samples["test"])
        return tuple(around(part, side) if side > 1 else part.pixels() for part in parts)

    @cached_property
    def superpixels(self) -> tuple[Samples, Samples]:
        """Whole superpixels that hold labelled pixels, to learn from and of the test."""
        parts = self.run.trained.samples("iota2_ctx")
        return join([parts["train"], parts["validation"]]), parts["test"]

    @cached_property
    def embedded(self) -> tuple[Samples, Samples]:
        """The encoder's embeddings of the pixels, as 128 channels of one date."""
        found = []
        for samples in (self.pool, self.test):
            with torch.no_grad():
                values = self.teacher(samples.x)[:, :, None]
            found.append(Samples(values, samples.label, samples.polygon, tuple(map(str, range(128)))))
        return tuple(found)

    def taken_by(self, name: str) -> tuple[Samples, Samples]:
        """What a classifier learns from, and what it is tested on."""
        if name == TEACHER:
            return self.embedded
        kind = models.find(name)
        return self.superpixels if kind.needs_superpixels else self.samples(kind.receptive_field)

    def polygons(self, size: int, draw: int) -> np.ndarray:
        """Numbers of `size` polygons of each class, or as many as it has, drawn from those that are not test polygons."""
        random = np.random.default_rng([draw, 7])
        label, number = self.pool.label.flatten().numpy(), self.pool.polygon.flatten().numpy()
        drawn = [random.permutation(np.unique(number[label == index])) for index in np.unique(label)]
        return np.concatenate([order[: size or None] for order in drawn])

    def classify(self, name: str, size: int, draw: int) -> np.ndarray:
        """Pixels (test polygon, predicted class) of a classifier that learns from one draw."""
        pool, test = self.taken_by(name)
        train = of_polygons(pool, self.polygons(size, draw))
        model, normaliser = fit(name, train, len(self.legend), self.imitation, draw)
        labelled = test.label >= 0
        with torch.inference_mode():
            predicted = classes_of(model.eval(), normaliser.apply(test.x), test)[model.answered(labelled)].numpy()
        _, row = np.unique(test.polygon[labelled].numpy(), return_inverse=True)
        counts = np.zeros((row.max() + 1, len(self.legend)), np.int32)
        np.add.at(counts, (row, predicted), 1)
        return counts

    def reference(self) -> np.ndarray:
        """Class index of each test polygon."""
        _, first = np.unique(self.test.polygon.flatten().numpy(), return_index=True)
        return self.test.label.flatten().numpy()[first]


def around(samples: Samples, side: int) -> Samples:
    """Each labelled pixel in the middle of a patch of this side, where it alone is labelled."""
    half, where = side // 2, (samples.label >= 0).nonzero().tolist()
    near = [samples.x[n, :, :, y - half : y + half + 1, x - half : x + half + 1] for n, y, x in where]
    label, polygon = torch.full((2, len(where), side, side), -1)
    label[:, half, half] = samples.label[samples.label >= 0]
    polygon[:, half, half] = samples.polygon[samples.label >= 0]
    return Samples(torch.stack(near), label, polygon, samples.channels)


def classes_of(model: Model, x: torch.Tensor, samples: Samples) -> torch.Tensor:
    """Class indices (sample, y, x) of normalised samples, without the halo."""
    if samples.superpixel is not None:
        return model(x, superpixel=samples.superpixel).argmax(1)
    return torch.cat([model(part).argmax(1) for part in x.split(PIXELS)])


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
    x, label = normaliser.apply(train.x), model.answered(train.label)
    if not model.trained_in_epochs:
        model.fit(x, label, train.superpixel, seed)
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
        with devices.mixed(x.device):
            logits = model(x[part])
        functional.cross_entropy(logits.float(), label[part]).backward()
        optimiser.step()
    return model, normaliser


def work() -> Iterator[tuple[str, int, int]]:
    """Classifier, polygons of each class and number of the draw: early draws first."""
    for draw in range(DRAWS):
        for size in SIZES if draw < OF_ALL else SIZES[:-1]:
            yield from ((name, size, draw) for name in (*SINGLE, *AROUND))


def collect(scene: Scene, folder: Path, more: bool) -> dict[str, np.ndarray]:
    """Counts by "name|size|draw"; what `folder` holds is not made again, and `more` makes what is lacking."""
    path = folder / f"few-labels-{scene.name.split()[0].lower()}.npz"
    done = dict(np.load(path)) if path.is_file() else {}
    for number, (name, size, draw) in enumerate(work() if more else ()):
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
    weight = np.vstack([np.ones((1, len(reference))), intervals.draws(reference, REPEATS)])
    random = np.random.default_rng(0)
    rows = []
    for size in SIZES:
        names = (*SINGLE, *AROUND)
        complete = [draw for draw in range(DRAWS) if all(f"{name}|{size}|{draw}" in done for name in names)]
        draws = len(complete)
        scores = {  # (repeat, draw)
            name: np.stack([_macro(weight, done[f"{name}|{size}|{draw}"], reference, classes) for draw in complete], 1)
            for name in names
        }
        for name, found in scores.items():
            chosen = np.vstack([np.arange(draws), random.integers(draws, size=(REPEATS, draws))])
            mine, other = (np.take_along_axis(values, chosen, 1) for values in (found, scores[STUDENT]))
            mean, gap = mine.mean(1), (mine - other).mean(1)
            low, high = np.percentile(mean[1:], (2.5, 97.5))
            less, more = np.percentile(gap[1:], (2.5, 97.5))
            pairs = found[0] - scores[STUDENT][0]
            rows.append(
                {"scene": scene.name, "polygons": size or "all", "model": name,
                 "sees": "neighbours" if name in AROUND else "single pixels",
                 "macro_f1": mean[0], "low": low, "high": high,
                 "difference": gap[0], "difference_low": less, "difference_high": more,
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
    record.keep("few-labels", pd.concat(tables), whole=not only)
    result = pd.read_csv(record.RESULTS / "few-labels.csv")
    columns = ["scene", "polygons", "model", "macro_f1", "difference", "difference_low", "difference_high"]
    result[columns].round(3).to_csv(TABLE, index=False)


if __name__ == "__main__":
    warnings.simplefilter("ignore", InputWarning)  # of few pixels: that is the question
    main(*sys.argv[1:])
