"""Every m2 and metre of the check and the split is one on the ground, in any CRS: compared with pyproj's geodesic."""

import re

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from paperlib.checks.faults import label_faults
from paperlib.checks.labelled import check_reach
from paperlib.features.alike import neighbours
from paperlib.labels import load_polygons, separation

GEOD = Geod(ellps="WGS84")
LEFT, TOP = 356040.0, 4835680.0  # of UTM zone 31, at 43.66 degrees north
FEET = "+proj=tmerc +lat_0=43.6 +lon_0=1.2 +k=1 +x_0=5000 +y_0=5000 +datum=WGS84 +units=us-ft +no_defs"
PLACES = {"UTM": 32631, "Mercator": 3857, "degrees": 4326, "US feet": FEET, "Lambert": 2154}


def square(x: float, y: float, side: float = 50.0) -> shapely.Polygon:
    """A square in metres from the upper left corner of the place, with a vertex at each metre."""
    return shapely.segmentize(shapely.box(LEFT + x, TOP - y - side, LEFT + x + side, TOP - y), 1.0)


def table(*outlines, **columns) -> gpd.GeoDataFrame:
    rows = {"polygon_id": range(1, len(outlines) + 1), "code": 3, "set": "pool"} | columns
    return gpd.GeoDataFrame(rows, geometry=list(outlines), crs=32631)


def area(outline: shapely.Geometry, crs) -> float:
    """Geodesic area in square metres."""
    (plain,) = gpd.GeoSeries([outline], crs=crs).to_crs(4326)
    return abs(GEOD.geometry_area_perimeter(shapely.geometry.polygon.orient(plain))[0])


def length(one: shapely.Point, other: shapely.Point) -> float:
    """Geodesic distance in metres of two places in UTM."""
    first, second = gpd.GeoSeries([one, other], crs=32631).to_crs(4326)
    return GEOD.inv(first.x, first.y, second.x, second.y)[2]


@pytest.fixture(params=PLACES.values(), ids=PLACES.keys())
def crs(request):
    return request.param


def number(text: str, unit: str) -> float:
    """The number before a unit in a message."""
    (found,) = re.findall(rf"([\d.]+) {unit}\b", text)
    return float(found)


def test_overlaps_and_distances_of_the_split(crs):
    moved = table(square(0, 0), square(30, 10), square(90, 0), set=["validation", "train", "test"]).to_crs(crs)
    found = separation(moved, {"near": 11.0, "nearer": 9.0}).set_index("pair")
    shared = area(shapely.intersection(square(0, 0), square(30, 10)), 32631)
    assert found.loc["validation - train", "overlap (m2)"] == pytest.approx(shared, abs=0.1)
    gap = length(shapely.Point(LEFT + 80, TOP - 20), shapely.Point(LEFT + 90, TOP - 20))
    assert found.loc["test - train", "smallest distance (m)"] == pytest.approx(gap, abs=0.06)
    assert (
        found.loc["test - train", "within near (11 m)"] == 1 and found.loc["test - train", "within nearer (9 m)"] == 0
    )


def test_areas_of_the_check(crs, tmp_path):
    outlines = [square(0, 0), square(30, 10), square(200, 0), square(300, 300)]
    table(*outlines, code=[3, 7, 3, 7]).to_file(tmp_path / "p.gpkg")
    inside = shapely.segmentize(shapely.box(LEFT - 10, TOP - 600, LEFT + 225, TOP + 10), 1.0)
    right = gpd.GeoSeries([shapely.LineString(np.array(inside.exterior.coords))], crs=32631).to_crs(crs).total_bounds
    findings = []
    label_faults(tmp_path / "p.gpkg", findings, crs, tuple(right))
    overlap = next(finding for finding in findings if finding.subject == "overlap")
    shared = area(shapely.intersection(outlines[0], outlines[1]), 32631)
    assert number(overlap.value, "m2") == pytest.approx(shared, rel=1e-3)
    beyond = next(finding for finding in findings if finding.kind == "labels.beyond")
    (part,) = gpd.GeoSeries([outlines[2]], crs=32631).to_crs(crs).difference(shapely.box(*right))
    assert number(beyond.value, "m2") == pytest.approx(area(part, crs), rel=2e-3)


def test_reach_of_the_check(crs):
    moved = table(square(0, 0), square(90, 0), set=["train", "validation"]).to_crs(crs)
    far, near = [], []
    check_reach(moved, 39.0, far)
    check_reach(moved, 41.0, near)
    assert not far and "1 of 1 validation polygons lies within 41 m" in near[0].value


def testneighbours_in_metres(crs):
    moved = table(square(0, 0), square(90, 0)).to_crs(crs)
    assert len(neighbours(moved, 41.0)) == 1 and not len(neighbours(moved, 39.0))


def test_buffers_around_points(crs, tmp_path):
    points = [shapely.Point(LEFT + 100 * n, TOP - 200) for n in range(6)]
    table(*points).to_file(tmp_path / "p.gpkg")
    with pytest.warns(UserWarning, match="within 15 m"):
        polygons = load_polygons(tmp_path / "p.gpkg", crs=crs, buffer=15.0)
    disc = 32 * 15**2 * np.sin(2 * np.pi / 64)  # of 64 corners, as shapely draws it
    for outline in polygons.geometry:
        assert area(outline, crs) == pytest.approx(disc, rel=1e-3)


def test_blocks_in_metres(crs, tmp_path):
    """Two rows of squares 20 m wide, 1,000 m apart: blocks of 500 m hold no two of them, blocks of 3,000 m rows of them."""
    table(*[square(1000 * n, 500 * k, 20) for n in range(3) for k in (0, 4)]).to_file(tmp_path / "p.gpkg")
    count = {
        side: load_polygons(tmp_path / "p.gpkg", crs=crs, blocks=side)["group"].nunique() for side in (500.0, 8000.0)
    }
    assert count[500.0] == 6 and count[8000.0] <= 4


def test_repaired_area(crs, tmp_path):
    bow = shapely.Polygon([(LEFT, TOP), (LEFT + 50, TOP - 50), (LEFT + 50, TOP), (LEFT, TOP - 50)])
    table(bow, *[square(100 * n, 300) for n in range(5)]).to_file(tmp_path / "p.gpkg")
    with pytest.warns(UserWarning, match=r"1 invalid outlines are repaired") as caught:
        polygons = load_polygons(tmp_path / "p.gpkg", crs=crs, repair=True)
    said = next(str(one.message) for one in caught if "repaired" in str(one.message))
    parts = shapely.get_parts(polygons.geometry[polygons["polygon_id"] == 1].to_numpy())
    assert sum(area(part, crs) for part in parts) == pytest.approx(1250, rel=3e-3)
    assert abs(number(said, "m2") - 1250) < 2
