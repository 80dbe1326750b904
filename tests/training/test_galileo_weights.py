"""The weights of Galileo: fetched from a file or an address, checked by their numbers, never half written."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from paperlib.errors import InputError
from paperlib.training import galileo_weights
from paperlib.training.galileo_weights import fetch_weights, read_encoder
from support.commands import paperlib


@pytest.fixture(scope="module")
def published(shared_data):
    return shared_data / "galileo" / galileo_weights.FILE


def test_the_published_form_is_read_from_a_web_address(published, tmp_path, monkeypatch):
    torch.save(load_file(published), tmp_path / "encoder.pt")
    monkeypatch.setenv("PAPERLIB_GALILEO", (tmp_path / "encoder.pt").as_uri())
    path = fetch_weights(target=tmp_path / "new" / "weights.safetensors")
    assert galileo_weights.digest(load_file(path)) == galileo_weights.SHA256
    assert not read_encoder(path).training


@pytest.mark.fault("weights of Galileo with another number", "an error with both hashes", "nothing")
def test_other_weights_are_refused(published, tmp_path):
    tensors = load_file(published)
    tensors["norm.bias"][3] += 1e-6
    save_file(tensors, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"does not hold the weights.*expected a262198f") as error:
        fetch_weights(str(tmp_path / "other.safetensors"), tmp_path / "weights.safetensors")
    assert error.value.kind == "galileo.digest" and not (tmp_path / "weights.safetensors").exists()
    with pytest.raises(InputError, match="does not hold the weights"):
        read_encoder(tmp_path / "other.safetensors")


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04"])
def test_what_holds_no_weights_is_refused(tmp_path, content):
    (tmp_path / "page.html").write_bytes(content)
    with pytest.raises(InputError, match="holds no weights of a network"):
        fetch_weights(str(tmp_path / "page.html"), tmp_path / "weights.safetensors")


@pytest.mark.fault("no network for the weights of Galileo", "one line that names --address", "nothing")
def test_offline_says_what_to_do_in_one_line(tmp_path):
    done = paperlib("fetch", "galileo", "--address", "http://127.0.0.1:9/encoder.pt", folder=tmp_path)
    assert done.returncode and "--address FILE" in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr and not list(tmp_path.iterdir())


def test_weights_that_are_missing_name_the_command(tmp_path):
    with pytest.raises(InputError) as error:
        read_encoder(tmp_path / "weights.safetensors")
    assert "paperlib fetch galileo" in error.value.fix and error.value.kind == "galileo.missing"
