"""A small network that imitates an encoder on the pixels of one scene: as fast as the TempCNN that it is.

It learns from pixels without labels, so that one imitation serves every set of labels of a scene.
"""

import warnings
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from .. import store
from ..allocation import one_thread
from ..errors import InputError, InputWarning
from ..features.inputs import Inputs
from ..features.normaliser import QUANTILES, Normaliser
from ..models.galileo import Encoded
from ..models.galileo_encoder import STEPS, WIDTH
from ..models.tempcnn import TempCNN
from ..scenes.windowing import windows
from .loop import learning_rate

#: Share of the pixels that are left out of the training, on which the imitation is judged.
LEFT_OUT = 0.1
#: Pixels a batch, pixels seen in all (each of 9,000 about 28 times), and the highest learning rate.
BATCH, SEEN, RATE = 256, 250_000, 1e-3
#: Share of the variance (R2) below which the encoder itself is used.
ENOUGH = 0.9
#: Side in pixels of the parts of a scene that are read, and how many are read of all tiles together.
PART, PARTS = 256, 64
FILE, FACTS = "imitation.safetensors", "imitation.json"


@dataclass(frozen=True)
class Imitation:
    """A network that gives embeddings (batch, 128, y, x), what it takes, and how well it imitates."""

    network: TempCNN | Encoded  # the encoder itself where no imitation is good enough
    normaliser: Normaliser  # of the channels, by the pixels of the scene; of the encoder one that changes nothing
    r2: float  # share of the variance of the embeddings that it explains, on pixels left out

    def start(self) -> TempCNN | Encoded:
        """A copy of the network, to go on with."""
        return deepcopy(self.network)

    def save(self, folder: Path) -> None:
        """Write what `load` reads; of the encoder itself only that it is used."""
        if isinstance(self.network, TempCNN):
            save_file(self.network.state_dict(), folder / FILE)
        store.write_json(folder / FACTS, {"r2": self.r2, "normaliser": self.normaliser.to_dict()})

    @classmethod
    def load(cls, folder: Path, encoded: Encoded, shape: tuple[int, int]) -> "Imitation":
        """What `save` wrote, of an imitation of `encoded`; `shape`: channels and dates. Warns where it is the encoder."""
        content = store.read_json(folder / FACTS)
        network: TempCNN | Encoded = encoded
        if content["r2"] >= ENOUGH:
            network = student(*shape)
            network.load_state_dict(load_file(folder / FILE))
            network.eval()
        else:
            _warn(content["r2"])
        return cls(network, Normaliser.from_dict(content["normaliser"]), content["r2"])


def student(channels: int, dates: int) -> TempCNN:
    """An untrained TempCNN that gives embeddings; without dropout, since it sees no noise to guard against."""
    return TempCNN(channels, dates, WIDTH, dropout=0)


def months_of(days: Sequence[float], first: str) -> Tensor:
    """The month (date,) of each day, January is 0; `days` as of `Inputs`, `first` the date of the first one."""
    dates = np.datetime64(f"{first[:4]}-01-01") + np.array([int(day) for day in days])
    return torch.from_numpy(dates.astype("datetime64[M]").astype(np.int64) % 12)


