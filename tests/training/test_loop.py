"""The loop: only labelled pixels count, the best epoch is kept, seeds decide, all samples take part."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from paperlib import models
from paperlib.errors import InputError
from paperlib.evaluation.scoring import evaluate
from paperlib.features.samples import Samples
from paperlib.settings import Train
from paperlib.training import averaging, loop
from paperlib.training.averaging import Average
from paperlib.training.loop import learning_rate, masked_loss, train
from support.samples import with_margin

QUICK = Train(epochs=3, patience=5, patches=4, dropout=0.0)


def make(number=12, size=5, seed=0, classes=3) -> Samples:
    """Patches whose class is the channel that is high; a third of the inner pixels is labelled."""
    random = torch.Generator().manual_seed(seed)
    kind = torch.arange(number) % classes
    x = 0.3 * torch.randn(number, 4, 3, size, size, generator=random)
    x[torch.arange(number), kind] += 1.0
    label = torch.where(torch.rand(number, size, size, generator=random) < 0.34, kind[:, None, None], -1)
    label[:, 0, 0] = kind
    polygon = torch.where(label >= 0, torch.arange(number)[:, None, None], -1)
    return with_margin(Samples(x, label, polygon, ("B2", "B3", "B4", "B8")))


def build(name="2D-CNN", seed=0):
    torch.manual_seed(seed)
    return models.build(name, channels=4, dates=3, classes=3, dropout=0.0)


def test_unlabelled_pixels_change_neither_loss_nor_score():
    samples, model = make(), build().eval()
    logits = model(samples.x)
    label = model.answered(samples.label)
    noise = torch.where(label[:, None] >= 0, 0.0, 5 * torch.randn_like(logits))
    torch.testing.assert_close(masked_loss(logits + noise, label), masked_loss(logits, label))

    result = evaluate(model, samples)
    assert result.confusion.sum() == (samples.label >= 0).sum()
    unlabelled = torch.full((3, *samples.label.shape[1:]), -1)
    blank = replace(samples, x=torch.cat([samples.x, torch.randn(3, *samples.x.shape[1:])]),
                    label=torch.cat([samples.label, unlabelled]),
                    polygon=torch.cat([samples.polygon, unlabelled]))  # fmt: skip
    again = evaluate(model, blank)
    assert np.array_equal(again.confusion, result.confusion) and again.loss == pytest.approx(result.loss, rel=1e-5)


@pytest.mark.parametrize("name", models.NAMES)
def test_one_batch_can_be_overfitted(name):
    samples = make(number=6)
    samples = replace(samples, x=torch.randn(samples.x.shape, generator=torch.Generator().manual_seed(3)))
    done = train(build(name), samples, samples, replace(QUICK, epochs=40, patience=40, patches=6), seed=1)
    assert done.history["macro_f1"].max() > 0.97  # random input: nothing to learn but the samples themselves


def test_same_seed_same_result_other_seed_another():
    runs = [train(build(), make(), make(seed=9), QUICK, seed=seed) for seed in (3, 3, 4)]
    first, second, third = (run.model.state_dict() for run in runs)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not all(torch.equal(first[key], third[key]) for key in first)
    same = [run.history.drop(columns="seconds") for run in runs]
    assert same[0].equals(same[1])


def test_the_weights_kept_are_those_of_the_best_epoch():
    """With a learning rate that makes scores jump, the last epoch is not the best and must not be kept."""
    wild = replace(QUICK, epochs=12, patience=12, learning_rate=0.3)
    validation = make(seed=9)
    for seed in range(20):
        done = train(build(), make(), validation, wild, seed=seed)
        scores = done.history["macro_f1"]
        assert done.best_epoch == scores.idxmax() + 1
        again = evaluate(done.model, validation, mixed=True)  # in the precision of training
        assert np.array_equal(again.confusion, done.confusions[done.best_epoch - 1])
        if scores.iloc[-1] < scores.max():
            return
    pytest.fail("no training ended worse than its best epoch: the test shows nothing")


def test_stops_after_patience_epochs_without_a_rise():
    done = train(build(), make(), make(seed=9), replace(QUICK, epochs=50, patience=2, learning_rate=1e-12))
    assert len(done.history) == done.best_epoch + 2


@pytest.mark.parametrize("name", ["TempCNN", "2D-CNN"])
@pytest.mark.parametrize("number", [4, 5, 9])
def test_no_sample_is_dropped_and_no_batch_of_one_breaks(name, number, monkeypatch):
    seen = []
    model = build(name)
    forward = model.forward

    def watched(x, where=None, superpixel=None):
        seen.extend([len(x)] if model.training else [])
        return forward(x, where)

    monkeypatch.setattr(model, "forward", watched)
    samples = make(number)
    train(model, samples, samples, replace(QUICK, epochs=1), oversampling=False)
    expected = int((samples.label >= 0).sum()) if name == "TempCNN" else number
    assert sum(seen) == expected and min(seen) > 1


@pytest.mark.parametrize("name", models.NAMES)
@pytest.mark.parametrize("number", [3, 4, 5, 7])
def test_samples_of_one_pixel_never_come_alone(name, number):
    samples = make(number, size=1)
    for patches in (1, 2, 3):
        train(build(name), samples, samples, replace(QUICK, epochs=1, patches=patches), False)


def test_pixels_take_as_many_steps_as_their_patches_would(monkeypatch):
    """Also where a polygon is wider than a patch and has several."""
    samples = make(number=24)
    samples = replace(samples, polygon=torch.where(samples.label >= 0, torch.arange(24)[:, None, None] // 12, -1))
    steps = {}
    for name in ("TempCNN", "2D-CNN"):
        seen, model = [], build(name)
        model.register_forward_hook(lambda module, x, y, seen=seen: seen.append(1) if module.training else None)
        train(model, samples, samples, replace(QUICK, epochs=1), oversampling=False)
        steps[name] = len(seen)
    assert steps["2D-CNN"] == 6 and abs(steps["TempCNN"] - 6) <= 1


@pytest.mark.parametrize("oversampling", [True, False])
def test_a_training_patch_without_labels_is_passed_over(oversampling):
    samples = make()
    samples.label[[1, 5]] = -1
    done = train(build(), samples, make(seed=9), replace(QUICK, patches=1), oversampling)
    assert done.history["training_loss"].notna().all()


def test_history_records_every_epoch():
    done = train(build(), make(), make(seed=9), QUICK)
    assert done.history["epoch"].tolist() == [1, 2, 3] and done.confusions.shape == (3, 3, 3)
    assert {"seconds", "training_loss", "loss", "oa", "macro_f1", "f1_0", "f1_2"} <= set(done.history)


def test_each_epoch_is_reported_and_nothing_is_printed(capsys):
    rows = []
    done = train(build(), make(), make(seed=9), QUICK, progress=rows.append)
    assert capsys.readouterr() == ("", "")
    assert pd.DataFrame(rows).equals(done.history)


def test_a_training_uses_one_thread_whatever_the_process_uses():
    """Threads add in another order: the weights of a seed would depend on the number of processors."""
    before, threads, weights = torch.get_num_threads(), [], []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            done = train(
                build(), make(), make(seed=9), QUICK, progress=lambda _: threads.append(torch.get_num_threads())
            )
            weights.append(done.model.state_dict())
            assert torch.get_num_threads() == number  # as before
    finally:
        torch.set_num_threads(before)
    assert set(threads) == {1}
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize("name", models.NAMES)
def test_nothing_to_evaluate_against_is_named(name):
    samples = make()
    with pytest.raises(InputError, match="No evaluation pixel is labelled"):
        evaluate(build(name), replace(samples, label=torch.full_like(samples.label, -1)))


@pytest.mark.parametrize("empty", ["training", "validation"])
def test_a_set_without_labels_is_named(empty):
    sets = {"training": make(), "validation": make(seed=9)}
    sets[empty] = replace(sets[empty], label=torch.full_like(sets[empty].label, -1))
    with pytest.raises(InputError, match=f"No {empty} pixel is labelled"):
        train(build(), **sets, settings=QUICK)


@pytest.mark.fault(
    "a loss that is no number", "the training ends with an error that says what to lower", "the training"
)
def test_a_loss_that_is_no_number_is_named():
    samples = make()
    samples.x[0] = float("inf")
    with pytest.raises(InputError, match=r"epoch 1\. Lower train\.learning_rate"):
        train(build(), samples, make(seed=9), QUICK)


def test_the_learning_rate_rises_and_falls_to_nothing():
    rates = learning_rate(np.linspace(0, 1, 101))
    assert rates.argmax() == pytest.approx(10, abs=2) and rates.max() > 0.95
    assert (np.diff(rates[12:]) < 0).all() and rates[-1] == pytest.approx(0) and 0 < rates[0] < 0.15


def test_weights_are_averaged_over_a_share_of_the_steps():
    model = torch.nn.BatchNorm1d(2)
    averaged, expected = Average(model, 0.5), None
    averaged.begin(40)  # a horizon of 20 steps
    for step in range(300):
        with torch.no_grad():
            model.weight.fill_(step % 7)
        model(torch.full((3, 2), float(step)) + torch.arange(3.0)[:, None])
        weight = max(1 / 20, 10 / (10 + step))
        now = torch.stack([model.weight[0].detach(), model.running_mean[0]]).clone()
        expected = now if expected is None else expected + weight * (now - expected)
        averaged.update_parameters(model)
    found = torch.stack([averaged.module.weight[0], averaged.module.running_mean[0]]).detach()
    torch.testing.assert_close(found, expected)
    assert abs(found[0] - 3) < 0.5  # the mean of 0 to 6


def test_a_mean_over_no_more_than_a_step_is_the_training_itself():
    samples, choice = make(), replace(QUICK, average=1e-9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(averaging, "EARLY", 0)
        one = train(build(), samples, make(seed=1), choice, seed=2)
    other = train(build(), samples, make(seed=1), QUICK, seed=2)
    pd.testing.assert_frame_equal(one.history.drop(columns="seconds"), other.history.drop(columns="seconds"))
    for first, second in zip(one.model.state_dict().values(), other.model.state_dict().values(), strict=True):
        torch.testing.assert_close(first, second)
    mean = train(build(), samples, make(seed=1), replace(QUICK, average=0.1), seed=2)
    assert not torch.equal(mean.model.state_dict()["head.0.weight"], other.model.state_dict()["head.0.weight"])


def test_a_mean_does_not_end_a_training():
    scores = iter([0.9, 0.5, 0.5, 0.5, 0.5, 0.5])  # best in the first epoch, whose mean is kept
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.metrics, "macro_f1", lambda confusion: next(scores))
        found = train(build(), make(), make(seed=1), replace(QUICK, epochs=6, patience=2, average=0.1), seed=2)
    assert len(found.history) == 6 and found.best_epoch == 1


def test_a_stopped_training_goes_on_with_its_mean(tmp_path):
    samples, choice = make(), replace(QUICK, average=0.1)
    whole = train(build(), samples, make(seed=1), choice, seed=2)
    state = tmp_path / "state.safetensors"

    def stop(row: dict) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(build(), samples, make(seed=1), choice, seed=2, progress=stop, state=state)
    again = train(build(), samples, make(seed=1), choice, seed=2, state=state)
    for first, second in zip(whole.model.state_dict().values(), again.model.state_dict().values(), strict=True):
        assert torch.equal(first, second)
