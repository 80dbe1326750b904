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
    valid = None if nodata is None else raw != nodata
    if valid is None or valid.all():
        return ((_spread(raw.astype(np.int32)) + 8) >> 4).astype(raw.dtype)
    total, weight = _spread(np.where(valid, raw, 0).astype(np.int32)), _spread(valid.astype(np.int32))
    mean = np.floor_divide(2 * total + weight, 2 * np.maximum(weight, 1))  # rounded
    return np.where(double_nearest(valid, None), mean, nodata).astype(raw.dtype)


def _spread(image: np.ndarray) -> np.ndarray:
    """Sixteen times the bilinear interpolation of the inside of an image (y + 2, x + 2): (2 y, 2 x)."""
    for _ in range(2):  # rows, then columns; each turn transposes
        own = 3 * image[1:-1]
        fine = np.empty((2 * len(own), image.shape[1]), image.dtype)
        np.add(own, image[:-2], out=fine[0::2])
        np.add(own, image[2:], out=fine[1::2])
        image = np.ascontiguousarray(fine.T)
    return image
