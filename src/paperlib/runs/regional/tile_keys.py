"""Keys of the artifacts of single tiles and of mosaics; see `runs.keys`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from ... import models, store
from ...regions.tiles import Tile, fingerprint
from ...settings import SIMULATED, Settings, key

if TYPE_CHECKING:
    from .dataset import RegionDataset


def tile_key(tile: Tile, settings: Settings) -> str:
    """Key of what is read of a tile: its files, and how they are read."""
    unread = ("path", "polygons", *SIMULATED)
    read = {name: value for name, value in asdict(settings.scene).items() if name not in unread}
    return key(fingerprint(tile.path), read)


def samples_key(dataset: "RegionDataset", name: str) -> str:
    """Key of the samples of a tile: what is read of it, and its own polygons in their sets."""
    mine = dataset.polygons[dataset.polygons["tile"] == name]
    rows = [mine[column].tolist() for column in ("polygon_id", "code", "set")]
    outlines = mine.geometry.to_wkb(hex=True).tolist()
    classes = [cover.code for cover in dataset.legend]
    return key(
        tile_key(dataset.region.tiles[name], dataset.settings), rows, outlines, classes, asdict(dataset.inputs),
        dataset.settings.sample.patch, models.reach(), store.FORMAT,
    )  # fmt: skip


def map_key(dataset: "RegionDataset", name: str, training: str, parts: list[list[int]], every: bool) -> str:
    """Key of the map of a tile by the training in a folder of this name, with the parts whose probabilities are kept."""
    colours = [cover.colour for cover in dataset.legend]
    return key(tile_key(dataset.region.tiles[name], dataset.settings), training, parts, every, colours, store.FORMAT)


def mosaic_key(maps: list[str], crs: str, every: bool) -> str:
    """Key of the mosaic of maps in folders of these names; `every`: with the probability of every class."""
    return key(maps, crs, store.FORMAT, *(["every"] if every else []))
