"""The weighted mean of acquisitions over one block of a tile: weights of each pixel, and running sums."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt

from ..scenes.formats.l2a import OFFSET, Acquisition
from ..scenes.formats.theia import QUANTIFICATION
from ..scenes.meaning.values import SATURATED
from ..scenes.rasters import NODATA
from ..scenes.sensors import BANDS, BANDS_10M, BANDS_20M
from .acquisitions import CLOUD, EMPTY, LAND, SNOW, WATER, Area, Reader, Unreadable, read_flags

#: Distance in pixels of 20 m (1 km) from which on a cloud no longer counts.
FAR = 50
#: Weight of an acquisition at either end of the window; in the middle it is 1.
OLDEST = 0.5
#: Acquisitions whose bands are read while those of another are summed up.
AHEAD = 2
#: An acquisition is refused when half of its clear pixels in blue (so many at least) lie below this, in stored units.
DARKEST, ENOUGH = -200, 1000
#: Vegetation has so much more near infrared than red, whatever the offset; and reflects less than this in blue.
GREEN, BLUEST = 0.2, 0.085


class OffsetFound(Exception):
    """An acquisition whose values carry the offset that its metadata say was taken off; `mended` takes it off."""

    def __init__(self, acquisition: Acquisition, blue: float):
        super().__init__(f"vegetation has {blue:.3f} and more in blue")
        bands = {name: band._replace(offset=OFFSET) for name, band in acquisition.bands.items()}
        self.acquisition, self.mended = acquisition, acquisition._replace(bands=bands)


def near_date(days: int, half: float) -> float:
    """Weight of an acquisition so many days from the middle of a window that reaches `half` days each way: 1 to `OLDEST`."""
    return 1 - (1 - OLDEST) * abs(days) / half


def far_from_cloud(flags: np.ndarray) -> np.ndarray:
    """Weight (y, x) by the distance to the next cloud, float32: 0 in it, 0.02 beside it, 1 from `FAR` pixels on."""
    cloudy = flags == CLOUD
    if not cloudy.any():
        return np.ones(flags.shape, np.float32)
    return np.minimum(distance_transform_edt(~cloudy) / FAR, 1).astype(np.float32)


class Sums:
    """Running sums over the acquisitions of a block at one resolution, one acquisition at a time."""

    def __init__(self, bands: Sequence[str], shape: tuple[int, int]):
        self.bands = bands
        self.values = np.zeros((len(bands), *shape), np.float32)
        self.weight, self.water, self.days = (np.zeros(shape, np.float32) for _ in range(3))
        self.snow = np.ones(shape, bool)  # no acquisition without snow so far

    def add(
        self, acquisition: Acquisition, stored: Sequence[np.ndarray], weight: np.ndarray, flags: np.ndarray, days: int
    ) -> None:
        """Add an acquisition's stored values, each (y, x), with its weight and flags (y, x), `days` after the middle.

        A pixel counts where its weight is above 0 and all bands have data, none of it saturated.
        The first acquisition without snow takes the
        place of all with snow before it.
        """
        weight = weight.copy()
        for band, image in zip(self.bands, stored, strict=True):
            weight[image == acquisition.bands[band].nodata] = 0
            weight[image >= SATURATED] = 0  # corrupt: of reflectance 6 and more
        free = (weight > 0) & (flags != SNOW)
        for total in (*self.values, self.weight, self.water, self.days):
            total[free & self.snow] = 0
        self.snow &= ~free
        weight[(flags == SNOW) & ~self.snow] = 0
        for total, band, image in zip(self.values, self.bands, stored, strict=True):
            layer = acquisition.bands[band]
            value = np.float32(QUANTIFICATION * layer.scale) * image + np.float32(QUANTIFICATION * layer.offset)
            total += weight * value
        self.weight += weight
        self.water += np.where(flags == WATER, weight, 0)
        self.days += weight * np.float32(days)

    def layers(self, level: str) -> dict[str, np.ndarray]:
        """What is stored of the block, each (y, x): the bands, and the masks FLG, WGT, DTS of `level` (R1 or R2)."""
        seen = self.weight > 0
        divisor = np.where(seen, self.weight, 1)

        def mean(total: np.ndarray) -> np.ndarray:
            rounded = np.clip(np.rint(total / divisor), NODATA + 1, np.iinfo(np.int16).max)
            return np.where(seen, rounded, NODATA).astype(np.int16)

        kind = np.where(self.snow, SNOW, np.where(self.water > self.weight / 2, WATER, LAND))
        layers = {band: mean(total) for band, total in zip(self.bands, self.values, strict=True)}
        layers[f"FLG_{level}"] = np.where(seen, kind, EMPTY).astype(np.uint8)
        layers[f"WGT_{level}"] = np.minimum(np.rint(1000 * self.weight), np.iinfo(np.int16).max).astype(np.int16)
        layers[f"DTS_{level}"] = mean(self.days)
        return layers


def map_threads(pool: ThreadPoolExecutor, do: Callable, items: Iterable) -> list:
    """What `do` gives of each item, all done at the same time."""
    return collect_results([pool.submit(do, item) for item in items])


def collect_results(work: Sequence[Future]) -> list:
    """The results of work in a pool. Where one fails, none is left running behind its back."""
    try:
        return [one.result() for one in work]
    finally:
        cancel_pending(work)


def cancel_pending(work: Iterable[Future]) -> None:
    """Cancel what has not begun, wait for what has."""
    wait([one for one in work if not one.cancel()])


def weighted_mean(
    reader: Reader, pool: ThreadPoolExecutor, acquisitions: Sequence[Acquisition], area: Area, y: slice, x: slice,
    day: pd.Timestamp, half: float,
) -> dict[str, np.ndarray]:  # fmt: skip
    """The layers (`Sums.layers`, both levels) of a block: `y` and `x` are its rows and columns of 20 m in the tile.

    Masks are read with a margin as wide as a cloud reaches, so blocks join without a seam. Bands are read only where an
    acquisition is of use, and `AHEAD` acquisitions before they are needed. Raises `acquisitions.Unreadable`, and
    `OffsetFound` for an offset to be mended.
    """
    rows, columns = area.widened(y, x, FAR)
    inner = np.s_[y.start - rows.start : y.stop - rows.start, x.start - columns.start : x.stop - columns.start]
    height, width = y.stop - y.start, x.stop - x.start
    fine, coarse = Sums(BANDS_10M, (2 * height, 2 * width)), Sums(BANDS_20M, (height, width))
    masks = map_threads(pool, lambda acquisition: read_flags(reader, acquisition, area, rows, columns), acquisitions)
    waiting: deque[tuple] = deque()  # acquisitions whose bands are being read

    def add(acquisition: Acquisition, days: int, flags: np.ndarray, weight: np.ndarray, reading: list[Future]) -> None:
        stored = collect_results(reading)
        images = {
            "blue": stored[BANDS.index("B2")],
            "red": stored[BANDS.index("B4")],
            "near": stored[BANDS.index("B8")],
        }
        _check_offset(acquisition, images, _twice(weight))
        fine.add(acquisition, stored[: len(BANDS_10M)], _twice(weight), _twice(flags), days)
        coarse.add(acquisition, stored[len(BANDS_10M) :], weight, flags, days)

    try:
        for acquisition, around in zip(acquisitions, masks, strict=True):
            days = (acquisition.date - day).days
            flags, weight = around[inner], near_date(days, half) * far_from_cloud(around)[inner]
            weight[flags == EMPTY] = 0
            if not weight.any():
                continue
            reading = [pool.submit(_read, reader, acquisition, band, area, y, x) for band in BANDS]
            waiting.append((acquisition, days, flags, weight, reading))
            if len(waiting) > AHEAD:
                add(*waiting.popleft())
        while waiting:
            add(*waiting.popleft())
    finally:
        cancel_pending(one for *_, reading in waiting for one in reading)
    return fine.layers("R1") | coarse.layers("R2")


def _twice(image: np.ndarray) -> np.ndarray:
    """An image of 20 m at 10 m."""
    return image.repeat(2, 0).repeat(2, 1)


def _read(reader: Reader, acquisition: Acquisition, band: str, area: Area, y: slice, x: slice) -> np.ndarray:
    if band in BANDS_20M:
        return reader.read(acquisition, acquisition.bands[band].href, area.coarse, y, x)
    return reader.read(acquisition, acquisition.bands[band].href, area.fine, *area.fine_part(y, x))


def _check_offset(acquisition: Acquisition, stored: dict[str, np.ndarray], weight: np.ndarray) -> None:
    """Find an offset that the values of an acquisition contradict; all images and the weight are of one size (y, x).

    Earth Search marks some items as if their offset were still to be taken off, though their values show it was: these are
    refused. It marks others as if it had been taken off, though vegetation has a reflectance of 0.1 more in blue than
    vegetation can have: these are mended. Raises `Unreadable` or `OffsetFound`.
    """
    layers = {role: acquisition.bands[band] for role, band in (("blue", "B2"), ("red", "B4"), ("near", "B8"))}
    clear = weight > 0
    for role, layer in layers.items():
        clear &= stored[role] != layer.nodata
    blue, red, near = (stored[role][clear].astype(np.float32) * layer.scale for role, layer in layers.items())
    offset = layers["blue"].offset
    if blue.size < ENOUGH:
        return
    if offset < 0 and (middle := float(np.median(blue)) + offset) < DARKEST / QUANTIFICATION:
        raise Unreadable(
            acquisition,
            f"{layers['blue'].href}: half of the clear pixels are darker than {middle:.3f} in blue; its offset of "
            f"{offset:g} seems to be taken off already, against its metadata. Take another collection.",
        )
    plants = blue[near - red > GREEN]
    if offset == 0 and plants.size >= ENOUGH and (low := float(np.percentile(plants, 5))) > BLUEST:
        raise OffsetFound(acquisition, low)
