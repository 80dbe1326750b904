"""Where to label next: places that a classifier is unsure of, unlike what is labelled and unlike each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr
from rasterio.features import geometry_mask
from shapely.affinity import affine_transform

from ..errors import InputError
from ..features.samples import Samples, join
from ..figures.images import available_composites, colour_limits, composite
from ..figures.labelling_figures import chips_figure
from ..figures.theme import Figure
from ..labels.formats.styles import class_style
from ..labels.formats.writing import write_polygons
from ..nomenclature import LandCover
from ..outputs import writing
from ..runs.experiment import Experiment
from ..settings import Labels
from ..training.classifier import Classifier
from .places import Places, features_of, find_places
from .sheets import write_page

#: Pixels of an image that are shown around a place, and dates that are shown.
AROUND, DATES = 20, 3


@dataclass(frozen=True)
class Suggestions:
    """Places to label, the most useful first, and what is needed to show them.

    `table`: columns rank (from 1), looks_like, probability (of that class), unsure (0 to 1), tile ("" in a single scene),
    geometry. `places`: the same in pixels of their tile, in this order. `scenes`: by tile, of those that hold a place.
    """

    table: gpd.GeoDataFrame
    places: Places
    scenes: dict[str, xr.DataArray]
    polygons: gpd.GeoDataFrame
    legend: tuple[LandCover, ...]
    labels: Labels  # how the file of the labelled polygons is read

    @cached_property
    def around(self) -> list[xr.DataArray]:
        """Each place and its surroundings (band, time, y, x), lazy."""
        found = []
        for tile, (top, left, bottom, right) in zip(self.table["tile"], self.places.bounds, strict=True):
            y, x = (slice(max(0, first - AROUND), last + AROUND) for first, last in ((top, bottom), (left, right)))
            found.append(self.scenes[tile].isel(y=y, x=x))
        return found

    @cached_property
    def limits(self) -> np.ndarray:
        """As of `colour_limits`, of all places, so that colours mean the same on each image."""
        return colour_limits(self.around, next(iter(available_composites(self.around[0]).values())))

    def chips(self, rank: int) -> Figure:
        """A place and its surroundings, on the dates on which they differ most, of those without clouds on the place."""
        number = rank - 1
        around, bands = self.around[number], next(iter(available_composites(self.around[number]).values()))
        images = composite(around, bands, self.limits)
        hidden = around["mask"].transpose("time", "y", "x").values
        origin = np.maximum(0, self.places.bounds[number, :2] - AROUND)
        top, left, bottom, right = self.places.bounds[number] - np.tile(origin, 2)
        covered = hidden[:, top:bottom, left:right].mean((1, 2))
        clear = np.flatnonzero(covered <= np.sort(covered)[:DATES][-1])  # on which most of the place is seen
        dates = clear[differing(np.where(hidden[clear, ..., None], np.nan, images[clear]), DATES)]
        titles = [f"{around.indexes['time'][date]:%Y-%m-%d}" for date in dates]
        border = shapely.get_coordinates(self.places.outline[number].exterior) - origin[::-1]
        return chips_figure(images[dates], titles, border)


def choose(probability: np.ndarray, feature: np.ndarray, known: np.ndarray, number: int) -> np.ndarray:
    """Numbers of the places to label, the most useful first.

    Parameters
    ----------
    probability: (place, class).
    feature: (place, feature), of the places.
    known: (polygon, feature), of what is labelled.
    number: of places to choose.

    One place after the other is the one with the largest product of how unsure its class is and how far its series is from
    all that is labelled or chosen already.
    """
    unsure, chosen = uncertainty(probability), []
    nearest = _distances(feature, known).min(1) if len(known) else np.ones(len(feature))
    for _ in range(min(number, len(feature))):
        best = int(np.argmax(unsure * nearest))
        chosen.append(best)
        nearest = np.minimum(nearest, _distances(feature, feature[best : best + 1])[:, 0])
        nearest[chosen] = -1
    return np.array(chosen, int)


def uncertainty(probability: np.ndarray) -> np.ndarray:
    """How unsure the class of each place is (place,), 0 to 1: 1 less the margin between the two most probable classes."""
    ordered = np.sort(probability, 1)
    return 1 - (ordered[:, -1] - ordered[:, -2])


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Euclidean distances (one, other) of features."""
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    return np.sqrt(np.maximum(squares, 0))


