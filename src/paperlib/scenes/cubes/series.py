"""The series of a cube: reflectance and mask of windows, from the stored values of its variables."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..meaning.values import Meaning
from ..quality import Rule
from ..rasters import is_nodata
from .variables import Variable


class BandSource(NamedTuple):
    """A band of a cube: its variable, its number there (None for a variable of one band), and what values mean."""

    variable: Variable
    number: int | None
    meaning: Meaning


class CubeSeries:
    """Series of the variables of a cube, at some of its dates; see `series.Series`.

    `order`: the places in the cube of the dates of this series. `quality`: quality layers, with the rule of each.
    `dated`: whether the user's offset concerns a date of the cube (default: all); of others the file's own counts.
    """

    def __init__(
        self, bands: Sequence[BandSource], quality: Sequence[tuple[Variable, int | None, Rule]], order: Sequence[int],
        dated: Sequence[bool] = (),
    ):  # fmt: skip
        self.bands, self.quality, self.order = list(bands), list(quality), list(order)
        self.undated = [not dated[index] for index in self.order] if dated and not all(dated) else []

    def read(self, y: slice, x: slice, out: np.ndarray) -> np.ndarray:
        """As `series.Series` says."""
        bands, dates = (slice(0, size) for size in out.shape[:2])
        self._fill(bands, dates, y, x, out)
        return self._mask(out, dates, y, x)

    def values(self, band: slice, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        out = np.empty([part.stop - part.start for part in (band, time, y, x)], np.float32)
        self._fill(band, time, y, x, out)
        return out

    def mask(self, time: slice, y: slice, x: slice) -> np.ndarray:
        """As `series.Series` says."""
        return self._mask(self.values(slice(0, len(self.bands)), time, y, x), time, y, x)

    def saturated(self, y: slice, x: slice) -> list[float]:
        """Share of a window's stored values that are saturated, by date; a nodata value does not count."""
        counts = []
        for source in self.bands:
            raw = _read(source.variable, [source.number], slice(0, len(self.order)), y, x)[0]
            high = source.meaning.valid[1]
            bad = np.zeros(raw.shape, bool) if high is None else (raw >= high) & (raw != source.meaning.nodata)
            counts.append(bad.mean(axis=(1, 2)))
        return np.mean(counts, axis=0).tolist()

    def _fill(self, band: slice, time: slice, y: slice, x: slice, out: np.ndarray) -> None:
        whole: dict[int, list[int]] = {}
        for place, source in enumerate(self.bands[band]):
            whole.setdefault(id(source.variable), []).append(place)
        for places in whole.values():
            sources = [self.bands[band][place] for place in places]
            for start, stop, wanted in _runs(self.order[time]):
                raw = _read(sources[0].variable, [s.number for s in sources], slice(start, stop), y, x)
                for image, place, source in zip(raw, places, sources, strict=True):
                    _write_reflectance(image, source.meaning, out[place, wanted[0] : wanted[-1] + 1])
        if self.undated:
            others = np.flatnonzero(self.undated[time])
            for image, source in zip(out, self.bands[band], strict=True):
                image[others] += np.float32(source.meaning.undated - source.meaning.offset)

    def _mask(self, values: np.ndarray, time: slice, y: slice, x: slice) -> np.ndarray:
        out = np.isnan(values).any(axis=0)
        for variable, number, rule in self.quality:
            if "time" not in variable.dims:
                out |= rule.unusable(_read(variable, [number], slice(None), y, x)[0])
                continue
            for start, stop, wanted in _runs(self.order[time]):
                out[wanted] |= rule.unusable(_read(variable, [number], slice(start, stop), y, x)[0])
        return out


def _runs(order: Sequence[int]) -> list[tuple[int, int, list[int]]]:
    """Runs of stored dates that lie side by side: first, last + 1, and the places of the series that they fill."""
    runs: list[tuple[int, int, list[int]]] = []
    for place, stored in enumerate(order):
        if runs and stored == runs[-1][1]:
            runs[-1] = (runs[-1][0], stored + 1, [*runs[-1][2], place])
        else:
            runs.append((stored, stored + 1, [place]))
    return runs


def _read(variable: Variable, numbers: Sequence[int | None], time: slice, y: slice, x: slice) -> np.ndarray:
    """Stored values (band, time, y, x) of bands of one variable; without time where the variable has none."""
    if "band" not in variable.dims:
        return variable.read(time=time, y=y, x=x)[None]
    return variable.read(band=[number or 0 for number in numbers], time=time, y=y, x=x)


def _write_reflectance(raw: np.ndarray, meaning: Meaning, out: np.ndarray) -> None:
    """Reflectance of stored values into out, both of one shape; NaN where they hold nothing."""
    out[...] = raw  # then in place: faster than a division that converts
    low, high = meaning.valid
    empty = is_nodata(raw, meaning.nodata)
    if low is not None:
        empty = empty | (raw <= low)
    if high is not None:
        empty = empty | (raw >= high)
    if meaning.divisor != 1:
        out /= np.float32(meaning.divisor)
    if meaning.offset:
        out += np.float32(meaning.offset)
    if empty.any():
        np.copyto(out, np.nan, where=empty)
