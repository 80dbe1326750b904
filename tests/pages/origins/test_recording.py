"""What a notebook does is recorded: which artifacts a number comes from, through the names that cells set and read."""

import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient

from paperlib.pages.origins.recording import GLUED, Number, Recording, names


def glued(key: str, value: object) -> dict:
    return {"content": {"data": {GLUED: repr(value)}, "metadata": {"scrapbook": {"name": key}}}}


def test_numbers_come_from_their_cell_and_from_those_it_builds_on():
    asked: list[Path] = []
    recording = Recording(asked)

    def cell(source: str, *artifacts: str, **values: object) -> None:
        recording.begin_cell(source)
        asked.extend(map(Path, artifacts))
        for key, value in values.items():
            recording.publish(glued(key, value))
        recording.end_cell()

    cell("run = Experiment()\nbanner(run)", "store/scene/simulated-1")
    cell("table = run.scores()", "store/training/TempCNN-2", "store/training/TempCNN-3")
    cell("other = run.map('x')", "store/map/2D-CNN-4")
    cell("best = table.max()\nglue('best', best)", best=0.5)
    cell("glue('area', other.sum() + 1)", area="wide")
    cell("%matplotlib inline\nglue('first', 1)", "store/map/2D-CNN-4", first=1)
    scene, trainings = "scene/simulated-1", ("training/TempCNN-2", "training/TempCNN-3")
    assert recording.numbers() == [
        Number("best", "0.5", (scene, *trainings)),
        Number("area", "wide", ("map/2D-CNN-4", scene)),  # `other` was made by `run`
        Number("first", "1", ("map/2D-CNN-4",)),
    ]
    assert recording.artifacts() == ["map/2D-CNN-4", scene, *trainings]


def test_a_number_of_what_is_in_memory_states_all_before_it():
    recording = Recording([Path("store/samples/patches-1")])
    recording.begin_cell("glue('n', 3)\npage.provenance(run)")
    recording.publish(glued("n", np.float64(3)))
    recording.publish({"content": {"data": {"text/plain": "3"}, "metadata": {}}})  # an output that is not glued
    assert recording.numbers() == [Number("n", "3.0", ("samples/patches-1",))]  # the cell has not ended
    recording.end_cell()
    assert recording.numbers() == [Number("n", "3.0", ("samples/patches-1",))]


def test_names_that_a_cell_reads_and_sets():
    assert names("a, b = f(c)\nfor d in a: e = [g for g in d]") == (
        {"f", "c", "a", "d", "g"},
        {"a", "b", "d", "e", "g"},
    )
    assert names("!ls") == (set(), set())


def test_a_kernel_records_its_notebook(tmp_path):
    """A real kernel, as the build of the book runs it."""
    cells = [
        "from pathlib import Path\nfrom myst_nb import glue\nfrom paperlib import Experiment, store\n"
        "from paperlib.pages import page",
        "run = Experiment('tiny', store='store')",
        "store.asked.append(Path('store/samples/patches-1'))\nsamples = 4",
        "glue('samples', samples, display=False)",
        "print(page.provenance(run).numbers)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "python3", "language": "python"}
    done = NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    text = "".join(output.get("text", "") for output in done.cells[-1].outputs)
    assert text.strip() == "[Number(key='samples', value='4', artifacts=('samples/patches-1',))]"


def test_pages_can_be_imported_without_a_notebook():
    code = "from paperlib.pages import page; from paperlib.pages.origins import recording as r; print(r.current().numbers())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
