"""Peak memory of a process that maps a scene, and of processes that map twice the rows or twice the columns.

    python benchmarks/memory.py [SIDE [REPEATS [MODEL ...]]]

The scenes have SIDE x SIDE (4096) pixels, twice the rows, and twice the columns. Medians of REPEATS (3) are kept in
results/memory.csv. A turn takes 3 minutes with 2D-CNN and bfloat16.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from peak import peak_memory
from record import keep
from tile import tile

from paperlib import Experiment, allocation, models, open_scene
from paperlib.mapping.scene_maps import map_scene


def peak(name: str, rows: int, columns: int) -> None:
    """Map a scene in this process as the command line does, and print the peak resident memory in GB."""
    allocation.configure()
    run, scene = Experiment("demo"), open_scene(tile(rows, columns))
    with tempfile.TemporaryDirectory() as folder:
        map_scene(run.classifier(name), scene, Path(folder))
    print(json.dumps(peak_memory()))


def peak_of_process(*arguments: str | int) -> float:
    """Run `peak` in a separate process and return the value that it prints."""
    command = [sys.executable, __file__, "--peak", *map(str, arguments)]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def main(side: int = 4096, repeats: int = 3, *names: str) -> None:
    """Measure each network and scene in a separate process."""
    shapes = (side, side), (2 * side, side), (side, 2 * side)
    for shape in shapes:
        tile(*shape)
    rows = []
    for name in names or models.NAMES:
        turns = pd.DataFrame(
            {f"{rows} x {columns} (GB)": peak_of_process(name, rows, columns) for rows, columns in shapes}
            for _ in range(repeats)
        )
        print(turns.to_string(), flush=True)
        square, tall, wide = medians = turns.median()
        rows.append({"model": name, **medians, "twice the rows": tall / square, "twice the columns": wide / square})
    keep("memory", pd.DataFrame(rows), repeats=repeats)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        peak(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main(*map(int, sys.argv[1:3]), *sys.argv[3:])
