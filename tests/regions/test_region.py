"""What the tiles of a region share, whose labels are whose, and tiles that do not go together."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from paperlib import InputError
from paperlib.labels import load_polygons
from paperlib.regions.assignment import assign, usable_dates
from paperlib.regions.region import Region, neighbours
from paperlib.scenes.scene import open_scene


@pytest.fixture(scope="module")
def opened(region_run) -> Region:
    return region_run.dataset.region


@pytest.fixture(scope="module")
def polygons(region, opened) -> gpd.GeoDataFrame:
    return load_polygons(region / "polygons.gpkg", crs=opened.crs, bounds=opened.bounds(), pixel=(10, 10))


def kinds(region: Region) -> list[str]:
    return [finding.kind for finding in region.problems() if finding.level == "error"]


def test_a_region_is_read_on_the_days_of_the_tile_with_the_most(opened):
    assert opened.crs.to_epsg() == 32631 and opened.grids["30TYP"].crs.to_epsg() == 32630
    assert len(opened.times["31TCH"]) == 10 and len(opened.inputs.days) == 11
    assert kinds(opened) == []


def test_every_tile_overlaps_the_others(opened):
    assert {name: len(others) for name, others in neighbours(opened.grids).items()} == dict.fromkeys(opened.tiles, 3)


def test_same_zone_tiles_hold_the_pixels_of_the_scene_they_were_cut_from(region, opened):
    whole, tile = open_scene(region / "whole"), opened.scene("31TCJ")
    clear, same = ~tile.mask.values, whole.sel(y=tile.y, x=tile.x)
    # bands of 20 m are interpolated, from other pixels at the end of a tile and beside its clouds
    np.testing.assert_array_equal(tile.values[:4, clear], same.values[:4, clear])
    assert 0 < (same.mask.values != tile.mask.values).mean() < 0.1, "clouds of its own"


def test_a_polygon_labels_the_tile_with_the_most_usable_dates_on_it(opened, polygons):
    assigned = assign(polygons, opened)
    counts = pd.DataFrame(
        {name: [usable_dates(opened.scene(name), outline)
                for outline in assigned.geometry.to_crs(opened.grids[name].crs)] for name in opened.tiles}
    )  # fmt: skip
    outlines = opened.footprints(opened.crs)
    inside = pd.DataFrame({name: assigned.intersects(outline) for name, outline in outlines.items()})
    assert (inside.sum(axis=1) > 1).sum() > 5, "polygons in overlaps"
    assert assigned["tile"].tolist() == counts.where(inside, -1).idxmax(axis=1).tolist()
    assert set(assigned["tile"]) == set(opened.tiles)


def test_polygons_outside_every_tile_are_refused(opened, polygons):
    beyond = polygons.assign(geometry=polygons.translate(*(np.array(opened.bounds()[2:]) - opened.bounds()[:2])))
    with pytest.raises(InputError) as error:
        assign(beyond, opened)
    assert error.value.kind == "labels.outside"


def test_contradicting_labels_of_overlapping_tiles_are_refused(opened, polygons):
    outlines = opened.footprints(opened.crs)
    left, bottom, right, top = shapely.intersection_all(list(outlines.values())).bounds
    # each reaches out of the overlap, into another tile
    wide = [
        shapely.box(left - 200, bottom + 60, right, top - 60),
        shapely.box(left, bottom + 60, right + 200, top - 60),
    ]
    pair = polygons.drop_duplicates("code").iloc[:2].set_geometry(wide).reset_index(drop=True)
    with pytest.raises(InputError, match="contradict") as error:
        assign(pair, opened)
    assert error.value.kind == "region.labels"
    same = pair.assign(code=pair["code"].iloc[0])
    assert len(assign(same, opened)) == 2


def test_one_tile_under_two_names_is_refused(region, tmp_path):
    (tmp_path / "copy").symlink_to(region / "tiles" / "T31TCJ")
    (tmp_path / "region.yml").write_text(f"tiles: [{region}/tiles/T31TCJ, {tmp_path}/copy]")
    with pytest.raises(InputError) as error:
        Region(tmp_path / "region.yml")
    assert error.value.kind == "region.twice"


@pytest.fixture
def altered(region, opened, monkeypatch):
    """A region of which a function changes each scene."""

    def make(change, **choice) -> Region:
        found = Region(region / "tiles", **choice)
        monkeypatch.setattr(found, "scene", lambda name: change(name, opened.scene(name)))
        return found

    return make


def test_tiles_at_one_place_are_one_tile_twice(altered, opened):
    twice = altered(lambda name, scene: opened.scene("31TCJ") if name == "31TBH" else scene)
    assert kinds(twice) == ["region.twice"]


def test_tiles_of_different_years_need_to_be_meant(altered):
    def later(name, scene):
        return scene.assign_coords(time=scene.time + pd.Timedelta(days=365)) if name == "31TBH" else scene

    mixed = altered(later)
    assert kinds(mixed) == ["region.years"]
    with pytest.raises(InputError, match="--mixed-years"):
        _ = mixed.inputs
    assert kinds(altered(later, mixed_years=True)) == []


def test_a_tile_without_a_band_is_named(altered):
    poor = altered(lambda name, scene: scene.sel(band=["B2", "B3"]) if name == "31TBH" else scene)
    (error,) = [finding for finding in poor.problems() if finding.level == "error"]
    assert error.kind == "scene.bands" and "31TBH" in error.subject and "B12" in error.value
