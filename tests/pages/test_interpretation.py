"""Points answered from the truth, and the truth beside what is estimated from them."""

import numpy as np
import pytest

from paperlib.accuracy import design, report
from paperlib.mapping.class_map import ClassMap
from paperlib.pages import interpretation

MODEL = "iota2_base"


@pytest.fixture(scope="module")
def class_map(filled_store, run) -> ClassMap:
    return ClassMap.open(run.map(MODEL))


def test_answers_are_the_truth_at_the_points(run, class_map):
    points = design.draw(class_map, 60, seed=3)
    found = interpretation.answers(run, points)
    places = design.locations(points, class_map).set_index("id")
    for number, answer in found.items():
        place = places.geometry[number]
        assert answer == str(run.truth.sel(x=place.x, y=place.y, method="nearest").item())


def test_points_on_every_pixel_give_the_truth_itself(run, class_map):
    """A sample of a good part of the map lies close to what all of its pixels say."""
    points = design.draw(class_map, 8000, seed=1)
    assessed = report.assess(class_map, interpretation.answers(run, points), points, new_classes=True)
    table = interpretation.beside_truth(run, MODEL, assessed)
    codes, truth = run.class_map(MODEL).values, run.truth.values
    assert table["truth"][0] == pytest.approx((codes == truth)[codes > 0].mean())
    known = table.dropna(subset=["estimate", "truth"])
    shares = known[known["score"] != "area (ha)"]
    assert np.abs(shares["estimate"] - shares["truth"]).max() < 0.05
    areas = known[known["score"] == "area (ha)"].set_index("class")
    for cover in run.legend:
        assert areas.loc[cover.name, "truth"] == pytest.approx((truth == cover.code)[codes > 0].sum() / 100)
        assert areas.loc[cover.name, "estimate"] == pytest.approx(areas.loc[cover.name, "truth"], rel=0.15, abs=1)
    assert set(table["held"]) <= {"yes", "no", "–"} and (table["held"] == "yes").mean() > 0.7
