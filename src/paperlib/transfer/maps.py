"""Maps of a scene by a trained model, without polygons, with what says how far the scene is from that of the training."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import xarray as xr
from rasterio.errors import RasterioError

from .. import store
from ..errors import InputError
from ..features.inputs import Inputs
from ..mapping.class_map import ClassMap
from ..mapping.gis import write_gis_files
from ..mapping.layers import bytes_of
from ..mapping.overlaps import Part
from ..mapping.scene_maps import NODATA_CONFIDENCE, map_scene
from ..mapping.stac_item import map_item
from ..mapping.timing import seconds_of_map
from ..outputs import writing
from ..runs.products import period
from ..scenes.meaning.choices import keywords_of
from ..scenes.scene import open_scene
from ..settings import Scene
from ..training.progress import spoken
from .area_maps import write_area
from .likeness import SceneStatistics, Travel
from .model_folder import TrainedModel


def open_for(inputs: Inputs, path: str | Path, choices: Scene | None = None) -> xr.DataArray:
    """A scene (band, time, y, x) with the bands that a classifier reads, in their order, whatever the order of the files.

    `choices`: how it is read; its `bands` count where they are given. A scene that lacks a band is returned as it is: see
    `Inputs.check`. Raises `InputError` where `open_scene` does.
    """
    choices = choices or Scene()
    keywords = keywords_of(choices)
    scene = open_scene(path, **keywords)
    found = inputs.match(scene)
    if not choices.bands:
        wanted = [found.get(band, band) for band in inputs.bands]
        if len(found) == len(wanted):
            if wanted != scene.band.values.tolist():
                scene = open_scene(path, **keywords | {"bands": wanted})  # as opened, windows are read fastest
        else:
            try:  # bands that are not among the sensor's default ones
                scene = open_scene(path, **keywords | {"bands": wanted})
            except InputError as error:
                if error.kind != "scene.bands":
                    raise
    return scene


def write_map(
    model: TrainedModel,
    scene: xr.DataArray,
    folder: Path,
    window: int = 256,
    progress: bool = False,
    resume: str = "",
    every: bool = False,
    applicability: bool = False,
    report: Callable[[str], None] = print,
    overlaps: Sequence[Part] = (),
) -> Travel:
    """Map a scene (band, time, y, x) with a trained model, and write to `folder` what `runs.write_products` writes.

    The item names the model. `travel.csv` says, by channel and day, how far the scene is from that of the training; what
    `Travel.sentences` and `Travel.warnings` say goes to `report` before and after the map. `window`, `progress`, `every` and
    `overlaps` as of `mapping.map_scene`. `applicability`: whether to write the layers of `area_maps.write_area` too.
    `resume`: a key of the model, the scene and the window, with which a map that was stopped goes on. Raises `InputError`
    for a scene that lacks what the model reads, where `folder` cannot be written, and when its disk is full.
    """
    model.classifier.inputs.check(scene)
    there = SceneStatistics.of(model.classifier, model.quantiles, model.area, scene)
    travel = Travel(model.quantiles.channels, model.quantiles.days, model.home, there)
    tell(travel.sentences(), travel.warnings(), report)
    if seconds := seconds_of_map(model.classifier, scene, window, every):
        report(f"next: 1 map, about {spoken(seconds)}")
    needed = 2 * bytes_of(scene.sizes["y"] * scene.sizes["x"], len(model.legend), every)  # windows, then the maps
    with writing(folder, folder=True, needed=needed, errors=(RasterioError,), resume=resume) as target:
        map_scene(model.classifier, scene, target, window, progress=progress, every=every, overlaps=overlaps)
        outside = write_area(model.classifier, model.area, scene, target, window) if applicability else None
        write_gis_files(target, model.legend)
        if model.scores:
            store.write_json(target / "scores.json", model.scores["test"].to_dict())
        travel.table().round(4).to_csv(target / "travel.csv", index=False)
        confidence = mean_confidence(target / "confidence.tif")
        facts = {
            "created": datetime.now(UTC).isoformat(timespec="seconds"), "paperlib:commit": store.commit(),
            "paperlib:model": {
                "name": model.name, "sha256": model.digest, "scene": model.facts["scene"]["name"],
                "dates": model.facts["scene"]["dates"],
                **{f"macro_f1_{part}": found.macro_f1 for part, found in model.scores.items() if part == "test"},
                **{key: value for key, value in model.classifier.about.items() if key == "members"},
            },
            "paperlib:travel": {
                "distance": round(travel.distance, 4), "outside": round(float(np.nanmean(there.outside)), 4),
                "confidence": round(confidence, 4),
                "outside_area": round(there.outside_area if outside is None else outside, 4),
            },
        }  # fmt: skip
        source = Path(scene.attrs["source"]).stem
        item = map_item(
            target, f"{model.name}-{source}", f"Land cover of {source} by {model.name}", model.legend, period(scene), facts
        )  # fmt: skip
        item.save_object(include_self_link=False, dest_href=str(target / "item.json"))
    if outside is not None:
        report(f"Outside the area of applicability: {100 * outside:.1f} % of the map ({folder / 'applicability.tif'}).")
    later = [words for words in travel.warnings(confidence) if words not in travel.warnings()]
    tell([f"Mean confidence of the map: {100 * confidence:.1f} %."], later, report)
    return travel


def tell(sentences: list[str], warnings: list[str], report: Callable[[str], None]) -> None:
    """Report sentences, and what is far as one warning."""
    for sentence in sentences:
        report(sentence)
    if warnings:
        report(
            f"WARNING: far from what the model has learned: {'; '.join(warnings)}. Score it on polygons of the place "
            "(paperlib score)."
        )


def mean_confidence(path: Path) -> float:
    """Mean confidence of a map, from 0 to 1, read in strips; NaN for a map without a class."""
    total, pixels = 0.0, 0
    for _, strip in ClassMap(path).strips():
        held = strip[strip != NODATA_CONFIDENCE]
        total, pixels = total + float(held.sum(dtype=np.int64)), pixels + held.size
    return total / pixels / 100 if pixels else float("nan")
