"""Polygons that show one object stay in one set: pieces of a field, coarse pixels, copies; distinct fields do not."""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import rioxarray  # noqa: F401  (gives .rio)
import shapely
import xarray as xr
from scipy import ndimage

from paperlib import Experiment, load_polygons, open_scene
from paperlib.features.alike import Pairs, find_alike, keep_together, pixels_inside
from paperlib.labels import split
from support.rasters import write_stack

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

LEFT, TOP, SIDE = 350000, 4840000, 60
NEAR = 60.0


def fields(noise: float = 0.004, side: int = 10, seed: int = 2) -> xr.DataArray:
    """Reflectance (band, time, y, x) of fields of `side` pixels: each has its own level, each pixel some noise."""
    random = np.random.default_rng(seed)
    count = SIDE // side
    level = random.uniform(0.1, 0.4, (3, 4, count, count)).repeat(side, axis=2).repeat(side, axis=3)
    values = (level + random.normal(0, noise, level.shape)).astype(np.float32)
    days = pd.to_datetime(["2018-02-15", "2018-05-15", "2018-08-15", "2018-11-15"])
    y, x = TOP - 5 - 10.0 * np.arange(SIDE), LEFT + 5 + 10.0 * np.arange(SIDE)
    coords = {"band": ["B3", "B4", "B8"], "time": days, "y": y, "x": x}
    scene = xr.DataArray(values, coords, ("band", "time", "y", "x")).rio.write_crs(32631)
    return scene.assign_coords(mask=(("time", "y", "x"), np.zeros((4, SIDE, SIDE), bool)))


def squares(places, side: int = 20, **columns) -> gpd.GeoDataFrame:
    """Squares of `side` metres whose upper left corners are (row, column) in pixels."""
    shapes = [shapely.box(LEFT + 10 * x, TOP - 10 * y - side, LEFT + 10 * x + side, TOP - 10 * y) for y, x in places]
    table = gpd.GeoDataFrame({"polygon_id": range(1, len(shapes) + 1)}, geometry=shapes, crs=32631)
    given = {"code": 7, "class_name": "crop", "colour": "#ff0000", "source": "", "set": "pool"} | columns
    return table.assign(**given, group=table["polygon_id"])


def pieces(row: int, column: int) -> list[tuple[int, int]]:
    """Four squares of 2 x 2 pixels inside the field at (row, column), two pixels apart."""
    return [(10 * row + y, 10 * column + x) for y in (2, 6) for x in (2, 6)]


