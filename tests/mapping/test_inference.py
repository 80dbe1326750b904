"""Windows are answered in blocks, in mixed precision where it gives the same classes, with too little memory too."""

import resource
import subprocess
import sys
import warnings
from copy import deepcopy

import numpy as np
import pytest
import torch
import xarray as xr

from paperlib import models
from paperlib.devices import has_bfloat16
from paperlib.errors import InputError
from paperlib.features.window import read_features
from paperlib.mapping import inference
from paperlib.mapping.inference import Classifier

WHOLE = (slice(0, 192), slice(0, 192))
PART = (slice(0, 96), slice(0, 96))


def test_mixed_precision_gives_the_classes_of_float32_or_is_not_used(run, monkeypatch):
    assert (
        Classifier(run.classifier("3D-CNN"), run.dataset.normaliser).choose_precision(run.scene) == 1
    )  # too small a scene
    monkeypatch.setattr(inference, "WORTH", 0)
    if not has_bfloat16(torch.device("cpu")):
        pytest.skip("this processor has no bfloat16 of its own: mixed precision is never used")
    model = run.classifier("3D-CNN")
    classifier = Classifier(model, run.dataset.normaliser)
    agreed = classifier.choose_precision(run.scene)
    assert classifier.mixed == (agreed >= inference.AGREEMENT)
    exact, _ = Classifier(model, run.dataset.normaliser).classify(read_features(run.scene), WHOLE)
    found, _ = classifier.classify(read_features(run.scene), WHOLE)
    assert (exact == found).mean() >= (0.998 if classifier.mixed else 1)


def two_classes_swapped(model: torch.nn.Module) -> torch.nn.Module:
    """A copy of a folded network that mistakes its first two classes for each other."""
    swapped = deepcopy(model)
    last = swapped.head[-1]
    order = [1, 0, *range(2, last.out_channels)]
    with torch.no_grad():
        last.weight.copy_(last.weight[order])
        last.bias.copy_(last.bias[order])
    return swapped


@pytest.mark.parametrize(("change", "used"), [(two_classes_swapped, False), (deepcopy, True)])
def test_mixed_precision_that_changes_classes_is_refused(change, used, run, monkeypatch):
    """Rounding is left out, which an old processor emulates slowly: the comparison decides, whatever changed a class."""
    real = inference.answer
    monkeypatch.setattr(inference, "has_bfloat16", lambda device: True)
    monkeypatch.setattr(inference, "answer", lambda model, inputs, mixed: real(model, inputs, False))
    monkeypatch.setattr(inference, "mix", change)
    monkeypatch.setattr(inference, "WORTH", 0)
    classifier = Classifier(run.classifier("2D-CNN"), run.dataset.normaliser)
    agreed = classifier.choose_precision(run.scene)
    assert classifier.mixed == used and (agreed == 1 if used else 0 < agreed < inference.AGREEMENT)


@pytest.mark.parametrize("name", models.NAMES)
def test_blocks_answer_as_the_whole(name, run):
    classifier = Classifier(run.classifier(name), run.dataset.normaliser)
    answers = []
    for block in (1000, 40):
        classifier.block = block
        answers.append(classifier.classify(read_features(run.scene, *PART), PART))
    (whole, sure), (index, probability) = answers
    np.testing.assert_array_equal(index, whole)
    np.testing.assert_allclose(probability, sure, rtol=0, atol=1e-4)


def test_a_block_in_three_dimensions_is_never_alone(run, monkeypatch):
    """Corners of the scene are of a size that no other block has."""
    real, sizes, answers = inference.answer, {}, {}
    classifier = Classifier(run.classifier("3D-CNN"), run.dataset.normaliser)
    for never_alone in (True, False):
        sizes[never_alone] = []
        monkeypatch.setattr(
            inference, "answer",
            lambda model, inputs, mixed, seen=sizes[never_alone]: seen.append(len(inputs[0])) or real(model, inputs, mixed),
        )  # fmt: skip
        classifier.never_alone = never_alone
        answers[never_alone] = classifier.classify(read_features(run.scene), WHOLE)
    assert min(sizes[True]) == 2 and min(sizes[False]) == 1
    np.testing.assert_array_equal(answers[True][0], answers[False][0])


def test_memory_that_does_not_suffice_halves_the_block_once(run, monkeypatch):
    classifier = Classifier(run.classifier("2D-CNN"), run.dataset.normaliser)
    expected, _ = classifier.classify(read_features(run.scene), WHOLE)
    classifier.block = 192
    real = inference.answer

    def small(model, inputs, mixed):
        if inputs[0].shape[-1] > 150:
            torch.empty(1 << 60)  # really asks for an exabyte
        return real(model, inputs, mixed)

    monkeypatch.setattr(inference, "answer", small)
    with pytest.warns(UserWarning, match="192 x 192 pixels at once; going on with 96 x 96"):
        found, _ = classifier.classify(read_features(run.scene), WHOLE)
    np.testing.assert_array_equal(found, expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier.classify(read_features(run.scene), WHOLE)  # it stays with the smaller block
    monkeypatch.setattr(inference, "answer", lambda *rest: torch.empty(1 << 60))
    with pytest.raises(InputError, match=r"does not suffice for 96 x 96 pixels.*Lower map.window"):
        classifier.classify(read_features(run.scene), WHOLE)


SCARCE = """
import resource, sys
import numpy as np, torch
from paperlib import models
from paperlib.mapping.inference import Classifier
from paperlib.features.samples import Normaliser

torch.set_num_threads(1)
classifier = Classifier(models.build("3D-CNN", 13, 11, 8), Normaliser(torch.zeros(13), torch.ones(13)))
classifier.block = 256
values = np.random.default_rng(0).random((13, 11, 256, 256), np.float32)
classifier.classify(values[..., :40, :40].copy(), (slice(0, 40), slice(0, 40)))  # what is loaded once, is
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]) * 2**20,) * 2)
index, _ = classifier.classify(values, (slice(0, 256), slice(0, 256)))
print(index.shape, classifier.block)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_AS") or sys.platform != "linux", reason="needs Linux' memory limits")
@pytest.mark.fault(
    "too little memory for a block (a process limited by the system)",
    "half the block, once, with a message; the same map",
    "nothing",
)
def test_a_process_with_little_memory_recovers():
    found = subprocess.run([sys.executable, "-c", SCARCE, "800"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == ["(256,", "256)", "128"] and "going on with 128 x 128" in found.stderr


def test_a_pixel_without_data_has_no_class(run):
    scene = run.scene.isel(y=slice(0, 20), x=slice(0, 20)).compute()
    scene = xr.where(scene.y == scene.y[3], np.nan, scene, keep_attrs=True).transpose(*scene.dims)
    scene = scene.assign_coords(mask=scene.isnull().any("band"))
    index, _ = Classifier(run.classifier("2D-CNN"), run.dataset.normaliser).classify(
        read_features(scene), (slice(0, 20),) * 2
    )
    assert (index[3] == -1).all() and (np.delete(index, 3, 0) >= 0).all()
