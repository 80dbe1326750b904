"""The weights of Galileo nano: fetched once, checked number by number, and read where a run needs them."""

import hashlib
import pickle
import tempfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from .. import environment
from ..errors import InputError
from ..models.galileo_encoder import GalileoEncoder
from ..outputs import check_place, writing
from ..store import project

#: The file as its authors publish it (github.com/nasaharvest/galileo), and what it is used under.
ADDRESS = (
    "https://raw.githubusercontent.com/nasaharvest/galileo/d04822911e853668034888a90d490b799fae6929/"
    "data/models/nano/encoder.pt"
)
LICENCE = "MIT licence, Copyright (c) 2024 Presto Authors"
PAPER = "Tseng and others (2025), arXiv 2502.09356"
#: SHA-256 over names, shapes and numbers of all tensors, whatever the file that holds them; see `digest`.
SHA256 = "a262198f447812c9b3955fba3bd2933271e162f6a06d936e05e9b0a22340ea30"
FILE, SIZE = "galileo_nano_encoder.safetensors", 4_200_000  # bytes
SECONDS = 60  # without an answer


def weights_file() -> Path:
    """Where the weights lie once they are fetched: data/galileo of the project or of the working directory."""
    return project() / "data" / "galileo" / FILE


def fetch_weights(address: str = "", target: Path | None = None) -> Path:
    """Get the weights, check them, and write them as safetensors to `target`; return its path.

    Parameters
    ----------
    address: file or web address of the published encoder.pt, or of the same tensors as safetensors; "": that of
        $PAPERLIB_GALILEO, else `ADDRESS`.
    target: where they are written; None: `weights_file()`. A file that is there is checked and kept.

    Raises `InputError` where the address cannot be read, for example offline, the weights are not the expected ones, or
    `target` cannot be written.
    """
    target = target or weights_file()
    if target.is_file():
        read_encoder(target)
        return target
    check_place(target.parent, folder=True, needed=SIZE)
    address = address or environment.read("GALILEO") or ADDRESS
    tensors = _check(_tensors(_content(address), address), address, "Give another --address.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with writing(target) as part:
        save_file(tensors, part, {"licence": LICENCE, "source": ADDRESS, "paper": PAPER})
    return target


def read_encoder(path: Path | None = None) -> GalileoEncoder:
    """The encoder with the weights of a file that `fetch_weights` wrote; None: of `weights_file()`.

    Raises `InputError` where they have not been fetched, or are not the expected ones.
    """
    path = path or weights_file()
    if not path.is_file():
        raise InputError(
            f"Galileo needs weights that are no part of paperlib ({path} is missing).",
            "Run: paperlib fetch galileo", kind="galileo.missing",
        )  # fmt: skip
    cure = "Delete it, and run: paperlib fetch galileo"
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise InputError(f"{path} cannot be read ({error}).", cure, kind="galileo.digest") from error
    return GalileoEncoder.of_published(_check(tensors, str(path), cure))


def digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over the names, shapes and float32 numbers of tensors, in the order of their names."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(f"{name} {tuple(tensors[name].shape)}\n".encode())
        total.update(tensors[name].detach().float().contiguous().numpy().astype("<f4").tobytes())
    return total.hexdigest()


def _check(tensors: dict[str, torch.Tensor], place: str, fix: str) -> dict[str, torch.Tensor]:
    found = digest(tensors)
    if found != SHA256:
        raise InputError(
            f"{place} does not hold the weights of Galileo nano: SHA-256 of its tensors {found}, expected {SHA256}.", fix,
            kind="galileo.digest",
        )  # fmt: skip
    return tensors


def _content(address: str) -> bytes:
    """Bytes of a file or of a web address."""
    try:
        if "://" not in address:
            return Path(address).expanduser().read_bytes()
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            return answer.read()
    except (OSError, ValueError) as error:  # URLError and HTTPError are an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise InputError(
            f"The weights of Galileo could not be read from {address} ({reason}).",
            "Try again with network access, or give a file or another address: paperlib fetch galileo --address FILE",
            kind="fetch.download",
        ) from error


def _tensors(content: bytes, address: str) -> dict[str, torch.Tensor]:
    """Tensors of a safetensors file, or of one that torch wrote, of which nothing but tensors is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights"
        path.write_bytes(content)
        try:
            with safe_open(path, "pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError:
            pass
        try:
            found: Any = torch.load(path, map_location="cpu", weights_only=True)
            return {name: value.contiguous() for name, value in found.items()}
        except (pickle.UnpicklingError, RuntimeError, AttributeError, EOFError, ValueError) as error:
            raise InputError(
                f"{address} holds no weights of a network.", "Give another --address.", kind="galileo.digest"
            ) from error
