"""Time of training steps of each network, side by side with another checkout, and the scores that both reach.

    python benchmarks/steps.py --vs PATH [--presets demo,paper] [--turns N] [--steps N] [--seeds N] [--scores NAMES]

Two processes, one with this code and one with that of the checkout PATH, train on the same samples, normalised, of each
preset. In each of N turns (5) one after the other takes the first N steps (24) of an epoch, on one thread, in float32 and,
where the processor has it, in bfloat16; the time is that of the processor, which others' work on the machine changes
less. Medians are kept in results/steps.csv. With --seeds, both also train whole on preset demo once for each of N seeds,
in the precision of the machine; the macro F1 on the test set, which chooses nothing, is kept in results/steps-scores.csv.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from record import keep

from paperlib import Experiment, models, store
from paperlib.features.normaliser import Normaliser

#: Patches of each set that steps are measured with.
PATCHES = 128

#: Runs in both checkouts, so it uses what both have. Reads requests, one JSON a line, and answers each with a line.
WORKER = """
import json, sys, time
from dataclasses import replace
import torch
torch.set_num_threads(1)
from paperlib import devices, models
from paperlib.evaluation import metrics
from paperlib.evaluation.scoring import evaluate
from paperlib.features.samples import Samples
from paperlib.settings import Train
from paperlib.training import loop, minibatches

NAME = "one_epoch" if hasattr(loop, "one_epoch") else "_one_epoch"  # of older code
real, one_epoch, seconds = minibatches.epoch_batches, getattr(loop, NAME), []

def timed(*arguments):
    started = time.process_time()
    loss = one_epoch(*arguments)
    seconds.append(time.process_time() - started)
    return loss

setattr(loop, NAME, timed)
has_bfloat16 = devices.has_bfloat16(torch.device("cpu"))
for line in sys.stdin:
    ask = json.loads(line)
    sets = {name: Samples.load(f"{ask['folder']}/{name}.safetensors") for name in ("train", "validation", "test")}
    channels, dates = sets["train"].x.shape[1:3]
    classes = int(sets["train"].label.max()) + 1
    torch.manual_seed(ask["seed"])
    model = models.build(ask["model"], channels, dates, classes)
    devices.has_bfloat16 = lambda device: ask["bfloat16"] and has_bfloat16
    minibatches.epoch_batches = (lambda *rest: real(*rest)[:ask["steps"]]) if ask["steps"] else real
    validation = sets["validation"] if not ask["steps"] else sets["validation"][torch.arange(2)]
    done = loop.train(model, sets["train"], validation, Train(**ask["train"]), seed=ask["seed"], progress=False)
    answer = {"seconds": seconds.pop(), "epochs": len(done.history)}
    if not ask["steps"]:
        answer["f1"] = metrics.macro_f1(evaluate(model, sets["test"]).confusion)
    seconds.clear()
    print(json.dumps(answer), flush=True)
"""


class Checkout:
    """A process that trains with the code of one checkout."""

    def __init__(self, path: Path):
        environment = os.environ | {"PYTHONPATH": str(path / "src"), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
            cwd=path,
        )  # fmt: skip

    def ask(self, **request) -> dict:
        """Train as asked, and what came of it."""
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def commit(path: Path) -> str:
    """Commit of a checkout."""
    return subprocess.run(
        ["git", "describe", "--always", "--abbrev=12"], cwd=path, capture_output=True, text=True, check=True
    ).stdout.strip()


def samples(preset: str, folder: Path, most: int | None = None) -> dict:
    """Write normalised samples of a preset to a folder, at most so many of each set; what asks for a training on them."""
    run = Experiment(preset)
    folder.mkdir()
    draw = torch.Generator().manual_seed(0)
    parts = {name: part[torch.randperm(len(part), generator=draw)[:most]] for name, part in run.samples.items()}
    normaliser = Normaliser.fit(parts["train"])
    for name, part in parts.items():
        part.map(normaliser.apply).save(folder / f"{name}.safetensors")
    train = run.settings.train
    return {
        "folder": str(folder),
        "train": {"epochs": train.epochs, "patience": train.patience, "patches": train.patches},
    }


def steps(sides: dict[str, Checkout], asked: dict, preset: str, turns: int, count: int) -> list[dict]:
    """Median seconds of `count` steps of each network in both checkouts; an earlier turn warms up."""
    rows = []
    for bfloat16 in (False, True):
        for name in models.NAMES:
            taken: dict[str, list[float]] = {side: [] for side in sides}
            for turn in range(turns + 1):
                for side, checkout in sides.items():
                    request = asked | {"train": asked["train"] | {"epochs": 1}}
                    found = checkout.ask(**request, model=name, bfloat16=bfloat16, steps=count, seed=0)["seconds"]
                    taken[side] += [found] if turn else []
            before, now = (float(np.median(taken[side])) for side in ("before", "now"))
            kind = "bfloat16" if bfloat16 else "float32"
            rows.append({"model": name, "preset": preset, "precision": kind, "before (s)": before, "now (s)": now})
            rows[-1]["times as fast"] = float(np.median(np.divide(taken["before"], taken["now"])))
            print(rows[-1], flush=True)
    return rows


def scores(sides: dict[str, Checkout], asked: dict, names: list[str], seeds: int) -> list[dict]:
    """Macro F1 on the test set of whole trainings with both checkouts, mean and standard deviation over seeds."""
    rows = []
    for name in names:
        f1: dict[str, list[float]] = {side: [] for side in sides}
        for seed in range(seeds):
            for side, checkout in sides.items():
                f1[side].append(checkout.ask(**asked, model=name, bfloat16=True, steps=0, seed=seed)["f1"])
            print(name, seed, {side: round(values[-1], 3) for side, values in f1.items()}, flush=True)
        rows.append({"model": name})
        for side, values in f1.items():
            rows[-1] |= {f"{side}, mean": np.mean(values), f"{side}, std": np.std(values, ddof=1)}
    return rows


def main() -> None:
    """Measure the steps, then the scores."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--vs", type=Path, required=True, help="another checkout of this project")
    parser.add_argument("--presets", default="demo,paper", help="presets whose steps are measured; empty: none")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--seeds", type=int, default=0, help="trainings of each network for the scores")
    parser.add_argument("--scores", default=",".join(models.NAMES), help="networks whose scores are measured")
    choice = parser.parse_args()
    sides = {"before": Checkout(choice.vs.resolve()), "now": Checkout(store.project())}
    with tempfile.TemporaryDirectory() as folder:
        facts = {"before_commit": commit(choice.vs)}
        for preset in filter(None, choice.presets.split(",")):
            started = time.perf_counter()
            found = steps(sides, samples(preset, Path(folder) / preset, PATCHES), preset, choice.turns, choice.steps)
            table = pd.DataFrame(found).assign(case=lambda table: table["model"] + ", " + table["preset"])
            columns = ["case", *(column for column in table if column != "case")]
            keep("steps", table[columns], steps=choice.steps, repeats=choice.turns, **facts)
            print(f"{preset}: {time.perf_counter() - started:.0f} s", flush=True)
        if choice.seeds:
            asked = samples("demo", Path(folder) / "scores")
            rows = scores(sides, asked, choice.scores.split(","), choice.seeds)
            keep("steps-scores", pd.DataFrame(rows), preset="demo", seeds=choice.seeds, **facts)


if __name__ == "__main__":
    main()
