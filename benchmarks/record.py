"""How every benchmark here prints its one small table and keeps it, with commit, machine and versions."""

from pathlib import Path

import pandas as pd
import torch

from paperlib import store
from paperlib.devices import has_bfloat16

RESULTS = Path(__file__).parent / "results"


def machine(name: str) -> str:
    """A machine's name with its processor and what decides on the speed of networks: bfloat16."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "processor")
    return f"{name}, {processor} {'with' if has_bfloat16(torch.device('cpu')) else 'without'} bfloat16"


def keep(name: str, table: pd.DataFrame, **more) -> None:
    """Print a table and write it to results/NAME.csv, where rows of other machines stay, and of what else was measured.

    What was measured is said in the first column. `more`: columns that say under which choices it was taken.
    """
    table = table.round(3)
    print(table.to_string(index=False))
    facts = store.provenance({}, 0)
    table = table.assign(**more, commit=facts["commit"], machine=machine(facts["machine"]), **facts["versions"])
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.csv"
    if path.is_file():
        before, what = pd.read_csv(path), table.columns[0]
        again = (before["machine"] == table["machine"].iloc[0]) & before[what].isin(table[what])
        table = pd.concat([before[~again], table])
    table.to_csv(path, index=False)
