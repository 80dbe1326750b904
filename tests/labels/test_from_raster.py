"""Polygons from a land cover raster: pure, eroded, apart, spread, repeatable; and read like polygons drawn by hand."""

import re
import warnings
from math import ceil

import numpy as np
import pandas as pd
import pytest
import rasterio
import rioxarray  # noqa: F401  (gives .rio)
import shapely
import xarray as xr
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer
from rasterio.features import rasterize
from rasterio.transform import from_origin
from rasterio.warp import transform_geom

from paperlib import nomenclature
from paperlib.checks import preflight
from paperlib.errors import InputError, InputWarning
from paperlib.labels import from_raster
from paperlib.labels.burning import burn
from paperlib.labels.classes import legend_of
from paperlib.labels.from_raster import draw_labels
from paperlib.labels.polygons import load_polygons
from paperlib.labels.splitting import split
from paperlib.nomenclature import MAPPINGS, read_mapping, read_nomenclature
from paperlib.scenes.scene import open_scene
from paperlib.settings import Settings
from paperlib.simulation.scene import simulate_scene
from support import spoiling
from support.spoiling import generated

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning", "ignore:Fewer than")

LEFT, TOP = 356040, 4835680
SAME = {cover.code: cover.code for cover in nomenclature.CLASSES}


def grid(height: int, width: int, step: float = 10, crs=32631) -> xr.DataArray:
    y, x = TOP - step * (np.arange(height) + 0.5), LEFT + step * (np.arange(width) + 0.5)
    shape = np.broadcast_to(np.float32(0), (height, width))
    return xr.DataArray(shape, coords={"y": y, "x": x}, dims=("y", "x")).rio.write_crs(crs)


def write(path, codes, transform=None, crs=32631, **profile):
    profile = {"transform": transform or from_origin(LEFT, TOP, 10, 10), "crs": crs} | profile
    shape = {"height": codes.shape[0], "width": codes.shape[1], "count": 1, "dtype": codes.dtype}
    with rasterio.open(path, "w", driver="GTiff", **shape, **profile) as file:
        file.write(codes, 1)
    return path


def inside(polygons, scene) -> list[np.ndarray]:
    """Pixels (y, x) of each polygon."""
    place = {"out_shape": scene.shape[-2:], "transform": scene.rio.transform(), "dtype": "uint8"}
    return [rasterize([outline], **place).astype(bool) for outline in polygons.geometry]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return simulate_scene(tmp_path_factory.mktemp("labels"), size=128, pool=24, test=16, seed=3)


# -- what is drawn -----------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Classes with fewer than 3 patches:paperlib.errors.InputWarning")
@pytest.mark.parametrize("erosion", [0, 10, 25])
def test_polygons_are_pure_eroded_apart_and_of_the_size_asked_for(simulated, erosion):
    scene = open_scene(simulated / "T31TCJ")
    with rasterio.open(simulated / "truth.tif") as file:
        truth = file.read(1)
    polygons = draw_labels(simulated / "truth.tif", SAME, scene, nomenclature.CLASSES, 6, erosion, 300, 1500)
    assert list(polygons.columns) == ["polygon_id", "code", "class_name", "colour", "set", "geometry"]
    assert polygons.crs == scene.rio.crs and polygons.is_valid.all()
    assert (polygons.geom_type == "Polygon").all() and len(polygons) > 20
    assert polygons["polygon_id"].tolist() == list(range(1, len(polygons) + 1))
    assert polygons.area.between(300, 1500).all()
    one, other = polygons.sindex.query(polygons.geometry, predicate="intersects")
    assert (one == other).all(), "no polygon even touches another"
    others = {code: [] for code in SAME}  # outlines of all that is not this class, and the scene's edge
    for code in SAME:
        shapes = rasterio.features.shapes((truth != code).astype(np.uint8), truth != code, transform=file.transform)
        others[code] = shapely.union_all([shapely.geometry.shape(outline) for outline, _ in shapes])
    edge = shapely.box(*scene.rio.bounds()).exterior
    for polygon, pixels in zip(polygons.itertuples(), inside(polygons, scene), strict=True):
        assert (truth[pixels] == polygon.code).all() and 100 * pixels.sum() == polygon.geometry.area
        assert polygon.geometry.distance(others[polygon.code]) >= erosion - 1e-6
        assert polygon.geometry.distance(edge) >= erosion - 1e-6


