"""The device that networks run on, and what it can do."""

import torch


def choose(device: torch.device | str | None = None) -> torch.device:
    """This device; when none is given, the GPU where there is one, else the processor."""
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 itself; elsewhere it is emulated, slower than float32.

    A processor whose instructions torch may not use, for example under ATEN_CPU_CAPABILITY=avx2, is one without.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)  # no public name for it up to torch 2.13
    return torch.backends.cpu.get_cpu_capability() == "AVX512" and native()


def mixed(device: torch.device) -> torch.autocast:
    """Mixed precision, where the device computes in bfloat16 itself: it doubles the speed of the convolutions."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_bfloat16(device))


def out_of_memory(error: RuntimeError) -> bool:
    """Whether torch failed for lack of memory; on a GPU it has an error of its own, on a processor only a message."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
