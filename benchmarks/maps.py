"""Speed of maps on the processor: end to end, compared with computing alone and with the usual way.

    python benchmarks/maps.py [SIDE [REPEATS [MODEL ...]]]

Maps a scene of SIDE x SIDE (2048) pixels and eleven dates (benchmarks/tile.py) from files to files, with the trainings
of preset demo. Each of REPEATS (3) turns measures in the following order. Medians, also of the ratios of each turn, are
kept in results/maps.csv.
  compute alone   the same network in the same precision on normalised numbers in memory, at its best batch size, all cores
  end to end      `map_scene`, from files to maps
  four times      end to end on four times the area; then end to end and compute alone again, which are averaged
  the usual way   the whole stack in memory, 32 x 32 patches with what the network sees around them from a DataLoader, the
                  network as trained; on a quarter of the side, because it is slow and its memory grows with the scene
Computing alone is also compared with the speed of a matrix product, as the limit of the processor. With bfloat16, a
turn takes 1 (2D-CNN) to 6 minutes (SpatioTempCNN).
"""

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import torch
from record import keep
from tile import TILE, tile
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from paperlib import Experiment, allocation, models, open_scene
from paperlib.mapping.inference import Engine, predict
from paperlib.mapping.scene_maps import map_scene
from paperlib.models.contract import Model
from paperlib.training.classifier import Classifier

SERIES = (13, 11)  # channels and dates
BATCHES = ((2, 32), (16, 32), (4, 64), (1, 128), (1, 256))  # number of patches, side in pixels without the halo


def end_to_end(classifier: Classifier, side: int) -> float:
    """Thousand pixels per second from files to files."""
    scene = open_scene(tile(side))
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        map_scene(classifier, scene, Path(folder))
        return side**2 / (time.perf_counter() - started) / 1000


def compute_alone(engine: Engine, batch: tuple[int, int], pixels: int = 2**18) -> float:
    """Thousand pixels per second of a network alone, on batches of (patches, side), each core on batches of its own."""
    number, side = batch
    around = side + 2 * engine.halo
    xs = [torch.rand(number, *SERIES, around, around) for _ in range(allocation.processors())]
    turns = max(len(xs), round(pixels / (number * side**2)))

    def one(turn: int) -> None:
        predict(engine.model, xs[turn % len(xs)], None, engine.mixed)

    return turns * number * side**2 / on_every_core(one, turns) / 1000


def on_every_core(work: Callable[[int], None], turns: int) -> float:
    """Seconds of `work` called with each turn number, in one single-threaded worker per core."""
    before = torch.get_num_threads()
    with ThreadPoolExecutor(allocation.processors(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        list(pool.map(work, range(allocation.processors())))  # warm up: the first call is slower
        started = time.perf_counter()
        list(pool.map(work, range(turns)))
        seconds = time.perf_counter() - started
    torch.set_num_threads(before)
    return seconds


def matrix_product(mixed: bool, side: int = 1024, turns: int = 60) -> float:
    """Billion operations per second of products of two square matrices; each core computes its own products."""
    left, right = torch.rand(2, side, side).to(torch.bfloat16 if mixed else torch.float32)
    return turns * 2 * side**3 / on_every_core(lambda turn: left @ right, turns) / 1e9


def operations(model: Model) -> float:
    """Million operations of a network per pixel of a large window; a multiplication with its addition counts as two."""
    x = torch.rand(1, *SERIES, 128, 128)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(x)
    return counter.get_total_flops() / model.answered(x)[:, 0, 0].numel() / 1e6


class Patches(Dataset):
    """Adjacent 32 x 32 patches of a stack (channel, date, y, x) in memory, each with the halo around."""

    def __init__(self, stack: torch.Tensor, halo: int):
        self.stack, self.halo = torch.nn.functional.pad(stack, (halo,) * 4, mode="reflect"), halo
        self.columns = stack.shape[-1] // 32

    def __len__(self) -> int:
        return self.columns * (self.stack.shape[-2] // 32)

    def __getitem__(self, number: int) -> torch.Tensor:
        row, column = divmod(number, self.columns)
        side = 32 + 2 * self.halo
        return self.stack[..., 32 * row : 32 * row + side, 32 * column : 32 * column + side]


def usual_way(classifier: Classifier, side: int) -> float:
    """Thousand pixels per second of the usual way."""
    scene = open_scene(tile(side))
    started = time.perf_counter()
    stack = classifier.normaliser.apply(torch.from_numpy(classifier.inputs.read(scene))[None])[0]
    loader = DataLoader(Patches(stack, classifier.halo), batch_size=16)
    with torch.inference_mode():
        classified = [classifier.model(x).softmax(1).max(1) for x in loader]
    assert sum(index.numel() for _, index in classified) == side**2
    return side**2 / (time.perf_counter() - started) / 1000


def best_batch(engine: Engine) -> tuple[int, int]:
    """The batch of `BATCHES` at which the network alone is fastest, by medians of five measurements."""
    rates = pd.DataFrame({batch: compute_alone(engine, batch) for batch in BATCHES} for _ in range(5))
    return rates.median().idxmax()


def one_turn(classifier: Classifier, engine: Engine, batch: tuple[int, int], side: int) -> dict[str, float]:
    """Measure every way once, thousand pixels per second; values to compare lie close in time, because speed drifts."""
    alone, area = [compute_alone(engine, batch)], []
    for length in (side, 2 * side, side):
        area.append(end_to_end(classifier, length))
        alone.append(compute_alone(engine, batch))
    ours = (area[0] + area[2]) / 2
    return {
        "end to end (kpx/s)": ours,
        "compute alone (kpx/s)": sum(alone) / 4,
        "usual way (kpx/s)": (usual := usual_way(classifier, side // 4)),
        "over compute alone": 4 * ours / sum(alone),
        "over the usual way": ours / usual,
        "compute alone over a matrix product": sum(alone)
        / 4
        * operations(classifier.model)
        / matrix_product(engine.mixed),
        "four times the area (times the seconds)": 4 * ours / area[1],
        "over compute alone, four times the area": 2 * area[1] / sum(alone[1:3]),
    }


def main(side: int = 2048, repeats: int = 3, *names: str) -> None:
    """Measure the networks `names`, by default all."""
    allocation.configure()  # as in the command line
    run = Experiment("demo")
    rows = []
    for name in names or models.NAMES:
        classifier = run.classifier(name)
        engine = Engine(classifier)
        engine.choose_precision(open_scene(tile(side)))
        batch = best_batch(engine)
        turns = pd.DataFrame(one_turn(classifier, engine, batch, side) for _ in range(repeats))
        print(f"{name}, best batch {batch[0]} x {batch[1]} x {batch[1]} pixels, {repeats} turns:")
        print(turns.round(3).T.to_string(header=False), flush=True)
        row = {"model": name, **turns.median()}
        rows.append(row | {"whole tile, extrapolated (min)": TILE**2 / row["end to end (kpx/s)"] / 1000 / 60})
    keep("maps", pd.DataFrame(rows), side=side, repeats=repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]), *sys.argv[3:])
