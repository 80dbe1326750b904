"""A scene and its polygons, as samples: everything of a run that comes before a classifier."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import pandas as pd
import xarray as xr
from shapely import Point

from .. import models, store
from ..errors import InputError, InputWarning
from ..features.alike import Pairs, find_alike, keep_together
from ..features.inputs import Inputs
from ..features.normaliser import Normaliser
from ..features.patches import extract
from ..features.samples import Samples, class_series
from ..features.superpixels import extract_superpixels, segment_scene
from ..labels import burn, legend_of, load_polygons, pixel_counts, pixel_of, separation, split
from ..mapping.scene_maps import read_map
from ..nomenclature import LandCover, recolour
from ..scenes.meaning.choices import keywords_of
from ..scenes.meaning.judging import refuse_values
from ..scenes.scene import open_scene
from ..scenes.windowing import window_around
from ..settings import Settings, describe
from . import keys

SETS = ("train", "validation", "test")


class Dataset:
    """A scene and its polygons.

    Parameters
    ----------
    settings: `scene`, `labels`, `sample.patch`, `sample.validation` and `seed` are used; the rest changes nothing here.
    store: root folder of the artifacts.

    `checked`: set it once the pre-flight has told the user what is doubtful; warnings are then not repeated.

    Nothing is read or computed before it is asked for, and everything expensive is found in the store by the settings
    it depends on.
    """

    def __init__(self, settings: Settings, store: Path):
        self.settings, self.store = settings, store
        self.checked = False

    def _find_or_make(self, stage: str, name: str, key: str, make: Callable[[Path], object]) -> Path:
        return store.find_or_make(self.store, stage, name, key, make, describe(self.settings))

    def __getstate__(self) -> dict:
        """What a worker process gets: what is small. It maps samples from the store and opens no scene."""
        carried = ("dates", "inputs", "legend", "normaliser")
        return {"settings": self.settings, "store": self.store, "checked": True} | {
            name: getattr(self, name) for name in carried
        }

    def prepare(self, superpixels: bool) -> None:
        """Make the samples in patches, and those of whole `superpixels`, unless they are in the store."""
        _ = self.samples
        if superpixels:
            _ = self.superpixel_samples

    # -- input ---------------------------------------------------------------------------------------------------------

    @property
    def simulated(self) -> bool:
        """Whether the scene is the simulated one."""
        return not self.settings.scene.path

    @cached_property
    def folder(self) -> Path | None:
        """Folder of the simulated scene, made where it is not in the store yet; None for a real scene."""
        if not self.simulated:
            return None
        from ..simulation.scene import simulate_scene  # here, since it takes a good part of a second

        wanted = keys.simulated_scene(self.settings)
        key = keys.scene_key(self.settings)
        return self._find_or_make("scene", "simulated", key, lambda folder: simulate_scene(folder, **wanted))

    @cached_property
    def scene(self) -> xr.DataArray:
        """The lazy reflectance series (band, time, y, x); see `scenes.open_scene`."""
        with self._quiet():
            return open_scene(self.folder or self.settings.scene.path, **keywords_of(self.settings.scene))

    @property
    def tiles(self) -> list[str]:
        """Names of the scenes that are read, of a region its tiles; a single scene has none."""
        return [""]

    def tile_scene(self, name: str) -> xr.DataArray:
        """The lazy series (band, time, y, x) of the scene with a name."""
        return self.scene

    def scenes(self) -> Iterator[xr.DataArray]:
        """Every scene that is read, one after the other."""
        for name in self.tiles:
            yield self.tile_scene(name)

    @cached_property
    def polygons(self) -> gpd.GeoDataFrame:
        """The polygons in the scene's CRS, each in one of the sets train, validation and test."""
        return split(self._pool(), validation=self.settings.sample.validation, seed=self.settings.seed)

    def _pool(self) -> gpd.GeoDataFrame:
        """The polygons before they are divided, in groups that stay together."""
        path = self.folder / "polygons.gpkg" if self.folder else self.settings.scene.polygons
        place = {"crs": self.scene.rio.crs, "bounds": self.scene.rio.bounds(), "pixel": pixel_of(self.scene)}
        with self._quiet():
            pool = load_polygons(path, **place, options=self.settings.labels)
            # polygons of the simulated scene are divided one by one, as the paper's are
            return pool if self.simulated else self._keep_together(pool)

    def _keep_together(self, pool: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Polygons in groups that also hold those that show one object; see `features.alike`."""
        key = keys.pairs_key(self.settings)
        folder = self._find_or_make("pairs", "alike", key, lambda folder: self._find_alike(pool, folder))
        pool, findings = keep_together(pool, Pairs.load(folder / "pairs.json"), bool(self.settings.labels.group_field))
        for finding in findings:
            place = f" ({finding.place})" if finding.place else ""
            warnings.warn(InputWarning(f"{finding.value}{place}.", finding.fix, kind=finding.kind), stacklevel=5)
        return pool

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Without the warnings that the pre-flight has shown as findings."""
        with warnings.catch_warnings():
            if self.checked:
                warnings.simplefilter("ignore", InputWarning)
            yield

    def _find_alike(self, pool: gpd.GeoDataFrame, folder: Path) -> None:
        """Write the pairs of polygons that show one object."""
        find_alike(self.scene, pool, self.settings.labels.near).save(folder / "pairs.json")

    @cached_property
    def legend(self) -> tuple[LandCover, ...]:
        """The classes of the polygons, in the index order of labels, models and tables, in the colours of the palette."""
        return recolour(legend_of(self.polygons), self.settings.map.palette)

    @cached_property
    def burned(self) -> xr.Dataset:
        """Label and polygon number of every labelled pixel (y, x); see `labels.burn`."""
        polygons, scene = self.polygons, self.scene
        with self._quiet():
            return burn(polygons, scene, self.legend)

    @cached_property
    def truth(self) -> xr.DataArray:
        """Class codes (y, x) of the simulated scene. Raises `InputError` for a real scene, whose truth is not known."""
        if self.folder is None:
            raise InputError("Only the simulated scene has a known truth for every pixel.", kind="scene.truth")
        return read_map(self.folder / "truth.tif")

    @cached_property
    def dates(self) -> list[str]:
        """Dates of the scene, like "2018-07-08"."""
        return [f"{date:%Y-%m-%d}" for date in self.scene.indexes["time"]]

    def window(self, size: int, class_name: str = "") -> dict[str, slice]:
        """A square window of `size` pixels around the test polygon of a class that lies nearest to the scene's centre.

        Around the centre itself where no class is named, or no test polygon has it. Slices by dimension (y, x).
        """
        test = self.polygons[(self.polygons["set"] == "test") & (self.polygons["class_name"] == class_name)]
        left, bottom, right, top = self.scene.rio.bounds()
        middle = Point((left + right) / 2, (bottom + top) / 2)
        if len(test):
            middle = test.geometry.iloc[test.distance(middle).argmin()].centroid
        return window_around(self.scene, middle.x, middle.y, size)

    # -- samples -------------------------------------------------------------------------------------------------------

    @cached_property
    def inputs(self) -> Inputs:
        """What the samples hold of the scene: all its bands and dates, and the indices that its bands allow."""
        return Inputs.of(self.scene)

    @cached_property
    def samples(self) -> dict[str, Samples]:
        """Samples of each set: patches of gap-filled bands and indices, not normalised; see `patches.extract`."""

        folder = self._find_or_make("samples", "patches", keys.samples_key(self.settings), self._extract)
        return {name: Samples.load(folder / f"{name}.safetensors") for name in SETS}

    def has_samples(self) -> bool:
        """Whether the samples in patches are in the store."""
        return store.place(self.store, "samples", "patches", keys.samples_key(self.settings)).is_dir()

    def has_superpixels(self) -> bool:
        """Whether the superpixels of the whole scene are in the store."""
        return store.place(self.store, "superpixels", "slic", keys.superpixels_key(self.settings)).is_dir()

    def _extract(self, folder: Path) -> None:
        """Write the samples of each set to a folder."""
        refuse_values(self.scene)
        for name in SETS:
            polygons = self.polygons[self.polygons["set"] == name]
            samples = extract(
                self.scene, self.burned, polygons, self.settings.sample.patch, models.reach(), self.inputs
            )
            samples.save(folder / f"{name}.safetensors")

    def bytes_of_samples(self) -> int:
        """Size of the samples in patches."""
        return sum(samples.x.nbytes for samples in self.samples.values())

    @cached_property
    def normaliser(self) -> Normaliser:
        """Fitted on the training pixels alone."""
        return Normaliser.fit(self.samples["train"])

    @cached_property
    def superpixels_folder(self) -> Path:
        """Folder of the superpixels of the whole scene, with their provenance."""

        return self._find_or_make("superpixels", "slic", keys.superpixels_key(self.settings), self._segment)

    def _segment(self, folder: Path) -> None:
        """Write the superpixels to a folder."""
        segment_scene(self.scene, self.normaliser, folder / "superpixels.tif", inputs=self.inputs)

    @cached_property
    def superpixels(self) -> xr.DataArray:
        """Number of the superpixel of every pixel, lazy (y, x); see `superpixels.segment_scene`."""
        return read_map(self.superpixels_folder / "superpixels.tif")

    @cached_property
    def superpixel_samples(self) -> dict[str, Samples]:
        """Samples of whole superpixels, not normalised; see `superpixels.extract_superpixels`."""

        key = keys.superpixels_key(self.settings)
        folder = self._find_or_make("samples", "superpixels", key, self._extract_superpixels)
        return {name: Samples.load(folder / f"{name}.safetensors") for name in SETS}

    def _extract_superpixels(self, folder: Path) -> None:
        """Write the samples of superpixels of each set to a folder."""
        for name in SETS:
            polygons = self.polygons[self.polygons["set"] == name]
            samples = extract_superpixels(self.scene, self.burned, self.superpixels, polygons, inputs=self.inputs)
            samples.save(folder / f"{name}.safetensors")

    # -- tables --------------------------------------------------------------------------------------------------------

    def pixel_counts(self) -> pd.DataFrame:
        """Polygons and labelled pixels by class and set; see `labels.pixel_counts`."""
        return pixel_counts(self.burned, self.polygons, self.legend)

    def separation(self) -> pd.DataFrame:
        """How many polygons of one set lie within reach (metres) of a polygon of another; see `labels.separation`."""
        pixel = abs(self.scene.rio.resolution()[0])
        return separation(
            self.polygons,
            {"one patch": self.settings.sample.patch * pixel, "one receptive field": models.reach() * pixel},
        )

    def series(self, normalised: bool = False) -> pd.DataFrame:
        """Mean and standard deviation by class, channel and date over the labelled pixels of training and validation."""
        pool = [self.samples[name] for name in ("train", "validation")]
        if normalised:
            pool = [samples.map(self.normaliser.apply) for samples in pool]
        return class_series(pool, self.legend, pd.to_datetime(self.dates))
