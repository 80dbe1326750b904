"""The abstract of the first page: ten sentences that follow from a run."""

import re

import pandas as pd
import pytest

from paperlib.pages.kept import abstract
from paperlib.reproduction import claims


@pytest.fixture(scope="module")
def kept(filled_store, shared_folder):
    from paperlib import Experiment
    from paperlib.reproduction.kept.reading import KeptRun
    from paperlib.reproduction.kept.writing import keep

    keep(Experiment("tiny", store=filled_store), shared_folder / "kept-abstract")
    return KeptRun(shared_folder / "kept-abstract")


def test_the_abstract_has_ten_sentences_with_the_numbers_of_the_run(kept):
    found = abstract.sentences(kept)
    assert len(found) == 10
    assert f"{len(kept.trained.polygon_counts('TempCNN')[1])} test polygons" in found[0]
    best = kept.trainings().groupby("model")["macro_f1_test"].mean()
    assert found[1].startswith(best.idxmax()) and f"{best.max():.3f} [" in found[1]
    numbers = [int(number) for number in re.findall(r"(\d+) (?:claims|are|take)", found[4])]
    assert numbers[0] == sum(numbers[1:]) == len(claims.CLAIMS)
    assert "nan" not in " ".join(found)
    assert str(abstract.abstract(kept)).count("<li>") == 10


def test_what_is_not_finished_is_named(kept, monkeypatch):
    of_all = type(kept.trained).numbers
    monkeypatch.setattr(
        type(kept.trained), "numbers", lambda self, name: range(0) if name == "3D-CNN" else of_all(self, name)
    )
    found = abstract.sentences(kept)
    assert "(so far 0 of 3D-CNN)" in found[0]
    assert len(found) == 10


def test_the_surest_claims_are_quoted():
    table = pd.DataFrame(
        [
            ("A wins.", 0.5, 0.4, 0.6, "supported"),
            ("B wins.", 0.1, 0.05, 0.15, "supported"),
            ("C wins.", 0.2, -1, 1, "undecided"),
        ],
        columns=["claim", "estimate", "low", "high", "verdict"],
    )
    assert abstract._quote(table, claims.SUPPORTED, "Stands") == "Stands: “A wins”; “B wins”."
    assert abstract._quote(table, claims.REFUTED, "Falls") == "Falls: none of the claims."
