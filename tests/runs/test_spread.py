"""The tiles of a region on Dask: the bytes of one process, and nothing twice."""

import shutil
from pathlib import Path

import pytest
from distributed import Client, LocalCluster
from tornado.ioloop import PeriodicCallback

from paperlib import Experiment, InputError
from paperlib.runs.batches.cluster import connect
from paperlib.runs.regional import spread as tasks
from paperlib.runs.regional.spread import Task, finish, spread
from support.stores import copy_store

MODEL = "iota2_base"


@pytest.fixture(scope="module")
def cluster():
    """Workers in this process: benchmarks/region.py kills those of others."""
    choice = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "protocol": "tcp", "dashboard_address": ":0"}
    with LocalCluster(**choice) as cluster:
        yield cluster


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.tif"))}


def one(region, store) -> Experiment:
    run = Experiment("tiny", region / "tiles", region / "polygons.gpkg", store=store)
    run.dataset.checked = True  # polygons of a simulated scene share objects
    return run


@pytest.fixture(scope="module")
def alone(region_run) -> Path:
    """The store of a run in this process, with the mosaic."""
    region_run.map(MODEL)
    return region_run.store


def test_tiles_on_a_cluster_give_the_bytes_of_one_process(region, alone, cluster, tmp_path):
    own = copy_store(alone, tmp_path / "store")
    tiles = ("30TYP", "31TCJ")
    for tile in tiles:
        for made in [*(own / "samples").glob(f"tile-{tile}-*"), *(own / "map").glob(f"*-{tile}-*")]:
            shutil.rmtree(made)
    lines, run = [], one(region, own)
    spread(run, (MODEL,), cluster.scheduler_address, lines.append)
    done = {line.rpartition(": ")[2] for line in lines}
    assert done == {f"samples of {tile}" for tile in tiles} | {f"map of {tile} by {MODEL}" for tile in tiles}
    assert len(lines) == 4 and lines[-1].startswith("2 of 2 done")
    assert bytes_of(own / "map") == bytes_of(alone / "map") and len(bytes_of(own / "map")) == 12
    again: list[str] = []
    spread(run, (MODEL,), cluster.scheduler_address, again.append)
    assert again == [], "nothing is computed twice"


def refuse() -> None:
    raise InputError("No such tile.", "Give one.", kind="region.tile")


def test_the_error_of_a_task_is_the_users(cluster):
    with (
        Client(cluster.scheduler_address, set_as_default=False) as client,
        pytest.raises(InputError, match="No such tile"),
    ):
        finish(client, [Task("first", refuse, ())], lambda line: None)


def test_a_gpu_is_a_resource_of_a_task(monkeypatch):
    given = []

    class Future:
        def result(self):
            return []

    class Fake:
        loop = None

        def scheduler_info(self):
            return {"workers": {"a": {"resources": {"GPU": 1}}}}

        def submit(self, function, task, **options):
            given.append(options["resources"])
            return Future()

        def cancel(self, futures):
            pass

    monkeypatch.setattr(tasks, "as_completed", lambda futures, loop: futures)
    finish(Fake(), [Task("first", refuse, ())] * 2, lambda line: None)
    assert given == [{"GPU": 1}] * 2


def test_a_single_scene_has_no_tiles_to_spread(store):
    with pytest.raises(InputError) as error:
        spread(Experiment("tiny", store=store), (MODEL,), "local")
    assert error.value.kind == "region.scheduler"


def test_workers_of_one_command_end_quietly(capfd):
    def send_heartbeats_without_pause(dask_worker):
        class Often(PeriodicCallback):
            callback_time = property(lambda self: 1, lambda self, value: None)  # the scheduler asks for longer ones

        dask_worker.periodic_callbacks["heartbeat"].stop()
        dask_worker.periodic_callbacks["heartbeat"] = Often(dask_worker.heartbeat, 1)
        dask_worker.periodic_callbacks["heartbeat"].start()

    with connect("", 2) as client:
        client.run(send_heartbeats_without_pause)
        assert client.submit(sum, (1, 2)).result() == 3
    assert "heartbeat" not in capfd.readouterr().err
