"""Progress is shown anew in place where somebody watches, and not at all in notebooks that programs execute."""

import sys
from types import SimpleNamespace

import pytest

from paperlib import environment


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_watched_and_a_log_is_not(terminal, monkeypatch):
    monkeypatch.delenv("PAPERLIB_QUIET", raising=False)
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
    assert environment.watched() == terminal and not environment.quiet()
    monkeypatch.setenv("PAPERLIB_QUIET", "1")
    assert environment.quiet()


@pytest.mark.parametrize("asks", [True, False])
def test_a_notebook_is_watched_where_it_can_ask_for_input_and_quiet_elsewhere(asks, monkeypatch):
    """Kernels of notebooks that programs execute cannot; `test_foreign_notebooks` runs some, and sees no progress."""
    monkeypatch.delenv("PAPERLIB_QUIET", raising=False)
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: not asks))  # means nothing in a kernel
    shell = SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=asks))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert environment.watched() == asks and environment.quiet() != asks
