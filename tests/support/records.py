"""pytest plugin: record what marked tests show, for pages of the book: injected faults, and forms of data that are read.

A marker's arguments are columns; beside them stand the test and its outcome.
"""

import csv

import pytest

#: Marker -> columns of its arguments. `--record-faults FILE.csv` and `--record-forms FILE.csv` write its rows.
COLUMNS = {
    "fault": ("fault", "what happened", "what was lost"),
    "form": ("data", "written by", "form", "command"),
}
_rows: dict[str, list[list[str]]] = {marker: [] for marker in COLUMNS}


def pytest_addoption(parser):
    """Add an option for each marker."""
    for marker in COLUMNS:
        parser.addoption(f"--record-{marker}s", metavar="CSV", help=f"write a row for each test marked `{marker}`")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Attach the marker to the report, which also travels from the processes of pytest-xdist."""
    for marker in COLUMNS:
        if mark := item.get_closest_marker(marker):
            item.user_properties.append((marker, [*mark.args, item.nodeid.split("[")[0]]))


def pytest_runtest_logreport(report):
    """Keep the outcome of every marked test."""
    for name, content in report.user_properties:
        if name in COLUMNS and (report.when == "call" or report.outcome != "passed"):
            _rows[name].append([*content, report.outcome])


def pytest_sessionfinish(session):
    """Write the rows; of several processes only the one that collects the reports has them all."""
    for marker, columns in COLUMNS.items():
        path = session.config.getoption(f"--record-{marker}s")
        if path and not hasattr(session.config, "workerinput"):
            with open(path, "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow([*columns, "test", "outcome"])
                writer.writerows(_rows[marker])
