"""What lies around a window where the scene says nothing: beyond its end it is reflected, gaps get the nearest pixel.

Networks do not pad, so every pixel that they classify needs neighbours. Both rules look at a neighbourhood of fixed size,
so a pixel has the same neighbours whichever window or patch it is read in.
"""

import numpy as np


def reflected(start: int, stop: int, length: int) -> np.ndarray:
    """Rows (or columns) from `start` to `stop`, int (row,); those beyond a scene of `length` rows are mirrored at its end.

    The last row is not repeated, as with `mode="reflect"` of numpy and torch; a short scene is mirrored again and again.
    """
    period = max(1, 2 * (length - 1))
    place = np.arange(start, stop) % period
    return np.minimum(place, period - place) if length > 1 else np.zeros_like(place)


def take(values: np.ndarray, rows: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    """Write these rows and columns of `values` (..., y, x) into `out` (..., row, column), image by image."""
    for place in np.ndindex(values.shape[:-2]):
        np.take(values[place][rows], columns, axis=1, out=out[place], mode="clip")  # "raise" would make a copy of out


def fill_nearest(values: np.ndarray, usable: np.ndarray, reach: int) -> None:
    """Give pixels without data all values of the nearest usable pixel, in place.

    Parameters
    ----------
    values: (..., y, x).
    usable: bool (y, x), where there are data.
    reach: rows and columns that are searched to each side of a pixel. The `reach` outermost rows and columns of `values`
        are not filled, since what they would be filled from may lie outside.

    The nearest pixel is the one with the fewest rows or columns between, then the nearest in a straight line, then the
    first from the top left. A pixel with nothing usable within reach stays as it is: no pixel with data has it for a
    neighbour within reach.
    """
    height, width = usable.shape
    inner = (slice(reach, height - reach), slice(reach, width - reach))
    rows, columns = (places + reach for places in np.nonzero(~usable[inner]))
    steps = range(-reach, reach + 1)
    offsets = sorted(
        ((y, x) for y in steps for x in steps), key=lambda to: (max(map(abs, to)), to[0] ** 2 + to[1] ** 2, to)
    )
    gap = rows * width + columns  # one number a place is found faster than two
    flat, gaps, nearest = usable.ravel(), [gap[:0]], [gap[:0]]
    for y, x in offsets[1:]:
        if not len(gap):
            break
        found = flat[gap + (y * width + x)]
        gaps.append(gap[found])
        nearest.append(gap[found] + (y * width + x))
        gap = gap[~found]
    filled, source = np.concatenate(gaps), np.concatenate(nearest)
    if len(filled):
        for image in values.reshape(-1, height * width, copy=False):
            image[filled] = image[source]
