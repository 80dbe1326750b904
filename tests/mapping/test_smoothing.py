"""Smoothing follows its formula, and windows of a map get the answers of one pass over all of it."""

import math

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import from_origin
from rio_cogeo.cogeo import cog_validate
from scipy.ndimage import generic_filter
from skimage.measure import label

from paperlib.errors import InputError
from paperlib.mapping import layers
from paperlib.mapping.class_map import ClassMap
from paperlib.mapping.gis import write_gis_files
from paperlib.mapping.scene_maps import read_map
from paperlib.mapping.smoothing import methods
from paperlib.mapping.smoothing.maps import Smoothing, smooth_map
from paperlib.nomenclature import LandCover

LEGEND = (LandCover(7, "Field", "#ffff00"), LandCover(1, "Built up", "#ff0000"), LandCover(3, "Wood", "#00ff00", "w"))
NAMES = np.array([cover.code for cover in LEGEND], np.uint8)
SHAPE = (41, 57)


def drawn(seed: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Probabilities (class, y, x) in patches with noise, as stored; NaN in a strip and a corner."""
    random = np.random.default_rng(seed)
    rows, columns = np.indices(shape) // 6
    patch = random.integers(0, 3, (rows.max() + 1, columns.max() + 1))[rows, columns]
    values = random.dirichlet(np.ones(3), shape).transpose(2, 0, 1) + 0.6 * (np.arange(3)[:, None, None] == patch)
    values = np.round(values / values.sum(0) / layers.STEP) * layers.STEP
    values[:, 5:8, 3:30] = values[:, -4:, -9:] = np.nan
    return values.astype(np.float32)


def classes(probability: np.ndarray) -> np.ndarray:
    """Codes (y, x) of the most probable classes."""
    return np.where(np.isnan(probability[0]), 0, NAMES[np.nan_to_num(probability).argmax(0)]).astype(np.uint8)


def test_bayesian_smoothing_is_the_posterior_of_each_pixel():
    """By the formulas of the paper, pixel after pixel."""
    probability = drawn(0, (14, 16))
    logit = np.log(np.clip(probability, 1e-4, 1 - 1e-4) / (1 - np.clip(probability, 1e-4, 1 - 1e-4))).astype(float)
    expected = np.full(probability.shape, np.nan)
    for y, x in zip(*np.nonzero(~np.isnan(probability[0])), strict=True):
        for number, image in enumerate(logit):
            around = image[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
            around = np.sort(around[~np.isnan(around)])[::-1]
            prior = around[: math.ceil(0.5 * len(around))]
            mean, variance = prior.mean(), prior.var()
            expected[number, y, x] = (variance * image[y, x] + 8 * mean) / (variance + 8)
    expected = 1 / (1 + np.exp(-expected))
    found = methods.bayesian(probability, 5, 8.0, 0.5)
    np.testing.assert_allclose(found, expected / expected.sum(0), atol=1e-5)


def test_without_smoothness_nothing_changes_and_with_much_of_it_specks_go():
    probability = drawn(1)
    kept = methods.bayesian(probability, 5, 0.0)
    assert np.array_equal(classes(kept), classes(probability))
    flat = np.full((2, 9, 9), 0.1, np.float32)
    flat[0] = 0.9
    flat[:, 4, 4] = 0.2, 0.8
    assert (methods.bayesian(flat, 5, 30.0)[0] > 0.5).all() and not (methods.bayesian(flat, 5, 0.0)[0] > 0.5).all()


def test_the_majority_is_that_of_a_plain_filter():
    codes = classes(drawn(2))

    def most(values):
        values, own = values.astype(int), int(values[12])
        counts = np.bincount(values[values > 0], minlength=256)
        return 0 if own == 0 else own if counts[own] == counts.max() else counts.argmax()

    assert np.array_equal(methods.majority(codes, 5), generic_filter(codes.astype(int), most, 5, mode="constant"))


def small(codes: np.ndarray, minimum: int) -> int:
    """Pixels in objects of fewer than so many pixels."""
    sizes = np.bincount(label(codes, background=0, connectivity=2).ravel())[1:]
    return int(sizes[sizes < minimum].sum())


def test_a_small_object_takes_the_class_with_the_longest_border():
    codes = np.full((8, 8), 3, np.uint8)
    codes[:, 4:] = 7
    codes[3:5, 4] = 1  # beside 3 at two sides, beside 7 at four
    codes[6, 2] = 1
    expected = np.where(codes == 1, np.where(np.arange(8) == 2, 3, 7), codes)
    assert np.array_equal(methods.without_small(codes, 3), expected)
    assert np.array_equal(methods.without_small(codes, 2), np.where((codes == 1) & (expected == 3), 3, codes))
    lane = np.where(np.eye(8, dtype=bool), 1, 3).astype(np.uint8)  # a diagonal line stays
    assert np.array_equal(methods.without_small(lane, 5), lane)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(0, 30), st.integers(0, 40))
def test_small_objects_join_a_neighbour_and_windows_agree(seed, minimum, top, left):
    random = np.random.default_rng(seed)
    codes = random.choice(np.array([0, 1, 3, 7], np.uint8), SHAPE, p=[0.1, 0.5, 0.2, 0.2])
    found = methods.without_small(codes, minimum)
    assert np.array_equal(found == 0, codes == 0)
    assert small(found, minimum) <= 0.1 * small(codes, minimum)
    assert np.array_equal(methods.without_small(codes, 1), codes)
    halo, place = methods.reach_of_small(minimum), (slice(top, top + 11), slice(left, left + 13))
    first = [max(0, side.start - halo) for side in place]
    part = methods.without_small(codes[first[0] : top + 11 + halo, first[1] : left + 13 + halo], minimum)
    assert np.array_equal(part[top - first[0] :, left - first[1] :][:11, :13], found[place])


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """A finished map with all layers."""
    folder, probability = tmp_path_factory.mktemp("map"), drawn(3)
    profile = layers.profile_of("EPSG:32631", from_origin(355_000, 4_835_000, 10, 10), SHAPE)
    whole = (slice(0, SHAPE[0]), slice(0, SHAPE[1]))
    gap, codes = np.isnan(probability[0]), classes(probability)
    stored = np.where(gap, layers.NODATA_PROBABILITY, layers.stored(np.nan_to_num(probability)))
    confidence = np.where(gap, 255, layers.percent(100 * np.nan_to_num(probability).max(0)))
    for layer, image in zip(
        [*layers.layers_of(LEGEND), layers.probability_layer(LEGEND)],
        [codes, confidence.astype(np.uint8), stored.astype(np.uint16)],
        strict=True,
    ):
        layers.write_layer(folder, layer, profile, LEGEND, lambda image=image: [(whole, image)], {})
    write_gis_files(folder, LEGEND)
    return folder


@pytest.mark.parametrize("method", ["bayesian", "majority", "objects"])
def test_a_map_in_windows_equals_one_pass(method, mapped, tmp_path):
    choice = Smoothing(method, 5, 8.0, minimum_area=400)
    smooth_map(mapped, tmp_path / "out", choice, window=16)
    probability, before = drawn(3), classes(drawn(3))
    codes = {"bayesian": None, "majority": methods.majority(before, 5), "objects": before}[method]
    if codes is None:
        probability = methods.bayesian(probability, 5, 8.0)
        codes = classes(probability)
    codes = methods.without_small(codes, 4)
    found = read_map(tmp_path / "out" / "class.tif")
    assert np.array_equal(found.values, codes) and (codes != before).mean() > 0.02
    index = np.array([list(NAMES).index(code) if code else 0 for code in codes.ravel()]).reshape(SHAPE)
    confidence = np.rint(100 * np.take_along_axis(probability, index[None], 0)[0])
    assert np.array_equal(read_map(tmp_path / "out" / "confidence.tif").values, np.where(codes == 0, 255, confidence))
    assert found.rio.transform() == read_map(mapped / "class.tif").rio.transform()
    written = {"class.tif", "confidence.tif", "class.qml", "class.tif.aux.xml", "classes.csv", "areas.csv"}
    if method == "bayesian":
        written |= {"margin.tif", "entropy.tif", "probabilities.tif"}
        known = before != 0
        with rasterio.open(tmp_path / "out" / "probabilities.tif") as file:
            assert file.descriptions == tuple(cover.name for cover in LEGEND)
            stored = np.where(known, layers.stored(np.nan_to_num(probability)), layers.NODATA_PROBABILITY)
            assert np.abs(file.read().astype(int) - stored.astype(int)).max() <= 1
        for name, measure in (("margin", layers.margin), ("entropy", layers.entropy)):
            expected = np.where(known, layers.percent(np.nan_to_num(measure(probability))), 255)
            found = read_map(tmp_path / "out" / f"{name}.tif").values.astype(int)
            assert np.abs(found - expected).max() <= 1 and np.array_equal(found == 255, ~known)
    assert {path.name for path in (tmp_path / "out").iterdir()} == written
    assert cog_validate(tmp_path / "out" / "class.tif")[0]
    assert (tmp_path / "out" / "classes.csv").read_text() == (mapped / "classes.csv").read_text()


def test_what_cannot_be_smoothed_is_said(mapped, tmp_path):
    with pytest.raises(InputError, match="holds the map itself"):
        smooth_map(mapped, mapped, Smoothing())
    for name in ("class.tif", "classes.csv"):
        (tmp_path / name).write_bytes((mapped / name).read_bytes())
    with pytest.raises(InputError, match=r"no probabilities\.tif.*--probabilities, or choose --method majority"):
        smooth_map(tmp_path, tmp_path / "out", Smoothing("bayesian"))
    (tmp_path / "classes.csv").unlink()
    with pytest.raises(InputError, match="no table of the classes"):
        smooth_map(tmp_path, tmp_path / "out", Smoothing("majority"))
    assert (
        Smoothing(minimum_area=900).minimum(ClassMap.open(mapped)) == 9
        and Smoothing().minimum(ClassMap.open(mapped)) == 4
    )
    for wrong in ({"method": "median"}, {"side": 4}, {"minimum_pixels": 0}, {"smoothness": -1}, {"minimum_area": -5}):
        with pytest.raises(InputError) as error:
            Smoothing(**wrong)
        assert error.value.kind.startswith("smoothing.")
    assert not (tmp_path / "out").exists()
