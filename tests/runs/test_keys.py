"""Keys of artifacts: every setting changes those that depend on it, and no other."""

from pathlib import Path

import numpy as np
import pytest
import torch

from paperlib import Experiment, settings
from paperlib.features.inputs import Inputs
from paperlib.mapping.scene_maps import read_map
from paperlib.runs import keys
from support.stores import copy_store

NETWORKS = {"TempCNN", "SpatioTempCNN"}
TRAININGS = {*NETWORKS, "iota2_base", "iota2_ctx", "Galileo"}
SAMPLES = {"samples", "superpixels", *TRAININGS}
#: What the scene changes: also the imitation of Galileo, which no label does.
SEEN = {"imitation", *SAMPLES}
#: Superpixels are whole, so their samples know no size of patches.
PATCHES = SAMPLES - {"superpixels", "iota2_ctx"}

#: Setting -> another value, and the artifacts of the simulated scene whose bytes it changes. Maps follow their training.
CHANGES = {
    "scene.resampling": ("cubic", SEEN),
    "scene.size": (256, {"scene", *SEEN}),
    "scene.pool": (60, {"scene", *SEEN}),
    "scene.test": (30, {"scene", *SEEN}),
    "scene.seed": (32, {"scene", *SEEN}),
    "scene.bands": (["B4", "B8"], SEEN),
    "scene.sensor": ("landsat-8", set()),  # the simulated scene's products say what they are
    "scene.scale": (0.0002, SEEN),
    "scene.offset": (-0.1, SEEN),
    "scene.offset_dates": ("2018-03..", SEEN),
    "scene.nodata": (0.0, SEEN),
    "scene.mask_classes": ([0, 1, 2], SEEN),
    "scene.pixel": ("corner", set()),
    "scene.every": ("month", SEEN),
    "scene.pattern": ("{date}", set()),
    "labels.field": ("crop", SAMPLES),
    "labels.name_field": ("name", SAMPLES),
    "labels.set_field": ("part", SAMPLES),
    "labels.group_field": ("farm", SAMPLES),
    "labels.near": (0, SAMPLES),
    "labels.blocks": (500, SAMPLES),
    "labels.layer": ("final", SAMPLES),
    "labels.encoding": ("cp850", SAMPLES),
    "labels.nomenclature": ("clcplus", SAMPLES),
    "labels.buffer": (15, SAMPLES),
    "labels.repair": (True, SAMPLES),
    "labels.join_spellings": (True, SAMPLES),
    "sample.patch": (24, PATCHES),
    "sample.validation": (0.4, SAMPLES),
    "sample.oversample": (False, NETWORKS),
    "sample.split": ("pixel", TRAININGS),
    "sample.training_share": (0.5, TRAININGS),
    "sample.dates": ("shuffled", TRAININGS),
    "sample.indices": (False, TRAININGS),
    "train.epochs": (3, NETWORKS),
    "train.patience": (2, NETWORKS),
    "train.trainings": (4, set()),
    "train.learning_rate": (1e-2, NETWORKS),
    "train.patches": (4, NETWORKS),
    "train.dropout": (0.2, NETWORKS),
    "train.average": (0.1, NETWORKS),
    "train.fusion": (0.6, {"SpatioTempCNN"}),
    "train.largest_leaf": (10, {"iota2_base", "iota2_ctx"}),
    "train.imitated": (500, {"imitation", "Galileo"}),
    "map.window": (64, set()),
    "map.probabilities": (True, set()),  # the other layers of the map have the same bytes
    "map.palette": ("safe", set()),  # colours are those of the map
    "region.crs": ("EPSG:3035", set()),  # mosaics have keys of their own
    "region.mixed_years": (True, set()),
    "seed": (1, SAMPLES),
}
#: What the imitation reads of the scene; a run takes what its samples have.
INPUTS = Inputs(("B4", "B8"), {"red": "B4", "nir": "B8"}, (), (30.0, 60.0), 10.0)
#: Read through the files that they name.
FILES = {"scene.path", "scene.polygons"}


