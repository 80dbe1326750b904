"""Trainings in several processes: the same bytes as one after the other, whoever is killed, and errors as in one process."""

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import joblib
import psutil
import pytest

from paperlib import Experiment
from paperlib.allocation import GRANTED
from paperlib.errors import InputError, InputWarning
from paperlib.runs import side_by_side
from support.stores import copy_store

#: Without `if __name__ == "__main__"`, as people write it.
SCRIPT = """
import sys
from paperlib import Experiment

run = Experiment("tiny", store=sys.argv[1], settings={"train.trainings": 2, "train.epochs": 8, "train.patience": 8})
run.trainings(["TempCNN"])
print("done")
"""
LONG = {"train.trainings": 2, "train.epochs": 8, "train.patience": 8}
#: What of a training is the same for the same seed; the others say how long it took.
SAME = ("weights.safetensors", "confusions.csv", "polygons.csv")


@pytest.fixture
def two(monkeypatch) -> None:
    """Two processors, whatever the process may use."""
    monkeypatch.setattr(side_by_side, "processors", lambda: 2)


@pytest.fixture
def own(run, tmp_path) -> Path:
    """A store of one's own, with the samples of the shared one."""
    run.dataset.prepare(superpixels=False)
    return copy_store(run.store, tmp_path / "store")


def contents(folder: Path, names: tuple[str, ...] = SAME) -> list[bytes]:
    return [(folder / name).read_bytes() for name in names]


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_processes_make_the_same_bytes_and_warn_once(run, own, tmp_path, two, capsys):
    overrides = {"train.trainings": 2, "train.largest_leaf": 100_000, "train.epochs": 1}
    many = Experiment("tiny", store=own, settings=overrides)
    many.trained.progress = True
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        many.trainings(["iota2_base", "TempCNN"])
    few = [warning for warning in caught if issubclass(warning.category, InputWarning)]
    assert [warning.message.kind for warning in few] == ["training.few"]  # of two forests in two processes
    said = capsys.readouterr().err
    assert "TempCNN 2 of 2" in said and "iota2_base 1 of 2" in said and "\r" not in said and len(said.splitlines()) == 5
    alone = Experiment("tiny", store=copy_store(run.store, tmp_path / "alone"), settings=overrides)
    for number in range(2):
        assert contents(many.trained.place("TempCNN", number)) == contents(alone.trained.training("TempCNN", number))


def test_an_error_of_a_worker_is_the_users_error(own, two):
    broken = Experiment("tiny", store=own, settings={"train.trainings": 2, "sample.dates": "1999-01-01"})
    with pytest.raises(InputError, match=r"sample\.dates = '1999-01-01' is not possible") as error:
        broken.trainings(["TempCNN"])
    assert error.value.kind == "settings.value" and "Choose all, shuffled" in error.value.fix


def test_no_pool_for_one_training_one_processor_or_within_a_worker(run, monkeypatch):
    def workers(names, trainings=2, processors=2, daemon=False):
        monkeypatch.setattr(side_by_side, "processors", lambda: processors)
        monkeypatch.setattr(side_by_side.multiprocessing.current_process(), "_config", {"daemon": daemon})
        return side_by_side._workers(run.override({"train.trainings": trainings}).trained.jobs(names))

    assert workers(["TempCNN"]) == 2
    assert workers(["TempCNN", "2D-CNN"], processors=3) == 3
    assert workers(["TempCNN"], trainings=1) == workers(["iota2_base"]) == 1
    assert workers(["TempCNN"], processors=1) == workers(["TempCNN"], daemon=True) == 1
    monkeypatch.setattr(side_by_side.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 1e9}))
    assert workers(["TempCNN"]) == 1


def start(store: Path) -> subprocess.Popen:
    """The script in a session of its own, as of a terminal."""
    environment = {name: value for name, value in os.environ.items() if name not in GRANTED}
    script = store.parent / "script.py"
    script.write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, str(script), str(store)], env=environment, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def children(process: subprocess.Popen) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def at_work(process: subprocess.Popen) -> list[psutil.Process]:
    def works(child: psutil.Process) -> bool:
        with suppress(psutil.NoSuchProcess):  # or a zombie
            return "popen_loky" in " ".join(child.cmdline())
        return False

    return list(filter(works, children(process)))


def gone(processes: list[psutil.Process]) -> bool:
    def ended(one: psutil.Process) -> bool:
        with suppress(psutil.NoSuchProcess):
            return not one.is_running() or one.status() == psutil.STATUS_ZOMBIE
        return True

    return all(map(ended, processes))


@pytest.mark.skipif(joblib.cpu_count() < 2, reason="needs two processors")
@pytest.mark.fault(
    "workers, the process that started them (SIGKILL), and all together (Ctrl-C) end in the middle of two trainings",
    "others go on; the same command ends with the same weights, byte by byte; no process is left",
    "the epoch they were in",
)
def test_whoever_is_killed_nothing_is_lost_and_nobody_is_left(own, tmp_path, run):
    def states() -> list[Path]:
        return [*own.glob(".partial/training-TempCNN-*/state.safetensors"), *own.glob("training/TempCNN-*/weights*")]

    process = start(own)
    until(lambda: len(states()) == 2)
    first = at_work(process)
    first[0].kill()
    until(lambda: gone(first) and at_work(process))  # another goes on
    everyone = children(process)
    process.kill()
    process.communicate()
    until(lambda: gone(everyone))

    process = start(own)
    until(lambda: len(at_work(process)) == 2)
    everyone = children(process)
    interrupted = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert time.monotonic() - interrupted < 5
    until(lambda: gone(everyone))
    assert said.count("Traceback") == 1 and said.strip().endswith("KeyboardInterrupt")  # of the script alone

    finished = Experiment("tiny", store=own, settings=LONG)
    undisturbed = Experiment("tiny", store=copy_store(run.store, tmp_path / "undisturbed"), settings=LONG)
    for number in range(2):
        folders = [experiment.trained.training("TempCNN", number) for experiment in (finished, undisturbed)]
        assert contents(folders[0]) == contents(folders[1])
