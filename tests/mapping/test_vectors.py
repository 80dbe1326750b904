"""Polygons of a map: they cover what it covers, whatever the blocks, and carry its classes, areas and confidence."""

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize
from rasterio.transform import from_origin
from skimage.measure import label

from paperlib.errors import InputError
from paperlib.mapping.class_map import ClassMap
from paperlib.mapping.gis import write_categories
from paperlib.mapping.vectors import vectorise
from paperlib.nomenclature import LandCover

ORIGIN = from_origin(355_000, 4_835_000, 10, 10)
LEGEND = (LandCover(1, "Built up", "#ff0000"), LandCover(3, "Wood", "#00ff00"), LandCover(7, "Field", "#ffff00"))


def patches(shape=(90, 120), seed=0, size=9) -> np.ndarray:
    """Classes in patches of irregular outline, some without class."""
    random = np.random.default_rng(seed)
    rows, columns = np.indices(shape) + random.integers(-2, 3, (2, *shape))
    seeds = random.choice([0, 1, 3, 7], (shape[0] // size + 3, shape[1] // size + 3))
    return seeds[np.clip(rows, 0, None) // size, np.clip(columns, 0, None) // size].astype(np.uint8)


def write(folder, codes, confidence=None, crs="EPSG:32631") -> ClassMap:
    profile = {
        "driver": "GTiff", "dtype": "uint8", "count": 1, "height": codes.shape[0], "width": codes.shape[1], "crs": crs,
        "transform": ORIGIN,
    }  # fmt: skip
    with rasterio.open(folder / "class.tif", "w", nodata=0, **profile) as file:
        file.write(codes, 1)
    write_categories(folder / "class.tif.aux.xml", LEGEND)
    if confidence is not None:
        with rasterio.open(folder / "confidence.tif", "w", nodata=255, **profile) as file:
            file.write(confidence, 1)
    return ClassMap.open(folder / "class.tif")


def burned(polygons: gpd.GeoDataFrame, shape) -> np.ndarray:
    pairs = zip(polygons.geometry, polygons["code"], strict=True)
    return rasterize(pairs, out_shape=shape, transform=ORIGIN, dtype="uint8")


@settings(max_examples=12)
@given(seed=st.integers(0, 999), block=st.sampled_from([7, 32, 1000]))
def test_polygons_are_the_objects_of_the_map_whatever_the_blocks(tmp_path_factory, seed, block):
    codes = patches((40, 50), seed, 6)
    polygons = vectorise(write(tmp_path_factory.mktemp("map"), codes), block=block)
    assert len(polygons) == label(codes, background=0, connectivity=1).max()
    assert polygons.geometry.is_valid.all() and (polygons.geom_type == "Polygon").all()
    assert np.array_equal(burned(polygons, codes.shape), codes)
    assert polygons.area.sum() == pytest.approx(100 * (codes > 0).sum())


@pytest.mark.parametrize("block", [32, 1000])
def test_simplified_outlines_leave_no_gap_and_no_overlap(tmp_path, block):
    codes = np.maximum(patches(), 1)
    class_map = write(tmp_path, codes)
    plain, smooth = (vectorise(class_map, 2000, tolerance, block) for tolerance in (0, 15))
    assert smooth.get_coordinates().size < 0.6 * plain.get_coordinates().size
    union = shapely.union_all(smooth.geometry)
    assert union.area == pytest.approx(smooth.area.sum(), rel=1e-9)  # no overlap
    assert union.area == pytest.approx(shapely.union_all(plain.geometry).area, rel=1e-9)  # no gap: outer edges stay
    assert (burned(smooth, codes.shape) == burned(plain, codes.shape)).mean() > 0.9


def test_small_objects_go_to_their_neighbours(tmp_path):
    codes = patches(size=3)
    class_map = write(tmp_path, codes)
    polygons = vectorise(class_map, minimum_area=2000, block=40)
    large = shapely.union_all(polygons.geometry[polygons["hectares"] > 0.199].values)
    for outline in polygons.geometry[polygons["hectares"] < 0.199]:  # only where no neighbour at a side is large
        assert outline.boundary.intersection(large.boundary).length == 0
    assert len(polygons) < 0.3 * label(codes, background=0, connectivity=1).max()
    assert np.array_equal(burned(polygons, codes.shape) > 0, codes > 0)


def test_class_area_and_confidence_are_those_of_the_pixels(tmp_path):
    codes = np.full((60, 80), 3, np.uint8)
    codes[10:20, 30:60] = 7  # across the edges of blocks
    codes[40:, :5] = 0
    confidence = np.random.default_rng(0).integers(20, 100, codes.shape).astype(np.uint8)
    confidence[12, 35] = 255
    polygons = vectorise(write(tmp_path, codes, confidence), block=32).set_index("code")
    assert polygons["class_name"].to_dict() == {3: "Wood", 7: "Field"}
    for code, row in polygons.iterrows():
        inside = codes == code
        assert row["confidence"] == pytest.approx(confidence[inside & (confidence < 255)].mean())
        assert row["hectares"] == pytest.approx(inside.sum() / 100, rel=1.5e-3)  # the scale of UTM
    assert list(polygons.columns) == ["class_name", "hectares", "confidence", "geometry"]


def test_without_confidence_it_is_missing_and_hectares_are_on_the_ground(tmp_path):
    polygons = vectorise(write(tmp_path, np.full((100, 100), 1, np.uint8), crs="EPSG:3857"))
    assert polygons["confidence"].isna().all()
    latitude = 39.77  # of the northing 4,835,000 m of this projection
    assert polygons["hectares"].sum() == pytest.approx(100 * np.cos(np.radians(latitude)) ** 2, rel=0.01)


@pytest.mark.parametrize(("codes", "choice", "words"), [(0, {}, "no pixel"), (1, {"tolerance": -1}, "--tolerance")])
def test_mistakes_are_named(tmp_path, codes, choice, words):
    with pytest.raises(InputError, match=words):
        vectorise(write(tmp_path, np.full((20, 20), codes, np.uint8)), **choice)
