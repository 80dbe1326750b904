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
from shapely import box
from shapely.geometry import shape

from paperlib.mapping.scene_maps import read_map
from paperlib.pages.walkthrough import read_gis_classes
from paperlib.runs import products

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


def test_style_names_and_colours_every_class(run, folder):
    entries = ElementTree.parse(folder / "class.qml").findall("./pipe/rasterrenderer/colorPalette/paletteEntry")
    found = {int(one.get("value")): (one.get("label"), one.get("color")) for one in entries}
    assert found == {cover.code: (cover.name, cover.colour) for cover in run.legend}
    with rasterio.open(folder / "class.tif") as file:  # the same colours as inside the file
        table = file.colormap(1)
    for code, (_, colour) in found.items():
        assert "#{:02x}{:02x}{:02x}".format(*table[code][:3]).lower() == colour.lower()


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
    assert shape(item.geometry).equals(box(*item.bbox)) and 1.0 < item.bbox[0] < item.bbox[2] < 1.5
    for asset in item.assets.values():
        assert not asset.href.startswith("/") and (folder / asset.href).is_file()
    classes = item.assets["class"].extra_fields["classification:classes"]
    assert [one["value"] for one in classes] == [cover.code for cover in run.legend]
    assert all(re.fullmatch("[0-9A-Za-z_-]+", one["name"]) for one in classes)  # as the extension's schema has it
    assert len({one["name"] for one in classes}) == len(classes)
    assert [one["title"] for one in classes] == [cover.name for cover in run.legend]
    text = json.loads((folder / "item.json").read_text())
    assert text["stac_version"] and not [link for link in text["links"] if link["rel"] == "self"]


def test_writing_again_replaces(run, folder):
    (folder / "areas.csv").write_text("old")
    products.write_products(run, ("iota2_base",), folder.parent)
    assert (folder / "areas.csv").read_text().startswith("code,")


def test_weights_come_with_all_that_their_use_takes(run, tmp_path):
    files = products.write_weights(run, NAMES, tmp_path)
    assert [path.name for path in files] == ["TempCNN.safetensors", "iota2_base.skops"]
    assert files[0].read_bytes() == (run.trained.best("TempCNN") / "weights.safetensors").read_bytes()
    about = json.loads((tmp_path / "TempCNN.json").read_text())
    assert about["channels"] == list(run.samples["train"].channels) and about["dates"] == list(run.dates)
    assert about["classes"] == [cover.name for cover in run.legend] and about["provenance"]["commit"]
    assert about["normaliser"] == run.dataset.normaliser.to_dict()
