"""Areas and lengths on the ground, compared with pyproj's geodesic computation on the ellipsoid of the CRS."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS, Geod, Transformer

from paperlib import ground
from paperlib.errors import InputError

LOCAL = "+proj=tmerc +lat_0=43.6 +lon_0=1.2 +k=1 +x_0=5000 +y_0=5000 +ellps=GRS80 +units=m +no_defs"
#: CRS, upper left corner, width and height of a pixel: metres, degrees, grads, US feet, an unnamed CRS, the dateline,
#: a pole, a turned grid of degrees.
GRIDS = {
    "UTM": ("EPSG:32631", 356042, 4833772, 10, 10),
    "UTM, tall pixels": ("EPSG:32631", 356042, 4833772, 10, 25),
    "Mercator": ("EPSG:3857", 150000, 5410000, 13.8, 13.8),
    "Mercator, far north": ("EPSG:3857", 1500000, 11000000, 10, 10),
    "degrees": ("EPSG:4326", 1.2, 43.65, 1.2e-4, 9e-5),
    "grads": ("EPSG:4807", 1.2, 48.5, 1e-4, 1e-4),
    "US feet": ("EPSG:2225", 6100000, 2100000, 33, 33),
    "no code": (LOCAL, 5000, 5000, 10, 10),
    "sinusoidal": ("+proj=sinu +R=6371007.181 +units=m", 100000, 4850000, 20, 20),
    "dateline": ("EPSG:32601", 356000, 7200000, 10, 10),
    "dateline in degrees": ("EPSG:4326", 179.99, 65, 1e-4, 1e-4),
    "pole": ("EPSG:3413", -3000, 3000, 10, 10),
    "turned": ("+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=37.5 +lon_0=357.5", 1.2, 1.65, 1e-4, 1e-4),
}
SHAPE = 300, 520  # more rows and columns than between two computed areas, and a last group that is narrower


@pytest.fixture(params=GRIDS.values(), ids=GRIDS.keys())
def grid(request):
    """CRS and transform of a grid."""
    crs, left, top, width, height = request.param
    return CRS.from_user_input(crs), Affine(width, 0, left, 0, -height, top)


def degrees(crs: CRS, x, y):
    """Longitude and latitude of places of a CRS, on its own ellipsoid, and the ellipsoid."""
    earth = crs.ellipsoid
    axes = {"a": earth.semi_major_metre, "b": earth.semi_minor_metre}
    plain = CRS.from_dict({"proj": "longlat", **axes})
    return *Transformer.from_crs(crs, plain, always_xy=True).transform(x, y), Geod(**axes)


def geodesic_area(crs: CRS, outline: shapely.Polygon) -> float:
    x, y = outline.exterior.coords.xy
    lon, lat, geod = degrees(crs, np.array(x), np.array(y))
    return abs(geod.polygon_area_perimeter(lon, lat)[0])


def rectangle(transform: Affine, rows: slice, columns: slice) -> shapely.Polygon:
    """Outline of a part of a grid, with a vertex at each pixel, so that straight lines stay straight elsewhere."""
    left, top = transform @ (columns.start, rows.start)
    right, bottom = transform @ (columns.stop, rows.stop)
    return shapely.segmentize(shapely.box(left, bottom, right, top), min(abs(transform.a), abs(transform.e)))


def test_areas_of_pixels_are_geodesic(grid):
    crs, transform = grid
    areas = ground.pixel_areas(transform, crs, SHAPE)
    assert areas.shape == (300, 3)
    for row in (0, 31, 150, 299):
        outline = rectangle(transform, slice(row, row + 1), slice(383, 385))  # in the middle of the second group
        assert areas[row, 1] == pytest.approx(geodesic_area(crs, outline) / 2, rel=1e-5)


def test_areas_of_codes_sum_to_the_grid(grid):
    crs, transform = grid
    codes = np.zeros(SHAPE, np.uint8)
    codes[:100], codes[100:, :200] = 7, 255
    found = ground.areas_of_codes(codes, transform, crs)
    parts = {
        7: (slice(0, 100), slice(0, 520)),
        255: (slice(100, 300), slice(0, 200)),
        0: (slice(100, 300), slice(200, 520)),
    }
    for code, part in parts.items():
        assert found[code] == pytest.approx(geodesic_area(crs, rectangle(transform, *part)), rel=1e-4)
    assert np.count_nonzero(found) == 3


def test_a_pixel_has_the_size_that_a_geodesic_gives(grid):
    crs, transform = grid
    row, column = 150.5, 260.5
    corners = [transform @ place for place in ((column, row), (column + 1, row), (column, row + 1))]
    lon, lat, geod = degrees(crs, *np.array(corners).T)
    height, width = ground.pixel_size(transform, crs, (302, 522))
    assert width == pytest.approx(geod.inv(lon[0], lat[0], lon[1], lat[1])[2], rel=1e-5)
    assert height == pytest.approx(geod.inv(lon[0], lat[0], lon[2], lat[2])[2], rel=1e-5)


def test_areas_distances_and_buffers_of_outlines(grid):
    crs, transform = grid
    outlines = gpd.GeoSeries(
        [rectangle(transform, slice(n, n + 8), slice(3 * n, 3 * n + 8)) for n in (10, 90, 220)], crs=crs
    )
    moved = ground.to_ground(outlines)
    for own, other in zip(outlines, moved, strict=True):
        assert other.area == pytest.approx(geodesic_area(crs, own), rel=1e-6)
    first, second = (outline.centroid for outline in moved[:2])
    lon, lat, geod = degrees(moved.crs, *np.array([first.coords[0], second.coords[0]]).T)
    assert first.distance(second) == pytest.approx(geod.inv(lon[0], lat[0], lon[1], lat[1])[2], rel=1e-4)
    wide = moved.buffer(20).to_crs(crs)
    assert geodesic_area(crs, shapely.segmentize(wide[0], abs(transform.a))) == pytest.approx(
        moved.buffer(20)[0].area, rel=1e-4
    )


def test_a_whole_tile_is_measured_to_a_ten_thousandth():
    crs, tile = CRS.from_epsg(32631), shapely.segmentize(shapely.box(300000, 4790220, 409800, 4900020), 100)
    true = geodesic_area(crs, tile)
    transform = Affine(10, 0, 300000, 0, -10, 4900020)
    assert ground.pixel_areas(transform, crs, (10980, 256 * 42)).sum() * 256 == pytest.approx(
        true * 256 * 42 / 10980, rel=1e-4
    )
    assert ground.to_ground(gpd.GeoSeries([tile], crs=crs)).area[0] == pytest.approx(true, rel=1e-6)


def test_nothing_to_measure_stays_nothing():
    assert ground.to_ground(gpd.GeoSeries([], crs=32631)).empty


def test_a_crs_off_the_earth_is_refused():
    plan = CRS.from_wkt('LOCAL_CS["plan of a house",UNIT["metre",1]]')
    with pytest.raises(InputError) as caught:
        ground.pixel_size(Affine(10, 0, 0, 0, -10, 0), plan, (3, 3))
    assert caught.value.kind == "crs.unknown" and "plan of a house" in caught.value.problem


@pytest.mark.parametrize(
    ("crs", "x", "y"), [("EPSG:4326", 356040, 4833772), ("EPSG:32631", 1e12, 1e12), ("EPSG:4326", np.nan, 1)]
)
def test_coordinates_that_are_no_place_are_refused(crs, x, y):
    with pytest.raises(InputError) as caught:
        ground.pixel_size(Affine(1, 0, x, 0, -1, y), crs, (3, 3))
    assert caught.value.kind == "crs.place" and caught.value.fix
