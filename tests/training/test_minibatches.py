"""What a training step gets: the same answers from fewer pixels, every sample once, all eight ways of a square."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paperlib import models
from paperlib.features.samples import Samples
from paperlib.training.minibatches import LabelledExtents, augment, batch_size, epoch_batches


def labelled(boxes: list[tuple[int, int, int, int]], size: int) -> torch.Tensor:
    label = torch.full((len(boxes), size, size), -1)
    for number, (top, left, height, width) in enumerate(boxes):
        label[number, top : top + height, left : left + width] = number % 3
    return label


BOX = st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(1, 6), st.integers(1, 6))


@given(st.lists(BOX, min_size=1, max_size=4), st.integers(0, 5))
def test_a_cut_holds_every_label_and_its_halo(boxes, halo):
    size = 12
    label = labelled(boxes, size)
    place = torch.arange(size * size).reshape(size, size).expand(len(boxes), 1, 1, size, size)
    part = torch.arange(len(boxes))
    x, cut = LabelledExtents(label, halo).crop(place, label, part)
    assert cut.shape[1] == cut.shape[2] == x.shape[-1] <= size
    assert ((cut >= 0).flatten(1).sum(1) == (label >= 0).flatten(1).sum(1)).all()
    for number in range(len(boxes)):
        held = set(x[number].flatten().tolist())
        for row, column in (label[number] >= 0).nonzero().tolist():
            near = [
                (r, c)
                for r in range(max(0, row - halo), min(size, row + halo + 1))
                for c in range(max(0, column - halo), min(size, column + halo + 1))
            ]
            assert {r * size + c for r, c in near} <= held
        assert torch.equal(cut[number].flatten(), label[number].flatten()[x[number].flatten()])


@pytest.mark.parametrize("name", models.NAMES)
@pytest.mark.parametrize("boxes", [[(9, 9, 4, 6)], [(2, 3, 3, 3), (20, 22, 9, 5)], [(0, 0, 2, 2), (12, 0, 4, 4)]])
def test_a_model_answers_on_labels_as_on_the_whole_patch(name, boxes):
    """Where a halo ends at the patch's border the patch itself ended there."""
    torch.manual_seed(0)
    model = models.build(name, channels=4, dates=3, classes=3).eval()
    label = labelled(boxes, 32)
    x = torch.randn(len(boxes), 4, 3, 32, 32)
    inner, cut = LabelledExtents(label, model.receptive_field // 2).crop(x, label, torch.arange(len(boxes)))
    assert inner.shape[-1] < 32
    with torch.inference_mode():
        whole, part = (model(one).permute(0, 2, 3, 1)[wanted >= 0] for one, wanted in ((x, label), (inner, cut)))
    torch.testing.assert_close(part, whole, rtol=0, atol=1e-5)


def test_a_halo_too_small_is_noticed():
    torch.manual_seed(0)
    model = models.build("3D-CNN", channels=4, dates=3, classes=3).eval()
    label, x = labelled([(9, 9, 4, 6)], 32), torch.randn(1, 4, 3, 32, 32)
    inner, cut = LabelledExtents(label, halo=1).crop(x, label, torch.arange(1))
    with torch.inference_mode():
        whole, part = (model(one).permute(0, 2, 3, 1)[wanted >= 0] for one, wanted in ((x, label), (inner, cut)))
    assert not torch.allclose(part, whole, atol=1e-3)


@given(st.integers(3, 40), st.integers(3, 9), st.booleans())
def test_every_labelled_sample_is_in_a_batch_of_at_least_two(number, batch, oversampling):
    label = torch.full((number, 2, 2), -1)
    label[1:, 0, 0] = torch.arange(number - 1) % 3
    parts = epoch_batches(label, oversampling, batch, torch.Generator().manual_seed(0))
    seen = torch.cat(parts)
    assert set(seen.tolist()) == set(range(1, number))
    assert max(map(len, parts)) <= batch and min(map(len, parts)) >= min(2, number - 1)


def test_turns_reach_all_eight_ways_and_keep_labels_on_their_pixels():
    generator = torch.Generator().manual_seed(0)
    x = torch.arange(16.0).reshape(1, 1, 1, 4, 4)
    seen = set()
    for _ in range(100):
        turned, label = augment(x, x[:, 0, 0].long(), generator)
        assert torch.equal(turned[:, 0, 0].long(), label)
        seen.add(tuple(label.flatten().tolist()))
    assert len(seen) == 8


def samples_of(number: int, pixels: int, size: int = 8) -> Samples:
    """Patches with this many labelled pixels each."""
    label = torch.full((number, size * size), -1)
    label[:, :pixels] = 0
    label = label.reshape(number, size, size)
    return Samples(torch.zeros(number, 1, 1, size, size), label, label, ("B2",))


def test_a_batch_of_points_holds_as_many_labelled_pixels_as_one_of_polygons():
    fields, points = samples_of(100, 32), samples_of(5000, 1)
    assert batch_size(fields, fields, 8) == 8 and batch_size(fields, fields.pixels(), 8) == 256
    assert batch_size(points, points, 8) == batch_size(points, points.pixels(), 8) == 256
    few = samples_of(40, 1)
    assert batch_size(few, few.pixels(), 8) == 8  # not one batch an epoch
