"""iota2_ctx: forests that also see which classes the superpixel around a pixel holds (section 2.1).

iota2's auto-context: a first forest on the features alone, then three more, each on the features and the histogram of
the classes that the one before it gave to the pixels of the superpixel (documentation and source of iota2, June 2020).
"""

from pathlib import Path

import geopandas as gpd
import numpy as np
import skops.io
import torch
import xarray as xr
from torch import Tensor, nn

from .features import features
from .forest import TRUSTED, as_logits, as_table, grow, shares
from .indices import channel_names
from .samples import Samples
from .scene import windows
from .superpixels import REACH

NAME = "iota2_ctx"

#: Forests after the first (iota2: autoContext_iterations).
ITERATIONS = 3


def extract_superpixels(
    scene: xr.DataArray, burned: xr.Dataset, superpixels: xr.DataArray, polygons: gpd.GeoDataFrame, window: int = 512
) -> Samples:
    """Every pixel of the superpixels that these polygons touch, as one sample of 1 x n pixels; only theirs are labelled.

    Bands and indices are gap-filled, not normalised. `window`: pixels of the scene read at once, a side.
    """
    parts = list(windows((scene.sizes["y"], scene.sizes["x"]), window))
    number = burned["polygon"].values
    mine = np.isin(number, polygons["polygon_id"])
    touched = np.unique(
        np.concatenate([superpixels[part.core].values[mine[part.core]] for part in parts if mine[part.core].any()])
    )
    x, label, polygon, superpixel = [], [], [], []
    for part in parts:
        numbers = superpixels[part.core].values
        wanted = np.isin(numbers, touched)
        if not wanted.any():
            continue
        rows, columns = (slice(places.min(), places.max() + 1) for places in np.nonzero(wanted))
        top, left = part.core[0].start, part.core[1].start
        place = slice(top + rows.start, top + rows.stop), slice(left + columns.start, left + columns.stop)
        values = features(scene, *place)
        x.append(values[:, :, wanted[rows, columns]])
        labelled = mine[part.core] & wanted
        label.append(np.where(labelled, burned["label"].values[part.core], -1)[wanted])
        polygon.append(np.where(labelled, number[part.core], -1)[wanted])
        superpixel.append(numbers[wanted])
    x = torch.from_numpy(np.concatenate(x, axis=2))[None, :, :, None]
    label, polygon, superpixel = (
        torch.from_numpy(np.concatenate(part).astype(np.int64))[None, None] for part in (label, polygon, superpixel)
    )
    usable = ~x.isnan().any(1).any(1)
    return Samples(
        x, label.where(usable, -1), polygon.where(usable, -1), channel_names(tuple(scene.band.values)), superpixel
    )


class ContextForest(nn.Module):
    """The chain of forests. Its receptive field is that of a superpixel, which is cut whole from a window with halo."""

    receptive_field = 2 * REACH + 1

    def __init__(self, classes: int):
        super().__init__()
        self.classes = classes
        self.forests: list = []

    def fit(self, samples: Samples, seed: int) -> None:
        """Grow the chain on samples with superpixels (`extract_superpixels`); histograms count unlabelled pixels too."""
        table, numbers = as_table(samples.x), _numbered(samples.superpixel)
        label = samples.label.flatten().numpy()
        labelled = label >= 0
        inputs, self.forests = table, []
        for iteration in range(1 + ITERATIONS):
            self.forests.append(grow(inputs[labelled], label[labelled], seed + iteration))
            votes = shares(self.forests[-1], inputs, self.classes)
            inputs = np.hstack([table, histograms(votes.argmax(1), numbers, self.classes)])

    def forward(self, x: Tensor, superpixels: Tensor) -> Tensor:
        """Logarithm of the last forest's vote shares (batch, class, y, x) of x (batch, channel, date, y, x).

        `superpixels` int (batch, y, x) must hold the superpixels of interest whole.
        """
        table, numbers = as_table(x), _numbered(superpixels)
        inputs = table
        for forest in self.forests:
            votes = shares(forest, inputs, self.classes)
            inputs = np.hstack([table, histograms(votes.argmax(1), numbers, self.classes)])
        return as_logits(votes, like=x)

    def save(self, path: Path) -> None:
        """Write the forests to a skops file."""
        skops.io.dump({"forests": self.forests, "classes": self.classes}, path)

    @classmethod
    def load(cls, path: Path) -> "ContextForest":
        """Read forests written by `save`. Raises skops' UntrustedTypesFoundException for a file with anything else."""
        content = skops.io.load(path, trusted=TRUSTED)
        model = cls(content["classes"])
        model.forests = content["forests"]
        return model


def histograms(index: np.ndarray, numbers: np.ndarray, classes: int) -> np.ndarray:
    """Share of each class among the pixels of each pixel's superpixel, float32 (pixel, class).

    `index` (pixel,) class index, `numbers` (pixel,) superpixel from 0.
    """
    counts = np.bincount(numbers * classes + index, minlength=(numbers.max() + 1) * classes).reshape(-1, classes)
    return (counts / counts.sum(1, keepdims=True)).astype(np.float32)[numbers]


def _numbered(superpixels: Tensor) -> np.ndarray:
    """Superpixels (batch, y, x) numbered from 0 without gaps, (pixel,); those of different samples are different."""
    sample = torch.arange(len(superpixels))[:, None, None].expand_as(superpixels)
    pairs = torch.stack([sample.flatten(), superpixels.cpu().flatten()])
    return torch.unique(pairs, dim=1, return_inverse=True)[1].numpy()
