"""Batches: what is done is skipped, a failure does not stop the others, bad parameters never start."""

import itertools
import os
import signal
import threading
import time
from contextlib import nullcontext

import dask
import nbformat
import psutil
import pytest
import yaml
from distributed import LocalCluster
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from paperlib import environment
from paperlib.errors import InputError
from paperlib.runs.batches import notebooks
from paperlib.runs.batches.notebooks import read_batch, run_batch
from paperlib.runs.batches.parameters import check_parameters
from support import spoiling
from support.spoiling import generated


@pytest.fixture
def notebook(tmp_path):
    """A notebook that fails at seed 13 and else leaves a file."""
    cells = [
        new_code_cell('seed = 0  # int: a number\nname = "a"  # str: a text', metadata={"tags": ["parameters"]}),
        new_code_cell('assert seed != 13, "thirteen"\nopen(f"{name}{seed}.txt", "a").write("run")'),
    ]
    nb = new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    nbformat.write(nb, tmp_path / "job.ipynb")
    return tmp_path / "job.ipynb"


def write(path, text):
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def scheduler():
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0") as cluster:
        yield cluster.scheduler_address


def test_lists_are_crossed(notebook, tmp_path):
    batch = write(tmp_path / "b.yml", "runs: [{notebook: job.ipynb, parameters: {seed: [1, 2], name: [x, y]}}]")
    runs = read_batch(batch)
    assert len({run.output for run in runs}) == 4
    assert [run.parameters for run in runs][:2] == [{"seed": 1, "name": "x"}, {"seed": 1, "name": "y"}]


@pytest.mark.parametrize(
    ("number", "scheduler", "cores"), [(2, "", 2), (9, "", 1), (1, "", 5), (2, "tcp://there:1", 0)]
)
def test_runs_on_one_machine_divide_its_cores(number, scheduler, cores, notebook, tmp_path, monkeypatch):
    """Those of a scheduler elsewhere are its own matter."""
    given = []

    class Client:
        loop = None

        def submit(self, work, run, folder, cores, **options):
            given.append(cores)

        def scheduler_info(self):
            return {"workers": {}}

    seeds = list(range(number))
    batch = write(tmp_path / "b.yml", f"runs: [{{notebook: job.ipynb, parameters: {{seed: {seeds}}}}}]")
    monkeypatch.setattr(notebooks, "processors", lambda: 5)
    monkeypatch.setattr(notebooks, "connect", lambda scheduler, workers: nullcontext(Client()))
    monkeypatch.setattr(notebooks, "as_completed", lambda *rest, **more: [])
    run_batch(batch, scheduler)
    assert given == [cores] * number
    assert environment.for_child({}, cores=3)["OMP_NUM_THREADS"] == "3"


@pytest.mark.fault("a notebook that fails in a batch", "named, kept with its error; the others finish", "nothing")
def test_failure_is_named_others_finish_and_done_is_skipped(notebook, tmp_path, scheduler):
    batch = write(tmp_path / "b.yml", "out: out\nruns: [{notebook: job.ipynb, parameters: {seed: [12, 13, 14]}}]")
    lines = []
    failed = run_batch(batch, scheduler, lines.append)
    assert [run.parameters for run in failed] == [{"seed": 13}]
    assert (tmp_path / "a12.txt").read_text() == (tmp_path / "a14.txt").read_text() == "run"
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(names) == 3 and sum(name.endswith(".failed.ipynb") for name in names) == 1
    assert any(line.startswith("FAILED") and "thirteen" in line for line in lines)

    again = run_batch(batch, scheduler, lines.append)
    assert [run.parameters for run in again] == [{"seed": 13}]
    assert (tmp_path / "a12.txt").read_text() == "run"  # not run a second time


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "runs: [{notebook: job.ipynb, parameters: {sed: 1}}]",
            "'sed'; it has seed, name. Did you mean 'seed'",
        ),
        ("runs: [{notebook: job.ipynb, parameters: {seed: one}}]", "seed = 'one' is of type str. Expected: int"),
        ("runs: [{notebook: job.ipynb, parameters: {seed: [1, true]}}]", "seed = True is of type bool"),
        ("runs: [{notebook: gone.ipynb}]", "gone.ipynb does not exist"),
        ("runs: [{notebook: job.ipynb, paramters: {}}]", "unknown entries .'paramters'"),
        ("runs: []", "needs a list `runs`"),
        ("a: [", "cannot be read as YAML"),
    ],
)
@pytest.mark.fault(
    "a misspelt parameter, a value of the wrong type", "an error that names the nearest; nothing is begun", "nothing"
)
def test_bad_batches_are_refused_before_anything_runs(text, message, notebook, tmp_path):
    batch = write(tmp_path / "b.yml", text)
    with pytest.raises(InputError, match=message):
        read_batch(batch)


