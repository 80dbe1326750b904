"""Galileo as a classifier: logistic regression on the embedding of a pixel, folded into the network that gives it.

That network imitates the encoder on the pixels of one scene, a hundred times as fast (see `training.imitation`), or is the
encoder itself.
"""

from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor, nn

from ..errors import InputError, counted
from .contract import Model
from .galileo_encoder import ROLES, WIDTH, GalileoEncoder
from .tempcnn import TempCNN

#: Inverse strength of the regularisation of the logistic regression, whose features are standardised.
C = 1.0
#: Logit of a class that the training lacks, below that of any other.
NEVER = -1e4


class Galileo(Model):
    """Logistic regression on the embedding by Galileo nano.

    `network` gives embeddings (batch, 128, y, x) after `begin`, and logits (batch, class, y, x) after `fit`.
    """

    receptive_field = 1
    block = TempCNN.block
    options = ("imitated",)
    trained_in_epochs = False
    pretrained = True

    def __init__(self, channels: int, dates: int, classes: int, imitated: int = 10_000):
        super().__init__()
        self.classes, self.shape = classes, (channels, dates)
        self.network: TempCNN | Encoded = TempCNN(channels, dates, classes, dropout=0)

    def begin(self, network: nn.Module) -> None:
        """Start from a network that gives embeddings: a TempCNN, or `Encoded`."""
        self.network = cast("TempCNN | Encoded", network)

    def fit(self, x: Tensor, label: Tensor, superpixel: Tensor | None = None, seed: int = 0) -> None:
        """Fit the logistic regression on the labelled pixels of x (sample, channel, date, y, x), and fold it in.

        Without `begin` it fits the answers of an untrained network: as fast, for estimates of cost, and worth nothing.
        Raises `InputError` for pixels of fewer than two classes.
        """
        from sklearn.linear_model import LogisticRegression  # here, since it takes half a second

        labelled = label >= 0
        known = label[labelled].cpu().numpy()
        if len(np.unique(known)) < 2:
            raise InputError(
                f"Galileo needs pixels of two classes to learn from; it has {counted(len(known), 'pixel')} of "
                f"{len(np.unique(known))}.", "Label more classes.", kind="labels.empty",
            )  # fmt: skip
        pixels = x.permute(0, 3, 4, 1, 2)[labelled][..., None, None]
        with torch.inference_mode():
            embedding = self.network.eval()(pixels)[..., 0, 0].double().numpy()
        mean, deviation = embedding.mean(0), embedding.std(0)
        deviation[deviation == 0] = 1
        found = LogisticRegression(C=C, max_iter=2000).fit((embedding - mean) / deviation, known)
        coefficients, intercepts = found.coef_, found.intercept_
        if len(coefficients) == 1:  # of two classes scikit-learn states the second one's logit alone
            coefficients, intercepts = (np.stack([0 * values[0], values[0]]) for values in (coefficients, intercepts))
        weight, bias = np.zeros((self.classes, embedding.shape[1])), np.full(self.classes, NEVER)
        weight[found.classes_] = coefficients / deviation
        bias[found.classes_] = intercepts - weight[found.classes_] @ mean
        self.network.head[-1] = _after(self.network.head[-1], torch.from_numpy(weight), torch.from_numpy(bias))

    def forward(self, x: Tensor, where: Tensor | None = None, superpixel: Tensor | None = None) -> Tensor:
        """Logits (batch, class, y, x) of x (batch, channel, date, y, x); 0 where `where` (batch, y, x) is False."""
        return self.network(x, where)

    def load(self, folder: Path) -> None:
        """Take over the weights that `save` wrote, of either kind of network."""
        with safe_open(folder / self.weights, "pt") as file:
            if "network.bands" in set(file.keys()):
                months, bands = file.get_tensor("network.months"), file.get_tensor("network.bands")
                encoded = Encoded(GalileoEncoder(), bands, months)
                encoded.head[-1] = nn.Conv2d(WIDTH, self.classes, 1)
                self.network = encoded
        super().load(folder)


class Encoded(nn.Module):
    """The encoder itself on series of single pixels, and a last layer.

    Parameters
    ----------
    encoder: with the published weights.
    bands: int64 (10,), the channel of each band of `ROLES`, -1 for one that the scene lacks.
    months: int64 (date,), January is 0.

    It takes reflectance, not normalised.
    """

    bands: Tensor
    months: Tensor

    def __init__(self, encoder: GalileoEncoder, bands: Tensor, months: Tensor):
        super().__init__()
        self.encoder = encoder
        self.register_buffer("bands", bands)
        self.register_buffer("months", months)
        same = nn.Conv2d(WIDTH, WIDTH, 1)
        with torch.no_grad():
            same.weight.copy_(torch.eye(WIDTH)[..., None, None])
            same.bias.zero_()  # type: ignore[union-attr]
        self.head = nn.Sequential(same)

    def forward(self, x: Tensor, where: Tensor | None = None) -> Tensor:
        """The last layer of the embeddings (batch, ..., y, x) of x (batch, channel, date, y, x); 0 where not `where`."""
        series = x.permute(0, 3, 4, 2, 1)  # (batch, y, x, date, channel)
        chosen = series.flatten(0, 2) if where is None else series[where]
        found = self.encoder.embed(self.reflectance(chosen), self.months)
        answer = self.head(found.T[None, ..., None])[0, ..., 0].T  # (pixel, ...)
        if where is None:
            return answer.unflatten(0, series.shape[:3]).permute(0, 3, 1, 2)
        image = answer.new_zeros(*where.shape, answer.shape[1])
        image[where] = answer
        return image.permute(0, 3, 1, 2)

    def reflectance(self, series: Tensor) -> Tensor:
        """Bands in the order of `ROLES` (pixel, date, band) of series (pixel, date, channel), NaN for those it lacks."""
        return series[..., self.bands.clamp_min(0)].masked_fill(self.bands < 0, torch.nan)


def bands_of(roles: dict[str, str], channels: tuple[str, ...]) -> Tensor:
    """The channel of each band of `ROLES` int64 (10,), -1 for one that is missing; `roles` as of `features.Inputs`.

    Raises `InputError` where red, green, blue or near infrared is missing, without which little of the encoder is left.
    """
    if missing := [role for role in ("blue", "green", "red", "nir") if role not in roles]:
        raise InputError(
            f"Galileo reads blue, green, red and near infrared; the scene has no {', '.join(missing)} among "
            f"{', '.join(channels)}.", "Read these bands too, or choose another model.", kind="scene.bands",
        )  # fmt: skip
    return torch.tensor([channels.index(roles[role]) if role in roles else -1 for role in ROLES])


def _after(layer: nn.Module, weight: Tensor, bias: Tensor) -> nn.Conv2d:
    """One 1 x 1 convolution that does what `layer`, such a convolution, and then an affine function do."""
    first = cast(nn.Conv2d, layer)
    inner, shift = first.weight[..., 0, 0].detach().double(), cast(Tensor, first.bias).detach().double()
    both = nn.Conv2d(inner.shape[1], len(weight), kernel_size=1)
    with torch.no_grad():
        both.weight.copy_((weight @ inner)[..., None, None])
        both.bias.copy_(weight @ shift + bias)  # type: ignore[union-attr]
    return both
