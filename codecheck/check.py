"""Make the quick tables and figures of codecheck.yml again and compare them with those that are kept.

    python codecheck/check.py           # `make codecheck`: exits with 1 where a value has moved beyond its tolerance
    python codecheck/check.py --keep    # replace the kept files by what is made now

The quick set is made at preset tiny on the simulated scene, in an empty store: everything is simulated, read, trained and
mapped anew, in float32. Networks learn little in the two epochs of that preset: the code is checked, not what a network is
worth. A figure is checked by the numbers that it draws. The tolerance of a file stands in codecheck.yml and holds for each
number; texts and the numbers of rows and columns have to agree.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

#: Networks compute in float32 on every processor: in bfloat16, where there is any, the F1 of a class moved by up to 0.5.
PROCESSOR = {"ATEN_CPU_CAPABILITY": "avx2"}

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = "codecheck/outputs"

#: Columns of trainings and of epochs that do not depend on the time a machine takes.
TRAINING = ["model", "training", "epochs", "parameters", "macro_f1_validation", "macro_f1_test"]
EPOCH = ["model", "training", "epoch", "training_loss", "loss", "macro_f1"]


def makers() -> dict[str, Callable]:
    """How each quick file is made from a run, by its name."""
    from paperlib.evaluation.summaries import areas_table
    from paperlib.reproduction import paper, tables

    def drawn(run, channels: list[str], normalised: bool) -> pd.DataFrame:
        series = run.dataset.series(normalised)
        columns = ["class_name", "channel", "date", "mean", "std", "n"]
        return series[series["channel"].isin(channels)][columns].reset_index(drop=True)

    return {
        "table-1": lambda run: tables.table_1(run.scene).reset_index(),
        "tables-2-and-3": lambda run: run.dataset.pixel_counts(),
        "parameters": lambda run: run.trained.networks(**paper.INPUT),
        "figure-7": lambda run: drawn(run, ["NDVI", "NDWI", "BI", "B12"], normalised=False),
        "figure-8": lambda run: drawn(run, list(run.samples["train"].channels), normalised=True),
        "learning-curves": lambda run: run.trained.history()[EPOCH],
        "trainings": lambda run: run.trainings()[TRAINING],
        "table-4": lambda run: run.class_scores(),
        "figure-9": lambda run: areas_table(run.class_maps(), run.legend).reset_index(),
    }


def make(folder: Path) -> None:
    """Write every quick file to a folder, from an empty store."""
    from paperlib import Experiment

    with tempfile.TemporaryDirectory() as store:
        run = Experiment("tiny", store=store)
        for name, table in makers().items():
            table(run).to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
            print(f"made {name}", flush=True)


def faults(kept: Path, made: Path, tolerance: float) -> list[str]:
    """How a file that was made differs from the one that is kept, a line for each column; none: it does not."""
    if not made.is_file():
        return [f"{kept.name} was not made"]
    old, new = (pd.read_csv(path) for path in (kept, made))
    if list(old.columns) != list(new.columns) or len(old) != len(new):
        return [
            f"{kept.name}: {len(new)} rows and the columns {list(new.columns)}; kept: {len(old)}, {list(old.columns)}"
        ]
    found = []
    for column in old:
        if pd.api.types.is_numeric_dtype(old[column]) and pd.api.types.is_numeric_dtype(new[column]):
            apart = (new[column] - old[column]).abs().fillna(np.inf)
            apart[old[column].isna() & new[column].isna()] = 0
            allowed = tolerance
        else:
            apart, allowed = (new[column].astype(str) != old[column].astype(str)).astype(float), 0.0
        if apart.max() > allowed:
            row = apart.idxmax()
            found.append(
                f"{kept.name}, {column}, row {row + 2}: {new[column][row]}; kept: {old[column][row]}; tolerance: {allowed:g}"
            )
    return found


def manifest(project: Path = PROJECT) -> list[dict]:
    """The files of codecheck.yml: file, comment, and of the quick ones the tolerance."""
    return yaml.safe_load((project / "codecheck.yml").read_text())["manifest"]


def main(*options: str) -> int:
    """Make and compare, or make and keep; the number of faults."""
    if options == ("--keep",):
        (PROJECT / FOLDER).mkdir(exist_ok=True)
        make(PROJECT / FOLDER)
        return 0
    with tempfile.TemporaryDirectory() as made:
        make(Path(made))
        quick = [entry for entry in manifest() if entry["file"].startswith(FOLDER)]
        found = [
            fault
            for entry in quick
            for fault in faults(PROJECT / entry["file"], Path(made) / Path(entry["file"]).name, entry["tolerance"])
        ]
    print("\n".join(found) or f"All {len(quick)} files are within their tolerances.")
    return len(found)


if __name__ == "__main__":
    os.environ |= PROCESSOR  # before torch loads
    sys.exit(bool(main(*sys.argv[1:])))
