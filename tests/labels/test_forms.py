"""Label files as people have them: each test writes a file as some program does, and says what it must give."""

import sqlite3
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401  (gives .rio)
import shapely
import shapely.affinity
from shapely import Polygon

from paperlib.errors import NOTHING_TO_DO, InputError
from paperlib.labels import burn, legend_of, pixel_counts, separation, split
from paperlib.labels.formats.files import read_table
from support.label_files import CLASSES, LEFT, OWN, TOP, error, load, names, scene, squares


@pytest.fixture
def table() -> gpd.GeoDataFrame:
    """Six squares of 30 m of each of eight classes: four of the pool, two of the test set."""
    return squares()


NAMES = {cover.name for cover in CLASSES}


def points_of(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return table.assign(geometry=table.geometry.representative_point())


# -- columns -----------------------------------------------------------------------------------------------------------


@pytest.mark.form(
    "labels",
    "QGIS, any",
    "classes as text in a column of one's own",
    "paperlib check scene labels.gpkg --field landuse",
)
def test_text_classes_in_a_named_column(table, tmp_path):
    table.drop(columns=["code", "class_name"]).assign(landuse=table["class_name"]).to_file(tmp_path / "text.gpkg")
    polygons = load(tmp_path / "text.gpkg", field="landuse")
    legend = legend_of(polygons)
    assert {cover.own_code for cover in legend} == names(polygons) == NAMES
    assert [cover.code for cover in legend] == list(range(1, 9))
    found = error(tmp_path / "text.gpkg")
    assert found.kind == "labels.field" and "--field" in found.fix
    assert "landuse (" in str(found) and "Built up" in str(found) and "set (pool, test)" in str(found)
    assert "landuze" in str(error(tmp_path / "text.gpkg", field="landuze"))
    assert len(load(tmp_path / "text.gpkg", field="LandUse ")) == 48


@pytest.mark.form("labels", "any", "column CODE", "paperlib check scene labels.gpkg")
@pytest.mark.parametrize("name", ["CODE", "Code", " code "])
def test_case_and_spaces_of_a_column_do_not_matter(table, tmp_path, name):
    table.rename(columns={"code": name}).to_file(tmp_path / "upper.geojson")
    polygons = load(tmp_path / "upper.geojson")
    assert legend_of(polygons) == CLASSES and not polygons.attrs["said"]


@pytest.mark.form("labels", "any", "names of classes in the column code", "paperlib check scene labels.gpkg")
def test_names_as_codes(table, tmp_path):
    table.assign(code=table["class_name"]).to_file(tmp_path / "names_as_codes.gpkg")
    assert names(load(tmp_path / "names_as_codes.gpkg")) == NAMES


@pytest.mark.form("labels", "EuroCrops", "codes of ten digits", "paperlib check scene labels.gpkg")
@pytest.mark.parametrize("offset", [1_100_000_000, 3_301_010_000])
def test_long_codes_get_small_ones_in_maps(table, tmp_path, offset):
    table.assign(code=table["code"] + offset).to_file(tmp_path / "long_codes.gpkg")
    polygons = load(tmp_path / "long_codes.gpkg")
    legend = legend_of(polygons)
    assert [cover.code for cover in legend] == list(range(1, 9))
    assert [cover.own_code for cover in legend] == [str(cover.code + offset) for cover in CLASSES]
    assert [cover.name for cover in legend] == [cover.name for cover in CLASSES]


@pytest.mark.form("labels", "any", "code 0 and negative codes", "paperlib check scene labels.gpkg")
def test_zero_and_negative_codes_are_classes(table, tmp_path):
    table.assign(code=table["code"].replace({1: 0, 2: -7})).to_file(tmp_path / "zero.gpkg")
    polygons = load(tmp_path / "zero.gpkg")
    by_source = {cover.own_code: cover for cover in legend_of(polygons)}
    assert by_source["0"].name == "Built up" and by_source["-7"].name == "Woodland needle-leaved trees"
    assert len(by_source) == 8 and all(1 <= cover.code <= 255 for cover in by_source.values())
    assert by_source["11"].code == 11 and len({cover.code for cover in by_source.values()}) == 8
    burned = burn(polygons, scene(), legend_of(polygons))
    assert (np.unique(burned.label.values) == np.arange(-1, 8)).all()


@pytest.mark.form("labels", "field registers", "codes like 0611", "paperlib check scene labels.gpkg")
def test_leading_zeros_stay(table, tmp_path):
    text = ["0" * (row % 2) + str(code) for row, code in enumerate(table["code"])]
    table.assign(code=text, set="pool").drop(columns="class_name").to_file(tmp_path / "leading_zeros.gpkg")
    legend = legend_of(load(tmp_path / "leading_zeros.gpkg"))
    assert {cover.own_code for cover in legend} == set(text) and len(legend) == 16
    assert all(cover.name == cover.own_code for cover in legend)


@pytest.mark.form("labels", "any", "rows without a class", "paperlib check scene labels.gpkg")
def test_missing_classes_are_left_out_and_named(table, tmp_path):
    mixed = table.copy()
    mixed["code"] = mixed["code"].astype(object)
    mixed.loc[[0, 1, 7], "code"] = None
    mixed.to_file(tmp_path / "unlabelled.gpkg")
    polygons = load(tmp_path / "unlabelled.gpkg")
    assert len(polygons) == 45 and "polygon_id 1, 2, 8" in polygons.attrs["said"]["labels.no class"]


@pytest.mark.form(
    "labels", "any", "train and test in a column of any name", "paperlib check scene labels.gpkg --set-field part"
)
def test_sets_in_any_case_and_empty(table, tmp_path):
    capital = table.assign(set=["Test" if part == "test" else "Train" for part in table["set"]])
    capital.to_file(tmp_path / "capital_set.gpkg")
    assert (load(tmp_path / "capital_set.gpkg")["set"] == table["set"]).all()
    table.assign(set=None).to_file(tmp_path / "empty_set.gpkg")
    assert (load(tmp_path / "empty_set.gpkg")["set"] == "pool").all()
    table.rename(columns={"set": "part"}).to_file(tmp_path / "part.gpkg")
    assert (load(tmp_path / "part.gpkg", set_field="PART")["set"] == table["set"]).all()


# -- the legend --------------------------------------------------------------------------------------------------------


def test_codes_of_ones_own_never_get_names_of_the_paper(table, tmp_path):
    mine = table[table["code"].isin([1, 2, 3])]
    crops = np.array(["Canola", "Maize", "Wheat"])[mine["code"] - 1]
    plain = mine[["set", "geometry"]].assign(code=mine["code"])
    plain.assign(crop_type=crops).to_file(tmp_path / "own_codes.gpkg")
    polygons = load(tmp_path / "own_codes.gpkg")
    assert [(cover.code, cover.name) for cover in legend_of(polygons)] == [(1, "Canola"), (2, "Maize"), (3, "Wheat")]
    assert "crop_type" in polygons.attrs["said"]["labels.guess"]
    plain.assign(class_name=crops).to_file(tmp_path / "own_names.gpkg")
    assert names(load(tmp_path / "own_names.gpkg")) == {"Canola", "Maize", "Wheat"}
    plain.to_file(tmp_path / "no_names.gpkg")
    assert names(load(tmp_path / "no_names.gpkg")) == {"class 1", "class 2", "class 3"}
    assert names(load(tmp_path / "no_names.gpkg", nomenclature="clcplus")) == {cover.name for cover in CLASSES[:3]}
    plain.assign(crop=crops, note=crops).to_file(tmp_path / "two.gpkg")  # which of them, nobody knows
    assert names(load(tmp_path / "two.gpkg")) == {"class 1", "class 2", "class 3"}
    assert names(load(tmp_path / "two.gpkg", name_field="crop")) == {"Canola", "Maize", "Wheat"}


def test_a_class_has_the_same_colour_in_every_file(table, tmp_path):
    crops = np.array(["Canola", "Maize", "Wheat", "Barley", "Oats", "Rye", "Peas", "Beet"])[
        pd.factorize(table["code"])[0]
    ]
    mine = table[["geometry"]].assign(code=crops)
    mine.to_file(tmp_path / "all.gpkg")
    mine[mine["code"] != "Rye"].sample(frac=1, random_state=1).to_file(tmp_path / "some.gpkg")
    colours = {cover.name: cover.colour for cover in legend_of(load(tmp_path / "all.gpkg"))}
    assert len(set(colours.values())) == 8
    for cover in legend_of(load(tmp_path / "some.gpkg")):
        assert colours[cover.name] == cover.colour


@pytest.mark.form(
    "labels", "any", "codes whose names stand in a table", "paperlib check scene labels.gpkg --nomenclature own.csv"
)
def test_a_nomenclature_by_name_or_with_codes_of_any_kind(table, tmp_path):
    table.assign(code=table["class_name"].str.upper()).drop(columns="class_name").to_file(tmp_path / "p.gpkg")
    assert [cover[:3] for cover in legend_of(load(tmp_path / "p.gpkg", nomenclature="clcplus"))] == [
        c[:3] for c in CLASSES
    ]
    (tmp_path / "own.csv").write_text("code,name\n0611,Weizen\n611,Mais\n", encoding="utf-8")
    table.iloc[:12].assign(code=["0611"] * 6 + ["611"] * 6).to_file(tmp_path / "own.gpkg")
    legend = legend_of(load(tmp_path / "own.gpkg", nomenclature=str(tmp_path / "own.csv")))
    assert {cover.own_code: cover.name for cover in legend} == {"0611": "Weizen", "611": "Mais"}


# -- points ------------------------------------------------------------------------------------------------------------


@pytest.mark.form("labels", "any", "points", "paperlib check scene points.gpkg --buffer 15")
def test_a_point_labels_the_pixel_it_lies_in(table, tmp_path):
    points = points_of(table)
    points.to_file(tmp_path / "points.gpkg")
    polygons = load(tmp_path / "points.gpkg")
    assert "the one that each lies in" in polygons.attrs["said"]["labels.points"]
    burned = burn(split(polygons), scene(), legend_of(polygons))
    rows, columns = np.nonzero(burned.label.values >= 0)
    expected = {(int((TOP - point.y) // 10), int((point.x - LEFT) // 10)) for point in points.geometry}
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == expected and len(expected) == 48
    wide = load(tmp_path / "points.gpkg", buffer=15)
    assert np.allclose(wide.area, np.pi * 15**2, rtol=0.01)


def test_points_of_one_pixel_count_once(table, tmp_path):
    points = points_of(table)
    again = points.iloc[:3].assign(geometry=points.geometry.iloc[:3].translate(0.5, 0.5), polygon_id=[90, 91, 92])
    pd.concat([points, again]).to_file(tmp_path / "twice.gpkg")
    polygons = load(tmp_path / "twice.gpkg")
    assert len(polygons) == 48 and "3 in the pixel of another" in polygons.attrs["said"]["labels.points"]


def lonlat_of(table: gpd.GeoDataFrame) -> gpd.GeoSeries:
    return points_of(table).geometry.to_crs(4326)


@pytest.mark.form("labels", "sits", "CSV: longitude, latitude, label, dates", "paperlib check scene samples.csv")
def test_samples_as_sits_has_them(table, tmp_path):
    place = lonlat_of(table)
    columns = {"longitude": place.x, "latitude": place.y, "start_date": "2018-01-01", "end_date": "2018-12-31"}
    pd.DataFrame({**columns, "label": table["class_name"]}).to_csv(tmp_path / "samples.csv", index=False)
    polygons = load(tmp_path / "samples.csv")
    assert len(polygons) == 48 and names(polygons) == NAMES and "label" in polygons.attrs["said"]["labels.guess"]
    burned = burn(polygons, scene(), legend_of(polygons))
    assert (burned.label.values >= 0).sum() == 48


@pytest.mark.form(
    "labels",
    "Collect Earth Online",
    "CSV: lon, lat, a question as column",
    "paperlib check scene ceo.csv --field Crop/non-Crop",
)
def test_collect_earth_with_a_question_as_column(table, tmp_path):
    place = lonlat_of(table)
    answers = pd.DataFrame({"plotid": range(1, 49), "lon": place.x, "lat": place.y, "sample_geom": place.to_wkt()})
    answers["Crop/non-Crop"] = np.where(table["code"] < 5, "Non-crop", "Cropland")
    answers.to_csv(tmp_path / "ceo.csv", index=False, encoding="utf-8-sig")
    assert names(load(tmp_path / "ceo.csv", field="Crop/non-Crop")) == {"Non-crop", "Cropland"}
    found = error(tmp_path / "ceo.csv")
    assert "Crop/non-Crop (Non-crop, Cropland)" in str(found) and "plotid" in str(found) and "\ufeff" not in str(found)


@pytest.mark.form("labels", "LUCAS", "CSV: TH_LAT, TH_LONG", "paperlib check scene lucas.csv --field LC1")
def test_lucas_points_where_they_should_be(table, tmp_path):
    place = lonlat_of(table)
    survey = pd.DataFrame({"TH_LAT": place.y, "TH_LONG": place.x, "GPS_LAT": 88.888888, "GPS_LONG": 88.888888})
    survey["LC1"] = ["ABCEFG"[code % 6] + "11" for code in table["code"]]
    survey.to_csv(tmp_path / "lucas.csv", index=False)
    polygons = load(tmp_path / "lucas.csv", field="LC1")
    assert len(polygons) == 48 and names(polygons) == set(survey["LC1"])
    survey.loc[:4, ["TH_LAT", "TH_LONG"]] = 88.888888
    survey.to_csv(tmp_path / "some.csv", index=False)
    polygons = load(tmp_path / "some.csv", field="LC1")
    assert len(polygons) == 43 and "row 1, 2, 3, 4, 5" in polygons.attrs["said"]["labels.no geometry"]


@pytest.mark.form(
    "labels", "spreadsheets", "CSV or TSV with X and Y in metres, or WKT", "paperlib check scene points.csv"
)
def test_tables_with_semicolons_tabs_and_coordinates_of_the_scene(table, tmp_path):
    place = points_of(table).geometry
    frame = pd.DataFrame({"X": place.x, "Y": place.y, "code": table["code"]})
    frame.to_csv(tmp_path / "metres.csv", index=False, sep=";", decimal=",")
    polygons = load(tmp_path / "metres.csv")
    assert len(polygons) == 48 and "scene's CRS" in polygons.attrs["said"]["labels.crs"]
    lonlat = lonlat_of(table)
    pd.DataFrame({"geometry": lonlat.to_wkt(), "code": table["code"]}).to_csv(
        tmp_path / "wkt.tsv", index=False, sep="\t"
    )
    assert len(load(tmp_path / "wkt.tsv")) == 48
    (tmp_path / "no.csv").write_text("code,name\n1,a\n")
    assert "holds no polygons" in str(error(tmp_path / "no.csv"))


@pytest.mark.form("labels", "any", "MultiPoint", "paperlib check scene points.gpkg")
def test_multipoints_are_as_many_samples(table, tmp_path):
    dissolved = points_of(table).dissolve("code", as_index=False)[["code", "class_name", "geometry"]]
    dissolved.to_file(tmp_path / "multipoint.gpkg")
    polygons = load(tmp_path / "multipoint.gpkg")
    assert len(polygons) == 48 and "48 points" in polygons.attrs["said"]["labels.multipoint"]
    assert polygons["polygon_id"].is_unique and polygons["group"].is_unique


# -- geometries --------------------------------------------------------------------------------------------------------


@pytest.mark.form("labels", "any", "one feature of many parts a class", "paperlib check scene dissolved.gpkg")
def test_dissolved_classes_become_polygons(table, tmp_path):
    table.dissolve("code", as_index=False)[["code", "class_name", "geometry"]].to_file(tmp_path / "dissolved.gpkg")
    polygons = load(tmp_path / "dissolved.gpkg")
    assert len(polygons) == 48 and "become 48 polygons" in polygons.attrs["said"]["labels.parts"]
    assert split(polygons)["set"].nunique() == 3
    few = table.assign(
        geometry=[shapely.union_all([square, square.buffer(1).boundary.buffer(1)]) for square in table.geometry]
    )
    few.to_file(tmp_path / "enough.gpkg")  # classes with enough polygons keep those of several parts
    assert len(load(tmp_path / "enough.gpkg")) == 48


@pytest.mark.form("labels", "GPS", "outlines with heights", "paperlib check scene labels.gpkg")
def test_z_and_m_do_not_matter(table, tmp_path):
    table.assign(geometry=shapely.force_3d(table.geometry, 150.0)).to_file(tmp_path / "z.gpkg")
    polygons = load(tmp_path / "z.gpkg")
    assert not polygons.has_z.any() and polygons.geometry.geom_equals(table.geometry.reset_index(drop=True)).all()


def bow_tie(table) -> Polygon:
    x, y = table.geometry.iloc[0].centroid.coords[0]
    return Polygon([(x, y), (x + 50, y + 50), (x + 50, y), (x, y + 50)])


@pytest.mark.form("labels", "any", "invalid outlines", "paperlib check scene labels.gpkg --repair")
def test_a_few_invalid_and_empty_rows_are_left_out_or_mended(table, tmp_path):
    table.assign(geometry=[bow_tie(table), None, *table.geometry[2:]]).to_file(tmp_path / "few_invalid.gpkg")
    polygons = load(tmp_path / "few_invalid.gpkg")
    assert polygons["polygon_id"].tolist() == list(range(3, 49))
    assert (
        "polygon_id 1" in polygons.attrs["said"]["labels.invalid"]
        and "--repair" in polygons.attrs["said"]["labels.invalid"]
    )
    assert "polygon_id 2" in polygons.attrs["said"]["labels.no geometry"]
    mended = load(tmp_path / "few_invalid.gpkg", repair=True)
    assert mended["polygon_id"].tolist() == [1, *range(3, 49)] and mended.is_valid.all()
    assert abs(mended.area[0] - 1250) < 1 and "m2" in mended.attrs["said"]["labels.repaired"]


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_coordinates_that_are_no_numbers_are_named(table, tmp_path):
    spoilt = table.set_index("polygon_id")
    for number, value in ((3, np.inf), (5, np.nan)):
        corners = np.array(spoilt.geometry[number].exterior.coords)
        corners[1, 0] = value
        spoilt.loc[number, "geometry"] = Polygon(corners)
    spoilt.reset_index().to_file(tmp_path / "polygons.gpkg")
    found = error(tmp_path / "polygons.gpkg")
    assert found.kind == "labels.coordinates" and "polygon_id 3, 5" in str(found) and "no numbers" in str(found)
    assert "make_valid" not in str(found) and "repair" not in str(found)


def test_a_wrong_crs_is_told_by_its_numbers(table, tmp_path):
    table.set_crs(4326, allow_override=True).to_file(tmp_path / "wrong_crs.gpkg")
    found = error(tmp_path / "wrong_crs.gpkg")
    assert (
        "WGS 84" in str(found) and "(350020, 4839" in str(found) and "zone 31N" in found.fix and "inf" not in str(found)
    )
    table.to_crs(4326).set_crs(32631, allow_override=True).to_file(tmp_path / "degrees.gpkg")
    assert "EPSG:4326" in error(tmp_path / "degrees.gpkg").fix


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.form("labels", "any", "GeoPackage of several layers", "paperlib check scene labels.gpkg --layer polygons")
def test_several_layers_are_refused_until_one_is_chosen(table, tmp_path):
    path = tmp_path / "several.gpkg"
    table.head(20).assign(code=7).to_file(path, layer="draft")
    table.to_file(path, layer="final")
    found = error(path)
    assert found.kind == "labels.layer" and "draft (20), final (48)" in str(found) and "--layer" in found.fix
    assert len(load(path, layer="final")) == 48 and len(names(load(path, layer="final"))) == 8
    assert "draft (20), final (48)" in str(error(path, layer="finale"))
    notes = tmp_path / "layers.gpkg"
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(0, 0)], crs=table.crs).to_file(notes, layer="notes")
    table.to_file(notes, layer="polygons")
    assert "notes (1), polygons (48)" in str(error(notes)) and len(load(notes, layer="polygons")) == 48


@pytest.mark.form("labels", "QGIS", "GeoPackage with styles", "paperlib check scene labels.gpkg")
def test_styles_of_qgis_are_no_layer(table, tmp_path):
    path = tmp_path / "styled.gpkg"
    table.to_file(path, layer="polygons")
    database = sqlite3.connect(path)
    database.executescript("""
        CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, f_table_name TEXT, styleQML TEXT);
        INSERT INTO layer_styles VALUES (1, 'polygons', '<qgis/>');
        INSERT INTO gpkg_contents (table_name, data_type, identifier) VALUES ('layer_styles', 'attributes', 'layer_styles');
    """)
    database.close()
    polygons = load(path)
    assert len(polygons) == 48 and not polygons.attrs["said"]


def write_zip(path, folder, inside=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, inside + file.name)


@pytest.mark.form("labels", "any", "zipped shapefile", "paperlib check scene labels.zip")
@pytest.mark.parametrize("inside", ["", "data/labels/"])
def test_zipped_shapefiles(table, tmp_path, inside):
    (tmp_path / "shape").mkdir()
    table.drop(columns="class_name").assign(classe="forêt").to_file(
        tmp_path / "shape" / "labels.shp", encoding="latin1"
    )
    write_zip(tmp_path / "shape.zip", tmp_path / "shape", inside)
    polygons = load(tmp_path / "shape.zip")
    assert len(polygons) == 48 and (polygons["set"] == table["set"]).all()
    assert (read_table(tmp_path / "shape.zip")["classe"] == "forêt").all()
    table.drop(columns="class_name").iloc[:9].to_file(tmp_path / "shape" / "draft.shp")
    write_zip(tmp_path / "two.zip", tmp_path / "shape", inside)
    assert "draft (9), labels (48)" in str(error(tmp_path / "two.zip"))
    assert len(load(tmp_path / "two.zip", layer="labels")) == 48


@pytest.mark.form("labels", "any", "folder with one file a class", "paperlib check scene classes")
def test_a_folder_with_a_file_a_class(table, tmp_path):
    folder = tmp_path / "classes"
    folder.mkdir()
    for name, part in table.groupby("class_name"):
        part[["geometry"]].to_file(folder / f"{name}.geojson")
    polygons = load(folder)
    assert len(polygons) == 48 and names(polygons) == NAMES and "Water" in polygons.attrs["said"]["labels.files"]
    sets = tmp_path / "sets"
    sets.mkdir()
    for name, part in table.groupby("set"):
        part.drop(columns="set").to_file(sets / f"{name}.gpkg")
    assert load(sets)["set"].value_counts().to_dict() == {"pool": 32, "test": 16}


@pytest.mark.form("labels", "Google Earth", "KML, one folder a class", "paperlib check scene labels.kml --field Folder")
def test_kml_with_a_folder_a_class(table, tmp_path):
    import pyogrio

    for name, part in list(table.groupby("class_name"))[:3]:
        part = part[["geometry"]].assign(Name=name, geometry=shapely.force_3d(part.geometry)).to_crs(4326)
        pyogrio.write_dataframe(
            part, tmp_path / "p.kml", layer=name, driver="LIBKML", append=(tmp_path / "p.kml").exists()
        )
    polygons = load(tmp_path / "p.kml", field="Name")
    assert len(polygons) == 18 and len(names(polygons)) == 3
    assert names(load(tmp_path / "p.kml", field="Folder")) == names(polygons)
    assert "tessellate" not in str(error(tmp_path / "p.kml"))


@pytest.mark.form("labels", "geopandas, DuckDB", "GeoParquet", "paperlib check scene labels.parquet")
def test_geoparquet(table, tmp_path):
    arro3 = pytest.importorskip("arro3.io")
    import json

    from arro3.core import Array, DataType, Table

    columns = {name: Array(table[name].tolist(), DataType.int64()) for name in ("polygon_id", "code")}
    columns |= {name: Array(table[name].tolist(), DataType.string()) for name in ("class_name", "set")}
    columns["geometry"] = Array(table.to_wkb()["geometry"].tolist(), DataType.binary())
    about = {"version": "1.1.0", "primary_column": "geometry"}
    about["columns"] = {"geometry": {"encoding": "WKB", "geometry_types": ["Polygon"], "crs": table.crs.to_json_dict()}}
    held = Table.from_pydict(columns)
    held = held.with_schema(held.schema.with_metadata({"geo": json.dumps(about)}))
    arro3.write_parquet(held, tmp_path / "labels.parquet")
    polygons = load(tmp_path / "labels.parquet")
    assert legend_of(polygons) == CLASSES and polygons.geometry.geom_equals(table.geometry).all()


def own(table: gpd.GeoDataFrame, dos: bool = False) -> gpd.GeoDataFrame:
    code = pd.Series(list(OWN))[pd.factorize(table["code"])[0] % 4].to_numpy()
    texts = pd.Series(code).map(OWN)
    texts = texts.str.replace("œ", "oe").str.replace("–", "-") if dos else texts  # which DOS 850 lacks
    return table.assign(code=code, class_name=texts.to_numpy())


@pytest.mark.form(
    "labels", "any", "shapefile in any encoding, said or not", "paperlib check scene labels.shp --encoding cp1252"
)
@pytest.mark.parametrize(
    "kind", ["cp1252", "cp850", "cp1252_unsaid", "cp850_unsaid", "utf8_unsaid", "cp1252_lies", "utf8_lies"]
)
def test_accents_in_shapefiles(table, tmp_path, kind):
    encoding, _, said = kind.partition("_")
    written, path = own(table, encoding == "cp850"), tmp_path / f"{kind}.shp"
    written.to_file(path, encoding=encoding.replace("utf8", "UTF-8"))
    if said:
        path.with_suffix(".cpg").unlink(missing_ok=True)
        content = bytearray(path.with_suffix(".dbf").read_bytes())
        content[29] = 0  # the mark of the encoding in the file itself
        path.with_suffix(".dbf").write_bytes(content)
    if said == "lies":
        path.with_suffix(".cpg").write_text("UTF-8" if encoding == "cp1252" else "1252")
    polygons = load(path)
    assert names(polygons) == set(written["class_name"])
    assert ("labels.encoding" in polygons.attrs["said"]) == (
        said == "lies" or kind in ("cp1252_unsaid", "cp850_unsaid")
    )
    assert names(load(path, encoding=encoding)) == names(polygons)


def test_an_encoding_that_nobody_knows_is_asked_for(table, tmp_path):
    written = table.assign(class_name=table["class_name"] + " żółć")
    written.to_file(tmp_path / "p.shp", encoding="cp1250")
    (tmp_path / "p.cpg").unlink()
    content = bytearray((tmp_path / "p.dbf").read_bytes())
    content[29] = 0
    (tmp_path / "p.dbf").write_bytes(content)
    found = error(tmp_path / "p.shp")
    assert (
        found.kind == "labels.encoding"
        and "--encoding" in found.fix
        and ".cpg" in found.fix
        and "cp1252 makes" in str(found)
    )
    assert names(load(tmp_path / "p.shp", encoding="cp1250")) == set(written["class_name"])
    assert "no known encoding" in str(error(tmp_path / "p.shp", encoding="cp125O"))


# -- leaks -------------------------------------------------------------------------------------------------------------


def pieces(table: gpd.GeoDataFrame, number: int = 526) -> gpd.GeoDataFrame:
    """One field in pieces of 10 m that share a number, below the other polygons, and a column `field`."""
    left, top = LEFT + 100, TOP - 650
    first = shapely.box(left, top - 10, left + 10, top)
    squares = [shapely.affinity.translate(first, 10 * (n % 23), -10 * (n // 23)) for n in range(number)]
    field = gpd.GeoDataFrame({"polygon_id": [1000] * number, "code": 7, "set": "pool"}, geometry=squares, crs=table.crs)
    both = pd.concat([table.drop(columns="class_name"), field], ignore_index=True)
    return both.assign(field=both["polygon_id"])


def test_pieces_of_one_field_are_one_polygon(table, tmp_path):
    pieces(table).to_file(tmp_path / "polygons.gpkg")
    polygons = load(tmp_path / "polygons.gpkg")
    assert len(polygons) == 49 and abs(polygons.set_index("polygon_id").area[1000] - 52600) < 1e-6
    said = " ".join(polygons.attrs["said"].values())
    assert "526 rows are pieces of 1 polygon," in said and len(said) < 1000
    divided = split(polygons)
    counts = pixel_counts(burn(divided, scene(), legend_of(divided)), divided, legend_of(divided)).set_index(
        ["code", "set"]
    )
    assert counts.loc[7, "polygons"].sum() == 7 and counts.loc[7, "pixels"].sum() == 6 * 9 + 526


def test_pieces_with_numbers_of_their_own_stay_together(table, tmp_path):
    loose = pieces(table)
    loose["polygon_id"] = range(1, len(loose) + 1)
    loose.to_file(tmp_path / "touching.gpkg")
    for choices in ({}, {"group_field": "field"}):
        polygons = load(tmp_path / "touching.gpkg", **choices)
        divided = split(polygons)
        parts = divided[divided.geometry.area < 200]
        assert len(parts) == 526 and parts["set"].nunique() == 1 and parts["group"].nunique() == 1
        assert separation(divided, {})["on both sides"].tolist() == [0, 0]
        said = polygons.attrs["said"]["labels.touching"]
        assert "526 polygons touch" in said and NOTHING_TO_DO in said


@pytest.mark.form(
    "labels", "any", "parcels or farms that must stay in one set", "paperlib check scene labels.gpkg --group-field farm"
)
def test_groups_and_blocks_stay_together(table, tmp_path):
    farms = table.assign(farm=[f"farm {number % 9}" for number in range(len(table))], set="pool")
    farms.to_file(tmp_path / "farms.gpkg")
    divided = split(load(tmp_path / "farms.gpkg", group_field="farm"))
    by_farm = divided.merge(farms[["polygon_id", "farm"]], on="polygon_id").groupby("farm")["set"].nunique()
    assert (by_farm == 1).all() and (divided.groupby("code")["set"].nunique() == 3).all()
    blocks = split(load(tmp_path / "farms.gpkg", blocks=150))
    middle = blocks.to_crs(blocks.crs).centroid
    assert (blocks.groupby("group")["set"].nunique() == 1).all() and blocks["group"].nunique() < 48
    reach = pd.DataFrame({"x": middle.x, "y": middle.y}).groupby(blocks["group"]).agg(np.ptp)
    assert reach.max().max() <= 150.1


def test_groups_that_hold_all_of_a_class_are_an_error(table, tmp_path):
    table.assign(farm=table["code"], set="pool").to_file(tmp_path / "farms.gpkg")
    polygons = load(tmp_path / "farms.gpkg", group_field="farm")
    with pytest.raises(InputError, match=r"has 6 polygons in 1 groups.*needs three or more groups"):
        split(polygons)