def test_the_erosion_is_not_more_than_asked_for(tmp_path):
    """A strip of 7 pixels loses two on each side at 20 m, three at 21 m, and so at 31 m has nothing left."""
    codes = np.full((60, 60), 1, np.uint8)
    codes[20:27] = 3
    path, choice = write(tmp_path / "cover.tif", codes), {"per_class": 1, "min_area_m2": 100, "max_area_m2": 1e6}
    for erosion, rows in ((20, 3), (21, 1), (30, 1)):
        (strip,) = draw_labels(path, {3: 3}, grid(60, 60), nomenclature.CLASSES, erosion_m=erosion, **choice).geometry
        left, bottom, right, top = strip.bounds
        assert top - bottom == 10 * rows and right - left == 600 - 2 * 10 * ceil(erosion / 10)
    with pytest.raises(InputError, match=r"no patch of 100 m2.*31 m inside.*codes there: \[1, 3\].*knows \[3\]"):
        draw_labels(path, {3: 3}, grid(60, 60), nomenclature.CLASSES, erosion_m=31, **choice)


def test_the_same_seed_gives_the_same_polygons(simulated):
    scene = open_scene(simulated / "T31TCJ")
    first, again, other = (
        draw_labels(simulated / "truth.tif", SAME, scene, nomenclature.CLASSES, 5, 10, 300, 1500, seed=seed)
        for seed in (4, 4, 5)
    )
    assert first.equals(again) and first["code"].equals(again["code"]) and first["set"].equals(again["set"])
    assert set(first.to_wkb()["geometry"]) != set(other.to_wkb()["geometry"])


def test_counts_sets_and_the_warning_of_rare_classes(simulated):
    scene = open_scene(simulated / "T31TCJ")
    with pytest.warns(
        UserWarning,
        match="Fewer than 60 polygons of Woodland needle-leaved trees 46, Shrubland 27: no more patches are there",
    ):
        polygons = draw_labels(simulated / "truth.tif", SAME, scene, nomenclature.CLASSES, 60, 10, 300, 1500, test=0.25)
    counts = polygons.groupby(["code", "set"]).size().unstack(fill_value=0)
    whole = counts[counts.sum(axis=1) == 60]
    assert len(whole) >= 2 and (whole["test"] == 15).all() and (counts.sum(axis=1) <= 60).all()
    assert (counts["pool"] >= 2).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        few = draw_labels(
            simulated / "truth.tif", {3: 3, 7: 7}, scene, nomenclature.legend([3, 7]), 3, 10, 300, 1500, test=0
        )
        most = draw_labels(
            simulated / "truth.tif", {3: 3}, scene, nomenclature.legend([3]), 3, 10, 300, 1500, test=0.99
        )
    assert sorted(most["set"]) == ["pool", "pool", "test"]  # training and validation need one each
    assert few["code"].tolist() == [3, 3, 3, 7, 7, 7] and (few["set"] == "pool").all()


