"""List every fault that the tests inject, what happened and what was lost, as observed in this run.

    python benchmarks/reliability.py

Runs the tests marked `fault` and writes results/reliability.csv. Exits with an error if one of the tests fails.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from record import RESULTS, keep

PROJECT = Path(__file__).parents[1]


def main() -> None:
    """Run the tests and group them by fault."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "faults.csv"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "fault", "-n", "2", "--record-faults", str(rows)]
        done = subprocess.run(command, cwd=PROJECT, check=False)
        table = pd.read_csv(rows)
    if done.returncode:
        sys.exit("A test of a fault failed; no results are kept.")
    table = table[table["outcome"] == "passed"]  # a skipped test observed nothing
    columns = ["fault", "what happened", "what was lost"]
    table = table.groupby(columns, sort=False).agg(times=("outcome", "size"), test=("test", "first")).reset_index()
    (RESULTS / "reliability.csv").unlink(missing_ok=True)  # results do not depend on the machine
    keep("reliability", table.assign(test=table["test"].str.removeprefix("tests/")))


if __name__ == "__main__":
    main()
