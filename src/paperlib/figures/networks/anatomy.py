"""Layers of a network with their kernels, shapes and parameters, recorded in one forward pass."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Layer:
    """One layer of a network; shapes are without the batch dimension, channels first."""

    stream: str  # name of the submodule; "" in a network of one stream
    kind: str  # class name in torch: Conv3d, BatchNorm3d, ReLU, Dropout
    kernel: tuple[int, ...]  # () for a layer without a kernel
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    parameters: int
    dropout: float  # share of the values dropped; 0 in other layers


def layers(network: nn.Module, channels: int, dates: int, side: int) -> list[Layer]:
    """Layers of a network in the order of its streams, from a forward pass of one patch of `side` x `side` pixels.

    The training mode of the network is the same afterwards.
    """
    recorded: list[Layer] = []

    def record(path, module, inputs, output):
        stream = path.split(".")[0] if path.count(".") == 2 else ""
        kernel = tuple(getattr(module, "kernel_size", ()))
        parameters = sum(values.numel() for values in module.parameters())
        shapes = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
        recorded.append(
            Layer(stream, type(module).__name__, kernel, *shapes, parameters, float(getattr(module, "p", 0)))
        )

    leaves = [(path, module) for path, module in network.named_modules() if not list(module.children())]
    hooks = [
        module.register_forward_hook(lambda module, inputs, output, path=path: record(path, module, inputs, output))
        for path, module in leaves
    ]
    training = network.training
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, channels, dates, side, side))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    order = {name: number for number, (name, _) in enumerate(network.named_children())}
    return sorted(recorded, key=lambda layer: order.get(layer.stream, 0))


def steps(layers: list[Layer]) -> list[list[Layer]]:
    """Layers in groups, each of which begins with a convolution."""
    groups: list[list[Layer]] = []
    for layer in layers:
        if layer.kernel or not groups:
            groups.append([])
        groups[-1].append(layer)
    return groups
