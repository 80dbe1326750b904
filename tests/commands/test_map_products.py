"""Products of finished maps by the command line."""

import json
import sqlite3
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pytest

from paperlib.labels.formats.files import read_table
from support.commands import paperlib
from support.maps import write_map
from support.stac_rules import validate


def test_a_map_becomes_polygons_in_a_file_that_is_never_replaced(tmp_path):
    codes = np.full((120, 100), 2)
    codes[:, :30] = 1
    codes[50, 60] = 1
    write_map(tmp_path / "map", codes)
    out = tmp_path / "polygons.gpkg"
    done = paperlib("vectorise", "map", "--minimum-area", 500, "--out", out, folder=tmp_path)
    polygons = gpd.read_file(out, layer="polygons")
    said = [line.split() for line in done.stdout.splitlines()]
    assert done.returncode == 0 and str(out) in done.stdout, done.stderr
    assert said[:2] == [["1", "polygon,", "36.0", "ha:", "Water"], ["1", "polygon,", "84.0", "ha:", "Crops"]]
    hectares = dict(zip(polygons["class_name"], polygons["hectares"].round(1), strict=True))
    assert hectares == {"Water": 36.0, "Crops": 84.0}
    with sqlite3.connect(out) as file:
        ((style,),) = file.execute("SELECT styleQML FROM layer_styles")
    file.close()
    root = ElementTree.fromstring(style.split("\n", 1)[1])
    assert root.find("renderer-v2").get("attr") in polygons
    assert {row.get("value") for row in root.iter("category")} == set(polygons["class_name"])
    pytest.importorskip("arro3.io")
    done = paperlib("vectorise", "map", "--minimum-area", 500, "--out", "polygons.parquet", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    again = read_table(tmp_path / "polygons.parquet")
    assert again.crs == polygons.crs and again.geom_equals(polygons.geometry).all()
    for name in ("code", "class_name", "hectares", "confidence"):
        assert again[name].tolist() == polygons[name].tolist()
    before = out.read_bytes()
    done = paperlib("vectorise", "map", "--out", out, folder=tmp_path)
    assert done.returncode == 2 and "is there already" in done.stderr and out.read_bytes() == before
    done = paperlib("vectorise", "map", "--out", "polygons.kml", folder=tmp_path)
    assert done.returncode == 2 and ".gpkg" in done.stderr and not (tmp_path / "polygons.kml").exists()


def test_a_map_is_smoothed_and_says_what_it_lacks(lagoon, lagoon_store, tmp_path):
    words = ("map", *lagoon, "--model", "iota2_base", "--preset", "tiny", "--store", lagoon_store, "--out", "maps")
    assert paperlib(*words, "--probabilities", folder=tmp_path).returncode == 0
    done = paperlib("smooth", "maps/iota2_base", "--minimum-area", 300, "--out", "smooth", folder=tmp_path)
    assert done.returncode == 0 and done.stdout == "smoothed: smooth\n", done.stderr
    item = json.loads((tmp_path / "smooth" / "item.json").read_text())
    validate(item)
    assert item["properties"]["paperlib:smoothing"]["minimum_area"] == 300
    done = paperlib("smooth", "smooth", "--method", "bayesian", "--out", "again", folder=tmp_path)
    assert done.returncode == 2 and "--probabilities" in done.stderr and not (tmp_path / "again").exists()


def test_a_scene_becomes_a_report(lagoon, lagoon_store, tmp_path):
    words = ("report", *lagoon, "--model", "iota2_base", "--preset", "tiny", "--store", lagoon_store)
    done = paperlib(*words, "--out", "report.html", folder=tmp_path)
    assert done.returncode == 0 and "report: report.html" in done.stdout, done.stderr
    text = (tmp_path / "report.html").read_text()
    assert "Land cover of lagoon.nc" in text and "Where it is weak" in text and "iota2_base" in text
    done = paperlib(*words, "--out", "missing/report.html", folder=tmp_path)
    assert done.returncode == 2 and "missing" in done.stderr
