"""A Dask cluster: the client of a scheduler, or of workers on this machine, and what a task takes of a worker."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from distributed import Client, Worker
from distributed.comm import parse_address, parse_host_port

from ...errors import InputError


@contextmanager
def connect(scheduler: str, workers: int) -> Iterator[Client]:
    """A client of the scheduler at an address (`tcp://host:port`); empty: of so many processes on this machine.

    It is not dask's default: the default would remain after a failed connection, and break every read. Raises `InputError`
    where no scheduler answers.
    """
    if scheduler:
        with _client_of(scheduler) as client:
            yield client
        return
    # any free port: the usual one may be taken by another batch, of which dask warns
    with Client(n_workers=workers, threads_per_worker=1, dashboard_address=":0", set_as_default=False) as client:
        yield client
        client.run(_end_heartbeats, on_error="ignore")


def _client_of(scheduler: str) -> Client:
    try:
        _check_address(scheduler)
        return Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        problem = f"No Dask scheduler answers at {scheduler!r} ({error})."
        raise InputError(problem, "Write --scheduler tcp://HOST:PORT.", kind="batch.scheduler") from error


async def _end_heartbeats(dask_worker: Worker) -> None:
    """Wait until a worker's heartbeats are answered: closing cuts off one that is not, and a traceback is printed."""
    dask_worker.periodic_callbacks["heartbeat"].stop()
    await dask_worker.heartbeat()  # those before it are answered first


def resources(client: Client) -> dict[str, int] | None:
    """What a task takes of its worker: a GPU where any worker offers one, else nothing."""
    workers = client.scheduler_info()["workers"].values()
    return {"GPU": 1} if any(worker.get("resources", {}).get("GPU") for worker in workers) else None


def _check_address(address: str) -> None:
    """Raise OSError or ValueError where nothing listens: a client that fails to connect leaves a thread that may hang."""
    protocol, place = parse_address(address)
    if protocol in ("tcp", "tls"):
        socket.create_connection(parse_host_port(place), timeout=10).close()
