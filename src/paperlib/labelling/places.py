"""Places of a scene that could be labelled: squares of one size, each of one thing, away from labelled polygons."""

from dataclasses import dataclass

import numpy as np
import torch
import xarray as xr
from scipy.ndimage import binary_dilation, uniform_filter

from ..errors import InputError
from ..mapping.inference import Engine
from ..scenes.windowing import Window, windows
from ..training.classifier import Classifier

#: Side in pixels of the parts of a scene that are read at once, and how many parts of a large scene are read.
PART, PARTS = 256, 64
#: Share of the squares, the most uniform ones, that are kept: a place that holds two things has no class.
UNIFORM = 0.5
#: Pixels between a place and a labelled polygon, at least.
AWAY = 3


@dataclass(frozen=True)
class Places:
    """Squares of `side` pixels, and what is known of them."""

    side: int
    corner: np.ndarray  # int (place, 2): first row and column
    feature: np.ndarray  # float32 (place, channel x date): mean of the normalised series
    probability: np.ndarray  # float32 (place, class): mean over the pixels

    def __len__(self) -> int:
        return len(self.corner)

    def __getitem__(self, part: np.ndarray) -> "Places":
        """The places numbered `part` (place,)."""
        return Places(self.side, self.corner[part], self.feature[part], self.probability[part])


def find_places(
    scene: xr.DataArray, classifier: Classifier, labelled: np.ndarray, side: int = 5, number: int = 3000, seed: int = 0
) -> Places:
    """Places drawn at random from a scene: the more uniform half of its squares, away from labelled pixels.

    Parameters
    ----------
    scene: (band, time, y, x), lazy.
    classifier: gives the probabilities; it must not need superpixels.
    labelled: bool (y, x), where there is a label.
    side: of a place in pixels.
    number: of places, at most.
    seed: of the draw.

    Of a scene of more than `PARTS` parts of `PART` pixels a side, so many are drawn and read. Raises `InputError` for a
    classifier that needs superpixels, a side that is not possible, and a scene without such a place.
    """
    if classifier.model.needs_superpixels:
        raise InputError(
            f"{classifier.name} classifies whole superpixels.",
            "Choose another model, like iota2_base.",
            kind="places.model",
        )
    shape = scene.sizes["y"], scene.sizes["x"]
    if not 1 <= side <= min(shape):
        raise InputError(
            f"Places of {side} pixels a side are not possible.", "Choose a side like 5.", kind="places.side"
        )
    random, engine = np.random.default_rng(seed), Engine(classifier)
    parts = list(windows(shape, PART))
    parts = [parts[index] for index in sorted(random.permutation(len(parts))[:PARTS])]
    near = binary_dilation(labelled, np.ones((3, 3), bool), iterations=AWAY)
    found = [_places_in(part, scene, engine, near, side, -(-2 * number // len(parts)), random) for part in parts]
    corner, feature, probability, variation = (np.concatenate(values) for values in zip(*found, strict=True))
    if not len(corner):
        raise InputError(
            f"No square of {side} pixels is free of labels and has data.", "Choose smaller places.", kind="places.none"
        )
    uniform = np.argsort(variation, kind="stable")[: max(1, round(UNIFORM * len(variation)))]
    kept = np.sort(random.permutation(uniform)[:number])
    return Places(side, corner[kept], feature[kept], probability[kept])


def _places_in(
    part: Window, scene: xr.DataArray, engine: Engine, near: np.ndarray, side: int, number: int,
    random: np.random.Generator,
) -> tuple[np.ndarray, ...]:  # fmt: skip
    """Corner, feature, probability and variation of places drawn in one part of the scene; they do not overlap."""
    rows, columns = part.core
    values, usable = engine.inputs.read_around(scene, rows, columns, engine.halo)
    _, _, shares = engine.classify(values, every=True)  # normalises the values in place
    down, across = (slice(engine.halo, length - engine.halo) for length in values.shape[-2:])
    series = values[..., down, across].reshape(-1, *usable.shape)
    free = usable & ~near[part.core]
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
    origin = np.array([rows.start, columns.start])
    return corner + origin, pixels.mean(2).T, probability, pixels.std(2).mean(0)


def features_of(x: torch.Tensor, polygon: torch.Tensor) -> np.ndarray:
    """Mean normalised series of each polygon (polygon, channel x date), of single pixels as `Samples.pixels` gives them."""
    series, number = x.reshape(len(x), -1).numpy(), polygon.flatten().numpy()
    return np.stack([series[number == one].mean(0) for one in np.unique(number)])
