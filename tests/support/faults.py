"""pytest plugin: record the faults that tests inject (marker `fault`) for benchmarks/reliability.py."""

import csv

import pytest

_rows: list[list[str]] = []


def pytest_addoption(parser):
    """Add the option that names the file of injected faults."""
    parser.addoption("--record-faults", metavar="CSV", help="write a row for each test marked `fault` to this file")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Attach the marker to the report, which also travels from the processes of pytest-xdist."""
    if mark := item.get_closest_marker("fault"):
        item.user_properties.append(("fault", [*mark.args, item.nodeid.split("[")[0]]))


def pytest_runtest_logreport(report):
    """Keep the outcome of every test that injects a fault."""
    for name, content in report.user_properties:
        if name == "fault" and (report.when == "call" or report.outcome != "passed"):
            _rows.append([*content, report.outcome])


def pytest_sessionfinish(session):
    """Write the rows; of several processes only the one that collects the reports has them all."""
    path = session.config.getoption("--record-faults")
    if path and not hasattr(session.config, "workerinput"):
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["fault", "what happened", "what was lost", "test", "outcome"])
            writer.writerows(_rows)
