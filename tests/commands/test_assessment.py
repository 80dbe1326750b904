"""From a map to interpreted points, a report and a comparison by the command line, as a user would."""

import json
import re
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio

from paperlib.__main__ import app
from support.maps import LEGEND, write_map


@pytest.fixture
def paperlib(monkeypatch, capsys):
    def run(*words) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["paperlib", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            app()
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return run


@pytest.fixture
def truth() -> np.ndarray:
    codes = np.full((120, 100), 2)
    codes[:, :30] = 1
    return codes


def interpret(points, class_map, truth: np.ndarray) -> None:
    table = gpd.read_file(points)
    with rasterio.open(class_map / "class.tif") as file:
        places = [file.index(point.x, point.y) for point in table.geometry]
    names = {cover.code: cover.name for cover in LEGEND}
    table.assign(reference=[names[truth[place]] for place in places]).to_file(points)


def test_from_a_map_to_a_report_and_back(tmp_path, paperlib, truth):
    codes = np.where(np.random.default_rng(0).random(truth.shape) < 0.1, 3 - truth, truth)
    mapped, points = write_map(tmp_path / "map", codes), tmp_path / "points" / "points.gpkg"
    code, out, _ = paperlib("design", mapped, "--number", 300, "--out", tmp_path / "points", "--simple")
    assert code == 0 and "300 points of       12,000 pixels: map" in out
    code, out, err = paperlib("accuracy", mapped, points)
    assert code == 2 and "without a reference class" in err and "Traceback" not in err
    interpret(points, mapped, truth)
    code, out, _ = paperlib("accuracy", mapped, points, "--out", tmp_path / "report", "--zone", 0.2)
    assert code == 0 and (tmp_path / "report" / "accuracy.html").is_file()
    low, high = map(float, re.search(r"interval ([\d.]+) % to ([\d.]+) %", out).groups())
    assert low <= 100 * (codes == truth).mean() <= high and high - low < 12
    assert re.search(r"confidence is 70 % or more \(100 % of the map, 1(19|20)\.\d ha\)", out)
    assert pd.read_csv(tmp_path / "report" / "accuracy.csv").query("score == 'area'")[
        "estimate"
    ].sum() == pytest.approx(1)


def test_two_maps_are_compared(tmp_path, paperlib, truth):
    generator = np.random.default_rng(0)
    maps = [
        write_map(tmp_path / name, np.where(generator.random(truth.shape) < wrong, 3 - truth, truth))
        for name, wrong in (("good", 0.05), ("bad", 0.3))
    ]
    assert paperlib("design", *maps, "--number", 80, "--out", tmp_path / "points")[0] == 0
    points = tmp_path / "points" / "points.gpkg"
    interpret(points, maps[0], truth)
    code, out, _ = paperlib("compare", *maps, points)
    assert code == 0 and re.search(r"good alone is right at (\d+) points", out)
    assert float(re.search(r"p = (\S+)\.", out).group(1)) < 0.001
    code, _, err = paperlib("accuracy", maps[0], points)
    assert code == 2 and "drawn on 2 maps" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--number", 10, "--error", 0.1], "either --number or --error"),
        ([], "either --number or --error"),
        (["--number", 10, "--allocation", "fair"], "Choose one of equal, proportional, neyman"),
        (["--number", 3], "do not suffice for 2 strata"),
        (["--number", 10, "--strata", "none.tif"], "none.tif cannot be read"),
    ],
)
def test_mistakes_of_a_design_are_one_line(tmp_path, paperlib, truth, words, said):
    mapped = write_map(tmp_path / "map", truth)
    code, _, err = paperlib("design", mapped, "--out", tmp_path / "points", *words)
    assert code == 2 and said in err and err.count("\n") == 1 and not (tmp_path / "points").exists()


def test_what_is_no_map_and_no_design_is_named(tmp_path, paperlib, truth):
    mapped = write_map(tmp_path / "map", truth)
    (tmp_path / "points.csv").write_text("id,reference\n1,Water\n")
    (tmp_path / "design.json").write_text(json.dumps({"maps": []}))
    for words, said in (
        (["accuracy", tmp_path / "none", tmp_path / "points.csv"], "is no class map"),
        (["accuracy", mapped, tmp_path / "points.csv"], "is no sampling design"),
        (["accuracy", mapped, tmp_path / "none.csv"], "cannot be read as points"),
    ):
        code, _, err = paperlib(*words)
        assert code == 2 and said in err and "Traceback" not in err


def test_a_folder_with_one_map_below_is_that_map_and_several_are_named(tmp_path, paperlib, truth):
    folder = tmp_path / "maps"
    for name, expected in (("a", 0), ("b", 2)):
        folder.mkdir(exist_ok=True)
        write_map(folder / name, truth)
        code, _, err = paperlib("design", folder, "--number", 20, "--out", tmp_path / f"points-{name}")
        assert code == expected
    assert "holds several maps: a, b." in err
