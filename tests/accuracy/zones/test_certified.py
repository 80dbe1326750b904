"""A certified zone equals that of the reference program, and false certificates are as rare as promised."""

import json

import numpy as np
import pandas as pd
import pytest

from paperlib.accuracy.zones.certified import certify, zones_by_confidence, zones_by_rank
from paperlib.errors import InputError

COVERAGES = tuple(np.arange(2, 21) / 20)


@pytest.mark.parametrize(("procedure", "key"), [("sequence", "prefix"), ("bonferroni", "bonferroni")])
def test_a_zone_equals_the_reference(shared_data, procedure, key):
    case = json.loads((shared_data / "oracles" / "mapaccuracy.json").read_text())["certified_zone"]
    tables = zones_by_rank(np.array(case["confidence"]), case["labelled"], case["wrong"], COVERAGES)
    zone = certify(*tables, error=case["alpha"], risk=case["delta"], procedure=procedure)
    wanted = np.array(case[key]["levels"], float)
    assert zone.units == case[key]["n_zone"] and zone.coverage == pytest.approx(case[key]["coverage"])
    assert zone.upper == pytest.approx(case[key]["upper_bound"], abs=1e-9)
    np.testing.assert_allclose(zone.levels.drop(columns="accepted").to_numpy(float), wanted[:, :4], rtol=1e-9)
    np.testing.assert_array_equal(zone.levels["accepted"], wanted[:, 5])


def test_too_few_labels_are_refused():
    tables = zones_by_rank(np.linspace(1, 0, 1000), np.arange(0, 1000, 50), np.zeros(20, bool), COVERAGES)
    with pytest.raises(InputError, match=r"20 labelled points do not suffice .* about 29 are needed") as error:
        certify(*tables, error=0.1, risk=0.05)
    assert error.value.kind == "accuracy.zone"


@pytest.mark.parametrize("strata", [1, 2])
def test_false_certificates_are_rare(strata):
    """A zone that is wrong in just more than the error allowed must be certified in at most 5 % of the samples."""
    generator, false = np.random.default_rng(strata), 0
    confidence = generator.integers(50, 101, 20_000)
    stratum = generator.integers(0, strata, 20_000)
    wrong = generator.random(20_000) < 0.11 + (100 - confidence) / 500
    pixels = np.zeros((101, strata), int)
    np.add.at(pixels, (confidence, stratum), 1)
    for _ in range(200):
        chosen = np.concatenate(
            [generator.choice(np.flatnonzero(stratum == number), 150, replace=False) for number in range(strata)]
        )
        points = pd.DataFrame({"confidence": confidence, "stratum": stratum, "wrong": wrong}).iloc[chosen]
        least, *tables = zones_by_confidence(pixels, points)
        zone = certify(*tables, error=0.1, risk=0.05)
        if zone.number >= 0:
            inside = confidence >= least[zone.number]
            assert inside.sum() == zone.units
            false += wrong[inside].mean() > 0.1
    assert false <= 0.05 * 200 + 2 * np.sqrt(0.05 * 0.95 * 200)
    assert strata > 1 or false > 0  # else the test would pass for a method that never certifies


def test_a_good_map_is_certified_whole():
    generator = np.random.default_rng(0)
    confidence = generator.integers(0, 101, 5000)
    points = pd.DataFrame({"confidence": confidence[:300], "stratum": 0, "wrong": False})
    pixels = np.bincount(confidence, minlength=101)[:, None]
    least, *tables = zones_by_confidence(pixels, points)
    zone = certify(*tables, error=0.05)
    assert zone.coverage == 1 and least[zone.number] == confidence.min() and zone.upper < 0.02
