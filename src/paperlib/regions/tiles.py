"""The tiles of a region: a folder with one sub-folder or file a tile, or a YAML list of them."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..errors import InputError
from ..scenes import fingerprints
from ..scenes.cubes.several import are_dates
from ..scenes.scene import CUBES
from ..settings import key

LISTS = (".yml", ".yaml")
#: The name of a tile of Sentinel-2's grid, as in 31TCJ and T31TCJ.
MGRS = re.compile(r"T?(\d{2}[C-HJ-NP-X][A-HJ-NP-Z]{2})")
#: The same within the name of a product.
IN_NAME = re.compile(r"(?<![A-Za-z0-9])T(\d{2}[C-HJ-NP-X][A-HJ-NP-Z]{2})(?![A-Za-z0-9])")
#: So many names are looked at in a folder that may hold the products of a tile.
LOOKED_AT = 200
LIST = "Write a list of paths, or `tiles:` with entries like `31TCJ` or `{name: north, path: scenes/31TCJ}`."


class Tile(NamedTuple):
    """One scene of a region: its name, unlike any other in the region, and its path."""

    name: str
    path: Path


def find_tiles(path: str | Path) -> tuple[Tile, ...]:
    """The tiles of a region by name; () for a path that is a single scene, or nothing.

    A region is a YAML list; or a folder with two or more cubes (NetCDF, Zarr) whose names differ in more than a date; or
    one with two or more sub-folders that have the names of Sentinel-2 tiles, or hold products of one tile each. Raises
    `InputError` for a list that is none, and for a tile that it names twice.
    """
    path = Path(path)
    if path.suffix.lower() in LISTS:
        return _checked(_listed(path), path)
    if not path.is_dir() or path.suffix == ".zarr":
        return ()
    children = [child for child in sorted(path.iterdir()) if not child.name.startswith(".")]
    cubes = [child for child in children if child.suffix.lower() in (*CUBES, ".zarr")]
    if len(cubes) > 1 and not are_dates(cubes):
        return tuple(Tile(cube.stem, cube) for cube in cubes)
    named = [Tile(name, child) for child in children if child.is_dir() for name in _tile_of(child)]
    return tuple(named) if len({tile.name for tile in named}) == len(named) > 1 else ()


def fingerprint(path: str | Path) -> str:
    """Twelve hexadecimal digits of all files that are read of a scene or a region; see `scenes.fingerprints`."""
    tiles = find_tiles(path)
    if not tiles:
        return fingerprints.fingerprint(path)
    return key([[tile.name, fingerprints.fingerprint(tile.path)] for tile in tiles])


def _tile_of(folder: Path) -> list[str]:
    """The name of the tile in a folder, in a list; [] where the folder holds none or several."""
    if named := MGRS.fullmatch(folder.name):
        return [named[1]]
    if IN_NAME.search(folder.name):  # a product itself, of which a scene has one a date
        return []
    found = {match[1] for child in islice(_below(folder), LOOKED_AT) if (match := IN_NAME.search(child.name))}
    return list(found) if len(found) == 1 else []


def _below(folder: Path) -> Iterator[Path]:
    yield from folder.glob("*")
    yield from folder.glob("*/*")


def _listed(path: Path) -> list[Tile]:
    """The tiles that a YAML file lists, with paths relative to it."""
    try:
        content: Any = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problem = f"The list of tiles {path} cannot be read: {' '.join(str(error).split())}."
        raise InputError(problem, LIST, kind="region.format") from error
    entries = content.get("tiles") if isinstance(content, dict) and set(content) == {"tiles"} else content
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{path} is no list of tiles.", LIST, kind="region.format")
    tiles = []
    for entry in entries:
        place = {"path": entry} if isinstance(entry, str) else entry
        if not isinstance(place, dict) or not isinstance(place.get("path"), str) or set(place) - {"name", "path"}:
            raise InputError(f"In {path}, {entry!r} is no tile.", LIST, kind="region.format")
        home = path.parent / place["path"]
        tiles.append(Tile(str(place.get("name") or _name_of(home)), home))
    return tiles


def _name_of(path: Path) -> str:
    named = MGRS.fullmatch(path.stem)
    return named[1] if named else path.stem


def _checked(tiles: list[Tile], path: Path) -> tuple[Tile, ...]:
    """The tiles by name. Raises `InputError` for one that is listed twice or is not there."""
    seen: dict[str | Path, Tile] = {}
    for tile in tiles:
        if not tile.path.exists():
            fix = f"Paths are relative to {path.parent}."
            raise InputError(f"Tile {tile.name} of {path}: {tile.path} does not exist.", fix, kind="scene.path")
        for same in (tile.name, tile.path.resolve()):
            if same in seen:
                raise InputError(
                    f"{path} names a tile twice: {seen[same].name} ({seen[same].path}) and {tile.name} ({tile.path}).",
                    "Delete one, or give each a name of its own with `{name: ..., path: ...}`.", kind="region.twice",
                )  # fmt: skip
            seen[same] = tile
    return tuple(sorted(tiles))
