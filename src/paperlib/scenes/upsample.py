"""Images of twice as many pixels a side: how 20 m bands come to the 10 m grid, fast.

The same values as GDAL's resampling gives (tests compare), in a tenth of its time: with two pixels for one, the weights
of bilinear interpolation are quarters, so whole numbers do.
"""

import numpy as np


def double_nearest(raw: np.ndarray, nodata: float | None) -> np.ndarray:
    """Each pixel of the inside of raw (y + 2, x + 2) as four: (2 y, 2 x). The border is there as for `double_bilinear`."""
    return raw[1:-1, 1:-1].repeat(2, axis=0).repeat(2, axis=1)


def double_bilinear(raw: np.ndarray, nodata: float | None) -> np.ndarray:
    """The inside of raw int (y + 2, x + 2) interpolated to (2 y, 2 x), rounded; the border serves the outermost pixels.

    Pixels of value `nodata` take no part, and stay what they are.
    """
    fine = _spread(raw.astype(np.int32))
    fine += 8
    fine >>= 4
    fine = fine.astype(raw.dtype)
    if nodata is not None and (empty := raw == nodata).any():
        _leave_out(empty, raw, fine)
    return fine


def _spread(image: np.ndarray) -> np.ndarray:
    """Sixteen times the bilinear interpolation of the inside of an image (y + 2, x + 2): (2 y, 2 x)."""
    own = 3 * image[:, 1:-1]
    wide = np.empty((len(own), 2 * own.shape[1]), image.dtype)
    np.add(own, image[:, :-2], out=wide[:, 0::2])
    np.add(own, image[:, 2:], out=wide[:, 1::2])
    own = 3 * wide[1:-1]
    fine = np.empty((2 * len(own), own.shape[1]), image.dtype)
    np.add(own, wide[:-2], out=fine[0::2])
    np.add(own, wide[2:], out=fine[1::2])
    return fine


def _leave_out(empty: np.ndarray, raw: np.ndarray, fine: np.ndarray) -> None:
    """Mend the interpolation `fine` (2 y, 2 x) of raw (y + 2, x + 2) in and beside pixels that are empty (y + 2, x + 2).

    Empty pixels stay empty. Beside them, which is few places, neighbours that are not empty share the weight of those
    that are.
    """
    own, inside, width = empty[1:-1, 1:-1], raw[1:-1, 1:-1], raw.shape[1]
    near = empty[:-2] | empty[1:-1] | empty[2:]
    beside = np.zeros_like(empty)
    beside[1:-1, 1:-1] = (near[:, :-2] | near[:, 1:-1] | near[:, 2:]) & ~own
    places = np.flatnonzero(beside)
    step = np.arange(-1, 2)
    around = places + (step[:, None] * width + step)[..., None]  # (3, 3, place)
    weight = (~empty.take(around)).astype(np.int32)
    value = raw.take(around) * weight
    y, x = np.divmod(places, width)
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        np.copyto(fine[i::2, j::2], inside, where=own)
        total, share = (
            9 * one[1, 1] + 3 * (one[2 * i, 1] + one[1, 2 * j]) + one[2 * i, 2 * j] for one in (value, weight)
        )
        # rounded; a pixel's own weight is in its share
        fine[2 * y - 2 + i, 2 * x - 2 + j] = (2 * total + share) // (2 * share)
