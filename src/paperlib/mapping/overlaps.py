"""The probability of every class in parts of a map, for a mosaic: where tiles overlap, those of all of them count."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import rasterio
import xarray as xr
from rasterio.windows import Window

from ..outputs import writing
from .layers import NODATA_PROBABILITY, profile_of

FILE = "overlaps.tif"

#: Rows and columns of a rectangle.
Part = tuple[slice, slice]


def shared(core: Part, parts: Sequence[Part]) -> Iterator[Part]:
    """What a window has in common with each of some parts, in the indices of the scene."""
    for part in parts:
        both = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(core, part, strict=True)]
        if all(side.start < side.stop for side in both):
            yield both[0], both[1]


def write_overlaps(
    folder: Path, scene: xr.DataArray, classes: int, windows: Iterable[tuple[Part, np.ndarray]], parts: Sequence[Part]
) -> Path:
    """Write `FILE`: a band a class, uint16 as of `layers.stored`, with data in `parts` alone; the rest takes no room.

    `windows`: rows and columns in the scene (band, time, y, x), and the stored probabilities (class, y, x) there.
    """
    profile = profile_of(scene.rio.crs, scene.rio.transform(), (scene.sizes["y"], scene.sizes["x"]))
    profile |= {"dtype": "uint16", "count": classes, "nodata": NODATA_PROBABILITY, "interleave": "pixel"}
    profile |= {"compress": "deflate", "sparse_ok": True}
    with writing(folder / FILE) as path, rasterio.open(path, "w", **profile) as file:
        for core, values in windows:
            for part in shared(core, parts):
                inner = [slice(a.start - b.start, a.stop - b.start) for a, b in zip(part, core, strict=True)]
                file.write(values[:, *inner], window=Window.from_slices(*part))
    return folder / FILE