@pytest.mark.filterwarnings("ignore:Classes with fewer than 3 patches:paperlib.errors.InputWarning")
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    share=st.floats(0.3, 0.9),
    shape=st.tuples(st.integers(20, 70), st.integers(20, 70)),
    erosion=st.sampled_from([0, 5, 10]),
    number=st.integers(3, 12),
    most=st.integers(3, 60),
)
@example(seed=0, share=0.9, shape=(70, 70), erosion=0, number=12, most=3)
def test_cells_give_in_turn_and_every_outline_is_valid(tmp_path, seed, share, shape, erosion, number, most):
    """Of a class, a cell with patches left has given at most one polygon less than any other cell."""
    random = np.random.default_rng(seed)
    codes = np.where(random.random(shape) < share, 3, random.choice([1, 7], shape)).astype(np.uint8)
    path, scene = write(tmp_path / "noise.tif", codes), grid(*shape)
    choice = {"erosion_m": erosion, "min_area_m2": 100, "max_area_m2": 100 * most, "seed": seed % 7}
    try:
        every = draw_labels(path, SAME, scene, nomenclature.CLASSES, per_class=10**6, **choice)
    except InputError:
        return
    some = draw_labels(path, SAME, scene, nomenclature.CLASSES, per_class=number, **choice)
    assert every.is_valid.all() and (every.geom_type == "Polygon").all() and every.area.max() <= 100 * most
    assert sum(every.area) == pytest.approx(every.union_all().area)  # none overlaps another
    assert set(some.to_wkb()["geometry"]) <= set(every.to_wkb()["geometry"])
    assert some.groupby("code").size().equals(every.groupby("code").size().clip(upper=number))

    def cells(polygons):
        row, column = (TOP - polygons.centroid.y) / shape[0] / 10, (polygons.centroid.x - LEFT) / shape[1] / 10
        # a middle on the line between two cells belongs to the second
        return np.floor(row * from_raster.CELLS + 1e-9) * from_raster.CELLS + np.floor(
            column * from_raster.CELLS + 1e-9
        )

    held, given_ = (
        pd.Series(1, pd.MultiIndex.from_arrays([table["code"], cells(table)])).groupby(level=[0, 1]).sum()
        for table in (every, some)
    )
    for code, counts in held.groupby(level=0):
        drawn = given_.reindex(counts.index, fill_value=0)
        assert (drawn >= np.minimum(counts, drawn.max() - 1)).all(), code


@pytest.mark.parametrize(("crs", "step"), [(3857, 10), (3857, 13.8), (4326, 1e-4), (2154, 10)])
def test_areas_are_those_on_the_ground(tmp_path, crs, step):
    """In Web Mercator 10 of its metres are 7.2 on the ground at 44 degrees; in degrees a pixel is no square."""
    place = Transformer.from_crs(4326, crs, always_xy=True).transform(1.2, 43.65)
    codes = (np.indices((120, 120)) // 24).sum(axis=0) % 2 + 1
    transform = from_origin(*place, step, step)
    path = write(tmp_path / "cover.tif", codes.astype(np.uint8), transform, crs)
    y, x = place[1] - step * (np.arange(120) + 0.5), place[0] + step * (np.arange(120) + 0.5)
    scene = xr.DataArray(np.zeros((120, 120)), coords={"y": y, "x": x}, dims=("y", "x")).rio.write_crs(crs)
    drawn = draw_labels(path, {1: 3, 2: 7}, scene, nomenclature.CLASSES, 10, 10, 500, 4000)
    geodesic = [abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0]) for shape in drawn.to_crs(4326).geometry]
    assert min(geodesic) > 499 and 3000 < max(geodesic) < 4010


def test_a_class_with_too_few_patches_is_left_out_and_what_is_written_can_be_split(tmp_path):
    codes = np.full((200, 200), 7, np.uint8)
    codes[20:30, 20:30] = codes[50:60, 50:60] = 3  # two patches
    for row in range(100, 190, 20):
        codes[row : row + 10, 20:30] = 11
    path = write(tmp_path / "cover.tif", codes)
    with pytest.warns(InputWarning) as said:
        drawn = draw_labels(path, SAME, grid(200, 200), nomenclature.CLASSES, 5, 0, 500, 20_000)
    assert set(drawn["code"]) == {7, 11} and any(
        "left out: Woodland broad-leaved trees (2)" in str(one.message) for one in said
    )
    drawn.to_file(tmp_path / "labels.gpkg")
    divided = split(load_polygons(tmp_path / "labels.gpkg"))
    assert (divided.groupby("code")["set"].nunique() == 3).all()


