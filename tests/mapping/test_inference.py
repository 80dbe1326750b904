"""Windows are classified in blocks, in mixed precision where it gives the same classes, and with too little memory."""

import resource
import subprocess
import sys
import warnings
from copy import deepcopy
from functools import partial

import numpy as np
import pytest
import torch

from paperlib import models
from paperlib.devices import has_bfloat16
from paperlib.errors import InputError
from paperlib.mapping import inference
from paperlib.mapping.inference import Engine

WHOLE = (slice(0, 192), slice(0, 192))
PART = (slice(0, 96), slice(0, 96))


def read(run, classifier, window=WHOLE) -> np.ndarray:
    """A window of the run's scene as the classifier takes it."""
    return classifier.inputs.read_around(run.scene, *window, classifier.halo)[0]


def test_mixed_precision_gives_the_classes_of_float32_or_is_not_used(run, monkeypatch):
    assert Engine(run.classifier("3D-CNN")).choose_precision(run.scene) == 1  # too small a scene
    monkeypatch.setattr(inference, "WORTH", 0)
    if not has_bfloat16(torch.device("cpu")):
        pytest.skip("this processor has no bfloat16 of its own: mixed precision is never used")
    classifier = run.classifier("3D-CNN")
    engine = Engine(classifier)
    agreed = engine.choose_precision(run.scene)
    assert engine.mixed == (agreed >= inference.AGREEMENT)
    exact, _ = Engine(classifier).classify(read(run, classifier))
    found, _ = engine.classify(read(run, classifier))
    assert (exact == found).mean() >= (0.998 if engine.mixed else 1)


def two_classes_swapped(model: torch.nn.Module, first: int, second: int) -> torch.nn.Module:
    """A copy of a folded network that mistakes two classes for each other."""
    swapped = deepcopy(model)
    last = swapped.head[-1]
    order = torch.arange(last.out_channels)
    order[[first, second]] = order[[second, first]]
    with torch.no_grad():
        last.weight.copy_(last.weight[order])
        last.bias.copy_(last.bias[order])
    return swapped


@pytest.mark.parametrize("swap", [True, False])
def test_mixed_precision_that_changes_classes_is_refused(swap, run, monkeypatch):
    """Without rounding, which old processors emulate slowly: the comparison must notice any change of classes."""
    real = inference.predict
    codes = [cover.code for cover in run.legend]
    frequency = np.bincount(run.class_map("2D-CNN").values.ravel(), minlength=256)[codes]
    rare, common = int(frequency.argmin()), int(frequency.argmax())
    monkeypatch.setattr(inference, "has_bfloat16", lambda device: True)
    monkeypatch.setattr(inference, "predict", lambda model, x, superpixel, mixed: real(model, x, superpixel, False))
    monkeypatch.setattr(inference, "mix", partial(two_classes_swapped, first=rare, second=common) if swap else deepcopy)
    monkeypatch.setattr(inference, "WORTH", 0)
    engine = Engine(run.classifier("2D-CNN"))
    agreed = engine.choose_precision(run.scene)
    assert engine.mixed != swap and (0 < agreed < inference.AGREEMENT if swap else agreed == 1)


@pytest.mark.parametrize("name", [*models.NAMES, "U-TAE"])
def test_blocks_answer_as_the_whole(name, run):
    classifier = run.classifier(name)
    engine, answers = Engine(classifier), []
    for block in (1000, 40):
        engine.block = block
        answers.append(engine.classify(read(run, classifier, PART)))
    (whole, sure), (index, probability) = answers
    np.testing.assert_array_equal(index, whole)
    np.testing.assert_allclose(probability, sure, rtol=0, atol=1e-4)


def test_a_block_in_three_dimensions_is_never_alone(run, monkeypatch):
    """The last block of a window is of a size that no other has."""
    real, sizes, answers = inference.predict, {}, {}
    classifier = run.classifier("3D-CNN")
    engine = Engine(classifier)
    for never_alone in (True, False):
        sizes[never_alone] = []
        monkeypatch.setattr(
            inference, "predict",
            lambda model, x, *rest, seen=sizes[never_alone]: seen.append(len(x)) or real(model, x, *rest),
        )  # fmt: skip
        engine.never_alone = never_alone
        answers[never_alone] = engine.classify(read(run, classifier, (slice(0, 80), slice(0, 80))))
    assert min(sizes[True]) == 2 and min(sizes[False]) == 1
    np.testing.assert_array_equal(answers[True][0], answers[False][0])


def test_memory_that_does_not_suffice_halves_the_block_once(run, monkeypatch):
    classifier = run.classifier("2D-CNN")
    engine = Engine(classifier)
    expected, _ = engine.classify(read(run, classifier))
    engine.block = 192
    real = inference.predict

    def small(model, x, *rest):
        if x.shape[-1] > 150:
            torch.empty(1 << 60)  # really asks for an exabyte
        return real(model, x, *rest)

    monkeypatch.setattr(inference, "predict", small)
    with pytest.warns(UserWarning, match="192 x 192 pixels at once; going on with 96 x 96"):
        found, _ = engine.classify(read(run, classifier))
    np.testing.assert_array_equal(found, expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine.classify(read(run, classifier))  # it stays with the smaller block
    monkeypatch.setattr(inference, "predict", lambda *rest: torch.empty(1 << 60))
    with pytest.raises(InputError, match=r"does not suffice for 96 x 96 pixels.*Lower map.window"):
        engine.classify(read(run, classifier))


SCARCE = """
import resource, sys
import numpy as np, torch
from paperlib import models
from paperlib.mapping.inference import Engine
from paperlib.features.inputs import Inputs
from paperlib.features.normaliser import Normaliser
from paperlib.training.classifier import Classifier

torch.set_num_threads(1)
inputs, normaliser = Inputs(("B2",), {}, (), (0.0,), 10.0), Normaliser(torch.zeros(13), torch.ones(13))
engine = Engine(Classifier("3D-CNN", models.build("3D-CNN", 13, 11, 8), inputs, normaliser, (), {}))
engine.block = 192
values = np.random.default_rng(0).random((13, 11, 198, 198), np.float32)
engine.classify(values[..., :46, :46].copy())  # what is loaded once, is
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]) * 2**20,) * 2)
index, _ = engine.classify(values)
print(index.shape, engine.block)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_AS") or sys.platform != "linux", reason="needs Linux' memory limits")
@pytest.mark.fault(
    "too little memory for a block (a process limited by the system)",
    "half the block, once, with a message; the same map",
    "nothing",
)
def test_a_process_with_little_memory_recovers():
    found = subprocess.run([sys.executable, "-c", SCARCE, "450"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == ["(192,", "192)", "96"] and "going on with 96 x 96" in found.stderr
