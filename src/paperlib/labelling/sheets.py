"""What people label by: GeoPackages that QGIS opens with a style, and pages of cards with pictures."""

import sqlite3
from collections.abc import Iterable
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
from pyogrio.errors import DataLayerError, DataSourceError

from ..figures.html import webp_uri
from ..figures.theme import Figure
from ..nomenclature import LandCover
from ..outputs import writing

STYLE = """
body { font: 11pt/1.5 "DejaVu Sans", Arial, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; }
section { border-top: 1px solid #bbb; margin-top: 1.5em; } h2 { font-size: 1.1em; } img { max-width: 100%; height: auto; }
@media print { section { break-inside: avoid; } }
"""
#: The table in which QGIS looks for styles of the layers of a GeoPackage.
STYLES = """CREATE TABLE layer_styles (
id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"""


def write_geopackage(polygons: gpd.GeoDataFrame, path: Path, style: str) -> None:
    """Write polygons to a GeoPackage with a QGIS style (QML), which QGIS applies when it opens the file.

    Raises `InputError` where the file cannot be written.
    """
    with writing(path, errors=(DataLayerError, DataSourceError, sqlite3.Error)) as part:
        polygons.to_file(part, layer=path.stem, driver="GPKG")
        with sqlite3.connect(part) as file:
            file.execute(STYLES)
            row = ("", "", path.stem, "geom", path.stem, style, True, "by paperlib")
            columns = (
                "f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, styleQML, useAsDefault, "
                "description"
            )
            file.execute(f"INSERT INTO layer_styles ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            contents = "INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES (?, ?, ?)"
            file.execute(contents, ("layer_styles", "attributes", "layer_styles"))
        file.close()


def class_style(legend: tuple[LandCover, ...], column: str, label: str) -> str:
    """QML of outlines in the colour of the class that `column` names, with the values of the column `label` beside them."""
    root = ElementTree.Element("qgis", version="3.28", styleCategories="Symbology|Labeling", labelsEnabled="1")
    renderer = ElementTree.SubElement(
        root, "renderer-v2", type="categorizedSymbol", attr=column, symbollevels="0", enableorderby="0"
    )
    categories, symbols = (ElementTree.SubElement(renderer, name) for name in ("categories", "symbols"))
    shown = [(cover.name, cover.name, cover.colour) for cover in legend] + [("", "to label", "#ff00ff")]
    for number, (value, text, colour) in enumerate(shown):
        ElementTree.SubElement(
            categories, "category", symbol=str(number), value=value, label=text, type="string", render="true"
        )
        symbol = ElementTree.SubElement(symbols, "symbol", type="fill", name=str(number), alpha="1", clip_to_extent="1")
        layer = ElementTree.SubElement(
            symbol, "layer", {"class": "SimpleLine", "enabled": "1", "pass": "0", "locked": "0"}
        )
        options = ElementTree.SubElement(layer, "Option", type="Map")
        red, green, blue = bytes.fromhex(colour.removeprefix("#"))
        for name, content in {
            "line_color": f"{red},{green},{blue},255",
            "line_width": "0.8",
            "line_style": "solid",
        }.items():
            ElementTree.SubElement(options, "Option", name=name, value=content, type="QString")
    labeling = ElementTree.SubElement(root, "labeling", type="simple")
    settings = ElementTree.SubElement(labeling, "settings", calloutType="simple")
    ElementTree.SubElement(
        settings, "text-style", fieldName=label, fontSize="9", isExpression="0", textColor="0,0,0,255"
    )
    ElementTree.indent(root)
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ElementTree.tostring(root, "unicode")


def write_page(path: Path, title: str, words: Iterable[str], cards: Iterable[tuple[str, str, Figure]]) -> None:
    """Write a self-contained HTML page: a title, paragraphs, and cards with a heading, a text and a picture each."""
    body = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(text)}</p>" for text in words)]
    for heading, text, figure in cards:
        picture = f'<img src="{webp_uri(figure.to_bytes("png"))}" alt="{escape(figure.alt)}">'
        body.append(f"<section><h2>{escape(heading)}</h2><p>{escape(text)}</p>{picture}</section>")
    head = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
    )
    with writing(path) as part:
        part.write_text(head + "\n".join(body) + "</body></html>\n", encoding="utf-8")
