"""Speed of maps by Galileo: the network that imitates the encoder beside TempCNN, and the encoder itself.

    python benchmarks/student.py [SIDE [REPEATS]]

Maps a scene of SIDE x SIDE (1024) pixels and eleven dates from files to files, with the trainings of preset demo, in REPEATS
(3) turns of TempCNN and Galileo: as `paperlib map` does, which takes mixed precision where it changes the class of one pixel
in a thousand at most, and both in float32. The encoder embeds pixels in memory. Medians, also of the ratios of each turn,
are kept in results/student.csv. Needs the weights (`paperlib fetch galileo`).
"""

import sys
import time

import pandas as pd
import torch
from few_labels import STUDENT, TEACHER
from maps import end_to_end
from record import keep

from paperlib import Experiment
from paperlib.mapping import inference
from paperlib.models.galileo import Encoded, bands_of
from paperlib.training.galileo_weights import read_encoder
from paperlib.training.imitation import months_of

BASE = "TempCNN"
EMBEDDED = 4096  # pixels that the encoder embeds
FLOAT32 = 2.0  # more than any share of pixels: mixed precision is never taken


def embedding(run: Experiment) -> float:
    """Thousand pixels a second of the encoder, on series in memory."""
    inputs = run.dataset.inputs
    teacher = Encoded(read_encoder(), bands_of(inputs.roles, inputs.channels()), months_of(inputs.days, run.dates[0]))
    x = run.samples["train"].pixels().x[:EMBEDDED]
    with torch.inference_mode():
        teacher(x[:64])
        started = time.perf_counter()
        teacher(x)
    return len(x) / (time.perf_counter() - started) / 1000


def main(side: int = 1024, repeats: int = 3) -> None:
    """Measure and keep."""
    run = Experiment("demo")
    classifiers = {name: run.classifier(name) for name in (BASE, STUDENT)}
    for classifier in classifiers.values():
        end_to_end(classifier, 256)
    table = pd.DataFrame()
    for precision, agreement in {"": inference.AGREEMENT, ", float32": FLOAT32}.items():
        inference.AGREEMENT = agreement
        turns = pd.DataFrame(
            [{name: end_to_end(own, side) for name, own in classifiers.items()} for _ in range(repeats)]
        )
        turns[TEACHER] = [embedding(run) for _ in range(repeats)]
        table[f"thousand pixels a second{precision}"] = turns.median()
        table[f"over {BASE}{precision}"] = turns.div(turns[BASE], axis=0).median()
    keep("student", table.rename_axis("model").reset_index(), pixels=f"{side} x {side}", repeats=repeats)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
