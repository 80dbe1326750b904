"""Ground truth: what is read and refused, the split by polygon, the grid, the proof of separation."""

import json
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401  (gives .rio)
import shapely
import xarray as xr
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Polygon, box

from paperlib import nomenclature
from paperlib.errors import InputError, InputWarning
from paperlib.labels.burning import burn, pixel_counts
from paperlib.labels.classes import legend_of
from paperlib.labels.polygons import load_polygons
from paperlib.labels.splitting import separation, split
from support import spoiling
from support.spoiling import generated

# rioxarray multiplies transforms the way that affine 3.1 gives up
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

LEFT, TOP = 350000, 4840000
NAMES = {cover.code: cover.name for cover in nomenclature.CLASSES}


def square(column, row, width=3, height=None):
    """A pixel-aligned rectangle by its upper left pixel, 10 m pixels."""
    height = height or width
    left, top = LEFT + 10 * column, TOP - 10 * row
    return box(left, top - 10 * height, left + 10 * width, top)


def frame(shapes, codes, sets="pool", ids=None, crs=32631) -> gpd.GeoDataFrame:
    columns = {"polygon_id": ids or range(1, len(shapes) + 1), "code": codes, "set": sets}
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs).assign(class_name=lambda t: t["code"].map(NAMES))


def grid(height=20, width=30) -> xr.DataArray:
    y, x = TOP - 5 - 10 * np.arange(height), LEFT + 5 + 10 * np.arange(width)
    return xr.DataArray(np.zeros((height, width)), coords={"y": y, "x": x}, dims=("y", "x")).rio.write_crs(32631)


def write(table, path):
    table.to_file(path)
    return path


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["p.gpkg", "p.geojson", "p.fgb"])
def test_reads_checks_and_reprojects(tmp_path, name):
    shapes = [square(1, 1), MultiPolygon([square(6, 1), square(12, 1)])]
    table = frame(shapes, ["11", "3"], ["training", "test"], [7, 3]).drop(columns="class_name")
    path = write(table.to_crs(4326), tmp_path / name)
    place = {"crs": "EPSG:32631", "bounds": (LEFT, TOP - 200, LEFT + 300, TOP)}
    polygons = load_polygons(path, **place, nomenclature="clcplus")
    columns = ["polygon_id", "code", "class_name", "colour", "source", "set", "group", "geometry"]
    assert list(polygons.columns) == columns
    polygons = polygons.sort_values("polygon_id")
    assert polygons["polygon_id"].tolist() == [3, 7] and polygons["code"].tolist() == [3, 11]
    assert polygons["class_name"].tolist() == ["Woodland broad-leaved trees", "Water"]
    assert polygons["set"].tolist() == ["test", "pool"] and polygons.crs.to_epsg() == 32631
    assert shapely.hausdorff_distance(polygons.geometry.iloc[1], shapes[0]) < 0.01  # metres
    assert [cover.code for cover in legend_of(polygons)] == [3, 11]


