"""Output is whole or not there, and what was there before stays until then."""

import os
import signal
import subprocess
import sys

import pytest

from paperlib.errors import InputError
from paperlib.outputs import check_place, replace, size, writing
from support.disks import files_end_at, on_own_disk


@pytest.fixture
def old(tmp_path):
    """A file that is there already."""
    (tmp_path / "file.txt").write_text("old")
    return tmp_path / "file.txt"


def names(folder) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_file_appears_when_it_is_complete(old):
    with writing(old) as part:
        part.write_text("new")
        assert old.read_text() == "old" and part.suffix == ".txt"
    assert old.read_text() == "new" and names(old.parent) == ["file.txt"]


def test_files_that_a_driver_writes_beside_come_along(tmp_path):
    with writing(tmp_path / "shape.shp") as part:
        part.write_text("a")
        part.with_suffix(".dbf").write_text("b")
    assert names(tmp_path) == ["shape.dbf", "shape.shp"]


def test_an_error_leaves_what_was_there(old):
    with pytest.raises(RuntimeError), writing(old) as part:
        part.write_text("half")
        raise RuntimeError
    with pytest.raises(FileNotFoundError), writing(old) as part:  # of an input: not an error of the output
        (old.parent / "input.txt").read_text()
    assert old.read_text() == "old" and names(old.parent) == ["file.txt"]


def test_a_folder_appears_when_it_is_complete(tmp_path):
    final = tmp_path / "above" / "folder"
    with writing(final, folder=True) as part:
        (part / "sub").mkdir()
        (part / "sub" / "a").write_text("a")
        assert not final.exists()
    assert names(tmp_path) == ["above", "above/folder", "above/folder/sub", "above/folder/sub/a"]


def test_an_empty_folder_is_filled(tmp_path):
    with writing(tmp_path, folder=True) as part:
        (part / "a").write_text("a")
    assert names(tmp_path) == ["a"]