def test_in_a_cell_the_patch_farthest_from_the_others_is_drawn(tmp_path):
    """One class on 160 x 160 pixels: cells are 20 pixels wide, pieces 2 x 2; four a cell keep apart."""
    path = write(tmp_path / "one.tif", np.full((160, 160), 3, np.uint8))
    some = draw_labels(path, {3: 3}, grid(160, 160), nomenclature.CLASSES, 4 * from_raster.CELLS**2, 0, 400, 400)
    middles = some.centroid
    apart = [shapely.distance(middles, one).sort_values().iloc[1] for one in middles]
    random = np.random.default_rng(0).uniform(0, 1600, (len(some), 2))
    by_chance = [np.sort(np.hypot(*(random - one).T))[1] for one in random]
    assert len(some) == 256 and min(apart) >= 30 and np.mean(apart) > 1.25 * np.mean(by_chance)


def test_large_patches_are_cut_and_blocks_do_not_touch(tmp_path, monkeypatch):
    path = write(tmp_path / "one.tif", np.full((90, 75), 3, np.uint8))
    whole = draw_labels(path, {3: 3}, grid(90, 75), nomenclature.CLASSES, 10**6, 0, 100, 2500)
    monkeypatch.setattr(from_raster, "BLOCK", 32)
    blocks = draw_labels(path, {3: 3}, grid(90, 75), nomenclature.CLASSES, 10**6, 0, 100, 2500)
    for polygons in (whole, blocks):
        assert polygons.area.max() == 2500 and polygons.area.sum() > 0.6 * 90 * 75 * 100
        one, other = polygons.sindex.query(polygons.geometry, predicate="dwithin", distance=9)
        assert (one == other).all()
    codes = np.random.default_rng(1).integers(1, 3, (10, 8)).repeat(9, 0).repeat(9, 1).astype(np.uint8)
    write(path, codes)
    eroded = draw_labels(path, {1: 1, 2: 2}, grid(90, 72), nomenclature.CLASSES, 10**6, 15, 100, 10**6)
    monkeypatch.setattr(from_raster, "BLOCK", 1024)
    at_once = draw_labels(path, {1: 1, 2: 2}, grid(90, 72), nomenclature.CLASSES, 10**6, 15, 100, 10**6)
    assert at_once.union_all().contains(eroded.union_all())
    # the halo makes the erosion the same in every block; only the free lines between blocks differ
    lines = [shapely.box(LEFT, TOP - row - 10, LEFT + 720, TOP - row) for row in (320, 640)]
    lines += [shapely.box(LEFT + column, TOP - 900, LEFT + column + 10, TOP) for column in (320, 640)]
    assert at_once.union_all().difference(eroded.union_all()).difference(shapely.union_all(lines)).area < 1


# -- rasters -----------------------------------------------------------------------------------------------------------


def test_a_raster_in_degrees_comes_to_the_grid_of_the_scene(tmp_path):
    """WorldCover's own layout: EPSG:4326, 1/12000 degree, uint8, nodata 0."""
    scene = grid(100, 120)
    fields = np.random.default_rng(2).choice([20, 40, 10], (10, 12)).repeat(10, 0).repeat(10, 1)
    box = transform_geom("EPSG:32631", "EPSG:4326", shapely.box(*scene.rio.bounds()).__geo_interface__)
    west, south, east, north = shapely.geometry.shape(box).bounds
    step = 1 / 12000
    rows, columns = ceil((north - south) / step), ceil((east - west) / step)
    with rasterio.vrt.WarpedVRT(
        rasterio.open(write(tmp_path / "utm.tif", fields.astype(np.uint8), nodata=0)),
        crs="EPSG:4326", transform=from_origin(west, north, step, step), height=rows, width=columns,
    ) as warped:  # fmt: skip
        degrees = warped.read(1)
    path = write(tmp_path / "cover.tif", degrees, from_origin(west, north, step, step), crs=4326, nodata=0)
    polygons = draw_labels(path, read_mapping("worldcover"), scene, nomenclature.CLASSES, 20, 20, 500, 5000)
    assert polygons.crs == scene.rio.crs and set(polygons["code"]) == {5, 7} and len(polygons) > 20
    for code, source in ((5, 20), (7, 40)):
        for pixels in inside(polygons[polygons["code"] == code], scene):
            assert (fields[pixels] == source).all()


