"""Artifacts are found or made, whole or not at all."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from paperlib import store
from paperlib.errors import InputError


@pytest.fixture
def root(tmp_path) -> Path:
    """An empty store."""
    return tmp_path / "store"


def write_number(folder):
    (folder / "number.txt").write_text("1")


def test_made_once_then_found(root):
    calls = []

    def make(folder):
        calls.append(folder)
        write_number(folder)

    first = store.find_or_make(root, "stage", "name", "key", make, {"seed": 3})
    second = store.find_or_make(root, "stage", "name", "key", make, {"seed": 3})
    assert first == second == root / "stage" / "name-key"
    assert len(calls) == 1 and (first / "number.txt").read_text() == "1"
    facts = json.loads((first / "provenance.json").read_text())
    assert facts["settings"] == {"seed": 3} and facts["seconds"] >= 0 and "torch" in facts["versions"]


def test_the_folder_given_wins_over_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PAPERLIB_STORE", str(tmp_path / "one"))
    assert store.open_store() == tmp_path / "one" and store.open_store(tmp_path / "other") == tmp_path / "other"
    monkeypatch.delenv("PAPERLIB_STORE")
    assert store.open_store() == store.project() / "data" / "artifacts"


def test_another_key_is_another_artifact(root):
    one, other = (store.find_or_make(root, "s", "n", key, write_number, {}) for key in "ab")
    assert one != other


def test_a_failure_leaves_nothing_and_the_next_try_works(root):
    def fail(folder):
        write_number(folder)
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        store.find_or_make(root, "stage", "name", "key", fail, {})
    assert not any((root / "stage").iterdir())
    assert [path.suffix for path in (root / ".partial").iterdir()] == [".lock"]
    assert store.find_or_make(root, "stage", "name", "key", write_number, {}).is_dir()


def _hang(folder):
    write_number(folder)
    (folder / "half").touch()
    time.sleep(60)


@pytest.mark.fault(
    "a process killed while it makes an artifact",
    "what it left is not taken for whole; it is made again",
    "the work on that artifact",
)
def test_killed_in_the_middle_then_made_whole(root):
    process = multiprocessing.get_context("fork").Process(
        target=store.find_or_make, args=(root, "stage", "name", "key", _hang, {})
    )
    process.start()
    half = root / ".partial" / "stage-name-key" / "half"
    while not half.exists():
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not (root / "stage" / "name-key").exists()
    folder = store.find_or_make(root, "stage", "name", "key", write_number, {})
    assert sorted(path.name for path in folder.iterdir()) == ["number.txt", "provenance.json"]


@pytest.mark.fault("a store that cannot be written", "an error that says how to choose another", "nothing")
def test_store_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    root = tmp_path / "file"
    with pytest.raises(InputError, match="--store or PAPERLIB_STORE"):
        store.find_or_make(root, "stage", "name", "key", write_number, {})


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        store.write_json(tmp_path / "a.json", {"f1": float("nan")})


@pytest.mark.fault(
    "disk full (ENOSPC) while an artifact is written",
    "an error with the free space; nothing half-written stays",
    "the artifact in work",
)
def test_a_full_disk_is_named(root):

    def make(folder):
        (folder / "part").write_text("complete")
        (folder / "big").symlink_to("/dev/full")  # every write to it fails as on a full disk
        with open(folder / "big", "w") as file:
            file.write("x" * 100_000)

    with pytest.raises(InputError, match=r"No room to write map one .*GB are free"):
        store.find_or_make(root, "map", "one", "k", make, {})
    assert not (root / "map" / "one-k").exists() and not (root / ".partial" / "map-one-k").exists()
    with pytest.raises(InputError, match="the same command goes on from it"):
        store.find_or_make(root, "map", "one", "k", make, {}, resumes=True)
    assert (root / ".partial" / "map-one-k" / "part").read_text() == "complete"


def test_what_resumes_gets_what_a_failure_left(root):

    def fail(folder):
        (folder / "part").write_text("done")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        store.find_or_make(root, "map", "one", "k", fail, {}, resumes=True)
    seen = []
    found = store.find_or_make(
        root, "map", "one", "k", lambda folder: seen.append((folder / "part").read_text()), {}, resumes=True
    )
    assert seen == ["done"] and (found / "provenance.json").is_file()


def test_commit_says_when_sources_are_changed_and_not_when_measurements_are(tmp_path):
    shutil.copytree(Path(store.__file__).parent, tmp_path / "src" / "paperlib")
    kept, source = tmp_path / "benchmarks" / "results" / "a.csv", tmp_path / "src" / "paperlib" / "store.py"
    kept.parent.mkdir(parents=True)
    kept.write_text("a\n1\n")

    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    def said():
        code = "from paperlib import store; print(store.commit())"
        environment = os.environ | {"PYTHONPATH": str(tmp_path / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "all")
    name = git("rev-parse", "--short=12", "HEAD").strip()
    assert said() == name
    kept.write_text("a\n2\n")
    assert said() == name
    source.write_text(source.read_text() + "\n")
    assert said() == f"{name}-dirty"


def test_room_is_compared_with_what_is_needed_before_the_work(tmp_path):
    made = []
    with pytest.raises(InputError, match=r"1000\.0 TB are needed.*are free there") as caught:
        store.find_or_make(tmp_path / "store", "stage", "name", "key", made.append, {}, needed=10**15)
    assert caught.value.kind == "store.full" and "--store" in caught.value.fix and not made


@pytest.mark.parametrize("place", ["taken", "taken/below"])
def test_a_store_below_a_file_is_one_line(tmp_path, place):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match="PAPERLIB_STORE") as caught:
        store.find_or_make(tmp_path / place, "stage", "name", "key", write_number, {})
    assert caught.value.kind == "store.write" and "\n" not in str(caught.value)
