"""Peak resident memory of a process."""

import resource
import sys
from pathlib import Path


def peak_memory() -> float:
    """Peak resident memory of this process so far, in GB.

    On Linux that of the program alone: `getrusage` counts what the process held as a copy of the one that started it.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
