"""A finished class map on disk: its grid, classes and areas, read strip by strip."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp
from rasterio.windows import Window

from .. import ground
from ..errors import InputError
from ..nomenclature import NODATA_CLASS, LandCover, made_colours

#: Rows read at once.
ROWS = 512


@dataclass(frozen=True)
class ClassMap:
    """A class map on disk.

    `path` is a GeoTIFF of class codes, or the folder that `paperlib map` writes. Raises `InputError` where it is neither.
    """

    path: Path

    @classmethod
    def open(cls, path: str | Path) -> "ClassMap":
        """The map at a path: a file, a folder that holds class.tif, or one whose only map lies a folder below.

        Raises `InputError` for what is no class map, and for a folder of several.
        """
        path = Path(path)
        file = path / "class.tif" if path.is_dir() else path
        below = sorted(path.glob("*/class.tif")) if not file.is_file() else []
        if len(below) > 1:
            raise InputError(
                f"{path} holds several maps: {', '.join(map.parent.name for map in below)}.",
                f"Name one of these folders, as {below[0].parent}.", kind="map.several",
            )  # fmt: skip
        file = below[0] if below else file
        try:
            with rasterio.open(file) as source:
                kind = source.dtypes[0]
        except rasterio.RasterioIOError as error:
            raise InputError(
                f"{path} is no class map ({error}).",
                "Name a GeoTIFF of class codes, or a folder that `paperlib map` has written.", kind="map.unreadable",
            ) from error  # fmt: skip
        if kind != "uint8":
            raise InputError(
                f"{file} holds {kind}; a class map holds whole numbers from 0 to 255 (uint8).",
                "Convert it, for example with gdal_translate -ot Byte.", kind="map.type",
            )  # fmt: skip
        return cls(file)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file, in hexadecimal digits."""
        with open(self.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @cached_property
    def grid(self) -> tuple[rasterio.CRS, Affine, tuple[int, int]]:
        """CRS, transform and shape (rows, columns)."""
        with rasterio.open(self.path) as source:
            return source.crs, source.transform, source.shape

    @cached_property
    def categories(self) -> dict[int, str]:
        """Name of each code that the categories beside the map declare; empty without any."""
        beside = self.path.with_name(f"{self.path.name}.aux.xml")
        found = [node.text or "" for node in ElementTree.parse(beside).iter("Category")] if beside.is_file() else []
        return {code: name for code, name in enumerate(found) if name and code != NODATA_CLASS}

    @cached_property
    def names(self) -> dict[int, str]:
        """Name of each class code, from the categories beside the map; a code without a name is its own name."""
        return {code: self.categories.get(code, str(code)) for code in sorted(self.hectares)}

    @cached_property
    def legend(self) -> tuple[LandCover, ...]:
        """The classes that the map has, with the colours of its colour table, or of `made_colours` without one."""
        with rasterio.open(self.path) as source:
            table = source.colormap(1) if source.colorinterp[0] == ColorInterp.palette else {}
        made = made_colours(str(code) for code in self.names)
        colours = {code: "#{:02x}{:02x}{:02x}".format(*table[code]) for code in self.names if code in table}
        return tuple(LandCover(code, name, colours.get(code, made[str(code)])) for code, name in self.names.items())

    @cached_property
    def hectares(self) -> dict[int, float]:
        """Ground area of each class code that the map has."""
        crs, transform, _ = self.grid
        total = np.zeros(256)
        for top, codes in self.strips():
            total += ground.areas_of_codes(codes, transform * Affine.translation(0, top), crs)
        return {code: float(area) / 1e4 for code, area in enumerate(total) if area and code != NODATA_CLASS}

    def strips(self, name: str | None = None, halo: int = 0) -> Iterator[tuple[int, np.ndarray]]:
        """First row and values (y, x) of one strip of rows after the other, with `halo` rows more where there are any.

        `name`: of another file in the same folder and on the same grid.
        """
        with rasterio.open(self.path.with_name(name) if name else self.path) as source:
            for top in range(0, source.height, ROWS):
                first, last = max(0, top - halo), min(source.height, top + ROWS + halo)
                yield top, source.read(1, window=Window(0, first, source.width, last - first))
