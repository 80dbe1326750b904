"""The networks: printed sizes, the contract, and what each can see."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from paperlib import models
from paperlib.errors import InputError
from paperlib.models import registry
from paperlib.models.blocks import Dropout
from paperlib.models.contract import Model
from paperlib.models.tempcnn import SERIES
from paperlib.reproduction import paper

COUNTS = {"TempCNN": 493_096, "3D-CNN": 378_984, "2D-CNN": 463_400, "SpatioTempCNN": 867_120}
ALL = (*models.NAMES, *models.VARIANTS, "L-TAE", "U-TAE")


def build(name, channels=13, dates=11, classes=8, **choice):
    torch.manual_seed(0)
    return models.build(name, channels, dates, classes, **choice).eval()


@pytest.mark.parametrize("name", models.NAMES)
def test_parameters_round_to_table_4(name):
    count = sum(weight.numel() for weight in build(name).parameters())
    assert count == COUNTS[name]
    assert round(count / 1000) == paper.TABLE_4_PARAMETERS[paper.MODELS.index(name)]


@pytest.mark.parametrize(("name", "count"), [("TempCNN-2019", 228_744), ("U-TAE", 214_344)])
def test_others_have_the_counts_that_they_state(name, count):
    assert sum(weight.numel() for weight in build(name).parameters()) == count


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(13, 11, 8), (10, 1, 2), (4, 7, 5)])
def test_contract_for_any_channels_dates_classes(name, shape):
    channels, dates, classes = shape
    model = build(name, channels, dates, classes)
    x = torch.randn(2, channels, dates, 6 + 2 * model.halo, 5 + 2 * model.halo)
    assert model(x).shape == (2, classes, 6, 5)
    assert model.answered(x).shape == (2, channels, dates, 6, 5)


def reach(model, size=21) -> int:
    """Side of the square of input pixels that really change the central answer, by gradient."""
    x = torch.randn(1, 13, 11, size, size, requires_grad=True)
    middle = size // 2 - model.halo
    model(x)[0, :, middle, middle].square().sum().backward()
    touched = x.grad.abs().sum((0, 1, 2)) > 0
    return int(touched.any(0).sum())


@pytest.mark.parametrize("name", ALL)
def test_stated_receptive_field_is_the_real_one(name):
    model = build(name)
    assert reach(model) == model.receptive_field == 2 * model.halo + 1


def test_tempcnn_ignores_neighbours_and_keeps_their_order():
    model, x = build("TempCNN"), torch.randn(1, 13, 11, 4, SERIES // 4 + 5)  # more than it classifies at once
    whole = model(x)
    for y, column in ((0, 0), (3, 1), (2, 4), (3, SERIES // 4 - 11), (3, SERIES // 4 + 4)):
        alone = model(x[..., y : y + 1, column : column + 1])
        torch.testing.assert_close(whole[..., y, column], alone[..., 0, 0])


@pytest.mark.parametrize("name", ALL)
def test_a_crop_with_its_halo_answers_as_the_whole(name):
    model = build(name)
    x = torch.randn(1, 13, 11, 24, 24)
    part = slice(5, 11 + 2 * model.halo)
    torch.testing.assert_close(model(x[..., part, part]), model(x)[..., 5:11, 5:11], rtol=1e-4, atol=1e-5)


def test_fusion_weights_the_probabilities_of_the_streams():
    x = torch.randn(1, 13, 11, 11, 11)
    model = build("SpatioTempCNN", fusion=0.3)
    temporal, spatial = model.temporal(model.answered(x)).softmax(1), model.spatiotemporal(x).softmax(1)
    torch.testing.assert_close(model(x).softmax(1), 0.3 * temporal + 0.7 * spatial)
    for weight, stream in ((1.0, temporal), (0.0, spatial)):
        model.fusion = weight
        out = model(x)
        torch.testing.assert_close(out.softmax(1), stream)
        out.square().mean().backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("name", ALL)
def test_answers_where_wanted_are_those_of_the_whole(name):
    model = build(name)
    x = torch.randn(2, 13, 11, 6 + 2 * model.halo, 5 + 2 * model.halo)
    where = torch.rand(2, 6, 5, generator=torch.Generator().manual_seed(0)) < 0.3
    wanted, whole = (logits.permute(0, 2, 3, 1)[where] for logits in (model(x, where=where), model(x)))
    torch.testing.assert_close(wanted, whole)


def test_gate_weighs_the_streams_pixel_by_pixel_and_learns():
    model, x = build("SpatioTempCNN-gated"), torch.randn(1, 13, 11, 11, 11)
    (temporal, one), (spatial, other) = model.temporal.streams(model.answered(x)), model.spatiotemporal.streams(x)
    weight = model.gate(torch.cat([temporal, spatial], dim=1)).sigmoid()
    assert weight.std() > 0 and (weight > 0).all() and (weight < 1).all()
    out = model(x)
    torch.testing.assert_close(out.softmax(1), weight * one.softmax(1) + (1 - weight) * other.softmax(1))
    torch.nn.functional.cross_entropy(out, torch.ones(1, 5, 5, dtype=torch.long)).backward()
    assert all(part.grad.abs().sum() > 0 for part in model.gate.parameters())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("3DCNN", 13, 11, 8), "did you mean '3D-CNN'"),
        (("TempCNN", 13, 0, 8), "0 dates"),
        (("TempCNN", 13, 11, 1), "1 classes"),
        (("SpatioTempCNN", 13, 11, 8, 0.1, 1.5), "fusion = 1.5"),
    ],
)
def test_impossible_networks_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        models.build(*arguments)


class Own(Model):
    """A network of somebody's own, which states that it sees 3 x 3 pixels."""

    receptive_field = 3

    def __init__(self, channels, dates, classes, layers=1, padding=(1, 0, 0)):
        super().__init__()
        widths = [channels, *[classes] * layers]
        self.layers = nn.Sequential(*[nn.Conv3d(one, other, 3, padding=padding) for one, other in pairwise(widths)])

    def forward(self, x, where=None, superpixel=None):
        return self.layers(x).mean(2)


