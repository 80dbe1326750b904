"""Twenty wrong inputs: the check says one problem with its cure, and no less than the reader's own error."""

import re
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import typer
import xarray as xr

from paperlib import load_polygons, open_scene
from paperlib.__main__ import cli
from paperlib.checks.preflight import check, exit_code
from paperlib.errors import Finding, InputError
from paperlib.scenes.meaning.choices import keywords_of
from paperlib.settings import Labels, Scene, Settings
from support.series import COLUMNS, DAYS, GRID, LEFT, PADDED, ROWS, TOP, VALUES, X, Y, stored

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]+")


def write_stack(path: Path, described: bool = True) -> Path:
    layers = stored().swapaxes(0, 1).reshape(-1, ROWS, COLUMNS)
    profile = {"count": len(layers), "height": ROWS, "width": COLUMNS, "dtype": "int16", "nodata": -9999}
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:32631", transform=GRID, **profile) as file:
        file.write(layers)
        if described:
            file.descriptions = [f"{day:%Y-%m-%d} {band}" for day in DAYS for band in PADDED.values()]
    return path


def squares(**columns) -> gpd.GeoDataFrame:
    """Four squares of 20 m of each of two classes."""
    places = [(40 * column, 60 + 100 * row) for column in range(4) for row in range(2)]
    shapes = [shapely.box(LEFT + 60 + x, TOP - y - 20, LEFT + 80 + x, TOP - y) for x, y in places]
    return gpd.GeoDataFrame({"code": [3, 7] * 4} | columns, geometry=shapes, crs=32631)


@pytest.fixture
def given(tmp_path) -> tuple[Path, Path]:
    squares().to_file(tmp_path / "labels.gpkg")
    return write_stack(tmp_path / "scene.tif"), tmp_path / "labels.gpkg"


