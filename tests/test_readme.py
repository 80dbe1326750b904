"""The numbers of the README are those recorded, and its pages, packages and files exist."""

import re
from pathlib import Path

import pandas as pd

from paperlib import models
from paperlib.reproduction import audit

PROJECT = Path(__file__).parents[1]
TEXT = (PROJECT / "README.md").read_text()


def recorded(name: str) -> pd.DataFrame:
    return pd.read_csv(PROJECT / "benchmarks" / "results" / f"{name}.csv")


def test_times_are_the_recorded_ones():
    for _, builds in recorded("book-demo").groupby("machine"):
        cold, again = builds["seconds"]
        assert f"{cold:.0f} s" in TEXT and f"{again:.0f} s" in TEXT
    for name, column in (("maps", "whole tile, extrapolated (min)"), ("whole", "whole tile (min)")):
        for _, maps in recorded(name).groupby("machine"):
            minutes = maps.set_index("model")[column]
            fast, slow = minutes.idxmin(), minutes.idxmax()
            assert f"{minutes[fast]:.0f} ({fast}) to {minutes[slow]:.0f} minutes ({slow})" in TEXT


def test_expected_results_are_what_comes_out():
    means = audit.means_table()
    assert f"{len(audit.inconsistencies())} places; {means['agrees'].sum()} of {len(means)} printed means" in TEXT
    sizes = [sum(weight.numel() for weight in models.build(name, 13, 11, 8).parameters()) for name in models.NAMES]
    assert "{}, {}, {} and {} thousand".format(*(round(size / 1000) for size in sizes)) in TEXT


def test_pages_commands_and_files_exist():
    for page in re.findall(r"^\| [^|]+ \| `([\w-]+)` \|", TEXT, re.M):
        assert (PROJECT / "book" / f"{page}.ipynb").is_file(), page
    targets = set(re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`(?:\w+=\w+ )?make (\w+)`", TEXT)) <= targets
    for path in re.findall(r"`((?:examples|benchmarks|tests|src|data)/[\w./-]*)`", TEXT):
        assert (PROJECT / path).exists() or path == "data/artifacts/", path
    picture = PROJECT / re.search(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)[1]
    assert picture.is_file() and picture.stat().st_size < 300_000


def test_every_package_is_in_the_table():
    packages = {path.parent.name for path in (PROJECT / "src" / "paperlib").glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)` \|", TEXT, re.M)) == packages
