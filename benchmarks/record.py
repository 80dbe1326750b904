"""Print and keep the table of a benchmark, with commit, machine and versions."""

from pathlib import Path

import pandas as pd
import torch

from paperlib import store
from paperlib.devices import has_bfloat16

RESULTS = Path(__file__).parent / "results"


def machine(name: str) -> str:
    """Name of a machine, its processor, and whether it has bfloat16, which determines the speed of networks."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "processor")
    return f"{name}, {processor} {'with' if has_bfloat16(torch.device('cpu')) else 'without'} bfloat16"


def keep(name: str, table: pd.DataFrame, subject: int = 1, whole: bool = False, **more) -> None:
    """Print a table and write it to results/NAME.csv.

    The first `subject` columns of the table name what was measured. Rows of the file for other machines and for other values
    of these columns are preserved, unless the table replaces the `whole` file: scores are of one machine, seconds of each.
    `more` contains further columns, with the conditions of the measurement.
    """
    table = table.round(3)
    print(table.to_string(index=False))
    facts = store.provenance({}, 0)
    table = table.assign(**more, commit=facts["commit"], machine=machine(facts["machine"]), **facts["versions"])
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.csv"
    if path.is_file() and not whole:
        before, names = pd.read_csv(path), list(table.columns[:subject])
        again = pd.MultiIndex.from_frame(before[names]).isin(pd.MultiIndex.from_frame(table[names]))
        replaced = (before["machine"] == table["machine"].iloc[0]) & again
        table = pd.concat([before[~replaced], table])
    table.to_csv(path, index=False)
