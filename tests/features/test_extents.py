"""Samples cut to what their labelled pixels need: the same answers from fewer pixels."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paperlib import models
from paperlib.errors import InputError
from paperlib.features.extents import LabelledExtents


def labelled(boxes: list[tuple[int, int, int, int]], size: int) -> torch.Tensor:
    label = torch.full((len(boxes), size, size), -1)
    for number, (top, left, height, width) in enumerate(boxes):
        label[number, top : top + height, left : left + width] = number % 3
    return label


BOX = st.tuples(st.integers(5, 11), st.integers(5, 11), st.integers(1, 6), st.integers(1, 6))


@given(st.lists(BOX, min_size=1, max_size=4), st.integers(0, 5))
def test_a_cut_holds_every_label_and_its_halo(boxes, halo):
    size = 22
    label = labelled(boxes, size)
    place = torch.arange(size * size).reshape(size, size).expand(len(boxes), 1, 1, size, size)
    x, cut = LabelledExtents(label, halo).crop(place, label, torch.arange(len(boxes)))
    largest = max(max(box[2:]) for box in boxes)
    assert cut.shape[1:] == (largest, largest) and x.shape[-2:] == (largest + 2 * halo,) * 2
    assert ((cut >= 0).flatten(1).sum(1) == (label >= 0).flatten(1).sum(1)).all()
    for number in range(len(boxes)):
        inner = x[number, 0, 0, halo : halo + largest, halo : halo + largest]
        assert torch.equal(cut[number].flatten(), label[number].flatten()[inner.flatten()])
        assert (x[number, 0, 0].diff(dim=1) == 1).all() and (x[number, 0, 0].diff(dim=0) == size).all()


@pytest.mark.parametrize("name", models.NAMES)
@pytest.mark.parametrize("boxes", [[(9, 9, 4, 6)], [(4, 4, 3, 3), (19, 22, 9, 5)], [(4, 4, 24, 24), (12, 5, 4, 4)]])
def test_a_model_answers_on_labels_as_on_the_whole_patch(name, boxes):
    torch.manual_seed(0)
    model = models.build(name, channels=4, dates=3, classes=3).eval()
    label = labelled(boxes, 32)
    x = torch.randn(len(boxes), 4, 3, 32, 32)
    inner, cut = LabelledExtents(label, model.halo).crop(x, label, torch.arange(len(boxes)))
    with torch.inference_mode():
        whole, part = (
            model(one).permute(0, 2, 3, 1)[wanted >= 0] for one, wanted in ((x, model.answered(label)), (inner, cut))
        )
    torch.testing.assert_close(part, whole, rtol=0, atol=1e-5)


def test_samples_by_size_are_those_with_a_label():
    label = torch.cat(
        [labelled([(4, 4, 8, 2), (4, 4, 1, 3)], 16), torch.full((1, 16, 16), -1), labelled([(8, 8, 2, 4)], 16)]
    )
    assert LabelledExtents(label, 4).by_size().tolist() == [1, 3, 0]


@pytest.mark.parametrize("box", [(3, 8, 1, 1), (8, 3, 1, 1), (12, 8, 1, 1), (8, 8, 1, 5)])
def test_a_label_whose_neighbours_the_patch_lacks_is_refused(box):
    label = labelled([(8, 8, 2, 2), box], 16)
    LabelledExtents(label, 3)
    with pytest.raises(InputError, match="less than 4 pixels from the border of its patch") as error:
        LabelledExtents(label, 4)
    assert error.value.kind == "sample.margin" and "margin of 4" in error.value.fix
