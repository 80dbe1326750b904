"""Rewritten networks are the same functions."""

import pytest
import torch

from paperlib import models
from paperlib.mapping import folding
from paperlib.mapping.folding import AllDates, CloseCalls, fold, mix
from paperlib.mapping.inference import predict
from paperlib.models.ensemble import Ensemble

NETWORKS = (*models.NAMES, *models.VARIANTS, "L-TAE", "U-TAE")
NORMS = torch.nn.BatchNorm1d | torch.nn.BatchNorm2d | torch.nn.BatchNorm3d


def learned(name: str) -> torch.nn.Module:
    """A network whose BatchNorm has statistics of its own."""
    torch.manual_seed(1)
    model = models.build(name, channels=13, dates=11, classes=8).train()
    for _ in range(3):
        model(torch.rand(4, 13, 11, 12, 12) + torch.randn(1, 13, 1, 1, 1))
    return model.eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_folded_network_is_the_same_function(name):
    model, x = learned(name), torch.rand(2, 13, 11, 12, 12)
    folded = fold(model)
    kinds = {type(module) for module in folded.modules()}
    assert not kinds & {torch.nn.BatchNorm2d, torch.nn.BatchNorm3d, torch.nn.Dropout}
    assert any(isinstance(module, NORMS) for module in model.modules())
    left = [path for path, module in folded.named_modules() if isinstance(module, NORMS)]
    assert left == (["head.0"] if name == "U-TAE" else [])  # it follows no layer that could take it in
    with torch.inference_mode():
        torch.testing.assert_close(folded(x), model(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", models.NAMES)
def test_first_and_last_layers_stay_in_float32(name):
    seen = {}
    mixed = mix(fold(learned(name)))
    assert isinstance(mixed, CloseCalls) == (name == "TempCNN")
    mixed = getattr(mixed, "mixed", mixed)  # without what float32 decides
    for path, module in mixed.named_modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Conv3d):
            module.register_forward_hook(lambda module, x, y, path=path: seen.update({path: y.dtype}))
    predict(mixed, torch.rand(1, 13, 11, 10, 10), None, mixed=True)
    kept = {path for path, kind in seen.items() if kind == torch.float32}
    streams = 2 if name == "SpatioTempCNN" else 1
    assert len(kept) == 2 * streams and all("convolutions.0" in path or "head" in path for path in kept)
    assert len(seen) > len(kept)


@pytest.mark.parametrize("name", ["TempCNN", "L-TAE"])
def test_float32_decides_between_classes_that_are_close(name, monkeypatch):
    model, x = fold(learned(name)), torch.rand(1, 13, 11, 64, 64)
    with torch.inference_mode():
        model.head[-1].bias -= model(x).mean((0, 2, 3))  # so that all classes are predicted
        close = mix(model)
        with torch.autocast("cpu", torch.bfloat16):
            rounding = (close.mixed(x).float() - model(x)).abs().max()
    monkeypatch.setattr(folding, "CLOSE", float(2 * rounding))  # classes further apart cannot change
    exact, rounded = predict(model, x, None, mixed=False), predict(close.mixed, x, None, mixed=True)
    assert not torch.equal(exact[0], rounded[0])
    found = predict(close, x, None, mixed=True)
    assert torch.equal(exact[0], found[0])
    kept = found[1] == rounded[1]
    assert 0 < kept.float().mean() < 1  # some are classified once
    torch.testing.assert_close(found[1][~kept], exact[1][~kept])
    monkeypatch.setattr(folding, "CLOSE", 0.0)  # none is classified twice
    assert torch.equal(predict(close, x, None, mixed=True)[0], rounded[0])


def test_an_ensemble_has_no_close_calls():
    ensemble = Ensemble([learned("TempCNN"), learned("L-TAE")], (1.0, 1.0))
    assert not isinstance(mix(fold(ensemble)), CloseCalls)


def test_all_dates_at_once_are_the_convolution():
    layer = torch.nn.Conv2d(16, 12, (11, 1))
    series = torch.rand(2, 16, 11, 50)
    with torch.inference_mode():
        for x in (series, series.contiguous(memory_format=torch.channels_last), series[:, :, :, ::3]):
            torch.testing.assert_close(AllDates(layer)(x), layer(x), rtol=1e-5, atol=1e-5)


def test_only_the_layer_over_all_dates_is_replaced():
    replaced = {
        name: [path for path, module in fold(learned(name)).named_modules() if isinstance(module, AllDates)]
        for name in models.NAMES
    }
    assert replaced == {
        "TempCNN": ["head.0"], "3D-CNN": [], "2D-CNN": [], "SpatioTempCNN": ["temporal.head.0"],
    }  # fmt: skip
