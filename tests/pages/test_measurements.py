"""Measurements come with their machine and commit, or not at all."""

import importlib

import pandas as pd
import pytest
from hypothesis import given

from paperlib.errors import InputError
from paperlib.pages.measurements import caption, read_measurements
from paperlib.store import project
from support import spoiling
from support.spoiling import generated

KEPT = sorted(path.stem for path in (project() / "benchmarks" / "results").glob("*.csv"))


@pytest.mark.parametrize("name", KEPT)
def test_every_kept_table_says_of_which_commit_it_is(name):
    table = read_measurements(name)
    shared, by_row = set(table.attrs), set(table.columns)
    assert len(table) and not shared & by_row and "commit" in shared | by_row
    assert "unknown" not in (table["commit"].tolist() if "commit" in by_row else [table.attrs["commit"]])


def test_facts_that_all_rows_share_are_in_the_caption_and_others_beside_what_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr("paperlib.pages.measurements.project", lambda: tmp_path)
    path = tmp_path / "benchmarks" / "results" / "a.csv"
    path.parent.mkdir(parents=True)
    row = {"what": "map", "seconds": 1.5, "commit": "abc", "machine": "one", "torch": "2.13"}
    pd.DataFrame([row]).to_csv(path, index=False)
    table = read_measurements("a")
    assert list(table.columns) == ["what", "seconds"] and caption(table) == "one; torch 2.13; commit abc"
    pd.DataFrame([row, row | {"machine": "other", "commit": "def"}]).to_csv(path, index=False)
    table = read_measurements("a")
    assert list(table.columns) == ["what", "machine", "commit", "seconds"]
    assert caption(table) == "several machines; torch 2.13; several commits"
    pd.DataFrame([row, row | {"machine": "other", "repeats": 3}]).to_csv(path, index=False)
    assert read_measurements("a")["repeats"].map(str).tolist() == ["<NA>", "3"]  # not 3.0


def test_what_another_machine_measured_stays_and_what_else_was_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(project() / "benchmarks")
    record = importlib.import_module("record")
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    measured = [("one", "map", 1.0), ("other", "map", 2.0), ("one", "book", 3.0), ("one", "map", 4.0)]
    for machine, what, seconds in measured:
        monkeypatch.setattr(record, "machine", lambda name, machine=machine: machine)
        record.keep("a", pd.DataFrame({"what": [what], "seconds": [seconds]}))
    kept = pd.read_csv(tmp_path / "a.csv")[["machine", "what", "seconds"]]
    assert list(kept.itertuples(index=False, name=None)) == measured[1:]
    assert capsys.readouterr().out.count("seconds") == 4


def test_what_was_not_measured_is_named():
    with pytest.raises(InputError, match=r"No measurement 'gpu'.*it holds .*maps"):
        read_measurements("gpu")


@generated
@given(spoiling.spoilt_bytes(b"what,seconds,commit,machine,torch\na,1.5,abc,Linux,2.13\n"))
def test_a_spoilt_record_is_a_table_with_its_facts_or_an_error(tmp_path, monkeypatch, content):
    (tmp_path / "benchmarks" / "results").mkdir(parents=True, exist_ok=True)
    (tmp_path / "benchmarks" / "results" / "a.csv").write_bytes(content)
    monkeypatch.setattr("paperlib.pages.measurements.project", lambda: tmp_path)
    try:
        table = read_measurements("a")
    except InputError as error:
        assert "a.csv" in str(error)
    else:
        assert len(table) and caption(table)
