"""The simulated landscape: class, cover type and object of each pixel of 10 m.

A plain of rectangular parcels, similar to south-western France: fields, meadows, fallow, vines, orchards and bare parcels,
woods with irregular edges and stands of different trees, hedges, towns of several districts, villages, roads, a river,
ponds, lakes and quarries. The landscape is assumed, not measured.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter
from scipy.spatial import cKDTree
from skimage.draw import line


class Cover(NamedTuple):
    """A cover type of the simulated scene.

    Parameters
    ----------
    code: class code.
    share: share of the parcels; 0 for covers that are not parcels.
    parts: mean share of each material in its objects, the main material first.
    unity: concentration of the Dirichlet distribution of these shares; objects of a larger value are more alike.
    patches: unevenness of the materials within an object; 0 is the same mixture everywhere.
    """

    code: int
    share: float
    parts: dict[str, float]
    unity: float
    patches: float


#: Cover types by name. The material "field" is bare soil with a green cover that changes over the year, see
#: `spectra.SEASONS`.
COVERS = {
    "winter cereal": Cover(7, 0.21, {"field": 0.97, "herb": 0.03}, 150, 0.3),
    "rapeseed": Cover(7, 0.04, {"field": 0.97, "herb": 0.03}, 150, 0.3),
    "sunflower": Cover(7, 0.13, {"field": 0.97, "herb": 0.03}, 150, 0.3),
    "irrigated maize": Cover(7, 0.07, {"field": 0.98, "broad": 0.02}, 150, 0.3),
    "fallow field": Cover(7, 0.06, {"field": 0.7, "herb": 0.2, "strip": 0.1}, 40, 0.5),
    "mown meadow": Cover(6, 0.13, {"herb": 0.6, "field": 0.37, "broad": 0.03}, 40, 0.4),
    "dry meadow": Cover(6, 0.07, {"herb": 0.65, "open": 0.25, "soil": 0.03, "shrub": 0.07}, 30, 0.5),
    "pasture": Cover(6, 0.04, {"herb": 0.78, "shrub": 0.1, "broad": 0.07, "strip": 0.05}, 25, 0.7),
    "shrub fallow": Cover(5, 0.08, {"shrub": 0.77, "herb": 0.15, "open": 0.05, "broad": 0.03}, 25, 0.7),
    "heath": Cover(5, 0.05, {"shrub": 0.77, "open": 0.1, "needle": 0.08, "broad": 0.05}, 25, 0.9),
    "vineyard": Cover(5, 0.01, {"shrub": 0.7, "herb": 0.17, "soil": 0.13}, 40, 0.6),
    "bare parcel": Cover(10, 0.07, {"soil": 0.84, "field": 0.12, "strip": 0.04}, 25, 0.5),
    "building site": Cover(10, 0.01, {"soil": 0.76, "roof": 0.06, "road": 0.1, "strip": 0.08}, 30, 1.0),
    "orchard": Cover(3, 0.02, {"broad": 0.6, "herb": 0.3, "soil": 0.1}, 40, 0.8),
    "broad-leaved wood": Cover(3, 0, {"broad": 0.84, "needle": 0.12, "shrub": 0.04}, 12, 0.5),
    "coppice": Cover(3, 0, {"broad": 0.77, "shrub": 0.17, "needle": 0.02, "herb": 0.04}, 30, 0.6),
    "needle-leaved wood": Cover(2, 0, {"needle": 0.77, "broad": 0.18, "shrub": 0.05}, 12, 0.5),
    "young pines": Cover(2, 0, {"needle": 0.7, "shrub": 0.2, "herb": 0.05, "broad": 0.05}, 30, 0.7),
    "regrowth": Cover(5, 0, {"shrub": 0.75, "broad": 0.15, "needle": 0.05, "herb": 0.05}, 30, 0.7),
    "quarry": Cover(10, 0, {"soil": 0.72, "road": 0.12, "open": 0.08, "roof": 0.08}, 30, 0.9),
    "town centre": Cover(1, 0, {"roof": 0.4, "road": 0.35, "built": 0.15, "broad": 0.1}, 75, 1.1),
    "housing": Cover(1, 0, {"built": 0.46, "herb": 0.2, "roof": 0.17, "broad": 0.17}, 50, 1.6),
    "industry": Cover(1, 0, {"road": 0.42, "roof": 0.35, "built": 0.15, "strip": 0.08}, 30, 1.3),
    "sparse houses": Cover(1, 0, {"built": 0.4, "herb": 0.3, "broad": 0.15, "roof": 0.15}, 50, 2.0),
    "road": Cover(1, 0, {"road": 0.5, "built": 0.5}, 50, 0.3),
    "river": Cover(11, 0, {"lake": 0.8, "pond": 0.2}, 30, 0.2),
    "pond": Cover(11, 0, {"pond": 0.5, "lake": 0.5}, 20, 0.3),
}
NAMES = tuple(COVERS)
CODES = np.array([cover.code for cover in COVERS.values()], np.uint8)
_STANDS = {
    "broad-leaved wood": 0.44, "coppice": 0.12, "needle-leaved wood": 0.26, "young pines": 0.08, "regrowth": 0.1,
}  # fmt: skip
_DISTRICTS = {"town centre": 0.2, "housing": 0.5, "industry": 0.15, "sparse houses": 0.15}


class Landscape(NamedTuple):
    """Cover type (index into `NAMES`) and object number of each pixel, both (y, x)."""

    cover: np.ndarray
    objects: np.ndarray

    @property
    def codes(self) -> np.ndarray:
        """Class codes (y, x), uint8: the truth."""
        return CODES[self.cover]


def draw_landscape(size: int, random: np.random.Generator) -> Landscape:
    """A landscape of `size` x `size` pixels."""
    parcels = _parcels(size, random)
    cover = _draw_covers({name: cover_type.share for name, cover_type in COVERS.items()}, parcels, random)
    objects = parcels.copy()

    wooded = _smooth(size, 12, random)
    woods = wooded > np.quantile(wooded, 0.72)
    _subdivide(cover, objects, woods, _STANDS, 420, random)
    hedges = (parcels != np.roll(parcels, 1, 1)) & (random.random(parcels.max() + 1) < 0.15)[parcels]
    cover[hedges] = NAMES.index("broad-leaved wood")

    towns, number = np.zeros((size, size), bool), max(3, round(size / 170))
    for _ in range(number):
        _blob(towns, size * np.sqrt(0.09 / number / np.pi) * random.uniform(0.75, 1.2), random)
    for _ in range(max(4, round(size**2 * 5e-5))):
        _blob(towns, random.uniform(4, 12), random)
    _subdivide(cover, objects, towns, _DISTRICTS, 600, random)
    lakes = max(3, round(size / 100))
    waters = [size * np.sqrt(0.03 / lakes / np.pi) * random.uniform(0.7, 1.2) for _ in range(lakes)]
    waters += random.uniform(4, 9, max(3, round(size**2 * 5e-5))).tolist()
    for name, radii in (("quarry", random.uniform(6, 10, max(3, round(size**2 * 3.5e-5)))), ("pond", waters)):
        for radius in radii:
            _blob(cover, radius, random, NAMES.index(name), objects, objects.max() + 1)
    pond = NAMES.index("pond")
    for _ in range(max(3, round(size / 70))):
        road = _road(size, random) & (cover != pond)
        cover[road], objects[road] = NAMES.index("road"), objects.max() + 1
    river = _river(size, random)
    cover[river], objects[river] = NAMES.index("river"), objects.max() + 1
    return Landscape(cover, objects)


def _draw_covers(shares: dict[str, float], parcels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Cover type (y, x) of parcels (y, x), drawn with these shares."""
    weights = np.array(list(shares.values()))
    kinds = np.array([NAMES.index(name) for name in shares])
    return kinds[random.choice(len(kinds), parcels.max() + 1, p=weights / weights.sum())][parcels]


