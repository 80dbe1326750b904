"""One run from scene to map: what the notebooks and the command line call."""

from collections.abc import Iterable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import scipy.special  # noqa: F401 - before torch: skops looks for its functions in all modules loaded earlier
import xarray as xr

from .. import environment
from ..features.samples import Samples
from ..models.registry import CLASSIFIERS
from ..nomenclature import LandCover
from ..regions.tiles import find_tiles
from ..settings import Overrides, Settings, make, override
from ..store import open_store
from ..training.classifier import Classifier
from . import keys
from .dataset import Dataset
from .maps import Maps
from .regional.dataset import RegionDataset
from .regional.maps import RegionMaps
from .trained import Trained


class Experiment:
    """A scene, its polygons, the classifiers trained on them, and their maps.

    Parameters
    ----------
    preset, scene, polygons, seed: as of `settings.make`; scene and polygons empty: the simulated scene. A scene may be a
        region of several tiles (`regions.find_tiles`); figures then show one of them, and `map` is their mosaic.
    settings: overrides, such as {"train.epochs": 40}; see `settings.Overrides`.
    store: root folder of the artifacts; see `store.open_store` for the default.

    `dataset`, `trained` and `maps` do the work; the names below are what is asked for most. Nothing is read or computed
    before it is asked for.
    """

    def __init__(
        self,
        preset: str = "",
        scene: str | Path = "",
        polygons: str | Path = "",
        seed: int = 0,
        *,
        settings: Overrides | None = None,
        store: str | Path | None = None,
    ):
        scene, polygons = (str(path) if isinstance(path, Path) else path for path in (scene, polygons))
        self._join(make(preset, scene, polygons, seed, settings), open_store(store))

    def _join(self, chosen: Settings, store: Path, dataset: Dataset | None = None) -> None:
        self.settings, self.store = chosen, store
        region = bool(chosen.scene.path and find_tiles(chosen.scene.path))
        self.dataset = dataset or (RegionDataset if region else Dataset)(chosen, store)
        self.trained = Trained(self.dataset, chosen, progress=not environment.quiet())
        self.maps = (RegionMaps if region else Maps)(self.trained)

    def override(self, overrides: Overrides) -> "Experiment":
        """The same run with other settings, in the same store; what was read is shared where they do not change it."""
        chosen = override(self.settings, overrides)
        other = object.__new__(Experiment)
        other._join(chosen, self.store, self.dataset if keys.same_dataset(chosen, self.settings) else None)
        return other

    # -- input ---------------------------------------------------------------------------------------------------------

    @property
    def simulated(self) -> bool:
        """Whether the scene is the simulated one."""
        return self.dataset.simulated

    @property
    def scene(self) -> xr.DataArray:
        """The lazy reflectance series (band, time, y, x)."""
        return self.dataset.scene

    @property
    def dates(self) -> list[str]:
        """Dates of the scene, like "2018-07-08"."""
        return self.dataset.dates

    @property
    def polygons(self) -> gpd.GeoDataFrame:
        """The polygons in the scene's CRS, each in one of the sets train, validation and test."""
        return self.dataset.polygons

    @property
    def legend(self) -> tuple[LandCover, ...]:
        """The classes of the polygons, in the index order of labels, models and tables."""
        return self.dataset.legend

    @property
    def truth(self) -> xr.DataArray:
        """Class codes (y, x) of the simulated scene. Raises `InputError` for a real scene, whose truth is not known."""
        return self.dataset.truth

    @property
    def samples(self) -> dict[str, Samples]:
        """Samples of each set, not normalised."""
        return self.dataset.samples

    # -- classifiers ---------------------------------------------------------------------------------------------------

    def trainings(self, names: Iterable[str] = CLASSIFIERS) -> pd.DataFrame:
        """Every training of these classifiers, the chosen ones marked; see `trials.trainings_frame`."""
        return self.trained.trainings(names)

    def class_scores(self, names: Iterable[str] = CLASSIFIERS) -> pd.DataFrame:
        """F1 of each class in every training; see `trials.class_scores_frame`."""
        return self.trained.class_scores(names)

    def classifier(self, name: str) -> Classifier:
        """The chosen training of a classifier."""
        return self.trained.classifier(name)

    def efficiency(self, names: Iterable[str] = CLASSIFIERS) -> pd.DataFrame:
        """`trainings` with the seconds that the whole-scene map of the chosen training took (inference_seconds)."""
        seconds = {name: self.maps.seconds(name) for name in names}
        return self.trainings(names).assign(inference_seconds=lambda table: table["model"].map(seconds))

    # -- maps ----------------------------------------------------------------------------------------------------------

    def map(self, name: str) -> Path:
        """Folder of the whole-scene map by the chosen training of a classifier: class.tif and confidence.tif."""
        return self.maps.folder(name)

    def class_map(self, name: str) -> xr.DataArray:
        """Class codes (y, x) of a classifier's map."""
        return self.maps.classes(name)

    def confidence_map(self, name: str) -> xr.DataArray:
        """Confidence in percent (y, x) of a classifier's map, 255 where there is none."""
        return self.maps.confidence(name)

    def class_maps(self, names: Iterable[str] = CLASSIFIERS) -> dict[str, xr.DataArray]:
        """Class codes (y, x) of each classifier's map, after the truth where the scene has one."""
        truth = {"truth": self.truth} if self.simulated else {}
        return truth | {name: self.class_map(name) for name in names}
