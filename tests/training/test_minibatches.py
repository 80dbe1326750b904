"""What a training step gets: every sample once, all eight ways of a square."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from paperlib.features.samples import Samples
from paperlib.training.minibatches import augment, batch_size, epoch_batches


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
        turned, label = augment(x, x[:, 0, 0, 1:-1, 1:-1].long(), generator)  # without the halo
        assert torch.equal(turned[:, 0, 0, 1:-1, 1:-1].long(), label)
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
