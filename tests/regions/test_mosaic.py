"""Mosaics of small maps: overlaps are averaged, nothing counts twice, and VRT and GeoTIFF show the same."""

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.crs import CRS

from paperlib import InputError
from paperlib.mapping.gis import class_areas
from paperlib.mapping.layers import NODATA_PROBABILITY, STEP
from paperlib.nomenclature import LandCover
from paperlib.regions.mosaic import crs_named, mosaic_grid, overlaps_of, write_mosaic
from paperlib.scenes.rasters import Grid

UTM = CRS.from_epsg(32631)
LEGEND = tuple(
    LandCover(code, name, colour) for code, name, colour in ((3, "wood", "#00ff00"), (7, "field", "#ffff00"))
)


def grid(column: int, row: int, side: int = 16) -> Grid:
    return Grid(UTM, Affine(10, 0, 400000 + 10 * column, 0, -10, 4800000 - 10 * row), side, side)


def write(path, image, own: Grid, nodata=None):
    image = np.atleast_3d(image.T).T
    with rasterio.open(
        path, "w", driver="GTiff", dtype=image.dtype, count=len(image), height=own.height, width=own.width, crs=own.crs,
        transform=own.transform, nodata=nodata,
    ) as file:  # fmt: skip
        file.write(image)


def write_map(folder, own: Grid, wood: float, gap: tuple = ()):
    """A map that gives every pixel the same share of wood; none where there is a gap (rows, columns)."""
    shares = np.full((2, own.height, own.width), round(wood / STEP), np.uint16)
    shares[1] = 1 / STEP - shares[0]
    code = np.full(shares.shape[1:], 3 if wood > 0.5 else 7, np.uint8)
    confidence = np.full_like(code, round(100 * max(wood, 1 - wood)))
    if gap:
        shares[:, *gap], code[gap], confidence[gap] = NODATA_PROBABILITY, 0, 255
    folder.mkdir()
    write(folder / "class.tif", code, own, 0)
    write(folder / "confidence.tif", confidence, own, 255)
    write(folder / "overlaps.tif", shares, own, NODATA_PROBABILITY)
    return folder


def with_every_layer(maps: dict, grids: dict) -> None:
    """The other layers of `map --probabilities`, beside the maps."""
    for name, folder in maps.items():
        with rasterio.open(folder / "overlaps.tif") as file:
            shares = file.read()
        share = np.where(shares == NODATA_PROBABILITY, np.nan, shares * STEP)
        bits = -(share * np.log2(share)).sum(0)
        write(folder / "probabilities.tif", shares, grids[name], NODATA_PROBABILITY)
        for layer, values in (("margin", 100 * abs(share[0] - share[1])), ("entropy", 100 * bits)):
            write(folder / f"{layer}.tif", np.nan_to_num(values, nan=255).round().astype(np.uint8), grids[name], 255)


