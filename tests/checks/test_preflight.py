"""The pre-flight check names every fault put into real files, with its place and a fix, and never crashes."""

import json
import shutil
import warnings
from dataclasses import asdict
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rasterio.features import rasterize
from rasterio.transform import from_origin

from paperlib import models
from paperlib.checks import labelled, pixel_faults, preflight
from paperlib.checks.preflight import check, exit_code, report
from paperlib.errors import Finding, InputError
from paperlib.features.alike import find_alike, keep_together
from paperlib.labels.burning import burn
from paperlib.labels.classes import legend_of
from paperlib.labels.polygons import load_polygons
from paperlib.labels.splitting import split
from paperlib.reproduction import real_scene
from paperlib.scenes import sensors
from paperlib.scenes.scene import open_scene
from paperlib.settings import Labels, Sample, Settings, Train
from paperlib.simulation.scene import simulate_scene
from support.rasters import write_stack

pytestmark = pytest.mark.filterwarnings(
    "ignore:Use `@` matmul:PendingDeprecationWarning", "ignore:Consolidated metadata", "ignore:The data type"
)


@pytest.fixture(scope="session")
def clean(tmp_path_factory) -> Path:
    return simulate_scene(tmp_path_factory.mktemp("preflight") / "scene", size=96, pool=24, test=16, seed=3)


@pytest.fixture(scope="session")
def stack(clean) -> Path:
    """Every third date of the scene as one file, which is read sooner."""
    return write_stack(open_scene(clean / "T31TCJ").isel(time=slice(0, None, 3)).compute(), clean.parent / "stack.tif")


@pytest.fixture
def scene(clean, tmp_path) -> Path:
    """A copy of the clean scene that a test may break."""
    return Path(shutil.copytree(clean, tmp_path / "scene"))


def run(folder: Path, **choice) -> list[Finding]:
    return check(folder / "T31TCJ", folder / "polygons.gpkg", Settings(**choice))


def errors(findings) -> list[Finding]:
    return [found for found in findings if found.level == "error"]


def told(findings, level: str, subject: str, *texts: str) -> Finding:
    """The only finding of a level and subject with these texts; asserts that it has a place and a fix."""
    same = [
        found for found in findings
        if (found.level, found.subject) == (level, subject)
        and all(text in f"{found.value} | {found.place} | {found.fix}" for text in texts)
    ]  # fmt: skip
    assert len(same) == 1, report(findings)
    assert same[0].place and same[0].fix
    return same[0]


def band_file(folder: Path, date: str, band: str) -> Path:
    (path,) = folder.glob(f"T31TCJ/*_{date.replace('-', '')}-*/*_FRC_{band}.tif")
    return path


def change(path: Path, function) -> None:
    with rasterio.open(path, "r+") as file:
        file.write(function(file.read()))


def redraw(folder: Path, function) -> gpd.GeoDataFrame:
    """Rewrite the polygons with a function of their table."""
    table = function(gpd.read_file(folder / "polygons.gpkg"))
    (folder / "polygons.gpkg").unlink()
    table.to_file(folder / "polygons.gpkg")
    return table


def ids_of(table, code: int, where: str = "pool") -> list[int]:
    return table["polygon_id"][(table["code"] == code) & (table["set"] == where)].tolist()


# -- nothing wrong -----------------------------------------------------------------------------------------------------


def test_a_clean_scene_has_no_error_and_known_warnings_alone(clean):
    assert errors(run(clean)) == []
    findings = run(clean, labels=Labels(near=0.0))
    assert errors(findings) == [] and exit_code(findings) == 1
    assert {found.subject for found in findings} == {"split"}  # the simulation puts some polygons next door on purpose
    divided = split(load_polygons(clean / "polygons.gpkg"))
    train = divided[divided["set"] == "train"]
    for name in ("validation", "test"):
        mine = divided[divided["set"] == name]
        near = mine[[train.distance(one).min() <= models.reach() * 10 for one in mine.geometry]]
        told(
            findings, "warning", "split", f"{len(near)} of {len(mine)} {name}", ", ".join(map(str, near["polygon_id"]))
        )


def test_the_real_scene_has_no_error(shared_data, tmp_path):
    shutil.copy(shared_data / "bouconne" / real_scene.IMAGE, tmp_path)
    findings = check(real_scene.fetch_bouconne(tmp_path), shared_data / "bouconne" / "bouconne_polygons.gpkg")
    assert errors(findings) == [], report(findings)


