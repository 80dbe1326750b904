"""pytest plugin: processor time by test file, summed over the processes of pytest-xdist and their children.

Durations mislead on a machine that does other work too; processor time does not. A child process counts when it has ended.
"""

import os
import sys
from collections import Counter

import pytest

#: Rows of the table that are no test file.
FIXTURES, START = "fixtures of the session", "start and collection"

_seconds: Counter[str] = Counter()
_of_session_fixtures = 0.0  # within the current test
_depth = 0  # of session fixtures that make others


def now() -> float:
    """Processor time in seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])


#: Limits torch and its oneDNN to instructions without bfloat16; both read it when they are first used.
WITHOUT_BFLOAT16 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


def pytest_addoption(parser):
    """Add the option that asks for the table, and the one that makes it comparable between processors."""
    parser.addoption("--processor-time", action="store_true", help="print the processor time of each test file")
    parser.addoption("--without-bfloat16", action="store_true", help="compute as a processor without bfloat16 does")


def pytest_configure(config):
    """Limit this process and those that it starts, which inherit the variables."""
    if config.getoption("--without-bfloat16"):
        assert "torch" not in sys.modules, "torch has been loaded before its instructions were limited"
        os.environ.update(WITHOUT_BFLOAT16)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Charge a test, with its fixtures, to its file."""
    global _of_session_fixtures
    started, _of_session_fixtures = now(), 0.0
    try:
        return (yield)
    finally:
        _seconds[item.nodeid.split("::")[0]] += now() - started - _of_session_fixtures
        _seconds[FIXTURES] += _of_session_fixtures


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef):
    """Count fixtures of the session apart, so that the file that comes first does not pay for them."""
    global _of_session_fixtures, _depth
    if fixturedef.scope != "session":
        return (yield)
    started, _depth = now(), _depth + 1
    try:
        return (yield)
    finally:
        _depth -= 1
        if not _depth:
            _of_session_fixtures += now() - started


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """Hand the seconds of a worker to the process that started it, whose own are few."""
    starts_workers = session.config.pluginmanager.has_plugin("dsession")
    _seconds[START] += sum(os.times()[:2]) if starts_workers else now() - _seconds.total()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["processor_time"] = dict(_seconds)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Add the seconds of a worker."""
    _seconds.update(getattr(node, "workeroutput", {}).get("processor_time", {}))


def pytest_terminal_summary(terminalreporter, config):
    """Print the table, the largest first."""
    if config.getoption("--processor-time"):
        terminalreporter.section("processor time in seconds")
        for name, seconds in _seconds.most_common():
            terminalreporter.write_line(f"{seconds:8.1f}  {name}")
        terminalreporter.write_line(f"{_seconds.total():8.1f}  in all")
