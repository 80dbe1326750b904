"""Label files of further programs: tables of field surveys, texts that look alike, files that are not whole."""

import unicodedata

import numpy as np
import pandas as pd
import pytest

from paperlib.checks.label_times import other_times
from paperlib.labels.classes import class_title
from paperlib.labels.formats.encodings import choose_encoding
from paperlib.nomenclature import LandCover
from support.label_files import CLASSES, error, load, names, squares


@pytest.fixture(scope="module")
def table():
    return squares()


@pytest.fixture(scope="module")
def places(table):
    return table.geometry.representative_point().to_crs(4326)


def _sexagesimal(value: float, letter: str) -> str:
    return f"{int(value)}°{int(value % 1 * 60):02}'{value * 60 % 1 * 60:07.4f}\"{letter}"


#: Program -> the columns of places that it writes, of points in degrees.
SURVEYS = {
    "KoBoToolbox": lambda at: {"_gps_latitude": at.y, "_gps_longitude": at.x, "_gps_altitude": 120, "_gps_precision": 4.5},
    "ODK": lambda at: {"location-Latitude": at.y, "location-Longitude": at.x, "location-Altitude": 1},
    "ODK geopoint": lambda at: {"gps": [f"{place.y} {place.x} 120.0 4.5" for place in at]},
    "Google": lambda at: {"Coordinates": [f"{place.y}, {place.x}" for place in at]},
    "Epicollect": lambda at: {
        "lat_1_Location": at.y, "long_1_Location": at.x, "UTM_Northing_1": 4839000, "UTM_Easting_1": 350000,
    },
    "GBIF": lambda at: {"decimalLatitude": at.y, "decimalLongitude": at.x},
    "degrees": lambda at: {"Latitude (°)": at.y, "Longitude (°)": at.x},
    "minutes": lambda at: {
        "lat": [_sexagesimal(place.y, "N") for place in at], "lon": [_sexagesimal(place.x, "E") for place in at],
    },
}  # fmt: skip


@pytest.mark.form(
    "labels", "KoBo, ODK, Epicollect, GBIF", "tables of field surveys", "paperlib check scene survey.csv --field crop"
)
@pytest.mark.parametrize("program", SURVEYS)
def test_tables_of_field_surveys(table, places, tmp_path, program):
    rows = pd.DataFrame({"crop": table["class_name"], "uuid": "x"} | SURVEYS[program](places))
    rows.to_csv(tmp_path / "survey.csv", index=False, sep=";" if program == "KoBoToolbox" else ",")
    polygons = load(tmp_path / "survey.csv", field="crop")
    assert len(polygons) == len(table) and names(polygons) == {cover.name for cover in CLASSES}
    expected = table.geometry.representative_point()
    assert polygons.geometry.centroid.distance(expected, align=False).max() < 7.1  # the pixel that each lies in


@pytest.mark.parametrize("kind", ["sep", "comment", "cells"])
def test_lines_and_cells_that_spreadsheets_add(table, places, tmp_path, kind):
    rows = pd.DataFrame({"code": table["code"], "lon": places.x, "lat": places.y})
    lines = rows.to_csv(index=False, sep=";" if kind == "sep" else ",").splitlines()
    if kind == "cells":
        lines = [lines[0], *(line + ",," for line in lines[1:])]
    first = {"sep": ["sep=;"], "comment": ["# exported in 2018"], "cells": []}[kind]
    (tmp_path / "t.csv").write_text("\n".join([*first, *lines]))
    assert len(load(tmp_path / "t.csv")) == len(table)


def test_a_class_name_alone_is_the_class(table, tmp_path):
    table.drop(columns="code").to_file(tmp_path / "c.gpkg")
    polygons = load(tmp_path / "c.gpkg")
    assert (
        names(polygons) == {cover.name for cover in CLASSES}
        and "`class_name`" in polygons.attrs["said"]["labels.guess"]
    )


@pytest.mark.form(
    "labels", "any", "one class in several spellings", "paperlib check scene labels.gpkg --join-spellings"
)
def test_spellings_of_one_class_are_said_and_joined_where_that_is_asked_for(table, tmp_path):
    """What looks the same is the same: spaces, and letters with accents that are stored as two characters."""
    crops = ["Wheat", "Wheat", "wheat", "Forêt", unicodedata.normalize("NFD", "Forêt"), "Winter\u00a0 wheat"] * 8
    crops[5] = " Winter wheat "
    table.assign(crop=crops).drop(columns=["code", "class_name", "set"]).to_file(tmp_path / "c.gpkg")
    polygons = load(tmp_path / "c.gpkg", field="crop")
    assert names(polygons) == {"Wheat", "wheat", "Forêt", "Winter wheat"}
    said = polygons.attrs["said"]["labels.spelling"]
    assert "alone: Wheat / wheat. " in said and "--join-spellings" in said
    joined = load(tmp_path / "c.gpkg", field="crop", join_spellings=True)
    assert names(joined) == {"Wheat", "Forêt", "Winter wheat"} and len(joined) == len(polygons)
    assert "joined" in joined.attrs["said"]["labels.spelling"]


def test_numbers_and_signs_that_mean_something_are_no_spellings(table, tmp_path):
    table.assign(code=["1.1", "11"] * 24).drop(columns="class_name").to_file(tmp_path / "c.gpkg")
    assert "labels.spelling" not in load(tmp_path / "c.gpkg").attrs["said"]


