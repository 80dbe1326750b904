"""What an estimate says of the cost of a run beside what the run then takes, in processor seconds, memory and disk.

    python benchmarks/cost.py [REPEATS [SIZE ...]]

Simulated scenes of SIZE pixels (256, 384 and 640), three classifiers, one training of four epochs each. An estimate is made
in one process, as `paperlib check --cost` makes it, the run in another. Medians of REPEATS (1) of both, in turns, are kept
in results/cost.csv. Processor seconds do not count what other programs take, but these lengthen them: processors share
caches and, in pairs, a core. So compare on a machine at rest.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from peak import peak_memory
from record import keep

from paperlib import Experiment, allocation
from paperlib.outputs import used
from paperlib.runs.costs.estimate import estimate
from paperlib.runs.products import write_products

SIZES = (256, 384, 640)
MODELS = ("iota2_base", "TempCNN", "2D-CNN")
EPOCHS = 4


def make(size: int, store: Path) -> Experiment:
    """The run of a scene of this size; its scene is made, which no estimate counts."""
    settings = {"scene.size": size, "train.trainings": 1, "train.epochs": EPOCHS, "train.patience": EPOCHS}
    run = Experiment("demo", settings=settings, store=store)
    _ = run.scene
    return run


def tell(run: Experiment) -> dict:
    """The estimate: seconds of each stage, bytes of memory and of disk."""
    told = estimate(run, MODELS)
    stages = {"samples": told.preparing_seconds}
    for cost in told.costs:
        stages |= {f"training, {cost.model}": cost.training_seconds, f"map, {cost.model}": cost.map_seconds}
    memory = max(cost.memory_bytes for cost in told.costs)
    return {"seconds": stages, "memory": memory, "disk": told.disk_bytes + sum(cost.disk_bytes for cost in told.costs)}


def come(run: Experiment) -> dict:
    """The run itself, measured alike."""
    stages: dict[str, float] = {}

    def timed(stage: str, work: Callable, *arguments: str) -> None:
        started = time.process_time()
        work(*arguments)
        stages[stage] = time.process_time() - started

    before = used(run.store)
    timed("samples", lambda: run.samples)
    for name in MODELS:
        timed(f"training, {name}", run.trained.training, name)
        run.trained.best(name)
        timed(f"map, {name}", run.map, name)
    with tempfile.TemporaryDirectory() as products:
        write_products(run, MODELS, Path(products))
        disk = used(run.store) - before + used(Path(products))
    return {"seconds": stages, "memory": int(1e9 * peak_memory()), "disk": disk}


def in_process(what: str, size: int, store: Path) -> dict:
    """The answer of `tell` or `come` in a process of its own."""
    command = [sys.executable, __file__, what, str(size), str(store)]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def main(repeats: int = 1, *sizes: int) -> None:
    """Compare at every size."""
    rows = []
    for size in sizes or SIZES:
        turns = []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as place:
                make(size, Path(place))
                told, came = (in_process(what, size, Path(place)) for what in ("tell", "come"))
            for stage in told["seconds"]:
                turns.append((f"{size}, {stage} (s)", told["seconds"][stage], came["seconds"][stage]))
            whole = [sum(answer["seconds"].values()) for answer in (told, came)]
            turns.append((f"{size}, whole (s)", *whole))
            turns += [(f"{size}, {what} (MB)", told[what] / 1e6, came[what] / 1e6) for what in ("memory", "disk")]
        table = pd.DataFrame(turns, columns=["case", "told", "came"])
        rows.append(table.groupby("case", sort=False).median().reset_index())
        print(rows[-1].to_string(index=False), flush=True)
    result = pd.concat(rows)
    keep("cost", result.assign(**{"told over came": result["told"] / result["came"]}), repeats=repeats, epochs=EPOCHS)


if __name__ == "__main__":
    allocation.configure()
    if sys.argv[1:2] in (["tell"], ["come"]):
        print(json.dumps({"tell": tell, "come": come}[sys.argv[1]](make(int(sys.argv[2]), Path(sys.argv[3])))))
    else:
        main(*map(int, sys.argv[1:]))
