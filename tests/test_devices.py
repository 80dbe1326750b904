"""The device is the one that was asked for, or the best there is."""

from pathlib import Path

import pytest
import torch

from paperlib import devices


def test_a_gpu_is_taken_where_there_is_one_and_none_was_named(monkeypatch):
    for available, best in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert devices.choose() == torch.device(best) and devices.choose("cpu") == torch.device("cpu")


def test_memory_that_is_asked_for_and_not_there_is_told_from_other_failures():
    with pytest.raises(RuntimeError) as failure:
        torch.empty(1 << 60)  # really asks for an exabyte
    assert devices.out_of_memory(failure.value)
    with pytest.raises(RuntimeError) as failure:
        torch.zeros(2) @ torch.zeros(3)
    assert not devices.out_of_memory(failure.value)


def test_bfloat16_is_computed_by_processors_that_say_so(monkeypatch):
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        pytest.skip("this system does not tell what its processor can do")
    flags = next(line for line in info.read_text().splitlines() if line.startswith(("flags", "Features")))
    for capability in ("AVX512", "AVX2"):  # what torch may use
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda capability=capability: capability)
        expected = capability == "AVX512" and "avx512_bf16" in flags.split()
        assert devices.has_bfloat16(torch.device("cpu")) == expected
