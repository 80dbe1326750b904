"""Places of a scene that could be labelled: squares of one size or superpixels, uniform, away from labelled polygons."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
import torch
import xarray as xr
from rasterio.features import shapes
from scipy.ndimage import binary_dilation, uniform_filter
from skimage.measure import label

from ..errors import InputError
from ..features.superpixels import HALO, REACH, SPACING, segment
from ..mapping.inference import Engine
from ..scenes.windowing import Window, windows
from ..training.classifier import Classifier

#: Side in pixels of the parts of a scene that are read at once, and how many parts of a large scene are read.
PART, PARTS = 256, 64
#: Pixels of a superpixel, at least.
SMALLEST = SPACING**2 // 4
#: Share of the places of each predicted class, the most uniform ones, that are kept: a place that holds two things has no
#: class. Of all places together, the most uniform ones may be of one class, as those of a forest are.
UNIFORM = 0.5
#: Pixels between a place and a labelled polygon, at least.
AWAY = 3


@dataclass(frozen=True)
class Places:
    """Squares or superpixels, and what is known of them."""

    outline: np.ndarray  # polygons (place,) in pixels: x is the column, y the row
    feature: np.ndarray  # float32 (place, channel x date): mean of the normalised series
    probability: np.ndarray  # float32 (place, class): mean over the pixels

    def __len__(self) -> int:
        return len(self.outline)

    @property
    def bounds(self) -> np.ndarray:
        """First row, first column, last row + 1, last column + 1 of each place: int (place, 4)."""
        return shapely.bounds(self.outline).astype(int)[:, [1, 0, 3, 2]]

    def __getitem__(self, part: np.ndarray) -> "Places":
        """The places numbered `part` (place,)."""
        return Places(self.outline[part], self.feature[part], self.probability[part])


def find_places(
    scene: xr.DataArray, classifier: Classifier, labelled: np.ndarray, side: int = 5, number: int = 3000, seed: int = 0
) -> Places:
    """Places drawn at random from a scene, away from labels: squares or superpixels, the more uniform half of each class.

    Parameters
    ----------
    scene: (band, time, y, x), lazy.
    classifier: gives the probabilities. For one of superpixels, parts are segmented with what is around them.
    labelled: bool (y, x), where there is a label.
    side: of a square in pixels; 0: superpixels of about 100 pixels instead, which follow what is there.
    number: of places, at most.
    seed: of the draw.

    The class of a place is its most probable one. Of a scene of more than `PARTS` parts of `PART` pixels a side, so many are
    drawn and read. Raises `InputError` for a side that is not possible, and for a scene without such a place.
    """
    shape = scene.sizes["y"], scene.sizes["x"]
    if not 0 <= side <= min(shape):
        raise InputError(
            f"Places of {side} pixels a side are not possible.",
            "Choose a side like 5, or 0 for superpixels.",
            kind="places.side",
        )
    random, engine = np.random.default_rng(seed), Engine(classifier)
    parts = list(windows(shape, PART))
    parts = [parts[index] for index in sorted(random.permutation(len(parts))[:PARTS])]
    near = binary_dilation(labelled, np.ones((3, 3), bool), iterations=AWAY)
    found = [_places_in(part, scene, engine, near, side, -(-2 * number // len(parts)), random) for part in parts]
    outline, feature, probability, variation = (np.concatenate(values) for values in zip(*found, strict=True))
    if not len(outline):
        kind = f"square of {side} pixels" if side else "superpixel"
        raise InputError(f"No {kind} is free of labels and has data.", "Choose smaller places.", kind="places.none")
    alike = pd.Series(variation).groupby(probability.argmax(1))
    uniform = np.flatnonzero(alike.rank(method="first") - 1 < UNIFORM * alike.transform("size"))
    kept = np.sort(random.permutation(uniform)[:number])
    return Places(outline[kept], feature[kept], probability[kept])


def _places_in(
    part: Window, scene: xr.DataArray, engine: Engine, near: np.ndarray, side: int, number: int,
    random: np.random.Generator,
) -> tuple[np.ndarray, ...]:  # fmt: skip
    """Outline, feature, probability and variation of places drawn in one part of the scene; they do not overlap."""
    rows, columns = part.core
    series, usable, shares = _read(part, scene, engine)
    free = usable & ~near[part.core]
    if side:
        squares, *found = _squares(series, shares, free, side, number, random)
        outline = shapely.box(*squares[:, ::-1].T, *(squares[:, ::-1] + side).T)
    else:
        outline, *found = _superpixels(series, shares, free, number, random)
    origin = np.array([columns.start, rows.start])
    return shapely.transform(outline, lambda xy: xy + origin), *found


def _read(part: Window, scene: xr.DataArray, engine: Engine) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Normalised series (channel x date, y, x), usable pixels (y, x) and probabilities (class, y, x) of a part."""
    if not engine.whole:
        values, usable = engine.inputs.read_around(scene, *part.core, engine.halo)
        shares = engine.classify(values, every=True)[2]  # normalises the values in place
        rows, columns = (slice(engine.halo, length - engine.halo) for length in values.shape[-2:])
    else:
        y, x = (
            slice(max(0, side.start - REACH - HALO) // SPACING * SPACING, min(length, side.stop + REACH + HALO))
            for side, length in zip(part.core, (scene.sizes["y"], scene.sizes["x"]), strict=True)
        )
        values, usable = engine.inputs.read_around(scene, y, x, 0)
        normalised = values.copy()
        engine.normaliser.apply_in_place(normalised)
        shares = engine.classify(values, segment(normalised), every=True)[2]
        rows, columns = (
            slice(side.start - read.start, side.stop - read.start) for side, read in zip(part.core, (y, x), strict=True)
        )
        usable, shares = usable[rows, columns], shares[:, rows, columns]
    values = values[..., rows, columns]
    return values.reshape(-1, *usable.shape), usable, shares


def _squares(
    series: np.ndarray, shares: np.ndarray, free: np.ndarray, side: int, number: int, random: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Corner (place, 2), feature, probability and variation of squares drawn where it is `free`."""
    grid = np.stack(
        np.meshgrid(*(np.arange(0, length - side + 1, side + 1) for length in free.shape), indexing="ij"), -1
    )
    corner = grid.reshape(-1, 2)
    whole = uniform_filter(free.astype(float), side, origin=-(side // 2), mode="constant")[tuple(corner.T)] > 1 - 1e-6
    corner = random.permutation(corner[whole])[:number]
    squares = corner[:, :, None] + np.arange(side)  # (place, 2, side)
    inside = squares[:, 0, :, None], squares[:, 1, None, :]
    pixels = series[:, *inside].reshape(len(series), len(corner), side * side)  # (feature, place, pixel)
    probability = shares[:, *inside].reshape(len(shares), len(corner), side * side).mean(2).T
    return corner, pixels.mean(2).T, probability, pixels.std(2).mean(0)


def _superpixels(
    series: np.ndarray, shares: np.ndarray, free: np.ndarray, number: int, random: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Outline (place,), feature, probability and variation of superpixels drawn where it is `free`.

    Those that the edge of this part cuts are left out.
    """
    numbers = label(segment(series[:, None]), connectivity=1, background=-1) - 1
    size = np.bincount(numbers.ravel())
    inside = np.pad(np.ones(np.subtract(free.shape, 2), bool), 1) & free
    whole = (np.bincount(numbers.ravel(), inside.ravel()) == size) & (size >= SMALLEST)
    drawn = random.permutation(np.flatnonzero(whole))[:number]
    place = np.full(len(size), -1, np.int32)
    place[drawn] = np.arange(len(drawn))
    chosen = place[numbers]
    pixels = chosen.ravel() >= 0

    def means(values: np.ndarray) -> np.ndarray:
        """Mean of values (feature, y, x) over each place: (place, feature)."""
        sums = [np.bincount(chosen.ravel()[pixels], image.ravel()[pixels], len(drawn)) for image in values]
        return (np.array(sums) / size[drawn]).T.astype(np.float32)

    mean = means(series)
    variation = np.sqrt(np.maximum(means(series**2) - mean**2, 0)).mean(1)
    found = {int(value): shapely.geometry.shape(outline) for outline, value in shapes(chosen, mask=chosen >= 0)}
    outline = np.array([found[index] for index in range(len(drawn))], object)
    return outline, mean, means(shares), variation


def features_of(x: torch.Tensor, polygon: torch.Tensor) -> np.ndarray:
    """Mean normalised series of each polygon (polygon, channel x date), of single pixels as `Samples.pixels` gives them."""
    series, number = x.reshape(len(x), -1).numpy(), polygon.flatten().numpy()
    return np.stack([series[number == one].mean(0) for one in np.unique(number)])
