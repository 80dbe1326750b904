"""Which tiles a folder or a list holds, and which is a single scene."""

import pytest

from paperlib import InputError
from paperlib.regions.tiles import find_tiles

PRODUCT = "SENTINEL2X_20180815-000000-000_L3A_{}_D_V1-1"


def names(path) -> list[str]:
    return [tile.name for tile in find_tiles(path)]


def make(folder, *paths):
    for path in paths:
        (folder / path).mkdir(parents=True)
    return folder


def test_sub_folders_with_the_names_of_tiles_are_tiles(tmp_path):
    assert names(make(tmp_path, "T31TCJ/a", "31TCH/b", ".partial", "notes")) == ["31TCH", "31TCJ"]


def test_sub_folders_with_products_of_one_tile_each_are_tiles(tmp_path):
    assert names(make(tmp_path, f"north/{PRODUCT.format('T31TCJ')}", f"south/{PRODUCT.format('T31TCH')}")) == [
        "31TCJ", "31TCH",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "paths",
    [
        ("T31TCJ/a",),  # one tile
        (PRODUCT.format("T31TCJ"), PRODUCT.format("T31TCJ").replace("0815", "0915")),  # products of one scene
        (f"2018-08/{PRODUCT.format('T31TCJ')}", f"2018-09/{PRODUCT.format('T31TCJ')}"),  # one folder a date
        ("2018-08", "2018-09"),
    ],
)
def test_a_single_scene_is_no_region(tmp_path, paths):
    assert names(make(tmp_path, *paths)) == []


def test_cubes_in_a_folder_are_tiles(tmp_path):
    (tmp_path / "b.nc").touch()
    assert names(make(tmp_path, "a.zarr")) == ["a", "b"]
    assert names(tmp_path / "a.zarr") == []


@pytest.mark.parametrize("text", ["tiles: [T31TCJ, {name: far, path: b/x}]", "[T31TCJ, {name: far, path: b/x}]"])
def test_a_list_names_tiles_beside_it(tmp_path, text):
    make(tmp_path, "T31TCJ", "b/x")
    (tmp_path / "region.yml").write_text(text)
    assert names(tmp_path / "region.yml") == ["31TCJ", "far"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("tiles: [T31TCJ, ./T31TCJ]", "region.twice"),
        ("tiles: [{name: a, path: T31TCJ}, {name: b, path: ../*/T31TCJ}]", "scene.path"),
        ("tiles: [{name: a, path: T31TCJ}, {name: a, path: b}]", "region.twice"),
        ("tiles: []", "region.format"),
        ("tiles: [{folder: T31TCJ}]", "region.format"),
        ("places: [T31TCJ]", "region.format"),
        ("tiles: [", "region.format"),
    ],
)
def test_a_list_that_is_wrong_is_one_clear_error(tmp_path, text, kind):
    make(tmp_path, "T31TCJ", "b")
    (tmp_path / "region.yml").write_text(text)
    with pytest.raises(InputError) as error:
        find_tiles(tmp_path / "region.yml")
    assert error.value.kind == kind and error.value.fix
