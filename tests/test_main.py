"""The command line: a message instead of a traceback, and exit codes that scripts can use."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

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
        (["labels", "FOLDER/gone.tif", "corine", "FOLDER", "--out", "FOLDER/p.gpkg"], "No mapping table corine"),
    ],
)
def test_mistakes_exit_with_2_and_no_traceback(arguments, message, tmp_path):
    answer = paperlib(*[argument.replace("FOLDER", str(tmp_path)) for argument in arguments])
    assert answer.returncode == 2
    assert message in answer.stderr and "Traceback" not in answer.stderr
    assert [line for line in answer.stderr.splitlines() if line.startswith("paperlib: ")]  # after the check's report


def test_verbose_adds_the_traceback(tmp_path):
    answer = paperlib("-v", "batch", str(tmp_path / "gone.yml"))
    assert answer.returncode == 2 and "Traceback" in answer.stderr
    assert answer.stderr.splitlines()[-1].startswith("paperlib: ")


@pytest.mark.parametrize("arguments", [["trian"], ["map", "--modle", "x"], ["fetch", "x", "--year", "soon"]])
def test_a_misspelt_command_option_or_value_is_named(arguments):
    answer = paperlib(*arguments)
    assert answer.returncode == 2 and "Traceback" not in answer.stderr
    assert any(word in answer.stderr for word in ("trian", "--modle", "--year"))


@pytest.mark.fault(
    "Ctrl-C in the middle of a command", "one line, exit code 130, nothing half-written", "the work begun"
)
def test_control_c_ends_with_130_and_leaves_nothing_half_written(tmp_path):
    command = [sys.executable, "-m", "paperlib", "simulate", str(tmp_path / "new"), "--preset", "demo"]
    heard = partial(
        signal.signal, signal.SIGINT, signal.default_int_handler
    )  # deaf where the tests run in the background
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    while not list(tmp_path.rglob("*.tif")) and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said and said.splitlines()[-1].startswith("paperlib: stopped")
    assert list(tmp_path.iterdir()) == []
