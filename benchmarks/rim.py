"""Accuracy of maps where a scene ends, beside a strip without data, and where dates are missing.

    python benchmarks/rim.py [TRAININGS [CLASSIFIER ...]]

Trains classifiers (all) TRAININGS times (3) on the demo scene and classifies with each training. The truth of the simulated
scene is known for every pixel, so the share of pixels that get their true class, and the mean confidence, can be compared
with those elsewhere. Cases:
  border of the scene      its outermost ring of pixels, with rings 3 to 5
  border of a part         the outermost ring of the scene without its own rim, with the same pixels in the whole scene
  strip without data       pixels that touch a strip that no date shows, with rings 3 to 5 from there
  strip, same pixels       pixels that touch the strip, with the same pixels without the strip
  ... missing              with the first training: a band of the scene without the first, a middle or the last date, or with
                           one date alone, with the same pixels and all dates
Means over trainings are kept in results/rim.csv.
"""

import sys
from itertools import product

import numpy as np
import pandas as pd
import torch
import xarray as xr
from record import keep

from paperlib import Experiment, allocation, models
from paperlib.features.superpixels import REACH
from paperlib.mapping.inference import Engine
from paperlib.training.classifier import Classifier

STRIP = 24  # columns without data
DEEP = 6  # rings that are classified; the outermost one, 0, is compared with
FAR = (3, 4, 5)
RIM = 12  # pixels that are cut off on each side for the border of a part

Window = tuple[slice, slice]


def without(scene: xr.DataArray, gap: np.ndarray) -> xr.DataArray:
    """A loaded scene with nothing usable where `gap` (time, y, x) is True."""
    return scene.where(~gap).assign_coords(mask=scene.mask | gap)


def frame(first: int, stop: int) -> list[Window]:
    """Four windows that cover the `DEEP` outermost rings of the square from `first` to `stop`, and no pixel twice."""
    whole, inner = slice(first, stop), slice(first + DEEP, stop - DEEP)
    ends = slice(first, first + DEEP), slice(stop - DEEP, stop)
    return [*product(ends, [whole]), *product([inner], ends)]


class Classified:
    """Classes and confidence of pixels, with their true classes and a number each."""

    def __init__(self, codes: np.ndarray, engine: Engine, scene: xr.DataArray, truth: np.ndarray, windows: list[Window],
                 rings: np.ndarray, superpixels: np.ndarray | None):  # fmt: skip
        right, sure, ring = [], [], []
        for window in windows:
            if superpixels is None:
                values, usable = engine.inputs.read_around(scene, *window, engine.halo)
                index, probability = engine.classify(values)
            else:  # which are seen whole
                read = tuple(slice(max(0, side.start - REACH), side.stop + REACH) for side in window)
                values, usable = engine.inputs.read_around(scene, *clip(read, truth.shape), 0)
                index, probability = engine.classify(values, superpixels[read])
                own = tuple(
                    slice(side.start - part.start, side.stop - part.start)
                    for side, part in zip(window, read, strict=True)
                )
                index, probability, usable = index[own], probability[own], usable[own]
            right.append((codes[index] == truth[window])[usable])
            sure.append(probability[usable])
            ring.append(rings[window][usable])
        self.right, self.sure, self.ring = (np.concatenate(part) for part in (right, sure, ring))

    def at(self, *rings: int) -> tuple[float, float]:
        """Share right and mean confidence of these rings."""
        wanted = np.isin(self.ring, rings)
        return float(self.right[wanted].mean()), float(self.sure[wanted].mean())


def clip(window: Window, shape: tuple[int, int]) -> Window:
    """The part of a window that lies in the scene."""
    rows, columns = (slice(side.start, min(side.stop, length)) for side, length in zip(window, shape, strict=True))
    return rows, columns


def border(length: int, rim: int = 0) -> np.ndarray:
    """Rings (y, x) from the end of a square scene without its `rim` outermost pixels, negative there."""
    place = np.minimum(np.arange(length), np.arange(length)[::-1])
    return np.minimum(place[:, None], place) - rim


def measure(run: Experiment, scene: xr.DataArray, name: str, number: int) -> list[dict]:
    """The cases of one training; each as share right and confidence, there and elsewhere."""
    classifier = Classifier.load(run.trained.training(name, number))
    engine, codes, truth = Engine(classifier), np.array([cover.code for cover in run.legend]), run.truth.values
    length, dates = len(truth), scene.sizes["time"]
    numbers = run.dataset.superpixels.values if classifier.model.needs_superpixels else None
    at = (length - STRIP) // 2
    strip = np.zeros((1, *truth.shape), bool)
    strip[..., at : at + STRIP] = True
    column = np.arange(length)
    beside = np.broadcast_to(np.maximum(at - 1 - column, column - at - STRIP), truth.shape)
    sides = [(slice(0, length), slice(at - DEEP, at)), (slice(0, length), slice(at + STRIP, at + STRIP + DEEP))]

    def classified(
        scene: xr.DataArray, windows: list[Window], rings: np.ndarray, truth: np.ndarray = truth
    ) -> Classified:
        return Classified(codes, engine, scene, truth, windows, rings, numbers)

    end, inner = classified(scene, frame(0, length), border(length)), slice(RIM, length - RIM)
    cut, uncut = classified(without(scene, strip), sides, beside), classified(scene, sides, beside)
    cases = {
        "border of the scene": (end.at(0), end.at(*FAR)),
        "strip without data": (cut.at(0), cut.at(*FAR)),
        "strip, same pixels": (cut.at(0), uncut.at(0)),
    }
    if numbers is None:
        part = classified(
            scene[..., inner, inner], frame(0, length - 2 * RIM), border(length - 2 * RIM), truth[inner, inner]
        )
        whole = classified(scene, frame(RIM, length - RIM), border(length, RIM))
        cases["border of a part"] = part.at(0), whole.at(0)
    if number == 0:
        every = set(range(dates))
        gaps = {
            "first date": {0},
            "a middle date": {dates // 2},
            "last date": {dates - 1},
            "all dates but one": every - {dates // 2},
        }
        before = uncut.at(*range(DEEP))
        for case, missing in gaps.items():
            gap = np.isin(np.arange(dates), list(missing))[:, None, None] & np.ones(truth.shape, bool)
            cases[f"{case} missing"] = classified(without(scene, gap), sides, beside).at(*range(DEEP)), before
    columns = ("right, there", "confidence, there", "right, elsewhere", "confidence, elsewhere")
    return [
        {"classifier": name, "case": case} | dict(zip(columns, (*there, *elsewhere), strict=True))
        for case, (there, elsewhere) in cases.items()
    ]


def main(trainings: int = 3, *names: str) -> None:
    """Measure every classifier."""
    allocation.configure()
    torch.set_num_threads(1)
    run = Experiment("demo", settings={"train.trainings": trainings})
    scene = run.scene.compute()
    for name in names or models.CLASSIFIERS:
        rows = [row for number in range(trainings) for row in measure(run, scene, name, number)]
        table = pd.DataFrame(rows).groupby(["classifier", "case"], sort=False).mean().reset_index()
        for value in ("right", "confidence"):
            table[f"{value}, difference"] = table[f"{value}, there"] - table[f"{value}, elsewhere"]
        keep("rim", table, preset="demo", trainings=trainings)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
