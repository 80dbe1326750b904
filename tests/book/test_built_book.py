"""Every notebook of a built book ran on the simulated scene, and says with which code.

The pages are those of the folder that $PAPERLIB_BOOK names, see `test_pages.py`.
"""

import os
from pathlib import Path

import pytest

from support.notebooks import NOTEBOOKS, WITHOUT_SCENE

BOOK = os.environ.get("PAPERLIB_BOOK", "")


@pytest.mark.skipif(not BOOK, reason="$PAPERLIB_BOOK names no built book")
def test_notebooks_name_their_scene_and_their_code():
    assert len(NOTEBOOKS) >= 19
    for notebook in NOTEBOOKS:
        shown = (Path(BOOK) / f"{notebook.stem}.html").read_text()
        outputs = shown[shown.index("cell_output") :]
        assert "Simulated scene" in outputs or notebook.stem in ("real-scene", *WITHOUT_SCENE), notebook.stem
        assert "commit" in outputs or "The image is not here" in outputs, notebook.stem
