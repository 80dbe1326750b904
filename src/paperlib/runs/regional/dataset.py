"""A region and its polygons, as samples: each tile gives those of its own polygons."""

from functools import cached_property
from pathlib import Path

import geopandas as gpd
import pandas as pd
import xarray as xr

from ... import models, store
from ...errors import InputError
from ...features.inputs import Inputs
from ...features.patches import extract
from ...features.samples import Samples, join
from ...features.superpixels import extract_superpixels, segment_scene
from ...labels import burn, load_polygons, pixel_counts, pixel_of
from ...mapping.scene_maps import read_map
from ...regions.alike import find_alike_in
from ...regions.assignment import assign, in_tile
from ...regions.region import Region
from ...scenes.meaning.judging import refuse_values
from .. import keys
from ..dataset import SETS, Dataset
from . import tile_keys


class RegionDataset(Dataset):
    """The tiles of a region and the polygons on them; as `Dataset`, for a scene that consists of several.

    `polygons` are those of the whole region, in `region.crs`, with the tile of each; samples come from all tiles. `scene`,
    `burned` and `window` show one of them, the tile `shown`.
    """

    @cached_property
    def region(self) -> Region:
        """The tiles."""
        chosen = self.settings
        return Region(chosen.scene.path, chosen.scene, chosen.region.mixed_years)

    @cached_property
    def shown(self) -> str:
        """The tile that figures show: of those in the region's CRS, the one with the most test polygons."""
        counts = self.polygons.query("set == 'test'")["tile"].value_counts()
        here = [name for name, grid in self.region.grids.items() if grid.crs == self.region.crs]
        return max(here, key=lambda name: counts.get(name, 0))

    @property
    def scene(self) -> xr.DataArray:  # type: ignore[override]
        """The lazy series (band, time, y, x) of the tile that is shown."""
        return self.region.scene(self.shown)

    @property
    def tiles(self) -> list[str]:
        """Names of the tiles."""
        return list(self.region.tiles)

    def tile_scene(self, name: str) -> xr.DataArray:
        """The lazy series (band, time, y, x) of a tile."""
        return self.region.scene(name)

    @cached_property
    def inputs(self) -> Inputs:
        """What is read of every tile; see `Region.inputs`."""
        return self.region.inputs

    @cached_property
    def dates(self) -> list[str]:
        """Dates of the samples, like "2018-07-08": those of the tile to whose days the others are interpolated."""
        return [f"{date:%Y-%m-%d}" for date in self.region.times[self.region.reference]]

    def __getstate__(self) -> dict:
        """What a worker process gets: the polygons with their tiles, and what the headers of the tiles say."""
        carried = {name: getattr(self, name) for name in ("region", "polygons", "legend", "inputs", "dates")}
        fitted = {"normaliser": self.normaliser} if "samples" in self.__dict__ else {}
        return {"settings": self.settings, "store": self.store} | carried | fitted

    def _pool(self) -> gpd.GeoDataFrame:
        """The polygons before they are divided, in groups, each with its tile."""
        region = self.region
        _ = self.inputs  # tiles that do not go together are an error before anything is read of them
        place = {"crs": region.crs, "bounds": region.bounds(), "pixel": pixel_of(region.scene(region.reference))}
        with self._quiet():
            return self._placed(load_polygons(self.settings.scene.polygons, **place, options=self.settings.labels))

    def _placed(self, polygons: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Polygons with their tiles, in groups."""
        region = self.region

        def make(folder: Path) -> None:
            assigned = assign(polygons, region)
            store.write_json(folder / "tiles.json", assigned[["polygon_id", "tile"]].to_dict("list"))

        folder = self._find_or_make("pairs", "tiles", keys.pairs_key(self.settings), make)
        assigned = store.read_json(folder / "tiles.json")
        tiles = polygons["polygon_id"].map(dict(zip(assigned["polygon_id"], assigned["tile"], strict=True)))
        kept = tiles.notna()  # the others were named when the tiles were found
        return self._keep_together(polygons.assign(tile=tiles)[kept].reset_index(drop=True))

    def _find_alike(self, pool: gpd.GeoDataFrame, folder: Path) -> None:
        """Write the pairs of polygons that show one object, also across tiles; a date that a tile lacks is a gap."""
        find_alike_in(self.region, pool, self.settings.labels.near).save(folder / "pairs.json")

    @property
    def burned(self) -> xr.Dataset:  # type: ignore[override]
        """Label and polygon number of every labelled pixel (y, x) of the tile that is shown."""
        return self._burned(self.shown)

    def _burned(self, name: str) -> xr.Dataset:
        scene = self.region.scene(name)
        return burn(in_tile(self.polygons, name, scene), scene, self.legend)

    # -- samples -------------------------------------------------------------------------------------------------------

    @cached_property
    def labelled(self) -> list[str]:
        """Names of the tiles that have polygons."""
        return sorted(self.polygons["tile"].unique())

    def tile_samples(self, name: str) -> dict[str, Samples]:
        """Samples in patches of the polygons of one tile, by set; a set without polygons there is missing."""

        def make(folder: Path) -> None:
            scene, burned = self.region.scene(name), self._burned(name)
            refuse_values(scene)
            polygons = in_tile(self.polygons, name, scene)
            for part, mine in polygons.groupby("set"):
                samples = extract(
                    scene, burned, mine.reset_index(drop=True), self.settings.sample.patch, models.reach(), self.inputs
                )
                samples.save(folder / f"{part}.safetensors")

        folder = self._find_or_make("samples", f"tile-{name}", tile_keys.samples_key(self, name), make)
        files = {part: folder / f"{part}.safetensors" for part in SETS}
        return {part: Samples.load(file) for part, file in files.items() if file.is_file()}

    def tile_samples_place(self, name: str) -> Path:
        """Folder of the samples of a tile, which exists where they are made."""
        return store.place(self.store, "samples", f"tile-{name}", tile_keys.samples_key(self, name))

    def _extract(self, folder: Path) -> None:
        parts = [self.tile_samples(name) for name in self.labelled]
        for part in SETS:
            join([samples[part] for samples in parts if part in samples]).save(folder / f"{part}.safetensors")

    def tile_of_polygon(self) -> pd.Series:
        """The name of the tile of each polygon_id."""
        return self.polygons.set_index("polygon_id")["tile"]

    # -- superpixels ---------------------------------------------------------------------------------------------------

    def _segment(self, folder: Path) -> None:
        for name in self.labelled:
            segment_scene(self.region.scene(name), self.normaliser, folder / f"{name}.tif", inputs=self.inputs)

    @property
    def superpixels(self) -> xr.DataArray:  # type: ignore[override]
        """Number of the superpixel of every pixel, lazy (y, x), of the tile that is shown."""
        return read_map(self.superpixels_folder / f"{self.shown}.tif")

    def _extract_superpixels(self, folder: Path) -> None:
        found: dict[str, list[Samples]] = {part: [] for part in SETS}
        for name in self.labelled:
            scene, burned = self.region.scene(name), self._burned(name)
            numbers = read_map(self.superpixels_folder / f"{name}.tif")
            for part, mine in in_tile(self.polygons, name, scene).groupby("set"):
                found[part].append(extract_superpixels(scene, burned, numbers, mine, inputs=self.inputs))
        for part, samples in found.items():
            join(samples).save(folder / f"{part}.safetensors")

    # -- tables --------------------------------------------------------------------------------------------------------

    def pixel_counts(self) -> pd.DataFrame:
        """Polygons and labelled pixels by class and set, of all tiles; see `labels.pixel_counts`."""
        counts = None
        for name in self.labelled:
            mine = in_tile(self.polygons, name, self.region.scene(name))
            table = pixel_counts(self._burned(name), mine.assign(group=mine["polygon_id"]), self.legend)
            table = table.set_index(["code", "class_name", "set"])
            counts = table if counts is None else counts + table
        if counts is None:
            raise InputError("No polygon lies in a tile.", "Give polygons of this region.", kind="labels.outside")
        return counts.reset_index()
