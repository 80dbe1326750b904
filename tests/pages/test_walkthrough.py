"""The scene of the how-to page is as described, its draft has the faults it names, and its outputs are those of commands."""

import shutil

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import from_origin

from paperlib import open_scene
from paperlib.checks import preflight
from paperlib.compositing.acquisitions import local_acquisitions
from paperlib.errors import InputError
from paperlib.labels.polygons import load_polygons
from paperlib.mapping.gis import write_categories
from paperlib.nomenclature import CLASSES, colour_table
from paperlib.pages.walkthrough import (
    EMPTY,
    HELD,
    LEGEND,
    MONTHS,
    list_files,
    read_gis_classes,
    run_command,
    write_acquisitions,
    write_draft,
)


@pytest.fixture(scope="module")
def folder(lagoon, tmp_path_factory):
    folder = shutil.copytree(lagoon[0].parent, tmp_path_factory.mktemp("walk") / "lagoon")
    polygons = folder / "lagoon.gpkg"
    write_draft(polygons, folder / "draft.gpkg")
    return folder


def test_the_scene_is_unlike_the_paper_s(folder):
    scene = open_scene(folder / "lagoon.nc")
    assert tuple(scene.band.values) == HELD and "B8" not in HELD and len(HELD) == 9
    assert list(scene.indexes["time"]) == list(MONTHS) and len(MONTHS) == 12
    masked = scene.mask.mean(("y", "x")).values
    assert (masked[EMPTY] == 1).all() and masked[5] == 0.5 and (np.delete(masked, [*EMPTY, 5]) == 0).all()
    seen = scene.values[:, np.delete(range(12), [*EMPTY, 5])]
    assert seen.min() > 0 and 0.1 < seen.max() <= 1
    table = load_polygons(folder / "lagoon.gpkg", scene.rio.crs, scene.rio.bounds())
    assert sorted(table["code"].unique()) == LEGEND["code"] and set(table["class_name"]) == set(LEGEND["name"])


def test_the_draft_has_its_faults_and_the_mended_file_has_none_of_them(folder):
    faults = {"outline invalid", "outside the scene", "drawn twice", "overlap", "polygons"}
    draft, mended = (preflight.check(folder / "lagoon.nc", folder / f"{name}.gpkg") for name in ("draft", "lagoon"))
    assert faults <= {found.subject for found in draft} and preflight.exit_code(draft) == 2
    assert not faults & {found.subject for found in mended} and preflight.exit_code(mended) == 1


def test_what_a_command_prints_is_shown_as_it_is(folder):
    shown = run_command("paperlib check lagoon.nc gone.gpkg", folder, expected=2)
    assert "$ paperlib check lagoon.nc gone.gpkg" in shown and "(exit code 2)" in shown and "ERROR" in shown
    with pytest.raises(InputError, match=r"exited with 2, not 0:\n(.|\n)*ERROR"):
        run_command("paperlib check lagoon.nc gone.gpkg", folder)
    with pytest.raises(InputError, match="is no command of paperlib"):
        run_command("rm -r .", folder)


def test_acquisitions_make_a_year_of_syntheses(tmp_path):
    write_acquisitions(tmp_path / "l2a")
    assert [acquisition.date for acquisition in local_acquisitions(tmp_path / "l2a")] == list(MONTHS)


def test_a_tree_counts_what_lies_deeper(tmp_path):
    for name in ("a/b/c.txt", "a/b/d/e.txt", ".hidden/x", "top.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("12345")
    lines = list_files(tmp_path, 2).split("<pre>")[1].split("</pre>")[0].splitlines()
    assert lines == [
        "a/",
        "    b/   2 files",
        "top.txt  5 bytes",
    ]  # no wider than the names: a page has room for 80 letters


def test_gdal_is_asked_for_names_and_colours(tmp_path):
    path = tmp_path / "class.tif"
    place = {"crs": "EPSG:32631", "transform": from_origin(0, 20, 10, 10)}
    with rasterio.open(path, "w", driver="GTiff", count=1, height=2, width=2, dtype="uint8", **place) as file:
        file.write(np.ones((1, 2, 2), np.uint8))
        file.write_colormap(1, colour_table(CLASSES))
    write_categories(tmp_path / "class.tif.aux.xml", CLASSES)
    expected = pd.DataFrame([cover[:3] for cover in CLASSES], columns=["code", "class", "colour"])
    pd.testing.assert_frame_equal(read_gis_classes(path), expected)


def test_a_warning_is_one_line_and_names_no_file_of_the_library(folder):
    scene = open_scene(folder / "lagoon.nc")
    place = {"crs": scene.rio.crs, "transform": scene.rio.transform(), "height": 96, "width": 96}
    with rasterio.open(folder / "cover.tif", "w", driver="GTiff", count=1, dtype="uint8", **place) as file:
        file.write(np.full((1, 96, 96), 1, np.uint8))
    (folder / "mapping.csv").write_text("source,code\n1,1\n7,7\n")
    words = "cover.tif mapping.csv lagoon.nc --nomenclature lagoon.classes.csv --per-class 2 --out drawn.gpkg"
    shown = run_command(f"paperlib labels {words}", folder)
    assert "\npaperlib: Fewer than 2 polygons of Towns &amp; roads 0" in shown and ".py" not in shown
