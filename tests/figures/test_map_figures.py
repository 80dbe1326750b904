"""Pictures of scene and maps, compared as in test_charts.py: colours are those of the legend, pixels in their place."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.colors import to_hex, to_rgb
from shapely import box

from paperlib import nomenclature
from paperlib.errors import InputError
from paperlib.figures import images, map_figures

DATES = pd.to_datetime(["2018-02-15", "2018-05-15", "2018-08-15", "2018-11-15"])
SIDE = 40
LEFT, TOP = 356_000.0, 4_836_000.0


@pytest.fixture
def scene() -> xr.DataArray:
    """Smooth reflectance that changes over the dates, with a cloud and a corner without data on the second."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    season = np.array([0.2, 0.5, 0.9, 0.4])[:, None, None]
    values = np.stack([0.1 * (1 + number) * (0.3 + season * x + (1 - season) * y) for number in range(4)])
    mask = np.zeros((4, SIDE, SIDE), bool)
    mask[1, 5:15, 5:20] = True
    mask[1, 30:, :8] = True
    values[:, 1, 30:, :8] = np.nan
    return xr.DataArray(
        values.astype(np.float32),
        dims=("band", "time", "y", "x"),
        coords={
            "band": ["B2", "B3", "B4", "B8"],
            "time": DATES,
            "y": TOP - 5 - 10 * np.arange(SIDE),
            "x": LEFT + 5 + 10 * np.arange(SIDE),
            "mask": (("time", "y", "x"), mask),
        },
    )


@pytest.fixture
def polygons() -> gpd.GeoDataFrame:
    """Three squares a class, one in each set."""
    rows = [
        (cover.code, cover.name, part, box(left, bottom, left + 20, bottom + 20))
        for row, cover in enumerate(nomenclature.CLASSES)
        for column, part in enumerate(("train", "validation", "test"))
        for left, bottom in [(LEFT + 40 + 130 * column, TOP - 390 + 48 * row)]
    ]
    columns = ["code", "class_name", "set", "geometry"]
    return gpd.GeoDataFrame(rows, columns=columns, crs="EPSG:32631")


