"""What a classifier reads: any bands, indices by role, and the days of its training from a scene of other dates."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401  (gives .rio)
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from paperlib.features.indices import fill_gaps
from paperlib.features.inputs import Inputs
from paperlib.features.season import align, days_of_year

DATES = ("2018-02-15", "2018-05-15", "2018-08-15")


def make_scene(bands=("B3", "B4", "B8"), dates=DATES, seed=0, pixel=10.0) -> xr.DataArray:
    """Random values that change linearly in time, some masked on the second date, one pixel on all."""
    rng = np.random.default_rng(seed)
    days = (pd.to_datetime(list(dates)) - pd.Timestamp("2018-01-01")).days.to_numpy()
    start, slope = rng.uniform(0.1, 0.3, (2, len(bands), 6, 7))
    values = (start[:, None] + slope[:, None] * days[:, None, None] / 365).astype(np.float32)
    mask = np.zeros((len(dates), 6, 7), bool)
    mask[1:2, 2:4, 2:4] = True
    mask[:, 5, 6] = True
    values[:, mask] = np.nan
    coords = {
        "band": list(bands), "time": pd.to_datetime(list(dates)), "y": -pixel * np.arange(6.0),
        "x": pixel * np.arange(7.0), "mask": (("time", "y", "x"), mask),
    }  # fmt: skip
    return xr.DataArray(values, dims=("band", "time", "y", "x"), coords=coords).rio.write_crs(32631)


def test_indices_follow_the_roles_of_any_bands():
    inputs = Inputs.of(make_scene(("thing", "red", "nir")))
    assert inputs.channels() == ("thing", "red", "nir", "NDVI")
    values = inputs.read(make_scene(("thing", "red", "nir")))
    np.testing.assert_allclose(values[3], (values[2] - values[1]) / (values[2] + values[1]))
    assert Inputs.of(make_scene(("VV", "VH"))).indices == ()
    assert Inputs.of(make_scene(("NDVI", "B4", "B8"))).channels() == ("NDVI", "B4", "B8")  # it has its own


def test_the_same_days_are_read_as_they_are():
    scene = make_scene()
    inputs = Inputs.of(scene)
    assert inputs.days == (45, 134, 226) and inputs.pixel == 10
    expected = scene.values.copy()
    fill_gaps(expected, scene.mask.values, days_of_year(scene))
    np.testing.assert_array_equal(inputs.read(scene)[:3], expected)
    assert np.isnan(inputs.read(scene)).any((0, 1)).sum() == 1


@pytest.mark.parametrize("halo", [0, 1, 3, 9])
def test_a_window_is_the_same_part_of_the_scene_around_it(halo):
    """The scene without its gap and mirrored by numpy says what every window has to hold, also one beyond the end."""
    scene = make_scene()
    inputs = Inputs.of(scene)
    whole = inputs.read(scene)
    assert np.isnan(whole[0, 0, 5, 6]) and np.isnan(whole).any((0, 1)).sum() == 1
    if halo:  # of the pixels nearest to the corner the one above comes first
        whole[..., 5, 6] = whole[..., 4, 6]
    around = np.pad(whole, [(0, 0), (0, 0), (halo + 3, halo + 3), (halo + 3, halo + 3)], mode="reflect")
    windows = [
        (slice(0, 6), slice(0, 7)),
        (slice(1, 2), slice(3, 6)),
        (slice(-3, 4), slice(2, 10)),
        (slice(4, 6), slice(5, 7)),
    ]
    for y, x in windows:
        memory = np.full(inputs.numbers_around((y, x), halo) + 3, 7, np.float32)
        place = tuple(slice(part.start + 3, part.stop + 3 + 2 * halo) for part in (y, x))
        for kept in (None, memory):
            values, usable = inputs.read_around(scene, y, x, halo, kept)
            np.testing.assert_array_equal(values, around[..., *place])
            assert np.shares_memory(values, memory) == (kept is not None)
            gap = [(row, column) for row in range(y.start, y.stop) for column in range(x.start, x.stop)
                   if abs(row - 5) + abs(column - 6) == 0]  # fmt: skip
            assert (~usable).sum() == len(gap)


@pytest.mark.parametrize("dates", [DATES, ("2017-11-20", "2018-06-01", "2018-12-30"), ("2018-06-01",)])
def test_other_days_are_interpolated_in_bands_before_indices(dates):
    """Values of these scenes are linear in time, so that any three dates give the same at the days between them."""
    wanted = Inputs.of(make_scene())
    scene = make_scene(dates=dates)
    values = wanted.read(scene, slice(1, 5), slice(0, 4))
    assert values.shape == (6, 3, 4, 4)
    held = np.nan_to_num(scene.values[:, :, 1:5, 0:4])
    fill_gaps(held, scene.mask.values[:, 1:5, 0:4], days := align(days_of_year(scene), np.array(wanted.days)))
    for band, y, x in np.ndindex(3, 4, 4):
        np.testing.assert_allclose(values[band, :, y, x], np.interp(wanted.days, days, held[band, :, y, x]), rtol=1e-5)
    np.testing.assert_allclose(values[3], (values[2] - values[1]) / (values[2] + values[1]), rtol=1e-6)


def test_a_year_later_is_the_same_but_for_the_year():
    scene = make_scene(dates=("2019-02-15", "2019-05-15", "2019-08-15"))
    np.testing.assert_array_equal(Inputs.of(make_scene()).days, days_of_year(scene))
    assert Inputs.of(make_scene(dates=("2018-11-01", "2019-02-01"))).days == (304, 396)


def test_bands_are_taken_by_name_in_the_order_of_training():
    wanted = Inputs.of(make_scene(("B8", "B4")))
    scene = make_scene(("B2", "B4", "B3", "B8"))
    values = wanted.read(scene)
    np.testing.assert_array_equal(values[:2], Inputs.of(scene).read(scene)[[3, 1]])
    alone = replace(wanted, indices=(), days=wanted.days[1:2])
    np.testing.assert_array_equal(alone.read(scene), values[:2, 1:2])


@given(st.sets(st.sampled_from(["B2", "B3", "B4", "B8"]), min_size=1), st.booleans())
def test_inputs_survive_json(bands, indices):
    inputs = Inputs.of(make_scene(sorted(bands)))
    inputs = inputs if indices else replace(inputs, indices=())
    assert Inputs.from_dict(inputs.to_dict()) == inputs
    assert inputs.read(make_scene(sorted(bands))).shape[:2] == (len(inputs.channels()), 3)


def kinds(inputs: Inputs, scene: xr.DataArray) -> list[tuple[str, str]]:
    return [(finding.level, finding.kind) for finding in inputs.problems(scene)]


def test_what_a_scene_lacks_is_listed():
    inputs = Inputs.of(make_scene())
    assert inputs.problems(make_scene()) == []
    assert inputs.problems(make_scene(dates=("2018-02-10", "2018-05-20", "2018-08-10"))) == []
    (finding,) = inputs.problems(make_scene(("B2", "B4", "B3")))
    assert (
        (finding.level, finding.kind) == ("error", "scene.bands")
        and "B8 (nir) missing" in finding.value
        and finding.fix
    )
    assert kinds(inputs, make_scene(pixel=20.0)) == [("error", "scene.pixel")]
    assert kinds(inputs, make_scene(dates=("2018-02-15", "2018-05-15"))) == [("error", "scene.dates")]
    assert kinds(inputs, make_scene(dates=("2018-02-15", "2018-08-15"))) == [("warning", "scene.dates")]
    assert kinds(inputs, make_scene(("B4", "B8"), dates=("2018-06-01",), pixel=30.0)) == [
        ("error", "scene.bands"), ("error", "scene.pixel"), ("error", "scene.dates"),
    ]  # fmt: skip


def test_bands_are_matched_by_name_and_role():
    inputs = Inputs.of(make_scene())  # B3, B4, B8 of Sentinel-2
    by_role = make_scene(("nir", "green", "red"))
    assert inputs.match(by_role) == {"B3": "green", "B4": "red", "B8": "nir"}
    np.testing.assert_array_equal(inputs.read(by_role)[:3], Inputs.of(by_role).read(by_role)[[1, 2, 0]])
    (finding,) = inputs.problems(by_role)
    assert finding.level == "warning" and "nir for B8" in finding.value
    landsat = make_scene(("SR_B4", "B3", "SR_B5")).assign_attrs(sensor="landsat-8")  # whose B3 is green too
    assert inputs.match(landsat) == {"B3": "B3", "B4": "SR_B4", "B8": "SR_B5"}
    rededge = Inputs.of(make_scene(("B4", "B5", "B8")).assign_attrs(sensor="sentinel-2"))
    other = make_scene(("B4", "B5", "B8")).assign_attrs(sensor="landsat-8")  # B5 is its near infrared, B4 its red
    assert "B5" not in rededge.match(other)
    assert "B5 (rededge1) missing" in rededge.problems(other)[0].value
