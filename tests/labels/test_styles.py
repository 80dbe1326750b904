"""Styles have the elements that QGIS reads, and name columns and classes that the file has."""

import sqlite3
from xml.etree import ElementTree

import geopandas as gpd
import pytest
from shapely import box

from paperlib.labels.formats.styles import class_style
from paperlib.labels.formats.writing import write_polygons
from paperlib.nomenclature import LandCover

LEGEND = (LandCover(1, "Water & <reed>", "#0080ff"), LandCover(2, "Crop", "#fedf60"))
#: What QGIS 3 reads of the symbols of areas and of lines (https://qgis.org/pyqgis: QgsSimpleFillSymbolLayer, ...Line...).
LAYERS = {"SimpleFill": {"color", "style", "outline_color"}, "SimpleLine": {"line_color", "line_width", "line_style"}}


def polygons() -> gpd.GeoDataFrame:
    columns = {"class_name": ["Crop", "Water & <reed>", ""], "rank": [1, 2, 3]}
    return gpd.GeoDataFrame(columns, geometry=[box(n, 0, n + 1, 1) for n in range(3)], crs=32631)


def stored(path) -> str:
    """The style that QGIS finds when it opens a file."""
    if path.suffix != ".gpkg":
        return path.with_suffix(".qml").read_text()
    with sqlite3.connect(path) as file:
        ((name, column, style, default),) = file.execute(
            "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles"
        )
        ((geometry,),) = file.execute("SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (name,))
    file.close()
    assert default and column == geometry and name == path.stem
    return style


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("suffix", [".gpkg", ".geojson"])
def test_a_style_is_found_beside_the_polygons_and_fits_them(suffix, filled, tmp_path):
    path = tmp_path / f"places{suffix}"
    style = class_style(LEGEND, "class_name", "" if filled else "rank", "to label", filled)
    write_polygons(polygons(), path, style)
    table, text = gpd.read_file(path, layer=path.stem), stored(path)
    assert text.startswith("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis ")
    root = ElementTree.fromstring(text.split("\n", 1)[1])
    renderer = root.find("renderer-v2")
    assert renderer.get("type") == "categorizedSymbol" and renderer.get("attr") in table
    rows, symbols = renderer.findall("categories/category"), renderer.findall("symbols/symbol")
    assert {row.get("value") for row in rows} == set(table["class_name"])
    assert [row.get("symbol") for row in rows] == [symbol.get("name") for symbol in symbols]
    for symbol, colour in zip(symbols, ("0,128,255,255", "254,223,96,255", "255,0,255,255"), strict=True):
        (layer,) = symbol.findall("layer")
        values = {option.get("name"): option.get("value") for option in layer.findall("Option[@type='Map']/Option")}
        assert symbol.get("type") == "fill" and layer.get("class") == ("SimpleFill" if filled else "SimpleLine")
        assert set(values) >= LAYERS[layer.get("class")] and values["color" if filled else "line_color"] == colour
    labels = root.find("labeling[@type='simple']/settings/text-style")
    assert (labels is None) == filled == (root.get("labelsEnabled") == "0")
    assert filled or (labels.get("fieldName") in table and labels.get("fontWeight") == "50")


def test_no_place_to_label_is_no_entry_of_the_legend():
    root = ElementTree.fromstring(class_style(LEGEND, "looks_like").split("\n", 1)[1])
    assert [row.get("value") for row in root.iter("category")] == [cover.name for cover in LEGEND]


def test_codes_can_be_chosen_by_the_names_of_their_classes():
    legend = (LEGEND[0], LandCover(2, "Crop", "#fedf60", "c2"))
    root = ElementTree.fromstring(class_style(legend, "landuse", other="to label", codes=True).split("\n", 1)[1])
    assert [one.get("value") for one in root.iter("category")] == ["1", "c2", ""]
    assert {"Fields", "Forms"} <= set(root.get("styleCategories").split("|"))
    choices = root.find("fieldConfiguration/field[@name='landuse']/editWidget[@type='ValueMap']").iter("Option")
    named = {one.get("name"): one.get("value") for one in choices if one.get("type") == "QString"}
    assert named.pop("").startswith("{") and named == {"Water & <reed>": "1", "Crop": "c2"}
