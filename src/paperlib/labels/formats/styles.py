"""QGIS styles (QML) of polygons: a colour for each class, kept in a GeoPackage or beside another file.

Elements and attributes are those that QGIS 3.22 and later write; what a style leaves out has the default of QGIS.
"""

import sqlite3
from pathlib import Path
from xml.etree import ElementTree

from ...nomenclature import LandCover

#: First line of a style, as QGIS writes it.
DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
#: Colour of places that are to be labelled.
TO_LABEL = "#ff00ff"
#: How QGIS writes in a list of choices that a value is empty.
NULL = "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"
#: The table in which QGIS looks for styles of the layers of a GeoPackage.
STYLES = """CREATE TABLE layer_styles (
id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"""


def class_style(
    legend: tuple[LandCover, ...], column: str, label: str = "", other: str = "", filled: bool = False,
    codes: bool = False, where: str = "", other_colour: str = TO_LABEL,
) -> str:  # fmt: skip
    """QML of polygons in the colour of the class that `column` names.

    Parameters
    ----------
    legend: the classes.
    column, label: names of columns; the values of `label` are written beside the polygons, where it is given.
    other: text in the legend for polygons of no class, which have `other_colour`; without it they are not drawn.
    where: expression of QGIS; polygons for which it does not hold count as of no class, and have no label.
    filled: areas instead of outlines.
    codes: `column` holds the codes of the label file instead of names; QGIS then offers the classes where it is edited.
    """
    categories = "Symbology" + ("|Labeling" if label else "") + ("|Fields|Forms" if codes else "")
    root = ElementTree.Element("qgis", version="3.28", styleCategories=categories, labelsEnabled="1" if label else "0")
    shown_column = f"if({where}, \"{column}\", '')" if where else column
    renderer = ElementTree.SubElement(
        root, "renderer-v2", type="categorizedSymbol", attr=shown_column, symbollevels="0", forceraster="0",
        enableorderby="0",
    )  # fmt: skip
    rows, symbols = (ElementTree.SubElement(renderer, name) for name in ("categories", "symbols"))
    shown = [(cover.own_code if codes else cover.name, cover.name, cover.colour) for cover in legend]
    shown += [("", other, other_colour)] if other else []
    for number, (value, text, colour) in enumerate(shown):
        ElementTree.SubElement(
            rows, "category", symbol=str(number), value=value, label=text, type="string", render="true"
        )
        _add_symbol(symbols, str(number), colour, filled)
    if label:
        labeling = ElementTree.SubElement(root, "labeling", type="simple")
        settings = ElementTree.SubElement(labeling, "settings", calloutType="simple")
        ElementTree.SubElement(  # without a weight, QGIS takes the thinnest
            settings, "text-style", fieldName=f"if({where}, \"{label}\", '')" if where else label,
            isExpression="1" if where else "0", fontSize="9", fontSizeUnit="Point", fontWeight="50",
            textColor="0,0,0,255", textOpacity="1",
        )  # fmt: skip
    if codes:
        _add_choices(root, column, legend)
    ElementTree.indent(root)
    return DOCTYPE + ElementTree.tostring(root, "unicode")


def _add_choices(root: ElementTree.Element, column: str, legend: tuple[LandCover, ...]) -> None:
    """Let QGIS offer the names of the classes where `column` is edited, and write their codes."""
    fields = ElementTree.SubElement(root, "fieldConfiguration")
    field = ElementTree.SubElement(fields, "field", name=column, configurationFlags="None")
    config = ElementTree.SubElement(ElementTree.SubElement(field, "editWidget", type="ValueMap"), "config")
    options = ElementTree.SubElement(
        ElementTree.SubElement(config, "Option", type="Map"), "Option", name="map", type="List"
    )
    for name, code in [("", NULL), *((cover.name, cover.own_code) for cover in legend)]:
        one = ElementTree.SubElement(options, "Option", type="Map")
        ElementTree.SubElement(one, "Option", name=name, value=code, type="QString")


def _add_symbol(symbols: ElementTree.Element, name: str, colour: str, filled: bool) -> None:
    """Add the symbol of a class: its area, or its outline."""
    symbol = ElementTree.SubElement(
        symbols, "symbol", type="fill", name=name, alpha="1", clip_to_extent="1", force_rhr="0"
    )
    kind = "SimpleFill" if filled else "SimpleLine"
    layer = ElementTree.SubElement(symbol, "layer", {"class": kind, "enabled": "1", "pass": "0", "locked": "0"})
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    colour = f"{red},{green},{blue},255"
    values = {"line_color": colour, "line_width": "0.8", "line_width_unit": "MM", "line_style": "solid"}
    if filled:
        values = {
            "color": colour, "style": "solid", "outline_color": "35,35,35,255", "outline_style": "solid",
            "outline_width": "0.1", "outline_width_unit": "MM",
        }  # fmt: skip
    options = ElementTree.SubElement(layer, "Option", type="Map")
    for option, value in values.items():
        ElementTree.SubElement(options, "Option", name=option, value=value, type="QString")


def add_style(path: Path, layer: str, style: str) -> None:
    """Keep a style with the vector file at `path`: in a GeoPackage as that of its `layer`, else beside it as .qml.

    QGIS applies either when it opens the file. Raises `sqlite3.Error` where a GeoPackage cannot be written.
    """
    if path.suffix.lower() != ".gpkg":
        path.with_suffix(".qml").write_text(style, encoding="utf-8")
        return
    with sqlite3.connect(path) as file:
        file.execute(STYLES)
        row = ("", "", layer, "geom", layer, style, True, "by paperlib")
        names = "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "styleName", "styleQML"
        columns = ", ".join((*names, "useAsDefault", "description"))
        file.execute(f"INSERT INTO layer_styles ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        contents = "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, ?, ?)"
        file.execute(contents, ("layer_styles", "attributes", "layer_styles"))
    file.close()
