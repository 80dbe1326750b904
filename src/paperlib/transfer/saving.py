"""The chosen trainings of a run, written as model folders."""

from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import store
from ..allocation import one_thread, processors
from ..features.quantiles import Quantiles
from ..outputs import check_place
from ..runs.experiment import Experiment
from ..scenes.fingerprints import fingerprint
from ..settings import SIMULATED, describe
from .area import Area
from .likeness import SceneStatistics
from .model_folder import TrainedModel

#: Sets whose scores travel along.
PARTS = ("validation", "test")


def write_models(run: Experiment, names: tuple[str, ...], folder: Path, licence: str = "") -> list[Path]:
    """Write the chosen training of each classifier as a model folder and return these folders (see `TrainedModel.save`).

    One classifier goes to `folder` itself, several to `folder/NAME/`. `licence`: for the model card. Raises `InputError`
    where `folder` cannot be written, when its disk is full, and for a run whose dates are shuffled: no scene gives them in
    that order.
    """
    places = [folder / name for name in names] if len(names) > 1 else [folder]
    for place in places:
        check_place(place, folder=True)
    run.trained.make(names)  # by several processes where that is faster

    def write(name: str, place: Path) -> None:
        with one_thread():
            trained_model(run, name, licence).save(place)

    with ThreadPoolExecutor(min(processors(), len(names))) as pool:  # what an area takes is mostly computed by torch
        list(pool.map(write, names, places))
    return places


def trained_model(run: Experiment, name: str, licence: str = "") -> TrainedModel:
    """The chosen training of a classifier, with what is known of it."""
    run.maps.require_order()
    classifier = run.classifier(name)
    samples = run.trained.samples(name)
    quantiles = Quantiles.fit(samples["train"], classifier.inputs.days)
    area = Area.learn(classifier, samples)
    home = SceneStatistics.of(classifier, quantiles, area, run.scene)
    scores = {part: run.trained.polygon_scores(name, part) for part in PARTS}
    return TrainedModel(classifier, quantiles, scores, area, home, facts_of(run, name, licence))


def facts_of(run: Experiment, name: str, licence: str = "") -> dict[str, Any]:
    """Scene, polygons, settings and provenance of a training; of files their names alone, not where they lay."""
    scene, chosen = run.scene, describe(run.settings)
    settings = {key: value for key, value in chosen.items() if key.partition(".")[2] not in SIMULATED or run.simulated}
    settings |= {key: Path(settings[key]).name for key in ("scene.path", "scene.polygons")}
    provenance = store.read_json(run.trained.best(name) / "provenance.json")
    polygons = run.settings.scene.polygons
    return {
        "scene": {
            "name": "simulated" if run.simulated else Path(run.settings.scene.path).name, "simulated": run.simulated,
            "sensor": scene.attrs.get("sensor", ""), "crs": scene.rio.crs.to_string(),
            "bounds": list(scene.rio.bounds()), "dates": run.dates,
        },
        "polygons": {
            "name": Path(polygons).name or "polygons.gpkg", "polygons": run.polygons["set"].value_counts().to_dict(),
            "fingerprint": fingerprint(polygons) if polygons else "",
        },
        **({"licence": licence} if licence else {}), "settings": settings,
        "provenance": {"paperlib": metadata.version("paperlib")}
        | {key: value for key, value in provenance.items() if key != "settings"},
    }  # fmt: skip