def read(path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read(1)


@pytest.fixture
def two(tmp_path):
    """A tile of 90 % wood, with a gap in the overlap, and one of 70 % field, six columns of which lie on the first."""
    grids = {"west": grid(0, 0), "east": grid(10, 0)}
    maps = {
        "west": write_map(tmp_path / "west", grids["west"], 0.9, (slice(0, 2), slice(10, 16))),
        "east": write_map(tmp_path / "east", grids["east"], 0.3),
    }
    return maps, grids


def test_in_an_overlap_the_mean_probability_decides(two, tmp_path):
    write_mosaic(*two, UTM, LEGEND, tmp_path)
    code, confidence = read(tmp_path / "class.tif"), read(tmp_path / "confidence.tif")
    assert code.shape == (16, 26)
    assert (code[2:, :16] == 3).all() and (code[:, 16:] == 7).all()
    assert (code[:2, 10:16] == 7).all(), "where one tile has nothing the other decides"
    assert (confidence[2:, 10:16] == 60).all() and (confidence[:2, 10:16] == 70).all()
    assert (confidence[:, :10] == 90).all() and (confidence[:, 16:] == 70).all()


def test_the_vrt_shows_the_same_and_moves_with_its_folder(two, tmp_path):
    write_mosaic(*two, UTM, LEGEND, tmp_path)
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    for kind in ("class", "confidence"):
        np.testing.assert_array_equal(read(moved / f"{kind}.vrt"), read(moved / f"{kind}.tif"))
    with rasterio.open(moved / "class.vrt") as file:
        assert file.colormap(1)[3][:3] == (0, 255, 0) and file.tags(1)["class_7"] == "field"


def test_probabilities_are_averaged_and_the_other_layers_follow_from_them(two, tmp_path):
    maps, grids = two
    write_mosaic(maps, grids, UTM, LEGEND, tmp_path)
    assert not (tmp_path / "probabilities.tif").exists(), "the maps of the tiles have none"
    with_every_layer(maps, grids)
    write_mosaic(maps, grids, UTM, LEGEND, tmp_path)
    with (
        rasterio.open(tmp_path / "probabilities.tif") as file,
        rasterio.open(tmp_path / "probabilities.vrt") as virtual,
    ):
        shares = file.read()
        np.testing.assert_array_equal(shares, virtual.read())
        for opened in (file, virtual):
            assert opened.descriptions == ("wood", "field") and opened.scales == (STEP, STEP)
            assert opened.dtypes == ("uint16", "uint16") and opened.nodata == NODATA_PROBABILITY
    assert shares[:, 8, [0, 12, 20]].tolist() == [[9000, 6000, 3000], [1000, 4000, 7000]]
    assert shares[0, 0, 12] == 3000, "where one tile has nothing, the other one's"
    margin, entropy = read(tmp_path / "margin.tif"), read(tmp_path / "entropy.tif")
    assert margin[8, [0, 12, 20]].tolist() == [80, 20, 40] and entropy[8, [0, 12, 20]].tolist() == [47, 97, 88]


def test_areas_count_each_place_once(two, tmp_path):
    write_mosaic(*two, UTM, LEGEND, tmp_path)
    areas = class_areas(tmp_path / "class.tif", LEGEND)
    assert areas["hectares"].sum() == pytest.approx(16 * 26 / 100, rel=1e-2)
    assert areas["share (%)"].sum() == pytest.approx(100)


@pytest.mark.parametrize("name", ["EPSG:32630", "EPSG:3035"])
def test_in_another_crs_the_same_places_have_the_same_classes(two, tmp_path, name):
    maps, grids = two
    own = write_mosaic(maps, grids, crs_named(name), LEGEND, tmp_path)
    code = read(tmp_path / "class.tif")
    np.testing.assert_array_equal(code, read(tmp_path / "class.vrt"))
    assert own.crs == crs_named(name) and abs(own.transform.a - 10) < 0.5
    places = [(400000 + 10 * column + 5, 4800000 - 85) for column in (1, 12, 24)]
    x, y = rasterio.warp.transform(UTM, own.crs, *zip(*places, strict=True))
    with rasterio.open(tmp_path / "class.tif") as file:
        assert [value[0] for value in file.sample(zip(x, y, strict=True))] == [3, 3, 7]
    hectares = class_areas(tmp_path / "class.tif", LEGEND)["hectares"].sum()
    assert hectares == pytest.approx(16 * 26 / 100, rel=0.02)


def test_probabilities_are_kept_where_tiles_overlap_and_nowhere_else(two):
    parts = overlaps_of({**two[1], "far": grid(1000, 0)})
    assert parts == {
        "west": [(slice(0, 16), slice(9, 16))], "east": [(slice(0, 16), slice(0, 7))], "far": [],
    }  # fmt: skip


def test_the_mosaic_lies_on_the_pixels_of_its_tiles(two):
    own = mosaic_grid(two[1], UTM)
    assert own == Grid(UTM, grid(0, 0).transform, 16, 26)


def test_a_crs_that_is_none_is_refused():
    with pytest.raises(InputError, match="EPSG:32631"):
        crs_named("EPSG:1")
