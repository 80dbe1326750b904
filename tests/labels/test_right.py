"""Faults of label files that once passed in silence or with a wrong cure; each test writes its own file."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS

from paperlib.labels import burn, legend_of, load_polygons, split
from paperlib.labels.formats.encodings import known_name, restored
from support.label_files import BOUNDS, OWN, error, load, names, scene, squares


@pytest.fixture
def table() -> gpd.GeoDataFrame:
    """Six squares of 30 m of each of eight classes: four of the pool, two of the test set."""
    return squares()


# -- one object --------------------------------------------------------------------------------------------------------


def test_copies_of_a_polygon_count_once(table, tmp_path):
    copies = table[table["code"] == 1].assign(polygon_id=lambda rows: rows["polygon_id"] + 500)
    pd.concat([table, copies]).to_file(tmp_path / "p.gpkg")
    polygons = load(tmp_path / "p.gpkg")
    assert sorted(polygons["polygon_id"]) == sorted(table["polygon_id"])
    assert "6" in polygons.attrs["said"]["labels.twice"] and "501" in polygons.attrs["said"]["labels.twice"]
    burned = burn(split(polygons), scene(), legend_of(polygons))
    assert burned.attrs["contested"] == 0


def test_a_copy_in_another_class_or_set_is_kept_and_contested(table, tmp_path):
    first = table.iloc[[0]]
    other = [
        first.assign(polygon_id=501, code=2, class_name=table["class_name"][6]),
        first.assign(polygon_id=502, set="test"),
    ]
    pd.concat([table, *other]).to_file(tmp_path / "p.gpkg")
    polygons = load(tmp_path / "p.gpkg")
    assert {501, 502} <= set(polygons["polygon_id"]) and "labels.twice" not in polygons.attrs["said"]


def test_a_number_in_the_pool_and_in_the_test_set_is_a_leak(table, tmp_path):
    table.loc[[1, 4], "polygon_id"] = 2  # of class 1: row 1 is of the pool, row 4 of the test set
    table.to_file(tmp_path / "p.gpkg")
    said = load(tmp_path / "p.gpkg").attrs["said"]["labels.leak"]
    assert "by their numbers: 2." in said and "pool or test" in said
    table["polygon_id"] = range(len(table))
    table.to_file(tmp_path / "q.gpkg")
    assert "labels.leak" not in load(tmp_path / "q.gpkg").attrs["said"]


@pytest.mark.parametrize("units, metre", [("km", 0.001), ("us-ft", 3937 / 1200), ("m", 1)])
def test_touching_is_the_same_in_any_unit(table, tmp_path, units, metre):
    """Squares that lie 70 m apart touch in no unit, and neighbours touch in all."""
    beside = table.iloc[[0]].assign(polygon_id=900, geometry=table.geometry.iloc[[0]].translate(30))
    pd.concat([table, beside]).to_file(tmp_path / "p.gpkg")
    crs = CRS.from_user_input(f"+proj=utm +zone=31 +datum=WGS84 +units={units} +no_defs")
    bounds = tuple(value * metre for value in BOUNDS)
    with pytest.warns(UserWarning, match="2 polygons touch others of their class"):
        polygons = load_polygons(tmp_path / "p.gpkg", crs=crs, bounds=bounds, pixel=(10 * metre, 10 * metre))
    assert polygons["group"].nunique() == len(table)


# -- places ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["geojson", "csv"])
def test_exchanged_coordinates_are_recognised(table, tmp_path, suffix):
    geographic = table.to_crs(4326)
    if suffix == "geojson":
        moved = shapely.transform(geographic.geometry.to_numpy(), lambda places: places[:, ::-1])
        geographic.assign(geometry=moved).to_file(tmp_path / "p.geojson")
    else:
        place = geographic.representative_point()
        rows = pd.DataFrame({"longitude": place.y, "latitude": place.x, "code": table["code"]})
        rows.to_csv(tmp_path / "p.csv", index=False)
    assert "exchanged" in error(tmp_path / f"p.{suffix}").fix


def test_an_infinite_coordinate_in_a_table_names_its_row_alone(table, tmp_path):
    place = table.representative_point().to_crs(4326)
    rows = pd.DataFrame({"longitude": place.x, "latitude": place.y, "code": table["code"]})
    rows.loc[3, "longitude"] = np.inf
    rows.to_csv(tmp_path / "p.csv", index=False)
    found = error(tmp_path / "p.csv")
    assert found.kind == "labels.coordinates" and found.place == "row 4" and "1 of 48" in found.problem


def test_a_coordinate_beyond_the_earth_is_no_place(table, tmp_path):
    corners = np.array(table.geometry[0].exterior.coords)
    corners[1, 0] = 1e300
    table.loc[0, "geometry"] = shapely.Polygon(corners)
    table.to_file(tmp_path / "p.gpkg")
    found = error(tmp_path / "p.gpkg")
    assert found.kind == "labels.coordinates" and found.place == "polygon_id 1"


# -- encodings ---------------------------------------------------------------------------------------------------------

CZECH = {2: "Lesní půda", 5: "Louka zelená", 9: "Město", 40: "Pšenice"}
RUSSIAN = {2: "Лес", 5: "Луг", 9: "Город", 40: "Пашня"}


def named(table, texts) -> gpd.GeoDataFrame:
    codes = dict(zip(sorted(table["code"].unique())[:4], texts, strict=True))
    chosen = table[table["code"].isin(codes)]
    code = chosen["code"].map(codes)
    return chosen.assign(code=code, class_name=code.map(texts))


def shapefile(path, rows, encoding: str, stated: str):
    rows.to_file(path, encoding=encoding)
    content = bytearray(path.with_suffix(".dbf").read_bytes())
    content[29] = 0
    path.with_suffix(".dbf").write_bytes(content)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if stated:
        path.with_suffix(".cpg").write_text(stated)
    return path


@pytest.mark.parametrize(
    "texts, encoding, stated",
    [
        (CZECH, "iso-8859-2", "88592"), (CZECH, "iso-8859-2", "ISO 8859-2"), (CZECH, "cp1250", "ANSI 1250"),
        (OWN, "cp850", "OEM 850"), (RUSSIAN, "cp1251", "1251"), (RUSSIAN, "UTF-8", "1251"), (OWN, "UTF-8", "65001"),
    ],
)  # fmt: skip
def test_encodings_as_programs_state_them(table, tmp_path, texts, encoding, stated):
    texts = {code: text.replace("œ", "oe").replace("–", "-") for code, text in texts.items()}
    path = shapefile(tmp_path / "p.shp", named(table, texts), encoding, stated)
    assert names(load(path)) == set(texts.values())


def test_names_in_another_script_are_not_read_as_western(table, tmp_path):
    path = shapefile(tmp_path / "p.shp", named(table, RUSSIAN), "cp1251", "")
    found = error(path)
    assert found.kind == "labels.encoding" and "--encoding" in found.fix and "cp1251" in found.fix
    assert names(load(path, encoding="cp1251")) == set(RUSSIAN.values())


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "csv"])
def test_names_that_were_read_wrongly_before_they_were_saved_are_restored(table, tmp_path, suffix):
    rows = named(table, {code: text.encode().decode("cp1252", errors="ignore") for code, text in OWN.items()})
    path = tmp_path / f"p.{suffix}"
    if suffix == "csv":
        place = rows.representative_point().to_crs(4326)
        rows.drop(columns="geometry").assign(longitude=place.x, latitude=place.y).to_csv(path, index=False)
    else:
        rows.to_file(path)
    polygons = load(path)
    assert names(polygons) == set(OWN.values())
    assert "restored" in polygons.attrs["said"]["labels.encoding"]


def test_a_table_in_utf_16(table, tmp_path):
    rows = named(table, OWN)
    place = rows.representative_point().to_crs(4326)
    rows = rows.drop(columns="geometry").assign(longitude=place.x, latitude=place.y)
    rows.to_csv(tmp_path / "p.csv", index=False, encoding="utf-16")
    assert names(load(tmp_path / "p.csv")) == set(OWN.values())


def test_mapinfo_in_windows_1252(table, tmp_path):
    named(table, OWN).to_file(tmp_path / "p.tab", driver="MapInfo File", encoding="cp1252")
    try:
        read = names(load(tmp_path / "p.tab"))
    except ValueError:
        assert "--encoding" in error(tmp_path / "p.tab").fix
        read = names(load(tmp_path / "p.tab", encoding="cp1252"))
    assert read == set(OWN.values())


@pytest.mark.parametrize("text", ["Forêt", "Bœuf – pâture", "Лес", "wheat", "Ã", "½ Âge"])
def test_right_texts_stay(text):
    assert restored(text) == text
    assert restored(text.encode().decode("latin-1")) == text


def test_names_of_encodings():
    stated = ["1252", "ANSI 1252", "88591", "ISO 8859-15", "UTF-8", "65001", "OEM 866", ""]
    wanted = ["cp1252", "cp1252", "iso8859-1", "ISO 8859-15", "UTF-8", "utf-8", "cp866", ""]
    assert [known_name(one) for one in stated] == wanted
