"""Windows that are read together hold every window they stand for, once, and not much more."""

from paperlib.gathering import SQUARE, together


def window(row: int, column: int, side: int = 5) -> tuple[slice, slice]:
    return slice(row, row + side), slice(column, column + side)


def test_near_windows_become_one_and_far_ones_stay():
    near = [window(row, column) for row in (3, 30, 60) for column in (2, 20, 50)]
    far = [window(SQUARE * 4, 7), window(SQUARE * 5 - 9, SQUARE - 9)]  # corners of one square
    read = list(together([far[0], *near, far[1]]))
    assert read == [(*far[0], [0]), (*far[1], [10]), (slice(3, 65), slice(2, 55), list(range(1, 10)))]


def test_a_window_that_leaves_its_square_is_read_whole():
    windows = [window(SQUARE - 3, SQUARE - 3), window(SQUARE - 9, SQUARE - 9)]
    assert list(together(windows)) == [
        (slice(SQUARE - 9, SQUARE + 2), slice(SQUARE - 9, SQUARE + 2), [0, 1]),
    ]


def test_nothing_is_read_for_nothing():
    assert list(together([])) == []
