"""Normalisation of channels by percentiles of the training pixels."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .samples import Samples

#: Percentiles that become 0 and 1 (Pelletier et al., 2019).
QUANTILES = (2.0, 98.0)


@dataclass(frozen=True)
class Normaliser:
    """Scales each channel so that `low` becomes 0 and `high` 1, without clipping (Pelletier et al., 2019)."""

    low: Tensor  # float32 (channel,)
    high: Tensor  # float32 (channel,)
    quantiles: tuple[float, float] = QUANTILES  # what low and high are, per cent
    pixels: int = 0  # labelled pixels that they were taken from; 0: not known

    @classmethod
    def fit(cls, samples: Samples) -> "Normaliser":
        """Percentiles of each channel over the labelled pixels and all dates of `samples`: the training set.

        Raises `InputError` where no pixel is labelled.
        """
        values = samples.pixels().x.transpose(0, 1).flatten(1).numpy()
        if not values.size:
            raise InputError(
                "No labelled pixel to take the percentiles of.", "Check the training polygons.", kind="labels.empty"
            )
        low, high = np.nanpercentile(values, QUANTILES, axis=1).astype(np.float32)
        return cls(torch.from_numpy(low), torch.from_numpy(high), pixels=int((samples.label >= 0).sum()))

    def select(self, channels: list[int]) -> "Normaliser":
        """The normaliser of these channels alone, by their numbers."""
        return replace(self, low=self.low[channels], high=self.high[channels])

    def apply(self, x: Tensor) -> Tensor:
        """Scaled x (sample, channel, ...) on x's own device; what is not a number becomes 0."""
        shape = (1, -1, *(1,) * (x.ndim - 2))
        low, high = self.low.to(x.device).reshape(shape), self.high.to(x.device).reshape(shape)
        spread = torch.where(high > low, high - low, torch.ones_like(low))  # a constant channel becomes 0
        return ((x - low) / spread).nan_to_num(nan=0.0)

    def apply_in_place(self, values: np.ndarray) -> None:
        """As `apply`, on values float32 (channel, date, y, x) in memory, a date at a time: that stays in the cache."""
        for channel, low, high in zip(values, self.low.numpy(), self.high.numpy(), strict=True):
            spread = high - low if high > low else np.float32(1)
            for image in channel:
                np.subtract(image, low, out=image)
                np.divide(image, spread, out=image)
                if not np.isfinite(image).all():  # seldom, and replacing costs more than all else
                    np.nan_to_num(image, copy=False, nan=0.0)

    def to_dict(self) -> dict:
        """Plain numbers, for JSON."""
        return {
            "low": self.low.tolist(), "high": self.high.tolist(), "quantiles": list(self.quantiles),
            "pixels": self.pixels,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, content: dict) -> "Normaliser":
        """The inverse of `to_dict`."""
        low, high = (torch.tensor(content[name], dtype=torch.float32) for name in ("low", "high"))
        return cls(low, high, tuple(content["quantiles"]), content["pixels"])