def _subdivide(
    cover: np.ndarray,
    objects: np.ndarray,
    where: np.ndarray,
    shares: dict[str, float],
    area: float,
    random: np.random.Generator,
) -> None:
    """Divide the pixels `where` (y, x) into objects of about `area` pixels: stands of woods or districts of towns."""
    parts = _parcels(len(cover), random, area)
    cover[where], objects[where] = _draw_covers(shares, parts, random)[where], objects.max() + 1 + parts[where]


def _parcels(size: int, random: np.random.Generator, area: float = 190) -> np.ndarray:
    """Parcel numbers (y, x): cells of random points in a rotated, stretched chessboard metric, of about `area` pixels."""
    points = random.uniform(-0.1 * size, 1.1 * size, (max(8, round(1.44 * size**2 / area)), 2))
    angle = random.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * [[1.0], [1.7]]
    pixels = np.moveaxis(np.mgrid[:size, :size], 0, -1).reshape(-1, 2) + 0.5
    nearest = cKDTree(points @ turn.T).query(pixels @ turn.T, p=np.inf)[1]
    return nearest.reshape(size, size)


def _smooth(size: int, scale: float, random: np.random.Generator) -> np.ndarray:
    """A random field (y, x) that varies over about `scale` pixels, with finer detail added."""
    coarse, fine = (gaussian_filter(random.normal(size=(size, size)), width) for width in (scale, scale / 4))
    return coarse / coarse.std() + 0.25 * fine / fine.std()


