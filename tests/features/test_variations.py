"""Varied samples differ in what was asked for and in nothing else, pixel by pixel."""

from collections import Counter

import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from paperlib import Experiment
from paperlib.errors import InputError
from paperlib.features.normaliser import Normaliser
from paperlib.features.samples import Samples
from paperlib.features.variations import vary
from paperlib.settings import Sample

CHANNELS = ("B2", "B3", "B4", "B8", "B8A", "B11", "NDVI", "NDWI", "BI")
DATES = ["2018-02-15", "2018-07-08", "2018-08-15", "2018-12-15"]
CLASSES = 3
SEEDS = st.integers(0, 999)


def make(polygons=12, size=4, first=0, patches=2) -> Samples:
    """Patches of `polygons` polygons from number `first` on, `patches` each; x tells patch, channel, date and pixel."""
    numbers = first + torch.arange(polygons).repeat_interleave(patches)
    random = torch.Generator().manual_seed(first)
    inside = torch.rand(len(numbers), size, size, generator=random) < 0.6
    inside[:, 0, 0] = True
    label = torch.where(inside, (numbers % CLASSES)[:, None, None], -1)
    polygon = torch.where(inside, numbers[:, None, None], -1)
    digits = (patches * first + torch.arange(len(numbers)), *map(torch.arange, (len(CHANNELS), len(DATES), size, size)))
    x = sum(
        digit.reshape([-1 if axis == place else 1 for axis in range(5)]) * scale
        for place, (digit, scale) in enumerate(zip(digits, (10_000, 1000, 100, 10, 1), strict=True))
    )
    return Samples(x.float(), label, polygon, CHANNELS)


def sets(**changes) -> dict[str, Samples]:
    return {
        "train": make(first=0, **changes),
        "validation": make(first=30, **changes),
        "test": make(first=60, **changes),
    }


def varied(parts, seed=0, **choice) -> dict[str, Samples]:
    return vary(parts, Sample(**choice), DATES, seed)


def pixels(samples: Samples) -> Counter:
    """How often each labelled pixel occurs, with its series, label and polygon."""
    one = samples.pixels()
    rows = zip(one.x.flatten(1).tolist(), one.label.flatten().tolist(), one.polygon.flatten().tolist(), strict=True)
    return Counter((tuple(x), label, polygon) for x, label, polygon in rows)


def polygons(samples: Samples) -> set[int]:
    return set(samples.polygon[samples.label >= 0].tolist())


def same(one: Samples, other: Samples) -> bool:
    return one.channels == other.channels and all(
        torch.equal(getattr(one, name), getattr(other, name)) for name in ("x", "label", "polygon")
    )


def test_the_polygons_of_these_tests_are_no_trivial_case():
    parts = sets()
    assert len(polygons(parts["train"])) == 12 and len(parts["train"]) == 24
    assert (parts["train"].label < 0).any() and not polygons(parts["train"]) & polygons(parts["validation"])
    assert all(max(pixels(part).values()) == 1 for part in parts.values())  # x tells pixels apart


def test_by_polygon_with_everything_nothing_changes():
    parts = sets()
    found = varied(parts, seed=5)
    assert all(same(found[name], parts[name]) for name in parts)


@given(SEEDS, st.sampled_from([0.1, 0.3, 0.5]), st.integers(3, 9), st.integers(1, 2))
def test_split_by_pixel_labels_each_pixel_of_the_pool_once(seed, share, number, patches):
    parts = sets(polygons=number, patches=patches)
    found = varied(parts, seed, split="pixel", validation=share)
    assert pixels(found["train"]) + pixels(found["validation"]) == pixels(parts["train"]) + pixels(parts["validation"])
    assert same(found["test"], parts["test"])
    for part in (found["train"], found["validation"]):
        assert (part.label >= 0).flatten(1).any(1).all()  # no sample without labels is left
        assert ((part.polygon >= 0) == (part.label >= 0)).all()


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_split_by_pixel_keeps_the_share_and_puts_polygons_on_both_sides(share):
    parts = sets(polygons=30, size=6)
    found = varied(parts, seed=1, split="pixel", validation=share)
    drawn, rest = (int((found[name].label >= 0).sum()) for name in ("validation", "train"))
    assert drawn / (drawn + rest) == pytest.approx(share, abs=0.03)
    assert polygons(found["train"]) == polygons(found["validation"])
    assert polygons(found["train"]) == polygons(parts["train"]) | polygons(parts["validation"])
    assert not polygons(found["train"]) & polygons(found["test"])


