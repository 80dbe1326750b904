"""Days of the year in leap years and across the new year, and what is missing of a season."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from paperlib.features.inputs import Inputs
from paperlib.features.season import TOLERANCE, align, calendar_day, coverage_problems, days_of_year


def scene(*dates: str) -> xr.DataArray:
    times = pd.to_datetime(list(dates))
    values = np.random.default_rng(0).uniform(0.1, 0.5, (2, len(dates), 5, 6)).astype(np.float32)
    coords = {
        "band": ["B4", "B8"], "time": times, "y": -10.0 * np.arange(5), "x": 10.0 * np.arange(6),
        "mask": (("time", "y", "x"), np.zeros((len(dates), 5, 6), bool)),
    }  # fmt: skip
    return xr.DataArray(values, dims=("band", "time", "y", "x"), coords=coords).rio.write_crs(32631)


def test_a_calendar_date_is_the_same_day_in_leap_years():
    dates = ["02-15", "02-28", "03-01", "07-08", "12-31"]
    days = [days_of_year(scene(*(f"{year}-{date}" for date in dates))).tolist() for year in (2018, 2020)]
    assert days[0] == days[1] == [45, 58, 59, 188, 364]
    assert days_of_year(scene("2020-02-28", "2020-02-29", "2020-03-01")).tolist() == [58, 58.5, 59]
    assert days_of_year(scene("2019-11-01", "2020-03-01", "2021-03-01")).tolist() == [304, 365 + 59, 730 + 59]


def test_a_leap_year_is_read_as_it_is():
    first, leap = (scene(*(f"{year}-{date}" for date in ("02-15", "06-15", "10-15"))) for year in (2018, 2020))
    inputs = Inputs.of(first)
    np.testing.assert_array_equal(inputs.read(leap)[:2], leap.values)


@pytest.mark.parametrize(
    ("dates", "wanted", "expected"),
    [
        (("2018-10-15", "2019-09-15"), [287, 622], [287, 622]),  # a season across the new year, a year later
        (("2019-01-02", "2019-11-15"), [353, 683], [366, 683]),  # it begins after the new year here
        (("2017-12-20", "2018-12-10"), [45, 340], [-12, 343]),  # it begins before the new year here
        (("2017-02-01", "2018-02-01", "2018-12-01"), [31, 334], [-334, 31, 334]),  # the year that is covered
    ],
)
def test_a_series_is_moved_by_whole_years_to_the_season(dates, wanted, expected):
    assert align(days_of_year(scene(*dates)), np.array(wanted, float)).tolist() == expected


def test_a_season_across_the_new_year_is_interpolated():
    wanted = Inputs.of(scene("2017-10-15", "2018-01-15", "2018-06-15"))
    later = scene("2018-10-05", "2018-12-25", "2019-02-04", "2019-06-15")
    values = wanted.read(later)
    days = (later.indexes["time"] - pd.Timestamp("2018-01-01")).days.to_numpy()
    for band, y, x in np.ndindex(2, 5, 6):
        expected = np.interp([287, 379, 530], days, later.values[band, :, y, x])
        np.testing.assert_allclose(values[band, :, y, x], expected, rtol=1e-5)


def test_interpolation_goes_between_usable_dates_of_each_pixel():
    other = scene("2019-02-10", "2019-04-10", "2019-06-10", "2019-08-10")
    cloudy = np.random.default_rng(1).random((4, 5, 6)) < 0.3
    cloudy[:, 0, 0] = [False, True, True, False]
    other = other.assign_coords(mask=(("time", "y", "x"), cloudy))
    inputs = Inputs.of(scene("2018-02-20", "2018-05-15", "2018-08-05"))
    values, days = inputs.read(other), days_of_year(other)
    for band, y, x in np.ndindex(2, 5, 6):
        usable = ~cloudy[:, y, x]
        expected = np.interp(inputs.days, days[usable], other.values[band, usable, y, x]) if usable.any() else np.nan
        np.testing.assert_allclose(values[band, :, y, x], expected, rtol=1e-5)
    windows = [inputs.read(other, slice(row, row + 2), slice(0, 6)) for row in (0, 2, 4)]
    np.testing.assert_array_equal(np.concatenate(windows, axis=2), values)


def test_missing_days_are_listed_with_the_nearest_date():
    wanted = np.array([45.0, 74, 105, 135, 166, 348])
    findings = coverage_problems(scene("2019-06-01", "2019-07-01", "2019-11-20"), wanted)
    assert [finding.level for finding in findings] == ["error"] and findings[0].kind == "scene.dates"
    told = findings[0].value
    assert told.startswith("2019-06-01 to 2019-11-20 do not cover the season of the classifier: ")
    assert (
        "15 February (nearest date 2019-06-01, 106 days off), 16 March (" in told and "and 1 more day missing" in told
    )
    assert f"up to {TOLERANCE:g} days are bridged" in told and findings[0].fix
    (finding,) = coverage_problems(scene("2019-02-01", "2019-12-20"), wanted[[0, 2, 5]])
    assert finding.level == "warning" and "16 April (nearest date 2019-02-01, 74 days off)" in finding.value
    assert coverage_problems(scene("2019-03-01", "2019-12-01"), np.array([45.0, 348])) == []
    assert len(coverage_problems(scene("2019-03-03", "2019-12-01"), np.array([45.0, 348]))) == 1


def test_a_series_of_several_years_is_said():
    dates = [f"{year}-{month:02}-15" for year in (2017, 2018, 2019) for month in (3, 6, 9)]
    (finding,) = coverage_problems(scene(*dates), np.array([73.0, 165, 257]))
    assert finding.level == "warning" and "3 times: 2017-03-15 to 2017-09-15 is used" in finding.value
    (far,) = coverage_problems(scene(*dates), np.array([73.0, 365 + 73, 2 * 365 + 73])[:2] - 20)
    assert "times" not in far.value


def test_days_have_names():
    assert [calendar_day(day) for day in (0, 58, 58.5, 59, 364, 365 + 45)] == [
        "1 January", "28 February", "28 February", "1 March", "31 December", "15 February",
    ]  # fmt: skip
