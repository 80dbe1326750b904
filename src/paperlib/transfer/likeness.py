"""Does a model travel? How much another scene looks like that of the training, to the model.

A sample of windows says what a scene looks like: mean and spread of every channel and day, the share of pixels beyond the
range of the training (`features.quantiles`), and the mean confidence of the model. The same sample of the training's own
scene, kept with the model, is what other scenes are compared with.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
import xarray as xr

from .. import devices
from ..features.quantiles import Quantiles
from ..mapping.inference import Engine
from ..training.classifier import Classifier
from .area import Area

#: Side in pixels of the windows that are read, and their rows and columns: few rows, since files are stored in lines.
SIDE, WINDOWS = 64, (3, 6)
#: Beyond these a scene is far from that of the training: more of its values beyond the range of the training than at home,
#: the distance of its series in standard deviations, more pixels outside the area of applicability than at home, and the
#: loss of mean confidence. Of benchmarks/results/travel.csv, landscapes and years to which models travel well differ by 0.01
#: at most in the first and 0.02 in the third; water on 8 % of a scene changes them by 0.05 and 0.07 where a model saw none.
FAR_OUTSIDE, FAR_DISTANCE, FAR_AREA, FAR_CONFIDENCE = 0.03, 0.5, 0.05, 0.05


@dataclass(frozen=True)
class SceneStatistics:
    """What a scene looks like to a model; arrays are float64 (channel, day)."""

    mean: np.ndarray
    spread: np.ndarray
    outside: np.ndarray  # share of pixels beyond the range of the training
    outside_area: float  # share of pixels outside the area of applicability
    confidence: float | None  # mean, from 0 to 1; None for a model of superpixels, which windows would cut
    pixels: int

    @classmethod
    def of(cls, classifier: Classifier, quantiles: Quantiles, area: Area, scene: xr.DataArray) -> Self:
        """Those of windows spread over a scene (band, time, y, x); of a small scene, all of it."""
        engine = None if classifier.model.needs_superpixels else Engine(classifier, devices.choose(None))
        halo, series, sure = classifier.halo, [], []
        for y, x in product(*(_parts(scene.sizes[dim], count) for dim, count in zip("yx", WINDOWS, strict=True))):
            values, usable = classifier.inputs.read_around(scene, y, x, halo)
            series.append(values[..., halo : values.shape[-2] - halo, halo : values.shape[-1] - halo][..., usable])
            if engine is not None and usable.any():
                sure.append(engine.classify(values)[1][usable])
        held = np.concatenate(series, axis=-1)
        index = area.index(classifier.normaliser.apply(torch.from_numpy(held)[None])[0])
        return cls(
            held.mean(-1, dtype=float), held.std(-1, dtype=float), quantiles.outside(held),
            float((index > area.threshold).mean()) if len(index) else float("nan"),
            float(np.concatenate(sure).mean()) if sure else None, held.shape[-1],
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, for JSON."""
        arrays = {name: getattr(self, name).tolist() for name in ("mean", "spread", "outside")}
        single = {name: getattr(self, name) for name in ("outside_area", "confidence", "pixels")}
        return {**single, **arrays}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        arrays = {name: np.array(content[name]) for name in ("mean", "spread", "outside")}
        return cls(**(content | arrays))


def _parts(length: int, count: int) -> list[slice]:
    """Up to `count` windows along a side, spread evenly; one for all of a side that they would cover."""
    if length <= count * SIDE:
        return [slice(0, length)]
    return [slice(start, start + SIDE) for start in np.linspace(0, length - SIDE, count + 2, dtype=int)[1:-1].tolist()]


@dataclass(frozen=True)
class Travel:
    """Another scene beside that of the training, as a model sees both."""

    channels: tuple[str, ...]
    days: tuple[float, ...]
    home: SceneStatistics
    there: SceneStatistics

    @property
    def distance(self) -> float:
        """Distance of the two mean series: root mean square over channels and days, in standard deviations at home."""
        spread = np.where(self.home.spread > 0, self.home.spread, np.inf)
        return float(np.sqrt((((self.there.mean - self.home.mean) / spread) ** 2).mean()))

    def table(self) -> pd.DataFrame:
        """Columns channel, day, outside, outside_home (shares of pixels), difference (of means, in deviations at home)."""
        index = pd.MultiIndex.from_product([self.channels, self.days], names=["channel", "day"])
        spread = np.where(self.home.spread > 0, self.home.spread, np.nan)
        columns = {
            "outside": self.there.outside, "outside_home": self.home.outside,
            "difference": (self.there.mean - self.home.mean) / spread,
        }  # fmt: skip
        return pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index).reset_index()

    def sentences(self, confidence: float | None = None) -> list[str]:
        """What was found, one line each; `confidence`: the mean of the whole map, once it is there."""
        worst = self.table().sort_values("outside", ascending=False).iloc[0]
        lines = [
            f"Beyond the range of the training: {100 * np.nanmean(self.there.outside):.1f} % of the values, "
            f"{100 * np.nanmean(self.home.outside):.1f} % in the scene of the training; most in {worst['channel']} on day "
            f"{worst['day']:.0f} of the year, {100 * worst['outside']:.1f} %.",
            f"Distance of the mean series from that of the training: {self.distance:.2f} standard deviations.",
            f"Outside the area of applicability: {100 * self.there.outside_area:.1f} % of the pixels, "
            f"{100 * self.home.outside_area:.1f} % in the scene of the training.",
        ]
        seen = self.there.confidence if confidence is None else confidence
        if seen is not None and self.home.confidence is not None:
            home = f"in the scene of the training {100 * self.home.confidence:.1f} %"
            lines.append(f"Mean confidence: {100 * seen:.1f} %, {home}.")
        return lines

    def warnings(self, confidence: float | None = None) -> list[str]:
        """Where the scene is far from that of the training, each with its number."""
        found = []
        more = float(np.nanmean(self.there.outside) - np.nanmean(self.home.outside))
        if more > FAR_OUTSIDE:
            found.append(f"{100 * more:.1f} % more of the values than at home lie beyond the range of the training")
        if self.distance > FAR_DISTANCE:
            found.append(f"the mean series lies {self.distance:.2f} standard deviations from that of the training")
        beyond = self.there.outside_area - self.home.outside_area
        if beyond > FAR_AREA:
            found.append(f"{100 * beyond:.1f} % more of the pixels than at home lie outside the area of applicability")
        seen = self.there.confidence if confidence is None else confidence
        if seen is not None and self.home.confidence is not None and self.home.confidence - seen > FAR_CONFIDENCE:
            found.append(f"the mean confidence is {100 * (self.home.confidence - seen):.1f} % lower than at home")
        return found
