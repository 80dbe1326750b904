"""The heap: arrays of 16 MiB and more stay outside it, and threads share one."""

import ctypes
import subprocess
import sys

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
