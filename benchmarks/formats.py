"""List every form of images and labels that the tests write as other programs do, and whether it was read in this run.

    python benchmarks/formats.py

Runs the tests marked `form` and writes results/formats.csv, which the page `formats` shows. Exits with an error if one of
the tests fails.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from record import RESULTS, keep

PROJECT = Path(__file__).parents[1]


def main() -> None:
    """Run the tests and count them by form."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "forms.csv"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "form", "--record-forms", str(rows)]
        done = subprocess.run([*command, "tests/scenes", "tests/labels"], cwd=PROJECT, check=False)
        table = pd.read_csv(rows)
    if done.returncode:
        sys.exit("A test of a form failed; no results are kept.")
    columns = ["data", "written by", "form", "command"]
    passed = table.assign(passed=table["outcome"] == "passed")
    found = passed.groupby(columns, sort=False).agg(
        tests=("passed", "sum"), all=("passed", "all"), test=("test", "first")
    )
    outcome = found["all"].map({True: "read", False: "not tried here"})  # a skipped test observed nothing
    found = found.assign(outcome=outcome, test=found["test"].str.removeprefix("tests/")).drop(columns="all")
    (RESULTS / "formats.csv").unlink(missing_ok=True)  # results do not depend on the machine
    keep("formats", found.reset_index())


if __name__ == "__main__":
    main()
