"""The simulated scene: real product files, known truth, spectra of the real crops, polygons as an interpreter draws them."""

from importlib.resources import files
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine
from rasterio.features import rasterize

from paperlib import Experiment, nomenclature, open_scene
from paperlib.errors import InputError
from paperlib.evaluation import metrics
from paperlib.models import forest
from paperlib.reproduction import paper
from paperlib.scenes import sensors
from paperlib.simulation.landscape import COVERS, draw_landscape
from paperlib.simulation.polygons import draw_polygons, plan_polygons
from paperlib.simulation.scene import simulate_scene
from paperlib.simulation.spectra import SEASONS

SIZE, POOL, TEST = 192, 40, 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return simulate_scene(tmp_path_factory.mktemp("scene"), SIZE, POOL, TEST, seed=31)


@pytest.fixture(scope="module")
def truth(folder):
    with rasterio.open(folder / "truth.tif") as file:
        return file.read(1)


def test_products_have_native_names_grids_and_types(folder):
    for date in paper.DATES:
        name = f"SENTINEL2X_{date.replace('-', '')}-000000-000_L3A_T31TCJ_D_V1-1"
        product = folder / "T31TCJ" / name
        for band in sensors.BANDS:
            pixel = 10 if band in sensors.BANDS_10M else 20
            with rasterio.open(product / f"{name}_FRC_{band}.tif") as file:
                assert file.crs == "EPSG:32631" and file.dtypes == ("int16",) and file.nodata is None
                assert file.shape == (SIZE * 10 // pixel,) * 2 and file.res == (pixel, pixel)
                assert (file.bounds.left - 300000) % 20 == 0 and (
                    4900020 - file.bounds.top
                ) % 20 == 0  # the tile's grid
        masks = {path.name for path in (product / "MASKS").iterdir()}
        assert masks == {f"{name}_{mask}_{grid}.tif" for mask in ("FLG", "WGT", "DTS") for grid in ("R1", "R2")}
        with rasterio.open(product / "MASKS" / f"{name}_FLG_R1.tif") as file:
            assert set(np.unique(file.read(1))) <= {0, 1, 3, 4}


def test_metadata_says_what_the_files_are_and_that_they_are_simulated(folder):
    path = next(folder.rglob("*20180815*_MTD_ALL.xml"))
    root = ElementTree.parse(path).getroot()
    assert root.find(".//REFLECTANCE_QUANTIFICATION_VALUE").text == "10000"
    assert root.find(".//SPECIAL_VALUE[@name='nodata']").text == "-10000"
    places = {group.get("group_id"): group for group in root.iter("Group_Geopositioning")}
    assert places["R2"].find("XDIM").text == "20" and places["R2"].find("NCOLS").text == str(SIZE // 2)
    assert "SIMULATED" in path.read_text() and "SIMULATED" in (folder / "README.txt").read_text()


def test_reads_like_a_real_product_with_a_little_masked(folder):
    scene = open_scene(folder)
    assert dict(scene.sizes) == {"band": 10, "time": 11, "y": SIZE, "x": SIZE}
    masked = scene.mask.mean(("y", "x")).values
    assert (masked > 0).all() and (masked < 0.08).all()
    flagged_cloud = scene.mask.values & ~np.isnan(scene.values).any(0)
    assert flagged_cloud.any() and np.isnan(scene.values).any()


def test_every_pixel_has_one_of_the_eight_classes(truth):
    assert set(np.unique(truth)) == {cover.code for cover in nomenclature.CLASSES}


def test_polygons_are_pure_apart_and_as_many_as_asked(folder, truth):
    polygons = gpd.read_file(folder / "polygons.gpkg")
    assert polygons["set"].value_counts().to_dict() == {"pool": POOL, "test": TEST}
    counts = polygons.groupby(["code", "set"]).size().unstack()
    assert counts["pool"].min() >= 3 and counts["test"].min() >= 2 and len(counts) == 8
    grid = {"out_shape": truth.shape, "transform": rasterio.open(folder / "truth.tif").transform}
    touched = rasterize(zip(polygons.geometry, polygons.index + 1, strict=True), all_touched=True, **grid)
    for index, code in polygons["code"].items():
        assert (truth[touched == index + 1] == code).all()
        assert (touched == index + 1).sum() >= 6
    assert not polygons.sjoin(polygons, predicate="intersects").query("polygon_id_left != polygon_id_right").size
    area = polygons.assign(area=polygons.area).groupby("set")["area"].mean()
    assert area["test"] > area["pool"]  # the other interpreter draws larger ones


def pixels_by_class(polygons: gpd.GeoDataFrame, landscape_codes: np.ndarray, transform: Affine) -> pd.DataFrame:
    """Pixels whose centre lies in a polygon, by class code and set; all must have the polygon's class."""
    number = rasterize(
        zip(polygons.geometry, polygons["polygon_id"], strict=True), landscape_codes.shape, transform=transform
    )
    assert (
        landscape_codes[number > 0] == polygons.set_index("polygon_id")["code"].loc[number[number > 0]].to_numpy()
    ).all()
    count = np.bincount(number.ravel(), minlength=len(polygons) + 1)[1:]
    return polygons.assign(pixels=count).groupby(["code", "set"])["pixels"].sum().unstack()


def test_classes_are_as_unequal_as_the_tables_say(folder, truth):
    polygons = gpd.read_file(folder / "polygons.gpkg")
    with rasterio.open(folder / "truth.tif") as file:
        found = pixels_by_class(polygons, truth, file.transform)
    for part, number in (("pool", POOL), ("test", TEST)):
        for code, (polygons_asked, pixels) in plan_polygons(part, number, SIZE).items():
            assert found.loc[code, part] <= pixels + 4 * polygons_asked and found.loc[code, part] > 0.4 * pixels


def test_as_many_pixels_a_class_as_the_paper_at_its_numbers():
    random, transform = np.random.default_rng(31), Affine(10, 0, 0, 0, -10, 0)
    landscape = draw_landscape(2048, random)
    polygons = draw_polygons(landscape, transform, "EPSG:32631", paper.POLYGONS_POOL, paper.POLYGONS_TEST, random)
    found = pixels_by_class(polygons, landscape.codes, transform)
    assert found["pool"].to_dict() == pytest.approx(paper.TABLE_2, rel=0.1)
    assert found["test"].to_dict() == pytest.approx(paper.TABLE_3, rel=0.1)


def test_cover_types_are_whole():
    for name, cover in COVERS.items():
        assert sum(cover.parts.values()) == pytest.approx(1), name
        assert ("field" in cover.parts) == (name in SEASONS), name
        assert next(iter(cover.parts.values())) == max(cover.parts.values()), name


def test_a_forest_finds_the_scene_neither_trivial_nor_hopeless(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_STORE", str(tmp_path))
    run = Experiment("demo")
    training = run.samples["train"]
    model = forest.Forest(*training.x.shape[1:3], classes=len(run.legend))
    model.fit(training.x, training.label, seed=0)
    score = {}
    for name in ("validation", "test"):
        pixels = run.samples[name].pixels()
        answer = model(pixels.x).argmax(1)
        score[name] = metrics.macro_f1(metrics.confusion(pixels.label.numpy(), answer.numpy(), len(run.legend)))
    assert 0.6 < score["test"] < 0.9
    assert score["test"] < score["validation"] < 0.97


def test_same_seed_same_bytes_other_seed_another(tmp_path):
    first, again, other = (
        simulate_scene(tmp_path / name, 96, 24, 16, seed) for name, seed in (("a", 31), ("b", 31), ("c", 32))
    )
    files = [path.relative_to(first) for path in first.rglob("*.tif")]
    assert len(files) == 11 * 16 + 1
    assert all((first / path).read_bytes() == (again / path).read_bytes() for path in files)
    assert any((first / path).read_bytes() != (other / path).read_bytes() for path in files)


def test_classes_have_the_seasons_and_spectra_of_the_real_crops(folder, truth):
    """Median of woods and water against the measured means; crops must be green in spring or summer, bare in winter."""
    scene = open_scene(folder).compute()
    red, infrared = scene.sel(band="B4").where(~scene.mask), scene.sel(band="B8").where(~scene.mask)
    ndvi = (infrared - red) / (infrared + red)
    measured = pd.read_csv(files("paperlib.simulation") / "spectra.csv")
    for code, material in ((3, "broad"), (2, "needle")):
        ours = scene.sel(time="2018-08-15").where(truth == code).median(("y", "x"))
        real = measured[(measured["material"] == material) & (measured["date"] == "2018-08-15")].set_index("band")[
            "mean"
        ]
        for band in ("B4", "B8", "B11"):
            assert float(ours.sel(band=band)) == pytest.approx(real[band], rel=0.35)
    assert (ndvi.where(truth == 11).median(("y", "x")) < 0).all()
    crops = ndvi.where(truth == 7)
    assert crops.sel(time="2018-05-15").median() > crops.sel(time="2018-11-15").median() + 0.15
    spread = [
        float(crops.sel(time=date).quantile(0.9) - crops.sel(time=date).quantile(0.1)) for date in paper.DATES[4:7]
    ]
    assert min(spread) > 0.2  # winter and summer crops alternate


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((193, 40, 24), "size = 193"),
        ((64, 400, 100), "no room for 400"),
        ((192, 10, 24), "10 polygons do not suffice for 8 classes"),
    ],
)
def test_impossible_scenes_say_what_to_change(arguments, message, tmp_path):
    with pytest.raises(InputError, match=message):
        simulate_scene(tmp_path, *arguments, seed=1)