@given(SEEDS, st.floats(0.01, 0.99), st.integers(3, 20))
def test_fewer_polygons_are_a_share_of_each_class_and_whole(seed, share, number):
    parts = sets(polygons=number, size=3)
    found = varied(parts, seed, training_share=share)
    assert all(same(found[name], parts[name]) for name in ("validation", "test"))
    before, after = pixels(parts["train"]), pixels(found["train"])
    kept = polygons(found["train"])
    assert after == Counter({pixel: times for pixel, times in before.items() if pixel[2] in kept})
    for index in range(CLASSES):
        of_class = {one for one in polygons(parts["train"]) if one % CLASSES == index}
        assert 1 <= len(kept & of_class) <= len(of_class)
        assert abs(len(kept & of_class) - share * len(of_class)) <= 0.5 or len(kept & of_class) == 1


def test_seeds_draw_other_polygons_and_pixels_and_each_its_own():
    parts = sets()
    for choice in ({"training_share": 0.5}, {"split": "pixel"}):
        first, again, other = (varied(parts, seed, **choice)["train"] for seed in (3, 3, 4))
        assert same(first, again) and pixels(first) != pixels(other)


@given(SEEDS)
def test_shuffled_dates_are_the_same_order_everywhere(seed):
    parts = sets(polygons=3, size=2, patches=1)
    found = varied(parts, seed, dates="shuffled")
    order = (found["train"].x[0, 0, :, 0, 0] - parts["train"].x[0, 0, 0, 0, 0]).long() // 100
    assert sorted(order.tolist()) == list(range(len(DATES)))
    for name, part in parts.items():
        assert torch.equal(found[name].x, part.x[:, :, order])
        assert same(found[name].map(lambda x, part=part: part.x), part)
    assert same(varied(parts, seed, dates="shuffled")["test"], found["test"])


def test_seeds_shuffle_dates_in_other_orders():
    parts = sets(polygons=3, size=2, patches=1)
    orders = {tuple(varied(parts, seed, dates="shuffled")["train"].x[0, 0, :, 0, 0].tolist()) for seed in range(100)}
    assert len(orders) > 12  # of 24


@pytest.mark.parametrize("date", DATES)
def test_one_date_is_the_one_asked_for(date):
    parts = sets()
    for name, part in varied(parts, dates=date).items():
        assert torch.equal(part.x, parts[name].x[:, :, [DATES.index(date)]]) and part.x.shape[2] == 1
        assert torch.equal(part.label, parts[name].label)


def test_without_indices_the_bands_are_left():
    parts = sets()
    for name, part in varied(parts, indices=False).items():
        assert part.channels == CHANNELS[:-3] and torch.equal(part.x, parts[name].x[:, :-3])
        assert torch.equal(part.label, parts[name].label)


def test_choices_combine():
    parts = sets()
    found = varied(parts, 2, split="pixel", training_share=0.5, dates=DATES[1], indices=False)
    assert all(part.x.shape[1:3] == (6, 1) for part in found.values())
    alone = varied(parts, 2, split="pixel")
    assert len(polygons(found["train"])) == 12 and len(polygons(alone["train"])) == 24
    assert pixels(found["validation"]).total() == pixels(alone["validation"]).total()


def test_the_samples_given_stay_as_they_are():
    parts, untouched = sets(), sets()
    varied(parts, split="pixel", training_share=0.5, dates="shuffled", indices=False)
    assert all(same(parts[name], untouched[name]) for name in parts)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"split": "block"}, r"sample\.split = 'block' is not possible\. Choose polygon or pixel"),
        ({"training_share": 0.0}, r"sample\.training_share = 0\.0.*above 0 to 1"),
        ({"training_share": 1.5}, r"sample\.training_share = 1\.5.*above 0 to 1"),
        ({"training_share": float("nan")}, r"sample\.training_share = nan"),
        (
            {"dates": "2018-01-01"},
            r"'2018-01-01' is not possible. Choose all, shuffled, or one of 2018-02-15, .*2018-12-15",
        ),
    ],
)
def test_wrong_values_are_named_with_the_choices(choice, message):
    with pytest.raises(InputError, match=message):
        varied(sets(), **choice)


def test_a_varied_run_leaves_the_run_it_comes_from_alone():
    run = Experiment("tiny")
    run.dataset.samples = sets()
    run.dataset.normaliser = Normaliser(torch.zeros(9), torch.ones(9))
    run.dataset.scene = xr.DataArray(range(4), {"time": [f"{date}T00:00" for date in DATES]}, ["time"])
    run.dataset.scene["time"] = run.scene.time.astype("datetime64[ns]")
    before = run.trained.normalised
    other = run.override({"sample.dates": DATES[2]}).override({"sample.indices": False})
    assert other.dataset is run.dataset and other.trained.normalised["test"].x.shape[1:3] == (6, 1)
    assert run.trained.normalised is before and same(before["test"], run.samples["test"])
    assert run.settings == Experiment("tiny").settings
    assert other.settings.sample == Sample(dates=DATES[2], indices=False)
    with pytest.raises(InputError, match="iota2_ctx cannot be varied"):
        other.trained.samples("iota2_ctx")