@pytest.mark.parametrize(
    ("change", "refused"),
    [({}, False), ({"padding": (1, 1, 1)}, True), ({"layers": 2}, True), ({"layers": 2, "padding": (1, 1, 1)}, True)],
)
def test_a_network_of_ones_own_that_pads_in_space_or_sees_further_is_refused(change, refused, monkeypatch):
    class Changed(Own):
        def __init__(self, *sizes):
            super().__init__(*sizes, **change)

    monkeypatch.setitem(registry.ADDED, "Own", Changed)
    if not refused:
        assert models.build("Own", 13, 11, 8).training
        return
    with pytest.raises(InputError, match=r"Own states a receptive field of 3.*of a patch of 19") as error:
        models.build("Own", 13, 11, 8)
    assert error.value.kind == "models.padding" and "Pad along dates alone" in error.value.fix


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("p", [0.1, 0.5])
def test_dropout_drops_each_value_for_itself(layout, p):
    torch.manual_seed(0)
    layer, x = Dropout(p).train(), torch.rand(4, 16, 101, 53).add_(1).contiguous(memory_format=layout).requires_grad_()
    out = layer(x)
    kept = out != 0
    assert out.is_contiguous(memory_format=layout)
    assert kept.float().mean().item() == pytest.approx(1 - p, abs=0.003)
    torch.testing.assert_close(out[kept], x[kept] / (1 - p))
    out.sum().backward()
    torch.testing.assert_close(x.grad, kept / (1 - p))
    stored = kept.permute(0, 2, 3, 1) if layout == torch.channels_last else kept  # as they lie in memory
    stored = stored.flatten().numpy().astype(float)
    for lag in (1, 2, 3, 4, 5, 8, 16, 64):
        assert abs(np.corrcoef(stored[:-lag], stored[lag:])[0, 1]) < 0.01, lag


@given(st.tuples(*[st.integers(1, 7)] * 5), st.integers(0, 2**31))
def test_dropout_repeats_with_its_seed_and_leaves_evaluation_alone(shape, seed):
    layer, x = Dropout(0.5), torch.ones(shape)
    torch.manual_seed(seed)
    first, second = layer(x), layer(x)
    torch.manual_seed(seed)
    assert torch.equal(layer(x), first) and set(first.unique().tolist()) <= {0, 2}
    assert first.numel() < 64 or not torch.equal(first, second)
    assert layer.eval()(x) is x
