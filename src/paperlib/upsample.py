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
    """Mend the interpolation `fine` (2 y, 2 x) of raw (y + 2, x + 2) beside pixels that are empty (y + 2, x + 2).

    Only there, as clouds are few: neighbours that are not empty share the weight of those that are.
    """
    near = empty[:-2] | empty[1:-1] | empty[2:]
    y, x = np.nonzero(near[:, :-2] | near[:, 1:-1] | near[:, 2:])
    weight = (~empty).astype(np.int32)
    value = raw * weight
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        total, share = (
            9 * one[y + 1, x + 1] + 3 * (one[y + 2 * i, x + 1] + one[y + 1, x + 2 * j]) + one[y + 2 * i, x + 2 * j]
            for one in (value, weight)
        )
        mean = (2 * total + share) // (2 * np.maximum(share, 1))  # rounded
        fine[2 * y + i, 2 * x + j] = np.where(empty[y + 1, x + 1], raw[y + 1, x + 1], mean)
