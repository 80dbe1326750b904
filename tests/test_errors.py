"""Errors and warnings carry their parts, as text, as a finding, and through a process pool."""

import pickle

import pytest

from paperlib.errors import Finding, InputError, InputWarning, counted


@pytest.mark.parametrize(("report", "level"), [(InputError, "error"), (InputWarning, "warning")])
def test_a_report_is_its_text_and_its_parts(report, level):
    one = report("No band is called B99.", "Choose with --bands.", kind="scene.bands", place="a.tif")
    assert str(one) == "No band is called B99. Choose with --bands."
    assert one.finding("bands", "elsewhere") == Finding(
        level, "bands", "No band is called B99.", "a.tif", "Choose with --bands.", "scene.bands"
    )
    assert str(report("Only a problem.")) == "Only a problem."
    assert report("Only a problem.").finding("bands", "b.tif").place == "b.tif"


def test_an_error_survives_a_process_pool():
    one = pickle.loads(pickle.dumps(InputError("A problem.", "A fix.", kind="k", place="p")))
    assert (one.problem, one.fix, one.kind, one.place, str(one)) == (
        "A problem.",
        "A fix.",
        "k",
        "p",
        "A problem. A fix.",
    )


def test_a_count_agrees_with_its_noun_and_its_verb():
    assert [counted(number, "polygon") for number in (0, 1, 2)] == ["0 polygons", "1 polygon", "2 polygons"]
    assert [counted(number, "class is", "classes are") for number in (1, 2)] == ["1 class is", "2 classes are"]