def test_what_the_raster_does_not_reach_is_no_class(tmp_path):
    """Also where 0 is a class: half of the scene lies beside the raster."""
    path = write(tmp_path / "half.tif", np.zeros((40, 40), np.uint8))
    polygons = draw_labels(path, {0: 3}, grid(40, 80), nomenclature.CLASSES, 1000, 20, 100, 10_000)
    assert polygons.total_bounds[2] <= LEFT + 400 - 20
    declared = write(tmp_path / "declared.tif", np.repeat(np.uint8([0, 1]), 20)[None].repeat(40, 0), nodata=0)
    polygons = draw_labels(declared, {0: 3, 1: 7}, grid(40, 80), nomenclature.CLASSES, 1000, 20, 100, 10_000)
    assert set(polygons["code"]) == {7}
    with pytest.raises(InputError, match=r"no patch"):
        draw_labels(path, {0: 3}, grid(40, 80).assign_coords(x=lambda s: s.x + 5000), nomenclature.CLASSES)


def test_what_cannot_be_used_is_named(tmp_path):
    codes = np.full((40, 40), 3, np.uint8)
    path, scene = write(tmp_path / "cover.tif", codes), grid(40, 40)
    for match, arguments in (
        (r"lost.tif cannot be read", (tmp_path / "lost.tif", SAME, scene, nomenclature.CLASSES)),
        (r"leads to \[4\]; the nomenclature has 1 Built up", (path, {1: 4}, scene, nomenclature.CLASSES)),
        (r"leads to no class", (path, {}, scene, nomenclature.CLASSES)),
        (r"per_class = 0", (path, SAME, scene, nomenclature.CLASSES, 0)),
        (r"erosion = -1 m", (path, SAME, scene, nomenclature.CLASSES, 1, -1)),
        (r"areas 500 to 99 m2", (path, SAME, scene, nomenclature.CLASSES, 1, 0, 500, 99)),
        (
            r"float32; whole numbers",
            (write(tmp_path / "f.tif", codes.astype(np.float32)), SAME, scene, nomenclature.CLASSES),
        ),
    ):
        with pytest.raises(InputError, match=match):
            draw_labels(*arguments)
    content = write(tmp_path / "cut.tif", np.random.default_rng(0).integers(0, 9, (400, 400), np.uint8)).read_bytes()
    (tmp_path / "cut.tif").write_bytes(content[:-60_000])
    with pytest.raises(InputError, match=r"cut.tif cannot be read.*Is it complete"):
        draw_labels(tmp_path / "cut.tif", SAME, grid(400, 400), nomenclature.CLASSES)


# -- use ---------------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Classes with fewer than 3 patches:paperlib.errors.InputWarning")
@pytest.mark.parametrize("per_class", [3, 8])
def test_what_is_written_passes_the_check(simulated, tmp_path, per_class):
    """Rare classes are left out when polygons are drawn, so that no class lacks polygons in a set afterwards."""
    scene = open_scene(simulated / "T31TCJ")
    drawn = draw_labels(simulated / "truth.tif", SAME, scene, nomenclature.CLASSES, per_class, 20, 1000, 4000)
    drawn.to_file(tmp_path / "labels.gpkg")
    findings = preflight.check(simulated / "T31TCJ", tmp_path / "labels.gpkg", Settings())
    assert preflight.exit_code(findings) < 2, preflight.report(findings)
    assert drawn["code"].nunique() >= 4


