"""What a training will cost: some of its steps and a part of its validation, timed."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from .. import devices
from ..allocation import one_thread
from ..evaluation.scoring import evaluate
from ..features.extents import LabelledExtents
from ..features.samples import Samples
from ..models.contract import Model
from ..models.galileo import Encoded
from ..settings import Train
from . import imitation, loop, minibatches

#: Samples whose classification is timed: patches, or single pixels.
PATCHES, PIXELS = 48, 8192
#: Pixels that are embedded, and steps of an imitation, to time it.
EMBEDDED, STEPS = 128, 12


def clock(device: torch.device) -> Callable[[], float]:
    """What seconds are counted with: those of the processor, which programs beside hardly lengthen; with a GPU, a watch."""
    return time.process_time if device.type == "cpu" else time.perf_counter


@one_thread()
def seconds_of_epoch(
    model: Model,
    training: Samples,
    validation: Samples,
    settings: Train,
    oversampling: bool = True,
    share: float = 1.0,
    budget: float = 0.7,
    seed: int = 0,
) -> tuple[float, float]:
    """Seconds of an epoch of `loop.train`, validation included, by about `budget` seconds of its steps; and of its start.

    The model is trained a little. `training` and `validation`: normalised, a `share` of the samples of the real training;
    where all steps of the epoch fit in the budget, all are taken. The start is what the optimiser and the first step take
    beyond others: the first of a process loads a part of torch.
    """
    device = devices.choose()
    now, generator, model = clock(device), torch.Generator().manual_seed(seed), model.to(device)
    patches, training = training, training.within(model.receptive_field)
    batch = minibatches.batch_size(patches, training, settings.patches)
    label, extents = training.label.cpu(), LabelledExtents(training.label.cpu(), model.halo)
    training = replace(training, x=training.x.to(device), label=training.label.to(device))
    started = now()
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    parts = minibatches.epoch_batches(label, oversampling, batch, generator)

    def step(part: torch.Tensor) -> float:
        started = now()
        rates = np.array([settings.learning_rate])
        loop.one_epoch(model, training, extents, (part,), optimiser, rates, generator, None)
        return now() - started

    step(parts[0])
    first = now() - started
    taken: list[float] = []
    while len(taken) < len(parts) and sum(taken) < budget:
        taken.append(step(parts[-1 - len(taken)]))
    usual = float(np.mean(taken))
    epoch = len(parts) / share * usual + seconds_of_scoring(model, validation, share, mixed=True)
    return epoch, max(0.0, first - usual)


def seconds_of_scoring(model: Model, samples: Samples, share: float = 1.0, mixed: bool = False, seed: int = 0) -> float:
    """Seconds that a model takes to classify and compare normalised samples, of which `samples` are a share; some are timed.

    `mixed`: in the precision of training steps.
    """
    if model.needs_superpixels:  # one sample, which stays whole
        part = samples
    else:
        samples = samples.within(model.receptive_field)
        number = min(len(samples), PIXELS if model.receptive_field == 1 else PATCHES)
        part = samples[torch.randperm(len(samples), generator=torch.Generator().manual_seed(seed))[:number]]
    now = clock(devices.choose())
    started = now()
    evaluate(model, part, mixed=mixed)
    return (now() - started) * len(samples) / len(part) / share


def seconds_of_fit(model: Model, samples: Samples, seed: int = 0) -> float:
    """Seconds in which a model without a training loop learns from normalised samples; afterwards it is fitted."""
    now = clock(devices.choose())
    started = now()
    model.fit(samples.x, samples.label, samples.superpixel, seed)
    return now() - started


def growth(share: float, pixels: int) -> float:
    """How many times longer a forest takes for all pixels than for a `share` of them, `pixels` in number: as n log n."""
    return math.log(max(2.0, pixels / share)) / math.log(max(2, pixels)) / share


@one_thread()
def seconds_of_imitation(encoded: Encoded, pixels: torch.Tensor, number: int) -> float:
    """Seconds of the processor in which `imitation.imitate` imitates an encoder on `number` pixels of a scene.

    `pixels`: float32 (pixel, channel, date), not normalised, some hundred; `EMBEDDED` of them and `STEPS` steps are timed.
    """
    series, now = pixels[:EMBEDDED, ..., None, None], time.process_time
    with torch.inference_mode():
        encoded(series[:2])  # the first call loads a part of torch
        started = now()
        target = encoded(series)[..., 0, 0]
        embedding = (now() - started) * number / len(series)
    drawn = torch.arange(imitation.BATCH) % len(series)
    network, generator = imitation.student(*pixels.shape[1:]), torch.Generator().manual_seed(0)
    imitation.fit_embeddings(network, series[drawn], target[drawn], generator, seen=imitation.BATCH)
    started = now()
    imitation.fit_embeddings(network, series[drawn], target[drawn], generator, seen=STEPS * imitation.BATCH)
    batch = min(imitation.BATCH, max(1, number))
    return embedding + (now() - started) / STEPS * imitation.SEEN / batch
