"""A kept run, read back with the names of `Experiment` that its results can answer.

The folder of a kept run holds `run.json` (settings, classes, dates, machine, commits, seconds, digests of the code),
`series.csv` and `pixels.csv` (the labelled pixels by class), `trainings/NAME/NUMBER/` (scores, history and counts by
polygon as the store has them, without weights), `maps/NAME/class.tif`, the middle of each map, and in
`maps/NAME/others/NUMBER/` that of maps by other trainings, and of a simulated scene `truth.tif`, the same part of the truth,
and `window.tif`, the image of the window of the paper's maps. Nothing is computed that is not kept: what lacks raises
`InputError`.
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import rioxarray
import xarray as xr

from ... import models, store
from ...errors import InputError
from ...mapping.scene_maps import read_map
from ...models.registry import CLASSIFIERS
from ...nomenclature import LandCover
from ...runs import keys
from ...runs.dataset import Dataset
from ...runs.experiment import Experiment
from ...runs.maps import Maps
from ...runs.side_by_side import Job
from ...runs.trained import Trained
from ...settings import Overrides, Settings, override
from ...store import project

#: File of the counts by polygon.
COUNTS = "polygons.csv.gz"

#: Folder, beside the map by the best training of a classifier, of those by others.
OTHER_MAPS = "others"

AGAIN = "`make paper` makes what lacks, and keeps it."


def kept_run(name: str = "paper") -> "KeptRun":
    """The run kept in data/results/NAME of the project. Raises `InputError` where there is none."""
    return KeptRun(project() / "data" / "results" / name)


def is_kept(name: str = "paper") -> bool:
    """Whether the project keeps a run of this name."""
    return (project() / "data" / "results" / name / "run.json").is_file()


def _lacking(what: str) -> InputError:
    return InputError(f"The kept run has no {what}.", AGAIN, kind="kept.lacking")


class KeptDataset(Dataset):
    """What is kept of a scene and its polygons."""

    def __init__(self, settings: Settings, folder: Path, facts: dict):
        super().__init__(settings, folder)
        legend = tuple(LandCover(**cover) for cover in facts["legend"])
        self.__dict__.update(legend=legend, dates=list(facts["dates"]))  # what `Dataset` would find in the scene

    @cached_property
    def truth(self) -> xr.DataArray:
        """Class codes (y, x) of the simulated scene."""
        if not (self.store / "truth.tif").is_file():
            raise InputError("Only the simulated scene has a known truth for every pixel.", kind="scene.truth")
        return read_map(self.store / "truth.tif")

    @cached_property
    def scene(self) -> xr.DataArray:
        """The window of the paper's maps (band, time, y, x), on the one date that is drawn."""
        if not (self.store / "window.tif").is_file():
            raise _lacking("image of the scene")
        image = rioxarray.open_rasterio(self.store / "window.tif", masked=True)
        assert isinstance(image, xr.DataArray)
        date = self.dates[len(self.dates) // 2]
        image = (image / 10_000).expand_dims(time=pd.DatetimeIndex([date])).transpose("band", "time", "y", "x")
        image = image.assign_coords(band=list(image.attrs.get("long_name", ())) or ["B4", "B3", "B2"])
        return image.assign_coords(mask=image.isnull().any("band"))

    def series(self, normalised: bool = False) -> pd.DataFrame:
        """Mean and standard deviation by class, channel and date, as `Dataset.series`."""
        table = pd.read_csv(self.store / "series.csv", parse_dates=["date"])
        return table[table["normalised"] == normalised].drop(columns="normalised").reset_index(drop=True)

    def pixel_counts(self) -> pd.DataFrame:
        """Polygons and labelled pixels by class and set, as `Dataset.pixel_counts`."""
        return pd.read_csv(self.store / "pixels.csv")


class KeptTrained(Trained):
    """The trainings that are kept, of the variation that `settings.sample` describes."""

    def _folder(self, name: str) -> Path:
        return self.dataset.store / "trainings" / (f"{name}, {self.variation}" if self.variation else name)

    def numbers(self, name: str) -> range:
        """Numbers of the kept trainings of a classifier: from 0, without gaps."""
        several = self.settings.train.trainings
        return range(
            next((n for n in range(several) if not (self._folder(name) / str(n) / "scores.json").is_file()), several)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The kept classifiers that tables show beside each other, those of `CLASSIFIERS` first; without `models.OTHERS`."""
        found = {path.name for path in (self.dataset.store / "trainings").glob("*")} if not self.variation else set()
        others = sorted(name for name in found - {*CLASSIFIERS, *models.OTHERS} if "=" not in name)
        return tuple(name for name in (*CLASSIFIERS, *others) if len(self.numbers(name)))

    def jobs(self, names: Iterable[str]) -> list[Job]:
        """The kept trainings of these classifiers; none is missing, so none is made."""
        return [Job(self, name, number) for name in names for number in self.numbers(name)]

    def make(self, names: Iterable[str], then: str = "", after: float = 0.0) -> None:
        """Raise `InputError` for a classifier without kept trainings."""
        for name in names:
            if not self.numbers(name):
                raise _lacking(f"trainings of {name}" + (f" with {self.variation}" if self.variation else ""))

    def place(self, name: str, number: int = 0) -> Path:
        """Folder of one kept training."""
        return self._folder(name) / str(number)

    def training(self, name: str, number: int = 0, progress: object = None) -> Path:
        """Folder of one kept training. Raises `InputError` where it is not kept."""
        self.make([name])
        return self.place(name, number)

    def folders(self, name: str) -> list[Path]:
        """Folders of the kept trainings of a classifier. Raises `InputError` where there is none."""
        self.make([name])
        return [self.place(name, number) for number in self.numbers(name)]

    def _polygons(self, folder: Path) -> pd.DataFrame:
        return pd.read_csv(folder / COUNTS)

    def _scores(self, names: Iterable[str]) -> list[dict]:
        names = tuple(names)
        self.make(names)
        return super()._scores(names)

    def history(self, names: Iterable[str] = ()) -> pd.DataFrame:
        """As `Trained.history`, by default of the kept networks."""
        chosen = tuple(names) or tuple(name for name in models.NAMES if name in self.names)
        if not chosen:
            raise _lacking("trainings of networks")
        return super().history(chosen)

    def counts(self, part: str = "test", names: Iterable[str] = ()) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """As `Trained.counts`, by default of all kept classifiers."""
        return super().counts(part, tuple(names) or self.names)

    def chosen_counts(self, part: str = "test", names: Iterable[str] = ()) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """As `Trained.chosen_counts`, by default of all kept classifiers."""
        return super().chosen_counts(part, tuple(names) or self.names)

    def confusions(self, part: str = "test", names: Iterable[str] = ()) -> dict[str, np.ndarray]:
        """As `Trained.confusions`, by default of all kept classifiers."""
        return super().confusions(part, tuple(names) or self.names)


class KeptMaps(Maps):
    """The maps that are kept."""

    trained: KeptTrained

    def folder(self, name: str) -> Path:
        """Folder of a kept map. Raises `InputError` where there is none, or none by the best training."""
        folder = self.dataset.store / "maps" / name
        if not (folder / "class.tif").is_file():
            raise _lacking(f"map of {name}")
        made, best = store.read_json(folder / "provenance.json")["training"], int(self.trained.best(name).name)
        if made != best:
            raise _lacking(f"map of {name} by its best training: the map is by training {made}, the best is {best}")
        return folder

    def classes_by_training(self, name: str) -> list[xr.DataArray]:
        """Class codes (y, x) of the map by the best training, and of those by others that are kept."""
        others = sorted((self.folder(name) / OTHER_MAPS).glob("*/class.tif"))
        return [self.classes(name), *map(read_map, others)]

    def names(self) -> list[str]:
        """The classifiers with a kept map."""
        found = []
        for name in self.trained.names:
            try:
                self.folder(name)
            except InputError:
                continue
            found.append(name)
        return found


class KeptRun(Experiment):
    """A kept run; `facts` are those of its run.json."""

    trained: KeptTrained
    maps: KeptMaps

    def __init__(self, folder: Path):
        if not (folder / "run.json").is_file():
            raise InputError(f"No results are kept in {folder}.", "`make paper` makes them.", kind="kept.absent")
        self.facts = store.read_json(folder / "run.json")
        self._join(override(Settings(), self.facts["settings"]), folder)

    def _join(self, chosen: Settings, store: Path, dataset: Dataset | None = None) -> None:
        self.settings, self.store = chosen, store
        self.dataset = dataset or KeptDataset(chosen, store, self.facts)
        self.trained = KeptTrained(self.dataset, chosen)
        self.maps = KeptMaps(self.trained)

    def override(self, overrides: Overrides) -> "KeptRun":
        """The same kept run with other settings of samples or trainings. Raises `InputError` for another scene or split."""
        chosen = override(self.settings, overrides)
        if not keys.same_dataset(chosen, self.settings):
            raise _lacking("results of another scene or split")
        other = object.__new__(KeptRun)
        other.facts = self.facts
        other._join(chosen, self.store, self.dataset)
        return other

    @property
    def names(self) -> tuple[str, ...]:
        """The classifiers with kept trainings."""
        return self.trained.names

    def trainings(self, names: Iterable[str] = ()) -> pd.DataFrame:
        """As `Experiment.trainings`, by default of all kept classifiers."""
        return super().trainings(tuple(names) or self.names)

    def class_scores(self, names: Iterable[str] = ()) -> pd.DataFrame:
        """As `Experiment.class_scores`, by default of all kept classifiers."""
        return super().class_scores(tuple(names) or self.names)

    def efficiency(self, names: Iterable[str] = ()) -> pd.DataFrame:
        """As `Experiment.efficiency`, NaN seconds for a map that is not kept."""
        table, mapped = self.trainings(names), self.maps.names()
        seconds = {name: self.maps.seconds(name) for name in mapped}
        return table.assign(inference_seconds=table["model"].map(seconds))

    def class_maps(self, names: Iterable[str] = ()) -> dict[str, xr.DataArray]:
        """As `Experiment.class_maps`, by default of the classifiers with a kept map."""
        return super().class_maps(tuple(names) or self.maps.names())
