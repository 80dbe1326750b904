"""A scene and its polygons, as samples: everything of a run that comes before a classifier.

Everything expensive is asked of the store by the settings it depends on, so each notebook runs alone, in any order.
"""

import os
from copy import copy
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import geopandas as gpd
import pandas as pd
import xarray as xr

from .. import models, settings, store
from ..errors import InputError
from ..features import superpixels
from ..features.samples import Normaliser, Samples, class_series, extract
from ..features.superpixels import segment_scene
from ..labels.burning import burn, pixel_counts
from ..labels.classes import legend_of
from ..labels.polygons import load_polygons
from ..labels.splitting import separation, split
from ..mapping.scene_maps import read_map
from ..models import context
from ..scenes.fingerprints import fingerprint
from ..scenes.scene import open_scene
from ..settings import Sample
from ..simulation.scene import simulate_scene
from .variations import vary

SETS = ("train", "validation", "test")
UPSTREAM = ("patch", "validation", "oversample")  # of `settings.Sample`; the rest varies what was extracted


class Dataset:
    """A scene and its polygons.

    Parameters are those of `settings.make`: a preset, the paths of a scene and its polygons (both empty: the simulated
    scene), and a seed. Nothing is read or computed before it is asked for.
    """

    def __init__(self, preset: str = "", scene: str = "", polygons: str = "", seed: int = 0):
        self.settings = settings.make(preset, str(scene), str(polygons), seed)
        self.progress = not os.environ.get("PAPERLIB_QUIET")  # set where nobody watches: book build, batch, tests

    def vary(self, **changes) -> Self:
        """The same run with other values of `settings.Sample`, such as `dates="shuffled"`; nothing is read again."""
        if fixed := set(changes) & {"patch", "validation"}:
            raise InputError(
                f"{', '.join(sorted(fixed))} cannot be varied: the samples depend on it. Begin another run."
            )
        other = copy(self)
        other.settings = replace(self.settings, sample=replace(self.settings.sample, **changes))
        for name in ("normalised", "normalised_context"):
            other.__dict__.pop(name, None)
        return other

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
            "scene",
            "simulated",
            settings.key(asked, store.FORMAT),
            lambda folder: simulate_scene(folder, **asked),
            asked,
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

    @property
    def dates(self) -> list[str]:
        """Dates of the scene, like "2018-07-08"."""
        return [f"{date:%Y-%m-%d}" for date in self.scene.indexes["time"]]

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
    def normalised(self) -> dict[str, Samples]:
        """The samples that classifiers take: normalised, and varied as `settings.Sample` says (see `variations`)."""
        parts = {name: samples.map(self.normaliser.apply) for name, samples in self.samples.items()}
        return vary(parts, self.settings.sample, self.dates, self.settings.seed)

    @cached_property
    def superpixels_folder(self) -> Path:
        """Folder of the superpixels of the whole scene, with their provenance."""

        def make(folder: Path) -> None:
            segment_scene(self.scene, self.normaliser, folder / "superpixels.tif")

        return store.find_or_make("superpixels", "slic", self._samples_key, make, settings.describe(self.settings))

    @cached_property
    def superpixels(self) -> xr.DataArray:
        """Number of the superpixel of every pixel, lazy (y, x); see `superpixels.segment_scene`."""
        return read_map(self.superpixels_folder / "superpixels.tif")

    @cached_property
    def normalised_context(self) -> dict[str, Samples]:
        """The samples that iota2_ctx takes: whole superpixels, normalised; see `superpixels.extract_superpixels`."""
        if self.settings.sample != replace(
            Sample(), **{name: getattr(self.settings.sample, name) for name in UPSTREAM}
        ):
            raise InputError(f"{context.NAME} cannot be varied: its superpixels come from the whole scene.")

        def make(folder: Path) -> None:
            for name in SETS:
                chosen = self.polygons[self.polygons["set"] == name]
                samples = superpixels.extract_superpixels(self.scene, self.burned, self.superpixels, chosen)
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
        samples = self.normalised if normalised else self.samples
        return class_series([samples["train"], samples["validation"]], self.legend, dates)