def test_text_and_long_codes_of_a_nomenclature_go_the_way_of_others(tmp_path):
    """The file has the nomenclature's own codes; maps get small ones when it is read."""
    (tmp_path / "own.csv").write_text("code,name,colour\nWOOD,Forest,#00aa00\n3301010000,Wheat,#ffff00\n")
    (tmp_path / "mapping.csv").write_text("source,code\n3,WOOD\n900,3301010000\n")
    legend = nomenclature.read_classes(tmp_path / "own.csv")
    mapping = read_mapping(tmp_path / "mapping.csv", legend)
    assert mapping == {3: 2, 900: 1}
    path = write(tmp_path / "cover.tif", np.repeat(np.uint16([3, 900]), 20)[None].repeat(40, 0))
    drawn = draw_labels(path, mapping, grid(40, 40), legend, 2, 20, 100, 2000)
    assert drawn["code"].tolist() == ["WOOD", "WOOD", "3301010000", "3301010000"]
    drawn.to_file(tmp_path / "labels.gpkg")
    read = legend_of(load_polygons(tmp_path / "labels.gpkg"))
    assert {(cover.own_code, cover.name, cover.colour) for cover in read} == {
        ("WOOD", "Forest", "#00aa00"),
        ("3301010000", "Wheat", "#ffff00"),
    }
    (tmp_path / "mapping.csv").write_text("source,code\n3,WATER\n")
    with pytest.raises(InputError, match=r"leads to WATER; the nomenclature has WOOD, 3301010000"):
        read_mapping(tmp_path / "mapping.csv", legend)


def test_drawn_polygons_go_the_way_of_polygons(simulated, tmp_path):
    scene = open_scene(simulated / "T31TCJ")
    drawn = draw_labels(simulated / "truth.tif", SAME, scene, nomenclature.CLASSES, 8, 10, 300, 1500)
    drawn.to_file(tmp_path / "labels.gpkg")
    polygons = load_polygons(tmp_path / "labels.gpkg", crs=scene.rio.crs, bounds=scene.rio.bounds())
    for column in ("polygon_id", "code", "class_name", "set"):
        assert polygons[column].tolist() == drawn[column].tolist()
    divided = split(polygons, seed=1)
    assert divided.groupby("code")["set"].nunique().eq(3).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # of contested pixels and of polygons without any
        burned = burn(divided, scene, legend_of(divided))
    with rasterio.open(simulated / "truth.tif") as file:
        truth = file.read(1)
    codes = np.array([cover.code for cover in legend_of(divided)])
    labelled = burned.label.values >= 0
    assert labelled.sum() * 100 == drawn.area.sum() and burned.attrs["contested"] == 0
    assert (codes[burned.label.values[labelled]] == truth[labelled]).all()


def test_an_own_nomenclature_gives_names_and_colours(tmp_path):
    (tmp_path / "own.csv").write_text('code,name,colour\n200,Forest,#00AA00\n4,"Fields, meadows",#ffff00\n')
    legend = read_nomenclature(tmp_path / "own.csv")
    assert legend == (
        nomenclature.LandCover(200, "Forest", "#00aa00"),
        nomenclature.LandCover(4, "Fields, meadows", "#ffff00"),
    )
    path = write(tmp_path / "cover.tif", np.repeat(np.uint16([3, 900]), 20)[None].repeat(40, 0))
    polygons = draw_labels(path, {3: 4, 900: 200}, grid(40, 40), legend, 2, 20, 100, 2000)
    assert polygons["code"].tolist() == [200, 200, 4, 4]
    assert polygons["class_name"].tolist() == ["Forest", "Forest", "Fields, meadows", "Fields, meadows"]
    assert polygons["colour"].tolist() == ["#00aa00", "#00aa00", "#ffff00", "#ffff00"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("code;name;colour\n1;a;#ff0000", None),
        ("\ufeffcode, name ,colour\n 1 ,a, #ff0000 \n", None),
        ("name,colour\na,#ff0000\n", "no column code; it has name, colour"),
        ("code,name,colour\n", "no row"),
        ("", "cannot be read"),
        ("code,name,colour\n0,a,#ff0000\n", "code '0'; a whole number from 1 to 255"),
        ("code,name,colour\n256,a,#ff0000\n", "code '256'"),
        ("code,name,colour\n1.5,a,#ff0000\n", "code '1.5'"),
        ("code,name,colour\n,a,#ff0000\n", "code ''"),
        ("code,name,colour\n1,a,#ff0000\n2,b,red\n", "colour 'red' of b; one like #ff0000"),
        ("code,name,colour\n1,a\n", "colour '' of a"),
        ("code,name,colour\n1,,#ff0000\n", "class 1 has no name"),
        ("code,name,colour\n1,a,#ff0000\n1,b,#00ff00\n", "code 1 comes twice"),
        ("code,name,colour\n1,a,#ff0000\n2,a,#00ff00\n", "name 'a' comes twice"),
    ],
)
def test_a_nomenclature_that_is_none_is_explained(tmp_path, content, message):
    path = tmp_path / "own.csv"
    path.write_text(content)
    if message is None:
        assert read_nomenclature(path) == (nomenclature.LandCover(1, "a", "#ff0000"),)
        return
    with pytest.raises(InputError, match=f"own.csv.*{re.escape(message)}"):
        read_nomenclature(path)


