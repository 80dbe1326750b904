"""Disks that are full or cannot be written, for tests that also run as root: limits of this process, and own mounts."""

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def files_end_at(limit: int) -> Iterator[None]:
    """In the block a file of this process can have no more bytes than `limit`, as on a disk that becomes full there."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def on_own_disk(folder, command: list[str], size: str = "64k", read_only: bool = False, **choice):
    """Run a command whose view of `folder` is a small tmpfs of its own; the test skips where this is not allowed.

    Returns the finished process. After the command, the names of all files there, with their sizes, are printed.
    """
    if sys.platform != "linux" or not shutil.which("unshare"):
        pytest.skip("own mounts need Linux' unshare")
    lock = f"mount -o remount,ro {folder} &&" if read_only else ""
    script = f'mount -t tmpfs -o size={size} tmpfs {folder} && {lock} cd {folder} || exit 99; "$@"; code=$?; '
    script += f"find {folder} -type f -printf '%P %s\\n'; exit $code"
    line = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *command]
    done = subprocess.run(line, capture_output=True, text=True, check=False, **choice)
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"own mounts are not allowed here: {done.stderr.strip()}")
    return done