@pytest.fixture
def codes(scene) -> xr.DataArray:
    """A map with every class in a stripe and no data in one corner."""
    stripes = np.array([cover.code for cover in nomenclature.CLASSES], np.uint8)[np.arange(SIDE) * 8 // SIDE]
    values = np.tile(stripes, (SIDE, 1))
    values[:4, :4] = 0
    return xr.DataArray(values, dims=("y", "x"), coords={"y": scene["y"], "x": scene["x"]})


@pytest.fixture
def confidence(scene) -> xr.DataArray:
    values = np.tile(np.linspace(20, 100, SIDE).astype(np.uint8), (SIDE, 1))
    values[:4, :4] = 255
    return xr.DataArray(values, dims=("y", "x"), coords={"y": scene["y"], "x": scene["x"]})


@pytest.fixture
def draw(scene, polygons, codes, confidence):
    """Draws one of FIGURES by name, out of the data above."""
    bounds = (LEFT, TOP - 10 * SIDE, LEFT + 10 * SIDE, TOP)
    window = scene.isel(y=slice(0, 30), x=slice(0, 30))
    drawings = {
        "scene": lambda: map_figures.scene_figure(scene, polygons=polygons),
        "split": lambda: map_figures.split_figure(polygons, bounds),
        "maps": lambda: map_figures.maps_figure(
            {"truth": codes, "TempCNN": codes, "2D-CNN": codes}, window, nomenclature.CLASSES
        ),
        "whole_map": lambda: map_figures.whole_map_figure(codes, confidence, nomenclature.CLASSES),
    }
    assert set(drawings) == set(FIGURES)
    return lambda name: drawings[name]()


FIGURES = ("scene", "split", "maps", "whole_map")


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.mpl_image_compare(baseline_dir="../baseline", tolerance=3, style="default", savefig_kwargs={"dpi": 40})
def test_figure(draw, name):
    return draw(name)


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_whole_and_leaves_no_trace(draw, name, is_whole):
    is_whole(lambda: draw(name))


# -- what the pictures say ---------------------------------------------------------------------------------------------


def test_map_colours_are_those_of_the_legend(scene, codes):
    figure = map_figures.maps_figure({"TempCNN": codes}, scene, nomenclature.CLASSES)
    image = figure.axes[1].images[0].get_array()
    for cover in nomenclature.CLASSES:
        assert np.allclose(image[20, np.flatnonzero(codes.values[20] == cover.code)], to_rgb(cover.colour))
    assert np.allclose(image[0, 0], 1)  # no data is white
    assert figure.legends[0].get_texts()[-1].get_text() == "no data"


def test_maps_are_cut_to_the_window_where_they_lie(scene, codes):
    window = scene.isel(y=slice(10, 30), x=slice(15, 35))
    panel = map_figures.maps_figure({"TempCNN": codes}, window, nomenclature.CLASSES).axes[1]
    expected = images.class_colours(codes.values[10:30, 15:35], nomenclature.CLASSES)
    assert np.array_equal(panel.images[0].get_array(), expected)
    assert panel.images[0].get_extent() == [LEFT + 150, LEFT + 350, TOP - 300, TOP - 100]
    again = map_figures.maps_figure({"TempCNN": codes.values[10:30, 15:35]}, window, nomenclature.CLASSES).axes[1]
    assert np.array_equal(again.images[0].get_array(), expected)


def test_maps_come_with_their_pixels(scene, codes):
    table = map_figures.maps_figure({"TempCNN": codes}, scene, nomenclature.CLASSES).data
    place = codes.sortby("y", ascending=False)
    assert len(table) == codes.size and np.array_equal(table["code TempCNN"], place.values.ravel())
    row = table.iloc[codes.sizes["x"] + 3]
    assert (row["easting"], row["northing"]) == (int(place["x"][3]), int(place["y"][1]))
    assert row["code TempCNN"] == place.values[1, 3]


def test_the_table_of_a_large_map_holds_some_of_its_pixels():
    side = 500
    image = xr.DataArray(
        np.arange(side**2).reshape(side, side), {"y": -np.arange(side), "x": np.arange(side)}, ("y", "x")
    )
    table = map_figures.pixels(image, {"number": image.values})
    assert len(table) == 100**2
    assert np.array_equal(table["number"], -table["northing"] * side + table["easting"])


def test_map_from_south_to_north_is_drawn_north_up(scene, codes):
    expected = map_figures.whole_map_figure(codes, codes, nomenclature.CLASSES).axes[0].images[0]
    turned = map_figures.whole_map_figure(codes[::-1], codes, nomenclature.CLASSES).axes[0].images[0]
    assert np.array_equal(turned.get_array(), expected.get_array()) and turned.get_extent() == expected.get_extent()


def test_a_whole_tile_is_thinned_out():
    dims = {"y": TOP - 10 * np.arange(10_980), "x": LEFT + 10 * np.arange(10_980)}
    tile = xr.DataArray(np.broadcast_to(np.uint8(3), (10_980, 10_980)), dims=("y", "x"), coords=dims)
    assert max(images.subsample(tile).shape) <= 1200


def test_composite_ignores_masked_pixels_and_greys_missing_ones(scene):
    bands = images.available_composites(scene)["true colour"]
    assert bands == ("B4", "B3", "B2")
    expected = images.composite(scene, bands)
    assert expected[1, 35, 2].tolist() == [0.8, 0.8, 0.8] and expected.min() >= 0 and expected.max() <= 1
    bright = scene.copy(deep=True)
    bright.values[:, 1, 5:15, 5:20] = 1.0  # the masked cloud
    clear = ~scene["mask"].values
    assert np.allclose(images.composite(bright, bands)[clear], expected[clear])


def test_scene_without_a_blue_band_shows_the_near_infrared_alone(scene):
    assert len(map_figures.scene_figure(scene.sel(band=["B3", "B4", "B8"])).axes) == 4


def test_composites_go_by_roles_whatever_the_sensor(scene):
    landsat = dict(zip(("B2", "B3", "B4", "B8"), ("SR_B2", "SR_B3", "SR_B4", "SR_B5"), strict=True))
    other = scene.sel(band=list(landsat)).assign_coords(band=list(landsat.values()))
    assert images.available_composites(other) == {
        "true colour": ("SR_B4", "SR_B3", "SR_B2"),
        "near infrared": ("SR_B5", "SR_B4", "SR_B3"),
    }


def test_scene_whose_bands_allow_no_colours_is_drawn_in_grey(scene):
    few = scene.sel(band=["B2", "B3"])
    assert images.available_composites(few) == {"grey": ("B3", "B3", "B3")}
    assert map_figures.scene_figure(few).axes[0].get_ylabel().startswith("grey (B3)")
    shades = images.composite(few, ("B3", "B3", "B3"))
    assert (shades[..., 0] == shades[..., 1]).all() and np.ptp(shades) > 0.5


def test_polygons_of_another_nomenclature_keep_its_colours():
    squares = [box(x, 0, x + 10, 10) for x in (0, 20, 40)]
    own = {"code": [210, 1, 1], "class_name": ["Rice", "Vine", "Vine"], "colour": ["#123456", "#abcdef", "#abcdef"]}
    table = gpd.GeoDataFrame(own | {"set": ["train", "train", "test"]}, geometry=squares, crs="EPSG:32631")
    figure = map_figures.split_figure(table, (0, 0, 60, 10))
    assert [text.get_text() for text in figure.legends[0].get_texts()][-2:] == ["Vine", "Rice"]
    assert "#123456" in {to_hex(colour) for colour in figure.axes[0].collections[0].get_facecolor()}


def test_scene_that_cannot_be_drawn_says_why(scene):
    with pytest.raises(InputError, match=r"2018-03-01.*2018-02-15"):
        map_figures.scene_figure(scene, dates=["2018-03-01"])
    assert len(map_figures.maps_figure({}, scene.sel(band=["B3", "B4", "B8"]), nomenclature.CLASSES).axes) == 1