def draw_pixels(scenes: Iterable[xr.DataArray], inputs: Inputs, number: int, seed: int = 0) -> Tensor:
    """Pixels drawn at random from one or more scenes, float32 (pixel, channel, date), not normalised.

    Pixels without a usable date are left out. Of a large scene some parts of 256 pixels a side are read.
    """
    random, found = np.random.default_rng(seed), []
    scenes = list(scenes)
    share = -(-number // len(scenes))
    for scene in scenes:
        parts = list(windows((scene.sizes["y"], scene.sizes["x"]), PART))
        read = random.permutation(len(parts))[: max(1, PARTS // len(scenes))]
        sizes = np.array([_pixels(parts[index].core) for index in read])
        for index, wanted in zip(read, np.ceil(share * sizes / sizes.sum()).astype(int), strict=True):
            values = inputs.read(scene, *parts[index].core)
            series = values.reshape(*values.shape[:2], -1).transpose(2, 0, 1)
            series = series[~np.isnan(series).any((1, 2))]
            found.append(series[random.permutation(len(series))[:wanted]])
    pixels = np.concatenate(found)
    return torch.from_numpy(pixels[random.permutation(len(pixels))[:number]])


def _pixels(part: tuple[slice, slice]) -> int:
    return (part[0].stop - part[0].start) * (part[1].stop - part[1].start)


@one_thread()
def imitate(encoded: Encoded, pixels: Tensor, seed: int = 0) -> Imitation:
    """Train a network to give the embeddings of `encoded` on the pixels of a scene.

    Parameters
    ----------
    encoded: the encoder, with the bands and months of the scene.
    pixels: float32 (pixel, channel, date), reflectance and indices, not normalised.
    seed: of the weights, of the pixels left out and of the batches.

    The error is the mean square over embeddings that are standardised by these pixels; the network gives them as the
    encoder does. Raises `InputError` for a series of more dates than the encoder takes, and for fewer than 20 pixels.
    """
    if pixels.shape[2] > STEPS:
        raise InputError(
            f"Galileo reads at most {STEPS} dates; the scene has {pixels.shape[2]}.",
            "Read composites (--set scene.every=month), or choose another model.", kind="scene.dates",
        )  # fmt: skip
    if len(pixels) < 20:
        raise InputError(
            f"{len(pixels)} usable pixels are too few to imitate Galileo on.", "Use a larger scene.", kind="scene.small"
        )
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # of the weights
    low, high = np.nanpercentile(pixels.numpy(), QUANTILES, axis=(0, 2)).astype(np.float32)
    normaliser = Normaliser(torch.from_numpy(low), torch.from_numpy(high), pixels=len(pixels))
    with torch.inference_mode():
        target = encoded(pixels[..., None, None])[..., 0, 0]
    mean, deviation = target.mean(0), target.std(0).clamp_min(1e-12)
    order = torch.randperm(len(pixels), generator=generator)
    out, kept = order.tensor_split([max(1, round(LEFT_OUT * len(pixels)))])
    x, wanted = normaliser.apply(pixels)[..., None, None], (target - mean) / deviation
    network = student(*pixels.shape[1:])
    fit_embeddings(network, x[kept], wanted[kept].clone(), generator)
    with torch.inference_mode():
        found = network(x[out])[..., 0, 0]
    rest = (found - wanted[out]).square().sum() / (wanted[out] - wanted[out].mean(0)).square().sum()
    with torch.no_grad():  # give embeddings as the encoder does, not standardised
        last = network.head[-1]
        last.weight.mul_(deviation[:, None, None, None])  # type: ignore[operator, union-attr]
        last.bias.mul_(deviation).add_(mean)  # type: ignore[operator, union-attr]
    r2 = float(1 - rest)
    if r2 >= ENOUGH:
        return Imitation(network, normaliser, r2)
    return Imitation(encoded, replace(normaliser, low=0 * normaliser.low, high=0 * normaliser.high + 1), r2)


def fit_embeddings(
    network: TempCNN, x: Tensor, wanted: Tensor, generator: torch.Generator, seen: int | None = None
) -> None:
    """Fit the outputs of a network to `wanted` (pixel, number) on x (pixel, channel, date, 1, 1); `seen`: pixels in all."""
    batch = min(BATCH, len(x))
    steps = -(-(seen or SEEN) // batch)
    optimiser = torch.optim.Adam(network.parameters())
    order = torch.empty(0, dtype=torch.int64)
    network.train()
    for rate in RATE * learning_rate(np.arange(steps) / steps):
        if len(order) < batch:
            order = torch.randperm(len(x), generator=generator)
        part, order = order[:batch], order[batch:]
        optimiser.param_groups[0]["lr"] = float(rate)
        optimiser.zero_grad(set_to_none=True)
        functional.mse_loss(network(x[part])[..., 0, 0], wanted[part]).backward()
        optimiser.step()
    network.eval()


def _warn(r2: float) -> None:
    warnings.warn(
        InputWarning(
            f"A small network explains {r2:.2f} of Galileo's embeddings of this scene, less than {ENOUGH}: Galileo itself "
            "is used, which maps some hundred pixels a second.",
            "Map a part of the scene, or raise --set train.imitated.", kind="training.imitation",
        ),
        stacklevel=3,
    )  # fmt: skip
