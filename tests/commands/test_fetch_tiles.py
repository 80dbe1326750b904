"""`paperlib fetch` of several tiles makes a region."""

from types import SimpleNamespace

import pytest

from paperlib.compositing import acquisitions, stac, synthesis
from support.commands import paperlib


@pytest.fixture
def made(monkeypatch):
    """The tiles that are searched for and made; the service holds two."""
    found = {"searched": [], "made": []}

    def search(dates, tile, *rest):
        found["searched"].append(tile)
        return [SimpleNamespace(tile=name) for name in ("T31TCJ", "T31TCH") if tile in (None, name)]

    def synthesise(acquired, dates, folder, tile, *rest, **more):
        found["made"].append((folder.name, tile))
        return [folder / tile / "product"]

    monkeypatch.setattr(stac, "search", search)
    monkeypatch.setattr(acquisitions, "local_acquisitions", lambda folder: search(None, None))
    monkeypatch.setattr(synthesis, "synthesise", synthesise)
    return found


def test_tiles_that_are_named_are_made_one_after_the_other(made, tmp_path):
    named = ["--tile", "31TCJ", "--tile", "31TCH", "--tile", "31TCJ"]
    done = paperlib("fetch", "region", *named, "--year", "2018", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert made == {"searched": ["T31TCJ", "T31TCH"], "made": [("region", "T31TCJ"), ("region", "T31TCH")]}


@pytest.mark.parametrize("place", [["--bbox", "1", "43", "2", "44"], ["--l2a", "products"]])
def test_an_area_over_several_tiles_makes_all_of_them(made, place, tmp_path):
    done = paperlib("fetch", "region", *place, "--year", "2018", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert made["made"] == [("region", "T31TCH"), ("region", "T31TCJ")]
    assert "31TCH/product" in done.stdout
