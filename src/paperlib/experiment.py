"""One run from scene to map: the only place that joins the stages, and what the notebooks call.

Everything expensive is asked of the store by the settings it depends on, so each notebook runs alone, in any order.
"""

import os
from dataclasses import asdict
from functools import cached_property
from itertools import product
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import torch
import xarray as xr
from shapely import Point

from . import context, fetch, forest, models, paper, settings, store
from .benchmark import class_scores_frame, count_parameters, load_classifier, make_training, trainings_frame
from .errors import InputError
from .mapping import map_scene, read_map
from .polygons import burn, legend_of, load_polygons, pixel_counts, separation, split
from .samples import Normaliser, Samples, class_series, extract
from .scene import fingerprint, open_scene
from .simulate import simulate
from .superpixels import segment_scene

SETS = ("train", "validation", "test")
FORESTS = {context.NAME: context.ContextForest, forest.NAME: forest.Forest}
CLASSIFIERS = (*models.NAMES, context.NAME, forest.NAME)  # the columns of Table 4


class Experiment:
    """A scene, its polygons, the classifiers trained on them, and their maps.

    Parameters are those of `settings.make`: a preset, the paths of a scene and its polygons (both empty: the simulated
    scene), and a seed. Nothing is read or computed before it is asked for.
    """

    def __init__(self, preset: str = "", scene: str = "", polygons: str = "", seed: int = 0):
        self.settings = settings.make(preset, str(scene), str(polygons), seed)
        self.progress = not os.environ.get("PAPERLIB_QUIET")  # set where nobody watches: book build, batch, tests

    @property
    def simulated(self) -> bool:
        """Whether the scene is the simulated one."""
        return not self.settings.scene.path

    # -- input ---------------------------------------------------------------------------------------------------------

    @cached_property
    def folder(self) -> Path | None:
        """Folder of the simulated scene, made when it is not in the store yet; None for a real scene."""
        if not self.simulated:
            return None
        choice = self.settings.scene
        asked = {"size": choice.size, "pool": choice.pool, "test": choice.test, "seed": choice.seed}
        return store.find_or_make(
            "scene", "simulated", settings.key(asked, store.FORMAT), lambda folder: simulate(folder, **asked), asked
        )

    @cached_property
    def scene(self) -> xr.DataArray:
        """The lazy reflectance series (band, time, y, x); see `scene.open_scene`."""
        return open_scene(self.folder or self.settings.scene.path, resampling=self.settings.scene.resampling)

    @cached_property
    def polygons(self) -> gpd.GeoDataFrame:
        """The polygons in the scene's CRS, each in one of the sets train, validation and test."""
        path = self.folder / "polygons.gpkg" if self.simulated else self.settings.scene.polygons
        pool = load_polygons(path, crs=self.scene.rio.crs, bounds=self.scene.rio.bounds())
        return split(pool, validation=self.settings.sample.validation, seed=self.settings.seed)

    @cached_property
    def legend(self):
        """The classes of the polygons, in the index order used by labels, models and tables."""
        return legend_of(self.polygons)

    @cached_property
    def burned(self) -> xr.Dataset:
        """Label and polygon number of every labelled pixel (y, x); see `polygons.burn`."""
        return burn(self.polygons, self.scene, self.legend)

    @cached_property
    def truth(self) -> xr.DataArray:
        """The class codes (y, x) of the simulated scene. Raises `InputError` for a real scene, which has none."""
        if not self.simulated:
            raise InputError("Only the simulated scene has a known truth for every pixel.")
        return read_map(self.folder / "truth.tif")

    # -- samples -------------------------------------------------------------------------------------------------------

    @cached_property
    def _samples_key(self) -> str:
        scene, sample = self.settings.scene, self.settings.sample
        source = asdict(scene) if self.simulated else [fingerprint(scene.path), fingerprint(scene.polygons)]
        return settings.key(source, scene.resampling, sample.patch, sample.validation, self.settings.seed, store.FORMAT)

    @cached_property
    def samples(self) -> dict[str, Samples]:
        """Samples of each set: patches of gap-filled bands and indices, not normalised; see `samples.extract`."""

        def make(folder: Path) -> None:
            for name in SETS:
                chosen = self.polygons[self.polygons["set"] == name]
                samples = extract(self.scene, self.burned, chosen, self.settings.sample.patch, models.WIDEST // 2)
                samples.save(folder / f"{name}.safetensors")

        folder = store.find_or_make("samples", "patches", self._samples_key, make, settings.describe(self.settings))
        return {name: Samples.load(folder / f"{name}.safetensors") for name in SETS}

    @cached_property
    def normaliser(self) -> Normaliser:
        """Fitted on the training pixels alone."""
        return Normaliser.fit(self.samples["train"])

    @cached_property
    def _normalised(self) -> dict[str, Samples]:
        return {name: samples.map(self.normaliser.apply) for name, samples in self.samples.items()}

    @cached_property
    def superpixels(self) -> xr.DataArray:
        """Number of the superpixel of every pixel, lazy (y, x); see `superpixels.segment_scene`."""

        def make(folder: Path) -> None:
            segment_scene(self.scene, self.normaliser, folder / "superpixels.tif")

        key, facts = self._samples_key, settings.describe(self.settings)
        return read_map(store.find_or_make("superpixels", "slic", key, make, facts) / "superpixels.tif")

    @cached_property
    def _normalised_context(self) -> dict[str, Samples]:
        def make(folder: Path) -> None:
            for name in SETS:
                chosen = self.polygons[self.polygons["set"] == name]
                samples = context.extract_superpixels(self.scene, self.burned, self.superpixels, chosen)
                samples.save(folder / f"{name}.safetensors")

        key, facts = self._samples_key, settings.describe(self.settings)
        folder = store.find_or_make("samples", "superpixels", key, make, facts)
        return {name: Samples.load(folder / f"{name}.safetensors").map(self.normaliser.apply) for name in SETS}

    def pixel_counts(self) -> pd.DataFrame:
        """Polygons and labelled pixels by class and set (Tables 2 and 3)."""
        return pixel_counts(self.burned, self.polygons, self.legend)

    def separation(self) -> pd.DataFrame:
        """Proof that no polygon is on both sides, and how many lie within reach of a training polygon (metres)."""
        pixel = abs(self.scene.rio.resolution()[0])
        return separation(
            self.polygons,
            {"one patch": self.settings.sample.patch * pixel, "one receptive field": models.WIDEST // 2 * pixel},
        )

    def series(self, normalised: bool = False) -> pd.DataFrame:
        """Mean and standard deviation by class, channel and date over the pool's labelled pixels (Figures 7 and 8)."""
        dates = pd.to_datetime(self.scene.time.values)
        samples = self._normalised if normalised else self.samples
        return class_series([samples["train"], samples["validation"]], self.legend, dates)

    def networks(self) -> pd.DataFrame:
        """Columns model, parameters_paper (13 channels, 11 dates, 8 classes), parameters (this scene), receptive_field."""
        here = {name: self._build(name) for name in models.NAMES}
        shape = {"channels": len(paper.BANDS) + 3, "dates": len(paper.DATES), "classes": len(paper.CLASSES)}
        rows = [
            (name, count_parameters(models.build(name, **shape)), count_parameters(model), model.receptive_field)
            for name, model in here.items()
        ]
        return pd.DataFrame(rows, columns=["model", "parameters_paper", "parameters", "receptive_field"])

    # -- training ------------------------------------------------------------------------------------------------------

    def _build(self, name: str) -> torch.nn.Module:
        if name not in CLASSIFIERS:
            raise InputError(f"Unknown model {name!r}; choose one of {', '.join(CLASSIFIERS)}.")
        choice, shape = self.settings.train, self.scene.sizes
        if name in FORESTS:
            return FORESTS[name](classes=len(self.legend))
        return models.build(
            name, channels=len(self.samples["train"].channels), dates=shape["time"], classes=len(self.legend),
            dropout=choice.dropout, fusion=choice.fusion,
        )  # fmt: skip

    def _training_key(self, name: str, number: int) -> str:
        choice = asdict(self.settings.train)
        choice.pop("trainings")  # how many there are changes none of them
        if name in FORESTS:
            choice = {}
        return settings.key(
            self._samples_key, name, choice, self.settings.sample.oversample, self.settings.seed + number, store.FORMAT
        )

    def training(self, name: str, number: int = 0) -> Path:
        """Folder of one training of a classifier (see `benchmark`), trained and scored when it is not there yet."""

        def make(folder: Path) -> None:
            seed = self.settings.seed + number
            torch.manual_seed(seed)  # of the initial weights
            parts = self._normalised_context if name == context.NAME else self._normalised
            make_training(
                folder, name, self._build(name), parts, self.normaliser, self.legend, self.settings.train,
                self.settings.sample.oversample, seed, self.progress,
            )  # fmt: skip

        key = self._training_key(name, number)
        return store.find_or_make("training", name, key, make, settings.describe(self.settings))

    def _scores(self, names=CLASSIFIERS) -> list[dict]:
        trainings = product(names, range(self.settings.train.trainings))
        return [{**store.read_json(self.training(*one) / "scores.json"), "training": one[1]} for one in trainings]

    def trainings(self, names=CLASSIFIERS) -> pd.DataFrame:
        """Every training of these classifiers, the chosen ones marked; see `benchmark.trainings_frame`."""
        return trainings_frame(self._scores(names))

    def class_scores(self, names=CLASSIFIERS) -> pd.DataFrame:
        """F1 of each class in every training; see `benchmark.class_scores_frame`."""
        return class_scores_frame(self._scores(names))

    def history(self, names=models.NAMES) -> pd.DataFrame:
        """Every epoch of every training of these networks: columns model, training, then those of `training.train`."""
        frames = [
            pd.read_csv(self.training(name, number) / "history.csv").assign(model=name, training=number)
            for name, number in product(names, range(self.settings.train.trainings))
        ]
        return pd.concat(frames, ignore_index=True)

    def best(self, name: str) -> Path:
        """Folder of the chosen training of a classifier: the best by validation macro F1."""
        table = self.trainings([name])
        return self.training(name, int(table.loc[table["chosen"], "training"].iloc[0]))

    def confusions(self, part: str = "test", names=CLASSIFIERS) -> dict[str, np.ndarray]:
        """Confusion matrix (reference, predicted) of each classifier's chosen training on "validation" or "test"."""
        return {name: np.array(store.read_json(self.best(name) / "scores.json")["confusion"][part]) for name in names}

    def classifier(self, name: str) -> torch.nn.Module:
        """The chosen training of a classifier, ready to predict normalised samples."""
        return load_classifier(self.best(name), self._build(name))

    def efficiency(self, names=CLASSIFIERS) -> pd.DataFrame:
        """`trainings` with the seconds that the whole-scene map of the chosen training took (inference_seconds)."""
        seconds = {name: store.read_json(self.map(name) / "provenance.json")["seconds"] for name in names}
        return self.trainings(names).assign(inference_seconds=lambda table: table["model"].map(seconds))

    # -- maps ----------------------------------------------------------------------------------------------------------

    def map(self, name: str) -> Path:
        """Folder of the whole-scene map by the chosen training of a classifier: class.tif and confidence.tif."""
        best = self.best(name)

        def make(folder: Path) -> None:
            map_scene(
                self.classifier(name), self.scene, self.normaliser, self.legend, folder,
                window=self.settings.map.window, progress=self.progress,
                superpixels=self.superpixels if name == context.NAME else None,
            )  # fmt: skip

        key = settings.key(best.name, store.FORMAT)
        return store.find_or_make("map", name, key, make, settings.describe(self.settings))

    def class_map(self, name: str) -> xr.DataArray:
        """Class codes (y, x) of a classifier's map."""
        return read_map(self.map(name) / "class.tif")

    def confidence_map(self, name: str) -> xr.DataArray:
        """Confidence in percent (y, x) of a classifier's map, 255 where there is none."""
        return read_map(self.map(name) / "confidence.tif")

    def class_maps(self, names=CLASSIFIERS) -> dict[str, xr.DataArray]:
        """Class codes (y, x) of each classifier's map, after the truth where the scene has one."""
        truth = {"truth": self.truth} if self.simulated else {}
        return truth | {name: self.class_map(name) for name in names}

    def window(self, size: int, code: int = 7) -> dict[str, slice]:
        """A window of `size` pixels for Figure 9: around the test polygon of crop fields (class 7) nearest the centre.

        Around the centre of the scene where no test polygon has that class.
        """
        test = self.polygons[(self.polygons["set"] == "test") & (self.polygons["code"] == code)]
        left, bottom, right, top = self.scene.rio.bounds()
        middle = Point((left + right) / 2, (bottom + top) / 2)
        if len(test):
            middle = test.geometry.iloc[test.distance(middle).argmin()].centroid
        centre = {"y": middle.y, "x": middle.x}
        window = {}
        for dim, value in centre.items():
            nearest = int(np.abs(self.scene[dim].values - value).argmin())
            start = max(0, min(nearest - size // 2, self.scene.sizes[dim] - size))
            window[dim] = slice(start, start + size)
        return window


def bouconne(preset: str = "", seed: int = 0) -> Experiment | None:
    """The run on the real scene of the book, or None where its image has not been fetched (see `fetch`)."""
    found = fetch.bouconne()
    return Experiment(preset, *map(str, found), seed=seed) if found else None
