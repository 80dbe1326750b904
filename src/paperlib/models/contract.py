"""What every classifier has in common: how it is made, called, saved and loaded."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


class Model(nn.Module):
    """Base class of all classifiers; a network needs only `__init__` and `forward`.

    A subclass is made with `(channels, dates, classes, **options)`. Only the options that it lists in `options` reach it.

    Networks do not pad in space, along dates they may: of a patch of side s they classify the inner s - 2 `halo` pixels, of
    which they see all neighbours. Whoever cuts a patch or a window gives the halo (`features.Inputs.read_around`).
    """

    #: Side in pixels of the square whose values can change the logits of its central pixel.
    receptive_field: int = 1
    #: Side in pixels of the squares that a processor classifies fastest; None where a window is classified as a whole.
    block: int | None = None
    #: Whether `forward` and `fit` take superpixels, which they must see whole.
    needs_superpixels: bool = False
    #: Names of the keyword arguments of `__init__` after channels, dates and classes.
    options: tuple[str, ...] = ()
    #: Whether the training loop trains it, epoch by epoch; otherwise it has a method `fit` (see `Estimator`).
    trained_in_epochs: bool = True
    #: Whether it starts from a network that knows the scene (`begin`), which imitates a pretrained encoder.
    pretrained: bool = False
    #: Name of the file with its weights.
    weights: str = "weights.safetensors"

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logits of a batch.

        Parameters
        ----------
        x: float32 (batch, channel, date, y, x), normalised.
        where: bool (batch, y - 2 halo, x - 2 halo), the pixels whose logits are wanted, if not all; those of other pixels
            mean nothing.
        superpixel: int (batch, y, x), the number of the superpixel of each pixel; None unless `needs_superpixels`.

        Returns logits float32 (batch, class, y - 2 halo, x - 2 halo).
        """
        raise NotImplementedError

    @property
    def halo(self) -> int:
        """Pixels by which the answer is smaller than x on each side; 0 with superpixels, which are seen as they lie in x."""
        return 0 if self.needs_superpixels else self.receptive_field // 2

    def answered(self, x: Tensor) -> Tensor:
        """The part of x (..., y, x) that the model classifies: x without the halo."""
        return x[..., self.halo : x.shape[-2] - self.halo, self.halo : x.shape[-1] - self.halo]

    def fit(self, x: Tensor, label: Tensor, superpixel: Tensor | None = None, seed: int = 0) -> None:
        """Learn without the training loop, from labelled pixels; see `Estimator.fit`."""
        raise NotImplementedError

    def begin(self, network: nn.Module) -> None:
        """Start from a network that gives embeddings, where the model is `pretrained`."""
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """Write the weights to `folder`, under the name `weights`."""
        save_file({name: value.cpu() for name, value in self.state_dict().items()}, folder / self.weights)

    def load(self, folder: Path) -> None:
        """Take over the weights that `save` wrote."""
        self.load_state_dict(load_file(folder / self.weights))


class Estimator(Model):
    """Base class of classifiers that hold scikit-learn estimators: each pixel is a vector of channels x dates.

    A subclass fills `estimators` in `fit`, and answers with `as_logits` in `forward`.
    """

    trained_in_epochs = False
    weights = "estimators.skops"
    #: Types beyond skops' own list that a stored file may hold; skops refuses all others, where a pickle would run them.
    trusted: tuple[str, ...] = ()

    def __init__(self, channels: int, dates: int, classes: int):
        super().__init__()
        self.classes = classes
        self.estimators: list = []

    def fit(self, x: Tensor, label: Tensor, superpixel: Tensor | None = None, seed: int = 0) -> None:
        """Learn from the labelled pixels of x float32 (sample, channel, date, y, x), normalised.

        `label`: int64 (sample, y, x), class index, -1 where unlabelled; `superpixel`: int (sample, y, x), None unless
        `needs_superpixels`.
        """
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """Write the estimators to `folder`, as a skops file."""
        import skops.io  # here, since it takes a good part of a second

        skops.io.dump({"estimators": self.estimators, "classes": self.classes}, folder / self.weights)

    def load(self, folder: Path) -> None:
        """Take over the estimators that `save` wrote.

        Raises skops' UntrustedTypesFoundException for a file that holds anything else.
        """
        import skops.io

        content = skops.io.load(folder / self.weights, trusted=list(self.trusted))
        self.estimators, self.classes = content["estimators"], content["classes"]


def as_table(x: Tensor) -> np.ndarray:
    """x (batch, channel, date, y, x) as float32 (pixel, channel x date), pixels in the order batch, y, x."""
    return x.permute(0, 3, 4, 1, 2).flatten(3).flatten(0, 2).cpu().numpy()


def as_logits(shares: np.ndarray, like: Tensor) -> Tensor:
    """Logarithm of shares (pixel, class) as (batch, class, y, x), for pixels of `like` in the order of `as_table`."""
    logits = torch.from_numpy(shares).clamp_min(1e-7).log().to(like.device)
    return logits.reshape(len(like), *like.shape[-2:], -1).permute(0, 3, 1, 2)


def as_image(values: Tensor, where: Tensor) -> Tensor:
    """Values (pixel, feature) of the pixels `where` (batch, y, x), as (batch, feature, y, x) with 0 elsewhere."""
    image = values.new_zeros(*where.shape, values.shape[1])
    image[where] = values
    return image.permute(0, 3, 1, 2)
