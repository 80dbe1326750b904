"""The verdict on labels: contradictions of classes that the classifier does not know, and of twins, say little of labels."""

import numpy as np
import pandas as pd
import pytest

from paperlib.labelling.verdict import verdict_of

CLASSES = {"Crop": 40, "Water": 40, "Bare": 6}


def make_list(**contradicted: int) -> pd.DataFrame:
    """Polygons of three classes, of each of which so many are strongly contradicted."""
    parts = [np.where(np.arange(size) < contradicted.get(name, 0), 0.8, -0.6) for name, size in CLASSES.items()]
    names = np.repeat(list(CLASSES), list(CLASSES.values()))
    return pd.DataFrame({"polygon_id": np.arange(len(names)), "class_name": names, "score": np.concatenate(parts)})


@pytest.mark.parametrize(
    ("contradicted", "state"),
    [
        ({"Crop": 4}, "clean"),  # a twentieth of 86
        ({"Crop": 3, "Water": 2}, "doubtful"),  # more, but right labels may give as many by chance
        ({"Crop": 5, "Water": 4}, "wrong"),
        ({"Crop": 20, "Water": 20}, "unknown"),
    ],
)
def test_the_verdict_follows_the_number_of_contradictions(contradicted, state):
    assert verdict_of(make_list(**contradicted), 0.5).state == state


def test_a_class_that_the_classifier_does_not_recognise_says_nothing_of_labels():
    found = verdict_of(make_list(Bare=5, Crop=2), 0.5)
    assert (found.state, found.strong, found.judged, found.unrecognised) == ("clean", 2, 80, ("Bare",))
    assert "Not judged: Bare" in str(found) and "2 of 80 polygons contradict" in str(found)
    assert "cannot be judged" in str(verdict_of(make_list(Crop=30, Water=21), 0.5))


def test_polygons_of_a_group_count_once():
    table = make_list(Crop=9)
    assert verdict_of(table, 0.5).state == "wrong"
    together = {number: 0 if number < 9 else number for number in table["polygon_id"]}
    found = verdict_of(table, 0.5, together)
    assert (found.state, found.strong, found.judged) == ("clean", 1, 78) and "one counts" in str(found)


def test_polygons_that_could_not_be_judged_are_not_counted():
    table = make_list(Crop=1)
    table.loc[table["class_name"] == "Water", "score"] = np.nan
    assert verdict_of(table, 0.5).judged == 46