def _blob(
    image: np.ndarray,
    radius: float,
    random: np.random.Generator,
    value: bool | int = True,
    objects: np.ndarray | None = None,
    number: int = 0,
) -> None:
    """Draw a round object with an uneven outline into an image (y, x), and its number into `objects` (y, x)."""
    centre = random.uniform(0.03, 0.97, 2) * image.shape
    low = np.maximum(0, centre - 1.7 * radius).astype(int)
    window = tuple(slice(start, int(middle + 1.7 * radius) + 1) for start, middle in zip(low, centre, strict=True))
    dy, dx = np.mgrid[: image[window].shape[0], : image[window].shape[1]] + (low - centre)[:, None, None]
    angle = np.arctan2(dy, dx)
    waves = sum(random.uniform(-0.16, 0.16) * np.cos(k * angle + random.uniform(0, 6.3)) for k in (1, 2, 3, 5))
    inside = np.hypot(dy, dx) < radius * (1 + waves)
    image[window][inside] = value
    if objects is not None:
        objects[window][inside] = number


def _road(size: int, random: np.random.Generator) -> np.ndarray:
    """A road across the scene, 1 or 2 pixels wide, with a bend (y, x)."""
    road = np.zeros((size, size), bool)
    ends = random.integers(0, size, (3, 2))
    ends[0, random.integers(2)] = 0
    ends[2, random.integers(2)] = size - 1
    for start, stop in pairwise(ends):
        road[line(*start, *stop)] = True
    return binary_dilation(road, np.ones((2, 2))) if random.random() < 0.5 else road


def _river(size: int, random: np.random.Generator) -> np.ndarray:
    """A winding river from top to bottom, 5 to 9 pixels wide (y, x)."""
    y = np.arange(size)
    bends = sum(
        random.uniform(0.02, 0.06) * size * np.sin(2 * np.pi * y / (size * period) + random.uniform(0, 6.3))
        for period in (0.35, 0.8, 1.7)
    )
    middle = random.uniform(0.3, 0.7) * size + bends
    width = 3.5 + np.sin(y / 17)
    return np.abs(np.arange(size)[None, :] - middle[:, None]) < width[:, None]
