"""Measurements come with their machine and commit, or not at all."""

import pytest

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
