"""Another year of the simulated landscape: the same objects, a later season, known changes."""

import numpy as np
import pytest
import rasterio

from paperlib import open_scene
from paperlib.errors import InputError
from paperlib.simulation import years
from paperlib.simulation.landscape import CODES, COVERS, NAMES, draw_landscape
from paperlib.simulation.objects import Objects
from paperlib.simulation.scene import simulate_scene
from paperlib.simulation.spectra import DAYS, SEASONS, green_cover
from paperlib.simulation.tiles import simulate_tiles
from paperlib.simulation.years import CHANGED, CROPS, SUCCESSORS, change, simulate_year
from support.commands import paperlib

SMALL = {"size": 96, "pool": 24, "test": 16, "seed": 31}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("years")
    return simulate_scene(place / "2018", **SMALL), simulate_year(place / "2019", **SMALL, delay=10)


def truth(folder) -> np.ndarray:
    with rasterio.open(folder / "truth.tif") as file:
        return file.read(1)


def test_dates_are_those_of_the_year_and_the_delay(folders):
    dates = open_scene(folders[1]).time.values.astype("datetime64[D]").astype(str)
    assert dates[0] == "2019-02-25" and dates[5] == "2019-07-18" and dates[10] == "2019-12-25"
    assert "the year 2019" in (folders[1] / "README.txt").read_text()


def test_some_places_have_another_class_and_all_others_look_alike(folders):
    before, after = map(truth, folders)
    assert CHANGED / 2 < (before != after).mean() <= CHANGED
    wood = (before == 3) & (after == 3)
    first, second = (open_scene(folder).sel(band="B8").isel(time=3).values for folder in folders)
    held = wood & ~np.isnan(first) & ~np.isnan(second)
    assert np.corrcoef(first[held], second[held])[0, 1] > 0.5
    assert not np.array_equal(first[held], second[held])


def test_objects_change_as_a_whole_and_as_stated():
    landscape = draw_landscape(96, np.random.default_rng(31))
    later = change(landscape, 0.1, np.random.default_rng(0))
    assert np.array_equal(later.objects, landscape.objects)
    changed = landscape.cover != later.cover
    pairs = {(NAMES[old], NAMES[new]) for old, new in zip(landscape.cover[changed], later.cover[changed], strict=True)}
    assert pairs
    for old, new in pairs:
        assert (old in CROPS and new in CROPS) or new in SUCCESSORS[old]
    assert len({(landscape.cover[changed][i], later.cover[changed][i]) for i in range(0, changed.sum(), 7)}) > 3
    for number in np.unique(landscape.objects[changed]):
        assert len(np.unique(later.cover[landscape.objects == number])) == 1
    assert (CODES[landscape.cover] != CODES[later.cover]).mean() < 0.101


def test_objects_that_stay_are_mixed_as_before():
    landscape = draw_landscape(64, np.random.default_rng(31))
    objects = Objects(landscape, np.random.default_rng(0))
    later = objects.in_another_year(landscape, np.random.default_rng(1), DAYS - 8)
    np.testing.assert_array_equal(later.shares, objects.shares)
    assert not np.array_equal(later.green, objects.green) and not np.array_equal(later.spectra, objects.spectra)


def test_images_are_taken_later_in_a_later_season(tmp_path, monkeypatch):
    days = []
    monkeypatch.setattr(Objects, "in_another_year", lambda self, landscape, random, then: days.append(then) or self)
    monkeypatch.setattr(years, "write_product", lambda *rest: None)
    simulate_year(tmp_path, **SMALL, later=8, delay=10)
    np.testing.assert_array_equal(days[0], DAYS + 2)


def test_every_successor_is_a_cover_of_another_class():
    for old, successors in SUCCESSORS.items():
        assert all(COVERS[new].code != COVERS[old].code for new in successors)


def test_a_later_season_is_the_same_season_later():
    grown = [green_cover(SEASONS["sunflower"], 4, np.random.default_rng(0), days) for days in (DAYS, DAYS + 8)]
    inner = green_cover(SEASONS["sunflower"], 4, np.random.default_rng(0), np.array([DAYS[6] + 8]))
    np.testing.assert_allclose(grown[1][6], inner[0])
    assert not np.allclose(grown[0], grown[1])


def test_the_command_takes_years_from_2018_on(tmp_path):
    answer = paperlib("simulate", "new", "--preset", "tiny", "--year", 2017, folder=tmp_path)
    assert answer.returncode == 2 and "--year 2017 is not possible. Give 2018 to 2100." in answer.stderr
    with pytest.raises(InputError, match="even number"):
        simulate_year(tmp_path / "odd", 65, 24, 16, 0)


def test_another_year_of_a_region_is_cut_into_the_same_tiles(folders, tmp_path):
    folder = simulate_tiles(tmp_path / "later", **SMALL, side=52, year=2019)
    for tile, zone, dates in (("T31TBH", 32631, 11), ("T30TYP", 32630, 11), ("T31TCH", 32631, 10)):
        scene = open_scene(folder / "tiles" / tile)
        assert set(scene.indexes["time"].year) == {2019} and len(scene.time) == dates
        assert scene.rio.crs.to_epsg() == zone
    assert np.array_equal(truth(folder), truth(folders[1])) and not np.array_equal(truth(folder), truth(folders[0]))
