"""Products carry names, colours and areas that agree with the map they come from."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pystac
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate
from shapely.geometry import shape

from paperlib.errors import InputError
from paperlib.mapping.layers import ON_REQUEST
from paperlib.mapping.scene_maps import read_map
from paperlib.pages.walkthrough import read_gis_classes
from paperlib.runs import products
from paperlib.transfer import write_models
from support.disks import files_end_at
from support.stac_rules import validate

NAMES = ("TempCNN", "iota2_base")


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    assert products.write_products(run, NAMES, folder) == [folder / name for name in NAMES]
    return folder / "iota2_base"


def test_maps_are_those_of_the_run(run, folder):
    for name in ("class.tif", "confidence.tif"):
        assert (folder / name).read_bytes() == (run.map("iota2_base") / name).read_bytes()
        assert cog_validate(folder / name)[0]
    assert {path.name for path in folder.glob("*.tif")} == {"class.tif", "confidence.tif"}  # the others on request


def test_other_layers_are_written_where_they_are_asked_for(run, tmp_path):
    asked = run.override({"map.probabilities": True})
    products.write_products(asked, ("iota2_base",), tmp_path)
    layers = {path.stem for path in (tmp_path / "iota2_base").glob("*.tif")}
    assert layers == {"class", "confidence", *ON_REQUEST}
    assert asked.map("iota2_base") == run.map("iota2_base")  # of the simulated scene they are made at once


def test_style_names_and_colours_every_class(run, folder):
    entries = ElementTree.parse(folder / "class.qml").findall("./pipe/rasterrenderer/colorPalette/paletteEntry")
    found = {int(one.get("value")): (one.get("label"), one.get("color")) for one in entries}
    assert found == {cover.code: (cover.name, cover.colour) for cover in run.legend}
    with rasterio.open(folder / "class.tif") as file:  # the same colours as inside the file
        table = file.colormap(1)
    for code, (_, colour) in found.items():
        assert "#{:02x}{:02x}{:02x}".format(*table[code][:3]).lower() == colour.lower()


def test_another_palette_changes_colours_everywhere_and_trains_nothing(run, folder, tmp_path):
    safe = run.override({"map.palette": "safe"})
    before = run.trained.place("iota2_base")
    assert safe.trained.place("iota2_base") == before and safe.legend != run.legend
    (other,) = products.write_products(safe, ("iota2_base",), tmp_path)
    with rasterio.open(other / "class.tif") as file, rasterio.open(folder / "class.tif") as usual:
        np.testing.assert_array_equal(file.read(1), usual.read(1))
        table = file.colormap(1)
    for cover in safe.legend:
        assert "#{:02x}{:02x}{:02x}".format(*table[cover.code][:3]) == cover.colour.lower()
        assert cover.colour in (other / "class.qml").read_text()
    shown = {row.code: row.colour for row in safe.dataset.series().drop_duplicates("code").itertuples()}
    assert shown == {cover.code: cover.colour for cover in safe.legend if cover.code in shown}


def test_gdal_reads_the_category_names(run, folder):
    """By a description that GDAL itself writes of what it has read."""
    table = read_gis_classes(folder / "class.tif")
    assert [tuple(row) for row in table.itertuples(index=False)] == [cover[:3] for cover in run.legend]


def test_areas_add_up_to_the_scene(run, folder):
    table = pd.read_csv(folder / "areas.csv").set_index("code")
    codes = read_map(folder / "class.tif").values
    assert table["hectares"].sum() == pytest.approx((codes > 0).sum() / 100, rel=1e-3)
    assert table["share (%)"].sum() == pytest.approx(100, abs=0.1)
    for code in np.unique(codes[codes > 0]):
        assert table.loc[code, "hectares"] == pytest.approx((codes == code).sum() / 100, rel=1e-3, abs=0.01)


def test_the_item_describes_the_files(run, folder):
    item = pystac.Item.from_file(str(folder / "item.json"))
    assert item.properties["proj:code"] == f"EPSG:{run.scene.rio.crs.to_epsg()}"
    assert item.properties["start_datetime"][:10] == run.dates[0]
    assert item.properties["end_datetime"][:10] == run.dates[-1]
    assert shape(item.geometry).bounds == pytest.approx(item.bbox) and 1.0 < item.bbox[0] < item.bbox[2] < 1.5
    for asset in item.assets.values():
        assert not asset.href.startswith("/") and (folder / asset.href).is_file()
    classes = item.assets["class"].extra_fields["classification:classes"]
    assert [one["value"] for one in classes] == [cover.code for cover in run.legend]
    assert all(re.fullmatch("[0-9A-Za-z_-]+", one["name"]) for one in classes)  # as the extension's schema has it
    assert len({one["name"] for one in classes}) == len(classes)
    assert [one["title"] for one in classes] == [cover.name for cover in run.legend]
    text = json.loads((folder / "item.json").read_text())
    validate(text)
    assert text["stac_version"] and not [link for link in text["links"] if link["rel"] == "self"]


def test_writing_again_replaces(run, folder):
    (folder / "areas.csv").write_text("old")
    products.write_products(run, ("iota2_base",), folder.parent)
    assert (folder / "areas.csv").read_text().startswith("code,")


def test_other_files_of_the_folder_stay(run, folder):
    (folder / "mine.qgz").write_text("a project of QGIS")
    products.write_products(run, ("iota2_base",), folder.parent)
    assert (folder / "mine.qgz").read_text() == "a project of QGIS" and not list(folder.glob(".*"))


@pytest.mark.fault("disk full while a map is copied", "one line; the older map stays whole", "nothing")
def test_a_full_disk_keeps_the_older_map(run, tmp_path):
    """With the map in the store, so that its copy alone lacks room."""
    target = tmp_path / "maps" / "iota2_base"
    products.write_products(run, ("iota2_base",), tmp_path / "maps")
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    (target / "areas.csv").write_text("older")
    with pytest.raises(InputError, match=r"are needed and .* are free there") as caught, files_end_at(8192):
        products.write_products(run, ("iota2_base",), tmp_path / "maps")
    assert caught.value.kind == "output.room" and "\n" not in str(caught.value)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before | {"areas.csv": b"older"}
    products.write_products(run, ("iota2_base",), tmp_path / "maps")
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before


@pytest.mark.parametrize("place", ["taken", "taken/below"])
def test_a_place_that_is_taken_is_one_line(run, tmp_path, place):
    (tmp_path / "taken").write_text("a file that is there")
    for write in (products.write_products, write_models, products.check_room):
        with pytest.raises(InputError, match="taken") as caught:
            write(*((run, NAMES, tmp_path / place)))
        assert caught.value.kind == "output.place" and "\n" not in str(caught.value)
    assert (tmp_path / "taken").read_text() == "a file that is there"


def test_room_is_asked_before_the_work(run, tmp_path, monkeypatch):
    usage = products.check_place.__globals__["shutil"].disk_usage(tmp_path)
    monkeypatch.setattr("paperlib.outputs.shutil.disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(InputError, match=r"73\.7 kB are needed and 1\.0 kB are free there"):
        products.check_room(run, NAMES, tmp_path / "maps")
