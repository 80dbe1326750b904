"""Layers of raster files, whatever named them, as one lazy array: the common end of stacks, loose files and products."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
import xarray as xr
from affine import Affine

from ...errors import InputError
from ..meaning.choices import Choices
from ..meaning.mixed import shared_roles
from ..meaning.names import Plan, plan_bands
from ..meaning.values import (
    SATURATED,
    Meaning,
    float_divisor,
    meaning_of,
    possible_nodata,
    probability_rule,
    sample_places,
    warn_of_probability,
)
from ..quality import CLOUD_NAMES, VALID, Rule, letters
from ..rasters import Grid, Header, RasterFile, keep_open, read_header
from ..series import Layer, QualityLayer, RasterSeries, Values
from ..shaping.finish import finish_scene
from .remote import opener_of

#: Resampled values below this are between reflectance and an undeclared -9999, not reflectance.
BETWEEN = -2000.0


@dataclass(frozen=True)
class LayerSource:
    """Where one layer of a scene lies, and what is known of it before its file is opened."""

    path: Path | str  # a text is an address, as remote.py takes it
    index: int  # from 1
    time: pd.Timestamp
    name: str  # of the band or quality layer, as the files have it
    default: tuple[float, float] | None = None  # gain and offset of the product, where the file declares none
    nodata: float | None = None  # of the product, where the file declares none


def open_layers(
    sources: Sequence[LayerSource], choices: Choices, sensor: str, product: str, where: str, unnamed: bool = False
) -> xr.DataArray:
    """The lazy array of `scene.open_scene` of these layers. Reads headers only, and of floats a few windows.

    `unnamed`: whether dates and bands of the layers are assumed by their order.

    Raises `InputError` for a band that lacks at a date, and as `names.plan_bands` does.
    """
    plan = plan_bands(list(dict.fromkeys(source.name for source in sources)), choices.bands, where, sensor)
    wanted = set(plan.sources) | set(plan.quality)
    sources = [source for source in sources if source.name in wanted]
    headers = {
        path: read_header(path, True, opener_of(path)) for path in dict.fromkeys(source.path for source in sources)
    }
    acquisitions = _acquisitions(sources, plan, where)
    grid = common_grid({source.path: headers[source.path] for source in sources if source.name in plan.sources})
    builder = _Builder(headers, grid, choices, plan)
    row_bytes = sum(
        header.dtype.itemsize * header.layers * header.grid.width * abs(grid.transform.e / header.grid.transform.e)
        for header in headers.values()
        if header.grid.transform.e
    )
    keep_open(len(headers))
    layers = [[builder.layer(found[name]) for name in plan.sources] for found in acquisitions]
    quality = [builder.quality(found) for found in acquisitions]
    times = pd.DatetimeIndex([next(iter(found.values())).time for found in acquisitions])
    if headers[sources[0].path].dtype.kind == "f" and not builder.declared:
        series = RasterSeries(layers, quality, row_bytes)
        shape = (len(plan.bands), len(times), grid.height, grid.width)
        divisor = float_divisor(series, shape, plan.bands, plan.sensor, where)
        layers = [[layer._replace(divisor=divisor) for layer in date] for date in layers]
    return finish_scene(
        lambda order: RasterSeries([layers[t] for t in order], [quality[t] for t in order], row_bytes),
        plan.bands, times, grid, choices, builder.about(layers, sources[0].path, unnamed),
        source=where, product=product, resampling=choices.resampling,
        scale=layers[0][0].divisor, sensor=plan.sensor,
    )  # fmt: skip


def join_sensors(found: Mapping[str, Sequence[LayerSource]], where: str) -> list[LayerSource]:
    """Layers of each sensor as those of one series, under the names of the roles that sensors share where they differ."""
    names = shared_roles({sensor: {source.name for source in sources} for sensor, sources in found.items()}, where)
    pairs = [((sensor, source.name), source) for sensor, sources in found.items() for source in sources]
    return [replace(source, name=names.get(key, source.name)) for key, source in pairs if key in names or not names]


def _acquisitions(sources: Sequence[LayerSource], plan: Plan, where: str) -> list[dict[str, LayerSource]]:
    """Layers by name of each acquisition; of one time there are several where a name comes several times."""
    found: dict[pd.Timestamp, list[dict[str, LayerSource]]] = {}
    for source in sources:
        places = found.setdefault(source.time, [])
        place = next((place for place in places if source.name not in place), None)
        if place is None:
            place = {}
            places.append(place)
        place[source.name] = source
    acquisitions = [place for time in sorted(found) for place in found[time]]
    for name, band in zip(plan.sources, plan.bands, strict=True):
        lacking = [place for place in acquisitions if name not in place]
        if lacking:
            dates = ", ".join(f"{next(iter(place.values())).time:%Y-%m-%d}" for place in lacking[:5])
            beside = next(iter(lacking[0].values())).path
            others = [other for other in plan.bands if other != band]
            raise InputError(
                f"{where}: band {band} is missing at {dates} (beside {beside}).",
                "Get it, take that date away"
                + (f", or leave the band out with --bands {','.join(others)}." if others else "."),
                kind="scene.bands",
            )
    return acquisitions


class _Builder:
    """Files opened once each, with the layers and quality layers that lie in them."""

    def __init__(self, headers: dict[Path | str, Header], grid: Grid, choices: Choices, plan: Plan):
        self.headers, self.grid, self.choices, self.plan = headers, grid, choices, plan
        self.declared = False
        self._files: dict[tuple, RasterFile] = {}
        self._rules: dict[str, Rule] = {}

    def layer(self, source: LayerSource) -> Layer:
        header = self.headers[source.path]
        gain, offset = (
            values[source.index - 1] if len(values) >= source.index else None
            for values in (header.scales, header.offsets)
        )
        nodata = possible_nodata(header.nodatas[source.index - 1], header.dtype)
        nodata = source.nodata if nodata is None else nodata
        (choice,) = self.choices.at(pd.DatetimeIndex([source.time]))
        meaning = meaning_of(header.dtype, gain, offset, nodata, choice, str(source.path), source.default)
        if (header.masked or header.alpha) and header.nodata is None and choice.nodata is None:
            meaning = meaning._replace(nodata=None if header.dtype.kind == "u" else meaning.nodata)
        self.declared |= meaning.declared
        return Layer(self._file(source.path, meaning), source.index, meaning.divisor, meaning.offset)

    def quality(self, found: dict[str, LayerSource]) -> list[QualityLayer]:
        layers = [
            QualityLayer(self._quality_file(source.path), source.index, self._rule(name, source))
            for name, source in found.items()
            if name in self.plan.quality
        ]
        bands = dict.fromkeys(source.path for name, source in found.items() if name in self.plan.sources)
        masked = [(path, 0) for path in bands if self.headers[path].masked]
        masked += [(path, alpha) for path in bands if (alpha := self.headers[path].alpha)]
        return layers + [QualityLayer(self._quality_file(path), index, VALID) for path, index in masked]

    def _rule(self, name: str, source: LayerSource) -> Rule:
        """The rule of a quality layer; a layer of clouds may hold their probability, as its first date tells."""
        if name not in self._rules:
            rule = self.plan.quality[name]
            if letters(name) in CLOUD_NAMES and rule.kind == "bad":
                file, places = self._quality_file(source.path), sample_places(self.grid.height, self.grid.width)
                held = [np.ravel(file.read([source.index], *place)[0]) for place in places]
                if found := probability_rule(np.concatenate(held)):
                    warn_of_probability(str(source.path))
                    rule = found
            self._rules[name] = rule.with_values(self.choices.mask_classes)
        return self._rules[name]

    def about(self, layers: Sequence[Sequence[Layer]], path: Path | str, unnamed: bool) -> Values:
        header = self.headers[path]
        zero = (
            header.dtype.kind == "u"
            and possible_nodata(header.nodata, header.dtype) is None
            and self.choices.nodata is None
            and not (header.masked or header.alpha)
        )

        def saturated() -> list[float]:
            places = sample_places(self.grid.height, self.grid.width, across=2)
            return [float(np.mean([_saturated(layer, place) for layer in date for place in places])) for date in layers]

        high = any(layer.file.high == SATURATED for date in layers for layer in date)
        said = self.choices.says_values
        return Values(str(header.dtype), self.declared or said, said, zero, unnamed, saturated if high else None)

    def _file(self, path: Path | str, meaning: Meaning) -> RasterFile:
        key = path, meaning.nodata, meaning.valid
        if key not in self._files:
            same, (low, high) = self.headers[path].grid == self.grid, meaning.valid
            low = low if same or low is None or self.headers[path].dtype.kind == "f" else BETWEEN
            grid, resampling = (None, "nearest") if same else (self.grid, self.choices.resampling)
            self._files[key] = RasterFile(path, meaning.nodata, grid, resampling, (low, high), opener_of(path))
        return self._files[key]

    def _quality_file(self, path: Path | str) -> RasterFile:
        if (path,) not in self._files:
            same = self.headers[path].grid == self.grid
            grid, nodata = (None, None) if same else (self.grid, 0)
            self._files[path,] = RasterFile(path, nodata, grid, "nearest", opener=opener_of(path))
        return self._files[path,]


def _saturated(layer: Layer, place: tuple[slice, slice]) -> float:
    """Share of a window's stored values that are saturated; a nodata value does not count."""
    high = layer.file.high
    raw = layer.file.read([layer.number], *place)[0]
    return 0.0 if high is None else float(((raw >= high) & (raw != layer.file.nodata)).mean())