def suggest_places(
    run: Experiment, number: int = 30, name: str = "iota2_base", side: int = 5, candidates: int = 3000, seed: int = 0
) -> Suggestions:
    """Choose places of a run's scene, or of all tiles of its region, to label next.

    Parameters
    ----------
    run: its training polygons are what is labelled. Of the test polygons nothing is used but where they lie, to stay away.
    number: of places.
    name: the classifier whose chosen training says how unsure each place is.
    side, candidates, seed: as of `find_places`; the tiles of a region share the candidates.

    Raises `InputError` where `find_places` does, and for a number below 1.
    """
    if number < 1:
        raise InputError(f"{number} places are asked for.", "Ask for 1 or more.", kind="places.number")
    classifier = run.classifier(name)
    pool = join(run.trained.samples(name)[part] for part in ("train", "validation"))
    places, tiles = _candidates(run, classifier, side, candidates, seed)
    known = known_features(pool, classifier.normaliser.apply)
    chosen = choose(places.probability, places.feature, known, number)
    places, tiles = places[chosen], tiles[chosen]
    scenes = {tile: run.dataset.tile_scene(tile) for tile in sorted(set(tiles))}
    table = _table(places, tiles, scenes, run)
    return Suggestions(table, places, scenes, run.polygons, run.legend, run.settings.labels)


