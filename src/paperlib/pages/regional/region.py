"""The page of regions: a simulated region, and what its mosaic is worth where tiles overlap."""

from typing import cast

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from ... import store
from ...mapping.scene_maps import read_map
from ...regions.assignment import tile_counts
from ...runs.experiment import Experiment
from ...runs.regional.dataset import RegionDataset
from ...runs.regional.maps import RegionMaps
from ...scenes.rasters import Grid, RasterFile
from ...settings import key
from ...simulation.tiles import simulate_tiles
from ..page import Html

#: Of the trainings of the page, which are many and small.
SETTINGS = {"train.trainings": 1, "sample.patch": 16}


def simulated_region(preset: str = "", seed: int = 0, size: int = 224, overlap: int = 32) -> Experiment:
    """A run on a simulated region of four tiles, made where it is not in the store.

    `size`: side of the landscape in pixels; `overlap`: pixels that two tiles share.
    """
    wanted = {"size": size, "side": (size + overlap) // 4 * 2, "pool": size // 4, "test": size // 5}
    folder = store.find_or_make(
        store.open_store(), "scene", "region", key(wanted, store.FORMAT),
        lambda folder: simulate_tiles(folder, **wanted), {f"region.{name}": value for name, value in wanted.items()},
    )  # fmt: skip
    run = Experiment(preset, folder / "tiles", folder / "polygons.gpkg", seed, settings=SETTINGS)
    run.dataset.checked = True  # the page says what its polygons share
    return run


def banner(run: Experiment) -> Html:
    """A box that says that the region is simulated, as HTML."""
    tiles = len(_dataset(run).region.tiles)
    text = (
        f"Everything below is computed on a <b>simulated</b> region of {tiles} tiles, so small that its scores are no "
        "finding about classifiers. It shows what is done with tiles, and measures what tiles change."
    )
    return Html(
        f'<div class="admonition warning"><p class="admonition-title">Simulated scene, cut into tiles</p><p>{text}</p></div>'
    )


def tiles_table(run: Experiment) -> pd.DataFrame:
    """One row a tile: its CRS, size, dates, and polygons by set."""
    region = _dataset(run).region
    rows = {
        name: {"CRS": str(grid.crs), "rows": grid.height, "columns": grid.width, "dates": len(region.times[name])}
        for name, grid in region.grids.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").join(tile_counts(run.polygons)).rename_axis("tile").fillna(0)


def outlines(run: Experiment) -> gpd.GeoDataFrame:
    """The outline of each tile in the CRS of the polygons."""
    region = _dataset(run).region
    shapes = region.footprints(region.crs)
    return gpd.GeoDataFrame({"tile": list(shapes)}, geometry=list(shapes.values()), crs=region.crs)


def truth(run: Experiment) -> xr.DataArray:
    """The true class codes (y, x) of the simulated region."""
    return read_map(_dataset(run).region.path.parent / "truth.tif")


def mosaic(run: Experiment, name: str) -> xr.DataArray:
    """Class codes (y, x) of the mosaic of a classifier's maps."""
    return read_map(run.map(name) / "class.tif")


def overlaps_table(run: Experiment, name: str) -> pd.DataFrame:
    """How maps agree where two tiles or more overlap, beside the rest of the region, in per cent of its pixels.

    Columns where, pixels, tiles disagree, mosaic right, one tile right (each tile alone, on average).
    """
    true, maps = truth(run), cast(RegionMaps, run.maps)
    grid = Grid(true.rio.crs, true.rio.transform(), *true.shape)
    every = slice(0, grid.height), slice(0, grid.width)

    def on_grid(path) -> np.ndarray:
        return RasterFile(path, 0, grid).read([1], *every)[0]

    alone = np.stack([on_grid(maps.tile_folder(name, tile) / "class.tif") for tile in maps.tiles])
    whole, seen = on_grid(run.map(name) / "class.tif"), (alone > 0).sum(0)
    lowest = np.where(alone > 0, alone, 255).min(0)
    rows = []
    for where, chosen in (("overlaps", seen > 1), ("one tile", seen == 1)):
        right = (alone == true.values) & chosen
        rows.append({
            "where": where, "pixels": int(chosen.sum()),
            "tiles disagree": 100 * (alone.max(0) != lowest)[chosen].mean(),
            "mosaic right": 100 * (whole == true.values)[chosen].mean(),
            "one tile right": 100 * right.sum() / ((alone > 0) & chosen).sum(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _dataset(run: Experiment) -> RegionDataset:
    return cast(RegionDataset, run.dataset)