CELLS = {
    "optional": ("rate = None", "a"),
    "union": ("rate: str | None = None", "a"),
    "old union": ("rate: Optional[str] = None", "a"),
    "none": ("rate: str | None = 'a'", None),
    "expression": ("rate = 2 * 8", 20),
    "whole": ("rate = 0.5  # float: share", 1),
    "annotated": ("rate: float = 1", 1),
    "mapping": ("rate = {}  # dict: settings", {"train.epochs": 3}),
    "unknown type": ("import numpy as np\nrate: np.ndarray = np.ones(3)", 4),
}


def with_cell(path, cell, kernel=True):
    """A notebook with a parameters cell that prints `rate`."""
    parameters = new_code_cell(cell, metadata={"tags": ["parameters"]})
    kernelspec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [parameters, new_code_cell("print(repr(rate))")]
    nbformat.write(new_notebook(cells=cells, metadata=kernelspec if kernel else {}), path)


@pytest.mark.parametrize(("cell", "value"), CELLS.values(), ids=CELLS)
def test_parameters_cells_as_people_write_them(cell, value, tmp_path):
    with_cell(tmp_path / "job.ipynb", cell)
    check_parameters(tmp_path / "job.ipynb", {"rate": value})


@pytest.mark.parametrize(
    ("cell", "value", "message"),
    [
        ("rate = 0.5", "fast", "rate = 'fast' is of type str. Expected: float"),
        ("rate: str | None = None", 3, "rate = 3 is of type int. Expected: str or None"),
        ("rate = 1", True, "rate = True is of type bool. Expected: int"),
        ("rate = 1", 0.5, "rate = 0.5 is of type float. Expected: int"),
        ("rate = (", 1, "cannot be read: SyntaxError"),
    ],
)
def test_values_of_another_type_are_named_with_both_types(cell, value, message, tmp_path):
    with_cell(tmp_path / "job.ipynb", cell)
    with pytest.raises(InputError, match=message):
        check_parameters(tmp_path / "job.ipynb", {"rate": value})


def test_a_notebook_without_a_kernel_and_a_store_of_its_own(tmp_path, scheduler, monkeypatch):
    """The store is named in the environment of the notebook, not in that of the process that starts it."""
    monkeypatch.delenv("PAPERLIB_STORE", raising=False)
    code = "rate: str | None = None\nfrom paperlib.store import open_store\nfrom paperlib import environment"
    with_cell(tmp_path / "job.ipynb", code, kernel=False)
    notebook = nbformat.read(tmp_path / "job.ipynb", 4)
    notebook.cells[1].source = "print(rate, open_store().name, environment.read('QUIET'))"
    nbformat.write(notebook, tmp_path / "job.ipynb")
    batch = write(tmp_path / "b.yml", "runs: [{notebook: job.ipynb, parameters: {rate: fast}}]")
    assert run_batch(batch, scheduler, lambda line: None, store=tmp_path / "mine") == []
    executed = nbformat.read(next((tmp_path / "runs").glob("job-*.ipynb")), 4)
    assert executed.cells[-1].outputs[0].text == "fast mine 1\n"
    assert "PAPERLIB_STORE" not in os.environ


@pytest.mark.fault("a scheduler that does not answer", "an error with its address", "nothing")
@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:1", "tcp://no.such.host.invalid:8786"])
def test_scheduler_that_does_not_answer(notebook, tmp_path, address):
    batch, before = write(tmp_path / "b.yml", "runs: [{notebook: job.ipynb}]"), set(threading.enumerate())
    with pytest.raises(InputError, match=f"No Dask scheduler answers at '{address}'"):
        run_batch(batch, address)
    assert set(threading.enumerate()) <= before  # no client is left behind
    assert dask.config.get("scheduler", None) is None  # what reads scenes works on


