"""Trainings side by side: one process a processor, one thread each, one line of progress for all.

The pool is loky's. Unlike the standard one it does not run the caller's script again in each worker, so that scripts
without `if __name__ == "__main__"` and notebooks work as they are; it sets environment variables in its workers alone and
before torch loads there; and it ends workers at once when told to. In both, a worker that is killed ends all jobs of its
pool: a new pool then goes on from what the store keeps of them, which is all but the epoch that ran.
"""

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, NamedTuple

import psutil

from .. import devices, models
from ..allocation import configure, processors
from ..errors import InputError, InputWarning
from ..models import registry
from ..training.progress import Progress, Task, cost

if TYPE_CHECKING:
    from .trained import Trained

#: How often workers may be lost before the trainings are given up.
LOSSES = 3

#: Memory of a worker without its samples (bytes).
WORKER = 700 * 1024**2

#: Variables of a worker. One thread: cores are divided among processes, not multiplied. What a network keeps between
#: trainings is no leak, for which loky would replace its worker.
VARIABLES = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "LOKY_MAX_MEMORY_LEAK_SIZE": "1e18",
}  # fmt: skip


class Job(NamedTuple):
    """One training: of `trained`, by the classifier `name`, with its number from 0."""

    trained: "Trained"
    name: str
    number: int


def make_trainings(jobs: Iterable[Job], then: str = "", after: float = 0.0) -> None:
    """Make those of the trainings that are not in the store, several at a time where that is faster.

    Workers are used where at least two networks are to be trained, and this process may use more than one processor,
    computes on the processor, and is no worker itself. The same seed gives the same bytes either way. `then`, `after`: what
    the command does afterwards and for how many seconds, for the line of progress. Raises the first error of a training,
    which ends the others, and `InputError` where workers are killed from outside again and again.
    """
    missing = {job.trained.place(job.name, job.number): job for job in jobs}
    todo = sorted((job for place, job in missing.items() if not place.is_dir()), key=_slowest_first)
    if not todo:
        return
    workers = _workers(todo)
    tasks = [
        Task(job.name, job.trained.variation, job.number + 1, train.trainings, train.epochs if _network(job) else 0)
        for job in todo
        for train in [job.trained.settings.train]
    ]
    with Progress(tasks, workers, any(job.trained.progress for job in todo), then, after) as progress:
        if workers > 1:
            _with_workers(dict(enumerate(todo)), workers, progress)
            return
        for number, job in enumerate(todo):
            progress.begin(number)
            job.trained.training(job.name, job.number, progress.reporter(number))
            progress.finish(number)


def _network(job: Job) -> bool:
    return models.find(job.name).trained_in_epochs


def _slowest_first(job: Job) -> tuple:
    """What runs long and begins late would keep one processor busy alone."""
    return not _network(job), -cost(job.name), job.name, job.number


def _workers(jobs: list[Job]) -> int:
    """How many processes make these trainings; 1: this one."""
    if processors() < 2 or sum(map(_network, jobs)) < 2 or multiprocessing.current_process().daemon:
        return 1
    if devices.choose().type != "cpu":  # one device for all
        return 1
    samples = max(job.trained.dataset.bytes_of_samples() for job in jobs)
    room = psutil.virtual_memory().available // (WORKER + 2 * samples)  # each has a normalised copy
    return max(1, min(len(jobs), processors(), room))


def _with_workers(jobs: dict[int, Job], workers: int, progress: Progress) -> None:
    """Make the trainings `jobs`, by number; removes from it what is done."""
    for dataset in {id(job.trained.dataset): job.trained.dataset for job in jobs.values()}.values():
        needs = any(models.find(job.name).needs_superpixels for job in jobs.values() if job.trained.dataset is dataset)
        dataset.prepare(superpixels=needs)
    for trained in {id(job.trained): job.trained for job in jobs.values() if models.find(job.name).pretrained}.values():
        _ = trained.imitation  # workers find it in the store
    shown: set[str] = set()
    for _ in range(LOSSES + 1):
        try:
            _with_pool(jobs, workers, progress, shown)
            return
        except BrokenProcessPool:
            workers = max(1, workers // 2)  # memory is what processes are killed for
    raise InputError(
        f"Processes that train {', '.join(sorted({job.name for job in jobs.values()}))} were ended from outside "
        f"{LOSSES + 1} times.",
        "If memory is short, end other programs or train one at a time (OMP_NUM_THREADS=1); the same command goes on from "
        "what is complete.", kind="machine.memory",
    )  # fmt: skip


def _with_pool(jobs: dict[int, Job], workers: int, progress: Progress, shown: set[str]) -> None:
    """As `_with_workers`, with one pool; `shown`: texts of the warnings that the user has got."""
    from loky.process_executor import ProcessPoolExecutor

    ended, alive = multiprocessing.Pipe(duplex=False)  # closes with this process, in whatever way that ends
    reports, report = multiprocessing.Pipe(duplex=False)
    with closing(alive), closing(ended), closing(reports), closing(report):
        arguments = ended, report, dict(registry.ADDED)
        pool = ProcessPoolExecutor(workers, initializer=_begin, initargs=arguments, env=VARIABLES)
        try:
            with _interrupts_withheld():
                futures = {pool.submit(_train, number, *job): number for number, job in jobs.items()}
            while futures:
                if reports.poll(0.2):
                    _show(progress, *reports.recv())
                for future in [future for future in futures if future.done()]:
                    for warning in future.result():
                        if str(warning) not in shown:
                            shown.add(str(warning))
                            warnings.warn(warning, stacklevel=2)
                    while reports.poll():
                        _show(progress, *reports.recv())
                    number = futures.pop(future)
                    del jobs[number]
                    progress.finish(number)
        finally:
            alive.close()
            pool.shutdown(kill_workers=True)


def _show(progress: Progress, number: int, row: dict) -> None:
    if row:
        progress.epoch(number, row)
    else:
        progress.begin(number)


@contextmanager
def _interrupts_withheld() -> Iterator[None]:
    """Processes started within get no Ctrl-C, which is meant for this one: it ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # else it would be started within, and let the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- in a worker -------------------------------------------------------------------------------------------------------

_report: Callable[[tuple[int, dict]], None] = print


def _begin(ended: Connection, report: Connection, added: dict) -> None:
    """Set up a worker: it ends with the process that started it, and reports to it."""
    global _report
    configure()
    registry.ADDED.update(added)
    threading.Thread(target=_end_with, args=(ended,), daemon=True).start()
    _report = report.send  # whole or not at all: a pipe takes so few bytes in one piece


def _end_with(ended: Connection) -> None:
    """End this process when the other end of the pipe closes; nobody waits for what it does."""
    try:
        ended.recv()
    except (EOFError, OSError):
        os._exit(1)


def _train(number: int, trained: "Trained", name: str, training: int) -> list[InputWarning]:
    """Make a training; returns the warnings for the user."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        _report((number, {}))
        trained.training(name, training, lambda row: _report((number, row)))
    return [warning.message for warning in caught if isinstance(warning.message, InputWarning)]
