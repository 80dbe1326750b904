"""Memory of a map: the peak of a process that maps a scene, and of ones that map twice its area, in either direction.

    python benchmarks/memory.py [SIDE [MODEL ...]]

Scenes of SIDE x SIDE (4096) pixels, of twice the rows, and of twice the columns; kept in results/memory.csv.
"""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from record import keep
from tile import tile

from paperlib import Experiment, heap, models, open_scene
from paperlib.mapping import map_scene


def peak(name: str, rows: int, columns: int) -> None:
    """Map in this process, as the command line does, and print its peak resident memory in GB."""
    heap.order()
    run, scene = Experiment("demo"), open_scene(tile(rows, columns))
    with tempfile.TemporaryDirectory() as folder:
        map_scene(run.classifier(name), scene, run.normaliser, run.legend, Path(folder))
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6))


def main(side: int = 4096, *names: str) -> None:
    """Measure in processes of their own."""
    shapes = (side, side), (2 * side, side), (side, 2 * side)
    rows = []
    for name in names or models.NAMES:
        found = []
        for shape in shapes:
            tile(*shape)
            command = [sys.executable, __file__, "--peak", name, *map(str, shape)]
            found.append(float(subprocess.run(command, capture_output=True, check=True, text=True).stdout))
        rows.append((name, *found, found[1] / found[0], found[2] / found[0]))
        print(rows[-1], flush=True)
    columns = [
        "model",
        *(f"{height} x {width} (GB)" for height, width in shapes),
        "twice the rows",
        "twice the columns",
    ]
    keep("memory", pd.DataFrame(rows, columns=columns))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        peak(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main(*map(int, sys.argv[1:2]), *sys.argv[2:])
