"""The tiles of a region as tasks of a Dask cluster: samples, trainings, and the map of each tile.

A task finds or makes an artifact of the store, which all workers see. So nothing is computed twice, a second call does
what is left, and the map of a worker that was killed goes on from its windows on another one.
"""

import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from distributed import Client, as_completed

from ... import models
from ...allocation import configure, processors
from ...errors import InputError, InputWarning
from ..batches.cluster import connect, resources
from ..experiment import Experiment
from .dataset import RegionDataset
from .maps import RegionMaps

#: Name of the scheduler that is started on this machine for one command.
LOCAL = "local"


class Task(NamedTuple):
    """A function of a worker, with its arguments, and what it makes, in words."""

    name: str
    function: Callable[..., Any]
    arguments: tuple


def spread(run: Experiment, names: Sequence[str], scheduler: str, report: Callable[[str], None] = print) -> None:
    """Make what the maps of a region by these classifiers take, on a Dask cluster; what is in the store is not made again.

    Parameters
    ----------
    scheduler: its address (`tcp://host:port`), whose workers see the same files and store; or "local", for workers on this
        machine, one a core. Where workers offer the resource GPU, a task takes one. Each task uses the processors that its
        worker grants (OMP_NUM_THREADS).
    report: gets a line a task.

    Raises `InputError` for a single scene, where no scheduler answers, and what a task raises.
    """
    if not isinstance(run.dataset, RegionDataset):
        problem = f"{run.settings.scene.path or 'The simulated scene'} is a single scene: it has no tiles to spread."
        raise InputError(problem, "Leave --scheduler out, or give a region.", kind="region.scheduler")
    dataset, maps = run.dataset, cast(RegionMaps, run.maps)
    _ = dataset.polygons, dataset.inputs  # once, for all tasks
    address = "" if scheduler == LOCAL else scheduler
    with connect(address, min(len(dataset.region.tiles), processors())) as client:
        todo = [tile for tile in dataset.labelled if not dataset.tile_samples_place(tile).is_dir()]
        finish(client, [Task(f"samples of {tile}", prepare, (dataset, tile)) for tile in todo], report)
        if any(models.find(name).needs_superpixels for name in names):
            dataset.prepare(superpixels=True)
        _ = dataset.samples
        jobs = [job for job in run.trained.jobs(names) if not run.trained.place(job.name, job.number).is_dir()]
        finish(client, [Task(f"{job.name}, training {job.number + 1}", train, tuple(job)) for job in jobs], report)
        for name in names:
            todo = [tile for tile in maps.tiles if not maps.tile_place(name, tile).is_dir()]
            finish(client, [Task(f"map of {tile} by {name}", draw, (maps, name, tile)) for tile in todo], report)


def finish(client: Client, tasks: Sequence[Task], report: Callable[[str], None] = print) -> None:
    """Run tasks on the workers of a client, and report each that is done. Raises the first error, which ends the others."""
    needs, shown = resources(client), set()
    futures = {client.submit(_quietly, task, pure=False, resources=needs): task for task in tasks}
    try:
        for number, future in enumerate(as_completed(list(futures), loop=client.loop), start=1):
            for warning in future.result():
                if str(warning) not in shown:
                    shown.add(str(warning))
                    warnings.warn(warning, stacklevel=2)
            report(f"{number} of {len(tasks)} done: {futures[future].name}")
    finally:
        client.cancel(list(futures))


def _quietly(task: Task) -> list[InputWarning]:
    """Run a task; returns its warnings for the user."""
    configure()
    with _CAUGHT, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        task.function(*task.arguments)
    return [warning.message for warning in caught if isinstance(warning.message, InputWarning)]


#: One task of a process at a time: its warnings, and the processors that it uses, are its own.
_CAUGHT = threading.Lock()


def prepare(dataset: RegionDataset, tile: str) -> None:
    """Make the samples of a tile."""
    dataset.tile_samples(tile)


def train(trained: Any, name: str, number: int) -> Path:
    """Make a training, and return its folder."""
    return trained.training(name, number)


def draw(maps: RegionMaps, name: str, tile: str) -> Path:
    """Make the map of a tile, and return its folder."""
    return maps.tile_folder(name, tile)
