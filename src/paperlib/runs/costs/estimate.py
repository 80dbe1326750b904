"""Time, memory and disk of a run, by classifier, as a table for people and for scripts."""

import time
import warnings
from dataclasses import asdict, dataclass

from ... import models
from ...allocation import processors
from ...checks.preflight import ground_pixel
from ...errors import InputWarning, counted
from ...mapping.layers import bytes_of
from ...mapping.scene_maps import parts_of
from ...outputs import size
from ...training.progress import spoken
from ..experiment import Experiment
from ..side_by_side import WORKER
from .calibration import Calibration, on_processor

#: Area for which core hours are told (square metres).
AREA = 1e9


@dataclass(frozen=True)
class Cost:
    """What one classifier costs; seconds are those of one processor (with a GPU: wall-clock seconds)."""

    model: str
    trainings: int  # those that are not in the store
    epochs: int  # of a training, at most; 0 of a forest
    training_seconds: float  # of all trainings, where none stops early
    map_seconds: float
    core_hours: float  # of a map of 1,000 square kilometres
    memory_bytes: int  # of all processes, at most
    disk_bytes: int  # in the store and of the products, at most


@dataclass(frozen=True)
class RunEstimate:
    """What a run costs."""

    costs: tuple[Cost, ...]
    preparing_seconds: float  # samples and superpixels that are not in the store
    disk_bytes: int  # of samples and superpixels
    processors: int
    measured_seconds: float  # that the measurement took, of a watch
    busy: float  # how much longer than on a machine at rest it took: watch over processor
    unit: str  # what seconds are
    imitation_seconds: float = 0.0  # of the imitation of a pretrained encoder that is not in the store

    @property
    def seconds(self) -> float:
        """Wall-clock seconds until all is done, on a machine that is as busy as during the measurement.

        Trainings run side by side, and so do the windows of a map; one process reads samples and imitates an encoder.
        """
        trainings = [cost.training_seconds for cost in self.costs]
        single = [cost.training_seconds / cost.trainings for cost in self.costs if cost.trainings]
        training = max([sum(trainings) / self.processors, *single], default=0.0)
        mapping = sum(cost.map_seconds for cost in self.costs) / self.processors
        return self.busy * (self.preparing_seconds + self.imitation_seconds + training + mapping)

    def to_dict(self) -> dict:
        """All numbers, for JSON."""
        return asdict(self) | {"seconds": self.seconds}

    def text(self) -> str:
        """The table for a terminal, what is not by classifier, and how it was measured."""
        head = ("", "trainings", "epochs", "training", "map", "1,000 km2", "memory", "disk")
        rows = [
            (
                cost.model, str(cost.trainings), str(cost.epochs or "-"), spoken(cost.training_seconds),
                spoken(cost.map_seconds), f"{cost.core_hours:.2f} core h", size(cost.memory_bytes), size(cost.disk_bytes),
            )
            for cost in self.costs
        ]  # fmt: skip
        widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
        lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in (head, *rows)]
        disk = self.disk_bytes + sum(cost.disk_bytes for cost in self.costs)
        memory = max((cost.memory_bytes for cost in self.costs), default=0)
        beside = f", at {self.busy:.1f} times the time of an idle machine" if self.busy >= 1.2 else ""
        lines += [
            f"samples and superpixels: {spoken(self.preparing_seconds)}, {size(self.disk_bytes)}",
            *(
                [f"imitation of the pretrained encoder: {spoken(self.imitation_seconds)}"]
                if self.imitation_seconds
                else []
            ),
            f"in all: about {spoken(self.seconds)} on {counted(self.processors, 'processor')}{beside}; "
            f"{size(memory)} of memory, {size(disk)} of disk",
            f"Times above are {self.unit}, measured in {spoken(self.measured_seconds)} on this machine and this scene; of "
            "trainings, where none stops early. Memory and disk: at most.",
        ]
        return "\n".join(lines)


def estimate(run: Experiment, names: tuple[str, ...]) -> RunEstimate:
    """What a run by these classifiers costs, measured on this machine in some seconds.

    What is in the store of the run is not counted again. Nothing is written to it but which polygons show one object.
    """
    watch, processor = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)  # the pre-flight says it
        calibration = Calibration(run)
        costs = tuple(_cost(run, calibration, name) for name in names)
        preparing, disk = calibration.excerpt.seconds, 0 if run.dataset.has_samples() else calibration.samples_bytes
        if any(models.find(name).needs_superpixels for name in names) and not run.dataset.has_superpixels():
            preparing, disk = preparing + calibration.superpixels.seconds, disk + 4 * run.maps.classified()
        imitation = calibration.imitation_seconds if any(models.find(name).pretrained for name in names) else 0.0
    watch, processor = time.perf_counter() - watch, time.process_time() - processor
    together, unit = (processors(), "processor seconds") if on_processor() else (1, "seconds")
    busy = max(1.0, watch / max(processor, 1e-9)) if on_processor() else 1.0
    return RunEstimate(costs, preparing, disk, together, watch, busy, unit, imitation)


def _cost(run: Experiment, calibration: Calibration, name: str) -> Cost:
    """What one classifier costs."""
    rates, settings, pixels = calibration.rates(name), run.settings, run.maps.classified()
    trainings = sum(not run.trained.place(name, job.number).is_dir() for job in run.trained.jobs([name]))
    epochs = settings.train.epochs if rates.epoch else 0
    height, width = ground_pixel(run.dataset.scene)
    maps = bytes_of(pixels, len(run.legend), run.maps.every)
    return Cost(
        name, trainings, epochs, trainings * rates.training(epochs), rates.start + rates.pixel * pixels,
        rates.pixel * AREA / (height * width) / 3600,
        max(_memory_of_training(run, calibration, name), _memory_of_map(run, name)),
        trainings * (rates.weights + calibration.answers_bytes) + maps,
    )  # fmt: skip


def _memory_of_training(run: Experiment, calibration: Calibration, name: str) -> int:
    """Bytes of all processes that train a classifier at the same time; each has the samples twice, as in `side_by_side`."""
    network = models.find(name).trained_in_epochs and on_processor()
    together = min(processors(), run.settings.train.trainings) if network else 1
    each = WORKER + 2 * calibration.samples_bytes
    return each if together == 1 else each * (together + 1)


def _memory_of_map(run: Experiment, name: str) -> int:
    """Bytes of the process that maps: what GDAL has decoded, and the windows at work, with twice as much for the network."""
    scene, window = run.dataset.scene, run.settings.map.window
    kind = models.find(name)
    halo, reach = (0, kind.receptive_field // 2) if kind.needs_superpixels else (kind.receptive_field // 2, 0)
    largest = max(run.trained.inputs.numbers_around(part.read, halo) for part in parts_of(scene, window, reach))
    _, series = scene.encoding.get("series", (None, None))
    cache = 1.25 * (window + 4 * halo + 2 * reach) * getattr(series, "row_bytes", 0)
    return int(WORKER + cache + 3 * 4 * largest * (processors() if on_processor() else 1))
