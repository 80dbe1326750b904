"""The layers of a network as they are seen at work: kernels, shapes and parameters, from one forward pass."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Layer:
    """One layer as it was seen at work; shapes are without the batch, channels first."""

    stream: str  # "" in a network of one stream
    kind: str  # as torch calls it: Conv3d, BatchNorm3d, ReLU, Dropout
    kernel: tuple[int, ...]  # () where it has none
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    parameters: int
    dropout: float  # share of values dropped, 0 in other layers


def layers(network: nn.Module, channels: int, dates: int, side: int) -> list[Layer]:
    """Every layer of a network in the order of its streams, from a forward pass of one patch of `side` x `side` pixels."""
    seen = []

    def note(path, module, given, result):
        stream = path.split(".")[0] if path.count(".") == 2 else ""
        kernel = tuple(getattr(module, "kernel_size", ()))
        parameters = sum(values.numel() for values in module.parameters())
        shapes = tuple(given[0].shape[1:]), tuple(result.shape[1:])
        seen.append(Layer(stream, type(module).__name__, kernel, *shapes, parameters, float(getattr(module, "p", 0))))

    leaves = [(path, module) for path, module in network.named_modules() if not list(module.children())]
    hooks = [
        module.register_forward_hook(lambda module, given, result, path=path: note(path, module, given, result))
        for path, module in leaves
    ]
    learning = network.training
    try:
        with torch.inference_mode():
            network.eval()(torch.zeros(1, channels, dates, side, side))
    finally:
        network.train(learning)
        for hook in hooks:
            hook.remove()
    order = {name: number for number, (name, _) in enumerate(network.named_children())}
    return sorted(seen, key=lambda layer: order.get(layer.stream, 0))


def steps(found: list[Layer]) -> list[list[Layer]]:
    """Layers in groups that begin with a convolution."""
    groups = []
    for layer in found:
        if layer.kernel or not groups:
            groups.append([])
        groups[-1].append(layer)
    return groups