def test_decimal_commas_and_words_for_nothing(table, tmp_path):
    codes = [f"{code},0" for code in table["code"]]
    codes[:6] = ["NULL", "<Null>", "nan", "null", "NaN", ""]
    table.assign(code=codes).drop(columns="class_name").to_file(tmp_path / "c.gpkg")
    polygons = load(tmp_path / "c.gpkg")
    assert sorted(set(polygons["code"])) == sorted({cover.code for cover in CLASSES} - {CLASSES[0].code})
    assert "6 of 48 rows have no class" in polygons.attrs["said"]["labels.no class"]


def test_rows_marked_for_validation_join_the_pool_with_a_word(table, tmp_path):
    table.assign(set=["train", "train", "train", "val", "validation", "test"] * 8).to_file(tmp_path / "c.gpkg")
    polygons = load(tmp_path / "c.gpkg")
    assert polygons["set"].value_counts().to_dict() == {"pool": 40, "test": 8}
    assert "16 rows of `set`" in polygons.attrs["said"]["labels.set"]


def test_a_table_of_classes_with_other_capitals(table, tmp_path):
    table.drop(columns="class_name").to_file(tmp_path / "c.gpkg")
    lines = [f"{cover.code},Own {cover.code},{cover.colour}" for cover in CLASSES]
    (tmp_path / "c.classes.csv").write_text("\n".join(["Code,Name,Color", *lines]), encoding="utf-8-sig")
    assert names(load(tmp_path / "c.gpkg")) == {f"Own {cover.code}" for cover in CLASSES}


@pytest.mark.parametrize(
    "lost, said",
    [("shx", "copy .shp, .shx, .dbf and .prj"), ("dbf", "has no .dbf"), ("prj", "no coordinate reference")],
)
@pytest.mark.fault("a shapefile without one of its files", "an error that says which belong together", "nothing")
def test_shapefiles_that_are_not_whole(table, tmp_path, lost, said):
    table.to_file(tmp_path / "c.shp")
    (tmp_path / f"c.{lost}").unlink()
    assert said in str(error(tmp_path / "c.shp"))


@pytest.mark.parametrize(
    "name, said", [("s.xlsx", "Save the sheet as CSV"), ("l.tif", "`paperlib labels`"), ("l.geojson.gz", "Unpack it")]
)
def test_files_of_other_kinds_are_told(tmp_path, name, said):
    (tmp_path / name).write_bytes(b"PK\3\4 some bytes")
    assert said in str(error(tmp_path / name))


def test_errors_name_their_file_once_and_end_once(table, tmp_path):
    many = pd.concat([table] * 7, ignore_index=True)
    many.assign(code=np.arange(len(many))).drop(columns=["class_name", "set", "polygon_id"]).to_file(
        tmp_path / "c.gpkg"
    )
    text = str(error(tmp_path / "c.gpkg"))
    assert text.count("c.gpkg") == 1 and ".." not in text


@pytest.mark.parametrize(
    "words, encoding, alternative",
    [
        ("Łąka Żyto Jęczmień", "cp1250", ""),
        ("Őszi búza Erdő", "cp1252", "cp1250 makes 'Őszi'"),
        ("Buğday Mısır Çayır", "cp1252", "cp1254 makes 'Buğday'"),
        ("Forêt Pré fauché", "cp1252", ""),
    ],
)
def test_an_encoding_that_is_assumed_is_said_with_others(words, encoding, alternative):
    """Windows-1252 where it gives letters, Windows-1250 where only that does; the message shows what others make."""
    own = alternative.partition(" ")[0] or encoding
    with pytest.warns(UserWarning, match=f"its texts are read as {encoding}") as caught:
        assert choose_encoding(words.encode(own), "", "c.shp") == encoding
    assert alternative in str(caught[0].message) and "--encoding" in str(caught[0].message)


@pytest.mark.parametrize(
    "columns, expected",
    [
        (
            {"start_date": "2015-09-01", "end_date": "2016-08-31"},
            "2015-09-01 to 2016-08-31; the images are of 2018-02-15",
        ),
        ({"Year": [2016, 2018]}, "1 of 2 rows is of another time than the images, by Year"),
        ({"Year": 2018}, ""),
        ({"start_date": "2018-01-01", "end_date": "2018-12-31"}, ""),
        ({"Year": "unknown"}, ""),
        ({"date": "2016-05-01"}, ""),  # of the drawing, maybe
    ],
)
def test_labels_of_another_year_are_said(columns, expected):
    rows = pd.DataFrame({"code": [1, 2]}).assign(**columns)
    found = other_times(rows, pd.DatetimeIndex(["2018-02-15", "2018-11-15"]), "labels.csv")
    assert len(found) == bool(expected) and expected in "".join(finding.value for finding in found)


@pytest.mark.parametrize(
    "code, source, name, title",
    [
        (7, "", "Wheat", "class 7 Wheat"), (7, "", "class 7", "class 7"), (1, "Wheat", "Wheat", "class Wheat"),
        (1, "0611", "Wheat", "class 0611 Wheat"),
    ],
)  # fmt: skip
def test_a_class_is_named_once_in_messages(code, source, name, title):
    assert class_title(LandCover(code, name, "#ff0000", source)) == title