def test_in_a_folder_files_of_the_same_names_are_replaced_and_others_stay(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("sub/same", "mine.qgz"):
        (tmp_path / name).write_text("old")
    with writing(tmp_path, folder=True) as part:
        (part / "sub").mkdir()
        for name in ("sub/same", "sub/new"):
            (part / name).write_text("new")
        assert (tmp_path / "sub" / "same").read_text() == "old"
    assert names(tmp_path) == ["mine.qgz", "sub", "sub/new", "sub/same"]
    assert (tmp_path / "mine.qgz").read_text() == "old" and (tmp_path / "sub" / "same").read_text() == "new"


def test_a_link_stays_a_link(old):
    link = old.with_name("link.txt")
    link.symlink_to(old)
    with writing(link) as part:
        part.write_text("new")
    assert link.is_symlink() and old.read_text() == "new"


@pytest.mark.parametrize(
    ("name", "folder", "kind", "words"),
    [
        ("taken", True, "output.place", "is a file; a folder is to be written there"),
        ("taken/below", True, "output.place", "lies below"),
        ("taken/below/further", True, "output.place", "lies below"),
        ("taken/below.gpkg", False, "output.place", "lies below"),
        ("nowhere/below.gpkg", False, "output.place", "does not exist"),
        ("there", False, "output.place", "is a folder; a file is to be written there"),
        ("x" * 300, False, "output.access", "name too long"),
        ("x" * 300, True, "output.access", "name too long"),
    ],
)
@pytest.mark.fault("output that is a file, lies below one, or below nothing", "one line with the path", "nothing")
def test_a_place_that_cannot_be_is_one_line(tmp_path, name, folder, kind, words):
    (tmp_path / "taken").write_text("a file that is there\n")
    (tmp_path / "there").mkdir()
    for call in (check_place, lambda *given: writing(*given).__enter__()):
        with pytest.raises(InputError) as caught:
            call(tmp_path / name, folder)
        assert caught.value.kind == kind and str(tmp_path / name) in caught.value.problem and caught.value.fix
        assert words in caught.value.problem.lower() and "\n" not in str(caught.value)
    assert names(tmp_path) == ["taken", "there"] and (tmp_path / "taken").read_text() == "a file that is there\n"


def test_a_device_is_no_output():
    with pytest.raises(InputError, match="device"):
        check_place("/dev/null")


def test_room_is_compared_before_the_work(tmp_path):
    with pytest.raises(InputError, match=r"1000\.0 TB are needed and .* are free there") as caught:
        check_place(tmp_path / "out" / "maps", folder=True, needed=10**15)
    assert caught.value.kind == "output.room" and names(tmp_path) == []
    check_place(tmp_path / "out" / "maps", folder=True, needed=1000)
    assert names(tmp_path) == []


@pytest.mark.fault("room ends in the middle of a file", "one line; what was there stays", "the new file")
def test_room_that_ends_on_the_way(old):
    with (
        pytest.raises(InputError, match="File too large") as caught,
        files_end_at(1000),
        writing(old, needed=5000) as part,
    ):
        part.write_bytes(bytes(5000))
    assert "5.0 kB are needed" in caught.value.problem and caught.value.kind == "output.room"
    assert old.read_text() == "old" and names(old.parent) == ["file.txt"]


def test_errors_of_libraries_are_those_of_the_output_where_they_are_named(old):
    with pytest.raises(InputError, match="failed to insert"), writing(old, errors=(KeyError,)) as part:
        part.write_text("half")
        raise KeyError("failed to insert")
    assert old.read_text() == "old"


WRITE = """
import sys
from pathlib import Path
from paperlib.outputs import writing
from paperlib.errors import InputError
try:
    with writing(Path(sys.argv[1]), folder=True) as part:
        (part / "a").write_bytes(bytes(10))
        (part / "b").write_bytes(bytes(int(sys.argv[2])))
except InputError as error:
    sys.exit(f"{error.kind} {error}")
"""


@pytest.mark.fault("a full disk", "one line that says what is free; nothing half-written", "the new folder")
def test_a_full_disk(tmp_path):
    done = on_own_disk(tmp_path, [sys.executable, "-c", WRITE, str(tmp_path / "out"), "100000"])
    assert done.returncode == 1 and done.stderr.startswith("output.room") and "No space left" in done.stderr
    assert done.stdout == "" and "Traceback" not in done.stderr
    done = on_own_disk(tmp_path, [sys.executable, "-c", WRITE, str(tmp_path / "out"), "100"])
    assert done.returncode == 0 and sorted(done.stdout.splitlines()) == ["out/a 10", "out/b 100"]


@pytest.mark.fault("a disk that can only be read", "one line", "nothing")
def test_a_read_only_disk(tmp_path):
    done = on_own_disk(tmp_path, [sys.executable, "-c", WRITE, str(tmp_path / "out"), "100"], read_only=True)
    assert done.returncode == 1 and done.stderr.startswith("output.access") and "Read-only" in done.stderr


def test_an_own_mount_is_filled_in_place(tmp_path):
    done = on_own_disk(tmp_path, [sys.executable, "-c", WRITE, str(tmp_path), "100"])
    assert done.returncode == 0 and sorted(done.stdout.splitlines()) == ["a 10", "b 100"], done.stderr


@pytest.mark.fault("a process killed (SIGKILL) while it writes", "what was there stays; leftovers go", "the new folder")
def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    script = WRITE.replace('(part / "b")', 'print(part, flush=True); __import__("time").sleep(60); (part / "b")')
    command = [sys.executable, "-c", script, str(tmp_path / "out"), "5"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)
    assert not (tmp_path / "out").exists() and len(list(tmp_path.iterdir())) == 1
    with writing(tmp_path / "out", folder=True) as part:
        (part / "a").write_text("a")
    assert names(tmp_path) == ["out", "out/a"]


def test_what_a_stopped_block_wrote_is_given_to_the_next_with_the_same_key(tmp_path):
    final = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt), writing(final, folder=True, resume="a") as part:
        (part / "first").write_text("a")
        raise KeyboardInterrupt
    assert not final.exists()
    with pytest.raises(RuntimeError), writing(final, folder=True, resume="b") as part:
        assert not list(part.iterdir())  # of another key
        raise RuntimeError
    with writing(final, folder=True, resume="a") as part:
        assert (part / "first").read_text() == "a"
        (part / "second").write_text("b")
    assert names(tmp_path) == ["out", "out/first", "out/second"]


def test_replace_renames_files_and_folders(tmp_path):
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "a").write_text("a")
    replace(tmp_path / "part", tmp_path / "final")
    assert names(tmp_path) == ["final", "final/a"]


def test_sizes():
    assert [size(n) for n in (12, 29_100, 3.2e9, 5e15)] == ["12 bytes", "29.1 kB", "3.2 GB", "5000.0 TB"]
