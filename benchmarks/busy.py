"""Trainings, maps and forests on a quiet machine and beside other processes, and several trainings at the same time.

    python benchmarks/busy.py [REPEATS [MODEL ...]]
    python benchmarks/busy.py together [REPEATS]

The first measures the steps of three epochs of each network (all by default; preset demo), the map of a square by TempCNN,
and a forest: alone, beside one spinning process, and beside one on each core. Trainings are measured on one thread, as they
run, and on all cores, as torch would. Medians are kept in results/busy.csv.

The second measures four trainings of TempCNN one after the other and side by side, and all trainings of preset demo: side by
side, and one after the other with each on all cores, by the same networks. Kept in results/together.csv.

What is compared is measured in turns, so that the drift of a machine reaches all of it. Nothing else should run meanwhile.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from maps import end_to_end
from record import keep

from paperlib import Experiment, models
from paperlib.allocation import processors
from paperlib.models import forest
from paperlib.pages.performance import DEMO, FOUR
from paperlib.runs import side_by_side
from paperlib.training import loop

ONE, ALL = "one thread", "all cores"
SPIN = (
    "import os, sys; hasattr(os, 'sched_setaffinity') and os.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"
)


@contextmanager
def spinning(cores: list[int]) -> Iterator[None]:
    """A process that computes without end on each of these cores."""
    others = [subprocess.Popen([sys.executable, "-c", SPIN, str(core)]) for core in cores]
    time.sleep(0.5 if others else 0)
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def seconds(work: Callable[[], object]) -> float:
    """Wall time."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def on_all_cores(work: Callable[[], object]) -> Callable[[], object]:
    """`work` with torch's own number of threads, which trainings otherwise set to one."""

    def threaded() -> None:
        with patch.object(torch, "set_num_threads"):
            work()

    return threaded


def training(run: Experiment, name: str, epochs: int = 3) -> Callable[[], object]:
    """Train a network for some epochs."""
    parts, choice = run.trained.normalised, replace(run.settings.train, epochs=epochs)

    def work() -> None:
        torch.manual_seed(0)
        model = models.build(name, *parts["train"].x.shape[1:3], len(run.legend))
        loop.train(model, parts["train"], parts["validation"], choice)

    return work


def growing(run: Experiment) -> Callable[[], object]:
    """Grow a forest on the training pixels."""
    pixels = run.trained.varied["train"].pixels()
    x, y = pixels.x.flatten(1).numpy(), pixels.label.flatten().numpy()
    return lambda: forest.grow(x, y, 0)


def works(run: Experiment, names: tuple[str, ...], side: int) -> dict[tuple[str, str], Callable[[], object]]:
    """What is measured, by subject and way."""
    found: dict[tuple[str, str], Callable[[], object]] = {}
    for name in names:
        found[f"training of {name}", ONE] = training(run, name)
        found[f"training of {name}", ALL] = on_all_cores(training(run, name))
    classifier = run.classifier("TempCNN")
    found["map by TempCNN", "windows side by side"] = lambda: end_to_end(classifier, side)
    found["forest", "trees side by side"] = growing(run)
    return found


def busy(repeats: int, names: tuple[str, ...], side: int = 512) -> None:
    """Measure everything alone and beside spinning processes."""
    load, run = os.getloadavg()[0], Experiment("demo")
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(processors()))
    beside = {"quiet": [], "one busy": cores[:1], "all busy": cores}
    measured: dict[tuple[str, str], dict[str, list[float]]] = {}
    found = works(run, names, side)
    for work in found.values():
        work()  # the first call is slower
    for _ in range(repeats):
        for what, work in found.items():
            for name, spun in beside.items():
                with spinning(spun):
                    measured.setdefault(what, {}).setdefault(name, []).append(seconds(work))
            print(what, {name: round(values[-1], 2) for name, values in measured[what].items()}, flush=True)
    rows = []
    for (subject, way), values in measured.items():
        median = {name: float(np.median(one)) for name, one in values.items()}
        over = {f"{name} over quiet": median[name] / median["quiet"] for name in list(beside)[1:]}
        rows.append({"work": subject, "way": way} | {f"{name} (s)": value for name, value in median.items()} | over)
    keep("busy", pd.DataFrame(rows), repeats=repeats, side=side, **{"load before": round(load, 1)})


def together(repeats: int) -> None:
    """Measure several trainings one after the other and side by side."""
    with tempfile.TemporaryDirectory() as folder:
        run = Experiment("demo", store=folder)
        run.dataset.prepare(superpixels=True)
        four = run.override({"train.trainings": 4, "train.epochs": 10})
        subjects = {
            FOUR: (four, ("TempCNN",), False),
            DEMO: (run, models.CLASSIFIERS, True),
        }
        columns = ["work", "one after the other (s)", "side by side (s)", "ratio"]
        for subject, (wanted, names, threaded) in subjects.items():
            load, alone, many = os.getloadavg()[0], [], []
            for _ in range(repeats):
                alone.append(_trainings(wanted, names, workers=1, threaded=threaded))
                many.append(_trainings(wanted, names, workers=processors()))
                print(subject, round(alone[-1], 1), round(many[-1], 1), flush=True)
            row = subject, np.median(alone), np.median(many), np.median(np.array(alone) / many)
            table = pd.DataFrame([row], columns=columns)
            keep("together", table, repeats=repeats, workers=processors(), **{"load before": round(load, 1)})


def _trainings(run: Experiment, names: tuple[str, ...], workers: int, threaded: bool = False) -> float:
    """Seconds of all trainings of these classifiers, none of which is in the store."""
    for stage in ("training", ".partial"):
        shutil.rmtree(Path(run.store) / stage, ignore_errors=True)
    with patch.object(side_by_side, "_workers", lambda jobs: workers):
        work = lambda: run.trained.make(names)  # noqa: E731
        return seconds(on_all_cores(work) if threaded else work)


if __name__ == "__main__":
    if sys.argv[1:2] == ["together"]:
        together(*map(int, sys.argv[2:3] or [3]))
    else:
        busy(int(sys.argv[1]) if sys.argv[1:] else 3, tuple(sys.argv[2:]) or models.NAMES)
