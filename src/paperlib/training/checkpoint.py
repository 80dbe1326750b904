"""The state of a training after an epoch, on disk: a killed training goes on from it and ends with the same weights."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ..outputs import replace


def save(
    path: Path,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
    best: dict[str, torch.Tensor],
    record: dict,
) -> None:
    """Write weights, the optimiser's moments, the random numbers' states, the `best` weights, and a JSON `record`.

    Whole or not at all: until the new state is complete the one before stays.
    """
    groups = {
        "model": model.state_dict(),
        "best": best,
        "optimiser": {
            f"{number}/{name}": value
            for number, state in optimiser.state_dict()["state"].items()
            for name, value in state.items()
        },
        "random": {"generator": generator.get_state(), "torch": torch.get_rng_state()},
    }
    if torch.cuda.is_available():
        groups["random"]["cuda"] = torch.cuda.get_rng_state()
    tensors = {
        f"{group}:{name}": value.detach().cpu().contiguous().clone()
        for group, values in groups.items()
        for name, value in values.items()
    }
    partial = path.with_suffix(".partial")
    text = json.dumps(record)
    save_file(tensors, partial, {"record": text, "digest": _digest(tensors, text)})
    replace(partial, path)


def _digest(tensors: dict[str, torch.Tensor], record: str) -> str:
    """Safetensors checks the layout of a file and not its numbers."""
    digest = hashlib.sha256(record.encode())
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].numpy().tobytes())
    return digest.hexdigest()


def load(
    path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, generator: torch.Generator
) -> tuple[dict[str, torch.Tensor], dict] | None:
    """Restore what `save` wrote; the best weights and the record, or None where there is nothing to go on from."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (the file is no dict)
    except SafetensorError:
        return None
    text = metadata.get("record", "")
    if metadata.get("digest") != _digest(tensors, text):  # spoilt from outside; beginning again is right, if slow
        return None
    groups: dict[str, dict[str, torch.Tensor]] = {"model": {}, "best": {}, "optimiser": {}, "random": {}}
    for key, value in tensors.items():
        group, name = key.split(":", 1)
        groups[group][name] = value
    device = next(model.parameters()).device
    model.load_state_dict(groups["model"])
    states: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in groups["optimiser"].items():
        number, name = key.split("/")
        states.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
    generator.set_state(groups["random"]["generator"])
    torch.set_rng_state(groups["random"]["torch"])
    if "cuda" in groups["random"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(groups["random"]["cuda"])
    return {name: value.to(device) for name, value in groups["best"].items()}, json.loads(text)
