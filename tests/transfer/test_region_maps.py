"""A trained model maps and scores a region: the maps of the run it comes from, tile by tile."""

import numpy as np
import pytest
import rasterio

from paperlib import settings
from paperlib.transfer import load_model, map_region, score_region, write_models
from paperlib.transfer.fitness import inspect_for
from support.commands import paperlib

MODEL = "iota2_base"
pytestmark = pytest.mark.filterwarnings("ignore:The scene does not suit the classifier")


@pytest.fixture(scope="module")
def run(region_run):
    return region_run


@pytest.fixture(scope="module")
def model(run, tmp_path_factory):
    (folder,) = write_models(run, (MODEL,), tmp_path_factory.mktemp("model"))
    return load_model(folder)


def read(path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read(1)


def test_two_tiles_are_mapped_without_labels_as_the_run_of_all_maps_them(region, run, model, tmp_path):
    (tmp_path / "two.yml").write_text(f"tiles: [{region}/tiles/T31TCJ, {region}/tiles/T31TCH]")
    chosen = settings.override(settings.make("tiny"), {"scene.path": str(tmp_path / "two.yml")})
    lines: list[str] = []
    maps = map_region(model, chosen, tmp_path / "maps", tmp_path / "store", report=lines.append)
    for tile in ("31TCJ", "31TCH"):
        np.testing.assert_array_equal(
            read(maps / f"tiles/{tile}/class.tif"), read(run.maps.tile_folder(MODEL, tile) / "class.tif")
        )
    code = read(maps / "class.tif")
    np.testing.assert_array_equal(code, read(maps / "class.vrt"))
    assert (maps / "areas.csv").is_file() and (maps / "item.json").is_file() and (maps / "scores.json").is_file()
    told = [line for line in lines if "Mean confidence of the map" in line]
    assert [line[:12] for line in told] == ["tile 31TCH: ", "tile 31TCJ: "]
    again: list[str] = []
    map_region(model, chosen, tmp_path / "maps", tmp_path / "store", report=again.append)
    assert again == [], "a second call does what is left"


def test_the_model_names_the_region(model):
    assert model.facts["scene"]["name"] == "tiles"


def test_polygons_of_a_region_are_scored_in_the_tile_that_they_label(region, run, model):
    chosen = settings.override(settings.make("tiny"), {"scene.path": str(region / "tiles")})
    found = score_region(model, chosen, region / "polygons.gpkg")
    samples = run.samples.values()
    assert found.scores.counts.sum() == sum(int((part.label >= 0).sum()) for part in samples)
    assert any("flatter" in remark for remark in found.remarks)


def test_the_check_says_what_a_model_sees_in_each_tile(region, model, tmp_path):
    findings: list = []
    chosen = settings.make("tiny")
    (tmp_path / "two.yml").write_text(f"tiles: [{region}/tiles/T31TCJ, {region}/tiles/T30TYP]")
    lines = inspect_for([model], tmp_path / "two.yml", chosen, findings)
    assert [line for line in lines if line.startswith("tile ")] == ["tile 30TYP:", "tile 31TCJ:"]
    assert sum(line.startswith("Outside the area of applicability:") for line in lines) == 2
    assert "each tile" in lines[-1] and not [finding for finding in findings if finding.level == "error"]
    (tmp_path / "two.yml").write_text(f"tiles: [{region}/tiles/T31TCJ, {region}/tiles/T31TCJ]")
    assert inspect_for([model], tmp_path / "two.yml", chosen, findings) == []
    assert [finding.kind for finding in findings if finding.level == "error"] == ["region.twice"]


def test_what_only_a_single_scene_can_have_is_refused(region, region_store, tmp_path):
    done = paperlib(
        "map", region / "tiles", region / "polygons.gpkg", "--model", MODEL, "--preset", "tiny", "--ensemble",
        "--store", region_store, "--out", "maps", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2 and "--ensemble" in done.stderr
    assert not (tmp_path / "maps" / "ensemble").exists()
    done = paperlib("convert", region / "tiles", "out.zarr", folder=tmp_path)
    assert done.returncode == 2 and "region of several tiles. Give one of its tiles." in done.stderr
