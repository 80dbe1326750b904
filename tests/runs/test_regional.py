"""A region as one scene: samples of all tiles, one training, maps by tile and their mosaic."""

import json

import numpy as np
import pandas as pd
import pytest
import rasterio
import torch

from paperlib.runs.products import write_products
from support.commands import paperlib

MODEL = "iota2_base"


@pytest.fixture(scope="module")
def run(region_run):
    return region_run


@pytest.fixture(scope="module")
def maps(run, tmp_path_factory):
    """What `paperlib map` writes for the region."""
    (folder,) = write_products(run, (MODEL,), tmp_path_factory.mktemp("maps"))
    return folder


def read(path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read(1)


def test_samples_come_from_every_tile_and_hold_the_polygons_of_its_own(run):
    tiles = run.dataset.tile_of_polygon()
    assert set(tiles) == set(run.dataset.region.tiles)
    for part, samples in run.samples.items():
        wanted = run.polygons.loc[run.polygons["set"] == part, "polygon_id"]
        assert set(samples.polygon[samples.label >= 0].tolist()) == set(wanted)
    own = run.dataset.tile_samples("30TYP")
    numbers = {number for samples in own.values() for number in samples.polygon[samples.label >= 0].tolist()}
    assert set(tiles[list(numbers)]) == {"30TYP"}
    assert sum(len(samples.x) for samples in run.samples.values()) == sum(
        len(samples.x) for name in run.dataset.labelled for samples in run.dataset.tile_samples(name).values()
    )


def test_a_tile_that_lacks_a_date_has_samples_on_all_days_of_the_region(run):
    samples = run.dataset.tile_samples("31TCH")
    assert {part.x.shape[2] for part in samples.values()} == {len(run.dates)} == {11}
    labelled = next(iter(samples.values())).pixels().x[..., 0, 0]
    middle = labelled[:, :10, 4] * 7 / 14 + labelled[:, :10, 6] * 7 / 14
    # the day of 2018-07-08 lies 23 days after 2018-06-15, of 61 to 2018-08-15
    assert run.dates[5] == "2018-07-08"
    expected = labelled[:, :10, 4] * 38 / 61 + labelled[:, :10, 6] * 23 / 61
    torch.testing.assert_close(labelled[:, :10, 5], expected)
    assert not torch.allclose(labelled[:, :10, 5], middle)


def test_one_split_covers_the_region_and_its_leaks_are_reported(run):
    assert set(run.polygons["set"]) == {"train", "validation", "test"}
    groups = run.polygons.query("set != 'test'").groupby("group")["set"].nunique()
    assert groups.max() == 1
    assert (run.dataset.separation()["on both sides"] == 0).all()
    counts = run.dataset.pixel_counts()
    assert counts["pixels"].sum() == sum(int((part.label >= 0).sum()) for part in run.samples.values())


def test_the_mosaic_is_the_tile_where_it_is_alone_and_seamless_elsewhere(run, maps):
    names = run.dataset.region.tiles
    assert {path.name for path in (maps / "tiles").iterdir()} == set(names)
    code, virtual = read(maps / "class.tif"), read(maps / "class.vrt")
    np.testing.assert_array_equal(code, virtual)
    overlap = read(maps / "overlap-class.tif")
    assert 0.1 < (overlap > 0).mean() < 0.6
    with rasterio.open(maps / "class.tif") as file, rasterio.open(maps / "tiles/31TCJ/class.tif") as tile:
        own, window = tile.read(1), file.window(*tile.bounds).round_offsets().round_lengths()
        there, shared = file.read(1, window=window), overlap[window.toslices()]
    np.testing.assert_array_equal(there[shared == 0], own[shared == 0])
    assert (there[shared > 0] != own[shared > 0]).any(), "the other tiles have their say"


def test_areas_of_the_mosaic_count_each_place_once(run, maps):
    areas = pd.read_csv(maps / "areas.csv")
    mapped = (read(maps / "class.tif") > 0).sum() / 100
    assert areas["hectares"].sum() == pytest.approx(mapped, rel=2e-3)
    assert json.loads((maps / "item.json").read_text())["properties"]["proj:code"] == "EPSG:32631"


def test_figures_show_one_tile_of_the_region(run):
    assert run.scene.rio.crs == run.polygons.crs == run.dataset.region.crs
    assert run.class_map(MODEL).shape == run.scene.shape[2:] == run.dataset.burned["label"].shape


def test_the_preflight_names_the_tile_of_each_finding(region, tmp_path):
    done = paperlib("check", region / "tiles", region / "polygons.gpkg", "--json", folder=tmp_path)
    findings = json.loads(done.stdout)
    assert done.returncode == 1, done.stdout
    assert any(one["subject"] == "tile 31TCH, dates" and "23 days" in one["value"] for one in findings)


def test_a_region_whose_list_names_a_tile_twice_stops_before_any_work(region, tmp_path):
    (tmp_path / "region.yml").write_text(f"tiles: [{region}/tiles/T31TCJ, {region}/tiles/T31TCJ]")
    done = paperlib("check", "region.yml", region / "polygons.gpkg", "--json", folder=tmp_path)
    assert done.returncode == 2 and json.loads(done.stdout)[0]["kind"] == "region.twice"
    done = paperlib("map", "region.yml", region / "polygons.gpkg", "--out", "maps", folder=tmp_path)
    assert done.returncode == 2 and "twice" in done.stderr and not (tmp_path / "maps").exists()
