"""The pre-flight check reports the problem, fix and kind of the reader's own error."""

import geopandas as gpd
import pytest
import shapely

from paperlib.checks import check
from paperlib.errors import InputError
from paperlib.labels import load_polygons
from paperlib.scenes.scene import open_scene
from paperlib.settings import Labels, Settings


def write_layers(path):
    for name in ("draft", "final"):
        table = gpd.GeoDataFrame({"code": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
        table.to_file(path.with_suffix(".gpkg"), layer=name)
    return path.with_suffix(".gpkg")


def write_column(path):
    table = gpd.GeoDataFrame({"crop": ["rye"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    table.to_file(path.with_suffix(".geojson"))
    return path.with_suffix(".geojson")


def write_csv(path):
    path.with_suffix(".csv").write_text("code,name\n1,a\n")
    return path.with_suffix(".csv")


def write_classes(path):
    table = gpd.GeoDataFrame({"code": [41]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    table.to_file(path.with_suffix(".geojson"))
    path.with_suffix(".classes.csv").write_text("code,name,colour\n42,Rye,#ff0000\n")
    return path.with_suffix(".geojson")


@pytest.mark.parametrize("write", [write_layers, write_column, write_csv, write_classes])
def test_of_labels(tmp_path, write):
    path = write(tmp_path / "labels")
    with pytest.raises(InputError) as raised:
        load_polygons(path)
    (finding,) = [one for one in check(tmp_path / "no scene", path) if one.subject != "scene" and one.level == "error"]
    assert finding.kind == raised.value.kind and finding.fix and finding.fix in str(raised.value)
    assert finding.value in str(raised.value)


def test_an_option_reaches_the_check(tmp_path):
    path = write_column(tmp_path / "labels")
    findings = check(tmp_path / "no scene", path, Settings(labels=Labels(field="crop")))
    assert not [one for one in findings if one.kind == "labels.field"]


@pytest.mark.parametrize("name", ["lost", "empty", "text.nc", "text.tif", "text.zarr"])
def test_of_scenes(tmp_path, name):
    path = tmp_path / name
    if name == "empty" or path.suffix == ".zarr":
        path.mkdir()
    elif name != "lost":
        path.write_text("no image")
    with pytest.raises(InputError) as raised:
        open_scene(path)
    (finding,) = [one for one in check(path, tmp_path / "no labels") if one.subject == "scene"]
    assert (finding.value, finding.fix, finding.kind) == (raised.value.problem, raised.value.fix, raised.value.kind)
