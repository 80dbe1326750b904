"""Runs commands of `paperlib` within the process of the tests, which has loaded what commands need."""

import sys
import warnings
from contextlib import chdir, redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess
from unittest import mock

import typer.main

from paperlib import __main__ as main

#: Reading the signatures of all commands again takes longer than many a command.
get_command = cache(typer.main.get_command)


def paperlib(*arguments: object, folder: Path) -> CompletedProcess:
    """Exit code, output and errors of a command as it ends in a folder."""
    command = ["paperlib", *map(str, arguments)]
    out, err = StringIO(), StringIO()
    with (
        chdir(folder), redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings(),
        mock.patch.object(sys, "argv", command), mock.patch.dict("os.environ"),
        mock.patch("typer.main.get_command", get_command),
    ):  # fmt: skip
        warnings.simplefilter("default")  # tests make them errors
        try:
            code = main.app()
        except SystemExit as end:
            code = end.code
    return CompletedProcess(command, code or 0, out.getvalue(), err.getvalue())