def test_polygons_far_apart_in_a_scene_of_one_class_each_find_nothing_at_all(tmp_path):
    folder = simulate_scene(tmp_path / "scene", size=128, pool=24, test=16, seed=3)
    left, _, _, top = open_scene(folder / "T31TCJ").rio.bounds()
    places = [(column, row) for column in range(5, 120, 20) for row in range(5, 120, 40)]
    boxes = [shapely.box(left + 10 * c, top - 10 * r - 50, left + 10 * c + 50, top - 10 * r) for c, r in places]
    table = gpd.GeoDataFrame({"code": [3, 7, 11] * (len(boxes) // 3)}, geometry=boxes, crs=32631)
    table.to_file(folder / "far.gpkg")
    findings = check(folder / "T31TCJ", folder / "far.gpkg")
    assert findings == [] and exit_code(findings) == 0 and "Nothing wrong was found" in report(findings)


# -- scene: files ------------------------------------------------------------------------------------------------------


def test_every_header_at_fault_is_listed_not_the_first_alone(scene):
    band_file(scene, "2018-03-15", "B3").unlink()
    band_file(scene, "2018-05-15", "B11").unlink()
    band_file(scene, "2018-05-15", "B12").unlink()
    band_file(scene, "2018-06-15", "B4").write_bytes(b"no raster")
    moved, turned, unsigned = (band_file(scene, "2018-08-15", band) for band in ("B2", "B8", "B5"))
    with rasterio.open(moved, "r+") as file:
        file.transform = from_origin(300000, 4900020, 10, 10)
    with rasterio.open(turned, "r+") as file:
        file.crs = "EPSG:32632"
    with rasterio.open(unsigned) as file:
        profile, values = file.profile | {"dtype": "uint16"}, file.read().clip(0).astype(np.uint16)
    with rasterio.open(unsigned, "w", **profile) as file:
        file.write(values)
    (metadata,) = scene.glob("T31TCJ/*_20181015-*/*_MTD_ALL.xml")
    metadata.write_text(metadata.read_text().replace(">10000<", ">1000<"))
    findings = run(scene)
    assert exit_code(findings) == 2
    told(findings, "error", "bands missing", "B3 |", "2018-03-15", "_FRC_B3.tif of this date again")
    told(findings, "error", "bands missing", "B11, B12", "2018-05-15")
    told(findings, "error", "band file", "cannot be read as a raster", "20180615", "Get it again")
    told(findings, "error", "grid", moved.name, "from (300000, 4.90002e+06), expected 96 rows x 96 columns")
    told(findings, "error", "grid", turned.name, "EPSG:32632; most files are in EPSG:32631", "Reproject it")
    told(findings, "error", "type", "uint16; int16 is expected", unsigned.name, "gdal_translate")
    told(findings, "error", "scale", "1000; other dates have 10000", metadata.name)
    assert len(errors(findings)) == 7 and any(found.subject == "split" for found in findings)  # polygons still checked


def test_a_file_cut_short_is_named_and_the_other_dates_are_still_checked(scene):
    path = band_file(scene, "2018-07-08", "B8")
    path.write_bytes(path.read_bytes()[:-3000])
    change(band_file(scene, "2018-09-15", "B4"), lambda image: np.full_like(image, 700))
    findings = run(scene)
    told(findings, "error", "band file", path.name, "2018-07-08", "Get it again")
    told(findings, "warning", "constant", "0.07 in every pixel", "B4, 2018-09-15")


def test_dates(scene):
    dates = ("2018-04-15", "2018-05-15", "2018-06-15", "2018-07-08")
    for date in dates:
        shutil.rmtree(band_file(scene, date, "B2").parent)
    told(run(scene), "warning", "dates", "a gap of 153 days; the median is 30", "2018-03-15 to 2018-08-15")
    for folder in list((scene / "T31TCJ").iterdir())[1:]:
        shutil.rmtree(folder)
    told(run(scene), "warning", "dates", "one date alone", "Add dates")


def test_bands_missing_at_all_dates(scene):
    for path in scene.glob("T31TCJ/*/*_FRC_B8A.tif"):
        path.unlink()
    findings = run(scene)
    told(findings, "warning", "bands", "no B8A; Sentinel-2 has B2", "T31TCJ")
    assert errors(findings) == []


def test_nothing_there(tmp_path, clean):
    findings = check(tmp_path / "lost", tmp_path / "lost.gpkg")
    told(findings, "error", "scene", "lost does not exist", "Give a folder")
    told(findings, "error", "label file", "lost.gpkg does not exist", "Check the path")
    findings = check(clean / "README.txt", clean / "README.txt")
    assert len(errors(findings)) == 2 and exit_code(findings) == 2
    (tmp_path / "stack.tif").write_bytes(b"x")
    (tmp_path / "stack.dates.txt").write_bytes(b"\xff\xfe\xfa")
    findings = check(tmp_path / "stack.tif", clean / "polygons.gpkg")
    assert [found.subject for found in errors(findings)] == ["scene"]


def test_a_patch_smaller_than_what_networks_see(clean):
    told(run(clean, sample=Sample(patch=8)), "error", "patch", "8 pixels", "Raise it to 9 or more")


# -- scene: pixels -----------------------------------------------------------------------------------------------------


@pytest.mark.fault("a file copied to another date or band", "a warning of the pre-flight that names both", "nothing")
def test_a_file_copied_twice_a_date_copied_twice_a_band_copied_twice(scene):
    for band in sensors.BANDS:
        shutil.copy(band_file(scene, "2018-04-15", band), band_file(scene, "2018-05-15", band))
    shutil.copy(band_file(scene, "2018-08-15", "B3"), band_file(scene, "2018-09-15", "B3"))
    shutil.copy(band_file(scene, "2018-11-15", "B3"), band_file(scene, "2018-12-15", "B4"))
    for path in scene.glob("T31TCJ/*/*_FRC_B6.tif"):
        shutil.copy(path, path.with_name(path.name.replace("B6", "B7")))
    findings = run(scene)
    told(findings, "warning", "identical", "all bands", "2018-04-15, 2018-05-15 ", "copied twice")
    told(findings, "warning", "identical", "one band", "| B3, 2018-08-15 and B3, 2018-09-15 |")
    told(findings, "warning", "identical", "one band", "| B3, 2018-11-15 and B4, 2018-12-15 |")
    told(findings, "warning", "identical", "all dates", "| B6, B7 |")
    assert len([found for found in findings if found.subject == "identical"]) == 4


@pytest.mark.fault("two bands swapped", "a warning of the pre-flight", "nothing")
def test_swapped_bands(scene):
    """In the polygons, where it is known what grows."""
    outlines = gpd.read_file(scene / "polygons.gpkg").geometry
    inside = rasterize(outlines, (96, 96), transform=open_scene(scene / "T31TCJ").rio.transform()) > 0
    for red in scene.glob("T31TCJ/*/*_FRC_B4.tif"):
        near = red.with_name(red.name.replace("_B4", "_B8"))
        with rasterio.open(red) as one, rasterio.open(near) as other:
            images = one.read(), other.read()
        change(red, lambda image, images=images: np.where(inside, images[1], image))
        change(near, lambda image, images=images: np.where(inside, images[0], image))
    told(run(scene), "warning", "bands swapped", "B8 is lower than B4", "order")


@pytest.mark.parametrize("factor", [100, 0.01])
@pytest.mark.fault(
    "reflectance of the wrong scale", "refused or a warning of the pre-flight, with the median", "nothing"
)
def test_a_wrong_scale(scene, factor):
    stack = open_scene(scene / "T31TCJ").compute().drop_vars(["mask", "spatial_ref"]) * factor
    cube = stack.rename("reflectance").rio.write_crs(32631)
    cube.attrs, cube.encoding = {}, {}
    cube.to_dataset().to_netcdf(scene / "cube.nc", engine="h5netcdf")
    findings = check(scene / "cube.nc", scene / "polygons.gpkg")
    if factor > 1:
        told(findings, "error", "scene", "cannot be reflectance", "--scale 0.01")
    else:
        told(findings, "error", "values", "even the brightest values are 0.00", "--scale")
        told(findings, "warning", "scale", "the median reflectance is", "about 0.1 is expected", "cube.nc", "x 10000")


def test_one_date_of_another_scale_absurd_values_and_undeclared_nodata(scene):
    for band in sensors.BANDS:
        change(band_file(scene, "2018-04-15", band), lambda image: np.where(image > 0, image // 10, image))
        change(band_file(scene, "2018-08-15", band), lambda image: np.where(np.arange(len(image[0])) < 10, 0, image))
    change(band_file(scene, "2018-06-15", "B3"), lambda image: np.where(np.arange(96) < 10, 30000, image))
    findings = run(scene)
    told(findings, "warning", "scale", "of the date is", "of the others", "2018-04-15")
    told(findings, "warning", "absurd values", "are 0 in all bands and not masked", "2018-08-15", "nodata")
    told(findings, "warning", "absurd values", "10.4 % of the pixels have values outside -0.1 to 1.5", "2018-06-15")


@pytest.mark.fault("a date almost all cloud", "a warning of the pre-flight with the share", "nothing")
def test_masked_pixels_a_date(scene):
    for date, rows in (("2018-04-15", 96), ("2018-08-15", 48), ("2018-09-15", 20)):
        (flags,) = scene.glob(f"T31TCJ/*_{date.replace('-', '')}-*/MASKS/*_FLG_R1.tif")
        change(flags, lambda image, rows=rows: np.where(np.arange(96)[:, None] < rows, 1, 0 * image + 4))
    findings = run(scene)
    told(findings, "warning", "masked pixels", "100 % of the date", "2018-04-15", "Leave this date out")
    told(findings, "warning", "masked pixels", "50 % of the date", "2018-08-15")
    assert not any("2018-09-15" in found.place for found in findings)
    text = preflight.inspect(scene / "T31TCJ", scene / "polygons.gpkg").text()
    (line,) = [line for line in text.splitlines() if line.startswith("masked ")]
    assert (
        "2018-04-15 100 %, 2018-05-15" in line and "2018-09-15 21 %" in text
    )  # each date, also those without a finding


def test_gaps_at_the_ends_and_pixels_of_one_date_are_counted(scene):
    """They are held constant, where gaps between two dates are interpolated."""
    rows, date = np.arange(96)[:, None] + np.zeros((1, 96), int), "2018-08-15"
    dates = sorted({path.parent.parent.name.split("_")[1][:8] for path in scene.glob("T31TCJ/*/MASKS/*_FLG_R1.tif")})
    first, last = (f"{name[:4]}-{name[4:6]}-{name[6:]}" for name in (dates[0], dates[-1]))
    for flags in scene.glob("T31TCJ/*/MASKS/*_FLG_R1.tif"):
        day = flags.parent.parent.name.split("_")[1][:8]
        spoilt = (rows < 12) & (day == dates[0]) | (rows >= 66) & (day == dates[-1])
        spoilt |= (rows >= 40) & (rows < 44) & (day != date.replace("-", ""))
        change(flags, lambda image, spoilt=spoilt: np.where(spoilt, 1, 0 * image + 4).astype(np.uint8))
    findings = run(scene)
    for subject, text, place, share in (
        ("gaps at the ends", "they hold their next usable date", first, 16 / 96),
        ("gaps at the ends", "they hold their last usable date", last, 34 / 96),
        ("one usable date", "have a single usable date", f"{first} to {last}", 4 / 96),
    ):
        found = told(findings, "warning", subject, text)
        assert found.place == place and float(found.value.split()[0]) == pytest.approx(100 * share, abs=1)


def test_pixels_and_polygons_that_no_date_shows(scene):
    table = gpd.read_file(scene / "polygons.gpkg")
    place = open_scene(scene / "T31TCJ").rio.bounds()
    corner = np.zeros((96, 96), bool)
    corner[:48, 48:] = True
    for flags in scene.glob("T31TCJ/*/MASKS/*_FLG_R1.tif"):
        change(flags, lambda image: np.where(corner, 1, image).astype(np.uint8))
    findings = run(scene)
    told(findings, "warning", "masked pixels", "25.0 % of the scene have no usable date")
    within = (table.bounds["miny"] > place[3] - 480) & (table.bounds["minx"] > place[0] + 480)
    gone = table["polygon_id"][within]
    assert len(gone)
    told(findings, "warning", "polygons", "masked on all dates", f"polygon_id {', '.join(map(str, gone))}")
    for flags in scene.glob("T31TCJ/*/MASKS/*_FLG_R1.tif"):
        change(flags, lambda image: np.ones_like(image))
    findings = run(scene)
    told(findings, "error", "masked pixels", "100.0 % of the scene", "Get the scene again")
    told(findings, "error", "class 3 Woodland broad-leaved trees", "no usable pixel for train")


def test_pixels_of_any_size_are_fine(scene):
    with rasterio.open(scene / "30.tif", "w", driver="GTiff", height=60, width=60, count=10, dtype="int16",
                       crs=32631, transform=from_origin(356040, 4835680, 30, 30)) as file:  # fmt: skip
        file.write(np.random.default_rng(0).integers(100, 4000, (10, 60, 60), np.int16))
    (scene / "30.dates.txt").write_text("2018-08-15\n")
    inspection = preflight.inspect(scene / "30.tif", scene / "polygons.gpkg")
    assert not [found for found in inspection.findings if found.subject == "grid"]
    assert "grid     60 x 60 pixels of 30 x 30 in EPSG:32631" in inspection.scene


@pytest.mark.parametrize("bands", [("VV", "VH"), ("NDVI",)])
def test_radar_and_indices_are_not_judged_as_reflectance(scene, bands):
    """VV of -12 dB and an NDVI of -0.5 are no wrong scale and no undeclared nodata."""
    series = open_scene(scene / "T31TCJ").compute().drop_vars("mask")[: len(bands)]
    levels = np.random.default_rng(0).normal(-12 if len(bands) > 1 else -0.5, 0.2, series.shape).astype(np.float32)
    cube = series.copy(data=levels).assign_coords(band=list(bands)).rename("x1")
    cube.attrs, cube.encoding = {}, {}
    cube.to_dataset().to_netcdf(scene / "cube.nc", engine="h5netcdf")
    findings = check(scene / "cube.nc", scene / "polygons.gpkg")
    assert {found.subject for found in findings} <= {"split"}, report(findings)


def test_large_scenes_are_sampled_from_corner_to_corner():
    for length in (1, 200, 256, 257, 300, 10980):
        places = pixel_faults._places(length)
        assert places[0].start == 0 and places[-1].stop == length and all(one.start < one.stop for one in places)
        assert sum(one.stop - one.start for one in places) <= 256
    assert len(pixel_faults._places(256)) == 1 and len(pixel_faults._places(10980)) == 8


# -- polygons ----------------------------------------------------------------------------------------------------------


def test_every_row_at_fault_is_listed_not_the_first_alone(scene):
    def spoil(table):
        table["code"] = table["code"].astype(object)
        table["code"] = table["code"].map(str)
        table.loc[0, "code"], table.loc[1, "code"], table.loc[2, "code"] = "water", None, "4"
        table.loc[3, "set"] = "holdout"
        x, y = table.geometry[5].centroid.x, table.geometry[5].centroid.y
        table.loc[4, "geometry"] = None
        table.loc[5, "geometry"] = shapely.Polygon([(x, y), (x + 50, y + 50), (x + 50, y), (x, y + 50)])
        table.loc[6, "geometry"] = shapely.LineString([(x, y), (x + 50, y)])
        table.loc[7, "geometry"] = shapely.affinity.translate(table.geometry[7], 1e5)
        return table

    table = redraw(scene, spoil)
    ids = table["polygon_id"].tolist()
    findings = run(scene, labels=Labels(nomenclature="clcplus"))
    number = len(table)
    told(
        findings, "error", "class code unknown", f"2 of {number} classes", "4, water", f"polygon_id {ids[0]}, {ids[2]} "
    )
    told(findings, "warning", "class codes", f"1 of {number} rows have no class", f"polygon_id {ids[1]} ", "--field")
    told(findings, "error", "column set", "holdout", f"polygon_id {ids[3]} ", "pool, train, training, test")
    told(
        findings, "warning", "geometry", "no geometry; they are left out", f"polygon_id {ids[4]} ", "Delete these rows"
    )
    told(findings, "warning", "outline invalid", "Self-intersection[", f"polygon_id {ids[5]} ", "--repair")
    told(findings, "warning", "geometry", "LineString", f"polygon_id {ids[6]} ", "draw polygons")
    told(findings, "error", "outside the scene", f"1 of {number} polygons", f"polygon_id {ids[7]} ", "Delete them")
    with pytest.raises(InputError) as raised:  # the reader stops at the first of these
        load_polygons(scene / "polygons.gpkg", crs=32631, nomenclature="clcplus")
    first = next(finding for finding in findings if finding.level == "error")
    assert raised.value.kind == first.kind and first.value in str(raised.value) and "more error" in str(raised.value)
    (scene / "T31TCJ").rename(scene / "elsewhere")  # the same without a scene, but for the place
    without = run(scene, labels=Labels(nomenclature="clcplus"))
    for found in findings:
        if found.subject in ("class codes", "class code unknown", "column set", "geometry", "outline invalid"):
            assert found in without
    told(without, "error", "scene", "does not exist")


@pytest.mark.parametrize("fault", ["no code", "no crs", "empty", "no geometry column", "garbage"])
def test_files_without_polygons(scene, fault):
    def spoil(table):
        return {
            "no code": lambda: table.rename(columns={"code": "klass"}).drop(columns="class_name"),
            "no crs": lambda: table.set_crs(None, allow_override=True),
            "empty": lambda: table.iloc[:0],
        }[fault]()

    if fault == "no geometry column":
        pd.DataFrame({"code": [1, 2]}).to_csv(scene / "polygons.csv", index=False)
        (scene / "polygons.gpkg").unlink()
        (scene / "polygons.csv").rename(scene / "polygons.gpkg")
    elif fault == "garbage":
        (scene / "polygons.gpkg").write_bytes(b"no polygons")
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            redraw(scene, spoil)
    (found,) = errors(run(scene))
    with pytest.raises(InputError) as error:
        load_polygons(scene / "polygons.gpkg")
    assert found.subject == "label file" and found.value in str(error.value)


def test_numbers_that_repeat(scene):
    redraw(scene, lambda table: table.assign(polygon_id=table["polygon_id"].replace({7: 9})))
    findings = run(scene)
    told(findings, "warning", "polygon numbers", "numbers repeat", "like 9", "--group-field")
    assert errors(findings) == []


@pytest.mark.filterwarnings("ignore:.*touch others of their class:paperlib.errors.InputWarning")
def test_overlaps_and_copies(scene):
    table = gpd.read_file(scene / "polygons.gpkg")
    one, other = ids_of(table, 3)[0], ids_of(table, 7)[0]
    outline = dict(zip(table["polygon_id"], table.geometry, strict=True))

    def spoil(table):
        table.loc[table["polygon_id"] == other, "geometry"] = outline[one].buffer(15)
        last = table["polygon_id"].max()
        rows = {"polygon_id": [last + 1, last + 2], "code": 11, "set": "pool"}
        twin = shapely.Polygon(outline[ids_of(table, 11)[0]].exterior.coords[::-1])
        copies = gpd.GeoDataFrame(rows, geometry=[twin, outline[ids_of(table, 11)[1]].buffer(8)], crs=table.crs)
        return pd.concat([table, copies], ignore_index=True)

    table = redraw(scene, spoil)
    area, last = outline[one].area, table["polygon_id"].max()
    second = ids_of(table, 11)[1]
    findings = run(scene)
    told(
        findings, "warning", "overlap", "1 pairs of different classes", f"{area:.0f} m2", f"{one} and {other}", "which"
    )
    told(findings, "warning", "overlap", "1 pairs of one class", f"{second} and {last}")
    told(findings, "warning", "drawn twice", f"are left out: 1 (polygon_id {last - 1})")
    told(findings, "warning", "polygons", "every pixel lies in another polygon too", f"{second}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        divided = split(load_polygons(scene / "polygons.gpkg"))
        try:
            burned = burn(divided, open_scene(scene / "T31TCJ"), legend_of(divided))
        except InputError:
            assert any("no usable pixel" in found.value for found in errors(findings))
        else:
            told(findings, "warning", "overlap", f"{burned.attrs['contested']} pixels lie in several polygons")


def test_polygons_without_a_pixel_and_beyond_the_edge(scene):
    table = gpd.read_file(scene / "polygons.gpkg")
    small = ids_of(table, 7)[0]
    left, bottom, _, _ = open_scene(scene / "T31TCJ").rio.bounds()

    def spoil(table):
        corner = shapely.Point(left + 500, bottom + 500).buffer(3)  # where four pixels meet
        table.loc[table["polygon_id"] == small, "geometry"] = corner
        edge = shapely.box(left - 30, bottom + 10, left + 10, bottom + 50)
        beside = shapely.box(left - 30, bottom + 500, left, bottom + 530)  # touches the scene along a line
        rows = {"polygon_id": [900, 901], "code": 7, "set": "pool"}
        return pd.concat([table, gpd.GeoDataFrame(rows, geometry=[edge, beside], crs=table.crs)], ignore_index=True)

    redraw(scene, spoil)
    findings = run(scene)
    told(findings, "warning", "polygons", "too small", f"polygon_id {small}, 901 ", "Draw them larger")
    told(findings, "warning", "outside the scene", "2 polygons reach out of it: 2101 m2", "polygon_id 900, 901")
    assert errors(findings) == []


def test_all_polygons_elsewhere(scene):
    redraw(scene, lambda table: table.set_crs(32632, allow_override=True))
    (found,) = errors(run(scene))
    assert found.subject == "outside the scene" and "Is the file's CRS right?" in found.fix


def test_classes_with_too_few_polygons_are_all_named(scene):
    def spoil(table):
        keep = pd.Series(True, table.index)
        keep[table.index[(table["code"] == 5) & (table["set"] == "pool")]] = False
        keep[table.index[(table["code"] == 10) & (table["set"] == "pool")][1:]] = False
        keep[table.index[(table["code"] == 2) & (table["set"] == "pool")][2:]] = False
        keep[table.index[(table["code"] == 6) & (table["set"] == "test")]] = False
        return table[keep]

    table = redraw(scene, spoil)
    findings = run(scene)
    place = "polygon_id " + ", ".join(map(str, ids_of(table, 5, "test")))
    told(findings, "error", "class 5 Shrubland", "0 polygons to divide among train and validation", place, "Draw more")
    told(findings, "error", "class 10 Non-vegetated land", "1 polygon to divide")
    told(findings, "warning", "class 2 Woodland needle-leaved trees", "2 polygons in the pool")
    told(findings, "warning", "class 6 Permanent herbaceous land", "no test polygon")
    assert len(errors(findings)) == 2
    redraw(scene, lambda table: table[table["code"].isin([2, 7])].assign(set="pool").groupby("code").head(2))
    findings = run(scene)  # without a test set, one more is needed
    told(findings, "error", "class 7 Periodically herbaceous land", "2 polygons to divide", "3 are needed")


def test_imbalance(scene):
    table = gpd.read_file(scene / "polygons.gpkg")

    def spoil(table):
        pool = (table["code"] == 5) & (table["set"] == "pool")
        left, bottom, _, _ = open_scene(scene / "T31TCJ").rio.bounds()
        tiny = [shapely.box(left + 10 * n, bottom + 20, left + 10 * n + 10, bottom + 30) for n in (1, 5, 9, 13, 17)]
        table.loc[pool, "geometry"] = tiny[: pool.sum()]
        wide = (table["code"] == 7) & (table["set"] == "pool")
        table.loc[wide, "geometry"] = table.geometry[wide].buffer(60)
        return table

    table = redraw(scene, spoil)
    assert len(ids_of(table, 5)) <= 5
    told(
        run(scene),
        "warning",
        "imbalance",
        "Shrubland",
        "training pixels; Periodically herbaceous land has",
        "oversampling",
    )


# -- agreement with what a run does ------------------------------------------------------------------------------------


def runs(series: Path, outlines: Path) -> bool:
    """Whether polygons and scene get as far as burned labels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            scene = open_scene(series)
            table = load_polygons(outlines, crs=scene.rio.crs, bounds=scene.rio.bounds())
            divided = split(keep_together(table, find_alike(scene, table, Labels().near))[0])
            burn(divided, scene, legend_of(divided))
        except InputError:
            return False
    return True


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.fault(
    "mangled attribute tables and outlines (generated)", "every fault is listed; never a crash", "nothing"
)
def test_mangled_tables_and_outlines_never_raise_and_errors_mean_that_no_run_is_possible(clean, stack, data):
    table = gpd.read_file(clean / "polygons.gpkg")
    rows = st.integers(0, len(table) - 1)
    for column, values in (
        ("code", st.one_of(st.none(), st.integers(-5, 300), st.floats(), st.text(max_size=3))),
        ("set", st.sampled_from([None, "", "pool", "train", "test", "TEST", "validation"])),
        ("polygon_id", st.one_of(st.none(), st.integers(-3, 10**12), st.text(max_size=2))),
    ):
        for row, value in data.draw(st.dictionaries(rows, values, max_size=3), label=column).items():
            table[column] = table[column].astype(object)
            table.loc[row, column] = value
        if table[column].dtype == object and data.draw(st.booleans()):
            table[column] = table[column].map(lambda value: None if value is None else str(value))
    shift = st.floats(-3000, 3000)
    for row, kind in data.draw(st.dictionaries(rows, st.integers(0, 6), max_size=4), label="outlines").items():
        outline = table.geometry[row]
        dx, dy = data.draw(shift), data.draw(shift)
        table.loc[row, "geometry"] = [
            None, shapely.Point(0, 0), shapely.Polygon(), shapely.affinity.translate(outline, dx, dy),
            shapely.box(0, 0, 1e300, 1e300), outline.buffer(abs(dx) / 10), shapely.affinity.scale(outline, 1e-4, 1e-4),
        ][kind]  # fmt: skip
    table = table.drop(columns=data.draw(st.sets(st.sampled_from(["code", "set", "polygon_id"]), max_size=1)))
    table = table.set_crs(data.draw(st.sampled_from([32631, 32631, 32631, 4326, 3857, 32632])), allow_override=True)
    table = table.iloc[: data.draw(st.sampled_from([len(table), len(table), 3, 1, 0]))]
    path = clean / "p.gpkg"
    path.unlink(missing_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            table.to_file(path)
        except Exception:  # what cannot be written is no file of a user
            assume(False)
    findings = check(stack, path)
    assert all(isinstance(one, str) for found in findings for one in asdict(found).values())
    assert (exit_code(findings) == 2) is not runs(stack, path), report(findings)
    report(findings)


@pytest.mark.filterwarnings("ignore:.*polygons? holds? no pixel")
@pytest.mark.parametrize("shift", [(0, 0), (3.3, -4.1), (-7.7, 9.2)])
def test_pixels_are_counted_as_burned(clean, shift):
    scene = open_scene(clean / "T31TCJ")
    polygons = load_polygons(clean / "polygons.gpkg")
    polygons["geometry"] = polygons.geometry.translate(*shift)
    claims = labelled.claimed_pixels(scene, polygons)
    burned = burn(polygons, scene, legend_of(polygons))
    assert burned.attrs["contested"] == 0 and len(claims) == (burned.polygon >= 0).sum() > 300
    assert (burned.polygon.values[claims["y"], claims["x"]] == claims["polygon_id"]).all()


@pytest.mark.fault(
    "one field in several polygons, without a common number", "a warning with the way to group them", "nothing"
)
def test_polygons_with_one_series_are_found(scene):
    """Blocks of 40 m that hold one value, as coarse images have on a fine grid."""
    for path in scene.glob("T31TCJ/*/*_FRC_B*.tif"):
        with rasterio.open(path) as file:
            side = 4 if file.width == 96 else 2
        change(path, lambda image, side=side: image[:, ::side, ::side].repeat(side, axis=1).repeat(side, axis=2))
    left, _, _, top = open_scene(scene / "T31TCJ").rio.bounds()
    places = [(column, row) for column in range(0, 96, 8) for row in range(0, 96, 24)]
    points = [shapely.Point(left + 10 * c + 5 + 20 * n, top - 10 * r - 5 - 20 * n) for c, r in places for n in (0, 1)]
    table = gpd.GeoDataFrame({"code": np.repeat([3, 7, 11] * (len(places) // 3), 2)}, geometry=points, crs=32631)
    table.assign(place=np.repeat(range(len(places)), 2)).to_file(scene / "pairs.gpkg")
    choices = {"group_field": "place"}
    loose, grouped = (
        check(scene / "T31TCJ", scene / "pairs.gpkg", Settings(labels=Labels(**choice))) for choice in ({}, choices)
    )
    told(loose, "warning", "split", "polygons have the series of another one", "--group-field")
    assert not [finding for finding in grouped if finding.kind == "labels.alike"]


# -- legend and options ------------------------------------------------------------------------------------------------


def test_the_legend_stands_before_the_findings(scene):
    redraw(scene, lambda table: table.assign(code=table["code"] + 1000).drop(columns="class_name"))
    inspection = preflight.inspect(scene / "T31TCJ", scene / "polygons.gpkg")
    first, second = inspection.text().splitlines()[:2]
    assert first.split() == ["in", "maps", "in", "the", "file", "labels", "colour", "class"]
    number = len(gpd.read_file(scene / "polygons.gpkg").query("code == 1001"))
    assert second.split()[:3] == ["1", "1001", str(number)] and second.endswith("class 1001")
    assert inspection.text().endswith(report(inspection.findings))


# -- report ------------------------------------------------------------------------------------------------------------


def test_the_report_is_text_that_fits_and_json(scene):
    band_file(scene, "2018-03-15", "B3").unlink()
    findings = run(scene)
    assert [found.level for found in findings] == sorted(found.level for found in findings)  # errors first
    text = report(findings)
    assert text.startswith("ERROR   bands missing\n        found B3\n        where 2018-03-15,")
    assert all(len(line) <= 118 or " " not in line.strip() for line in text.splitlines())
    assert f"1 error, {len(findings) - 1} warnings." in text and "checked in 8 windows of 32 along" in text
    assert [Finding(**one) for one in json.loads(json.dumps([asdict(found) for found in findings]))] == findings
    warning = Finding("warning", "a", "b", "c", "d")
    assert [exit_code(one) for one in ([], [warning], [warning, Finding("error", "a", "b", "c", "d")])] == [0, 1, 2]


def test_too_few_pixels_for_a_forest_are_told_with_the_way_out(clean, stack, tmp_path):
    table = gpd.read_file(clean / "polygons.gpkg")
    centres = table.geometry.representative_point()
    pixel = gpd.GeoSeries(shapely.box(centres.x - 5, centres.y - 5, centres.x + 5, centres.y + 5), crs=table.crs)
    table.assign(geometry=pixel).to_file(tmp_path / "few.gpkg")
    finding = told(check(stack, tmp_path / "few.gpkg", Settings()), "warning", "pixels", "may show a single class")
    assert finding.kind == "training.few" and "--set train.largest_leaf=1" in finding.fix
    fine = Settings(train=Train(largest_leaf=1))
    assert not [found for found in check(stack, tmp_path / "few.gpkg", fine) if found.kind == "training.few"]


def test_classes_that_a_forest_may_not_show_are_told():
    """A class with fewer pixels than half a leaf holds is outvoted in it."""
    usable = pd.Series([200, 9, 11], [0, 1, 2])
    table = gpd.GeoDataFrame(
        {"polygon_id": range(3), "code": range(1, 4), "class_name": ["wheat", "maize", "beet"]},
        geometry=[shapely.box(n, 0, n + 1, 1) for n in range(3)], crs=32631,
    ).assign(set="train")  # fmt: skip
    findings: list[Finding] = []
    labelled.check_classes(table, usable, 20, findings)
    finding = next(found for found in findings if found.kind == "training.few")
    assert finding.value.startswith("maize: fewer than half") and "--set train.largest_leaf=1" in finding.fix
    findings.clear()
    labelled.check_classes(table, usable, 1, findings)
    assert not [found for found in findings if found.kind == "training.few"]
