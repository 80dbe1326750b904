"""A region: its tiles, opened as they are needed, and what all of them share."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
import xarray as xr
from pyproj import Transformer
from rasterio.crs import CRS

from ..errors import Finding, InputError
from ..features.inputs import Inputs
from ..scenes.meaning.choices import keywords_of
from ..scenes.rasters import Grid
from ..scenes.scene import open_scene
from ..settings import Scene
from .tiles import find_tiles

#: Scenes that stay open.
OPEN = 4
#: Series whose middles are so many days apart are of different years.
YEAR = 183
#: Parts of each side of a tile, whose straight lines are none in another CRS.
VERTICES = 20


class Region:
    """The tiles of a region.

    Parameters
    ----------
    path: as `tiles.find_tiles` takes it.
    choices: how each tile is read; `path` and `polygons` are not used.
    mixed_years: whether tiles may be of different years.

    Raises `InputError` for a path without tiles. Tiles are opened when something of them is asked for.
    """

    def __init__(self, path: str | Path, choices: Scene | None = None, mixed_years: bool = False):
        self.path, self.choices, self.mixed_years = Path(path), choices or Scene(), mixed_years
        self.tiles = {tile.name: tile for tile in find_tiles(path)}
        if not self.tiles:
            raise InputError(
                f"{path} is no region of several tiles.",
                "Give a folder with one sub-folder a tile, or a YAML list of tiles.", kind="region.format",
            )  # fmt: skip
        self._opened = lru_cache(OPEN)(self._open)

    def __getstate__(self) -> dict:
        """What another process gets: what the headers say, and no open scene."""
        return {name: value for name, value in self.__dict__.items() if name != "_opened"}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._opened = lru_cache(OPEN)(self._open)

    def scene(self, name: str) -> xr.DataArray:
        """The lazy series (band, time, y, x) of a tile."""
        return self._opened(name)

    def _open(self, name: str) -> xr.DataArray:
        return open_scene(self.tiles[name].path, **keywords_of(self.choices))

    @cached_property
    def grids(self) -> dict[str, Grid]:
        """The grid of each tile."""
        return {name: facts[0] for name, facts in self._facts.items()}

    @cached_property
    def times(self) -> dict[str, pd.DatetimeIndex]:
        """The dates of each tile."""
        return {name: facts[1] for name, facts in self._facts.items()}

    @cached_property
    def _facts(self) -> dict[str, tuple[Grid, pd.DatetimeIndex, xr.DataArray]]:
        """Grid, dates, and a corner without data of each tile: what its headers say, so that each is opened once."""
        facts = {}
        for name in self.tiles:
            scene = self.scene(name)
            grid = Grid(scene.rio.crs, scene.rio.transform(), scene.sizes["y"], scene.sizes["x"])
            corner = scene.drop_vars("mask", errors="ignore").isel(y=slice(2), x=slice(2))
            empty = corner.copy(data=np.zeros(corner.shape, np.uint8))
            facts[name] = grid, pd.DatetimeIndex(scene.indexes["time"]), empty
        return facts

    @cached_property
    def crs(self) -> CRS:
        """The CRS of most tiles; of equally many, that of the first."""
        return Counter(grid.crs for grid in self.grids.values()).most_common(1)[0][0]

    @cached_property
    def reference(self) -> str:
        """The tile with the most dates, whose days and bands are those of the region; of equally many, the first."""
        return max(self.tiles, key=lambda name: len(self.times[name]))

    @cached_property
    def inputs(self) -> Inputs:
        """What is read of every tile: bands and days of the reference, to which other series are interpolated.

        Raises `InputError` for the first error of `problems`; of the rest, maps and the pre-flight warn.
        """
        for finding in self.problems():
            if finding.level == "error":
                problem = f"{finding.subject}: {finding.value}."
                raise InputError(problem, finding.fix, kind=finding.kind, place=finding.place)
        return Inputs.of(self._facts[self.reference][2])

    def footprints(self, crs: CRS) -> dict[str, shapely.Polygon]:
        """The outline of each tile in a CRS."""
        return {name: footprint(grid, crs) for name, grid in self.grids.items()}

    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of all tiles in `crs`."""
        left, bottom, right, top = shapely.total_bounds(list(self.footprints(self.crs).values())).tolist()
        return left, bottom, right, top

    def problems(self) -> list[Finding]:
        """What keeps the tiles from being one region (errors), or makes it worse (warnings); errors first."""
        findings = [*self._repeated(), *self._years()]
        inputs = Inputs.of(self._facts[self.reference][2])
        for name, (_, _, headers) in self._facts.items():
            for finding in inputs.problems(headers):
                subject = f"tile {name}, {finding.subject}"
                value = f"{finding.value} (the region has those of tile {self.reference})"
                findings.append(replace(finding, subject=subject, value=value))
        return sorted(findings, key=lambda finding: finding.level)

    def _repeated(self) -> list[Finding]:
        seen: dict[Grid, str] = {}
        findings = []
        for name, grid in self.grids.items():
            other = seen.setdefault(grid, name)
            if other != name:
                findings.append(
                    Finding(
                        "error", f"tiles {other} and {name}", "they have the same place and size: one tile twice",
                        f"{self.tiles[other].path}, {self.tiles[name].path}",
                        "Take one away; dates of one tile belong into one folder.", "region.twice",
                    )
                )  # fmt: skip
        return findings

    def _years(self) -> list[Finding]:
        middles = {name: times[0] + (times[-1] - times[0]) / 2 for name, times in self.times.items()}
        first, last = (pick(middles, key=middles.__getitem__) for pick in (min, max))
        if self.mixed_years or (middles[last] - middles[first]).days <= YEAR:
            return []
        spans = " and ".join(f"{name} {self.times[name][0]:%Y-%m-%d} to {self.times[name][-1]:%Y-%m-%d}"
                             for name in (first, last))  # fmt: skip
        return [
            Finding(
                "error", "years", f"tiles are of different years: {spans}", str(self.path),
                "Give tiles of one year, or say that it is meant with --mixed-years.", "region.years",
            )
        ]  # fmt: skip


def footprint(grid: Grid, crs: CRS) -> shapely.Polygon:
    """The outline of a grid in another CRS, with vertices along its sides."""
    left, bottom, right, top = grid.bounds
    outline = shapely.segmentize(shapely.box(left, bottom, right, top), max(right - left, top - bottom) / VERTICES)
    if grid.crs == crs:
        return shapely.box(left, bottom, right, top)
    return shapely.transform(outline, _to(grid.crs, crs))


@lru_cache(64)
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def _to(source: CRS, target: CRS) -> Callable[[np.ndarray], np.ndarray]:
    transformer = _transformer(source.to_wkt(), target.to_wkt())
    return lambda places: np.column_stack(transformer.transform(places[:, 0], places[:, 1]))


def neighbours(grids: dict[str, Grid]) -> dict[str, dict[str, shapely.Polygon]]:
    """For each tile the tiles that overlap it, with the overlap in the tile's own CRS; it may be of no area.

    Tiles are compared in degrees by their bounds first, so that a thousand of them take seconds.
    """
    names, degrees = list(grids), CRS.from_epsg(4326)
    outlines = [footprint(grid, degrees) for grid in grids.values()]
    found: dict[str, dict[str, shapely.Polygon]] = {name: {} for name in names}
    for one, other in shapely.STRtree(outlines).query(outlines, predicate="intersects").T.tolist():
        if one != other:
            here = grids[names[one]]
            overlap = shapely.box(*here.bounds).intersection(footprint(grids[names[other]], here.crs))
            if overlap.area > 0:
                found[names[one]][names[other]] = overlap
    return found
