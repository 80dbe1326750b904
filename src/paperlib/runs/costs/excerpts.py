"""What a measurement reads of a scene and its polygons: all samples where they are few or there already, else some."""

import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ... import models
from ...features.normaliser import Normaliser
from ...features.patches import BLOCK, extract
from ...features.samples import Samples
from ...features.superpixels import HALO, WINDOW, extract_superpixels, segment_scene
from ...mapping.scene_maps import read_map
from ...scenes.meaning.judging import refuse_values
from ...scenes.windowing import windows
from ..dataset import SETS, Dataset

#: Blocks of `features.patches.BLOCK` pixels from which the polygons of a set are read, at most.
BLOCKS = 6


class Excerpt(NamedTuple):
    """Samples in patches, not normalised."""

    parts: dict[str, Samples]
    share: float  # of all polygons
    seconds: float  # of the processor, for reading the samples of all polygons; 0: they are there


def read_excerpt(dataset: Dataset) -> Excerpt:
    """The samples of a dataset where they are in the store, else those of polygons in a few blocks of each set."""
    if dataset.has_samples():
        return Excerpt(dataset.samples, 1.0, 0.0)
    started = time.process_time()
    refuse_values(dataset.scene)
    polygons, near = dataset.polygons, _in_few_blocks(dataset)
    whole, started = time.process_time() - started, time.process_time()
    parts = {
        name: extract(
            dataset.scene, dataset.burned, polygons[near & (polygons["set"] == name)].reset_index(drop=True),
            dataset.settings.sample.patch, models.reach(), dataset.inputs,
        )
        for name in SETS
    }  # fmt: skip
    if not all(map(len, parts.values())):  # of a region, whose tile that is read lacks a set
        started = time.process_time()
        return Excerpt(dataset.samples, 1.0, time.process_time() - started)
    share = float(near.mean())
    return Excerpt(parts, share, whole + (time.process_time() - started) / share)


def _in_few_blocks(dataset: Dataset) -> np.ndarray:
    """Which polygons (bool) lie in `BLOCKS` blocks of the scene, drawn at random for each set among those that have some."""
    number, polygons = dataset.burned["polygon"].values, dataset.polygons
    rows, columns = np.nonzero(number >= 0)
    block = dict(zip(number[rows, columns], zip(rows // BLOCK, columns // BLOCK, strict=True), strict=True))
    places = polygons["polygon_id"].map(block)
    near, draw = np.zeros(len(polygons), bool), np.random.default_rng(0)
    for name in SETS:
        mine = (polygons["set"] == name) & places.notna()
        held = sorted(set(places[mine]))
        drawn = [held[index] for index in draw.permutation(len(held))[:BLOCKS]]
        near |= mine.to_numpy() & places.isin(drawn).to_numpy()
    return near


class SuperpixelExcerpt(NamedTuple):
    """Part of a scene with its superpixels."""

    samples: Samples  # of all its polygons, of any set; not normalised
    share: float  # of the training polygons, as many as these are
    values: np.ndarray  # float32 (channel, day, y, x), not normalised
    numbers: np.ndarray  # superpixels, int32 (y, x)
    seconds: float  # of the processor, for the superpixels of the whole scene


def read_superpixels(dataset: Dataset, normaliser: Normaliser) -> SuperpixelExcerpt:
    """Divide the block of a scene that holds the most labelled pixels into superpixels, and read those of its polygons."""
    scene, burned, polygons = dataset.scene, dataset.burned, dataset.polygons
    shape = scene.sizes["y"], scene.sizes["x"]
    place = max(windows(shape, BLOCK), key=lambda part: int((burned["polygon"].values[part.core] >= 0).sum())).core
    here = {"y": place[0], "x": place[1]}
    crop, labels = scene.isel(here), burned.isel(here)
    mine = polygons[polygons["polygon_id"].isin(np.unique(labels["polygon"].values))]
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "superpixels.tif"
        segment_scene(crop, normaliser, path, inputs=dataset.inputs)
        numbers = read_map(path).load()
    seconds = time.process_time() - started
    seconds *= _read(shape) / _read(numbers.shape)
    samples = extract_superpixels(crop, labels, numbers, mine, inputs=dataset.inputs)
    share = len(mine) / int((polygons["set"] == "train").sum())
    return SuperpixelExcerpt(samples, share, dataset.inputs.read(crop), numbers.values, seconds)


def _read(shape: tuple[int, ...]) -> int:
    """Pixels that `segment_scene` segments of a scene of this shape, those around its windows included."""
    return sum(pixels(part.read) for part in windows((shape[0], shape[1]), WINDOW, HALO))


def pixels(place: tuple[slice, slice]) -> int:
    """How many pixels rows and columns hold."""
    return (place[0].stop - place[0].start) * (place[1].stop - place[1].start)
