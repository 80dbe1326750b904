"""Draw a stratified random sample of map pixels, and write it for interpreters.

Points are numbered in random order and do not show the class of the map, so that they can be interpreted blindly. What the
estimate needs besides (strata, their sizes, the hash of the map) is kept in design.json.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from .. import outputs
from ..errors import InputError
from ..mapping.class_map import ClassMap
from . import strata as strata_of
from .stratified import allocate

#: Raise when the content of design.json changes.
FORMAT = 1


@dataclass(frozen=True)
class Design:
    """A sample of pixels and how it was drawn.

    Parameters
    ----------
    maps: name and SHA-256 of the map, or of both maps that are compared.
    strata: one entry a stratum: name, units (pixels of the map), points.
    points: one entry a point: id, stratum (its position in `strata`), code (of each map), row, column.
    choices: number, allocation, edge, strata raster and seed of the draw.
    """

    maps: list[dict]
    strata: list[dict]
    points: list[dict]
    choices: dict
    format: int = field(default=FORMAT)

    def table(self) -> pd.DataFrame:
        """Points with the columns id (index), stratum, code, row and column."""
        return pd.DataFrame(self.points).set_index("id")

    @property
    def sizes(self) -> dict[str, float]:
        """Pixels of each stratum."""
        return {stratum["name"]: stratum["units"] for stratum in self.strata}


def draw(
    class_map: ClassMap, number: int, rule: str = "equal", accuracy: float = 0.8, floor: int = 2, edge: int = 0,
    raster: str | Path | None = None, simple: bool = False, seed: int = 0,
) -> Design:  # fmt: skip
    """Draw `number` pixels of a map at random within strata.

    Parameters
    ----------
    class_map: its classes are the strata unless `raster` gives others; `edge` adds one of pixels near other classes.
    rule, floor: see `stratified.allocate`.
    accuracy: user's accuracy expected of every class, for the rule "neyman".
    simple: one stratum, the whole map: a simple random sample.
    seed: the same seed draws the same points.

    Raises `InputError` for a map without any class, and as `allocate` and `strata.strata` do.
    """

    def numbers() -> Iterator[tuple[int, np.ndarray]]:
        return _whole(strata_of.strata(class_map)) if simple else strata_of.strata(class_map, raster, edge)

    units = _count(numbers())
    if not units:
        raise InputError(f"{class_map.path} has no pixel with a class.", "Name another map.", kind="map.empty")
    sizes = np.array(list(units.values()))
    chosen = allocate(number, sizes, rule, np.full(len(sizes), accuracy), floor)
    generator = np.random.default_rng(seed)
    ranks = {
        name: np.sort(generator.choice(size, count, replace=False, shuffle=False))
        for name, size, count in zip(units, sizes, chosen, strict=True)
    }
    points = pd.DataFrame(_places(zip(numbers(), class_map.strips(), strict=True), ranks))
    points = points.iloc[generator.permutation(len(points))].assign(id=np.arange(1, len(points) + 1))
    points["stratum"] = points["stratum"].map({name: index for index, name in enumerate(units)})
    names = {strata_of.EDGE: "edges"} | ({1: "map"} if simple else {} if raster else class_map.names)
    described = [
        {"name": names.get(stratum, str(stratum)), "units": int(size), "points": int(count)}
        for stratum, size, count in zip(units, sizes, chosen, strict=True)
    ]
    choices = {
        "number": number,
        "rule": rule,
        "edge": edge,
        "strata": str(raster or ""),
        "simple": simple,
        "seed": seed,
    }
    records = points[["id", "stratum", "code", "row", "column"]].astype(int).to_dict("records")
    return Design([about(class_map)], described, records, choices)


def about(class_map: ClassMap) -> dict:
    """Name and SHA-256 of a map, as a design keeps them."""
    return {"name": class_map.path.name, "sha256": class_map.digest}


def _whole(strips: Iterable[tuple[int, np.ndarray]]) -> Iterator[tuple[int, np.ndarray]]:
    for top, number in strips:
        yield top, np.where(number == strata_of.NONE, strata_of.NONE, 1)


def _count(strips: Iterable[tuple[int, np.ndarray]]) -> dict[int, int]:
    """Pixels of each stratum number, in ascending order."""
    total: dict[int, int] = {}
    for _, number in strips:
        for name, count in zip(*np.unique(number, return_counts=True), strict=True):
            total[int(name)] = total.get(int(name), 0) + int(count)
    total.pop(strata_of.NONE, None)
    return dict(sorted(total.items()))


def _places(strips: Iterable, ranks: dict[int, np.ndarray]) -> list[dict]:
    """Row, column and class code of the pixels with these ranks in their strata, counted row by row."""
    seen, rows = dict.fromkeys(ranks, 0), []
    for (top, number), (_, codes) in strips:
        for name, wanted in ranks.items():
            places = np.flatnonzero(number == name)
            inside = wanted[(wanted >= seen[name]) & (wanted < seen[name] + len(places))] - seen[name]
            for place in places[inside]:
                row, column = divmod(int(place), number.shape[1])
                rows.append({"stratum": name, "code": int(codes.flat[place]), "row": top + row, "column": column})
            seen[name] += len(places)
    return rows


def locations(design: Design, class_map: ClassMap) -> gpd.GeoDataFrame:
    """The points with their id, at the middle of their pixels, in the CRS of the map, in the order of their numbers."""
    crs, transform, _ = class_map.grid
    table = design.table().sort_index()
    x, y = transform @ (table["column"].to_numpy() + 0.5, table["row"].to_numpy() + 0.5)
    return gpd.GeoDataFrame({"id": table.index}, geometry=gpd.points_from_xy(x, y), crs=crs)


def write_design(design: Design, class_map: ClassMap, folder: str | Path) -> Path:
    """Write a design to a folder, whole or not at all, and return the folder.

    points.gpkg (id, an empty column reference to fill, for QGIS and AcATaMa), ceo_plots.csv (PLOTID, LAT, LON for Collect
    Earth Online), area_rast.csv (the area table of SEPAL), design.json.
    """
    folder, points = Path(folder), locations(design, class_map)
    degrees = points.to_crs(4326).geometry
    plots = pd.DataFrame({"PLOTID": points["id"], "LAT": degrees.y.round(7), "LON": degrees.x.round(7)})
    names = class_map.names
    areas = pd.DataFrame(
        {"map_code": list(names), "map_area": [round(class_map.hectares[code], 4) for code in names],
         "map_edited_class": list(names.values())}
    )  # fmt: skip
    with outputs.writing(folder, folder=True) as partial:
        points.assign(reference=pd.Series([None] * len(points), dtype=object)).to_file(partial / "points.gpkg")
        plots.to_csv(partial / "ceo_plots.csv", index=False)
        areas.to_csv(partial / "area_rast.csv", index=False)
        (partial / "design.json").write_text(json.dumps(asdict(design), indent=1) + "\n")
    return folder


def read_design(path: str | Path) -> Design:
    """A design from its file, design.json. Raises `InputError` for another file or a newer format."""
    try:
        content = json.loads(Path(path).read_text())
        design = Design(**content)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{path} is no sampling design ({error}).",
            "Name the design.json that `paperlib design` wrote, with --design.",
            kind="design.unreadable",
        ) from error
    if design.format != FORMAT:
        raise InputError(
            f"{path} has format {design.format}; this version reads format {FORMAT}.",
            "Use the version that wrote it, or draw the sample again.",
            kind="design.format",
        )
    return design


def check_map(design: Design, class_map: ClassMap, position: int = 0) -> None:
    """Raise `InputError` unless a design was drawn on this very map; `position`: the first or second of two maps."""
    if design.maps[position]["sha256"] != class_map.digest:
        raise InputError(
            f"{class_map.path} is not the map that the sample was drawn on ({design.maps[position]['name']}): its content "
            "has changed since.",
            "Give the map of the design, or draw a new sample.",
            kind="design.map",
        )