def _candidates(
    run: Experiment, classifier: Classifier, side: int, number: int, seed: int
) -> tuple[Places, np.ndarray]:
    """Places of all tiles, and the tile (place,) of each. A tile without any is left out, unless all are."""
    found, fault = {}, None
    for tile in run.dataset.tiles:
        scene = run.dataset.tile_scene(tile)
        outlines = run.polygons.geometry.to_crs(scene.rio.crs)
        labelled = geometry_mask(outlines, scene.shape[-2:], scene.rio.transform(), invert=True)
        try:
            found[tile] = find_places(scene, classifier, labelled, side, -(-number // len(run.dataset.tiles)), seed)
        except InputError as error:
            if error.kind != "places.none":
                raise
            fault = error
    if fault and not found:
        raise fault
    names = ("outline", "feature", "probability")
    arrays = (np.concatenate([getattr(places, name) for places in found.values()]) for name in names)
    return Places(*arrays), np.repeat(list(found), [len(places) for places in found.values()])


def known_features(samples: Samples, normalise: object) -> np.ndarray:
    """Features (polygon, channel x date) of what is labelled, as those of `Places`."""
    pixels = samples.pixels()
    return features_of(normalise(pixels.x), pixels.polygon)  # type: ignore[operator]


def _table(places: Places, tiles: np.ndarray, scenes: dict[str, xr.DataArray], run: Experiment) -> gpd.GeoDataFrame:
    """See `Suggestions`; outlines are in the CRS of the polygons."""
    outlines = np.empty(len(places), object)
    for tile, scene in scenes.items():
        mine, transform = np.flatnonzero(tiles == tile), scene.rio.transform()
        to_map = [transform.a, transform.b, transform.d, transform.e, transform.c, transform.f]
        there = gpd.GeoSeries([affine_transform(one, to_map) for one in places.outline[mine]], crs=scene.rio.crs)
        outlines[mine] = there.to_crs(run.polygons.crs).to_numpy()
    table = pd.DataFrame(
        {
            "rank": np.arange(1, len(places) + 1),
            "looks_like": [run.legend[index].name for index in places.probability.argmax(1)],
            "probability": places.probability.max(1).round(3), "unsure": uncertainty(places.probability).round(3),
            "tile": tiles,
        }
    )  # fmt: skip
    return gpd.GeoDataFrame(table, geometry=outlines, crs=run.polygons.crs)


def write_suggestions(found: Suggestions, folder: Path) -> Path:
    """Write suggestions.gpkg and suggestions.html to a folder, which is made if it does not exist; returns it.

    The GeoPackage holds the places, whose class is to be filled in, and the labelled polygons: once filled in, it is the
    label file of the next training. Its columns have the names that those of the label file had where the settings name
    them, so that the same settings read it. Raises `InputError` where the folder cannot be written.
    """
    column = found.labels.field or "code"
    with writing(folder, folder=True) as target:
        style = class_style(found.legend, column, "rank", other="to label", codes=True)
        write_polygons(_label_file(found), target / "suggestions.gpkg", style)
        codes = [
            cover.own_code if cover.own_code == cover.name else f"{cover.own_code} {cover.name}"
            for cover in found.legend
        ]
        words = (
            f"Write the class of each place into the column {column} of suggestions.gpkg, where QGIS offers the classes in "
            "a list, and leave it empty where a place holds several classes. The file also holds the polygons that are "
            "labelled already, so that it can be trained on.",
            f"Classes: {', '.join(codes)}.",
        )
        write_page(target / "suggestions.html", "Where to label next", words, _cards(found))
    return folder


def _label_file(found: Suggestions) -> gpd.GeoDataFrame:
    """Labelled polygons and places in one table, as a label file."""
    sources = {cover.code: cover.own_code for cover in found.legend}
    before = found.polygons[["polygon_id", "code", "class_name", "colour", "set", "group", "geometry"]]
    before = before.assign(code=before["code"].map(sources), set=before["set"].where(before["set"] == "test", "pool"))
    first = int(before["polygon_id"].max()) + 1
    numbers = np.arange(len(found.table))
    places = found.table[["rank", "looks_like", "probability", "unsure", "geometry"]].assign(
        polygon_id=first + numbers, code=None, class_name="", colour="", set="pool",
        group=int(before["group"].max()) + 1 + numbers,
    )  # fmt: skip
    both = pd.concat([places, before], ignore_index=True)
    if all(code.isdigit() and str(int(code)) == code for code in sources.values()):
        both["code"] = both["code"].astype("Int64")
    both = both.assign(rank=both["rank"].astype("Int64"))
    return gpd.GeoDataFrame(_renamed(both, found.labels), crs=found.polygons.crs)


def _renamed(table: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """The columns under the names by which the settings of the labels ask for them; groups only where they do."""
    own = {"code": labels.field, "class_name": labels.name_field, "set": labels.set_field, "group": labels.group_field}
    if not labels.group_field:
        table = table.drop(columns="group")
    own = {column: name for column, name in own.items() if name and name != column}
    return table.drop(columns=table.columns.intersection(list(own.values()))).rename(columns=own)


def _cards(found: Suggestions) -> Iterator[tuple[str, str, Figure]]:
    middle = found.table.representative_point().to_crs(4326)
    for row, point in zip(found.table.itertuples(), middle, strict=True):
        where = f"Tile {row.tile}, latitude" if row.tile else "Latitude"
        text = (
            f"Looks like {row.looks_like} ({100 * row.probability:.0f} %); unsure {100 * row.unsure:.0f} %. "
            f"{where} and longitude {point.y:.5f}, {point.x:.5f}."
        )
        yield f"Place {row.rank}", text, found.chips(row.rank)


def differing(images: np.ndarray, number: int) -> np.ndarray:
    """Indices, ascending, of the images (date, y, x, 3) that differ most from each other where neither is NaN."""
    flat = images.reshape(len(images), -1)
    apart = np.array([[np.abs(one - other)[~np.isnan(one - other)].sum() for other in flat] for one in flat])
    apart /= np.maximum(1, (~np.isnan(flat)).astype(float) @ (~np.isnan(flat)).T)
    chosen = [int(place) for place in np.unravel_index(apart.argmax(), apart.shape)] if len(images) > 1 else [0]
    while len(chosen) < min(number, len(images)):
        nearest = apart[:, chosen].min(1)
        chosen.append(int(nearest.argmax()))
    return np.unique(np.array(chosen, int))
