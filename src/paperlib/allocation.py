"""Memory and processors of the process: how it keeps large arrays, and how many processors it may use."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Parameters of mallopt, by their numbers in GNU's malloc.h: one heap for all threads; arrays of 16 MiB and more outside
#: it, always (else the limit grows with what is freed); a heap's free end goes back to the system from 256 MiB on.
PARAMETERS = {-8: 1, -3: 16 * 1024**2, -1: 256 * 1024**2}

#: Makes torch ask for large pages, unless somebody has decided otherwise. It looks when it first makes a tensor.
LARGE_PAGES = "THP_MEM_ALLOC_ENABLE"

#: Environment variables by which batch systems and users grant a process fewer processors.
GRANTED = ("OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK", "PBS_NUM_PPN")


def configure() -> None:
    """Keep arrays apart from the blocks of GDAL's cache, in this process from now on; only with GNU's C library.

    Blocks that are given back leave holes in a heap, arrays of many sizes tear them further, and each thread that is
    there already has a heap of its own: the earlier, the better. Without it a map of twice the columns took a quarter
    more memory (benchmarks/memory.py). What a network keeps of a block may lie outside too, and its pages are asked from the
    system anew for each block: with small pages that took a twentieth of the time of a map by 2D-CNN, hence large ones.
    """
    os.environ.setdefault(LARGE_PAGES, "1")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        for parameter, value in PARAMETERS.items():
            mallopt(parameter, value)


def processors() -> int:
    """Number of processors that this process may use: of the machine, its container, its affinity and its batch system."""
    from joblib import cpu_count  # reads affinity and the quotas of containers

    granted = [os.environ.get(name, "").split(",")[0] for name in GRANTED]
    return max(1, min([cpu_count(), *(int(number) for number in granted if number.isdigit() and int(number))]))


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it, torch computes with the calling thread alone; also a decorator.

    Threads that share the steps of a training gain little and wait on each other: beside one other busy process, a training
    of two threads takes several times as long, one of a single thread as long as before (benchmarks/busy.py). They also
    add numbers in another order, so that the weights of a seed would depend on the number of processors. Processors are
    used by several trainings, or windows of a map, at the same time; then no wait policy of OpenMP matters.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
