"""What the page of better maps shows: confidence beside the truth, maps before and after smoothing, objects."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import xarray as xr

from ..evaluation import geometry
from ..evaluation.calibration import calibration_error, reliability
from ..mapping.class_map import ClassMap
from ..mapping.layers import NODATA_PROBABILITY, STEP
from ..mapping.scene_maps import read_map
from ..mapping.smoothing.maps import Smoothing, smooth_map
from ..mapping.vectors import vectorise
from ..runs.experiment import Experiment
from ..runs.products import write_products

#: Objects narrower than so many pixels are narrow.
NARROW = 3
#: Ways of smoothing that the page compares, by name.
WAYS = {
    "small objects joined": Smoothing(),
    "Bayesian": Smoothing("bayesian", minimum_pixels=1),
    "Bayesian, strong": Smoothing("bayesian", side=7, smoothness=10, minimum_pixels=1),
    "majority": Smoothing("majority", 3, minimum_pixels=1),
    "objects of 500 m²": Smoothing(minimum_area=500),
}
#: Name of the default in benchmarks/smoothing.py.
DEFAULT = f"objects of {Smoothing().minimum_pixels} pixels"
AS_TRAINED, CALIBRATED = "as trained", "calibrated"


def reliability_tables(run: Experiment, name: str) -> dict[str, dict[str, pd.DataFrame]]:
    """Reliability of a classifier's probabilities on the test polygons and, of a simulated scene, on its whole map.

    `run` has the setting `map.probabilities`. By place, then `AS_TRAINED` and `CALIBRATED`.
    """
    classifier = run.classifier(name)
    logits, label = (one.numpy() for one in run.trained.chosen_answers(name)["test"])
    tables = {"test polygons": _both(logits, label, classifier.temperature)}
    if run.simulated:
        with rasterio.open(run.map(name) / "probabilities.tif") as file:
            stored = file.read()
        codes, truth = [cover.code for cover in run.legend], run.truth.values
        known = (stored[0] != NODATA_PROBABILITY) & np.isin(truth, codes)
        calibrated = np.log(np.maximum(STEP * stored[:, known].T, STEP / 10))
        index = np.argsort(codes)[np.searchsorted(sorted(codes), truth[known])]
        tables["whole map"] = _both(classifier.temperature * calibrated, index, classifier.temperature)
    return tables


def _both(logits: np.ndarray, label: np.ndarray, temperature: float) -> dict[str, pd.DataFrame]:
    return {
        name: reliability(_softmax(logits / divisor), label)
        for name, divisor in ((AS_TRAINED, 1.0), (CALIBRATED, temperature))
    }


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def errors_table(tables: Mapping[str, Mapping[str, pd.DataFrame]]) -> pd.DataFrame:
    """Expected calibration error by place (row) and kind of probabilities (column)."""
    return pd.DataFrame(
        {place: {name: calibration_error(table) for name, table in lines.items()} for place, lines in tables.items()}
    ).T


class Smoothed:
    """A map of a run and what `WAYS` make of it, with their objects as polygons."""

    def __init__(self, run: Experiment, name: str, window: Mapping[str, slice]):
        self.truth, self.window = run.truth, window
        self.maps: dict[str, xr.DataArray] = {}
        self.objects: dict[str, gpd.GeoDataFrame] = {}
        with TemporaryDirectory() as folder:
            (source,) = write_products(run, (name,), Path(folder))
            self._add("as classified", source)
            for way, choice in WAYS.items():
                self._add(way, smooth_map(source, Path(folder) / way, choice))

    def _add(self, title: str, folder: Path) -> None:
        self.maps[title] = read_map(folder / "class.tif").load()
        left, bottom, right, top = self.truth.isel(self.window).rio.bounds()
        self.objects[title] = vectorise(ClassMap.open(folder)).clip((left, bottom, right, top))

    def scores(self) -> pd.DataFrame:
        """Each map beside the truth: accuracy, specks and recall in narrow objects (per cent), F1 of borders, by title."""
        truth = self.truth.values
        rows = {}
        for title, image in self.maps.items():
            codes = image.values
            borders = geometry.boundary_f1(geometry.edges(codes), geometry.edges(truth))
            narrow = geometry.recall_by_width(truth, codes, (1, NARROW))["recall"].iloc[0]
            rows[title] = {
                "accuracy (%)": 100 * (codes == truth).mean(),
                "in specks (%)": 100 * geometry.speckle(codes)["isolated_share"],
                "recall in narrow objects (%)": 100 * narrow,
                "F1 of borders": borders["f1"],
            }
        return pd.DataFrame(rows).T.rename_axis("map")

    def in_window(self, *titles: str) -> dict[str, xr.DataArray]:
        """The truth and the maps with these titles, in the window."""
        return {"truth": self.truth.isel(self.window)} | {title: self.maps[title].isel(self.window) for title in titles}


def layers_in(run: Experiment, name: str, window: Mapping[str, slice]) -> dict[str, xr.DataArray]:
    """Confidence, margin and entropy of a classifier's map, in a window."""
    return {
        layer: read_map(run.map(name) / f"{layer}.tif").isel(window) for layer in ("confidence", "margin", "entropy")
    }


def trade_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Means over all scenes of benchmarks/smoothing.py, by classifier and way, with the column method."""
    scores = ["accuracy", "speckle", "narrow", "borders"]
    table = measured.groupby(["classifier", "way"], sort=False)[scores].mean().reset_index()
    bayesian = table["way"].str.extract(r"^(bayesian, \d pixels)")[0]
    return table.assign(method=bayesian.fillna(table["way"].str.extract(r"^(majority|objects)")[0]))


def averaging_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Scores of benchmarks/averaging.py by measurement, share and end: means over trainings, and their deviations."""
    groups = measured.groupby(["measured", "share", "end"], sort=False)
    columns = {"trainings": groups.size(), "epochs": groups["epochs"].mean().round().astype(int)}
    for part in ("validation", "test"):
        scores = groups[f"macro F1 {part}"]
        columns |= {f"F1 on {part}": scores.mean(), f"± {part}": scores.std()}
    return pd.DataFrame(columns).reset_index()


def default_row(measured: pd.DataFrame, way: str = DEFAULT) -> pd.DataFrame:
    """What the default changes for each classifier, in points: accuracy, narrow, borders, speckle."""
    table = measured.set_index(["classifier", "way"])[["accuracy", "narrow", "borders", "speckle"]]
    return 100 * (table.xs(way, level="way") - table.xs("as classified", level="way"))
