"""Maps and scores of a region of several tiles by a trained model, without training on any of them."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from .. import environment, store
from ..errors import InputError
from ..labels import load_polygons, pixel_of
from ..mapping.gis import write_gis_files
from ..mapping.overlaps import Part
from ..mapping.stac_item import map_item
from ..outputs import writing
from ..regions.assignment import assign, in_tile
from ..regions.mosaic import copy_parts, crs_named, mosaic_grid, overlaps_of, write_mosaic
from ..regions.region import Region
from ..runs.batches.cluster import connect
from ..runs.products import period
from ..runs.regional.spread import LOCAL, Task, finish
from ..runs.regional.tile_keys import mosaic_key, tile_key
from ..settings import Settings, describe, key
from .maps import open_for, write_map
from .model_folder import TrainedModel
from .scoring import Scored, classify_polygons, known_polygons


def map_region(
    model: TrainedModel,
    chosen: Settings,
    folder: Path,
    root: Path,
    applicability: bool = False,
    scheduler: str = "",
    report: Callable[[str], None] = print,
) -> Path:
    """Map each tile of a region with a trained model, write their mosaic to `folder`, and return it.

    Parameters
    ----------
    chosen: `scene.path` is the region; how it is read, the window of maps and the CRS of the mosaic count as well.
    root: of the store, which holds the map of each tile: a second call does what is left.
    applicability: as of `maps.write_map`.
    scheduler: as of `runs.regional.spread.spread`; empty: in this process.

    Writes what `runs.write_products` writes of a region. Raises `InputError` where tiles do not go together, and what
    `write_map` raises.
    """
    region = open_region(chosen)
    parts = overlaps_of(region.grids)
    tasks = [
        Task(
            f"map of {tile} by {model.name}", map_tile, (model, chosen, region, tile, parts[tile], root, applicability)
        )
        for tile in region.tiles
    ]
    if scheduler:
        with connect("" if scheduler == LOCAL else scheduler, len(tasks)) as client:
            finish(client, tasks, report)
    maps = {tile: task.function(*task.arguments, report) for tile, task in zip(region.tiles, tasks, strict=True)}
    crs = crs_named(chosen.region.crs) if chosen.region.crs else region.crs

    def make(target: Path) -> None:
        write_mosaic(maps, region.grids, crs, model.legend, target)

    named = mosaic_key([path.name for path in maps.values()], crs.to_wkt(), chosen.map.probabilities)
    made = store.find_or_make(root, "mosaic", model.name, named, make, describe(chosen))
    with writing(folder, folder=True) as target:
        for file in made.glob("*.tif"):
            shutil.copyfile(file, target / file.name)
        copy_parts(maps, region.grids, mosaic_grid(region.grids, crs), model.legend, target)
        write_gis_files(target, model.legend)
        store.write_json(target / "scores.json", model.scores["test"].to_dict())
        facts = {
            "created": datetime.now(UTC).isoformat(timespec="seconds"), "paperlib:commit": store.commit(),
            "paperlib:model": {"name": model.name, "sha256": model.digest}, "paperlib:tiles": list(region.tiles),
        }  # fmt: skip
        title = f"Land cover of {region.path.stem} by {model.name}"
        dates = period(region.scene(region.reference))
        item = map_item(target, f"{model.name}-{region.path.stem}", title, model.legend, dates, facts)
        item.save_object(include_self_link=False, dest_href=str(target / "item.json"))
    return folder


def open_region(chosen: Settings) -> Region:
    """The region of some settings. Raises `InputError` for one tile twice and for years that are mixed unsaid."""
    region = Region(chosen.scene.path, chosen.scene, chosen.region.mixed_years)
    for finding in region.problems():
        # whether a tile has the bands and the season of the model, the model says
        if finding.level == "error" and finding.kind.startswith("region."):
            problem = f"{finding.subject}: {finding.value}."
            raise InputError(problem, finding.fix, kind=finding.kind, place=finding.place)
    return region


def map_tile(
    model: TrainedModel,
    chosen: Settings,
    region: Region,
    tile: str,
    overlaps: list[Part],
    root: Path,
    applicability: bool = False,
    report: Callable[[str], None] = print,
) -> Path:
    """Folder of the map of a tile in the store, made where it is not there; see `map_region`."""

    def make(folder: Path) -> None:
        series = open_for(model.classifier.inputs, region.tiles[tile].path, chosen.scene)
        write_map(
            model, series, folder, chosen.map.window, not environment.quiet(), named, chosen.map.probabilities,
            applicability, lambda text: report(f"tile {tile}: {text}"), overlaps,
        )  # fmt: skip

    sides = [[side for part in both for side in (part.start, part.stop)] for both in overlaps]
    named = key(
        model.digest, tile_key(region.tiles[tile], chosen), sides, chosen.map.probabilities, applicability, store.FORMAT
    )
    return store.find_or_make(root, "map", f"{model.name}-{tile}", named, make, describe(chosen), resumes=True)


def score_region(model: TrainedModel, chosen: Settings, polygons: str | Path) -> Scored:
    """As `scoring.score`, for a region: each polygon is classified in the tile that it labels (`regions.assign`)."""
    region = open_region(chosen)
    place = {"crs": region.crs, "bounds": region.bounds(), "pixel": pixel_of(region.scene(region.reference))}
    table, remarks = known_polygons(model, load_polygons(polygons, **place, options=chosen.labels), polygons)
    table = assign(table, region)
    answers = []
    for tile in sorted(table["tile"].unique()):
        series = open_for(model.classifier.inputs, region.tiles[tile].path, chosen.scene)
        model.classifier.inputs.check(series)
        answers.append(classify_polygons(model, series, in_tile(table, tile, series)))
    where = f"{Path(polygons).name} in {region.path.name}"
    return Scored.of(pd.concat(answers), model.legend, where, remarks)
