"""What a trained model is worth on scenes that it was not trained on, and what is said of them before anyone has labels.

    python benchmarks/travel.py [PRESET [CLASSIFIER ...]]

Trains classifiers (TempCNN, 2D-CNN and iota2_base) once on the simulated scene of a preset (demo), and maps scenes whose
truth is known for every pixel. Scenes:
  home                           that of the training
  2018, 10 days later            the same season and landscape, all images taken 10 days later
  2019                           another year: the season 8 days later, other crops, 6 % of the area with another class
  2019, turned, 10 days later    the same year as a cube with its bands in another order, all images taken 10 days later
  ... as if on the days          the same with its dates taken for those of the training: nothing is interpolated
  2019, season 30 days later     a year that is far from that of the training
  another landscape              2018, another seed
  home, a class never seen       by a classifier that was trained without water
Columns: macro F1 and overall accuracy over all pixels, mean confidence, what `map --trained` says (distance, share of
values beyond the range of the training, share of pixels outside the area of applicability, warnings), accuracy inside and
outside that area. Results are kept in results/travel.csv.
"""

import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from record import keep

from paperlib import Experiment, settings
from paperlib.evaluation import metrics
from paperlib.mapping.scene_maps import read_map
from paperlib.scenes.scene import open_scene
from paperlib.scenes.shaping.saving import save_cube
from paperlib.simulation.scene import simulate_scene
from paperlib.simulation.years import simulate_year
from paperlib.transfer import open_for, write_map
from paperlib.transfer.model_folder import TrainedModel
from paperlib.transfer.saving import trained_model

NAMES = ("TempCNN", "2D-CNN", "iota2_base")
DELAY = 10  # days
UNSEEN = 11  # code of water


def write_scenes(preset: str, place: Path) -> dict[str, tuple[Path, Path]]:
    """The file of each scene, and the folder that holds its truth and polygons."""
    chosen = settings.make(preset).scene
    wanted = {"size": chosen.size, "pool": chosen.pool, "test": chosen.test}
    folders = {
        "home": simulate_scene(place / "home", **wanted, seed=chosen.seed),
        f"2018, {DELAY} days later": simulate_year(
            place / "delayed", **wanted, seed=chosen.seed, later=0, changed=0, delay=DELAY
        ),
        "2019": simulate_year(place / "2019", **wanted, seed=chosen.seed),
        f"2019, turned, {DELAY} days later": simulate_year(place / "turned", **wanted, seed=chosen.seed, delay=DELAY),
        "2019, season 30 days later": simulate_year(place / "late", **wanted, seed=chosen.seed, later=30),
        "another landscape": simulate_scene(place / "other", **wanted, seed=chosen.seed + 1),
    }
    scenes = {name: (folder, folder) for name, folder in folders.items()}
    turned = f"2019, turned, {DELAY} days later"
    save_cube(open_scene(folders[turned]).isel(band=slice(None, None, -1)), place / "turned.nc")
    return scenes | {turned: (place / "turned.nc", folders[turned])}


def measure(model: TrainedModel, scene: xr.DataArray, truth: np.ndarray, folder: Path) -> dict:
    """One row: what the map is worth, and what is said of the scene."""
    started, lines = time.perf_counter(), []
    travel = write_map(model, scene, folder, applicability=True, report=lines.append)
    seconds = time.perf_counter() - started
    codes, inside = (read_map(folder / f"{name}.tif").values for name in ("class", "applicability"))
    known = codes > 0
    index = np.full(256, -1)
    every = sorted({*np.unique(truth).tolist(), *(cover.code for cover in model.legend)} - {0})
    index[every] = np.arange(len(every))
    confusion = metrics.confusion(index[truth[known]], index[codes[known]], len(every))
    right = codes == truth
    confidence = read_map(folder / "confidence.tif").values
    return {
        "macro_f1": metrics.macro_f1(confusion), "oa": metrics.overall_accuracy(confusion),
        "confidence": confidence[known].mean() / 100, "distance": travel.distance,
        "outside_range": np.nanmean(travel.there.outside), "outside_area": (inside[known] == 0).mean(),
        "oa_inside": right[known & (inside == 1)].mean(), "oa_outside": right[known & (inside == 0)].mean(),
        "warnings": sum(line.startswith("WARNING") for line in lines), "seconds": seconds,
    }  # fmt: skip


def without_class(home: Path, code: int, place: Path) -> Path:
    """The polygons of a scene without those of a class, as a file."""
    table = gpd.read_file(home / "polygons.gpkg")
    table[table["code"] != code].to_file(place / "without.gpkg")
    return place / "without.gpkg"


def main(preset: str = "demo", *names: str) -> None:
    """Measure all scenes with all classifiers, and keep the table of each."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        scenes = write_scenes(preset, place)
        truths = {name: read_map(truth / "truth.tif").values for name, (_, truth) in scenes.items()}
        home = scenes["home"][0]
        options = {"settings": {"train.trainings": 1}, "store": place / "store"}
        run = Experiment(preset, home, home / "polygons.gpkg", **options)
        fewer = Experiment(preset, home, without_class(home, UNSEEN, place), **options)
        for classifier in names or NAMES:
            model, rows, maps = trained_model(run, classifier), [], {}
            for name, (path, _) in scenes.items():
                maps[name] = place / "maps" / classifier / str(len(maps))
                scene = open_for(model.classifier.inputs, path)
                rows.append({"scene": name, **measure(model, scene, truths[name], maps[name])})
            turned = f"2019, turned, {DELAY} days later"
            scene = open_for(model.classifier.inputs, scenes[turned][0])
            scene = scene.assign_coords(time=scene.time - np.timedelta64(DELAY, "D"))
            rows.append({"scene": f"2019, {DELAY} days later, as if on the days",
                         **measure(model, scene, truths[turned], place / "maps" / classifier / "as-if")})  # fmt: skip
            unseen = trained_model(fewer, classifier)
            rows.append({"scene": "home, a class never seen",
                         **measure(unseen, open_for(unseen.classifier.inputs, home), truths["home"],
                                   place / "maps" / classifier / "unseen")})  # fmt: skip
            keep("travel", pd.DataFrame(rows).assign(classifier=classifier)[["classifier", *rows[0]]], preset=preset)


if __name__ == "__main__":
    main(*sys.argv[1:])
