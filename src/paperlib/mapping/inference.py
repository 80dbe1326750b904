"""Classifiers that answer windows of a scene: in blocks, in mixed precision where it gives the same classes."""

import math
import os
import threading
import warnings
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import torch
import xarray as xr
from torch import nn

from ..devices import has_bfloat16, out_of_memory
from ..errors import InputError
from ..features.samples import Normaliser
from ..features.window import read_features
from ..scenes.windowing import windows
from .folding import fold, mix, unpadded

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


def answer(model: nn.Module, inputs: list[torch.Tensor], mixed: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Class index and its probability (batch, y, x) of a classifier's inputs, in mixed precision or float32."""
    with torch.inference_mode(), torch.autocast(inputs[0].device.type, torch.bfloat16, enabled=mixed):
        probability, index = model(*inputs).float().softmax(1).max(1)
    return index, probability


def _stack(images: list[torch.Tensor]) -> torch.Tensor:
    """Images (1, ...) as one batch; one alone as it is, without a copy."""
    return images[0] if len(images) == 1 else torch.cat(images)


class Classifier:
    """A trained classifier on a device, with the normaliser of its inputs, ready for windows of a scene.

    Threads may share it.
    """

    def __init__(self, model: nn.Module, normaliser: Normaliser, device: torch.device | str = "cpu"):
        self.device, self.normaliser = torch.device(device), normaliser
        self.halo = model.receptive_field // 2
        self._use(fold(model).to(self.device), mixed=False)
        on_gpu = self.device.type == "cuda"
        # on a GPU one window is classified while the next one is copied; more would only take memory
        self.turn = threading.Semaphore(2) if on_gpu else nullcontext()
        self.halved, self.memory = False, threading.Lock()

    def _use(self, model: nn.Module, mixed: bool) -> None:
        """Classify with a folded network in this precision; where the whole halo is at hand, without its borders."""
        self.model, self.mixed = model, mixed
        self.inside = unpadded(model) if list(model.parameters()) else None  # a forest has no borders to leave out
        self.never_alone = self.device.type == "cpu" and any(isinstance(layer, nn.Conv3d) for layer in model.modules())
        self.together = BLOCKS if mixed or self.never_alone else 1
        # a GPU or a forest takes a window whole; in float32 all dates of a larger block would leave the cache
        self.block = None if self.device.type == "cuda" else getattr(model, "block", None)
        if self.block and self.never_alone and not mixed:
            self.block //= 2

    def choose_precision(self, scene: xr.DataArray) -> float:
        """Use mixed precision where the device has it and it gives the classes of float32; the share of pixels it does.

        Both are computed at places spread over the scene. 1.0 for a forest, a small scene, and a device without bfloat16.
        """
        shape, reach = (scene.sizes["y"], scene.sizes["x"]), PROBE + 2 * self.halo
        worth = math.prod(shape) >= WORTH and min(shape) >= reach
        if not worth or not has_bfloat16(self.device) or self.inside is None:
            return 1.0
        starts = [
            np.linspace(0, side - reach, count + 2, dtype=int)[1:-1] for side, count in zip(shape, PROBES, strict=True)
        ]
        core, folded = slice(self.halo, self.halo + PROBE), mix(self.model)
        mixed = unpadded(folded)

        def compare(row: int) -> np.ndarray:
            rows = slice(row, row + reach)
            values = [read_features(scene, rows, slice(column, column + reach)) for column in starts[1]]
            usable = ~np.isnan([one[0, 0, core, core] for one in values])
            inputs = [torch.cat([self._inputs(one)[0] for one in values])]
            exact, found = answer(self.inside, inputs, mixed=False)[0], answer(mixed, inputs, mixed=True)[0]
            return (exact == found).cpu().numpy()[usable]

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            same = np.concatenate(list(pool.map(compare, starts[0])))
        agreed = float(same.mean()) if same.size else 1.0
        if same.size and agreed >= AGREEMENT:
            self._use(folded, mixed=True)
        return agreed

    def classify(
        self, values: np.ndarray, inner: tuple[slice, slice], superpixels: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Class index, -1 where no date is usable, and its probability (y, x) of the part `inner` (rows, columns).

        `values`: features (channel, date, y, x) of that part and its halo; they are normalised in place.
        `superpixels` (y, x), for a model that takes them. Where memory does not suffice, blocks of half the side are
        tried once, with a warning; raises `InputError` where that does not help.
        """
        usable = ~np.isnan(values[0, 0])  # a pixel without any usable date is NaN everywhere
        inputs = self._inputs(values)
        block = self.block or max(usable.shape)
        if superpixels is not None:  # they must be seen whole
            inputs.append(torch.from_numpy(superpixels)[None])
            block = max(usable.shape)
        try:
            index, probability = self._by_blocks(inputs, inner, block)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            failure = str(error).splitlines()[0]  # the error itself would keep what it found in memory
        else:
            failure = ""
        if failure:
            block = self._halve(block, superpixels is not None, failure)
            index, probability = self._by_blocks(inputs, inner, block)
        return np.where(usable[inner], index, -1), probability

    def _inputs(self, values: np.ndarray) -> list[torch.Tensor]:
        """Features (channel, date, y, x), normalised in place, on the device as (1, channel, date, y, x)."""
        self.normaliser.apply_in_place(values)
        tensor = torch.from_numpy(values)[None]
        return [tensor.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else tensor]

    def _by_blocks(
        self, inputs: list[torch.Tensor], inner: tuple[slice, slice], block: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Class index and its probability of the part `inner` (y, x), in blocks of `block` pixels a side."""
        shape = inputs[0].shape[-2:]
        results = np.empty(shape, np.int16), np.empty(shape, np.float32)
        alike = defaultdict(list)  # blocks by size and halo
        for part in windows(shape, block, self.halo, inner):
            sides = tuple(
                (core.start, core.stop, read.stop - read.start)
                for core, read in zip(part.inner, part.read, strict=True)
            )
            alike[sides].append(part)
        for sides, parts in alike.items():
            whole = all(start == self.halo and length == stop + self.halo for start, stop, length in sides)
            inside = whole and self.inside is not None
            for some in np.array_split(np.arange(len(parts)), max(1, len(parts) // self.together)):
                chosen = [parts[number] for number in some]
                if len(chosen) == 1 and self.never_alone:
                    chosen *= BLOCKS
                with self.turn:
                    batch = [_stack([one[..., part.read[0], part.read[1]] for part in chosen]) for one in inputs]
                    found = answer(self.inside if inside else self.model, batch, self.mixed)
                    found = [one.cpu().numpy() for one in found]
                for result, images in zip(results, found, strict=True):
                    for part, image in zip(chosen, images, strict=True):
                        result[part.core] = image if inside else image[part.inner]
        return tuple(result[inner] for result in results)

    def _halve(self, block: int, whole: bool, failure: str) -> int:
        """Half the side of a block that was too large for the memory; from now on, for all threads."""
        with self.memory:
            if self.halved and self.block < block and not whole:  # another thread was faster
                return self.block
            if self.halved or whole:
                raise InputError(
                    f"The memory of {self.device} does not suffice for {block} x {block} pixels at once ({failure}). "
                    "Lower map.window, or end other programs that use it."
                )
            self.block, self.halved = max(1, block // 2), True
        warnings.warn(
            f"The memory of {self.device} does not suffice for {block} x {block} pixels at once; going on with "
            f"{self.block} x {self.block}.",
            stacklevel=3,
        )
        return self.block
