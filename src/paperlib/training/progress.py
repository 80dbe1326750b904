"""How far the trainings of a command are: one line that is written anew, or, in a log, one for each training."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tqdm import tqdm

from .. import environment
from ..errors import counted

#: Processor time of an epoch of each network beside that of TempCNN, on one thread (preset demo). It orders the trainings,
#: and foretells what is not measured yet; a network that is not listed counts as much as the slowest.
COSTS = {
    "TempCNN": 1.0, "TempCNN-2019": 0.7, "2D-CNN": 0.8, "3D-CNN": 1.6, "SpatioTempCNN": 2.9, "SpatioTempCNN-gated": 2.9,
}  # fmt: skip


def cost(model: str) -> float:
    """Seconds of an epoch of a network beside those of TempCNN, about."""
    return COSTS.get(model, max(COSTS.values()))


@dataclass
class Task:
    """One training as the line shows it. `epochs`: at most so many; 0 of a forest."""

    model: str
    variation: str  # of the samples, such as "dates=shuffled"; mostly none
    training: int  # its number from 1
    trainings: int  # of this model
    epochs: int
    epoch: int = 0
    macro_f1: float = 0.0
    best: float = 0.0
    seconds: float = 0.0  # of the epochs so far
    started: float | None = None
    done: bool = False

    @property
    def name(self) -> str:
        """The model, and which of its trainings; a training may be made beyond the number of the settings."""
        variation = f" ({self.variation})" if self.variation else ""
        of = f" of {self.trainings}" if self.training <= self.trainings else ""
        return f"{self.model}{variation} {self.training}{of}"

    @property
    def running(self) -> bool:
        """Whether it has begun and is not done."""
        return self.started is not None and not self.done

    def text(self) -> str:
        """What is known of it while it runs."""
        if not self.epoch:
            return f"{self.name} begins" if self.epochs else f"{self.name} grows"
        return f"{self.name}: epoch {self.epoch} of {self.epochs}, macro F1 {self.macro_f1:.3f}"


class Progress:
    """Shows the trainings that are to be made; a context that ends the line.

    Parameters
    ----------
    tasks: the trainings, in the order in which they begin.
    workers: how many run at the same time.
    show: whether anything is shown.
    then, after: what the command does afterwards, such as "2 maps", and the seconds that it takes; 0: not known.
    """

    def __init__(self, tasks: Sequence[Task], workers: int = 1, show: bool = True, then: str = "", after: float = 0.0):
        self.tasks, self.workers, self.then, self.after = tasks, workers, then, after
        self.show, self.live, self.foretold = show, show and environment.watched(), False
        self.bar = tqdm(bar_format="{desc}", dynamic_ncols=True, leave=False, disable=not self.live)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.close()

    def begin(self, number: int) -> None:
        """Task `number` begins."""
        self.tasks[number].started = time.perf_counter()
        self._update()

    def epoch(self, number: int, row: dict) -> None:
        """Task `number` has finished an epoch; `row` as of `loop.train`."""
        task = self.tasks[number]
        task.epoch, task.macro_f1, task.seconds = row["epoch"], row["macro_f1"], row["seconds"]
        task.best = max(task.best, task.macro_f1)
        if not self.foretold and len(self.tasks) > 1 and not self.live:
            self.foretold = True
            self._print(f"an epoch of {task.model} takes {spoken(task.seconds / task.epoch)}: {self._left()}")
        self._update()

    def finish(self, number: int) -> None:
        """Task `number` is done."""
        task = self.tasks[number]
        task.done = True
        if not self.live:
            seconds = time.perf_counter() - (task.started or time.perf_counter())
            score = f", macro F1 {task.best:.3f} on validation" if task.epochs else ""
            self._print(f"trained {task.name} in {spoken(seconds)}{score}; {self._left()}")
        self._update()

    def reporter(self, number: int) -> Callable[[dict], None]:
        """What `loop.train` calls after each epoch of task `number`."""
        return lambda row: self.epoch(number, row)

    def seconds_left(self) -> float | None:
        """Seconds until all trainings are done, by the epochs measured so far; None before the first.

        Trainings that stop early make it less.
        """
        measured = [task for task in self.tasks if task.epoch]
        if not measured:
            return None
        left = [(task.epochs - task.epoch) * _per_epoch(task, measured) for task in self.tasks if not task.done]
        return max([sum(left) / self.workers, *left], default=0.0)

    def _left(self) -> str:
        """How many are done, when all will be, what follows, and when the command will be done."""
        done, seconds = sum(task.done for task in self.tasks), self.seconds_left()
        text = f"{done} of {counted(len(self.tasks), 'training')} done"
        if seconds:
            text += f", about {spoken(seconds)} left"
        if self.then:
            text += f", then {self.then}"
            if self.after:
                text += f", about {spoken(self.after)}"
        if seconds and self.after:
            text += f"; in all about {spoken(seconds + self.after)}"
        return text

    def _update(self) -> None:
        running = [task.text() for task in self.tasks if task.running]
        self.bar.set_description_str(" | ".join([*running, self._left()]))

    def _print(self, text: str) -> None:
        if self.show:
            print(text, file=sys.stderr, flush=True)


def _per_epoch(task: Task, measured: list[Task]) -> float:
    """Seconds of an epoch: of this training, else of others of the model, else of any in the ratio of their costs."""
    same = [other for other in measured if other is task] or [other for other in measured if other.model == task.model]
    rates = [other.seconds / other.epoch * cost(task.model) / cost(other.model) for other in same or measured]
    return sum(rates) / len(rates)


def spoken(seconds: float) -> str:
    """A duration in words: "0.4 s", "40 s", "3 min", "1 h 20 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
