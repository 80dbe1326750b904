"""pytest plugin: artifacts that are made once a session and shared by the processes of pytest-xdist.

Tests that only read artifacts share them: the store lets one process make what others wait for. Tests that write into a
store take a copy.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock


def pytest_addoption(parser):
    """Add the option that runs every notebook alone."""
    parser.addoption("--empty-stores", action="store_true", help="run each notebook alone, from an empty store")


def pytest_collection_modifyitems(config, items):
    """Leave out what takes long and is computed by the build of the book too, see .ci/run."""
    if not config.getoption("--empty-stores"):
        left_out = [item for item in items if item.get_closest_marker("empty_stores")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def copy_store(store: Path, target: Path) -> Path:
    """Copy a store by hard links: artifacts are replaced as a whole and never written into."""
    return shutil.copytree(store, target, copy_function=os.link, ignore=shutil.ignore_patterns(".partial"))


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory) -> Path:
    """A temporary folder that all processes of the session have in common."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def store(shared_folder) -> Path:
    """The store of the simulated scene at preset tiny; holds what was asked for so far."""
    return shared_folder / "store"


@pytest.fixture(scope="session")
def filled_store(store) -> Path:
    """The same store with the trainings and maps of every classifier."""
    from paperlib import Experiment
    from paperlib.models.registry import CLASSIFIERS

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_STORE", str(store))
        patch.setenv("PAPERLIB_QUIET", "1")
        run = Experiment("tiny")
        run.trainings()
        for name in CLASSIFIERS:
            run.map(name)
    return store


@pytest.fixture(scope="module")
def run(store) -> Iterator:
    """The simulated scene at preset tiny, in the store of the session."""
    from paperlib import Experiment

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_STORE", str(store))
        patch.setenv("PAPERLIB_QUIET", "1")
        yield Experiment("tiny")


@pytest.fixture(scope="module")
def models(run, shared_folder) -> Path:
    """Folder of two trained models of the simulated scene, a network and a forest, written once a session."""
    from paperlib.transfer import write_models

    folder, names = shared_folder / "models", ("TempCNN", "iota2_base")
    with FileLock(shared_folder / "models.lock"):
        if not folder.is_dir():
            assert write_models(run, names, folder) == [folder / name for name in names]
    return folder


@pytest.fixture(scope="session")
def lagoon(shared_folder) -> tuple[Path, Path]:
    """A scene unlike the paper's, of 96 x 96 pixels, and its polygons: see `paperlib.pages.walkthrough`."""
    from paperlib.pages.walkthrough import write_scene

    folder = shared_folder / "lagoon"
    with FileLock(shared_folder / "lagoon.lock"):
        if not folder.is_dir():
            made = shared_folder / "lagoon-in-work"
            made.mkdir()
            write_scene(made, size=96, pool=26, test=16)
            made.rename(folder)
    return folder / "lagoon.nc", folder / "lagoon.gpkg"


@pytest.fixture(scope="session")
def lagoon_store(shared_folder) -> Path:
    """The store of what is made from `lagoon`."""
    return shared_folder / "lagoon-store"


@pytest.fixture(scope="session")
def region(shared_folder) -> Path:
    """Four overlapping tiles of a simulated region, one in the zone beside it, and its polygons: `simulation.tiles`."""
    from paperlib.simulation.tiles import simulate_tiles

    folder = shared_folder / "region"
    with FileLock(shared_folder / "region.lock"):
        if not folder.is_dir():
            made = simulate_tiles(shared_folder / "region-in-work", size=112, side=72, pool=24, test=16, seed=5)
            made.rename(folder)
    return folder


@pytest.fixture(scope="session")
def region_store(shared_folder) -> Path:
    """The store of what is made from `region`."""
    return shared_folder / "region-store"


@pytest.fixture(scope="session")
def region_run(region, region_store) -> Iterator:
    """The run on `region` at preset tiny, in its store; tests only read it."""
    from paperlib import Experiment

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_QUIET", "1")
        made = Experiment("tiny", region / "tiles", region / "polygons.gpkg", store=region_store)
        made.dataset.checked = True  # polygons of a simulated scene share objects
        yield made
