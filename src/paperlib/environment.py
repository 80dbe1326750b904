"""Environment variables of paperlib: read here and nowhere else, and never set in the process that reads them.

PAPERLIB_PRESET: preset where none is named. PAPERLIB_SCENE, PAPERLIB_POLYGONS: paths where neither is given.
PAPERLIB_SETTINGS: settings that differ from the preset, as `settings.make` takes them. PAPERLIB_STORE: folder of
artifacts. PAPERLIB_GALILEO: file or address that `paperlib fetch galileo` gets the weights from. PAPERLIB_QUIET: anything
but empty hides all progress, which notebooks that programs execute hide anyway.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any

NAMES = ("PRESET", "SCENE", "POLYGONS", "SETTINGS", "STORE", "GALILEO", "QUIET")


def read(name: str) -> str:
    """Value of the variable PAPERLIB_NAME, empty where it is not set; `name` is one of `NAMES`."""
    if name not in NAMES:
        raise KeyError(name)
    return os.environ.get(f"PAPERLIB_{name}", "")


def for_child(variables: Mapping[str, str], keep: bool = True, cores: int = 0) -> dict[str, str]:
    """Environment of a child process: this one's, with $PAPERLIB_NAME set for each of `variables` that is not empty.

    `keep=False` drops the paperlib variables of this process first. `cores`: how many processors it may use (see
    `allocation.processors`); 0: as it would be.
    """
    inherited = {name: value for name, value in os.environ.items() if keep or not name.startswith("PAPERLIB_")}
    granted = {"OMP_NUM_THREADS": str(cores)} if cores else {}
    return inherited | granted | {f"PAPERLIB_{name}": value for name, value in variables.items() if value}


def watched() -> bool:
    """Whether somebody sees a line that is written anew: in a terminal or an open notebook, not in a log file."""
    kernel = _kernel()
    return _is_open(kernel) if kernel else sys.stderr.isatty()


def quiet() -> bool:
    """Whether no progress is wanted: by $PAPERLIB_QUIET, and in a notebook that a program such as Jupyter Book executes."""
    kernel = _kernel()
    return bool(read("QUIET") or (kernel and not _is_open(kernel)))


def _kernel() -> Any:
    """The kernel of the notebook that this process runs, or None."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None)


def _is_open(kernel: Any) -> bool:
    """Whether somebody has the notebook open: it can ask for input, which one that a program executes cannot."""
    return bool(getattr(kernel, "_allow_stdin", False))  # no public name for it up to ipykernel 7
