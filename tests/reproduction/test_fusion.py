"""Fusion of streams: each alone at the ends, the weight chosen on validation alone, gains on the test set."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paperlib import Experiment
from paperlib.evaluation import metrics
from paperlib.evaluation.scoring import evaluate
from paperlib.features.samples import Samples
from paperlib.reproduction.studies.fusion import (
    APART,
    AS_ONE,
    WEIGHTS,
    Streams,
    fusion_table,
    gate_table,
    probabilities,
    streams,
    weights_table,
)

WAYS = (APART, AS_ONE)


@pytest.fixture(scope="module")
def run(store) -> Experiment:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERLIB_STORE", str(store))
        yield Experiment("tiny")


@pytest.fixture(scope="module")
def found(run) -> dict[str, Streams]:
    return {way: Streams(run, way) for way in WAYS}


@pytest.fixture(scope="module")
def table(run, found) -> pd.DataFrame:
    return fusion_table(run, found)


def planted(label, temporal, spatiotemporal) -> Streams:
    """Two streams that say this (pixel, class) of validation, whatever becomes of test; every pixel its own polygon."""
    one = Streams.__new__(Streams)
    label = torch.as_tensor(label)[:, None, None]
    polygon = torch.arange(len(label))[:, None, None]
    one.classes = np.shape(temporal)[1]
    one.samples = {"validation": Samples(torch.zeros(len(label), 1, 1, 1, 1), label, polygon, ("B2",))}
    one.temporal, one.spatiotemporal = {"validation": np.array(temporal)}, {"validation": np.array(spatiotemporal)}
    return one


def matrix(counts: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return np.stack([counts[reference == index].sum(0) for index in range(counts.shape[1])])


# -- on a run ----------------------------------------------------------------------------------------------------------


def test_streams_are_the_classifiers_of_the_way(run):
    temporal, spatiotemporal = streams(run, APART)
    both = run.classifier("SpatioTempCNN").model
    first, second = streams(run, AS_ONE)
    for stream, other in (
        (temporal, run.classifier("TempCNN").model), (spatiotemporal, run.classifier("3D-CNN").model),
        (first, both.temporal), (second, both.spatiotemporal),
    ):  # fmt: skip
        one, again = stream.state_dict(), other.state_dict()
        assert list(one) == list(again) and all(torch.equal(one[name], again[name]) for name in one)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", ["validation", "test"])
def test_at_the_ends_each_stream_is_alone(run, found, way, part):
    for weight, model in zip((1, 0), streams(run, way), strict=True):
        expected = evaluate(model, run.trained.normalised[part], device="cpu").confusion
        assert np.array_equal(matrix(*found[way].counts(weight, part)), expected)
        assert found[way].macro_f1(weight, part) == metrics.macro_f1(expected)


def test_trained_apart_the_ends_are_the_scores_of_the_benchmark(run, found):
    for weight, name in ((1, "TempCNN"), (0, "3D-CNN")):
        (counts,), reference = run.trained.polygon_counts(name, "test")
        again, classes = found[APART].counts(weight, "test")
        assert np.array_equal(counts, again) and np.array_equal(reference, classes)


def test_trained_as_one_the_weight_of_training_gives_spatiotempcnn(run, found):
    expected = run.trained.confusions("test", ["SpatioTempCNN"])["SpatioTempCNN"]
    fused = matrix(*found[AS_ONE].counts(run.settings.train.fusion, "test"))
    assert np.abs(fused - expected).sum() <= 2  # a tie may be rounded to either side


@pytest.mark.parametrize("way", WAYS)
def test_probabilities_sum_to_one_in_the_order_of_the_labels(run, found, way):
    """TempCNN takes pixels, yet answers in patches just as well: there the order is plain to see."""
    few = 20  # more than one batch
    for part in ("validation", "test"):
        samples = run.trained.normalised[part]
        labelled = samples.label >= 0
        for model, said in zip(streams(run, way), (found[way].temporal, found[way].spatiotemporal), strict=True):
            assert said[part].shape == (int(labelled.sum()), len(run.legend))
            np.testing.assert_allclose(said[part].sum(1), 1, atol=1e-5)
            with torch.inference_mode():
                whole = torch.cat([model(samples.x[[index]]) for index in range(min(few, len(samples)))])
            expected = whole.softmax(1).permute(0, 2, 3, 1)[model.answered(labelled)[:few]]
            np.testing.assert_allclose(said[part][: len(expected)], expected.numpy(), atol=1e-4)


def test_probabilities_leave_training_mode(run, found):
    model = run.classifier("3D-CNN").model.train()
    np.testing.assert_array_equal(
        probabilities(model, run.trained.normalised["validation"]), found[APART].spatiotemporal["validation"]
    )


@pytest.mark.parametrize("way", WAYS)
def test_best_weight_of_a_run_has_no_regard_for_test(found, way):
    one = found[way]
    scores = {weight: one.macro_f1(weight, "validation") for weight in WEIGHTS}
    best = one.best_weight()
    assert scores[best] == max(scores.values())
    other = Streams.__new__(Streams)
    other.__dict__ = one.__dict__ | {
        name: {"validation": getattr(one, name)["validation"]} for name in ("samples", "temporal", "spatiotemporal")
    }
    assert other.best_weight() == best  # without any test samples
    backwards = np.flip(one.temporal["test"], 1)
    other.samples["test"], other.temporal["test"], other.spatiotemporal["test"] = (
        one.samples["test"], backwards, backwards,
    )  # fmt: skip
    assert other.best_weight() == best and other.macro_f1(0.5, "test") != one.macro_f1(0.5, "test")


def test_weights_frame_goes_from_stream_to_stream(run, found):
    frame = weights_table(found)
    assert list(frame) == ["training", "weight", "macro_f1"]
    for way in WAYS:
        part = frame[frame["training"] == way]
        assert part["weight"].is_monotonic_increasing and set(part["weight"].diff().dropna().round(2)) == {0.05}
        scores = part.set_index("weight")["macro_f1"]
        ends = [
            metrics.macro_f1(evaluate(one, run.trained.normalised["validation"]).confusion) for one in streams(run, way)
        ]
        assert [scores[1.0], scores[0.0]] == ends
        assert scores[found[way].best_weight()] == scores.max()


# -- the table ---------------------------------------------------------------------------------------------------------


def test_the_table_has_every_way_to_fuse(run, found, table):
    assert list(table) == ["training", "fusion", "weight", "validation", "test", "gain", "gain_low", "gain_high"]
    four = ["temporal stream", "spatio-temporal stream", "set by hand", "chosen on validation"]
    expected = [(way, fusion) for way in WAYS for fusion in four]
    assert list(table[["training", "fusion"]].itertuples(index=False, name=None)) == expected
    weights = table.set_index(["training", "fusion"])["weight"]
    for way in WAYS:
        assert weights[way].tolist()[:3] == [1, 0, run.settings.train.fusion]
        assert weights[way, "chosen on validation"] == found[way].best_weight()


def test_scores_of_the_table_are_those_of_its_sets(run, found, table):
    for row in table.itertuples():
        for part, score in (("validation", row.validation), ("test", row.test)):
            assert score == metrics.macro_f1(matrix(*found[row.training].counts(row.weight, part)))


def test_gains_are_differences_on_test_to_the_stream_better_on_validation(run, table):
    rows = table.set_index(["training", "fusion"])
    for way in WAYS:
        alone = rows.loc[[(way, "temporal stream"), (way, "spatio-temporal stream")]]
        assert alone[["gain", "gain_low", "gain_high"]].isna().all(axis=None)
        single = alone["test"].iloc[alone["validation"].to_numpy().argmax()]
        fused = rows.loc[[(way, "set by hand"), (way, "chosen on validation")]]
        assert fused["gain"].to_numpy() == pytest.approx(fused["test"].to_numpy() - single)
    gains = rows.dropna(subset="gain")
    assert len(gains) == 4 and (gains["gain_low"] <= gains["gain_high"]).all()
    assert (gains["gain_high"] - gains["gain_low"] < 0.6).all()


def test_a_gate_is_compared_with_the_weight_by_hand_and_the_better_stream(run):
    table = gate_table(run).set_index("fusion")
    scores = run.trainings(["TempCNN", "3D-CNN", "SpatioTempCNN", "SpatioTempCNN-gated"]).groupby("model")
    validation, test = (scores[f"macro_f1_{part}"].mean() for part in ("validation", "test"))
    for title, name in {"learned gate": "SpatioTempCNN-gated", "set by hand": "SpatioTempCNN"}.items():
        assert table.loc[title, ["validation", "test"]].tolist() == pytest.approx([validation[name], test[name]])
    single = validation[["TempCNN", "3D-CNN"]].idxmax()
    for other, name in (("set by hand", "SpatioTempCNN"), (single, single)):
        gain = table.loc[f"learned gate minus {other}"]
        assert gain["test"] == pytest.approx(test["SpatioTempCNN-gated"] - test[name])
        assert gain["low"] <= gain["test"] <= gain["high"] and np.isnan(gain["validation"])
    assert len(table) == 6


def test_the_single_stream_is_chosen_on_validation_also_where_test_disagrees(run, found):
    """Where both sets prefer the same stream, they disagree once the answers on validation are exchanged."""
    one = found[APART]
    other = Streams.__new__(Streams)
    other.__dict__ = one.__dict__ | {
        "temporal": one.temporal | {"validation": one.spatiotemporal["validation"]},
        "spatiotemporal": one.spatiotemporal | {"validation": one.temporal["validation"]},
    }
    disagreed = []
    for each in (one, other):
        rows = fusion_table(run, {APART: each}).set_index("fusion")
        alone = rows.loc[["temporal stream", "spatio-temporal stream"]]
        chosen = alone["validation"].idxmax()
        assert rows.loc["set by hand", "gain"] == pytest.approx(rows.loc["set by hand", "test"] - alone["test"][chosen])
        disagreed.append(chosen != alone["test"].idxmax())
    assert any(disagreed)


# -- planted streams ---------------------------------------------------------------------------------------------------


def test_a_weight_is_found_where_both_streams_are_needed():
    """Half of the pixels need a temporal weight above 0.2, the other half one below 1/3: of 0.25 and 0.3 the latter."""
    label = np.array([0, 1] * 20)
    right = np.repeat([[0.9, 0.3], [0.4, 0.6]], 20, axis=1)  # what each stream gives the true class
    said = [np.where(np.arange(2) == label[:, None], one[:, None], 1 - one[:, None]) for one in right]
    one = planted(label, *said)
    assert one.best_weight() == 0.3 and one.macro_f1(0.3, "validation") == 1
    assert one.macro_f1(0, "validation") == one.macro_f1(1, "validation") == pytest.approx(0.5)
    assert planted(label, *said[::-1]).best_weight() == 0.7


def test_of_equal_weights_the_one_in_the_middle():
    said = np.eye(3)[[0, 1, 2]]
    assert planted([0, 1, 2], said, said).best_weight() == 0.5


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_best_weight_is_the_best_of_all(seed):
    random = np.random.default_rng(seed)
    label = np.concatenate([np.arange(3), random.integers(0, 3, 30)])
    said = random.dirichlet(np.ones(3), (2, len(label)))
    one = planted(label, *said)
    scores = []
    for weight in WEIGHTS:
        predicted = (weight * said[0] + (1 - weight) * said[1]).argmax(1)
        scores.append(metrics.macro_f1(metrics.confusion(label, predicted, 3)))
        assert one.macro_f1(weight, "validation") == pytest.approx(scores[-1])
    best = WEIGHTS[np.isclose(scores, max(scores))]
    assert one.best_weight() == best[np.abs(best - 0.5).argmin()]
