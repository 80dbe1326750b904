"""Distances between a simulated and a real scene, and classifiers carried from one to the other."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import wasserstein_distance

from paperlib import Experiment, nomenclature
from paperlib.features.inputs import Inputs
from paperlib.features.samples import Samples
from paperlib.reproduction import paper, real_scene, realism

CHANNELS = ("B8", "B11", "NDVI", "NDWI")


def fake(dates, codes, shift=0.0, seed=0):
    """A run whose values are class index + month + noise + shift, in 60 pixels a class and set, as patches of 2 x 2."""
    random = np.random.default_rng(seed)
    label = np.repeat(np.arange(len(codes)), 15)[:, None, None] * np.ones((1, 2, 2), int)
    day = np.array([(pd.Timestamp(date) - pd.Timestamp("2018-01-01")).days for date in dates]) / 30
    code = np.array(codes)[label][:, None, None]
    x = code + day[None, None, :, None, None] + shift + random.normal(0, 0.05, (len(label), 4, 1, 2, 2))
    part = Samples(torch.tensor(x, dtype=torch.float32), torch.tensor(label), torch.tensor(label), CHANNELS)
    roles = {"nir": "B8", "swir": "B11"}
    inputs = Inputs(("B8", "B11"), roles, ("NDVI", "NDWI"), tuple((day * 30).tolist()), 10)
    return SimpleNamespace(
        dataset=SimpleNamespace(inputs=inputs),
        dates=list(dates),
        legend=nomenclature.legend(codes),
        samples=dict.fromkeys(("train", "validation", "test"), part),
    )


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(realism, "TRAIN", replace(realism.TRAIN, epochs=2))


LONG, SHORT = paper.DATES, ("2018-04-29", "2018-07-20", "2018-11-01")


def test_pixels_are_interpolated_in_time_and_restricted_to_the_classes_of_both():
    run, other = fake(LONG, (1, 3, 10)), fake(SHORT, (3, 10, 11))
    legend, dates = realism.shared_classes_and_dates(run, other)
    assert [cover.code for cover in legend] == [3, 10] and list(dates) == list(pd.to_datetime(SHORT))
    found = realism.labelled_pixels(run, legend, dates, "train", "test")
    assert found.x.shape == (240, 4, 3, 1, 1) and found.label.unique().tolist() == [0, 1]
    day = torch.tensor([(date - pd.Timestamp("2018-01-01")).days / 30 for date in dates])
    expected = torch.tensor([3.0, 10.0])[found.label.flatten()][:, None, None] + day
    assert (found.x[..., 0, 0] - expected).abs().max() < 0.3  # values are linear in time, so interpolation is exact


def test_a_date_outside_gets_the_values_of_the_nearest():
    run = fake(SHORT, (1, 3))
    found = realism.labelled_pixels(run, run.legend, pd.to_datetime(["2018-01-01", *SHORT, "2018-12-31"]), "train").x
    assert torch.equal(found[:, :, 0], found[:, :, 1]) and torch.equal(found[:, :, 3], found[:, :, 4])


def test_a_scene_is_at_no_distance_from_itself_and_at_the_shift_from_a_shifted_one():
    run = fake(SHORT, (1, 3))
    assert (realism.distributions(run, run)["distance"] == 0).all()
    moved = realism.distributions(fake(SHORT, (1, 3), shift=0.5), run)
    assert moved["distance"].to_numpy() == pytest.approx(0.5, abs=1e-4)
    values = run.samples["train"].pixels().x[:60, 2, 0, 0, 0].numpy()
    row = moved.query("code == 1 and channel == 'NDVI'").iloc[0]
    assert row["relative"] == pytest.approx(0.5 / values.std(), rel=1e-3)
    assert row["real_50"] == pytest.approx(np.median(values), abs=1e-6)
    assert row["distance"] == pytest.approx(wasserstein_distance(values + 0.5, values), abs=1e-4)
    table = realism.distance_table(moved)
    assert list(table.index) == [cover.name for cover in run.legend] and table["NDVI"].eq(0.5).all()


def test_classifiers_cross_between_like_scenes_and_fail_in_a_scene_of_other_values(quick):
    run = fake(LONG, (1, 5, 10))
    near = realism.transfer(run, fake(SHORT, (1, 5), seed=1))
    assert near.scores.loc["iota2_base", ["at home", "abroad"]].tolist() == [1, 1]
    assert list(near.scores.index) == ["iota2_base", "TempCNN"]
    far = realism.transfer(run, fake(SHORT, (1, 5), shift=4))
    assert far.scores.loc["iota2_base", "abroad"] < 0.5
    for matrix in far.confusions.values():
        assert matrix.to_numpy().sum() == 2 * 60 * 3 and list(matrix.index) == list(matrix.columns)


def test_the_figure_shows_every_class_and_channel():
    table = realism.distributions(fake(LONG, (1, 3, 11)), fake(SHORT, (1, 3, 11)))
    figure = realism.distributions_figure(table)
    assert len(figure.axes) == 3 * 4
    assert [len(ax.lines) for ax in figure.axes] == [2] * 12
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_with_the_real_scene(shared_data, tmp_path, monkeypatch, quick):
    monkeypatch.setenv("PAPERLIB_STORE", str(tmp_path / "store"))
    shutil.copy(shared_data / "bouconne" / real_scene.IMAGE, tmp_path)
    image = real_scene.fetch_bouconne(tmp_path)
    real = Experiment("tiny", str(image), str(real_scene.project() / "data" / "bouconne" / real_scene.POLYGONS))
    simulated = Experiment("tiny")
    table = realism.distributions(simulated, real)
    assert len(table) == 7 * 4 * 7 and set(table["date"]) == set(pd.to_datetime(real.dates))
    trees = table[table["code"].isin([2, 3]) & (table["channel"] == "NDVI")]
    assert trees["distance"].mean() < 0.06
    for source, target in ((simulated, real), (real, simulated)):
        assert realism.transfer(source, target).scores.loc["iota2_base", "abroad"] > 0.3
