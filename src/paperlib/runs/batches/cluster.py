"""A Dask cluster: the client of a scheduler, or of workers on this machine, and what a task takes of a worker."""

import socket

from distributed import Client
from distributed.comm import parse_address, parse_host_port

from ...errors import InputError


def connect(scheduler: str, workers: int) -> Client:
    """A client of the scheduler at an address (tcp://host:port); empty: of so many processes on this machine.

    It is not dask's default: the default would remain after a failed connection, and break every read. Raises `InputError`
    where no scheduler answers.
    """
    if scheduler:
        try:
            _check_address(scheduler)
            return Client(scheduler, timeout=10, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            problem = f"No Dask scheduler answers at {scheduler!r} ({error})."
            raise InputError(problem, "Write --scheduler tcp://HOST:PORT.", kind="batch.scheduler") from error
    # any free port: the usual one may be taken by another batch, of which dask warns
    return Client(n_workers=workers, threads_per_worker=1, dashboard_address=":0", set_as_default=False)


def resources(client: Client) -> dict[str, int] | None:
    """What a task takes of its worker: a GPU where any worker offers one, else nothing."""
    workers = client.scheduler_info()["workers"].values()
    return {"GPU": 1} if any(worker.get("resources", {}).get("GPU") for worker in workers) else None


def _check_address(address: str) -> None:
    """Raise OSError or ValueError where nothing listens: a client that fails to connect leaves a thread that may hang."""
    protocol, place = parse_address(address)
    if protocol in ("tcp", "tls"):
        socket.create_connection(parse_host_port(place), timeout=10).close()
