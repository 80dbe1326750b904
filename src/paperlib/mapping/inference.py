"""The engine of maps: windows of a scene are classified in blocks, in mixed precision where it gives the same classes."""

import math
import threading
import warnings
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import torch
import xarray as xr
from torch import nn

from ..allocation import processors
from ..devices import has_bfloat16, out_of_memory
from ..errors import InputError, InputWarning
from ..models.contract import Model
from ..models.ensemble import Ensemble
from ..scenes.windowing import windows
from ..training.classifier import Classifier
from .folding import fold, mix

#: Side of the places at which mixed precision is compared with float32, and their rows and columns: 49,152 pixels, in few
#: rows, since files are stored in lines.
PROBE, PROBES = 64, (2, 6)

#: Pixels below which a scene is mapped in float32: comparing would cost more than it saves.
WORTH = 2**20

#: Blocks classified at once, or one more, in bfloat16, which takes half the room, and in three dimensions, where torch 2.13
#: convolves one alone ten times as slowly: even twice the same is faster.
BLOCKS = 2

#: Share of pixels that must get the same class in mixed precision as in float32 for mixed precision to be used.
AGREEMENT = 0.999


def predict(
    model: Model,
    x: torch.Tensor,
    superpixel: torch.Tensor | None,
    mixed: bool,
    temperature: float = 1.0,
    every: bool = False,
) -> tuple[torch.Tensor, ...]:
    """Class index and its probability (batch, y, x) of x (batch, channel, date, y, x), in mixed precision or float32.

    `temperature` divides the logits; the class is that of the logits as they are. `every`: then follow the probabilities of
    all classes (batch, class, y, x). Of an ensemble, how far its members disagree (batch, y, x) comes last.
    """
    with torch.inference_mode(), torch.autocast(x.device.type, torch.bfloat16, enabled=mixed):
        if isinstance(model, Ensemble):
            logits, *apart = model.answer(x, superpixel=superpixel)
        else:
            logits, apart = model(x, superpixel=superpixel).float(), []
        probability, index = logits.softmax(1).max(1)
        if temperature == 1 and not every:
            return index, probability, *apart
        probabilities = (logits / temperature).softmax(1)
        probability = probabilities.gather(1, index[:, None])[:, 0]
    return index, probability, *([probabilities] if every else []), *apart


def _stack(images: list[torch.Tensor]) -> torch.Tensor:
    """Images (1, ...) as one batch; a single one as it is, without a copy."""
    return images[0] if len(images) == 1 else torch.cat(images)


