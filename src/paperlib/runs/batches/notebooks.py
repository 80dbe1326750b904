"""Many notebooks and parameters through papermill on dask.distributed.

A batch file is YAML. Lists of values are crossed; each combination is one run:

    out: runs
    runs:
      - notebook: ../book/3-6-results.ipynb
        parameters: {preset: tiny, seed: [0, 1, 2]}

Paths are relative to the batch file. A run that is done (same notebook, same parameters) is skipped. A run that fails
leaves its notebook, with the error in it, as `NAME.failed.ipynb`, and the others go on.
"""

import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import papermill
import yaml
from distributed import as_completed
from jupyter_client import AsyncKernelManager
from papermill.exceptions import PapermillExecutionError

from ... import environment
from ...allocation import processors
from ...errors import InputError
from ...outputs import check_place, replace, writing
from ...settings import key
from .cluster import connect, resources
from .parameters import check_parameters


@dataclass(frozen=True)
class Run:
    """One notebook with one set of parameters, and the executed notebook that it makes."""

    notebook: Path
    parameters: dict[str, Any]
    output: Path


def read_batch(path: str | Path) -> list[Run]:
    """The runs of a batch file, checked against the parameters cells of their notebooks.

    Raises `InputError` for a file that is not such YAML, a missing notebook, a parameter that the notebook does not
    have (naming the nearest), or a value of another type than the parameter takes.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"The batch file {path} cannot be read as YAML: {error}", kind="batch.format") from error
    if not isinstance(content, dict) or not isinstance(content.get("runs"), list) or not content["runs"]:
        problem = f"The batch file {path} needs a list `runs`."
        raise InputError(problem, "Give each of them `notebook` and `parameters`.", kind="batch.format")
    out = path.parent / str(content.get("out", "runs"))
    runs = []
    for entry in content["runs"]:
        notebook, parameters = _read_entry(path, entry)
        check_parameters(notebook, parameters)
        digest = key(notebook.read_text())
        for combination in _crossed(parameters):
            runs.append(Run(notebook, combination, out / f"{notebook.stem}-{key(digest, combination)}.ipynb"))
    return list({run.output: run for run in runs}.values())  # what is listed twice runs once


def _read_entry(path: Path, entry: Any) -> tuple[Path, Any]:
    """Notebook and parameters of an entry of the list of runs."""
    if not isinstance(entry, dict) or not isinstance(entry.get("notebook"), str):
        problem = f"In {path}, {entry!r} is not a run."
        raise InputError(problem, "Write `notebook: PATH` and `parameters: ...`.", kind="batch.run")
    if unknown := sorted(set(entry) - {"notebook", "parameters"}):
        problem = f"In {path}, a run has the unknown entries {unknown}."
        raise InputError(problem, "A run has `notebook` and `parameters`.", kind="batch.run")
    return path.parent / entry["notebook"], entry.get("parameters") or {}


def _crossed(parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    values = [value if isinstance(value, list) else [value] for value in parameters.values()]
    for combination in itertools.product(*values):
        yield dict(zip(parameters, combination, strict=True))


# Parameters are checked before; papermill does not know annotated ones and would call them unknown.
logging.getLogger("papermill").setLevel(logging.ERROR)


def execute(run: Run, store: str = "", cores: int = 0) -> None:
    """Execute one run; its notebook gets its final name only after every cell has run.

    `store`: root folder of the artifacts, if it is not the default. `cores`: how many its kernel may use; 0: as this
    process.
    """
    run.output.parent.mkdir(parents=True, exist_ok=True)
    failed = run.output.with_suffix(".failed.ipynb")
    with writing(run.output) as part:
        try:
            papermill.execute_notebook(
                str(run.notebook), str(part), run.parameters, kernel_name="python3", language="python",
                cwd=str(run.notebook.parent), kernel_manager_class=_kernel_with({"QUIET": "1", "STORE": store}, cores),
                progress_bar=False,
            )  # fmt: skip
        except PapermillExecutionError:
            replace(part, failed)
            raise
    failed.unlink(missing_ok=True)


def _kernel_with(variables: dict[str, str], cores: int = 0) -> type[AsyncKernelManager]:
    """A kernel manager that sets $PAPERLIB_NAME for each of `variables`, and `cores`, in the environment of its kernel."""

    class Kernel(AsyncKernelManager):
        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            await super().start_kernel(**options | {"env": environment.for_child(variables, cores=cores)})

    return Kernel


def run_batch(
    path: str | Path,
    scheduler: str = "",
    report: Callable[[str], None] = print,
    store: str | Path | None = None,
) -> list[Run]:
    """Execute the runs of a batch file that are not done yet; return those that failed.

    Parameters
    ----------
    path: the batch file.
    scheduler: address of a running Dask scheduler (`tcp://host:port`) whose workers see the same files; empty: a cluster
        of processes on this machine, one a core, which divide its cores. Where workers offer the resource GPU (`dask
        worker --resources GPU=1`), a run takes one, so that two runs never share a GPU by accident.
    report: gets one line a run.
    store: root folder of the artifacts, if it is not the default.

    A run whose worker dies begins again on another and finds there what it had put into the store.
    """
    runs = read_batch(path)
    waiting = [run for run in runs if not run.output.is_file()]
    for run in runs:
        if run not in waiting:
            report(f"done before  {run.output.name}  {run.parameters}")
    if not waiting:
        return []
    check_place(waiting[0].output.parent, folder=True, needed=sum(run.notebook.stat().st_size for run in waiting))
    failed = []
    side_by_side = min(len(waiting), processors())
    cores = 0 if scheduler else processors() // side_by_side
    with connect(scheduler, side_by_side) as client:
        needs, folder = resources(client), str(Path(store).absolute()) if store else ""
        futures = {client.submit(execute, run, folder, cores, pure=False, resources=needs): run for run in waiting}
        for future in as_completed(futures, loop=client.loop):
            run = futures[future]
            if future.status == "finished":
                report(f"done         {run.output.name}  {run.parameters}")
            else:
                failed.append(run)
                reason = str(future.exception()).strip().splitlines()[-1:] or [future.status]
                report(f"FAILED       {run.output.name}  {run.parameters}: {reason[0]}")
    return failed
