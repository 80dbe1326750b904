"""The command line: a message instead of a traceback, and exit codes that scripts can use."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from importlib import metadata

import pytest
import typer
from typer.testing import CliRunner

from paperlib import settings
from paperlib.commands.options import SETTING_OPTIONS, takes_settings
from support.commands import paperlib


def test_simulate_writes_a_scene(tmp_path):
    command = [sys.executable, "-m", "paperlib", "simulate", "new", "--preset", "tiny"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "new" / "polygons.gpkg").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fetch", "toulouse"], "and one of --tile, --bbox and --l2a"),
        (["train", "FOLDER/gone", "FOLDER/gone.gpkg"], "cannot be used as they are"),
        (["map", "FOLDER", "FOLDER/gone.gpkg", "--out", "FOLDER/maps", "--model", "4D-CNN"], "Unknown model '4D-CNN'"),
        (["simulate", "FOLDER", "--preset", "huge"], "Unknown preset 'huge'"),
        (["batch", "FOLDER/gone.yml"], "cannot be read as YAML"),
        (["labels", "FOLDER/gone.tif", "corine", "FOLDER", "--out", "FOLDER/p.gpkg"], "No mapping table corine"),
    ],
)
def test_mistakes_exit_with_2_and_no_traceback(arguments, message, tmp_path):
    answer = paperlib(*[argument.replace("FOLDER", str(tmp_path)) for argument in arguments], folder=tmp_path)
    assert answer.returncode == 2
    assert message in answer.stderr and "Traceback" not in answer.stderr
    assert [line for line in answer.stderr.splitlines() if line.startswith("paperlib: ")]  # after the check's report


@pytest.mark.parametrize("command", ["check", "train", "map", "run"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "train.epoch=3"], "Unknown setting 'train.epoch'. Did you mean 'train.epochs'?"),
        (["--set", "train.epochs=many"], "Expected: a whole number from 1 to 100000"),
        (["--set", "train.epochs"], "--set train.epochs has no value. Write --set train.epochs=40."),
        (["--settings", "gone.yml"], "gone.yml cannot be read"),
        (
            ["--resampling", "lanczos"],
            "scene.resampling = 'lanczos' is not possible. Choose nearest, bilinear or cubic.",
        ),
    ],
)
def test_settings_are_checked_before_anything_slow_is_imported(command, options, message, tmp_path):
    code = (
        "import sys\nfrom paperlib.__main__ import app\n"
        "try:\n    app()\nexcept SystemExit as end:\n"
        "    print('imported', *({'torch', 'sklearn', 'rasterio'} & set(sys.modules)), file=sys.stderr)\n    raise"
    )
    arguments = [command, "scene", "polygons.gpkg", *options, *(["--out", "out"] if command in ("map", "run") else [])]
    answer = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert answer.stderr.splitlines() == [f"paperlib: {answer.stderr.splitlines()[0][10:]}", "imported"]
    assert message in answer.stderr


def test_set_wins_over_an_option_and_an_option_over_a_file(tmp_path):
    given = []

    @takes_settings
    def command(overrides: dict, preset: str = "") -> None:
        given.append((overrides, preset))

    (tmp_path / "mine.yml").write_text("scene: {resampling: nearest}\ntrain.epochs: 3\nsample.patch: 20\n")
    cli = typer.Typer()
    cli.command()(command)
    pairs = ["--set", "train.epochs=4", "--set", "sample.split = pixel"]
    file = ["--settings", str(tmp_path / "mine.yml")]
    result = CliRunner().invoke(cli, [*pairs, *file, "--resampling", "cubic", "--preset", "tiny"])
    assert result.exit_code == 0, result.output
    expected = {"scene.resampling": "cubic", "train.epochs": "4", "sample.patch": "20", "sample.split": "pixel"}
    assert given == [(expected, "tiny")]


def test_every_option_that_overrides_a_setting_names_one():
    assert set(SETTING_OPTIONS) <= set(settings.known())


def test_settings_are_listed_with_their_values(tmp_path):
    answer = paperlib("settings", "--preset", "tiny", folder=tmp_path)
    assert answer.returncode == 0, answer.stderr
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in answer.stdout.splitlines()}
    assert set(rows) == set(settings.known()) and rows["train.epochs"] == "2 a whole number from 1 to 100000"


def test_version(tmp_path):
    answer = paperlib("--version", folder=tmp_path)
    assert answer.returncode == 0 and answer.stdout.strip() == f"paperlib {metadata.version('paperlib')}"


def test_warnings_of_libraries_are_not_shown_as_ours():
    code = (
        "import warnings\nfrom paperlib import __main__ as main, errors\n"
        "main.cli = lambda: [warnings.warn(one) for one in (PendingDeprecationWarning('Use `@` matmul'),"
        " UserWarning('a library speaks'), errors.InputWarning('Two rows are doubtful.', 'Look at them.'))]\nmain.app()"
    )
    command = [sys.executable, "-W", "always", "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.stderr == "paperlib: Two rows are doubtful. Look at them.\n" and answer.stdout == ""


def test_verbose_adds_the_traceback(tmp_path):
    answer = paperlib("-v", "batch", "gone.yml", folder=tmp_path)
    assert answer.returncode == 2 and "Traceback" in answer.stderr
    assert answer.stderr.splitlines()[-1].startswith("paperlib: ")


@pytest.mark.parametrize("arguments", [["trian"], ["map", "--modle", "x"], ["fetch", "x", "--year", "soon"]])
def test_a_misspelt_command_option_or_value_is_named(arguments, tmp_path):
    answer = paperlib(*arguments, folder=tmp_path)
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