class Engine:
    """A classifier on a device, ready for windows of scenes. Threads may share it."""

    def __init__(self, classifier: Classifier, device: torch.device | str = "cpu"):
        self.device = torch.device(device)
        self.inputs, self.normaliser, self.halo = classifier.inputs, classifier.normaliser, classifier.halo
        self.classes = len(classifier.legend)
        self.temperature, self.several = classifier.temperature, isinstance(classifier.model, Ensemble)
        self.whole = classifier.model.needs_superpixels  # which blocks would cut
        self._use(fold(classifier.model).to(self.device), mixed=False)
        on_gpu = self.device.type == "cuda"
        # on a GPU one window is classified while the next one is copied; more would only take memory
        self.turn = threading.Semaphore(2) if on_gpu else nullcontext()
        self.halved, self.lock = False, threading.Lock()

    def _use(self, model: Model, mixed: bool) -> None:
        """Classify with a folded network in this precision."""
        self.model, self.mixed = model, mixed
        self.never_alone = self.device.type == "cpu" and any(isinstance(layer, nn.Conv3d) for layer in model.modules())
        self.batch = BLOCKS if mixed or self.never_alone else 1
        # a GPU takes a window whole; in float32 all dates of a larger block would leave the cache
        self.block: int | None = None if self.device.type == "cuda" else model.block
        if self.block and self.never_alone and not mixed:
            self.block //= 2

    def may_mix(self, scene: xr.DataArray) -> bool:
        """Whether mixed precision is possible and worth it: with a network, for a large scene, on a device with bfloat16."""
        shape = scene.sizes["y"], scene.sizes["x"]
        worth = math.prod(shape) >= WORTH and min(shape) >= PROBE
        return worth and has_bfloat16(self.device) and (self.model.trained_in_epochs or self.model.pretrained)

    def use_mixed(self) -> None:
        """Classify in mixed precision, whatever it gives."""
        self._use(mix(self.model), mixed=True)

    def choose_precision(self, scene: xr.DataArray) -> float:
        """Use mixed precision where the device has it and it gives the classes of float32.

        Returns the share of pixels with the same class, computed at places spread over the scene; 1.0 for a forest, a
        small scene, and a device without bfloat16.
        """
        if not self.may_mix(scene):
            return 1.0
        shape = scene.sizes["y"], scene.sizes["x"]
        starts = [
            np.linspace(0, side - PROBE, count + 2, dtype=int)[1:-1] for side, count in zip(shape, PROBES, strict=True)
        ]
        folded = mix(self.model)

        def compare(row: int) -> np.ndarray:
            rows = slice(row, row + PROBE)
            windows = [
                self.inputs.read_around(scene, rows, slice(column, column + PROBE), self.halo) for column in starts[1]
            ]
            x = torch.cat([self._normalised(values) for values, _ in windows])
            exact, rounded = predict(self.model, x, None, mixed=False)[0], predict(folded, x, None, mixed=True)[0]
            return (exact == rounded).cpu().numpy()[np.array([usable for _, usable in windows])]

        with ThreadPoolExecutor(processors()) as pool:
            same = np.concatenate(list(pool.map(compare, starts[0])))
        agreed = float(same.mean()) if same.size else 1.0
        if same.size and agreed >= AGREEMENT:
            self._use(folded, mixed=True)
        return agreed

    def classify(
        self, values: np.ndarray, superpixel: np.ndarray | None = None, every: bool = False
    ) -> tuple[np.ndarray, ...]:
        """What `predict` returns of a window, (y, x) or (class, y, x): class index, its probability, and what is asked for.

        Parameters
        ----------
        values: channels float32 (channel, day, y + 2 halo, x + 2 halo), as `Inputs.read_around` gives them; they are
            normalised in place.
        superpixel: int (y, x), for a model that takes them, which then must see them whole.

        Where memory does not suffice, blocks of half the side are tried once, with a warning. Raises `InputError` where
        that does not help.
        """
        x = self._normalised(values)
        around = None if superpixel is None else torch.from_numpy(superpixel)[None].to(self.device)
        block = self.block or max(x.shape[-2:])
        try:
            return self._by_blocks(x, around, block, every)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            failure = str(error).splitlines()[0]  # the error itself would keep its tensors in memory
        return self._by_blocks(x, around, self._halve(block, failure), every)

    def _normalised(self, values: np.ndarray) -> torch.Tensor:
        """Channels (channel, day, y, x), normalised in place, on the device as (1, channel, day, y, x)."""
        self.normaliser.apply_in_place(values)
        tensor = torch.from_numpy(values)[None]
        if self.device.type != "cuda":
            return tensor
        # pinned and without gaps, so that it is copied while the window before is classified
        return torch.empty(tensor.shape, pin_memory=True).copy_(tensor).to(self.device, non_blocking=True)

    def _by_blocks(
        self, x: torch.Tensor, superpixel: torch.Tensor | None, block: int, every: bool
    ) -> tuple[np.ndarray, ...]:
        """What `classify` returns, in blocks of `block` pixels a side."""
        shape = x.shape[-2] - 2 * self.halo, x.shape[-1] - 2 * self.halo
        results: list[np.ndarray] = [np.empty(shape, np.int16), np.empty(shape, np.float32)]
        if every:
            results.append(np.empty((self.classes, *shape), np.float32))
        if self.several:
            results.append(np.empty(shape, np.float32))
        alike: dict[tuple[int, ...], list[tuple[slice, slice]]] = defaultdict(list)  # blocks by size
        for part in windows(shape, block):
            alike[tuple(side.stop - side.start for side in part.core)].append(part.core)
        for parts in alike.values():
            for numbers in np.array_split(np.arange(len(parts)), max(1, len(parts) // self.batch)):
                chosen = [parts[number] for number in numbers]
                if len(chosen) == 1 and self.never_alone:
                    chosen *= BLOCKS
                with self.turn:
                    batch = _stack([x[..., *self._around(core)] for core in chosen])
                    own = None if superpixel is None else _stack([superpixel[:, *core] for core in chosen])
                    answers = predict(self.model, batch, own, self.mixed, self.temperature, every)
                    predicted = [values.cpu().numpy() for values in answers]
                for result, images in zip(results, predicted, strict=True):
                    for core, image in zip(chosen, images, strict=True):
                        result[..., *core] = image
        return tuple(results)

    def _around(self, core: tuple[slice, slice]) -> tuple[slice, slice]:
        """Where a block of the window and its halo lie in the values of the window."""
        rows, columns = (slice(side.start, side.stop + 2 * self.halo) for side in core)
        return rows, columns

    def _halve(self, block: int, failure: str) -> int:
        """Half the side of a block that was too large for the memory; from now on, for all threads."""
        with self.lock:
            if (
                self.block is not None and self.block < block and self.halved and not self.whole
            ):  # another thread was faster
                return self.block
            if self.halved or self.whole:
                raise InputError(
                    f"The memory of {self.device} does not suffice for {block} x {block} pixels at once ({failure}).",
                    "Lower map.window (--set map.window=64), or end other programs that use it.", kind="machine.memory",
                )  # fmt: skip
            half = max(1, block // 2)
            self.block, self.halved = half, True
        warnings.warn(
            InputWarning(
                f"The memory of {self.device} does not suffice for {block} x {block} pixels at once; going on with "
                f"{half} x {half}.", kind="machine.memory",
            ),
            stacklevel=3,
        )  # fmt: skip
        return half
