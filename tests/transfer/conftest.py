"""A trained model of the simulated scene, and a small part of that scene as files of other shapes."""

import numpy as np
import pytest

from paperlib import load_model
from paperlib.scenes.shaping.saving import save_cube

#: Part of the scene that is mapped, in pixels.
SIDE = 64


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
