"""A date and a band that alone tell the classes apart matter; those that say nothing do not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from paperlib.errors import InputError
from paperlib.labelling.importance import _exchanged, _members, _others, fewest_dates, importance, sentence, without
from paperlib.settings import Train
from paperlib.training.classifier import Classifier
from support.commands import paperlib
from support.labelled import DATES, INPUTS, LEGEND, in_superpixels, make_samples


@pytest.fixture(scope="module")
def classifier():
    """A forest of samples whose classes differ on the last of three dates alone."""
    return Classifier.train("iota2_base", {"train": make_samples()}, INPUTS, LEGEND, Train())


@pytest.fixture(scope="module")
def table(classifier):
    return importance(classifier, make_samples(seed=1), DATES, repeats=2)


def test_the_date_that_tells_classes_apart_matters_and_no_other(table):
    dates = table[table["kind"] == "date"].set_index("name")
    assert dates.index[0] == "2018-08-15" and dates.loc["2018-08-15", "low"] > 0.3
    assert dates.loc[list(DATES[:2]), "loss"].abs().max() < 0.05
    assert (table["low"] <= table["loss"]).all() and (table["loss"] <= table["high"]).all()
    channels = table[table["kind"] == "channel"].set_index("name")["loss"]
    assert channels[["B3", "B8"]].min() > abs(channels["NDVI"]) + 0.05  # the third class shows in either; NDVI is noise


def test_every_sample_takes_from_another_polygon():
    samples = make_samples(12, size=3).pixels()
    owner = samples.polygon.flatten().numpy()
    for seed in range(5):
        numbers = _others(_members(samples), np.random.default_rng(seed))
        other = owner[numbers["of"]]
        assert (other != owner[numbers["to"]]).all() and set(other) == set(owner)
        assert sorted(numbers["to"]) == list(range(len(owner)))


def test_superpixels_change_whole_and_their_labelled_pixels_take_from_labelled_ones():
    samples = in_superpixels(make_samples(6))
    owner, labelled = samples.superpixel.flatten().numpy(), (samples.label >= 0).flatten().numpy()
    members = _members(samples)
    members[0] = members[0][0], members[0][1][:0]  # of one polygon, the superpixel holds no other pixel
    numbers = _others(members, np.random.default_rng(0))
    to, of = numbers["to"], numbers["of"]
    assert (owner[to] != owner[of]).all() and len(to) == len(set(to)) == len(owner) - (~labelled[owner == 0]).sum()
    assert (labelled[to] == labelled[of])[owner[of] != 0].all()
    assert labelled[of][owner[of] == 0].all()  # they stand in for the pixels that there are not
    x = _exchanged(samples, 2, 1, numbers).x
    assert torch.equal(x[:, :, 1][..., to], samples.x[:, :, 1][..., of])
    assert torch.equal(x[:, :, [0, 2]], samples.x[:, :, [0, 2]])


def test_a_classifier_of_superpixels_loses_nothing_by_a_constant_channel_and_much_by_the_date_that_matters():
    train, judged = (in_superpixels(make_samples(seed=seed)) for seed in (0, 1))
    for samples in (train, judged):
        samples.x[:, 3] = 0.5
    classifier = Classifier.train("iota2_ctx", {"train": train}, INPUTS, LEGEND, Train())
    table = importance(classifier, judged, DATES, repeats=1).set_index("name")
    assert table.loc["NDVI", ["loss", "low", "high"]].tolist() == [0, 0, 0]
    assert table.loc["2018-08-15", "low"] > 0.3 and table.loc[list(DATES[:2]), "loss"].abs().max() < 0.05
    assert fewest_dates(classifier, judged, DATES)["left_out"].tolist()[-1] != "2018-08-15"


def test_the_fewest_dates_are_those_that_matter(classifier):
    steps = fewest_dates(classifier, make_samples(seed=1), DATES)
    enough = steps[steps["enough"]].iloc[0]
    assert steps["dates"].tolist() == [3, 2, 1] and enough["dates"] < 3 and "2018-08-15" in enough["kept"]
    assert "2018-08-15" not in steps["left_out"].tolist()[:2] and enough["kept"] in sentence(steps)
    assert sentence(steps).startswith(f"{enough['dates']} of 3 dates are enough: ")
    steps["enough"] = steps["dates"] == 3
    assert sentence(steps).startswith("All 3 dates are needed")
    assert (steps["macro_f1"].iloc[0] - steps["macro_f1"]).to_numpy() == pytest.approx(steps["loss"].to_numpy())


def test_what_is_left_out_is_interpolated_and_indices_follow():
    samples = make_samples(4)
    less = without(samples, INPUTS, 1, [0, 1, 2])
    share = (134 - 45) / (226 - 45)
    torch.testing.assert_close(less.x[:, :3, 1], (1 - share) * samples.x[:, :3, 0] + share * samples.x[:, :3, 2])
    assert torch.equal(less.x[:, :3, [0, 2]], samples.x[:, :3, [0, 2]])
    inside = samples.label >= 0
    red, nir, index = (less.x[:, number].movedim(1, -1)[inside] for number in (1, 2, 3))
    torch.testing.assert_close(index, (nir - red) / (nir + red))


def test_one_polygon_alone_cannot_be_exchanged(classifier):
    samples = make_samples(3)
    with pytest.raises(InputError, match="one alone"):
        importance(classifier, replace(samples, polygon=samples.polygon.clamp(max=100)), DATES)


def test_importance_of_a_scene_by_the_command_line(lagoon, lagoon_store, tmp_path):
    words = ("importance", *lagoon, "--preset", "tiny", "--store", lagoon_store, "--repeats", 1, "--out", "out")
    done = paperlib(*words, folder=tmp_path)
    assert done.returncode == 0 and "importance: out/importance.html" in done.stdout, done.stderr
    assert (tmp_path / "out" / "importance.html").read_text().count("<img") == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"importance.html", "importance.csv", "dates.csv"}
