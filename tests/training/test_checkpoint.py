"""A training killed with SIGKILL goes on from its last epoch and ends with the bytes of an undisturbed one."""

import os
import signal
import subprocess
import sys
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paperlib.training import checkpoint
from support import spoiling
from support.spoiling import generated

#: Trains into a folder; with a second argument it stops for a minute before that epoch, so that it can be killed there.
SCRIPT = """
import sys, time
from pathlib import Path
import torch
from safetensors.torch import save_file
from paperlib import models
from paperlib.training import checkpoint, loop
from paperlib.features.samples import Samples
from paperlib.settings import Train

folder, stop = Path(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(1)
random = torch.Generator().manual_seed(0)
kind = torch.arange(12) % 3
x = torch.randn(12, 4, 3, 11, 11, generator=random)
x[torch.arange(12), kind] += 0.5
label = torch.full((12, 11, 11), -1)
label[:, 4:7, 4:7] = kind[:, None, None]
samples = Samples(x, label, label, ("B2", "B3", "B4", "B8"))
save, made = checkpoint.save, []

def slowly(path, *rest):
    save(path, *rest)
    made.append(path)
    if len(rest[-1]["rows"]) == stop:
        time.sleep(60)

checkpoint.save = slowly
torch.manual_seed(0)
model = models.build("3D-CNN", channels=4, dates=3, classes=3, dropout=0.2)
done = loop.train(model, samples, samples, Train(epochs=5, patience=9, patches=4),
                      state=folder / "state.safetensors")
save_file(done.model.state_dict(), folder / "weights.safetensors")
done.history.drop(columns="seconds").to_csv(folder / "history.csv", index=False)
print(len(done.history), len(made))
"""


def finish(folder: Path) -> str:
    """What the script prints, in this process: only one that is to be killed has to be another."""
    with (
        mock.patch.object(sys, "argv", ["script", str(folder), "0"]),
        mock.patch.object(checkpoint, "save", checkpoint.save),  # restores what the script replaces
        redirect_stdout(StringIO()) as out,
    ):
        exec(SCRIPT, {})
    return out.getvalue()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert finish(folder) == "5 5\n"
    return folder


@pytest.mark.parametrize("epoch", [1, 4])
@pytest.mark.fault(
    "a training killed (SIGKILL) between two epochs",
    "it goes on and ends with the same weights, byte by byte",
    "the epoch it was in",
)
def test_a_killed_training_ends_with_the_same_bytes(epoch, undisturbed, tmp_path):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path), str(epoch)])
    state = tmp_path / "state.safetensors"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:  # until the wanted epoch is on disk
        if state.is_file() and f'\\"epoch\\": {epoch},'.encode() in state.read_bytes():
            break
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL and not (tmp_path / "weights.safetensors").exists()
    assert finish(tmp_path) == f"5 {5 - epoch}\n"  # it went on, and did not begin again
    for name in ("weights.safetensors", "history.csv"):
        assert (tmp_path / name).read_bytes() == (undisturbed / name).read_bytes()


def test_a_state_of_all_epochs_leaves_nothing_to_do(undisturbed, tmp_path):
    """The same result, without a step."""
    (tmp_path / "state.safetensors").write_bytes((undisturbed / "state.safetensors").read_bytes())
    assert finish(tmp_path) == "5 0\n"
    assert (tmp_path / "weights.safetensors").read_bytes() == (undisturbed / "weights.safetensors").read_bytes()
    assert (tmp_path / "history.csv").read_bytes() == (undisturbed / "history.csv").read_bytes()


@pytest.mark.fault(
    "a training's state file cut in half", "it is not used; the training begins again", "the epochs before"
)
def test_a_spoilt_state_is_not_taken_for_a_whole_one(undisturbed, tmp_path):
    whole = (undisturbed / "state.safetensors").read_bytes()
    (tmp_path / "state.safetensors").write_bytes(whole[: len(whole) // 2])
    assert finish(tmp_path) == "5 5\n"
    assert (tmp_path / "weights.safetensors").read_bytes() == (undisturbed / "weights.safetensors").read_bytes()


@generated
@given(data=st.data())
@pytest.mark.fault("a training's state with any bytes spoilt (generated)", "it is not used", "the epochs before")
def test_a_state_with_spoilt_bytes_is_never_used(tmp_path, data):
    def fresh():
        torch.manual_seed(0)
        model = torch.nn.Linear(2, 2)
        return model, torch.optim.Adam(model.parameters()), torch.Generator().manual_seed(1)

    path, (model, optimiser, generator) = tmp_path / "state.safetensors", fresh()
    model(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    checkpoint.save(path, model, optimiser, generator, model.state_dict(), {"rows": [1.5]})
    whole = path.read_bytes()
    path.write_bytes(data.draw(spoiling.spoilt_bytes(whole)))
    again, *rest = fresh()
    found = checkpoint.load(path, again, *rest)
    if path.read_bytes() == whole:
        assert found is not None and found[1] == {"rows": [1.5]}
    else:
        assert found is None and torch.equal(again.weight, fresh()[0].weight)
