"""Seconds of `import paperlib` and of `paperlib --help`, compared with starting Python.

python benchmarks/startup.py [REPEATS]
"""

import subprocess
import sys
import time

import numpy as np
import pandas as pd
from record import keep

COMMANDS = {
    "python": ["-c", "pass"],
    "import paperlib": ["-c", "import paperlib"],
    "paperlib --help": ["-m", "paperlib", "--help"],
}


def main(repeats: int = 9) -> None:
    """Measure the commands in turn and keep the medians."""
    seconds = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        for name, arguments in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - started)
    rows = [(name, np.median(values)) for name, values in seconds.items()]
    keep("startup", pd.DataFrame(rows, columns=["command", "seconds"]), repeats=repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
