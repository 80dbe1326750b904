"""A few digits that tell whether the files behind a scene or a vector file changed."""

import hashlib
from pathlib import Path

from ..errors import InputError
from .formats.stack import dates_file
from .formats.theia import find_products
from .scene import kind_of


def fingerprint(path: str | Path) -> str:
    """Twelve hexadecimal digits of the names, sizes and modification times of the files behind a scene or vector file.

    Files beside them (previews, notes) do not count. Raises `InputError` when the path does not exist or, as a folder,
    holds no scene.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path} does not exist.")
    root = path if path.is_dir() else path.parent
    if path.is_dir() and kind_of(path) == "theia_l3a":
        files = [file for product in find_products(path) for file in product.files]
    elif path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file()]
    elif path.suffix.lower() == ".shp":
        files = list(root.glob(f"{path.stem}.*"))
    else:
        beside = (path, dates_file(path), path.with_suffix(".classes.csv"))  # the last of polygons
        files = [file for file in beside if file.is_file()]
    states = [(file.relative_to(root).as_posix(), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(sorted(states)).encode()).hexdigest()[:12]
