"""Samples that know the first dates of a scene alone, as a classifier early in the season would."""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..errors import InputError, InputWarning
from ..features.inputs import Inputs
from ..features.normaliser import Normaliser
from ..features.patches import extract
from ..features.samples import Samples
from ..features.superpixels import extract_superpixels, segment_scene
from ..mapping.scene_maps import read_map
from ..runs.experiment import Experiment

#: Pixels of a patch without what a network sees around it.
INNER = 8


def samples_until(run: Experiment, number: int, halo: int = 0) -> dict[str, Samples] | None:
    """Samples of training and validation that know the first `number` dates of the scene alone, not normalised.

    None where a polygon has no usable pixel on them. `halo`: pixels that a network sees around one.
    """
    scene = run.scene.isel(time=slice(number))
    inputs = Inputs.of(scene)
    parts: dict[str, Samples] = {}
    for name in ("train", "validation"):
        polygons = run.polygons[run.polygons["set"] == name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InputWarning)  # pixels without a usable date: of the first dates, many
            try:
                parts[name] = extract(scene, run.dataset.burned, polygons, INNER + 2 * halo, halo, inputs)
            except InputError as error:
                if error.kind != "labels.nodata" or number == len(run.dates):
                    raise
                return None
        held = run.dataset.burned["polygon"].values
        lacking = set(polygons["polygon_id"]) & set(np.unique(held)) - set(parts[name].polygon.unique().tolist())
        if lacking and number < len(run.dates):
            return None
    return parts


def superpixels_until(run: Experiment, number: int, parts: dict[str, Samples]) -> dict[str, Samples]:
    """Samples of whole superpixels that are made of the first `number` dates alone, not normalised.

    `parts`: as `samples_until` gives them of the same dates. The whole scene is divided into superpixels anew.
    """
    scene, burned = run.scene.isel(time=slice(number)), run.dataset.burned
    inputs, polygons = Inputs.of(scene), run.polygons
    with TemporaryDirectory() as folder:
        path = Path(folder) / "superpixels.tif"
        segment_scene(scene, Normaliser.fit(parts["train"]), path, inputs=inputs)
        with read_map(path) as numbers:
            return {
                name: extract_superpixels(scene, burned, numbers, polygons[polygons["set"] == name], inputs=inputs)
                for name in parts
            }