def common_grid(headers: Mapping[Any, Header]) -> Grid:
    """The grid that the files are read on: that of the smallest pixels and the commonest CRS, over all of them.

    Raises `InputError` for files that do not overlap at all.
    """
    grids = [header.grid for header in headers.values()]
    crs = Counter(grid.crs.to_wkt() for grid in grids).most_common(1)[0][0]
    mine = [grid for grid in grids if grid.crs.to_wkt() == crs]
    finest = min(abs(grid.transform.determinant) for grid in mine)
    fine = [grid for grid in mine if abs(grid.transform.determinant) <= finest * (1 + 1e-6)]
    first = Counter(fine).most_common(1)[0][0]
    if all(grid == first for grid in fine) and len(mine) == len(grids):
        return first
    step = first.transform
    if step.b or step.d or step.e > 0:
        return first
    bounds = [
        grid.bounds if grid.crs == first.crs else rasterio.warp.transform_bounds(grid.crs, first.crs, *grid.bounds)
        for grid in grids
    ]
    west, south, east, north = (
        f(values) for f, values in zip((min, min, max, max), zip(*bounds, strict=True), strict=True)
    )
    left, top = np.floor((west - step.c) / step.a + 1e-3), np.floor((north - step.f) / step.e + 1e-3)
    right, bottom = np.ceil((east - step.c) / step.a - 1e-3), np.ceil((south - step.f) / step.e - 1e-3)
    return Grid(first.crs, step @ Affine.translation(left, top), int(bottom - top), int(right - left))
