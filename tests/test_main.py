"""The command line: a message instead of a traceback, and exit codes that scripts can use."""

import subprocess
import sys

import pytest


def paperlib(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "paperlib", *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def test_simulate_writes_a_scene(tmp_path):
    answer = paperlib("simulate", str(tmp_path / "new"), "--preset", "tiny")
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "new" / "polygons.gpkg").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "toulouse"], "say --year and one of --tile, --bbox, --l2a"),
        (["train", "FOLDER/gone", "FOLDER/gone.gpkg"], "cannot be used as they are"),
        (["map", "FOLDER", "FOLDER/gone.gpkg", "--out", "FOLDER/maps", "--model", "4D-CNN"], "Unknown model '4D-CNN'"),
        (["simulate", "FOLDER", "--preset", "huge"], "Unknown preset 'huge'"),
        (["batch", "FOLDER/gone.yml"], "cannot be read as YAML"),
    ],
)
def test_mistakes_exit_with_2_and_no_traceback(arguments, message, tmp_path):
    answer = paperlib(*[argument.replace("FOLDER", str(tmp_path)) for argument in arguments])
    assert answer.returncode == 2
    assert message in answer.stderr and "Traceback" not in answer.stderr
    assert [line for line in answer.stderr.splitlines() if line.startswith("paperlib: ")]  # after the check's report
