"""Fixtures that several test files use, and the record of faults that tests inject (marker `fault`)."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def pytest_addoption(parser):
    """Where to write the faults that were injected; benchmarks/reliability.py asks for it."""
    parser.addoption("--record-faults", metavar="CSV", help="write a row for each test marked `fault` to this file")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """The marker travels with the report, also from another process."""
    if mark := item.get_closest_marker("fault"):
        item.user_properties.append(("fault", [*mark.args, item.nodeid.split("[")[0]]))


def pytest_runtest_logreport(report):
    """Keep the outcome of every test that injects a fault."""
    for name, content in report.user_properties:
        if name == "fault" and (report.when == "call" or report.outcome != "passed"):
            _rows.append([*content, report.outcome])


def pytest_sessionfinish(session):
    """Write the rows where they are asked for; only one process of several saw them all."""
    path = session.config.getoption("--record-faults")
    if path and not hasattr(session.config, "workerinput"):
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["fault", "what happened", "what was lost", "test", "outcome"])
            writer.writerows(_rows)


_rows: list[list[str]] = []


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real Theia L3A data, beside the project and never part of it; the test skips where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real Theia L3A data is not at {folder}")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The simulated scene at preset tiny, in a store of its own."""
    from paperlib import Experiment

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_STORE", str(tmp_path_factory.mktemp("store")))
        yield Experiment("tiny")


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium, driven by playwright; the test skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium or google-chrome is installed")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def is_whole() -> Callable:
    """Asserts of a drawing that nothing is clipped or unlabelled and that neither pyplot nor settings keep a trace."""

    def check(draw: Callable, rows_are_named: bool = False) -> None:
        before = dict(matplotlib.rcParams)
        figure = draw()
        assert dict(matplotlib.rcParams) == before
        assert plt.get_fignums() == []  # pyplot would show it a second time

        assert figure._repr_png_().startswith(b"\x89PNG")  # what a notebook shows
        assert 30 < len(figure.alt) < 250 and figure.alt.endswith("."), "says in a sentence what it shows"
        assert len(figure.data) and not figure.data.isna().all().any(), "comes with what is drawn"
        needed, given = figure.get_tightbbox(), figure.get_size_inches()
        assert needed.x0 >= -0.01 and needed.y0 >= -0.01, "clipped at the left or at the foot"
        assert needed.x1 <= given[0] + 0.01 and needed.y1 <= given[1] + 0.01, "clipped at the right or at the top"
        assert 4 <= given[0] <= 8

        panels = [ax for ax in figure.axes if ax.get_visible()]
        assert any(ax.get_xlabel() for ax in panels)
        assert rows_are_named or any(ax.get_ylabel() for ax in panels)
        assert not any("[metre]" in ax.get_xlabel() + ax.get_ylabel() for ax in panels)

    return check
