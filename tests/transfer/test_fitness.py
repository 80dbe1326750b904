"""The pre-flight says whether a scene fits a trained model: the share outside its area, what is far, what is missing."""

import pytest

from paperlib import open_scene
from paperlib.scenes.shaping.saving import save_cube
from paperlib.settings import Settings
from paperlib.transfer.fitness import inspect_for
from support.commands import paperlib


@pytest.fixture(scope="module")
def cube(part, tmp_path_factory):
    path = tmp_path_factory.mktemp("cube") / "part.nc"
    save_cube(part, path)
    return path


def inspect(model, path):
    findings = []
    return inspect_for([model], path, Settings(), findings), findings


def test_at_home_the_share_outside_is_said_and_nothing_is_far(model, cube):
    lines, findings = inspect(model, cube)
    assert not [finding for finding in findings if finding.kind == "model.far"]
    assert lines[0] == "TempCNN, trained on simulated:"
    assert any(line.startswith("Outside the area of applicability:") for line in lines) and "windows" in lines[-1]


def test_a_scene_far_from_the_training_is_a_warning(model, cube, tmp_path):
    scene = open_scene(cube)
    save_cube(scene * 0.4 + 0.3, tmp_path / "bright.nc")
    lines, findings = inspect(model, tmp_path / "bright.nc")
    far = [finding.value for finding in findings if finding.kind == "model.far"]
    assert any("outside the area of applicability" in value for value in far), lines


def test_a_scene_that_lacks_a_band_is_an_error(model, cube, tmp_path):
    save_cube(open_scene(cube).sel(band=["B2", "B3", "B4"]), tmp_path / "three.nc")
    lines, findings = inspect(model, tmp_path / "three.nc")
    assert not lines and "error" in {finding.level for finding in findings if "missing" in finding.value}
    assert inspect(model, tmp_path / "gone.nc")[1][0].level == "error"


def test_check_by_the_command_line_without_polygons(models, cube, tmp_path):
    done = paperlib("check", cube, "--trained", models / "TempCNN", folder=tmp_path)
    assert done.returncode in (0, 1) and "Outside the area of applicability:" in done.stdout, done.stderr
    done = paperlib("check", cube, folder=tmp_path)
    assert done.returncode == 2 and "Give POLYGONS, or --trained FOLDER." in done.stderr