def keys_of(chosen: settings.Settings) -> dict[str, str]:
    trainings = {name: keys.training_key(chosen, name, 0) for name in TRAININGS}
    inputs = {"samples": keys.samples_key(chosen), "superpixels": keys.superpixels_key(chosen)}
    inputs["imitation"] = keys.imitation_key(chosen, INPUTS)
    return {"scene": keys.scene_key(chosen), **inputs, **trainings}


def changed(before: settings.Settings, overrides: dict) -> set[str]:
    first, second = keys_of(before), keys_of(settings.override(before, overrides))
    return {name for name in first if first[name] != second[name]}


def test_the_table_has_every_setting():
    assert set(CHANGES) | FILES == set(settings.known())


@pytest.mark.parametrize("name", CHANGES)
def test_a_setting_changes_the_keys_of_what_depends_on_it_and_no_other(name):
    value, artifacts = CHANGES[name]
    assert changed(settings.make("demo"), {name: value}) == artifacts


@pytest.fixture
def real(tmp_path) -> settings.Settings:
    """A scene and polygons that are files of any content: keys read no pixel."""
    for name in ("stack.tif", "labels.gpkg"):
        (tmp_path / name).write_bytes(b"some bytes")
    return settings.make("demo", str(tmp_path / "stack.tif"), str(tmp_path / "labels.gpkg"))


@pytest.mark.parametrize("name", [name for name in CHANGES if name.startswith("scene.")])
def test_what_only_the_simulated_scene_takes_changes_no_key_of_a_real_one(name, real):
    value, artifacts = CHANGES[name]
    assert changed(real, {name: value}) - {"scene"} == (set() if "scene" in artifacts else SEEN)


@pytest.mark.parametrize("name", ["path", "polygons"])
def test_other_bytes_are_other_samples_and_another_place_is_not(name, real, tmp_path):
    file, before = Path(getattr(real.scene, name)), keys_of(real)
    (tmp_path / "elsewhere").mkdir()
    moved = file.rename(tmp_path / "elsewhere" / file.name)
    assert keys_of(settings.override(real, {f"scene.{name}": str(moved)})) == before
    moved.rename(file).write_bytes(b"other bytes")
    after = keys_of(real)
    assert {key for key in before if before[key] != after[key]} == (SEEN if name == "path" else SAMPLES)


def test_trainings_of_a_run_have_keys_of_their_own():
    chosen = settings.make("demo")
    assert keys.training_key(chosen, "TempCNN", 0) != keys.training_key(chosen, "TempCNN", 1)
    later = settings.override(chosen, {"seed": 1})  # training 1 of seed 0 has the seed of training 0 of seed 1
    assert keys.training_key(chosen, "TempCNN", 1) != keys.training_key(later, "TempCNN", 0)  # but not its samples


SMALL = {"scene.size": 128, "scene.pool": 24, "scene.test": 16, "train.epochs": 1}


@pytest.fixture(scope="module")
def small_scene(tmp_path_factory) -> Path:
    """A store that holds the simulated scene of `SMALL` alone."""
    store = tmp_path_factory.mktemp("small")
    assert Experiment("tiny", settings=SMALL, store=store).dataset.folder
    return store


@pytest.mark.parametrize("name", sorted(TRAININGS - {"Galileo"}))  # that needs weights which are fetched
def test_settings_that_leave_a_key_alone_leave_the_artifact_alone(name, small_scene, tmp_path):
    """All settings that the table says change nothing of a training and its map, at once, in a store of their own."""
    for store in ("one", "other"):
        copy_store(small_scene, tmp_path / store)
    harmless = {field: value for field, (value, artifacts) in CHANGES.items() if not {name, "scene"} & artifacts}
    assert {"map.window", "train.trainings"} < set(harmless)
    harmless["train.trainings"] = 1
    runs = [
        Experiment("tiny", settings=SMALL | overrides, store=tmp_path / store)
        for store, overrides in (("one", {}), ("other", harmless))
    ]
    assert runs[0].trained.training(name).name == runs[1].trained.training(name).name
    samples = runs[0].trained.samples(name)["test"]
    one, other = (run.classifier(name).probabilities(samples.x, samples.superpixel) for run in runs)
    assert torch.equal(one, other) and len(one)
    for file in ("class.tif", "confidence.tif"):
        first, second = (read_map(run.map(name) / file).values for run in runs)
        np.testing.assert_array_equal(first, second)
