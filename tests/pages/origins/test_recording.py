"""What a notebook does is recorded: which artifacts a number comes from, through the names that cells set and read.

A real kernel is recorded in tests/book/test_strict_build.py.
"""

from pathlib import Path

import numpy as np

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
