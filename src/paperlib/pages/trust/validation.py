"""Which validation tells the truth: what cross-validations say of a classifier, beside what its whole map is worth.

The truth of a simulated scene is known for every pixel, and its objects too. Polygons are drawn all over the scene or in a
few places, folds are made in several ways, and the accuracy that each says is compared with that of the whole map.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import torch
from scipy.ndimage import distance_transform_edt

from ...errors import InputError
from ...evaluation import metrics
from ...evaluation.nearest_folds import nearest_folds
from ...features.alike import keep_together, neighbours, pair_alike
from ...features.indices import interpolate, write_indices
from ...features.inputs import Inputs
from ...features.samples import Samples
from ...labelling.out_of_fold import fold_of
from ...nomenclature import LandCover
from ...settings import Labels, Train
from ...simulation.landscape import Landscape
from ...training.classifier import Classifier

#: Ways to make folds.
METHODS = ("pixels", "polygons", "polygons, alike together", "blocks", "kNNDM")
FOLDS = 5
#: Side of a polygon, and how far its pixels stay from other objects, in pixels.
SIDE, BORDER = 3, 2
#: Places of clustered polygons, and their radius in pixels.
CLUSTERS, RADIUS = 4, 25
#: Side of a block in pixels; places of the map that kNNDM compares with; pixels classified at once.
BLOCK, PLACES, AT_ONCE = 48, 1000, 16_384
#: Of the scene every second pixel is judged, along both axes.
STEP = 2


@dataclass(frozen=True)
class World:
    """A scene whose class is known everywhere."""

    x: np.ndarray  # float32 (channel, date, y, x), without gaps, not normalised
    landscape: Landscape
    inputs: Inputs
    legend: tuple[LandCover, ...]

    @property
    def index(self) -> np.ndarray:
        """Class index (y, x)."""
        return np.searchsorted([cover.code for cover in self.legend], self.landscape.codes)

    def with_gradient(self, days: float) -> "World":
        """The same scene with a season that comes later from west to east, by so many days in all.

        Bands are interpolated linearly in time; indices are computed from them.
        """
        x, bands, when = self.x.copy(), len(self.inputs.bands), np.array(self.inputs.days)
        for column, later in enumerate(np.linspace(-days / 2, days / 2, x.shape[-1])):
            moved = np.empty_like(x[:bands, :, :, column])
            interpolate(self.x[:bands, :, :, column], when, when - later, moved)
            x[:bands, :, :, column] = moved
        write_indices(x, self.inputs.bands, self.inputs.indices, self.inputs.roles)
        return World(x, self.landscape, self.inputs, self.legend)


def draw_labels(landscape: Landscape, each: int, clustered: bool, random: np.random.Generator) -> np.ndarray:
    """Number of the polygon of each pixel, int (y, x), -1 without one: `each` polygons of every class.

    A polygon is what one object holds of a square of `SIDE` pixels. `clustered`: whether all lie in `CLUSTERS` places, or
    as near to them as their class comes; else anywhere.
    """
    cover, objects, codes = *landscape, landscape.codes
    inside = distance_transform_edt(~_edges(objects))
    far = np.zeros(cover.shape)
    if clustered:
        centres = np.ones(cover.shape, bool)
        centres[tuple(random.integers(RADIUS, side - RADIUS, CLUSTERS) for side in cover.shape)] = False
        far = distance_transform_edt(centres)
    labels, number = np.full(cover.shape, -1), 0
    for code in np.unique(codes):
        places = np.flatnonzero((codes == code) & (inside >= BORDER))
        near = np.sort(far.flat[places])[min(len(places), 50 * each) - 1]
        places = places[far.flat[places] <= max(RADIUS, near)] if clustered else places
        last = number + each
        for place in random.permutation(places):
            y, x = divmod(int(place), cover.shape[1])
            window = tuple(slice(max(0, at - SIDE // 2), at + SIDE // 2 + 1) for at in (y, x))
            if number < last and (labels[window] < 0).all():
                own = (objects[window] == objects[y, x]) & (codes[window] == code)
                labels[window][own] = number
                number += 1
    return labels


@dataclass(frozen=True)
class Draw:
    """Labelled pixels of one draw of polygons."""

    world: World
    place: np.ndarray  # (pixel,), number of the pixel in the scene
    polygon: np.ndarray  # (pixel,)

    @classmethod
    def of(cls, world: World, labels: np.ndarray) -> "Draw":
        """From what `draw_labels` gives."""
        place = np.flatnonzero(labels >= 0)
        return cls(world, place, labels.flat[place])

    @property
    def samples(self) -> Samples:
        """The pixels as samples."""
        x = torch.from_numpy(self.world.x.reshape(*self.world.x.shape[:2], -1)[..., self.place])
        label, polygon = (torch.from_numpy(values) for values in (self.world.index.flat[self.place], self.polygon))
        shape = (-1, 1, 1)
        return Samples(
            x.permute(2, 0, 1)[..., None, None].contiguous(), label.reshape(shape), polygon.reshape(shape),
            self.world.inputs.channels(),
        )  # fmt: skip

    def table(self) -> pd.DataFrame:
        """Class index, and row and column of the middle in pixels, by polygon."""
        rows, columns = np.divmod(self.place, self.world.x.shape[-1])
        frame = pd.DataFrame({"label": self.world.index.flat[self.place], "y": rows, "x": columns})
        return frame.groupby(self.polygon).agg({"label": "first", "y": "mean", "x": "mean"})

    def folds(self, method: str, seed: int, metres: float = 10) -> np.ndarray:
        """Fold (pixel,) by one of `METHODS`. Raises `InputError` where the folds cannot be made."""
        random, table = np.random.default_rng(seed), self.table()
        if method == "pixels":
            return random.permutation(np.arange(len(self.place)) % FOLDS)
        if method == "blocks":
            block = (table["y"] // BLOCK).astype(int) * 10_000 + (table["x"] // BLOCK).astype(int)
            names = random.permutation(block.unique())
            fold = block.map(dict(zip(names, np.arange(len(names)) % FOLDS, strict=True)))
        elif method == "kNNDM":
            height, width = self.world.x.shape[-2:]
            places = random.uniform(0, 1, (PLACES, 2)) * [height, width]
            found = nearest_folds(table[["y", "x"]].to_numpy(float) * metres, places * metres, FOLDS, seed=seed)
            fold = pd.Series(found.fold, table.index)
        else:
            group = dict(zip(table.index, table.index, strict=True))
            fold = fold_of(table["label"], group if method == "polygons" else self._alike(table), FOLDS, seed)
        return fold.loc[self.polygon].to_numpy()

    def _alike(self, table: pd.DataFrame) -> dict[int, int]:
        """The group of each polygon, as trainings of real scenes make them: what shows one object is together."""
        half, pixel = SIDE // 2, 10.0
        boxes = [shapely.box(x - half, -y - half, x + half + 1, -y + half + 1) for y, x in table[["y", "x"]].to_numpy()]
        polygons = gpd.GeoDataFrame(
            {"polygon_id": table.index, "code": table["label"], "class_name": table["label"].astype(str), "set": "pool",
             "group": table.index}, geometry=[shapely.affinity.scale(box, pixel, pixel, origin=(0, 0)) for box in boxes],
            crs="EPSG:32631",
        ).reset_index(drop=True)  # fmt: skip
        bands = self.world.x[: len(self.world.inputs.bands)]
        values = bands.reshape(-1, bands[0, 0].size)[:, self.place]
        series: dict[int, np.ndarray] = {}
        for row, number in enumerate(table.index):
            own = values[:, self.polygon == number]
            series[row] = np.stack([own[:, own.shape[1] // 2], own.mean(1)])
        joined, _ = keep_together(polygons, pair_alike(polygons, neighbours(polygons, Labels().near), series))
        return dict(zip(joined["polygon_id"], joined["group"], strict=True))


def predict(classifier: Classifier, x: torch.Tensor) -> np.ndarray:
    """Class index (pixel,) of series (pixel, channel, date, 1, 1)."""
    return np.concatenate([classifier.probabilities(part).argmax(1).flatten().numpy() for part in x.split(AT_ONCE)])


def scores(confusion: np.ndarray) -> dict[str, float]:
    """Overall accuracy, macro F1 and mean recall."""
    held = confusion.sum(1)
    recall = np.diagonal(confusion)[held > 0] / held[held > 0]
    return {
        "overall accuracy": float(metrics.overall_accuracy(confusion)), "macro F1": float(metrics.macro_f1(confusion)),
        "mean recall": float(recall.mean()),
    }  # fmt: skip


def said(draw: Draw, method: str, name: str, choice: Train, seed: int) -> dict[str, float]:
    """What a cross-validation says: scores of all pixels, each classified by a training without its fold."""
    samples, fold = draw.samples, draw.folds(method, seed)
    classes = len(draw.world.legend)
    total = np.zeros((classes, classes), np.int64)
    for number in np.unique(fold):
        held = torch.from_numpy(fold == number)
        classifier = _train(draw, name, samples[(~held).nonzero().flatten()], choice, seed)
        judged = samples[held.nonzero().flatten()]
        total += metrics.confusion(judged.label.flatten().numpy(), predict(classifier, judged.x), classes)
    return scores(total)


def worth(draw: Draw, name: str, choice: Train, seed: int) -> dict[str, dict[str, float]]:
    """What the map of a training on all polygons is worth: scores of pixels all over the scene, and of those inside objects.

    Inside: as far from the border of the class as polygons are.
    """
    world, classifier = draw.world, _train(draw, name, draw.samples, choice, seed)
    x = torch.from_numpy(world.x[..., ::STEP, ::STEP].copy()).flatten(2).permute(2, 0, 1)[..., None, None]
    predicted, true = predict(classifier, x), world.index[::STEP, ::STEP].ravel()
    inner = distance_transform_edt(~_edges(world.index))[::STEP, ::STEP].ravel() >= BORDER
    classes = len(world.legend)
    return {
        "scene": scores(metrics.confusion(true, predicted, classes)),
        "inside objects": scores(metrics.confusion(true[inner], predicted[inner], classes)),
    }


def _edges(image: np.ndarray) -> np.ndarray:
    """Pixels (y, x) that differ from their left or upper neighbour."""
    edges = np.zeros(image.shape, bool)
    edges[:, 1:] |= image[:, 1:] != image[:, :-1]
    edges[1:] |= image[1:] != image[:-1]
    return edges


def _train(draw: Draw, name: str, samples: Samples, choice: Train, seed: int) -> Classifier:
    """A classifier; a network chooses its epoch on the training pixels themselves, as the last one is as good."""
    parts = {"train": samples, "validation": samples}
    return Classifier.train(name, parts, draw.world.inputs, draw.world.legend, choice, seed)


def compare(draw: Draw, name: str, choice: Train, seed: int, methods: tuple[str, ...] = METHODS) -> pd.DataFrame:
    """One row a method and score: what is said, what the whole map is worth, and what it is worth inside objects.

    A method whose folds cannot be made says nothing (NaN).
    """
    true = worth(draw, name, choice, seed)
    rows: list[dict] = []
    for method in methods:
        try:
            told = said(draw, method, name, choice, seed)
        except InputError:
            told = dict.fromkeys(true["scene"], np.nan)
        rows += [
            {"method": method, "score": score, "said": told[score], "worth": true["scene"][score],
             "worth inside objects": true["inside objects"][score]}
            for score in told
        ]  # fmt: skip
    return pd.DataFrame(rows)
