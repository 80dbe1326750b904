"""The store of artifacts: each is found or made, with its provenance, and complete or absent.

An artifact is a folder `<root>/<stage>/<name>-<key>/`. It is made in a temporary folder and renamed when complete, so a
folder under its final name is always whole. The next process that makes an artifact removes what a killed one left.
"""

import errno
import json
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock

from . import environment
from .allocation import processors
from .errors import InputError
from .outputs import NO_ROOM, check_place, replace, size, used

#: Raise by hand when what a stage writes changes, so that artifacts of older code are not taken for new ones.
FORMAT = 9

OTHER_STORE = "Choose another folder with --store or PAPERLIB_STORE."

#: Folders of artifacts, and files of measurements, in the order in which this process asked for them.
asked: list[Path] = []

LIBRARIES = ("torch", "numpy", "xarray", "rasterio", "geopandas", "scikit-learn")


def project() -> Path:
    """The checkout of this project that the working directory lies in, else the working directory itself."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").is_file() and (folder / "src" / "paperlib").is_dir():
            return folder
    return here


def open_store(folder: str | Path | None = None) -> Path:
    """Root folder of a store: `folder`, else $PAPERLIB_STORE, else data/artifacts of the project. Creates nothing."""
    chosen = str(folder or "") or environment.read("STORE")
    return Path(chosen).absolute() if chosen else project() / "data" / "artifacts"


def place(root: Path, stage: str, name: str, key: str) -> Path:
    """Folder of an artifact in the store `root`; it exists where the artifact is made."""
    return root / stage / f"{name}-{key}"


def find_or_make(
    root: Path,
    stage: str,
    name: str,
    key: str,
    make: Callable[[Path], object],
    settings: dict,
    resumes: bool = False,
    needed: int = 0,
) -> Path:
    """Folder of an artifact in the store `root`; where it does not exist yet, `make(folder)` fills an empty one first.

    Adds `provenance.json`. A second process that asks for the same artifact waits and then finds it. With `resumes`,
    `make` gets what an interrupted or failed run left, and continues from what is complete in it.
    `needed`: bytes that `make` writes at least.
    Raises what `make` raises, after removing what it wrote unless it `resumes`; `InputError` when the store cannot be
    written, and when its disk has less room than needed before the work starts or is full on the way.
    """
    final = place(root, stage, name, key)
    asked.append(final)
    if final.is_dir():
        return final
    partial = root / ".partial" / f"{stage}-{name}-{key}"
    try:
        for folder in (partial.parent, final.parent):
            folder.mkdir(parents=True, exist_ok=True)
            check_place(folder, folder=True)
    except (OSError, InputError) as error:
        raise InputError(f"The store {root} cannot be written ({error}).", OTHER_STORE, kind="store.write") from error
    with FileLock(f"{partial}.lock"):
        if final.is_dir():
            return final
        if not resumes:
            shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(exist_ok=True)
        started = time.perf_counter()
        try:
            missing = needed - used(partial)
            if missing > shutil.disk_usage(root).free:
                raise OSError(errno.ENOSPC, f"{size(missing)} are needed")
            make(partial)
            write_json(partial / "provenance.json", provenance(settings, time.perf_counter() - started))
            replace(partial, final)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            free = size(shutil.disk_usage(root).free)
            problem = f"No room to write {stage} {name} in {root} ({error.strerror}): {free} are free there."
            kept = " What is complete is kept; the same command goes on from it." if resumes else ""
            raise InputError(problem, f"Make room, or: {OTHER_STORE}{kept}", kind="store.full") from error
        finally:
            if not resumes or (partial.is_dir() and not any(partial.iterdir())):
                shutil.rmtree(partial, ignore_errors=True)
    return final


def provenance(settings: dict, seconds: float) -> dict:
    """What is needed to make a result again: settings, code, versions, machine; and how long it took, in seconds."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
        "settings": settings,
        "commit": commit(),
        "format": FORMAT,
        "python": platform.python_version(),
        "versions": {library: metadata.version(library) for library in LIBRARIES},
        "machine": f"{platform.system()} {platform.machine()}, {processors()} cores",
        "device": device_name(),
    }


def commit() -> str:
    """Commit of the source tree that runs, with "-dirty" when it is changed; "unknown" outside a git checkout.

    Measurements kept in benchmarks/results are no change: one script after the other writes there.
    """

    def git(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10, check=False
        )

    try:
        name = git("describe", "--always", "--abbrev=12")
        changed = git("diff", "--quiet", "HEAD", "--", ":(top)", ":(top,exclude)benchmarks/results")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    if name.returncode:
        return "unknown"
    return name.stdout.strip() + ("-dirty" if changed.returncode else "")


def device_name() -> str:
    """Name of the device on which networks run: the GPU's own name, or "cpu"."""
    torch = sys.modules.get("torch")  # a stage that never loaded torch ran on the CPU
    if torch is not None and torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return "cpu"


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON; NaN is refused, since JSON has none."""
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Content of a JSON file."""
    return json.loads(path.read_text())