@pytest.mark.parametrize("ids", [[4, 4], [1.5, 2], [-1, 2], [2**31, 1], ["a", "b"], [None, 1]])
def test_polygon_numbers_that_cannot_be_used_are_replaced(tmp_path, ids):
    path = write(frame([square(1, 1), square(6, 1)], [1, 3], ids=ids), tmp_path / "p.gpkg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)  # of numbers that repeat
        polygons = load_polygons(path)
    assert polygons["polygon_id"].tolist() == [1, 2] and polygons["code"].tolist() == [1, 3]


def test_without_set_and_numbers_all_are_the_pool(tmp_path):
    table = frame([square(1, 1), square(6, 1)], [1.0, 3.0])[["code", "geometry"]]
    polygons = load_polygons(write(table, tmp_path / "p.gpkg"))
    assert polygons["set"].tolist() == ["pool", "pool"] and polygons["polygon_id"].tolist() == [1, 2]
    assert polygons["code"].dtype.kind == "i"


BOWTIE = Polygon([(LEFT, TOP), (LEFT + 50, TOP - 50), (LEFT + 50, TOP), (LEFT, TOP - 50)])
INSIDE = [square(1, 1), square(6, 1)]
FAULTS = {
    "no code": (
        lambda: frame(INSIDE, [1, 3]).rename(columns={"code": "klass"}).drop(columns="class_name"),
        r"no column `code`.*klass \(1, 3\).*--field",
    ),
    "missing code": (lambda: frame(INSIDE, [1, np.nan]), "1 of 2 rows have no class.*polygon_id 2"),
    "broken code": (lambda: frame(INSIDE, [1, 2.5]), "no whole numbers, like 2.5"),
    "unknown set": (
        lambda: frame(INSIDE, 1, ["pool", "holdout"]),
        "values of `set` name no set: 'holdout'.*--set-field",
    ),
    "missing set": (lambda: frame(INSIDE, 1, ["pool", None]), "values of `set` name no set"),
    "no geometry": (lambda: frame([square(1, 1), None], [1, 3], ids=[8, 9]), "no geometry.*polygon_id 9"),
    "empty geometry": (lambda: frame([square(1, 1), Polygon()], [1, 3], ids=[8, 9]), "no geometry.*polygon_id 9"),
    "line": (
        lambda: frame([square(1, 1), LineString([(LEFT, TOP), (LEFT + 9, TOP)])], 1, ids=[8, 9]),
        r"no polygon and no point \(LineString\).*polygon_id 9",
    ),
    "bow tie": (lambda: frame([square(1, 1), BOWTIE], 1, ids=[8, 9]), "outlines are invalid.*polygon_id 9.*--repair"),
    "one outside": (
        lambda: frame([*INSIDE, square(900, 1)], 1),
        "1 of 3 polygons lie outside.*polygon_id 3.*Delete them",
    ),
    "all outside": (
        lambda: frame([square(900, 1), square(906, 1)], 1),
        "2 of 2.*the scene has .350000.*Is the file's CRS right",
    ),
    "wrong crs": (lambda: frame(INSIDE, 1, crs=32632), "2 of 2.*Is the file's CRS right.*assign that"),
    "metres as degrees": (
        lambda: frame(INSIDE, 1, crs=4326),
        r"2 of 2.*WGS 84, they have \(350010, 4839960.*zone 31N: assign",
    ),
    "empty": (lambda: frame(INSIDE, 1).iloc[:0], "no polygons"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.fault(
    "polygons invalid, empty, elsewhere, or of unknown class", "an error with their numbers and the repair", "nothing"
)
def test_a_fault_is_named_with_its_polygons(tmp_path, fault):
    table, message = FAULTS[fault]
    path = write(table(), tmp_path / "p.gpkg")
    with pytest.raises(InputError, match=f"(?s)p.gpkg.*{message}"):
        load_polygons(path, crs=32631, bounds=(LEFT, TOP - 200, LEFT + 300, TOP))


def test_files_that_are_none_are_named(tmp_path):
    with pytest.raises(InputError, match=r"lost.gpkg does not exist"):
        load_polygons(tmp_path / "lost.gpkg")
    for content in (b"", b"not a vector file"):
        (tmp_path / "p.gpkg").write_bytes(content)
        with pytest.raises(InputError, match=r"p.gpkg cannot be read"):
            load_polygons(tmp_path / "p.gpkg")
    (tmp_path / "p.csv").write_text("code,set\n1,pool\n")
    with pytest.raises(InputError, match=r"p.csv holds no polygons"):
        load_polygons(tmp_path / "p.csv")


@pytest.mark.fault("polygons without CRS", "an error that says how to assign one", "nothing")
def test_a_file_without_crs_is_named(tmp_path):
    table = frame(INSIDE, 1)[["code", "geometry"]]
    table.to_file(tmp_path / "p.shp")
    (tmp_path / "p.prj").unlink()
    with pytest.raises(InputError, match=r"p.shp has no coordinate reference system"):
        load_polygons(tmp_path / "p.shp", crs=32631)


def test_real_polygons_without_class_codes(shared_data):
    with pytest.raises(InputError, match=r"no column `code`.*class \(1, .*type \(eau, .*group \(1, .*--field"):
        load_polygons(shared_data / "theia_l3a" / "ROI.gpkg")


# -- split -------------------------------------------------------------------------------------------------------------


@st.composite
def pools(draw):
    """Polygons of some classes, three or more each, with or without a test set."""
    codes = draw(st.lists(st.sampled_from(list(NAMES)), min_size=2, max_size=4, unique=True))
    pool = [code for code in codes for _ in range(draw(st.integers(3, 12)))]
    test = draw(st.lists(st.sampled_from(codes), max_size=5))
    both = pool + test
    shapes = [square(5 * index, 0) for index in range(len(both))]
    ids = draw(st.permutations(range(10, 10 + len(both))))
    return frame(shapes, both, ["pool"] * len(pool) + ["test"] * len(test), ids)


def test_labels_of_one_class_are_refused():
    shapes = [square(5 * index, 0) for index in range(4)]
    with pytest.raises(InputError, match=r"All 4 labels are of class 1 .*--field"):
        split(frame(shapes, [1] * 4, ["pool"] * 4, range(4)))


@given(polygons=pools(), share=st.floats(0.05, 0.95), seed=st.integers(0, 99))
@hypothesis_settings(max_examples=60, deadline=None)
def test_split_is_whole_disjoint_and_balanced(polygons, share, seed):
    result = split(polygons, share, seed)
    assert sorted(result["polygon_id"]) == sorted(polygons["polygon_id"])  # all, and each once
    assert set(result["set"]) == {"train", "validation", "test"}
    given_test = polygons.loc[polygons["set"] == "test", "polygon_id"]
    if len(given_test):
        assert set(result.loc[result["set"] == "test", "polygon_id"]) == set(given_test)
    for code, table in result.groupby("code"):
        number = table["set"].value_counts()
        pool = number["train"] + number["validation"]  # each class is on each side
        if len(given_test):
            assert pool == ((polygons["code"] == code) & (polygons["set"] == "pool")).sum()
        else:
            assert number["test"] == min(max(1, round(0.3 * len(table))), len(table) - 2)
        assert number["validation"] == min(max(1, round(share * pool)), pool - 1)


@given(polygons=pools(), order=st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=20, deadline=None)
def test_split_does_not_depend_on_the_order_of_the_file(polygons, order):
    rows = list(range(len(polygons)))
    order.shuffle(rows)
    pd.testing.assert_frame_equal(split(polygons, seed=3), split(polygons.iloc[rows], seed=3))


def test_the_seed_chooses_the_split():
    polygons = frame([square(5 * index, 0) for index in range(20)], [1] * 10 + [3] * 10)
    assert split(polygons, seed=1).equals(split(polygons, seed=1))
    assert not split(polygons, seed=1).equals(split(polygons, seed=2))


@pytest.mark.fault("a class with too few polygons to split", "an error that names the class", "nothing")
def test_a_class_too_small_to_split_is_named():
    polygons = frame([square(5 * index, 0) for index in range(4)], [1, 1, 11, 1], ["pool", "pool", "pool", "test"])
    with pytest.raises(InputError, match=r"11 Water has 1 polygons.*\[3\].*needs two or more"):
        split(polygons)
    polygons = frame([square(5 * index, 0) for index in range(5)], [1, 1, 1, 11, 11])
    with pytest.raises(InputError, match=r"11 Water has 2 polygons.*test.*needs three or more"):
        split(polygons)
    with pytest.raises(InputError, match=r"validation = 1.2.*between 0 and 1"):
        split(polygons, validation=1.2)


# -- grid --------------------------------------------------------------------------------------------------------------


def outline(numbers) -> Polygon:
    """A quadrilateral around a place, with corners at odd fractions of a pixel."""
    column, row, *reach = numbers
    corners = [(-reach[0], -reach[1]), (reach[2], -reach[3]), (reach[4], reach[5]), (-reach[6], reach[7])]
    # slanted and shifted by little: no outline passes through the very centre of a pixel, where either answer is right
    moved = [(x + 0.00137 + 0.00071 * y, y + 0.00291 - 0.00053 * x) for x, y in corners]
    return Polygon([(LEFT + 10 * (column + x), TOP - 10 * (row + y)) for x, y in moved]).convex_hull


numbers = st.tuples(st.floats(0, 30), st.floats(0, 20), *[st.floats(0.7, 6)] * 8)


@given(places=st.lists(numbers, min_size=1, max_size=4))
@hypothesis_settings(max_examples=50, deadline=None)
@pytest.mark.filterwarnings("ignore:.*pixels? lies? in several", "ignore:.*holds? no pixel")
def test_pixels_belong_to_the_polygon_that_holds_their_centre(places):
    scene = grid()
    polygons = frame(
        [outline(place) for place in places], [1, 3, 5, 11][: len(places)], "train", [40, 7, 900, 2][: len(places)]
    )
    legend = legend_of(polygons)
    x, y = np.meshgrid(scene.x, scene.y)
    inside = np.array([shapely.contains_xy(shape, x, y) for shape in polygons.geometry])
    expected = np.full(x.shape, -1)
    for index, number in enumerate(polygons["polygon_id"]):
        expected[inside[index] & (inside.sum(0) == 1)] = number
    if not set(polygons["polygon_id"]) <= set(np.unique(expected)):  # one class a polygon here
        with pytest.raises(InputError, match="No pixel is labelled"):
            burn(polygons, scene, legend)
        return
    burned = burn(polygons, scene, legend)
    assert np.array_equal(burned.polygon, expected)
    codes = np.array([cover.code for cover in legend])
    code_of = polygons.set_index("polygon_id")["code"]
    labelled = expected >= 0
    assert np.array_equal(burned.label >= 0, labelled)
    assert (codes[burned.label.values[labelled]] == code_of[expected[labelled]]).all()
    assert burned.attrs["contested"] == (inside.sum(0) > 1).sum()
    assert np.array_equal(burned.y, scene.y) and burned.label.dtype == np.int16 and burned.polygon.dtype == np.int32


@pytest.mark.fault("polygons that overlap", "their common pixels are left out, with a warning", "those pixels")
def test_overlapping_pixels_count_for_nobody_and_are_reported():
    polygons = frame([square(2, 2, 4), square(4, 2, 4)], [3, 3], ["train", "test"])
    with pytest.warns(UserWarning, match="8 pixels lie in several polygons"):
        burned = burn(polygons, grid(), legend_of(polygons))
    assert (burned.polygon.values[2:6, 4:6] == -1).all() and (burned.label.values[2:6, 4:6] == -1).all()
    assert pixel_counts(burned, polygons, legend_of(polygons))["pixels"].tolist() == [8, 0, 8]
    table = separation(polygons, {}).set_index("pair").loc["test - train"]
    assert (
        table["overlapping"] == 1
        and table["overlap (m2)"] == pytest.approx(800, rel=1e-3)
        and table["smallest distance (m)"] == 0
    )


@pytest.mark.fault(
    "polygons too small to hold a pixel", "an error where a class has none left, else a warning", "those polygons"
)
def test_a_set_of_a_class_without_pixel_is_named():
    between = square(4, 4, 2).centroid.buffer(3)  # on the corner of four pixels
    polygons = frame([square(2, 2), square(9, 9), between], [3, 11, 11], ["train", "train", "validation"], [5, 6, 7])
    with pytest.raises(InputError, match=r"Water, validation: polygon_id \[7\].*10 m"):
        burn(polygons, grid(), legend_of(polygons))
    both = polygons.assign(set="train")
    with pytest.warns(UserWarning, match=r"1 polygons hold no pixel of 10 m: polygon_id \[7\]"):
        burn(both, grid(), legend_of(both))
    with pytest.raises(InputError, match="Water, pool"):  # before the split too
        burn(polygons.assign(set="pool").drop(1), grid(), legend_of(polygons))


def test_counts_by_class_and_set():
    polygons = frame(
        [square(0, 0), square(5, 0), square(10, 0, 2), square(15, 0)],
        [3, 1, 3, 1],
        ["train", "validation", "train", "test"],
    )
    legend = legend_of(polygons)
    counts = pixel_counts(burn(polygons, grid(), legend), polygons, legend)
    assert list(counts.columns) == ["code", "class_name", "set", "polygons", "pixels"]
    table = counts.set_index(["code", "set"])[["polygons", "pixels"]]
    assert table.loc[(3, "train")].tolist() == [2, 13] and table.loc[(1, "validation")].tolist() == [1, 9]
    assert table.loc[(3, "test")].tolist() == [0, 0] and len(table) == 6


# -- separation --------------------------------------------------------------------------------------------------------


def test_separation_counts_distances_in_metres():
    polygons = frame(
        [square(0, 0), square(5, 0), square(20, 0), square(0, 15)], 1, ["train", "validation", "validation", "test"]
    )
    table = separation(polygons, {"one patch": 160, "one field": 20}).set_index("pair")
    validation, test = table.loc["validation - train"], table.loc["test - train"]
    assert validation["smallest distance (m)"] == 20 and test["smallest distance (m)"] == 120
    assert validation["within one patch (160 m)"] == 1 and validation["one patch (%)"] == 50
    assert validation["within one field (20 m)"] == 0  # nearer than, not as near as
    assert test["within one patch (160 m)"] == 1 and test["polygons"] == 1
    assert (table["on both sides"] == 0).all() and (table["overlapping"] == 0).all()


def test_a_polygon_on_both_sides_is_found_by_number_and_by_outline():
    ring = square(0, 0)
    turned = Polygon([*ring.exterior.coords[2:], *ring.exterior.coords[1:3]])  # the same square from another corner
    by_outline = frame([ring, turned], 1, ["train", "validation"])
    assert separation(by_outline, {})["on both sides"].tolist() == [1, 0]
    by_number = frame([ring, square(9, 9)], 1, ["train", "test"], [4, 4])
    assert separation(by_number, {})["on both sides"].tolist() == [0, 1]
    inside = frame([square(0, 0, 5), square(1, 1, 2)], 1, ["train", "validation"])
    assert separation(inside, {}).loc[0, ["overlapping", "overlap (m2)"]].tolist() == pytest.approx([1, 400], rel=1e-3)


def test_real_polygons_through_every_step(shared_data):
    scene = grid(246, 227).assign_coords(y=4835675.0 - 10 * np.arange(246), x=356045.0 + 10 * np.arange(227))
    path = shared_data / "bouconne" / "bouconne_polygons.gpkg"
    polygons = load_polygons(path, crs=32631, bounds=scene.rio.bounds())
    assert len(polygons) == 72 and [cover.code for cover in legend_of(polygons)] == [1, 2, 3, 5, 6, 7, 11]
    legend = legend_of(polygons)
    before = pixel_counts(burn(polygons, scene, legend), polygons, legend).set_index(["code", "set"])["pixels"]
    assert before.xs("pool", level="set").tolist() == [73, 275, 1794, 176, 233, 176, 76]  # as its README states
    assert before.xs("test", level="set").tolist() == [30, 124, 1298, 98, 178, 126, 25]
    divided = split(polygons, seed=1)
    assert divided.groupby("code")["set"].nunique().eq(3).all()
    after = pixel_counts(burn(divided, scene, legend), divided, legend)
    assert after["pixels"].sum() == before.sum()
    proof = separation(divided, {"one patch": 160})
    assert (proof[["on both sides", "overlapping"]] == 0).all(axis=None)


def own_classes(polygons: gpd.GeoDataFrame) -> pd.DataFrame:
    codes = sorted(polygons["code"].unique())
    return pd.DataFrame(
        {"code": codes, "name": [f"class {code}" for code in codes], "colour": [f"#0000{code:02x}" for code in codes]}
    )


@pytest.fixture
def foreign(tmp_path):
    """A polygon file with codes 41, 42, ... that the paper does not have."""
    path = tmp_path / "own.gpkg"
    squares = [shapely.box(x, 0, x + 50, 50) for x in range(0, 1200, 100)]
    table = gpd.GeoDataFrame({"code": [41 + index % 3 for index in range(12)]}, geometry=squares, crs=32631)
    table.to_file(path)
    return path


def test_codes_that_a_nomenclature_lacks_are_refused_with_the_way_out(foreign):
    with pytest.raises(InputError, match=r"classes that clcplus does not have: 41, 42, 43.*leave --nomenclature out"):
        load_polygons(foreign, nomenclature="clcplus")
    own_classes(gpd.read_file(foreign)).iloc[:2].to_csv(foreign.with_name("own.classes.csv"), index=False)
    with pytest.raises(InputError, match=r"own\.classes\.csv does not have: 43.*Add them"):
        load_polygons(foreign)


def test_a_table_beside_the_file_names_its_classes(foreign):
    own_classes(gpd.read_file(foreign)).to_csv(foreign.with_name("own.classes.csv"), index=False)
    polygons = split(load_polygons(foreign), seed=0)
    legend = legend_of(polygons)
    assert legend == tuple(nomenclature.LandCover(code, f"class {code}", f"#0000{code:02x}") for code in (41, 42, 43))
    assert set(polygons["set"]) == {"train", "validation", "test"}


def test_columns_of_the_file_name_its_classes(foreign):
    table = gpd.read_file(foreign)
    table["class_name"], table["colour"] = table["code"].map("own {}".format), "#ff0000"
    table.to_file(foreign)
    assert legend_of(load_polygons(foreign))[0] == nomenclature.LandCover(41, "own 41", "#ff0000")
    table.loc[0, "colour"] = "#00ff00"
    table.to_file(foreign)
    with pytest.raises(InputError, match="class 41 has several names or colours"):
        load_polygons(foreign)
    table["colour"] = "red"
    table.to_file(foreign)
    with pytest.raises(InputError, match="colour 'red' of own 41"):
        load_polygons(foreign)


# -- spoilt files ------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of GDAL
@generated
@given(data=st.data())
@pytest.mark.fault("a file of polygons with anything wrong (generated)", "its polygons, or an error", "nothing")
def test_spoilt_polygons_are_valid_or_an_error(tmp_path, data):
    whole = json.loads(frame([square(1, 1), square(6, 1)], [11, 3]).to_crs(4326).to_json(show_bbox=False))
    path = tmp_path / "p.geojson"
    path.write_text(json.dumps(data.draw(spoiling.spoilt(whole))))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InputWarning)  # of rows that are left out
            polygons = load_polygons(path, crs="EPSG:32631")
    except InputError as error:
        assert "p.geojson" in str(error)
    else:
        assert len(polygons) and polygons.is_valid.all() and not polygons.is_empty.any()
        assert np.isfinite(polygons.total_bounds).all() and (polygons.area > 0).all()
        assert polygons["polygon_id"].is_unique and polygons["code"].between(1, 255).all()
        assert set(polygons["set"]) <= {"pool", "test"} and polygons["class_name"].notna().all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of GDAL
@generated
@given(data=st.data())
def test_polygons_with_spoilt_bytes_are_valid_or_an_error(tmp_path, data):
    path = tmp_path / "p.gpkg"
    if not (tmp_path / "whole.gpkg").exists():
        write(frame([square(1, 1), square(6, 1)], [11, 3]), tmp_path / "whole.gpkg")
    path.write_bytes(data.draw(spoiling.spoilt_bytes((tmp_path / "whole.gpkg").read_bytes())))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InputWarning)  # of rows that are left out
            polygons = load_polygons(path, crs="EPSG:32631")
    except InputError as error:
        assert "p.gpkg" in str(error)
    else:
        assert len(polygons) and polygons.is_valid.all() and polygons["code"].between(1, 255).all()
