"""Memory of the process: large arrays apart from the small blocks that GDAL keeps."""

import ctypes
import sys

#: Parameters of mallopt, by their numbers in GNU's malloc.h: one heap for all threads; arrays of 32 MiB and more outside
#: it, always (else the limit grows with what is freed); a heap's free end goes back to the system from 256 MiB on.
#: What networks keep of a block is smaller: outside, its pages would be asked from the system anew for each block, which
#: with a limit of 16 MiB was a twentieth of the time of a map by 2D-CNN.
PARAMETERS = {-8: 1, -3: 32 * 1024**2, -1: 256 * 1024**2}


def order() -> None:
    """Keep arrays apart from the blocks of GDAL's cache, in this process from now on; only with GNU's C library.

    Blocks that are given back leave holes in a heap, arrays of many sizes tear them further, and each thread that is
    there already has a heap of its own: the earlier, the better. Without it a map of twice the columns took a quarter
    more memory (benchmarks/memory.py); it costs no time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    for parameter, value in PARAMETERS.items() if mallopt else ():
        mallopt(parameter, value)
