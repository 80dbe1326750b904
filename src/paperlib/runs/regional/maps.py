"""Maps of a region: one a tile, and a mosaic of them."""

import warnings
from functools import cached_property
from pathlib import Path
from typing import cast

import xarray as xr
from rasterio.crs import CRS

from ... import store
from ...errors import InputWarning
from ...mapping.layers import bytes_of
from ...mapping.overlaps import Part
from ...mapping.scene_maps import map_scene, read_map
from ...regions.mosaic import copy_parts, crs_named, mosaic_grid, overlaps_of, write_mosaic
from ...settings import describe
from ..maps import Maps
from . import tile_keys
from .dataset import RegionDataset


class RegionMaps(Maps):
    """The maps of a run over a region, each made when it is first asked for."""

    @property
    def tiles(self) -> list[str]:
        """Names of the tiles."""
        return list(self._region.region.tiles)

    @property
    def _region(self) -> RegionDataset:
        return cast(RegionDataset, self.dataset)

    @cached_property
    def _overlaps(self) -> dict[str, list[Part]]:
        return overlaps_of(self._region.region.grids)

    def tile_folder(self, name: str, tile: str) -> Path:
        """Folder of the map of a tile by the chosen training of a classifier.

        class.tif, confidence.tif, overlaps.tif where another tile overlaps it, and further layers as `settings.Map`
        says. Raises `InputError` for a run whose dates are shuffled.
        """
        best = self.trained.best(name)
        self.require_order()

        def make(folder: Path) -> None:
            with warnings.catch_warnings():
                # which dates a tile lacks is said once, by the pre-flight of the region
                warnings.filterwarnings("ignore", "The scene does not suit the classifier", InputWarning)
                map_scene(
                    self.trained.classifier(name), self._region.region.scene(tile), folder,
                    window=self.settings.map.window, progress=self.trained.progress,
                    every=self.settings.map.probabilities, overlaps=self._overlaps[tile],
                )  # fmt: skip

        grid = self._region.region.grids[tile]
        key = self.key_of(name, tile, best.name)
        return store.find_or_make(
            self.dataset.store, "map", f"{name}-{tile}", key, make,
            describe(self.settings), resumes=True,
            needed=2 * bytes_of(grid.height * grid.width, len(self.dataset.legend), self.settings.map.probabilities),
        )  # fmt: skip

    def tile_place(self, name: str, tile: str) -> Path:
        """Folder of the map of a tile, which exists where it is made."""
        return store.place(
            self.dataset.store, "map", f"{name}-{tile}", self.key_of(name, tile, self.trained.best(name).name)
        )

    def key_of(self, name: str, tile: str, training: str) -> str:
        """Key of the map of a tile by the training in a folder of this name."""
        sides = [[side for part in both for side in (part.start, part.stop)] for both in self._overlaps[tile]]
        return tile_keys.map_key(self._region, tile, training, sides, self.settings.map.probabilities)

    @property
    def crs(self) -> CRS:
        """The CRS of the mosaic."""
        return crs_named(self.settings.region.crs) if self.settings.region.crs else self._region.region.crs

    def folder(self, name: str) -> Path:
        """Folder of the mosaic of the maps by the chosen training of a classifier; see `regions.mosaic.write_mosaic`."""
        region = self._region.region
        maps = {tile: self.tile_folder(name, tile) for tile in self.tiles}

        def make(folder: Path) -> None:
            write_mosaic(maps, region.grids, self.crs, self.dataset.legend, folder)

        key = tile_keys.mosaic_key(
            [path.name for path in maps.values()], self.crs.to_wkt(), self.settings.map.probabilities
        )
        return store.find_or_make(self.dataset.store, "mosaic", name, key, make, describe(self.settings))

    def made(self, name: str) -> bool:
        """Whether the maps of all tiles by the chosen training of a classifier are in the store."""
        return all(self.tile_place(name, tile).is_dir() for tile in self.tiles)

    def classified(self) -> int:
        """How many pixels are classified for a map: those of all tiles."""
        return sum(grid.height * grid.width for grid in self._region.region.grids.values())

    def pixels(self) -> int:
        """How many pixels the products of a map hold: those of the tiles and of their mosaic."""
        grids = self._region.region.grids
        mosaic = mosaic_grid(grids, self.crs)
        return sum(grid.height * grid.width for grid in (mosaic, *grids.values()))

    def write_parts(self, name: str, folder: Path) -> None:
        """Write the map of each tile to tiles/TILE/ in a folder, and the VRTs that show them as one."""
        region = self._region.region
        maps = {tile: self.tile_folder(name, tile) for tile in self.tiles}
        copy_parts(maps, region.grids, mosaic_grid(region.grids, self.crs), self.dataset.legend, folder)

    def seconds(self, name: str) -> float:
        """How long the maps of the tiles and their mosaic took."""
        folders = [self.folder(name), *(self.tile_folder(name, tile) for tile in self.tiles)]
        return sum(store.read_json(folder / "provenance.json")["seconds"] for folder in folders)

    def classes(self, name: str) -> xr.DataArray:
        """Class codes (y, x) of the tile that is shown."""
        return read_map(self.tile_folder(name, self._region.shown) / "class.tif")

    def classes_by_training(self, name: str) -> list[xr.DataArray]:
        """Class codes (y, x) of the tile that is shown by the chosen training alone."""
        return [self.classes(name)]

    def confidence(self, name: str) -> xr.DataArray:
        """Confidence in percent (y, x) of the tile that is shown, 255 where there is none."""
        return read_map(self.tile_folder(name, self._region.shown) / "confidence.tif")
