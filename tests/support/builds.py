"""Runs `jupyter-book` many times in processes that have it loaded already: loading takes longer than building two pages.

Run as a script, this file loads Jupyter Book, then reads lines from its input, each the arguments of one command and the
file of its log as JSON, and answers each with the exit code. Each command runs in a copy of the process that ran none.
"""

import json
import os
import subprocess
import sys
from pathlib import Path


class Builder:
    """A process with Jupyter Book loaded. To be used in a `with` statement, at whose end the process has ended."""

    def __enter__(self) -> "Builder":
        command = [sys.executable, __file__]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_) -> None:
        self.process.communicate()

    def run(self, arguments: list[str], log: Path) -> tuple[int, str]:
        """Exit code and output of `jupyter-book` with these arguments."""
        print(json.dumps([arguments, str(log)]), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline()), log.read_text()


def serve() -> None:
    """Run one command for each line of the input."""
    import jupyter_book.sphinx  # noqa: F401  # loads Sphinx
    import myst_nb.sphinx_ext  # noqa: F401
    import sphinx_book_theme  # noqa: F401
    from jupyter_book.cli.main import main

    for line in sys.stdin:
        arguments, log = json.loads(line)
        if (child := os.fork()) == 0:
            with open(log, "w") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            sys.argv = ["jupyter-book", *arguments]
            main()  # exits
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
