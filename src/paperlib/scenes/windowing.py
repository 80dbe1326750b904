"""Windows over a scene: cores that cover every pixel once, and the halo that each of them needs."""

from collections.abc import Iterator
from typing import NamedTuple

import xarray as xr

from ..errors import InputError


class Window(NamedTuple):
    """Part of a scene; each is (rows, columns)."""

    core: tuple[slice, slice]  # the pixels this window is responsible for, in scene indices
    read: tuple[slice, slice]  # core and its halo, clipped to the scene
    inner: tuple[slice, slice]  # where core lies inside read


def windows(
    shape: tuple[int, int], size: int | tuple[int, int], halo: int = 0, within: tuple[slice, slice] | None = None
) -> Iterator[Window]:
    """Windows whose cores of up to `size` pixels cover every pixel of `shape` (rows, columns) exactly once.

    `size`: of both sides, or (rows, columns). `halo` is in pixels. `within` (rows, columns): the cores cover that part
    alone, while their halos reach beyond it.
    Raises `InputError` for a size below 1 or a halo below 0.
    """
    sizes = (size, size) if isinstance(size, int) else size
    if min(sizes) < 1 or halo < 0:
        raise InputError(
            f"window size = {size}, halo = {halo} is not possible.",
            "a size of 1 or more, a halo of 0 or more is expected.",
            kind="window.size",
        )
    covered = within or tuple(slice(0, length) for length in shape)
    rows, columns = (
        [_cut(start, min(start + size, part.stop), halo, length) for start in range(part.start, part.stop, size)]
        for part, length, size in zip(covered, shape, sizes, strict=True)
    )
    for row in rows:
        for column in columns:
            yield Window(*zip(row, column, strict=True))


def _cut(start: int, stop: int, halo: int, length: int) -> tuple[slice, slice, slice]:
    first = max(start - halo, 0)
    return slice(start, stop), slice(first, min(stop + halo, length)), slice(start - first, stop - first)


def window_around(scene: xr.DataArray, x: float, y: float, size: int) -> dict[str, slice]:
    """Rows and columns of a window of `size` x `size` pixels around a place in metres, shifted inside the scene."""
    window = {}
    for dim, place in (("y", y), ("x", x)):
        nearest = int(abs(scene[dim].values - place).argmin())
        start = max(0, min(nearest - size // 2, scene.sizes[dim] - size))
        window[dim] = slice(start, start + size)
    return window