def test_pieces_of_a_field_without_a_common_number_form_a_group_and_distinct_fields_do_not():
    places = [(row, column) for row in (0, 2, 4) for column in range(6)]
    classes = np.repeat([3, 7] * (len(places) // 2), 4)
    table = squares([place for field in places for place in pieces(*field)], code=classes)
    together, findings = keep_together(table, find_alike(fields(), table, NEAR))
    field = np.repeat(np.arange(len(places)), 4)
    assert together["group"].nunique() == len(places) and together.groupby(field)["group"].nunique().eq(1).all()
    (finding,) = findings
    assert finding.kind == "labels.alike" and "72 polygons" in finding.value and "18 groups" in finding.value
    divided = split(together, test=0.3)
    assert divided.groupby(field)["set"].nunique().eq(1).all()
    loose = split(table, test=0.3)
    assert not loose.groupby(field)["set"].nunique().eq(1).all()


def test_alike_series_of_another_class_or_further_away_are_other_objects():
    scene = fields(side=SIDE)  # one field
    table = squares([(2, 2), (2, 6), (2, 40), (2, 44), (40, 2)], code=[7, 3, 7, 7, 7])
    pairs = find_alike(scene, table, NEAR)
    assert pairs.alike.tolist() == [[3, 4]] and not len(pairs.same)
    assert not len(find_alike(scene, table, 0.0).alike)


def test_the_same_series_is_found_anywhere_and_in_any_class():
    scene = fields(side=1)
    scene.values[..., 40:42, 50:52] = scene.values[..., 2:4, 2:4]
    table = squares([(2, 2), (40, 50), (20, 20), (22, 40)], code=[7, 3, 7, 3])
    pairs = find_alike(scene, table, NEAR)
    assert pairs.same.tolist() == [[1, 2]] and not len(pairs.alike)
    scene.values[..., 40:42, 50:52] += 0.001
    assert not len(find_alike(scene, table, NEAR).same)


def test_polygons_that_are_masked_on_most_dates_are_left_out():
    scene = fields(side=SIDE, noise=0)
    scene.values[:, 1:, :10] = np.nan
    assert find_alike(scene, squares([(2, 2), (2, 20), (30, 2), (50, 50)]), NEAR).same.tolist() == [[3, 4]]


def test_a_class_that_would_have_too_few_groups_is_divided_all_the_same():
    table = squares([*pieces(0, 0), (2, 22), (22, 2), (42, 42), (42, 22)], code=[7] * 4 + [3] * 4)
    together, findings = keep_together(table, find_alike(fields(), table, NEAR))
    assert together["group"].tolist() == table["group"].tolist()
    assert [finding.kind for finding in findings] == ["labels.alike"] and "divided all the same" in findings[0].value
    split(together)


def test_a_test_polygon_that_shows_an_object_of_the_pool_is_a_leak():
    table = squares([*pieces(0, 0), (2, 22), (22, 2)], set=["pool", "pool", "test", "test", "pool", "test"])
    together, findings = keep_together(table, find_alike(fields(), table, NEAR))
    leak = next(finding for finding in findings if finding.kind == "labels.leak")
    assert "2" in leak.value and leak.place == "polygon_id 3, 4"
    assert together["set"].tolist() == table["set"].tolist() and together["group"][0] != together["group"][2]


def test_joined_groups_keep_what_was_joined_before():
    table = squares([(0, 0), (0, 10), (0, 20), (0, 30)])
    table["group"] = [1, 2, 2, 4]
    pairs = Pairs(np.array([[1, 2]]), np.array([[3, 4]]))
    assert keep_together(table.assign(code=[7, 7, 7, 7]), pairs)[0]["group"].tolist() == [
        1,
        2,
        2,
        4,
    ]  # all in one: too few
    more = pd.concat([table, squares([(30, 0), (30, 30)]).assign(polygon_id=[5, 6], group=[5, 6])], ignore_index=True)
    assert keep_together(more, pairs)[0]["group"].tolist() == [1, 1, 1, 1, 5, 6]


def test_pairs_are_read_as_written(tmp_path):
    pairs = Pairs(np.array([[1, 2], [3, 9]]), np.empty((0, 2), int))
    pairs.save(tmp_path / "pairs.json")
    again = Pairs.load(tmp_path / "pairs.json")
    assert again.same.tolist() == [[1, 2], [3, 9]] and again.alike.shape == (0, 2)


def test_groups_on_the_simulated_scene_are_objects_of_its_truth(simulated):
    """Every pair that is found lies in one patch of one class; distinct patches are never joined."""
    scene, polygons = open_scene(simulated), simulated / "polygons.gpkg"
    table = load_polygons(polygons, crs=scene.rio.crs, bounds=scene.rio.bounds(), pixel=(10.0, 10.0))
    with rasterio.open(simulated / "truth.tif") as file:
        truth = file.read(1)
    patch, offset = np.zeros(truth.shape, int), 0
    for code in np.unique(truth):
        numbered, count = ndimage.label(truth == code)
        patch[numbered > 0] = numbered[numbered > 0] + offset
        offset += count
    inside = {
        row.polygon_id: pixels_inside(row.geometry, scene.rio.transform(), scene.shape[-2:])
        for row in table.itertuples()
    }
    place = {number: patch[rows[len(rows) // 2], columns[len(rows) // 2]] for number, (rows, columns) in inside.items()}
    pairs = find_alike(scene, table, NEAR)
    assert len(pairs.alike) >= 5 and not len(pairs.same)
    assert all(place[one] == place[other] for one, other in pairs.alike)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    from paperlib.simulation.scene import simulate_scene

    folder = tmp_path_factory.mktemp("simulated")
    simulate_scene(folder, size=192, pool=40, test=24, seed=31)
    return folder


@pytest.mark.fault("one field in pieces with numbers of their own", "in one set, and said", "nothing")
def test_a_run_keeps_pieces_of_a_field_in_one_set(simulated, tmp_path):
    scene = open_scene(simulated)
    stack = write_stack(scene.isel(time=slice(0, None, 3)).compute(), tmp_path / "stack.tif")
    table = gpd.read_file(simulated / "polygons.gpkg").drop(columns=["polygon_id", "class_name"])
    left, top = scene.rio.bounds()[0] + 800, scene.rio.bounds()[3] - 900
    field = [
        shapely.box(left + 20 * n, top - 20 * k - 10, left + 20 * n + 10, top - 20 * k)
        for n in range(5)
        for k in range(5)
    ]
    table = table[~table.intersects(shapely.box(left, top - 100, left + 100, top))]
    parts = gpd.GeoDataFrame({"code": 7, "set": "pool"}, geometry=field, crs=table.crs, index=range(25))
    pd.concat([table, parts], ignore_index=True).to_file(tmp_path / "polygons.gpkg")
    sets = {}
    for near in (60.0, 0.0):
        run = Experiment(
            "tiny", stack, tmp_path / "polygons.gpkg", settings={"labels.near": near}, store=tmp_path / "store"
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _ = run.polygons
        said = [warning for warning in caught if getattr(warning.message, "kind", "") == "labels.alike"]
        assert bool(said) == bool(near) and (not near or "stay together, as" in str(said[0].message))
        sets[near] = set(run.polygons["set"][run.polygons.intersects(shapely.union_all(field))])
    assert len(sets[60.0]) == 1 and sets[0.0] == {"train", "validation"}
    again = Experiment("tiny", stack, tmp_path / "polygons.gpkg", store=tmp_path / "store")
    again.dataset.checked = True  # as commands set it, once they have shown the report of the check
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        _ = again.polygons


def test_what_was_grouped_by_the_user_is_not_advised_to_be(tmp_path):
    """The advice to name a column of groups is for those who named none."""
    table = squares([(0, 0), (0, 2), (0, 4), (0, 20), (20, 0), (20, 20)], farm=["a", "a", "b", "c", "d", "e"])
    table.drop(columns=["group", "class_name", "colour", "source"]).to_file(tmp_path / "p.gpkg")
    for field in ("", "farm"):
        with pytest.warns(UserWarning, match="stay together, as") as caught:
            load_polygons(tmp_path / "p.gpkg", crs=32631, group_field=field)
        assert ("--group-field" in str(caught[0].message)) == (not field)
    pairs = Pairs(np.array([[1, 4]]), np.empty((0, 2), int))
    for grouped in (True, False):
        (finding,) = keep_together(table, pairs, grouped)[1]
        assert ("--group-field" in finding.fix) != grouped and "--near" in finding.fix
