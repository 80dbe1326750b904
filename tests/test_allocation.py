"""The heap: arrays of 16 MiB and more stay outside it, in large pages, and threads share one."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

GNU = sys.platform == "linux" and all(hasattr(ctypes.CDLL(None), name) for name in ("mallopt", "malloc_info"))

SCRIPT = """
import ctypes, sys, threading
import numpy as np
from paperlib import allocation

if sys.argv[1] == "ordered":
    allocation.configure()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
large, middle = np.ones(20 * 2**20, np.uint8), np.ones(10 * 2**20, np.uint8)
small = []
threads = [threading.Thread(target=lambda: small.append(np.ones(1000))) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


@pytest.mark.skipif(not GNU, reason="the C library is not GNU's")
def test_large_arrays_stay_outside_one_heap(tmp_path):
    said = {}
    for way in ("as it is", "ordered"):
        subprocess.run([sys.executable, "-c", SCRIPT, way, tmp_path / way], check=True)
        said[way] = (tmp_path / way).read_text()
    assert said["ordered"].count("<heap nr=") == 1 < said["as it is"].count("<heap nr=")
    outside = int(said["ordered"].split('type="mmap"')[1].split('size="')[1].split('"')[0])
    assert 20 * 2**20 <= outside < 30 * 2**20


FAULTS = """
import resource, sys
from paperlib import allocation

allocation.configure()
import torch

before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not GNU, reason="the C library is not GNU's")
def test_tensors_lie_in_large_pages_unless_somebody_has_decided_otherwise():
    known = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not known.is_file() or "[madvise]" not in known.read_text():
        pytest.skip("this system does not give large pages to who asks for them")
    faults = {}
    for way, chosen in (("ordered", {}), ("otherwise", {"THP_MEM_ALLOC_ENABLE": "0"})):
        environment = {name: value for name, value in os.environ.items() if name != "THP_MEM_ALLOC_ENABLE"} | chosen
        command = [sys.executable, "-c", FAULTS]
        found = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        faults[way] = int(found.stdout)
    assert faults["ordered"] < 2**13 < faults["otherwise"]  # of the 64 MiB in pages of 4 KiB, 16384
