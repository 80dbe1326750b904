"""Every notebook runs alone at preset tiny, and on a real scene with other parameters."""

import shutil
from pathlib import Path

import papermill
import pytest

from paperlib.reproduction import real_scene
from support.stores import copy_store

BOOK = Path(__file__).parents[2] / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))


#: Pages that compute on no scene.
WITHOUT_SCENE = ("audit", "performance", "reliability", "your-own-tile")


def execute(notebook: Path, folder: Path, cwd: Path = BOOK, **parameters) -> str:
    """Run a notebook as papermill does and return what its outputs show, as text."""
    executed = papermill.execute_notebook(
        str(notebook), str(folder / notebook.name), parameters,
        kernel_name="python3", progress_bar=False, cwd=str(cwd),
    )  # fmt: skip
    outputs = [output for cell in executed.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "stream"], "prints or warnings in the book"
    return "\n".join(str(output.get("data", {})) for output in outputs)


#: The page that shows every classifier: it always makes all of them itself.
FROM_NOTHING = "3-6-results"


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PAPERLIB_QUIET", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


# the longest comes first, so that no worker waits for it at the end
def test_the_real_scene_where_its_image_is_at_hand(shared_data, tmp_path):
    """Its own pages in a checkout that has the image, and other pages with it as a parameter; they share trainings."""
    checkout = tmp_path / "checkout"
    (checkout / "book").mkdir(parents=True)
    for part in ("src", "pyproject.toml"):
        (checkout / part).symlink_to(BOOK.parent / part)
    data = shutil.copytree(BOOK.parent / "data" / "bouconne", checkout / "data" / "bouconne")
    shutil.copy(shared_data / "bouconne" / real_scene.IMAGE, data)
    image = real_scene.fetch_bouconne(data)
    (checkout / "data" / "theia_l3a").symlink_to(shared_data / "theia_l3a")
    for name in ("real-scene", "simulation"):
        shown = execute(BOOK / f"{name}.ipynb", tmp_path, cwd=checkout / "book", preset="tiny")
        assert "Real scene" in shown and "not here" not in shown
    own = {"scene": str(image), "polygons": str(data / real_scene.POLYGONS)}
    for name in ("3-6-results", "3-7-maps"):
        shown = execute(BOOK / f"{name}.ipynb", tmp_path, preset="tiny", **own)
        assert "Real scene" in shown and "Simulated" not in shown
        assert "Non-vegetated land" not in shown.replace("truth", "")  # class 10 does not occur there


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_runs_alone(notebook, tmp_path, request):
    """From a store that holds the trainings and maps of every classifier, and nothing that another notebook left.

    With --empty-stores, as in the weekly workflow, the store holds nothing.
    """
    of_a_scene = notebook.stem not in WITHOUT_SCENE
    if of_a_scene and notebook.stem != FROM_NOTHING and not request.config.getoption("--empty-stores"):
        copy_store(request.getfixturevalue("filled_store"), tmp_path / "store")
    shown = execute(notebook, tmp_path, **({"preset": "tiny"} if of_a_scene else {}))
    assert "Simulated scene" in shown or notebook.stem in ("real-scene", *WITHOUT_SCENE)
    assert "commit" in shown or "The image is not here" in shown
