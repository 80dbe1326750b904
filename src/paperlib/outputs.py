"""Output that is whole or not there: written beside its place and renamed when complete.

Until the new output is complete, what was in its place stays. Before the work starts, the place is tried and its room is
compared with what is needed.
"""

import errno
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError

#: Errors of a full disk, of a user's share of it, of the largest file allowed.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Errors of a place that takes no file.
NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)


@contextmanager
def writing(
    path: str | Path,
    folder: bool = False,
    needed: int = 0,
    errors: tuple[type[Exception], ...] = (),
    resume: str = "",
) -> Iterator[Path]:
    """Give a path to write to; when the block ends, what is there becomes `path`, whole.

    Parameters
    ----------
    path: the output. A file needs the folder that holds it; of a folder (`folder`) the folders above are made too.
    folder: the path given is an empty folder. Files of the same names in an existing `path` are replaced, others stay.
    needed: bytes that the output takes, as far as that is known.
    errors: what libraries raise when they cannot write, besides `OSError`.
    resume: a key of all that decides on the output. With it, what a stopped block with the same key has written is kept
        beside `path`, and given to the next one.

    Files that a driver writes beside the path given (such as .dbf beside .shp) become neighbours of `path`. When the
    block raises, `path` stays as it was. Raises `InputError` where `check_place` does, and when room or the right to
    write ends on the way.
    """
    check_place(path, folder, needed)
    path = Path(path).resolve()  # a link stays, what it leads to is replaced
    if folder:
        path.parent.mkdir(parents=True, exist_ok=True)
    merge = path.is_dir() and (path.is_mount() or any(path.iterdir()))
    home = path if merge else path.parent
    beside, whole = home / f".{path.name}.{resume}.partial", False
    if resume:
        beside.mkdir(exist_ok=True)
    else:
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=home))
    try:
        part = beside / path.name
        if folder:
            part.mkdir(exist_ok=True)
        yield part
        if not folder or merge:
            _move_files(part if folder else beside, home)
        else:
            replace(part, path)
        whole = True
        for left in home.glob(f".{path.name}.*.partial"):  # by killed processes
            shutil.rmtree(left, ignore_errors=True)
    except (OSError, *errors) as error:  # type: ignore[misc]  # mypy does not unpack the tuple
        if isinstance(error, OSError) and error.errno not in NO_ROOM + NO_ACCESS and not isinstance(error, errors):
            raise
        raise no_room(path, error, needed) from error
    finally:
        if whole or not resume:
            shutil.rmtree(beside, ignore_errors=True)


def replace(partial: Path, final: Path) -> None:
    """Rename a complete file or folder, after its content is on the disk, so that a loss of power cannot empty it."""
    for path in sorted(partial.rglob("*")) if partial.is_dir() else ():
        _sync(path)
    _sync(partial)
    os.replace(partial, final)
    _sync(final.parent)


def check_place(path: str | Path, folder: bool = False, needed: int = 0) -> None:
    """Raise `InputError` unless a file, or a folder, can be written at `path` and its disk has the bytes `needed`."""
    path, other = Path(path), "Name another place, or remove what is there."
    try:
        above = path.resolve()
        while not above.exists():
            above = above.parent
        if above == path.resolve() and above.is_dir() != folder:
            kinds = ("a file", "a folder") if folder else ("a folder", "a file")
            raise InputError(f"{path} is {kinds[0]}; {kinds[1]} is to be written there.", other, kind="output.place")
        if above == path.resolve() and not folder:
            if not above.is_file():
                raise InputError(f"{path} is a device.", "Name a file.", kind="output.place")
            above = above.parent
        if not above.is_dir():
            raise InputError(f"{path} lies below {above}, which is a file.", other, kind="output.place")
        if not folder and above != path.resolve().parent:
            raise InputError(
                f"{path} lies in a folder that does not exist.",
                f"Make {path.parent}, or name another place.",
                kind="output.place",
            )
        os.rmdir(tempfile.mkdtemp(prefix=".", suffix=".partial", dir=above))
    except OSError as error:
        raise no_room(path, error, needed) from error
    if needed > shutil.disk_usage(above).free:
        raise no_room(path, None, needed)


def no_room(path: Path, error: Exception | None = None, needed: int = 0) -> InputError:
    """The error of an output that its place does not take: what is needed and free there, and the way out."""
    reason = getattr(error, "strerror", None) or str(error or "").partition("\n")[0].rstrip(".")
    text = f" ({reason})" if reason else ""
    if isinstance(error, OSError) and error.errno in NO_ACCESS:
        return InputError(
            f"{path} cannot be written{text}.", "Name a place that you may write to.", kind="output.access"
        )
    home = path.absolute()
    while not home.is_dir():
        home = home.parent
    wanted = f"{size(needed)} are needed and " if needed else ""
    return InputError(
        f"{path} cannot be written whole{text}: {wanted}{size(shutil.disk_usage(home).free)} are free there.",
        "Make room, or name another place; nothing that was there is lost, and the same command goes on.",
        kind="output.room",
    )


def size(number: float) -> str:
    """Bytes as text, such as "29.1 kB" or "3.2 GB"."""
    if number < 1000:
        return f"{number:.0f} bytes"
    power = min(int(math.log10(number)) // 3, 4)
    return f"{number / 1000**power:.1f} {('kB', 'MB', 'GB', 'TB')[power - 1]}"


def used(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _move_files(source: Path, target: Path) -> None:
    """Move each file below `source` to the same place below `target`, replacing one that is there."""
    files = [path for path in sorted(source.rglob("*")) if not path.is_dir()]
    for path in files:
        _sync(path)
    for path in files:
        final = target / path.relative_to(source)
        final.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, final)
        _sync(final.parent)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
