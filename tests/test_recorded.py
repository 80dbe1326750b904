"""Measurements come with their machine and commit, or not at all."""

import pytest
import spoiling
from hypothesis import given
from spoiling import generated

from paperlib.errors import InputError
from paperlib.recorded import FACTS, caption, recorded
from paperlib.store import project

KEPT = sorted(path.stem for path in (project() / "benchmarks" / "results").glob("*.csv"))


@pytest.mark.parametrize("name", KEPT)
def test_every_kept_table_says_of_which_commit_it_is(name):
    table = recorded(name)
    assert len(table) and not set(FACTS) & set(table.columns)
    assert table.attrs["commit"] and table.attrs["commit"] != "unknown"


def test_the_caption_names_machine_and_commit():
    table = recorded("maps")
    assert table.attrs["machine"] in caption(table) and table.attrs["commit"] in caption(table)


def test_what_was_not_measured_is_named():
    with pytest.raises(InputError, match=r"No measurement 'gpu'.*it holds .*maps"):
        recorded("gpu")


@generated
@given(spoiling.spoilt_bytes(b"what,seconds,commit,machine,torch\na,1.5,abc,Linux,2.13\n"))
def test_a_spoilt_record_is_a_table_with_its_facts_or_an_error(tmp_path, monkeypatch, content):
    (tmp_path / "benchmarks" / "results").mkdir(parents=True, exist_ok=True)
    (tmp_path / "benchmarks" / "results" / "a.csv").write_bytes(content)
    monkeypatch.setattr("paperlib.recorded.project", lambda: tmp_path)
    try:
        table = recorded("a")
    except InputError as error:
        assert "a.csv" in str(error)
    else:
        assert len(table) and caption(table)
