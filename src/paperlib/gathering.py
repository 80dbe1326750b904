"""Many small windows of a scene: near ones are read at once, because finding a window takes longer than its pixels."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

#: Side in pixels of the squares in which windows are gathered.
SQUARE = 128
#: Pixels that are read in the time that one window more takes.
WORTH = 2048


def together(windows: Sequence[tuple[slice, slice]]) -> Iterator[tuple[slice, slice, list[int]]]:
    """Windows (y, x) to read instead of those given, each with the numbers of those that lie in it.

    Windows that begin in one square become one where that is faster. Squares come in the order of their first window.
    """
    squares: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, (y, x) in enumerate(windows):
        squares[y.start // SQUARE, x.start // SQUARE].append(number)
    for numbers in squares.values():
        y, x = (
            slice(min(part.start for part in parts), max(part.stop for part in parts))
            for parts in zip(*(windows[number] for number in numbers), strict=True)
        )
        if (y.stop - y.start) * (x.stop - x.start) <= WORTH * len(numbers):
            yield y, x, numbers
        else:
            yield from ((*windows[number], [number]) for number in numbers)
