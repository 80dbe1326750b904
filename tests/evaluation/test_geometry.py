"""Geometry of class maps: shapes whose answer is known, and what must not change the answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from paperlib.errors import InputError
from paperlib.evaluation import geometry

shapes = st.tuples(st.integers(1, 12), st.integers(1, 12))
maps = arrays.arrays(np.uint8, shapes, elements=st.integers(0, 3))
masks = arrays.arrays(bool, (9, 9))


def line(width: int, across: bool) -> np.ndarray:
    """A line of class 2 through the middle of class 1."""
    codes = np.ones((40, 30), np.uint8)
    codes[12 : 12 + width] = 2
    return codes.T.copy() if across else codes


def test_edges_are_both_sides_of_a_class_boundary_and_no_border_of_no_data():
    codes = np.array([[1, 1, 1, 2, 2, 0, 1]], np.uint8).repeat(3, 0)
    assert np.array_equal(geometry.edges(codes), np.array([[0, 0, 1, 1, 0, 0, 0]], bool).repeat(3, 0))


@given(maps)
def test_edges_agree_with_each_pixel_looked_at(codes):
    expected = np.zeros(codes.shape, bool)
    for y, x in np.ndindex(*codes.shape):
        for other_y, other_x in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if codes[y, x] and 0 <= other_y < codes.shape[0] and 0 <= other_x < codes.shape[1]:
                expected[y, x] |= codes[other_y, other_x] not in (0, codes[y, x])
    assert np.array_equal(geometry.edges(codes), expected)


@given(maps, st.permutations([1, 2, 3]))
def test_other_codes_for_the_same_classes_change_nothing(codes, order):
    renamed = np.array([0, *order], np.uint8)[codes]
    assert np.array_equal(geometry.edges(codes), geometry.edges(renamed))
    assert geometry.speckle(codes) == pytest.approx(geometry.speckle(renamed), nan_ok=True)
    assert np.array_equal(geometry.object_width(codes), geometry.object_width(renamed), equal_nan=True)


@given(maps)
def test_perfect_map_scores_one(codes):
    found = geometry.edges(codes)
    scores = geometry.boundary_f1(found, found, tolerance=0)
    expected = 1 if found.any() else np.nan
    assert scores == pytest.approx(dict.fromkeys(("precision", "recall", "f1"), expected), nan_ok=True)
    table = geometry.recall_by_width(codes, codes)
    assert table["pixels"].sum() == (codes != 0).sum()
    assert (table["recall"][table["pixels"] > 0] == 1).all() and table["recall"][table["pixels"] == 0].isna().all()


@given(masks, masks, st.floats(0, 6), st.floats(0, 6))
def test_more_tolerance_never_lowers_a_score(found, reference, one, other):
    strict, lenient = (geometry.boundary_f1(found, reference, t) for t in sorted((one, other)))
    for name in strict:
        assert np.isnan(strict[name]) == np.isnan(lenient[name])
        assert np.isnan(strict[name]) or strict[name] <= lenient[name] + 1e-12
    swapped = geometry.boundary_f1(reference, found, one)
    assert swapped["precision"] == pytest.approx(geometry.boundary_f1(found, reference, one)["recall"], nan_ok=True)


def test_boundary_f1_of_a_shifted_line_and_of_nothing():
    reference, found, nothing = np.zeros((3, 10, 10), bool)
    reference[:, 4], found[:5, 6] = True, True
    assert geometry.boundary_f1(found, reference, 1) == {"precision": 0, "recall": 0, "f1": 0}
    assert geometry.boundary_f1(found, reference, 2) == pytest.approx({"precision": 1, "recall": 0.5, "f1": 2 / 3})
    missed, invented = geometry.boundary_f1(nothing, reference), geometry.boundary_f1(found, nothing)
    assert missed == pytest.approx({"precision": np.nan, "recall": 0, "f1": 0}, nan_ok=True)
    assert invented == pytest.approx({"precision": 0, "recall": np.nan, "f1": np.nan}, nan_ok=True)


@given(st.integers(3, 9), st.integers(3, 9), st.data())
def test_speckle_of_a_constant_map_and_of_one_other_pixel(height, width, data):
    codes = np.full((height, width), 7, np.uint8)
    assert geometry.speckle(codes) == {"components": 1, "isolated_share": 0}
    codes[data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))] = 3
    assert geometry.speckle(codes) == pytest.approx({"components": 2, "isolated_share": 1 / codes.size})


def test_speckle_joins_diagonals_and_leaves_no_data_out():
    codes = np.zeros((6, 6), np.uint8)
    assert np.isnan(geometry.speckle(codes)["isolated_share"]) and geometry.speckle(codes)["components"] == 0
    np.fill_diagonal(codes[:4, :4], 1)  # four pixels: just not speckle
    codes[5, :3] = 2
    assert geometry.speckle(codes) == pytest.approx({"components": 2, "isolated_share": 3 / 7})


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("width", range(1, 13))
def test_line_is_as_wide_as_it_is(width, across):
    codes = line(width, across)
    assert (geometry.object_width(codes)[codes == 2] == width).all()


@given(maps)
def test_width_is_at_least_one_the_same_in_an_object_and_fits_its_size(codes):
    widths = geometry.object_width(codes)
    assert widths.dtype == np.float32 and np.array_equal(np.isnan(widths), codes == 0)
    framed = np.pad(codes, 1)  # no data all around borders every object
    widths = geometry.object_width(framed)
    for code in range(1, 4):
        objects, count = ndimage.label(framed == code)
        for i in range(1, count + 1):
            (value,) = set(widths[objects == i].tolist())
            rows, columns = np.nonzero(objects == i)
            assert 1 <= value <= min(np.ptp(rows), np.ptp(columns)) + 1
            assert np.pi / 4 * value**2 <= rows.size + 1e-6  # its circle has room in it


def test_width_at_the_edge_of_the_image_and_without_any_border():
    codes = line(3, across=False)[12:]
    assert (geometry.object_width(codes)[codes == 2] == 5).all()  # mirrored: three rows, two of them twice
    assert np.isposinf(geometry.object_width(np.ones((4, 5), np.uint8))).all()
    assert np.isnan(geometry.object_width(np.zeros((4, 5), np.uint8))).all()


def test_width_does_not_reach_through_no_data_or_a_diagonal():
    codes = np.zeros((9, 9), np.uint8)
    codes[1:4, 1:4] = codes[4, 4] = 1
    widths = geometry.object_width(codes)
    assert (widths[1:4, 1:4] == 3).all() and widths[4, 4] == 1


def test_narrow_object_that_a_map_smooths_away_has_no_recall():
    truth = line(2, across=True)
    table = geometry.recall_by_width(truth, ndimage.median_filter(truth, 7)).set_index("width_from")
    assert table.loc[2, "pixels"] == (truth == 2).sum() and table.loc[2, "recall"] == 0
    assert table.loc[17, "recall"] == 1 and table.loc[17, "width_to"] == np.inf
    assert table.loc[[1, 3, 5, 9], "pixels"].eq(0).all() and table.loc[[1, 3, 5, 9], "recall"].isna().all()
    blank = geometry.recall_by_width(truth, np.zeros_like(truth))
    assert blank["recall"].dropna().eq(0).all() and blank["pixels"].sum() == truth.size


def test_narrower_than_the_first_bin_is_not_counted():
    truth = line(2, across=False)
    assert geometry.recall_by_width(truth, truth, bins=(3,))["pixels"].tolist() == [(truth == 1).sum()]


def test_image_edges_follow_a_step_and_keep_off_masked_pixels():
    image = np.full((60, 60), 0.2)
    image[:, 30:] = 0.6
    clean = geometry.image_edges(image)
    assert clean[1:-1, 29:31].any(axis=1).all() and not np.delete(clean, [29, 30], axis=1).any()
    # 2: an image has no edge in its outermost row, a class map has.
    assert geometry.boundary_f1(clean, geometry.edges((image > 0.4) + np.uint8(1)), tolerance=2)["f1"] == 1
    image[20:30, 5:15] = image[45:50, 28:40] = np.nan
    masked = geometry.image_edges(image)
    assert masked[1:41, 29:31].any(axis=1).all() and not np.delete(masked, [29, 30], axis=1).any()
    assert not masked[41:54].any()  # four pixels around the hole on the step


@given(st.floats(0.01, 100), st.floats(-100, 100))
def test_image_edges_do_not_depend_on_the_unit(factor, offset):
    image = np.random.default_rng(1).normal(size=(30, 30)).astype(np.float32)
    image[3, 4] = np.nan
    assert np.array_equal(geometry.image_edges(image), geometry.image_edges(factor * image.astype(float) + offset))


@pytest.mark.parametrize("value", [0.3, np.nan])
def test_flat_or_masked_image_has_no_edges(value):
    assert not geometry.image_edges(np.full((20, 20), value, np.float32)).any()


def test_unusable_input_is_the_users_mistake():
    codes, image = np.ones((4, 5), np.uint8), np.ones((4, 5))
    for call in (
        lambda: geometry.boundary_f1(codes > 0, codes.T > 0),
        lambda: geometry.boundary_f1(codes > 0, codes > 0, tolerance=-1),
        lambda: geometry.recall_by_width(codes, codes.T),
        lambda: geometry.recall_by_width(codes, codes, bins=()),
        lambda: geometry.recall_by_width(codes, codes, bins=(3, 2)),
        lambda: geometry.edges(codes[None]),
        lambda: geometry.speckle(codes.astype(float)),
        lambda: geometry.object_width(codes[:0]),
        lambda: geometry.image_edges(image[None]),
        lambda: geometry.image_edges(image, sigma=0),
    ):
        with pytest.raises(InputError):
            call()