def in_folder(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        (path / name).write_bytes(b"%PDF-1.4")
    return path


def cut(path: Path) -> Path:
    whole = write_stack(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def undated(path: Path, *lines: str) -> Path:
    write_stack(path, described=False)
    if lines:
        path.with_suffix(".dates.txt").write_text("\n".join(lines))
    return path


def cube(path: Path, **axes) -> Path:
    places = {"band": list(PADDED.values()), "time": DAYS, "y": Y, "x": X} | axes
    xr.DataArray(VALUES, places, ("band", "time", "y", "x"), "sr").to_netcdf(path)
    return path


def text(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


#: What is wrong -> the scene, from a folder; words of the problem and of the cure.
SCENES = {
    "no such path": (lambda folder: folder / "scenes", "does not exist", "Check the path"),
    "PDFs": (lambda folder: in_folder(folder / "pdfs", "a.pdf"), "holds no scene.*a.pdf", "Give the folder"),
    "empty folder": (lambda folder: in_folder(folder / "empty"), "it is empty", "Give the folder"),
    "cut file": (lambda folder: cut(folder / "cut.tif"), "cut.tif cannot be read", "Get it again"),
    "text": (lambda folder: text(folder / "text.tif", "hello"), "text.tif cannot be read", "Get it again"),
    "no CRS": (lambda folder: cube(folder / "c.nc"), "has no CRS", "write_crs"),
    "no dates": (lambda folder: undated(folder / "u.tif"), "not known", "u.dates.txt"),
    "odd dates": (lambda folder: undated(folder / "u.tif", "15 mai", "Nov"), "cannot be read: '15 mai'", "2018-08-15"),
    "few dates": (lambda folder: undated(folder / "u.tif", "2018-05-15"), "40 layers; 1 date x 10 bands", "dates.txt"),
    "empty zarr": (lambda folder: in_folder(folder / "a.zarr"), "cannot be read", "complete"),
    "no STAC": (lambda folder: text(folder / "item.json", "{}"), "no STAC item", "Give an item"),
    "a picture": (lambda folder: text(folder / "a.png", "x"), "no known scene", "A folder of images"),
}
#: Options of the scene that are wrong.
OPTIONS = {
    "sensor": (Scene(sensor="sentinel2b9"), "Unknown sensor", "--sensor"),
    "every": (Scene(every="fortnight"), "every = 'fortnight' is not possible", "16D"),
    "bands": (Scene(bands=("B2", "B99")), "B99", "--bands|Choose|has"),
}
#: What is wrong -> the labels.
LABELS = {
    "no such path": (lambda folder: folder / "label.gpkg", "does not exist", "Check the path"),
    "no CRS": (
        lambda folder: save(squares().set_crs(None, allow_override=True), folder / "l.shp"),
        "no coordinate ref",
        "CRS",
    ),
    "elsewhere": (lambda folder: save(moved(1e5), folder / "l.gpkg"), "outside the scene", "CRS"),
    "nothing": (lambda folder: save(squares().head(0), folder / "l.gpkg"), "holds no polygons", "--layer"),
    "lines": (lambda folder: save(lines(), folder / "l.gpkg"), "no polygon and no point", "draw polygons"),
    "odd sets": (lambda folder: save(squares(set="learn"), folder / "l.gpkg"), "'learn'", "--set-field"),
    "no places": (lambda folder: text(folder / "l.csv", "a,b\n1,2\n"), "no columns of coordinates", "longitude"),
    "an image": (lambda folder: write_stack(folder / "l.tif"), "cannot be read as a vector file", "paperlib labels"),
}
#: Options of the labels that are wrong.
FIELDS = {
    "field": (Labels(field="crop"), "no column 'crop'; the file has code", "--field"),
    "group_field": (Labels(group_field="farm"), "no column 'farm'", "--group-field"),
    "nomenclature": (Labels(nomenclature="corine"), "No nomenclature corine", "CSV"),
}


def save(table: gpd.GeoDataFrame, path: Path) -> Path:
    table.to_file(path)
    return path


def moved(metres: float) -> gpd.GeoDataFrame:
    table = squares()
    return table.assign(geometry=table.translate(metres, 0))


def lines() -> gpd.GeoDataFrame:
    table = squares()
    return table.assign(geometry=table.boundary)


def only_error(findings: list[Finding], problem: str, cure: str) -> Finding:
    """The one error; asserts what it says, that it is no half sentence, and that options it names are those of `check`."""
    found = [finding for finding in findings if finding.level == "error"]
    assert len(found) == 1 and exit_code(findings) == 2, found
    assert re.search(problem, found[0].value) and re.search(cure, found[0].fix), found[0]
    assert found[0].value.rstrip()[-1] not in ";:," and found[0].fix and "Traceback" not in found[0].value
    known = {name for option in typer.main.get_command(cli).commands["check"].params for name in option.opts}
    assert set(OPTION.findall(re.sub(r"\brio .*", "", found[0].fix))) <= known
    return found[0]


def no_less(found: Finding, read, *arguments, **keywords) -> None:
    """The reader stops with the same problem and cure."""
    with pytest.raises(InputError) as caught:
        read(*arguments, **keywords)
    assert found.value.rstrip(".") in caught.value.problem and found.fix.rstrip(".") in str(caught.value)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.filterwarnings("ignore")
def test_wrong_scenes(given, tmp_path, name):
    make, problem, cure = SCENES[name]
    path = make(tmp_path)
    no_less(only_error(check(path, given[1]), problem, cure), open_scene, path)


@pytest.mark.parametrize("name", OPTIONS)
def test_wrong_options_of_the_scene(given, name):
    chosen, problem, cure = OPTIONS[name]
    found = only_error(check(*given, Settings(scene=chosen)), problem, cure)
    no_less(found, open_scene, given[0], **keywords_of(chosen))


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.filterwarnings("ignore")
def test_wrong_labels(given, tmp_path, name):
    make, problem, cure = LABELS[name]
    path, scene = make(tmp_path), open_scene(given[0])
    place = {"crs": scene.rio.crs, "bounds": scene.rio.bounds(), "pixel": (10.0, 10.0)}
    no_less(only_error(check(given[0], path), problem, cure), load_polygons, path, **place)


@pytest.mark.parametrize("name", FIELDS)
def test_wrong_options_of_the_labels(given, name):
    chosen, problem, cure = FIELDS[name]
    found = only_error(check(*given, Settings(labels=replace(chosen))), problem, cure)
    no_less(found, load_polygons, given[1], options=chosen)


def test_labels_of_one_class(given, tmp_path):
    save(squares(code=[7] * 8), tmp_path / "l.gpkg")
    only_error(check(given[0], tmp_path / "l.gpkg"), "all labels are of one class", "--field")


def test_a_class_in_the_test_set_alone(given, tmp_path):
    sets = np.where(np.arange(8) % 2, "test", "pool")
    save(squares(set=sets), tmp_path / "l.gpkg")
    only_error(check(given[0], tmp_path / "l.gpkg"), "0 polygons to divide.*4 are test", "Draw more")
