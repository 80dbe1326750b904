"""The kept run on a page: named, with what it lacks and whether it is stale."""

import json
import shutil

import pytest

from paperlib import Experiment, store
from paperlib.pages.kept import kept_results
from paperlib.reproduction.kept.reading import KeptRun
from paperlib.reproduction.kept.writing import keep


@pytest.fixture(scope="module")
def folder(filled_store, shared_folder):
    keep(Experiment("tiny", store=filled_store), shared_folder / "kept-results", "a machine")
    return shared_folder / "kept-results"


def test_simulated_runs_show_the_kept_run_first_and_others_themselves(run):
    assert kept_results.first_run(run).facts["preset"] == "paper"
    real = Experiment("tiny", "/somewhere/stack.tif", "/somewhere/polygons.gpkg")
    assert kept_results.first_run(real) is real
    assert kept_results.banner(real) == ""


def test_the_box_names_day_machine_preset_and_what_lacks(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "kept")
    facts = json.loads((copy / "run.json").read_text()) | {"kept": "2026-03-05"}
    (copy / "run.json").write_text(json.dumps(facts))
    box = kept_results.banner(KeptRun(copy))
    assert "Run of 5 March 2026 on a machine, preset tiny, kept" in box
    assert "simulated data" in box and "All classifiers have 1 training." in box and "stale" not in box
    shutil.rmtree(copy / "trainings" / "2D-CNN")
    shutil.rmtree(copy / "maps" / "TempCNN")
    box = kept_results.banner(KeptRun(copy))
    assert "Not finished yet: 2D-CNN (0 of 1 training). No map is kept of TempCNN." in box


def test_what_a_kept_run_lacks_is_shown_of_this_build(folder, run, tmp_path):
    kept = KeptRun(shutil.copytree(folder, tmp_path / "kept"))
    names = ("TempCNN", "L-TAE")
    assert kept_results.having(kept, run, names[:1]) is kept and kept_results.having(kept, run, names) is run
    assert kept_results.having(run, run, names[:1]) is run
    shutil.copytree(tmp_path / "kept" / "trainings" / "TempCNN", tmp_path / "kept" / "trainings" / "L-TAE")
    assert kept_results.having(kept, run, names) is kept
    assert "L-TAE" not in kept.trained.counts("test")[0]  # apart from the paper's models and forests
    assert set(kept.trained.counts("test", names)[0]) == set(names)


def test_a_stale_run_says_so(folder, monkeypatch):
    monkeypatch.setattr(store, "FORMAT", store.FORMAT + 1)
    assert "These results are stale" in kept_results.banner(KeptRun(folder))


def test_the_table_of_trainings_has_their_hours(folder, run):
    table = kept_results.provenance(KeptRun(folder))
    assert table.loc["TempCNN", "trainings"] == 1 and table.loc["TempCNN", "hours"] > 0
    assert "preset" in kept_results.provenance(run).index
