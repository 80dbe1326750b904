"""Area-weighted accuracy: against a published example, and against resampled polygons."""

import numpy as np
import pandas as pd
import pytest

from paperlib.errors import InputError
from paperlib.evaluation import intervals
from paperlib.evaluation.area import area_weighted

#: Olofsson et al. (2014), Table 8: map classes in rows, 30 m pixels.
TABLE_8 = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
CLASSES = 4
HECTARES = np.array([200_000, 150_000, 3_200_000, 6_450_000]) * 0.09


def test_example_of_olofsson():
    overall, half_width, classes = area_weighted(TABLE_8.T, HECTARES)
    assert (round(overall, 2), round(half_width, 2)) == (0.95, 0.02)
    assert classes["estimated_area"].round().tolist() == [21158, 11686, 285770, 581386]
    assert classes["area_half_width"].tolist() == pytest.approx([6158, 3756, 15510, 16282], abs=1)
    assert classes["estimated_area"].sum() == pytest.approx(HECTARES.sum())
    assert classes["users_accuracy"].round(2).tolist() == [0.88, 0.73, 0.93, 0.96]
    assert classes["users_half_width"].round(2).tolist() == [0.07, 0.10, 0.04, 0.02]
    assert classes["producers_accuracy"].round(2).tolist() == [0.75, 0.85, 0.93, 0.96]
    # The paper prints 0.23 and 0.01 for the second and fourth; its eq. 7 gives these, as pymapaccuracy does.
    assert classes["producers_half_width"].tolist() == pytest.approx([0.2133, 0.2544, 0.0343, 0.0184], abs=1e-4)


def test_polygons_of_one_pixel_give_the_half_widths_of_the_equations():
    reference = np.repeat(np.tile(np.arange(CLASSES), CLASSES), TABLE_8.ravel())
    mapped = np.repeat(np.repeat(np.arange(CLASSES), CLASSES), TABLE_8.ravel())
    # Drawn within map classes, as the paper's sample is: map and reference change places.
    weights = intervals.draws(mapped, 2000)
    drawn = intervals.resampled_confusions(np.eye(CLASSES, dtype=int)[reference], mapped, weights).swapaxes(1, 2)
    plain = area_weighted(TABLE_8.T, HECTARES)
    resampled = area_weighted(TABLE_8.T, HECTARES, drawn)
    assert resampled[0] == plain[0] and resampled[1] == pytest.approx(plain[1], rel=0.1)
    pd.testing.assert_frame_equal(resampled[2], plain[2], rtol=0.15)


def test_resampled_polygons_are_less_sure_than_their_pixels():
    random, reference = np.random.default_rng(0), np.repeat(np.arange(CLASSES), 20)
    right = random.beta(6, 2, reference.size)  # accuracy differs from polygon to polygon
    shares = np.where(np.eye(CLASSES, dtype=bool)[reference], right[:, None], (1 - right[:, None]) / (CLASSES - 1))
    counts = random.multinomial(100, shares)
    drawn = intervals.resampled_confusions(counts, reference, intervals.draws(reference, 500))
    matrix = np.stack([counts[reference == index].sum(0) for index in range(CLASSES)])
    pixels = area_weighted(matrix, matrix.sum(0))
    whole = area_weighted(matrix, matrix.sum(0), drawn)
    assert whole[1] > 2 * pixels[1]
    assert (whole[2]["users_half_width"] > pixels[2]["users_half_width"]).all()


def test_class_never_mapped_divides_by_nothing():
    confusion = np.array([[50, 3, 0, 0], [4, 40, 0, 0], [1, 2, 0, 0], [0, 0, 0, 0]])  # class 3 is not there at all
    lost = confusion * [1, 0, 1, 1]  # a draw without a pixel of class 1, which is mapped
    drawn = np.stack([confusion, confusion + np.diag([5, 0, 0, 0]), lost])
    for resampled in (None, drawn):
        overall, half_width, classes = area_weighted(confusion, [600, 400, 0, 0], resampled)
        assert np.isfinite([overall, half_width]).all()
        assert classes["users_accuracy"].isna().tolist() == [False, False, True, True]
        assert classes["users_half_width"].isna().tolist() == [False, False, True, True]
        assert classes["producers_accuracy"].isna().tolist() == [False, False, False, True]
        assert classes.loc[2, "producers_accuracy"] == 0 and classes.loc[2, "estimated_area"] > 0
        assert classes["area_half_width"].notna().all() and classes["estimated_area"].sum() == pytest.approx(1000)


def test_one_pixel_of_a_mapped_class_has_no_half_width():
    _, half_width, classes = area_weighted(np.array([[9, 0], [1, 1]]), [10, 1])
    assert np.isnan(half_width) and classes["users_half_width"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: area_weighted(np.ones((2, 2)), [1, 2, 3]), "do not fit"),
        (lambda: area_weighted(np.ones((2, 2)), [1, -1]), "do not fit"),
        (lambda: area_weighted(np.ones((2, 2)), [1, 1], np.ones((5, 3, 3))), "do not fit"),
        (lambda: area_weighted(np.array([[1, 0], [1, 0]]), [1, 1]), r"Classes \[1\]"),
        (lambda: area_weighted(np.ones((2, 2)), [1, 0]), r"Classes \[1\]"),
    ],
)
def test_mistakes_say_what_was_found(call, message):
    with pytest.raises(InputError, match=message):
        call()