def slow_notebook(path, seconds):
    """A notebook that says when it begins and ends, and leaves a result that depends on its seed alone."""
    cells = [
        new_code_cell("seed = 0  # int: a number", metadata={"tags": ["parameters"]}),
        new_code_cell(
            f"import os, time\nopen(f'begun-{{seed}}-{{os.getpid()}}', 'w').write(str(time.time()))\n"
            f"time.sleep({seconds})\nopen(f'result-{{seed}}', 'w').write(str(seed ** 2))\n"
            "open(f'ended-{seed}-{os.getpid()}', 'w').write(str(time.time()))"
        ),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), path)


def workers_in_a_run(folder) -> list[int]:
    """Processes whose kernel has begun a run and not ended it."""
    begun = [
        path for path in folder.glob("begun-*") if not path.with_name(path.name.replace("begun", "ended")).exists()
    ]
    kernels = [int(path.name.rsplit("-", 1)[1]) for path in begun]
    return [psutil.Process(kernel).ppid() for kernel in kernels if psutil.pid_exists(kernel)]


@pytest.mark.fault(
    "two worker processes of a cluster killed (SIGKILL) in four runs",
    "the runs begin again elsewhere; all four results",
    "the runs in work",
)
def test_killed_workers_lose_nothing(tmp_path):
    """Two real worker processes, four runs; a worker is killed in the middle of its run, twice."""
    slow_notebook(tmp_path / "slow.ipynb", seconds=2)
    batch = write(tmp_path / "b.yml", "out: out\nruns: [{notebook: slow.ipynb, parameters: {seed: [1, 2, 3, 4]}}]")
    lines, kills = [], []

    def kill_twice() -> None:
        deadline = time.monotonic() + 60
        while len(kills) < 2 and time.monotonic() < deadline:
            time.sleep(0.5)
            if running := [worker for worker in workers_in_a_run(tmp_path) if worker not in (*kills, 1)]:
                kills.append(running[0])
                os.kill(running[0], signal.SIGKILL)

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        killer = threading.Thread(target=kill_twice)
        killer.start()
        failed = run_batch(batch, cluster.scheduler_address, lines.append)
        killer.join()
    assert len(kills) == 2 and not failed and sum(line.startswith("done") for line in lines) == 4
    assert {int((tmp_path / f"result-{seed}").read_text()) for seed in (1, 2, 3, 4)} == {1, 4, 9, 16}
    assert len(list(tmp_path.glob("begun-*"))) > 4  # what was killed began again
    assert len(list((tmp_path / "out").iterdir())) == 4  # and left nothing half-written


def test_a_gpu_is_taken_by_one_run_at_a_time(tmp_path):
    slow_notebook(tmp_path / "slow.ipynb", seconds=1)
    batch = write(tmp_path / "b.yml", "out: out\nruns: [{notebook: slow.ipynb, parameters: {seed: [1, 2, 3]}}]")
    with LocalCluster(
        n_workers=1, threads_per_worker=3, processes=True, resources={"GPU": 1}, dashboard_address=":0"
    ) as cluster:
        assert run_batch(batch, cluster.scheduler_address, lambda line: None) == []
    spans = sorted(
        (float(begun.read_text()), float(begun.with_name(begun.name.replace("begun", "ended")).read_text()))
        for begun in tmp_path.glob("begun-*")
    )
    assert len(spans) == 3 and all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))


@generated
@given(data=st.data())
@pytest.mark.fault("a batch file with anything wrong (generated)", "its runs, or an error; nothing starts", "nothing")
def test_a_spoilt_batch_file_gives_its_runs_or_an_error(notebook, tmp_path, data):
    whole = {"out": "runs", "runs": [{"notebook": "job.ipynb", "parameters": {"seed": [0, 1], "name": "x"}}]}
    text = yaml.safe_dump(data.draw(spoiling.spoilt(whole)), allow_unicode=True)
    (tmp_path / "b.yml").write_bytes(data.draw(st.just(text.encode()) | spoiling.spoilt_bytes(text.encode())))
    try:
        runs = read_batch(tmp_path / "b.yml")
    except InputError as error:
        assert "b.yml" in str(error) or "job.ipynb" in str(error) or "notebook" in str(error)
    else:
        assert len({run.output for run in runs}) == len(runs)
        assert all(run.parameters.keys() <= {"seed", "name"} for run in runs)
        assert all(type(run.parameters.get("seed", 0)) is int for run in runs)


def test_a_batch_file_cannot_make_objects(tmp_path):
    (tmp_path / "b.yml").write_text("runs: !!python/object/apply:os.system ['touch made']")
    with pytest.raises(InputError, match="cannot be read as YAML"):
        read_batch(tmp_path / "b.yml")