def test_files_that_are_no_tables(tmp_path):
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00\x80")
    for path in (tmp_path / "lost.csv", tmp_path, tmp_path / "bytes.csv"):
        with pytest.raises(InputError, match="cannot be read as a CSV file"):
            read_nomenclature(path)
    with pytest.raises(InputError, match="No mapping table corine: neither one of clcplus, worldcover, oso nor a file"):
        read_mapping("corine")


@pytest.mark.parametrize("name", MAPPINGS)
def test_ready_tables_lead_to_classes_of_the_paper(name):
    mapping = read_mapping(name)
    codes = {cover.code for cover in nomenclature.CLASSES}
    assert set(mapping.values()) <= codes
    # WorldCover does not tell needle-leaved from broad-leaved trees
    assert codes - set(mapping.values()) == ({2, 3} if name == "worldcover" else set())


def test_an_own_mapping_table(tmp_path):
    path = tmp_path / "map.csv"
    path.write_text("source,source_name,code\n0,sea,11\n311,forest,3\n999,ice,\n")
    assert read_mapping(path) == {0: 11, 311: 3}
    path.write_text("source,code\n1,3\n1,2\n")
    with pytest.raises(InputError, match="source 1 comes twice"):
        read_mapping(path)
    path.write_text("source,code\n1,\n")
    with pytest.raises(InputError, match="no row has a code"):
        read_mapping(path)
    path.write_text("source,code\n-1,3\n")
    with pytest.raises(InputError, match="source '-1'; a whole number of 0 or more"):
        read_mapping(path)


@generated
@given(st.one_of(
    spoiling.spoilt_bytes("code,name,colour\n1,Forêt,#00ff00\n2,Water,#0000ff\n".encode()),
    st.tuples(*[spoiling.TEXTS] * 3).map(lambda cells: f"code;name;colour\n{';'.join(cells)}".encode("utf-8", "replace")),
))  # fmt: skip
@pytest.mark.fault("a table of classes spoilt in any way (generated)", "the classes it says, or an error", "nothing")
def test_a_spoilt_nomenclature_gives_classes_or_an_error(tmp_path, content):
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    try:
        legend = read_nomenclature(path)
    except InputError as error:
        assert "own.csv" in str(error)
    else:
        assert legend and len({cover.code for cover in legend}) == len({cover.name for cover in legend}) == len(legend)
        assert all(1 <= cover.code <= 255 and cover.name.isprintable() for cover in legend)


@generated
@given(spoiling.spoilt_bytes(b"source,code\n10,3\n20,5\n80,11\n95,\n"))
@pytest.mark.fault("a mapping table spoilt in any way (generated)", "the codes it says, or an error", "nothing")
def test_a_spoilt_mapping_gives_codes_or_an_error(tmp_path, content):
    path = tmp_path / "map.csv"
    path.write_bytes(content)
    try:
        mapping = read_mapping(path)
    except InputError as error:
        assert "map.csv" in str(error)
    else:
        assert mapping and all(source >= 0 and 1 <= code <= 255 for source, code in mapping.items())
