"""A few digits that tell whether anything changed that is read of a scene or a vector file."""

import hashlib
import shutil
import sqlite3
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from ..errors import InputError
from ..outputs import no_room
from .formats.l2a import find_folders, read_product
from .formats.loose import find_images
from .formats.stac_items import IMAGES, asset_path, read_items
from .formats.theia import BAND_FILE, find_products
from .scene import kind_of

#: Files beside one that is read, which change what is read of it: behind its whole name, and in place of its ending.
BEHIND = (".aux.xml", ".hdr", ".msk", ".msk.aux.xml", ".json", ".ovr")
INSTEAD = (
    ".aux.xml", ".hdr", ".prj", ".wld", ".tfw", ".j2w", ".cpg", ".dbf", ".shx", ".qpj", ".json", ".dates.txt",
    ".classes.csv",
)  # fmt: skip
#: Files of labels, of which a folder may hold several (`labels.formats.files` reads them).
TABLES = (
    ".gpkg", ".shp", ".geojson", ".json", ".fgb", ".kml", ".kmz", ".gml", ".gpx", ".tab", ".sqlite", ".geojsonl", ".parquet",
    ".geoparquet", ".pq", ".csv", ".tsv", ".txt",
)  # fmt: skip
DATABASES = (".gpkg", ".sqlite", ".db")


def fingerprint(path: str | Path) -> str:
    """Twelve hexadecimal digits of all files that are read of a scene or a vector file: names, sizes, times of change.

    Sources of a VRT count, also through further VRTs, and the images that STAC items name; of a GeoPackage its content
    counts, with edits that still lie in its write-ahead log. Images behind addresses count by
    name. Other files in the folder (previews, notes) do not count.
    Raises `InputError` when the path does not exist or, as a folder, holds no scene.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(
            f"{path} does not exist.", "Give the path of a file or folder that is there.", kind="scene.path"
        )
    root = path if path.is_dir() else path.parent
    states = [(_name(file, root.absolute()), *_state(file)) for file in _with_those_beside(_read(path))]
    return hashlib.sha256(repr(sorted(states)).encode()).hexdigest()[:12]


def _read(path: Path) -> Iterable[Path]:
    """The files that reading a path opens, without those beside them."""
    if not path.is_dir():
        if path.suffix.lower() in (".json", ".geojson"):
            return [path, *_of_items(path)]
        return _sources(path) if path.suffix.lower() in IMAGES else [path]
    if path.suffix.lower() == ".gdb":
        return [file for file in path.rglob("*") if file.is_file()]
    kind = kind_of(path)
    tables = [file for file in path.rglob("*") if file.suffix.lower() in TABLES]
    sure = any(file.suffix.lower() not in (".txt", ".json") for file in tables)  # those lie beside images too
    if kind == "theia_l3a" and sure and not any(BAND_FILE.fullmatch(image.name) for image in path.rglob("*.tif")):
        return tables
    if kind == "theia_l3a":
        return [file for product in find_products(path) for file in product.files]
    if kind == "files":
        return [source for image in find_images(path) for source in _sources(image)]
    if kind == "l2a":
        products = [(folder, read_product(folder)) for folder in find_folders(path)]
        images = [Path(band.href) for _, product in products for band in product.bands.values()]
        masks = [Path(mask) for _, product in products for mask in product.masks.values()]
        return [*images, *masks, *(file for folder, _ in products for file in folder.glob("*MTD*.xml"))]
    return [file for file in path.rglob("*") if file.is_file()]


def _of_items(path: Path) -> list[Path]:
    """Images that the STAC items of a file name; none of a file of vectors."""
    try:
        assets = [asset for item in read_items(path) for asset in item["assets"].values() if isinstance(asset, dict)]
    except InputError:
        return []
    images = []
    for asset in assets:
        with suppress(InputError):  # of an address that is not opened
            place = asset_path(path, asset)
            images += [place] if isinstance(place, Path) else []
    return [source for image in images if image.is_file() for source in _sources(image)]


def _sources(path: Path, seen: frozenset[Path] = frozenset()) -> list[Path]:
    """An image and, of a VRT, the files it is made of; GDAL names those of one level."""
    try:
        with warnings.catch_warnings(action="ignore", category=NotGeoreferencedWarning), rasterio.open(path) as source:
            named = [Path(name) for name in source.files]
    except RasterioError:  # the reader says why
        return [path]
    files = [path]
    for file in named:
        if file.absolute() != path.absolute() and file.absolute() not in seen:
            files += _sources(file, seen | {path.absolute()}) if file.suffix.lower() in IMAGES else [file]
    return files


def _with_those_beside(read: Iterable[Path]) -> set[Path]:
    """Files that are there, and those beside them; each folder is listed once, not asked for every name."""
    wanted: dict[Path, set[str]] = defaultdict(set)
    for file in read:
        beside = [file.name + ending for ending in BEHIND]
        beside += [file.stem + ending for ending in INSTEAD if file.suffix]
        wanted[file.absolute().parent].update((file.name, *beside))
    folders = [(folder, names) for folder, names in wanted.items() if folder.is_dir()]
    return {file for folder, names in folders for file in folder.iterdir() if file.name in names and file.is_file()}


def _name(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()


def _state(file: Path) -> tuple[int, str]:
    if file.suffix.lower() in DATABASES and (content := _content(file)) is not None:
        return len(content), hashlib.sha256(content).hexdigest()
    return file.stat().st_size, str(file.stat().st_mtime_ns)


def _content(file: Path) -> bytes | None:
    """The content of an SQLite file with its write-ahead log; None of what is no such file.

    With a log, a copy is opened, since opening in place leaves files beside the user's. Raises `InputError` where the
    folder of temporary files has no room for it.
    """
    log = file.with_name(file.name + "-wal")
    if not log.is_file() or not log.stat().st_size:
        return _serialized(f"{file.absolute().as_uri()}?immutable=1")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        try:
            shutil.copyfile(file, copy)
            shutil.copyfile(log, copy.with_name("copy-wal"))
        except OSError as error:
            raise no_room(copy, error, file.stat().st_size + log.stat().st_size) from error
        return _serialized(copy.as_uri())


def _serialized(address: str) -> bytes | None:
    try:
        with closing(sqlite3.connect(address, uri=True)) as source, closing(sqlite3.connect(":memory:")) as memory:
            source.backup(memory)
            return memory.serialize()
    except sqlite3.Error:
        return None
