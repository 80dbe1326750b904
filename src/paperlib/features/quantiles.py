"""Quantiles of every channel and day in training, and how many values of another place lie beyond them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .samples import Samples

#: Levels that are kept; the first and the last are the range of the training.
LEVELS = (0.01, 0.02, 0.05, 0.25, 0.5, 0.75, 0.95, 0.98, 0.99)


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of the labelled training pixels, not normalised."""

    channels: tuple[str, ...]
    days: tuple[float, ...]  # as of `Inputs`
    values: np.ndarray  # float32 (level, channel, day)
    levels: tuple[float, ...] = LEVELS

    @classmethod
    def fit(cls, samples: Samples, days: Sequence[float]) -> "Quantiles":
        """Those of the labelled pixels of samples that are not normalised."""
        series = samples.pixels().x[..., 0, 0].numpy()
        return cls(samples.channels, tuple(days), np.nanquantile(series, LEVELS, axis=0).astype(np.float32))

    def outside(self, values: np.ndarray) -> np.ndarray:
        """Share of pixels beyond the range of the training, (channel, day), of float (channel, day, pixel).

        Pixels without a value do not count; NaN where there are no others.
        """
        low, high = self.values[0, ..., None], self.values[-1, ..., None]
        held = ~np.isnan(values)
        with np.errstate(invalid="ignore"):
            return (held & ((values < low) | (values > high))).sum(-1) / held.sum(-1)

    def frame(self) -> pd.DataFrame:
        """One row a channel and day: columns channel, day, then the quantiles, as 0.01."""
        index = pd.MultiIndex.from_product([self.channels, self.days], names=["channel", "day"])
        table = self.values.reshape(len(self.levels), -1).T
        return pd.DataFrame(table, index=index, columns=[f"{level:g}" for level in self.levels]).reset_index()

    @classmethod
    def of_frame(cls, table: pd.DataFrame) -> "Quantiles":
        """The inverse of `frame`."""
        channels, days = tuple(table["channel"].unique()), tuple(table["day"].unique().astype(float).tolist())
        columns = [name for name in table.columns if name not in ("channel", "day")]
        values = table[columns].to_numpy(np.float32).T.reshape(len(columns), len(channels), len(days))
        return cls(channels, days, values, tuple(map(float, columns)))
