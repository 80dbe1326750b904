"""The pre-flight of a region: that of each tile, what the tiles have in common, and the labels of all of them."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from .. import ground, models
from ..errors import Finding
from ..features.alike import keep_together
from ..labels.burning import pixel_of
from ..regions.alike import find_alike_in
from ..regions.assignment import assign, in_tile
from ..regions.region import Region
from ..scenes.meaning.choices import keywords_of
from ..settings import Settings
from .faults import add, attempt, label_faults, of_tile, scene_faults
from .labelled import check_classes, check_labelled, check_reach, check_split
from .pixel_faults import pixel_faults
from .summary import scene_text


def inspect_region(
    path: Path, polygons: Path, chosen: Settings, findings: list[Finding]
) -> tuple[gpd.GeoDataFrame | None, str]:
    """Add every finding of a region and its labels; return the labels that a run would use, and what was understood.

    A finding of one tile has the tile's name in its subject.
    """
    region = attempt(findings, "region", path, Region, path, chosen.scene, chosen.region.mixed_years)
    if region is None:
        return None, ""
    shares: dict[str, np.ndarray | None] = {}
    texts = []
    for name, tile in region.tiles.items():
        own: list[Finding] = []
        scene = scene_faults(tile.path, own, **keywords_of(chosen.scene))
        if scene is not None:
            shares[name] = attempt(own, "pixels", tile.path, pixel_faults, scene, own)
            texts.append(f"tile {name}\n{scene_text(scene, shares[name])}")
        of_tile(name, own, findings)
    if len(shares) < len(region.tiles):  # a tile that cannot be opened is found above
        label_faults(polygons, findings, options=chosen.labels)
        return None, "\n\n".join(texts)
    for finding in attempt(findings, "region", path, region.problems) or []:
        add(findings, finding)
    table = _inspect_labels(region, polygons, chosen, shares, findings)
    return table, "\n\n".join(texts)


def _inspect_labels(
    region: Region, path: Path, chosen: Settings, shares: dict[str, np.ndarray | None], findings: list[Finding]
) -> gpd.GeoDataFrame | None:
    pixel = pixel_of(region.scene(region.reference))
    table = label_faults(path, findings, region.crs, region.bounds(), pixel, chosen.labels)
    if table is None:
        return None
    table = attempt(findings, "labels", path, assign, table, region)
    if table is None:
        return None
    pairs = attempt(findings, "split", region.path, find_alike_in, region, table, chosen.labels.near)
    if pairs is not None:
        table, found = keep_together(table, pairs)
        findings += found
    divided = attempt(findings, "split", path, check_split, table, chosen, findings)
    if divided is not None:
        scene = region.scene(region.reference)
        side = max(ground.pixel_size(scene.rio.transform(), scene.rio.crs, (scene.sizes["y"], scene.sizes["x"])))
        attempt(findings, "split", path, check_reach, divided, models.reach() * side, findings)
    usable = []
    for name in sorted(table["tile"].unique()):
        own: list[Finding] = []
        scene = region.scene(name)
        usable.append(
            attempt(own, "polygons", path, check_labelled, scene, in_tile(table, name, scene), shares[name], own)
        )
        of_tile(name, own, findings)
    known = [part for part in usable if part is not None]
    if divided is not None and known:
        attempt(
            findings, "classes", path, check_classes, divided, pd.concat(known), chosen.train.largest_leaf, findings
        )
    return table
