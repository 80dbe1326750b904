"""The examples run."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_live_map_is_stored_without_outputs():
    cells = [cell for cell in nbformat.read(EXAMPLES / "explore.ipynb", 4).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells)


@pytest.mark.skipif(importlib.util.find_spec("lonboard") is None, reason="the extra `interactive` is not installed")
def test_live_map(run, tmp_path, monkeypatch):
    """It shows a map with every layer, and answers a click."""
    monkeypatch.setenv("PAPERLIB_QUIET", "1")
    target = tmp_path / "explore.ipynb"
    command = [sys.executable, "-m", "papermill", "explore.ipynb", str(target), "-y", "names: [TempCNN, iota2_base]"]
    subprocess.run(command, cwd=EXAMPLES, check=True, capture_output=True, timeout=400)
    executed = nbformat.read(target, 4)
    state = executed.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"].values()
    kinds = [one["state"].get("_layer_type") for one in state]
    assert kinds.count("bitmap") == 2 + 3 and kinds.count("polygon") == 1  # two dates; truth and two models
    answers = [one["state"]["outputs"] for one in state if one["state"].get("outputs")]
    assert len(answers) == 1 and "truth" in str(answers[0]) and "image/png" in str(answers[0])
