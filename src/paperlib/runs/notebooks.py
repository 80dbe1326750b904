"""Many notebooks x parameters through papermill on dask.distributed.

A batch file is YAML. Lists of values are crossed; each combination is one run:

    out: runs
    runs:
      - notebook: ../book/3-6-results.ipynb
        parameters: {preset: tiny, seed: [0, 1, 2]}

Paths are relative to the batch file. A run that is done (same notebook, same parameters) is skipped; a run that fails
leaves its notebook, with the error in it, as `NAME.failed.ipynb`, and the others go on.
"""

import ast
import difflib
import itertools
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import papermill
import yaml
from distributed import Client, as_completed
from distributed.comm import parse_address, parse_host_port
from jupyter_client import AsyncKernelManager
from papermill.exceptions import PapermillExecutionError

from .. import environment
from ..errors import InputError
from ..settings import key


@dataclass(frozen=True)
class Run:
    """One notebook with one set of parameters, and the executed notebook that it makes."""

    notebook: Path
    parameters: dict
    output: Path


def read_batch(path: Path) -> list[Run]:
    """The runs of a batch file, checked against the parameters cells of their notebooks.

    Raises `InputError` for a file that is not such YAML, a missing notebook, a parameter that the notebook does not
    have (naming the nearest), or a value of another type than the notebook's default.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"The batch file {path} cannot be read as YAML: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("runs"), list) or not content["runs"]:
        raise InputError(f"The batch file {path} needs a list `runs`, each with `notebook` and `parameters`.")
    out = path.parent / str(content.get("out", "runs"))
    runs = []
    for entry in content["runs"]:
        if not isinstance(entry, dict) or not isinstance(entry.get("notebook"), str):
            raise InputError(f"In {path}: {entry!r} is not a run; expected `notebook: PATH` and `parameters: ...`.")
        unknown = sorted(set(entry) - {"notebook", "parameters"})
        if unknown:
            raise InputError(f"In {path}: unknown entries {unknown} of a run; known are notebook and parameters.")
        notebook = path.parent / entry["notebook"]
        parameters = entry.get("parameters") or {}
        check_parameters(notebook, parameters)
        digest = key(notebook.read_text())
        for chosen in _cross(parameters):
            runs.append(Run(notebook, chosen, out / f"{notebook.stem}-{key(digest, chosen)}.ipynb"))
    return list({run.output: run for run in runs}.values())  # what is asked for twice is run once


def _cross(parameters: dict) -> Iterator[dict]:
    values = [value if isinstance(value, list) else [value] for value in parameters.values()]
    for combination in itertools.product(*values):
        yield dict(zip(parameters, combination, strict=True))


def check_parameters(notebook: Path, parameters: dict) -> None:
    """Refuse what papermill would accept in silence: names that the notebook's parameters cell does not have."""
    if not notebook.is_file():
        raise InputError(f"The notebook {notebook} does not exist; paths are relative to the batch file.")
    if not isinstance(parameters, dict):
        raise InputError(f"The parameters of {notebook.name} are {parameters!r}; expected `name: value` pairs.")
    known = papermill.inspect_notebook(str(notebook))
    for name, value in parameters.items():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(f"{notebook.name} has no parameter {name!r}{hint} It has {', '.join(known) or 'none'}.")
        kind = type(ast.literal_eval(known[name]["default"]))
        for one in value if isinstance(value, list) else [value]:
            if type(one) is not kind:
                raise InputError(
                    f"{notebook.name}: parameter {name} = {one!r} is a {type(one).__name__}, expected a {kind.__name__}."
                )


def execute(run: Run, store: str = "") -> None:
    """Execute one run; its notebook stands under its final name only when every cell has run.

    `store`: root folder of the artifacts, where it is not the default.
    """
    run.output.parent.mkdir(parents=True, exist_ok=True)
    partial = run.output.with_suffix(f".{os.getpid()}.partial.ipynb")
    failed = run.output.with_suffix(".failed.ipynb")
    try:
        papermill.execute_notebook(
            str(run.notebook), str(partial), run.parameters,
            progress_bar=False, kernel_name="python3", cwd=str(run.notebook.parent),
            kernel_manager_class=_kernel_with(QUIET="1", STORE=store),
        )  # fmt: skip
        os.replace(partial, run.output)
        for left in (failed, *run.output.parent.glob(f"{run.output.stem}.*.partial.ipynb")):  # by a killed process
            left.unlink(missing_ok=True)
    except PapermillExecutionError:
        os.replace(partial, failed)
        raise
    finally:
        partial.unlink(missing_ok=True)


def _kernel_with(**variables: str) -> type[AsyncKernelManager]:
    """A kernel that has $PAPERLIB_NAME set for each of `variables`, in its environment alone."""

    class Kernel(AsyncKernelManager):
        async def start_kernel(self, **options) -> None:
            await super().start_kernel(**options | {"env": environment.for_child(**variables)})

    return Kernel


def run_batch(
    path: Path, scheduler: str = "", report: Callable[[str], None] = print, store: str | Path | None = None
) -> list[Run]:
    """Execute the runs of a batch file that are not done yet; return those that failed.

    `scheduler` is the address of a running Dask scheduler (tcp://host:port) whose workers see the same files; empty: a
    cluster of processes on this machine, one for every two cores. `report` gets one line a run. Where workers offer the
    resource GPU (dask worker --resources GPU=1), a run takes one, so that two never share a GPU by accident. A run whose
    worker dies begins again on another; what it had put into the store is found there. `store`: its root folder, where it
    is not the default.
    """
    runs = read_batch(path)
    waiting = [run for run in runs if not run.output.is_file()]
    for run in runs:
        if run not in waiting:
            report(f"done before  {run.output.name}  {run.parameters}")
    if not waiting:
        return []
    failed = []
    with _client(scheduler) as client:
        takes = _resources(client)
        futures = {client.submit(execute, run, str(store or ""), pure=False, resources=takes): run for run in waiting}
        for future in as_completed(futures, loop=client.loop):
            run = futures[future]
            if future.status == "finished":
                report(f"done         {run.output.name}  {run.parameters}")
            else:
                failed.append(run)
                reason = str(future.exception()).strip().splitlines()[-1:] or [future.status]
                report(f"FAILED       {run.output.name}  {run.parameters}: {reason[0]}")
    return failed


def _resources(client: Client) -> dict[str, int] | None:
    """What a run takes of its worker: a GPU where any worker offers one, else nothing."""
    workers = client.scheduler_info()["workers"].values()
    return {"GPU": 1} if any(worker.get("resources", {}).get("GPU") for worker in workers) else None


def _check_reachable(address: str) -> None:
    """Raise OSError or ValueError where nothing listens: a client that finds out by itself leaves a thread that may hang."""
    protocol, place = parse_address(address)
    if protocol in ("tcp", "tls"):
        socket.create_connection(parse_host_port(place), timeout=10).close()


def _client(scheduler: str) -> Client:
    """Not dask's default: one that fails to connect would stay it, and no scene could be read in this process."""
    if scheduler:
        try:
            _check_reachable(scheduler)
            return Client(scheduler, timeout=10, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise InputError(
                f"No Dask scheduler answers at {scheduler!r} ({error}); expected tcp://HOST:PORT."
            ) from error
    cores = os.cpu_count() or 1
    return Client(n_workers=max(1, cores // 2), threads_per_worker=1, dashboard_address=None, set_as_default=False)
