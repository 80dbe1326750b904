"""Another year of the simulated landscape: a later season, other crops and weather, and some places with another class.

The truth is known everywhere in both years, so that models that travel and maps of change can be measured. Assumed, not
measured: which covers follow each other (`SUCCESSORS`) and how often. Fields change their crop, which is no change of class.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from affine import Affine

from .landscape import COVERS, NAMES, Landscape, draw_landscape
from .objects import Objects
from .polygons import draw_polygons
from .scene import CRS_TILE, ORIGIN, TILE, describe_scene, write_product, write_truth
from .spectra import DATES, DAYS

#: The year of the simulated scene, and days by which the season of another year is later.
FIRST_YEAR, LATER = 2018, 8.0
#: Share of the area whose class changes.
CHANGED = 0.06
#: Crops that follow each other on a field, in any order.
CROPS = ("winter cereal", "rapeseed", "sunflower", "irrigated maize")
#: Covers that may follow on a cover where the class changes: fields are built on or sown with grass, woods are cut, ...
SUCCESSORS = {
    "winter cereal": ("building site", "mown meadow", "bare parcel"), "sunflower": ("mown meadow", "bare parcel"),
    "fallow field": ("shrub fallow", "dry meadow"), "mown meadow": ("winter cereal", "irrigated maize"),
    "dry meadow": ("shrub fallow", "winter cereal"), "pasture": ("sunflower",), "shrub fallow": ("coppice", "pasture"),
    "heath": ("young pines",), "bare parcel": ("winter cereal", "housing"), "building site": ("housing", "industry"),
    "broad-leaved wood": ("regrowth",), "needle-leaved wood": ("regrowth",), "regrowth": ("coppice", "young pines"),
}  # fmt: skip


def simulate_year(
    folder: Path,
    size: int,
    pool: int,
    test: int,
    seed: int,
    year: int = FIRST_YEAR + 1,
    later: float = LATER,
    changed: float = CHANGED,
    delay: int = 0,
) -> Path:
    """Write another year of a simulated scene to a new or empty folder and return the folder.

    Parameters
    ----------
    size, pool, test, seed: as of `scene.simulate_scene`, which writes the first year; the same values give the same
        landscape.
    year: of the images; each has its own changes, crops and clouds.
    later: days by which the season is later than in the first year.
    changed: share of the area whose class changes.
    delay: days by which all images are taken later than the dates of the first year.

    Writes what `simulate_scene` writes; polygons are drawn anew. Raises `InputError` as it does.
    """
    folder = describe_scene(folder, size, seed, f", the year {year}")
    random, other = np.random.default_rng(seed), np.random.default_rng([seed, year])
    first = draw_landscape(size, random)
    transform = Affine(10, 0, ORIGIN[0], 0, -10, ORIGIN[1])
    draw_polygons(first, transform, CRS_TILE.to_string(), pool, test, random)  # so that objects are drawn as they were
    objects = Objects(first, random)
    landscape = change(first, changed, other)
    polygons = draw_polygons(landscape, transform, CRS_TILE.to_string(), pool, test, other)
    polygons.to_file(folder / "polygons.gpkg", driver="GPKG")
    write_truth(folder, landscape)
    then = objects.in_another_year(landscape, other, DAYS + delay - later)
    for number, date in enumerate(DATES):
        taken = pd.Timestamp(date).replace(year=year) + pd.Timedelta(days=delay)
        write_product(folder / TILE, number, f"{taken:%Y-%m-%d}", then, other)
    return folder


def change(landscape: Landscape, share: float, random: np.random.Generator) -> Landscape:
    """The landscape after a year: crops are drawn anew, and objects of about `share` of the area have another class.

    Objects of several covers, as parcels with a hedge, stay as they are.
    """
    cover, objects = landscape
    number = objects.max() + 1
    low, high = np.full(number, len(NAMES)), np.full(number, -1)
    np.minimum.at(low, objects.ravel(), cover.ravel())
    np.maximum.at(high, objects.ravel(), cover.ravel())
    single, pixels = np.flatnonzero(low == high), np.bincount(objects.ravel(), minlength=number)
    kind = low.copy()
    crops = [NAMES.index(name) for name in CROPS]
    shares = np.array([COVERS[name].share for name in CROPS])
    fields = single[np.isin(low[single], crops)]
    kind[fields] = random.choice(crops, len(fields), p=shares / shares.sum())
    left = share * cover.size
    for place in random.permutation(single):
        successors = SUCCESSORS.get(NAMES[low[place]], ())
        if left > 0 and successors and pixels[place] <= left:
            kind[place] = NAMES.index(random.choice(successors))
            left -= pixels[place]
    alone = np.isin(np.arange(number), single)
    return Landscape(np.where(alone[objects], kind[objects], cover), objects)
