"""STAC items of maps anywhere on the Earth, validated offline and compared with pyproj."""

import json
from datetime import UTC, datetime

import numpy as np
import pystac
import pytest
import rasterio
from affine import Affine
from jsonschema import ValidationError
from pyproj import CRS, Transformer
from shapely.geometry import Point, shape

from paperlib.mapping.stac_item import map_item
from paperlib.nomenclature import LandCover
from support.stac_rules import validate

LEGEND = (LandCover(1, "Forêt", "#1b7837", "0611"), LandCover(2, "Pré fauché", "#a6dba0"))
PERIOD = datetime(2018, 1, 15, tzinfo=UTC), datetime(2018, 12, 15, tzinfo=UTC)
LOCAL = "+proj=tmerc +lat_0=43.6 +lon_0=1.2 +k=1 +x_0=5000 +y_0=5000 +ellps=GRS80 +units=m +no_defs"
#: CRS, upper left corner, size of a pixel.
PLACES = {
    "UTM": ("EPSG:32631", 356042, 4833772, 10),
    "Mercator": ("EPSG:3857", 150000, 5410000, 13.8),
    "degrees": ("EPSG:4326", 1.2, 43.65, 1e-4),
    "feet": ("EPSG:2225", 6100000, 2100000, 33),
    "no code": (LOCAL, 5000, 5000, 10),
    "another authority": ("ESRI:54009", 100000, 5000000, 10),
    "dateline": ("EPSG:32601", 351000, 7200000, 100),
    "dateline, south": ("EPSG:32760", 812000, 8100000, 100),
    "dateline in degrees": ("EPSG:4326", 179.99, 65, 2e-4),
}


@pytest.fixture(params=PLACES.values(), ids=PLACES.keys())
def place(request, tmp_path):
    """Folder of a small map, its CRS and its transform."""
    crs, left, top, step = request.param
    transform = Affine(step, 0, left, 0, -step, top)
    profile = {"driver": "GTiff", "width": 150, "height": 120, "count": 1, "dtype": "uint8", "nodata": 0}
    with rasterio.open(tmp_path / "class.tif", "w", crs=crs, transform=transform, **profile) as file:
        file.write(np.ones((1, 120, 150), "uint8"))
    return tmp_path, CRS.from_user_input(crs), transform


def described(folder) -> dict:
    item = map_item(folder, "map-1", "Land cover", LEGEND, PERIOD, {"created": "2026-01-02T03:04:05Z"})
    return json.loads(json.dumps(item.to_dict(include_self_link=False), allow_nan=False))


def test_items_are_valid(place):
    item = described(place[0])
    validate(item)
    assert pystac.Item.from_dict(item).assets["class"].href == "./class.tif"


@pytest.mark.parametrize("place", [PLACES["UTM"]], indirect=True)
def test_layers_that_a_map_has_are_assets_with_their_bands(place):
    folder, *_ = place
    before = set(described(folder)["assets"])
    for name in ("margin", "entropy", "probabilities"):
        (folder / f"{name}.tif").touch()
    item = described(folder)
    validate(item)
    assert set(item["assets"]) - before == {"margin", "entropy", "probabilities"}
    assert [band["name"] for band in item["assets"]["probabilities"]["bands"]] == [cover.name for cover in LEGEND]


def test_the_footprint_holds_the_map_and_no_more(place):
    folder, crs, transform = place
    item = described(folder)
    footprint, (west, south, east, north) = shape(item["geometry"]), item["bbox"]
    assert footprint.is_valid and footprint.area < 0.2**2  # square degrees: not around the world
    degrees = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    for column, row in ((1, 1), (75, 1), (149, 119), (1, 60), (75, 60)):
        lon, lat = degrees.transform(*(transform @ (column, row)))
        lon = (lon + 180) % 360 - 180
        assert footprint.contains(Point(lon, lat))
        assert south < lat < north and (west < lon < east if west < east else lon > west or lon < east)
    for column, row in ((-2, 60), (75, 122)):
        lon, lat = degrees.transform(*(transform @ (column, row)))
        assert not footprint.contains(Point((lon + 180) % 360 - 180, lat))


def test_a_map_across_the_dateline_is_split_there(place, request):
    item = described(place[0])
    crosses = "dateline" in request.node.callspec.id
    assert item["geometry"]["type"] == ("MultiPolygon" if crosses else "Polygon")
    assert (item["bbox"][0] > item["bbox"][2]) == crosses
    parts = item["geometry"]["coordinates"] if crosses else [item["geometry"]["coordinates"]]
    assert all(-180 <= lon <= 180 for part in parts for lon, _ in part[0])


def test_the_crs_is_told_by_its_code_or_else_by_wkt2(place):
    folder, crs, transform = place
    told = described(folder)["properties"]
    if crs.to_authority():
        assert CRS.from_user_input(told["proj:code"]) == crs and not told.get("proj:wkt2")
    else:
        assert told.get("proj:code") is None and told["proj:wkt2"].startswith("PROJCRS")
        there = Transformer.from_crs(crs, CRS.from_wkt(told["proj:wkt2"]), always_xy=True).transform(5000, 6000)
        assert there == pytest.approx((5000, 6000), abs=1e-6)
    assert told["proj:shape"] == [120, 150] and told["proj:transform"] == list(transform)[:6]


@pytest.mark.parametrize("place", [PLACES["UTM"]], indirect=True)
def test_classes_have_the_codes_of_the_map_and_of_the_labels(place):
    first, second = described(place[0])["assets"]["class"]["classification:classes"]
    assert first == {
        "value": 1, "name": "For-t-1", "title": "Forêt", "color_hint": "1B7837", "description": "Code 0611 of the labels",
    }  # fmt: skip
    assert second["value"] == 2 and "description" not in second


@pytest.mark.parametrize("place", [PLACES["UTM"]], indirect=True)
@pytest.mark.parametrize(
    "change", [{"proj:code": "EPSG:None"}, {"proj:epsg": 32631}, {"proj:shape": [1.5, 2]}, {"proj:bbox": [1]}]
)
def test_the_rules_find_what_is_wrong(place, change):
    item = described(place[0])
    item["properties"] |= change
    with pytest.raises(ValidationError):
        validate(item)
