"""Where to believe a map: the area of applicability of a run's classifier on the simulated scene, beside the truth."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from ... import store
from ...mapping.scene_maps import read_map
from ...runs.experiment import Experiment
from ...settings import key
from ...transfer.area import Area
from ...transfer.area_maps import NODATA_INDEX, STEP, write_area


class Believed(NamedTuple):
    """The dissimilarity index (y, x), NaN where unknown, its threshold, and where the map is right, bool (y, x)."""

    dissimilarity: xr.DataArray
    threshold: float
    right: xr.DataArray

    @property
    def outside(self) -> np.ndarray:
        """Where a pixel lies outside the area, bool (y, x)."""
        return np.asarray(self.dissimilarity.values > self.threshold)

    def accuracy(self, outside: bool) -> float:
        """Share of the pixels whose class is right, inside or outside the area; NaN where there are none."""
        there = self.right.values[(self.outside == outside) & ~np.isnan(self.dissimilarity.values)]
        return float(there.mean()) if there.size else float("nan")


def believed(run: Experiment, name: str) -> Believed:
    """The area of applicability of a classifier on the simulated scene of a run; made where it is not in the store."""
    classifier = run.classifier(name)
    wanted = key(run.map(name).name, name, store.FORMAT)
    folder = store.find_or_make(
        run.store, "area", name, wanted,
        lambda folder: write_area(classifier, Area.learn(classifier, run.trained.samples(name)), run.scene, folder),
        {"classifier": name},
    )  # fmt: skip
    layer = read_map(folder / "dissimilarity.tif")
    index = (layer * np.float32(STEP)).where(layer != NODATA_INDEX)
    right = xr.zeros_like(layer, dtype=bool).copy(data=run.class_map(name).values == run.truth.values)
    return Believed(index, float(layer.attrs["threshold"]), right)


def travel_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Of what benchmarks/travel.py keeps: overall accuracy inside and outside the area, by scene and classifier."""
    columns = {"outside_area": "outside", "oa": "accuracy", "oa_inside": "inside", "oa_outside": "outside the area"}
    table = measured[["classifier", "scene", *columns]].rename(columns=columns)
    return table.assign(gain=table["inside"] - table["outside the area"])


def answer(found: Believed, name: str) -> str:
    """What was found on one map, in a sentence or two."""
    share = found.outside.mean()
    return (
        f"On the map of {name} below, {100 * share:.1f} % of the pixels lie outside it; the accuracy is "
        f"{100 * found.accuracy(False):.1f} % inside and {100 * found.accuracy(True):.1f} % outside."
    )


def gains(measured: pd.DataFrame) -> str:
    """In how many rows of `travel_table` a map is better inside the area, by classifier, in a sentence."""
    table = travel_table(measured)
    parts = [
        f"{name} in {(rows['gain'] > 0).sum()} of {len(rows)} scenes (mean gain {rows['gain'].mean():+.2f})"
        for name, rows in table.groupby("classifier", sort=False)
    ]
    return f"Maps are more accurate inside the area by {', '.join(parts)}."
