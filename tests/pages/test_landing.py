"""The first page: its sentences hold the numbers of the run, and its picture shows scene and map of one place."""

import base64
import io
import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from paperlib.evaluation import metrics
from paperlib.models.registry import CLASSIFIERS, FORESTS
from paperlib.pages import landing

MODEL = "iota2_base"


@pytest.fixture(scope="module")
def found(filled_store, run):
    return landing.findings(run, MODEL)


def test_the_best_model_has_the_highest_test_score_within_its_interval(found, run):
    scores = run.trainings().groupby("model")["macro_f1_test"].mean()
    assert found["best"] == scores.idxmax()
    assert found["best_f1"] == pytest.approx(scores.max(), abs=1e-6)
    assert found["best_low"] < found["best_f1"] < found["best_high"]


def test_the_best_network_is_compared_with_the_best_forest(found, run):
    scores = run.trainings().groupby("model")["macro_f1_test"].mean()
    assert found["forest"] == scores[list(FORESTS)].idxmax()
    assert found["network"] == scores.drop(list(FORESTS)).idxmax()
    assert {found["better"], found["worse"]} == {found["forest"], found["network"]}
    assert found["difference"] == pytest.approx(scores[found["better"]] - scores[found["worse"]], abs=1e-6)
    settled = found["difference_low"] > 0
    assert ("settled" in found["settled_or_not"]) == settled
    assert found["pairs"] == len(CLASSIFIERS) * (len(CLASSIFIERS) - 1) / 2 and 0 <= found["settled"] <= found["pairs"]


def test_the_accuracy_of_the_map_is_that_of_its_test_pixels_weighted_by_area(found, run):
    counts, reference = run.trained.chosen_counts("test")
    confusion = np.zeros((len(run.legend),) * 2)
    np.add.at(confusion, reference, counts[MODEL])
    assert found["map_model"] == MODEL
    assert abs(found["overall"] - metrics.overall_accuracy(confusion)) < 0.3 and 0 < found["half_width"] < 0.5


def test_the_most_frequent_error_is_the_largest_share_off_the_diagonal(found, run):
    assert landing._most_frequent_error(np.array([[90, 10, 0], [3, 5, 2], [0, 0, 0]])) == (1, 0, 0.3)
    confusion = run.trained.confusions("test", [MODEL])[MODEL]
    names = [cover.name for cover in run.legend]
    row = confusion[names.index(found["missed"])]
    assert found["missed"] != found["taken"]
    assert found["taken_share"] == pytest.approx(100 * row[names.index(found["taken"])] / row.sum())


def test_speckle_is_compared_over_all_maps(found):
    assert 0 <= found["specks_least"] <= found["specks_most"] <= 100
    assert {found["least"], found["most"]} <= set(CLASSIFIERS)


def test_the_picture_shows_the_scene_and_the_map_of_one_place(filled_store, run):
    html = landing.swipe(run, MODEL)
    image, drawn = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(uri))).convert("RGB"))
        for uri in re.findall(r'src="data:image/webp;base64,([^"]+)"', html)
    )
    assert image.shape == drawn.shape
    codes = run.class_map(MODEL).sortby("y", ascending=False).values
    times = drawn.shape[0] // codes.shape[0]
    colours = {cover.code: (255 * np.array(to_rgb(cover.colour))).round() for cover in run.legend}
    wanted = np.array([[colours[code] for code in row] for row in codes])
    assert np.abs(drawn[times // 2 :: times, times // 2 :: times] - wanted).mean() < 3  # compressed with some loss
    assert html.count("<i style") == len(np.unique(codes)) and 'type="range"' in html
