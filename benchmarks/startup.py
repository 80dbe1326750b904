"""Processor seconds of `import paperlib`, of `paperlib --help` and of `Experiment`, compared with starting Python.

python benchmarks/startup.py [REPEATS]
"""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
from record import keep

COMMANDS = {
    "python": ["-c", "pass"],
    "import paperlib": ["-c", "import paperlib"],
    "paperlib --help": ["-m", "paperlib", "--help"],
    "Experiment": ["-c", "from paperlib import Experiment"],
}


def main(repeats: int = 9) -> None:
    """Measure the commands in turn and keep the medians."""
    seconds = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, arguments in COMMANDS.items():
            before = os.times()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            after = os.times()
            user, system = after.children_user - before.children_user, after.children_system - before.children_system
            seconds[name].append(user + system)  # clock time would count other work on the machine
    rows = [(name, np.median(values)) for name, values in seconds.items()]
    keep("startup", pd.DataFrame(rows, columns=["command", "seconds"]), repeats=repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
