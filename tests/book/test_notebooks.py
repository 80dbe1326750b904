"""Notebooks run on a real scene with other parameters, and each alone from an empty store."""

import shutil

import pytest

from paperlib.reproduction import real_scene
from support.notebooks import BOOK, NOTEBOOKS, WITHOUT_SCENE, execute

#: For pages whose scores nobody reads.
FEW_EPOCHS = {"train.epochs": 1}


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PAPERLIB_QUIET", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


# the longest comes first, so that no worker waits for it at the end
def test_the_real_scene_where_its_image_is_at_hand(shared_data, tmp_path):
    """Its own pages in a checkout that has the image; `test_foreign_notebooks` runs other pages on a scene like it."""
    checkout = tmp_path / "checkout"
    (checkout / "book").mkdir(parents=True)
    for part in ("src", "benchmarks", "pyproject.toml"):
        (checkout / part).symlink_to(BOOK.parent / part)
    data = shutil.copytree(BOOK.parent / "data" / "bouconne", checkout / "data" / "bouconne")
    shutil.copy(shared_data / "bouconne" / real_scene.IMAGE, data)
    real_scene.fetch_bouconne(data)
    (checkout / "data" / "theia_l3a").symlink_to(shared_data / "theia_l3a")
    (checkout / "data" / "results").symlink_to(BOOK.parent / "data" / "results")
    pages = [BOOK / f"{name}.ipynb" for name in ("real-scene", "simulation")]
    for name, outputs in execute(pages, checkout / "book", preset="tiny", settings=FEW_EPOCHS).items():
        assert "Real scene" in str(outputs) and "not here" not in str(outputs), name


@pytest.mark.empty_stores
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_runs_alone(notebook):
    """At preset tiny. Every change runs the notebooks together, from one empty store: .ci/run builds the book of them."""
    (outputs,) = execute([notebook], preset="tiny").values()
    assert "Simulated scene" in str(outputs) or notebook.stem in ("real-scene", *WITHOUT_SCENE)
    assert "commit" in str(outputs) or "The image is not here" in str(outputs)
