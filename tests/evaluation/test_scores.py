"""Rows of the mean of all trainings follow the table of scores, in the columns of their classifiers."""

import pandas as pd

from paperlib.evaluation.scores import DASH, ENSEMBLE, TEST, VALIDATION, scores_table, with_ensembles
from paperlib.nomenclature import LandCover

LEGEND = (LandCover(1, "Water", "#0000ff"),)
SCORES = [("A", 0, "validation", 1, 0.5), ("A", 0, "test", 1, 0.25), ("B", 0, "validation", 1, 1.0)]


def test_ensembles_are_two_rows_more_and_a_dash_where_there_is_none():
    results = pd.DataFrame(SCORES, columns=["model", "training", "set", "code", "f1"])
    more = {"macro_f1_validation": 0.5, "parameters": 1, "training_seconds": 60.0, "inference_seconds": 6.0}
    trainings = pd.DataFrame({"model": ["A", "B"], "training": 0, "chosen": True, **more})
    table = scores_table(results, trainings, LEGEND)
    ensembles = pd.DataFrame({"classifier": ["B"], "ensemble_validation": [0.75], "ensemble_test": [0.5]})
    found = with_ensembles(table, ensembles)
    assert found.iloc[: len(table)].equals(table) and len(found) == len(table) + 2
    assert found.loc[(ENSEMBLE, VALIDATION)].tolist() == [DASH, 0.75]
    assert found.loc[(ENSEMBLE, TEST)].tolist() == [DASH, 0.5]
