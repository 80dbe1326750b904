"""A classifier of the first dates knows nothing of later ones; the earliest date is the one that tells classes apart."""

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import torch
import xarray as xr

from paperlib.errors import InputError
from paperlib.labelling.early import Early, find_early, write_early
from paperlib.labelling.first_dates import samples_until, superpixels_until
from paperlib.labels import burn
from paperlib.nomenclature import LandCover
from paperlib.settings import make
from support.commands import paperlib

LEGEND = (LandCover(1, "Crop", "#fedf60"), LandCover(2, "Water", "#0080ff"))
DATES = pd.to_datetime(["2018-03-15", "2018-05-15", "2018-07-15", "2018-09-15"])
SIDE, FIELD = 48, 6


def make_run(later: float = 0.0, dates: int = 4) -> SimpleNamespace:
    """Fields in a chessboard of two classes, which differ from the third date on; one pixel in ten is masked on each date
    but the third.

    `later` is added to the last two dates.
    """
    random = np.random.default_rng(0)
    kind = np.add.outer(np.arange(SIDE) // FIELD, np.arange(SIDE) // FIELD) % 2
    values = (0.1 + 0.02 * random.random((3, 4, SIDE, SIDE))).astype(np.float32)
    values[0, 2:] += 0.3 * kind + later
    mask = random.random((4, SIDE, SIDE)) < 0.1
    mask[2] = False
    mask[0, :FIELD, :FIELD] = True  # one polygon has no usable pixel on the first date
    coords = {
        "band": ["B3", "B4", "B8"], "time": DATES, "y": 4_836_000.0 - 10 * np.arange(SIDE) - 5,
        "x": 356_000.0 + 10 * np.arange(SIDE) + 5, "mask": (("time", "y", "x"), mask),
    }  # fmt: skip
    scene = xr.DataArray(values, dims=("band", "time", "y", "x"), coords=coords).chunk()
    scene = scene.rio.write_crs(32631).isel(time=slice(dates))
    rows = []
    for number, (y, x) in enumerate(np.ndindex(SIDE // FIELD, SIDE // FIELD)):
        west, north = 356_000 + 60 * x, 4_836_000 - 60 * y
        part = ("train", "validation", "test")[number % 3]
        rows.append((number, 1 + (y + x) % 2, part, shapely.box(west + 1, north - 59, west + 59, north - 1)))
    polygons = gpd.GeoDataFrame(rows, columns=["polygon_id", "code", "set", "geometry"], crs=32631)
    polygons["class_name"] = polygons["code"].map({cover.code: cover.name for cover in LEGEND})
    return SimpleNamespace(
        scene=scene, polygons=polygons, legend=LEGEND, dates=[f"{date:%Y-%m-%d}" for date in DATES[:dates]],
        dataset=SimpleNamespace(burned=burn(polygons, scene, LEGEND)), settings=make("tiny"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def run():
    return make_run()


@pytest.fixture(scope="module")
def found(run):
    return find_early(run)


def test_samples_of_the_first_dates_do_not_depend_on_later_ones(run):
    other = make_run(later=5.0)
    for name, samples in samples_until(run, 2).items():
        np.testing.assert_array_equal(samples.x, samples_until(other, 2)[name].x)
        assert samples.x.shape[2] == 2
    assert samples_until(other, 3)["train"].pixels().x.max() > 4  # what they would have seen


def test_a_polygon_without_a_usable_pixel_delays_the_first_date(run, found):
    assert samples_until(run, 1) is None
    assert found.dates == ("2018-05-15", "2018-07-15", "2018-09-15")


def test_the_earliest_date_is_the_one_that_tells_the_classes_apart(found):
    table = found.earliest().set_index("score")
    assert table.loc["macro F1", ["earliest", "low", "high"]].tolist() == ["2018-07-15"] * 3
    scores = found.scores().set_index(["score", "date"])
    assert (
        scores.loc[("macro F1", "2018-07-15"), "estimate"] > 0.95 > 0.8 > scores.loc[("F1 Water", "2018-05-15"), "high"]
    )
    assert scores.loc[("macro F1", "2018-09-15"), ["loss", "loss_low", "loss_high"]].tolist() == [0, 0, 0]
    assert "from 2018-07-15 on within 0.02" in found.sentences()[0]


def test_a_score_that_falls_again_has_not_been_reached():
    right, wrong = np.array([[9.0, 1], [1, 9]]), np.array([[5.0, 5], [5, 5]])
    counts = np.stack([np.repeat(right if good else wrong, 4, 0) for good in (True, False, True, True)])
    table = Early({"a": counts}, np.repeat([0, 1], 4), ("1", "2", "3", "4"), LEGEND).earliest()
    assert set(table["earliest"]) == {"3"}


def test_some_last_dates_alone(run):
    assert find_early(run, until=["2018-07-15"]).dates == ("2018-07-15", "2018-09-15")


def test_superpixels_of_the_first_dates_do_not_depend_on_later_ones(run):
    made = [superpixels_until(one, 3, samples_until(one, 3))["validation"] for one in (run, make_run(dates=3))]
    assert torch.equal(made[0].superpixel, made[1].superpixel) and torch.equal(made[0].x, made[1].x)
    found = find_early(run, ["iota2_ctx", "iota2_base"], until=["2018-07-15"])
    scores = found.scores().set_index(["classifier", "score", "date"])["estimate"]
    assert scores["iota2_ctx", "macro F1", "2018-07-15"] > 0.95 and len(found.counts["iota2_ctx"]) == 2


def test_what_cannot_be_asked_is_said(run):
    with pytest.raises(InputError, match="no date 2018-07-16"):
        find_early(run, until=["2018-07-16"])
    with pytest.raises(InputError, match="one date alone"):
        find_early(make_run(dates=1))


def test_the_page_has_a_figure_and_tables(found, tmp_path):
    folder = write_early(found, tmp_path / "early")
    assert {path.name for path in folder.iterdir()} == {"early.html", "scores.csv", "earliest.csv"}
    assert (folder / "early.html").read_text().count("<img") == 1
    assert len(pd.read_csv(folder / "earliest.csv")) == 2 + len(LEGEND)


def test_early_by_the_command_line(lagoon, lagoon_store, tmp_path):
    words = ("early", *lagoon, "--preset", "tiny", "--store", lagoon_store, "--out", "out", "--until", "2021-07-15")
    done = paperlib(*words, folder=tmp_path)
    assert done.returncode == 0 and "early: out/early.html" in done.stdout, done.stderr
    assert "macro F1" in done.stdout and (tmp_path / "out" / "earliest.csv").is_file()
