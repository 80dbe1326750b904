"""Layers are noted as they work, in order, and the network is left as it was."""

from itertools import pairwise

import pytest
import torch

from paperlib import models
from paperlib.figures.networks import anatomy
from paperlib.training.classifier import count_parameters

INPUT = {"channels": 5, "dates": 6}


@pytest.mark.parametrize("name", models.NAMES)
def test_layers_hold_every_parameter_and_lead_from_input_to_classes(name):
    network = models.build(name, **INPUT, classes=4)
    found = anatomy.layers(network, **INPUT, side=9)
    assert sum(layer.parameters for layer in found) == count_parameters(network)
    assert found[0].inputs[0] == (30 if name == "2D-CNN" else 5) and found[-1].outputs[0] == 4
    for stream in {layer.stream for layer in found}:
        chain = [layer for layer in found if layer.stream == stream]
        assert all(one.outputs == other.inputs for one, other in pairwise(chain))


def test_streams_come_in_the_order_of_the_network():
    found = anatomy.layers(models.build("SpatioTempCNN", **INPUT, classes=4), **INPUT, side=9)
    assert list(dict.fromkeys(layer.stream for layer in found)) == ["temporal", "spatiotemporal"]
    assert [group[0].outputs[0] for group in anatomy.steps([one for one in found if one.stream == "temporal"])] == [
        64, 128, 256, 128, 4,
    ]  # fmt: skip


def test_network_is_left_as_it_was():
    network = models.build("3D-CNN", **INPUT, classes=4).train()
    before = {name: values.clone() for name, values in network.state_dict().items()}
    anatomy.layers(network, **INPUT, side=9)
    assert network.training and not any(module._forward_hooks for module in network.modules())
    assert all(torch.equal(values, before[name]) for name, values in network.state_dict().items())
