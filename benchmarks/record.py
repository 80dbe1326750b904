"""How every benchmark here prints its one small table and keeps it, with commit, machine and versions."""

from pathlib import Path

import pandas as pd

from paperlib import store

RESULTS = Path(__file__).parent / "results"


def keep(name: str, table: pd.DataFrame, **more) -> None:
    """Print a table and write it to results/NAME.csv; `more`: columns that say under which choices it was taken."""
    table = table.round(3)
    print(table.to_string(index=False))
    facts = store.provenance({}, 0)
    table = table.assign(**more, commit=facts["commit"], machine=facts["machine"], **facts["versions"])
    RESULTS.mkdir(exist_ok=True)
    table.to_csv(RESULTS / f"{name}.csv", index=False)
