"""Evidence from planted confusions and planted maps, whose answers are known."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from paperlib import nomenclature
from paperlib.errors import InputError
from paperlib.evaluation import geometry, metrics
from paperlib.evaluation.quantities import Estimate, Quantity
from paperlib.reproduction import evidence

LEGEND = nomenclature.legend([1, 6, 7, 10])
WITHOUT_CROPS = nomenclature.legend([1, 6, 11])


def scored(*trainings, reference, legend=LEGEND) -> SimpleNamespace:
    """A run whose classifiers all have these counts (polygon, predicted class), one array a training."""
    counts = [np.array(one) for one in trainings]
    trained = SimpleNamespace(polygon_counts=lambda name, part="test": (counts, np.array(reference)))
    return SimpleNamespace(legend=legend, trained=trained)


def mapped(codes, truth=None, *others) -> SimpleNamespace:
    """A run whose classifiers all have this map, and those of other trainings."""
    known, *found = (
        None if one is None else xr.DataArray(one.astype(np.uint8), dims=("y", "x")) for one in (truth, codes, *others)
    )
    maps = SimpleNamespace(classes_by_training=lambda name: found)
    return SimpleNamespace(legend=LEGEND, truth=known, maps=maps)


def block_share(inside: np.ndarray, among: np.ndarray, seed: int = 0) -> Quantity:
    """Of one map."""
    return evidence.of_blocks(evidence.block_shares([inside], [among], seed), among.shape)


def polygons(seed=0, each=6, classes=4, right=0.7) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    reference = np.repeat(np.arange(classes), each)
    counts = random.integers(1, 20, (len(reference), classes))
    counts[np.arange(len(reference)), reference] += random.integers(0, round(200 * right), len(reference))
    return counts, reference


def plain(one: Estimate, inside: np.ndarray, among: np.ndarray) -> bool:
    return one.value == pytest.approx(inside[among].mean()) and one.low <= one.value <= one.high


# -- polygons ----------------------------------------------------------------------------------------------------------


def test_the_first_is_the_score_as_it_is_and_trainings_are_averaged():
    first, reference = polygons(0)
    second, _ = polygons(1)
    run = scored(first, second, reference=reference)
    matrices = [np.stack([one[reference == index].sum(0) for index in range(4)]) for one in (first, second)]
    found = evidence.confusions(run, "any")
    assert found.shape == (2, 1 + evidence.DRAWS, 4, 4) and np.array_equal(found[:, 0], matrices)
    assert evidence.macro_f1(run, "any").value == pytest.approx(np.mean([metrics.macro_f1(one) for one in matrices]))
    for index, cover in enumerate(LEGEND):
        expected = np.mean([metrics.f1(one)[index] for one in matrices])
        assert evidence.class_f1(run, "any", cover.code)[:, 0].mean() == pytest.approx(expected)
    value, low, high = evidence.macro_f1(run, "any").estimate()
    assert low < value < high


def test_the_part_asked_for_is_the_part_read():
    counts, reference = polygons()
    asked = []
    trained = SimpleNamespace(polygon_counts=lambda name, part: asked.append((name, part)) or ([counts], reference))
    run = SimpleNamespace(legend=LEGEND, trained=trained)
    evidence.macro_f1(run, "TempCNN", "validation")
    evidence.class_f1(run, "3D-CNN", 7)
    evidence.share_predicted(run, "iota2_base", 7, (1,))
    assert list(dict.fromkeys(asked)) == [("TempCNN", "validation"), ("3D-CNN", "test"), ("iota2_base", "test")]


@given(st.integers(0, 99))
def test_runs_that_say_the_same_differ_by_nothing_in_any_draw(seed):
    counts, reference = polygons(seed)
    difference = evidence.macro_f1(scored(counts, reference=reference), "one") - evidence.macro_f1(
        scored(counts.copy(), reference=reference), "other"
    )
    assert (difference.draws == 0).all()
    assert difference.estimate() == (0, 0, 0)


def test_draws_are_paired_across_runs():
    """A little better in every polygon: better in every draw, though the intervals of the two overlap."""
    counts, reference = polygons(right=0.3)
    better = counts.copy()
    better[np.arange(len(reference)), reference] += 3
    worse, good = (evidence.macro_f1(scored(one, reference=reference), "any") for one in (counts, better))
    assert (good.draws > worse.draws).all()
    assert worse.estimate().high > good.estimate().low


def test_share_predicted_counts_the_classes_asked_for():
    reference = [0, 1, 2, 2, 3]
    counts = [[9, 0, 0, 0], [0, 9, 0, 0], [2, 4, 12, 2], [0, 0, 10, 10], [0, 0, 0, 9]]
    run = scored(counts, reference=reference)
    for codes, share in (((1,), 2 / 40), ((1, 10), 14 / 40), ((1, 5, 10, 11), 14 / 40), ((7,), 22 / 40), ((5,), 0)):
        assert evidence.share_predicted(run, "any", 7, codes).value == pytest.approx(share)
    found = evidence.share_predicted(run, "any", 7, (1, 10))
    assert set(found.draws[1:].round(9)) == {4 / 20, 10 / 20}  # one of the two polygons counts twice


def test_a_class_without_test_polygons_has_no_share_and_no_score():
    run = scored([[5, 1, 0, 0], [0, 4, 1, 0], [0, 0, 1, 9]], reference=[0, 1, 3])
    assert np.isnan(evidence.share_predicted(run, "any", 7, (1, 10)).draws).all()
    assert np.isnan(evidence.class_f1(run, "any", 7)).all()
    assert np.isfinite(evidence.macro_f1(run, "any").draws).all()


def test_a_class_that_the_scene_lacks_is_named():
    counts, reference = polygons(classes=3)
    run = scored(counts, reference=reference, legend=WITHOUT_CROPS)
    for call in (lambda: evidence.class_f1(run, "any", 7), lambda: evidence.share_predicted(run, "any", 7, (1, 10))):
        with pytest.raises(InputError, match=r"no polygons of Periodically.*it has Built up, Permanent.*Water"):
            call()


def test_another_class_of_the_same_code_is_not_the_paper_s():
    counts, reference = polygons(classes=3)
    vines = tuple(cover._replace(name="Vineyard") if cover.code == 6 else cover for cover in WITHOUT_CROPS)
    run = scored(counts, reference=reference, legend=vines)
    assert evidence.codes(run) == [1, 11]
    with pytest.raises(InputError, match=r"no polygons of Permanent.*it has .*Vineyard"):
        evidence.class_f1(run, "any", 6)


# -- blocks of a map ---------------------------------------------------------------------------------------------------

masks = arrays.arrays(
    bool, arrays.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=80).map(lambda s: (2, *s[1:]))
)


@given(masks, st.integers(0, 9))
def test_block_share_is_the_plain_share(two, seed):
    inside, among = two
    found = block_share(inside, among, seed).draws
    assert found.shape == (1 + evidence.DRAWS,)
    if among.any():
        assert found[0] == pytest.approx(inside[among].mean())
        assert ((found >= 0) & (found <= 1) | np.isnan(found)).all()
    else:
        assert np.isnan(found).all()


@pytest.mark.parametrize("shape", [(128, 128), (100, 70)])
def test_block_share_is_less_certain_of_what_is_clustered(shape):
    random = np.random.default_rng(0)
    among = random.random(shape) < 0.9
    clustered = np.zeros(shape, bool)
    clustered[: shape[0] // 2, : shape[1] // 2] = True
    scattered = random.permutation(clustered.ravel()).reshape(shape)
    one, other = (block_share(mask, among).estimate() for mask in (clustered, scattered))
    assert plain(one, clustered, among) and plain(other, scattered, among)
    assert one.value == pytest.approx(other.value, abs=0.02)
    assert one.high - one.low > 4 * (other.high - other.low) > 0


def test_block_shares_of_two_maps_are_drawn_alike():
    mask = np.random.default_rng(0).random((2, 96, 96)) < 0.3
    one, again = (block_share(mask[0], mask[1]).draws for _ in range(2))
    assert np.array_equal(one, again)


def test_blocks_are_squares_of_neighbours():
    """A mask that fills whole blocks: in every draw the share is a number of blocks."""
    side = evidence.BLOCK
    inside = np.kron(np.array([[1, 0], [0, 0]]), np.ones((side, side))).astype(bool)
    found = block_share(inside, np.ones_like(inside)).draws
    assert set(np.unique(found)) == {0, 0.25, 0.5, 0.75, 1} and found[0] == 0.25


# -- maps --------------------------------------------------------------------------------------------------------------


def test_specks_are_counted_among_pixels_with_data():
    codes = np.full((64, 64), 7)
    codes[40:] = 0
    for place in ((2, 2), (10, 50), (33, 33)):
        codes[place] = 1  # three single pixels
    codes[20, 20] = codes[21, 21] = codes[22, 22] = 6  # three that touch at corners: one speck of three
    codes[5:7, 30:32] = 6  # four: no speck
    found = evidence.specks(mapped(codes), "any").estimate()
    assert found.value == pytest.approx(6 / (40 * 64)) and found.low <= found.value <= found.high
    assert not evidence.specks(mapped(np.full((64, 64), 7)), "any").draws.any()


def test_recall_looks_at_narrow_objects_alone():
    truth = np.full((64, 64), 7)
    truth[:, 10], truth[:, 20:22], truth[:, 30:33], truth[:, 45:60] = 1, 6, 10, 1
    erased = truth.copy()
    erased[:, 10], erased[:32, 20], erased[:, 45:60], erased[:, 30:33] = 7, 7, 7, 7  # also what is not narrow
    assert evidence.recall_in_narrow_objects(mapped(truth, truth), "any").value == 1
    found = evidence.recall_in_narrow_objects(mapped(erased, truth), "any")
    assert found.value == pytest.approx((2 * 64 - 32) / (3 * 64))  # columns 10, 20 and 21
    assert evidence.recall_in_narrow_objects(mapped(erased, truth), "any", width=2).value == 0
    wider = evidence.recall_in_narrow_objects(mapped(erased, truth), "any", width=4)
    assert wider.value == pytest.approx((2 * 64 - 32) / (6 * 64))
    assert np.isnan(evidence.recall_in_narrow_objects(mapped(truth, np.full((64, 64), 7)), "any").draws).all()


def test_spread_beside_counts_pixels_with_a_shared_border():
    truth = np.full((64, 64), 7)
    truth[:, 50:] = 6  # another border, of no concern
    truth[20:30, 20:30] = 1
    grown = truth.copy()
    grown[19:31, 19:31] = 1
    above = truth.copy()
    above[18:20, 15:35] = 1  # ten beside the object, the rest are not
    for codes, share in ((truth, 0), (grown, 1), (above, 10 / 40)):
        assert evidence.spread_beside(mapped(codes, truth), "any").value == pytest.approx(share)
    other = truth.copy()
    other[19:31, 19:31] = 6
    assert evidence.spread_beside(mapped(other, truth), "any").value == 0
    taken = truth.copy()
    taken[:16, 49] = 6  # a quarter of what lies beside the strip
    assert evidence.spread_beside(mapped(taken, truth), "any", code=6).value == pytest.approx(0.25)


def test_at_borders_tells_borders_from_the_rest_and_leaves_the_class_itself_out():
    truth = np.full((64, 64), 7)
    truth[:, 32:] = 6
    truth[40:50, 5:15] = 1
    codes = truth.copy()
    codes[:32, 31:33] = 1  # half of the border between 7 and 6, both sides
    codes[39:51, 4:16] = 1  # beside the object itself: does not count
    run = mapped(codes, truth)
    assert evidence.more_at_borders(run, "any", 1).value == pytest.approx(0.5)
    codes = truth.copy()
    codes[:10, :10] = 1
    run = mapped(codes, truth)
    assert evidence.more_at_borders(run, "any", 1).value == pytest.approx(-100 / (64 * 64 - 12 * 12 - 2 * 64))


def test_at_borders_leaves_out_where_the_truth_is_not_known():
    truth = np.full((64, 64), 7)
    truth[:, 32:] = 6
    truth[:, :8] = 0
    codes = np.where(truth == 0, 1, truth)
    assert evidence.more_at_borders(mapped(codes, truth), "any", 1).value == 0


def test_the_luck_of_trainings_is_in_the_interval_of_maps():
    """Built-up land spreads by 0, 40 and 80 % of what lies beside it: what one map says, another may not."""
    truth = np.full((96, 96), 7)
    truth[8::32, 8::32] = truth[9::32, 8::32] = 1
    random = np.random.default_rng(0).random(truth.shape)
    maps = [np.where(geometry.near(truth == 1) & (random < share), 1, truth) for share in (0.0, 0.4, 0.8)]
    alone = evidence.spread_beside(mapped(maps[1], truth), "any").estimate()
    every = evidence.spread_beside(mapped(maps[0], truth, *maps[1:]), "any").estimate()
    shares = [evidence.spread_beside(mapped(one, truth), "any").value for one in maps]
    assert every.value == pytest.approx(np.mean(shares))
    assert alone.low > 0 > every.low and every.high > shares[2]
