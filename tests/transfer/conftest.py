"""Trained models of the simulated scene, and a small part of that scene as files of other shapes."""

import numpy as np
import pytest
from filelock import FileLock

from paperlib import load_model
from paperlib.scenes.shaping.saving import save_cube
from paperlib.transfer import write_models

#: Part of the scene that is mapped, in pixels.
SIDE = 64
NAMES = ("TempCNN", "iota2_base")


@pytest.fixture(scope="module")
def models(run, shared_folder):
    """Folder of a network and a forest, written once a session."""
    folder = shared_folder / "models"
    with FileLock(shared_folder / "models.lock"):
        if not folder.is_dir():
            assert write_models(run, NAMES, folder) == [folder / name for name in NAMES]
    return folder


@pytest.fixture(scope="module")
def model(models):
    return load_model(models / "TempCNN")


@pytest.fixture(scope="module")
def part(run):
    """The first rows and columns of the scene."""
    return run.scene[..., :SIDE, :SIDE]


@pytest.fixture(scope="module")
def turned(part, tmp_path_factory):
    """The same as a cube of its own, with its bands in another order, a year later."""
    path = tmp_path_factory.mktemp("turned") / "turned.nc"
    later = part.isel(band=slice(None, None, -1))
    save_cube(later.assign_coords(time=later.time + np.timedelta64(365, "D")), path)
    return path
