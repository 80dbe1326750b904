"""Maps on this machine's processor: end to end against computing alone, and against the usual way, side by side.

    python benchmarks/maps.py [SIDE [REPEATS [MODEL ...]]]

Files to files on a scene of SIDE x SIDE pixels and eleven dates (benchmarks/tile.py) with the trainings of preset demo.
Three ways, in turn, REPEATS times; medians, also of the ratios of each turn, are kept in results/maps.csv:
  end to end      `map_scene`: files to maps
  compute alone   the same network in the same precision on normalised numbers in memory, at its best batch, all cores
  the usual way   the whole stack in memory, 32 x 32 patches without overlap from a DataLoader, the network as trained;
                  on a quarter of the side, since it is slow and its memory grows with the scene
And, for the two fastest networks, four times the area: what it costs, and the first ratio there.
Computing alone is held against what the processor can do at all: the speed of a product of two matrices.
"""

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import torch
from record import keep
from tile import TILE, tile
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from paperlib import Experiment, heap, models, open_scene
from paperlib.devices import has_bfloat16
from paperlib.features import features
from paperlib.inference import Classifier, answer
from paperlib.mapping import map_scene

FAST = ("TempCNN", "2D-CNN")
BATCHES = ((2, 32), (16, 32), (4, 64), (1, 128), (1, 256))  # patches x side


def end_to_end(run: Experiment, model: torch.nn.Module, side: int) -> float:
    """Thousand pixels a second from files to files."""
    scene = open_scene(tile(side))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        map_scene(model, scene, run.normaliser, run.legend, Path(folder))
        return side**2 / (time.perf_counter() - started) / 1000


def compute_alone(run: Experiment, model: torch.nn.Module, pixels: int = 2**17) -> float:
    """Thousand pixels a second of the network alone, at the best of `BATCHES`, each core on batches of its own."""
    classifier = Classifier(model, run.normaliser)
    classifier.choose_precision(open_scene(tile(2048)))
    best = 0.0
    before = torch.get_num_threads()
    with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for number, side in BATCHES:
            shape = run.normalised["train"].x.shape[1:3]
            xs = [torch.rand(number, *shape, side, side) for _ in range(os.cpu_count())]
            turns = max(len(xs), round(pixels / (number * side**2)))

            def one(turn: int, xs=xs) -> None:
                answer(classifier.model, [xs[turn % len(xs)]], classifier.mixed)

            list(pool.map(one, range(len(xs))))  # the first time costs more
            started = time.perf_counter()
            list(pool.map(one, range(turns)))
            best = max(best, turns * number * side**2 / (time.perf_counter() - started) / 1000)
    torch.set_num_threads(before)
    return best


def matrix_product(kind: torch.dtype, side: int = 1024, turns: int = 60) -> float:
    """Thousand million operations a second of products of two square matrices, each core on products of its own."""
    one, other = torch.rand(2, side, side).to(kind)
    before = torch.get_num_threads()
    with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        list(pool.map(lambda turn: one @ other, range(os.cpu_count())))
        started = time.perf_counter()
        list(pool.map(lambda turn: one @ other, range(turns)))
        seconds = time.perf_counter() - started
    torch.set_num_threads(before)
    return turns * 2 * side**3 / seconds / 1e9


def operations(run: Experiment, model: torch.nn.Module) -> float:
    """Million operations that a network takes for a pixel, two for a multiplication with its addition."""
    x = torch.rand(2, *run.normalised["train"].x.shape[1:3], 32, 32)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(x)
    return counter.get_total_flops() / x[:, 0, 0].numel() / 1e6


class Patches(Dataset):
    """32 x 32 patches side by side of a stack (channel, date, y, x) in memory."""

    def __init__(self, stack: torch.Tensor):
        self.stack, self.columns = stack, stack.shape[-1] // 32

    def __len__(self) -> int:
        return self.columns * (self.stack.shape[-2] // 32)

    def __getitem__(self, number: int) -> torch.Tensor:
        row, column = divmod(number, self.columns)
        return self.stack[..., 32 * row : 32 * row + 32, 32 * column : 32 * column + 32]


def usual_way(run: Experiment, model: torch.nn.Module, side: int) -> float:
    """Thousand pixels a second of the usual way."""
    scene = open_scene(tile(side))
    started = time.perf_counter()
    stack = run.normaliser.apply(torch.from_numpy(features(scene))[None])[0]
    with torch.inference_mode():
        found = [model(x).softmax(1).max(1) for x in DataLoader(Patches(stack), batch_size=16)]
    assert sum(index.numel() for _, index in found) == side**2
    return side**2 / (time.perf_counter() - started) / 1000


def main(side: int = 2048, repeats: int = 3, *names: str) -> None:
    """Measure these networks, by default every one."""
    heap.order()  # as the command line does
    run = Experiment("demo")
    kind = torch.bfloat16 if has_bfloat16(torch.device("cpu")) else torch.float32
    rows = []
    for name in names or models.NAMES:
        model = run.classifier(name)
        turns = pd.DataFrame(
            (*side_by_side(run, model, side), usual_way(run, model, side // 4), matrix_product(kind))
            for _ in range(repeats)
        )  # fmt: skip
        ours, alone, usual, product = (turns[number] for number in turns)
        row = {
            "model": name,
            "end to end (kpx/s)": ours.median(),
            "compute alone (kpx/s)": alone.median(),
            "usual way (kpx/s)": usual.median(),
            "over compute alone": (ours / alone).median(),
            "over the usual way": (ours / usual).median(),
            "compute alone over a matrix product": (alone / product).median() * operations(run, model),
            "whole tile, extrapolated (min)": TILE**2 / ours.median() / 1000 / 60,
        }
        rows.append(row | (four_times(run, model, side) if name in FAST else {}))
        print(
            {what: value if what == "model" else round(float(value), 3) for what, value in rows[-1].items()}, flush=True
        )
    keep("maps", pd.DataFrame(rows), side=side, repeats=repeats)


def side_by_side(run: Experiment, model: torch.nn.Module, side: int) -> tuple[float, float]:
    """End to end, and the mean of computing alone before and after it: a rented machine's speed drifts in minutes."""
    before = compute_alone(run, model)
    ours = end_to_end(run, model, side)
    return ours, (before + compute_alone(run, model)) / 2


def four_times(run: Experiment, model: torch.nn.Module, side: int) -> dict[str, float]:
    """Four times the area once, between two maps of the area itself."""
    before = end_to_end(run, model, side)
    larger, alone = side_by_side(run, model, 2 * side)
    after = end_to_end(run, model, side)
    return {
        "four times the area (times the seconds)": 4 * (before + after) / 2 / larger,
        "over compute alone, four times the area": larger / alone,
    }


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
