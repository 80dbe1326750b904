"""The heap: large arrays stay outside it, in large pages, threads share one, and its holes go back to the system."""

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
from paperlib import heap

if sys.argv[1] == "ordered":
    heap.order()
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


HOLES = """
import ctypes, sys
from pathlib import Path
from paperlib import heap

heap.order()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
blocks = [libc.malloc(ctypes.c_size_t(16 * 1024)) for _ in range(8000)]
for block in blocks:
    ctypes.memset(block, 1, 16 * 1024)
for block in blocks[::2]:
    libc.free(ctypes.c_void_p(block))


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])


before = resident()
heap.trim()
print(before - resident())
"""


@pytest.mark.skipif(not GNU, reason="the C library is not GNU's")
def test_holes_go_back_to_the_system():
    found = subprocess.run([sys.executable, "-c", HOLES], check=True, capture_output=True, text=True)
    assert int(found.stdout) >= 3 * 4000  # of each hole, the pages that no block touches


FAULTS = """
import resource, sys
from paperlib import heap

heap.order()
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
