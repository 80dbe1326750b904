"""The simulated landscape: which class, cover type and object each pixel of 10 m belongs to, and polygons inside objects.

A plain of rectangular parcels in the manner of south-western France: fields, meadows, fallow and bare parcels, woods
with irregular edges and stands of different trees, hedges, villages of houses and gardens, roads, a river, ponds, quarries.
"""

from itertools import pairwise
from typing import NamedTuple

import geopandas as gpd
import numpy as np
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter
from scipy.spatial import cKDTree
from shapely import Polygon
from skimage.draw import line

from . import paper
from .errors import InputError


class Cover(NamedTuple):
    """A cover type of the simulated scene: its class code, and its share among the parcels (0: drawn by other means)."""

    code: int
    share: float


#: Cover types by name. The shares are assumptions, not measurements.
COVERS = {
    "winter cereal": Cover(7, 0.25),
    "rapeseed": Cover(7, 0.06),
    "sunflower": Cover(7, 0.15),
    "irrigated maize": Cover(7, 0.08),
    "mown meadow": Cover(6, 0.16),
    "dry meadow": Cover(6, 0.10),
    "shrub fallow": Cover(5, 0.07),
    "heath": Cover(5, 0.05),
    "bare parcel": Cover(10, 0.05),
    "quarry": Cover(10, 0),
    "oak wood": Cover(3, 0),
    "mixed wood": Cover(3, 0),
    "pine wood": Cover(2, 0),
    "open pine wood": Cover(2, 0),
    "village": Cover(1, 0),
    "road": Cover(1, 0),
    "river": Cover(11, 0),
    "pond": Cover(11, 0),
}
NAMES = tuple(COVERS)
CODES = np.array([cover.code for cover in COVERS.values()], np.uint8)

POOL_RADIUS = (2.0, 4.2)  # pixels: the circle that a polygon of the pool fills about
TEST_RADIUS = (2.4, 5.0)  # the second interpreter draws larger ones
TEST_BORDER = 0.6  # and nearer to the border: pixels left free, where the first leaves 1.2
POOL_BORDER = 1.2


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
    number = parcels.max() + 1
    shares = np.array([cover.share for cover in COVERS.values()])
    cover = random.choice(len(COVERS), number, p=shares / shares.sum())[parcels]
    objects = parcels.copy()

    wooded = _smooth(size, 12, random)
    woods = wooded > np.quantile(wooded, 0.74)
    stands = random.choice(4, number, p=[0.38, 0.18, 0.26, 0.18])
    names = ["oak wood", "mixed wood", "pine wood", "open pine wood"]
    kinds = np.array([NAMES.index(name) for name in names])
    coarse = _parcels(size, random, area=420)
    cover[woods] = kinds[stands[coarse[woods] % number]]
    objects[woods] = number + coarse[woods]

    hedges = (parcels != np.roll(parcels, 1, 1)) & (random.random(number) < 0.15)[parcels]
    cover[hedges] = NAMES.index("oak wood")

    area = (size / 100) ** 2
    for name, count, radius in (("quarry", 0.35, (6, 10)), ("pond", 0.7, (4, 9)), ("village", 0.5, (10, 20))):
        for _ in range(max(3, round(count * area))):
            where = _blob(size, radius, random)
            cover[where] = NAMES.index(name)
            objects[where] = objects.max() + 1
    for _ in range(max(3, round(size / 70))):
        road = _road(size, random) & (cover != NAMES.index("pond"))
        cover[road] = NAMES.index("road")
        objects[road] = objects.max() + 1
    river = _river(size, random)
    cover[river] = NAMES.index("river")
    objects[river] = objects.max() + 1
    return Landscape(cover, objects)


def _parcels(size: int, random: np.random.Generator, area: float = 190) -> np.ndarray:
    """Parcel number (y, x): cells nearest to scattered points in a turned, stretched chessboard metric, about `area` px."""
    points = random.uniform(-0.1 * size, 1.1 * size, (max(8, round(1.44 * size**2 / area)), 2))
    angle = random.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * [[1.0], [1.7]]
    pixels = np.stack(np.mgrid[:size, :size], -1).reshape(-1, 2) + 0.5
    nearest = cKDTree(points @ turn.T).query(pixels @ turn.T, p=np.inf)[1]
    return nearest.reshape(size, size)


def _smooth(size: int, scale: float, random: np.random.Generator) -> np.ndarray:
    """A random field (y, x) that varies over about `scale` pixels, with finer detail on top."""
    coarse, fine = (gaussian_filter(random.normal(size=(size, size)), width) for width in (scale, scale / 4))
    return coarse / coarse.std() + 0.25 * fine / fine.std()


def _blob(size: int, radius: tuple[float, float], random: np.random.Generator) -> np.ndarray:
    """A roundish object with an uneven outline, anywhere in the scene (y, x)."""
    centre, mean = random.uniform(0.03 * size, 0.97 * size, 2), random.uniform(*radius)
    dy, dx = np.mgrid[:size, :size] - centre[:, None, None]
    angle = np.arctan2(dy, dx)
    waves = sum(random.uniform(-0.16, 0.16) * np.cos(k * angle + random.uniform(0, 6.3)) for k in (1, 2, 3, 5))
    return np.hypot(dy, dx) < mean * (1 + waves)


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


def draw_polygons(
    landscape: Landscape, transform, crs: str, pool: int, test: int, random: np.random.Generator
) -> gpd.GeoDataFrame:
    """Polygons well inside objects: `pool` for training and validation, `test` by another interpreter's habits.

    Columns polygon_id, code, class_name, set, geometry. None overlaps another; all pixels of one have its class. Classes
    get polygons in proportion to the square root of their pixels in Table 2, objects in turn. Raises `InputError` where
    the scene has no room for them.
    """
    rows, taken = [], []
    wanted = {"pool": _numbers(pool, 3), "test": _numbers(test, 2)}
    for cover in paper.CLASSES:
        inside = distance_transform_edt(np.pad(landscape.codes == cover.code, 1))[1:-1, 1:-1]
        used = np.zeros(landscape.objects.max() + 1, int)
        for part, radii, border in (("test", TEST_RADIUS, TEST_BORDER), ("pool", POOL_RADIUS, POOL_BORDER)):
            for _ in range(wanted[part][cover.code]):
                place = _place(inside - border, taken, landscape.objects, used, radii, random)
                if place is None:
                    raise InputError(
                        f"The simulated scene of {len(inside)} pixels has no room for {pool} + {test} polygons (class "
                        f"{cover.name}): ask for fewer (scene.pool, scene.test) or a larger scene (scene.size)."
                    )
                y, x, radius = place
                used[landscape.objects[y, x]] += 1
                taken.append(place)
                shape = _outline(y + 0.5, x + 0.5, radius, random)
                rows.append((cover.code, cover.name, part, Polygon([transform @ (px, py) for py, px in shape])))
    table = gpd.GeoDataFrame(rows, columns=["code", "class_name", "set", "geometry"], crs=crs)
    table.insert(0, "polygon_id", np.arange(1, len(table) + 1))
    return table


def _numbers(total: int, least: int) -> dict[int, int]:
    """Polygons of each class: `total` in proportion to sqrt(pixels of Table 2), at least `least` each."""
    if total < least * len(paper.TABLE_2):
        raise InputError(f"{total} polygons for {len(paper.TABLE_2)} classes: {least} a class or more are needed.")
    weight = np.sqrt(list(paper.TABLE_2.values()))
    exact = least + (total - least * len(weight)) * weight / weight.sum()
    number = exact.astype(int)
    number[np.argsort(number - exact)[: total - number.sum()]] += 1
    return dict(zip(paper.TABLE_2, number.tolist(), strict=True))


def _place(room, taken, objects, used, radii, random) -> tuple[int, int, float] | None:
    """A pixel (y, x) with room for a polygon, in one of the least used objects, and the radius there is, in pixels.

    `room` (y, x) is the distance to the class's border, `taken` holds (y, x, radius) of the polygons so far.
    """
    radius = random.uniform(*radii)
    others = np.array(taken or [(-1e6, -1e6, 0)])
    for wish in (radius, (radius + radii[0]) / 2, radii[0], 1.6):
        pixels = np.argwhere(room >= wish)
        pixels = random.permutation(pixels)[:20000]
        turns = used[objects[tuple(pixels.T)]]
        for turn in np.unique(turns):
            some = pixels[turns == turn][:500]
            apart = np.linalg.norm(some[:, None] - others[:, :2], axis=2) - others[:, 2] - wish
            fits = np.flatnonzero(apart.min(1) > 1.5)
            if len(fits):
                return int(some[fits[0], 0]), int(some[fits[0], 1]), wish
    return None


def _outline(y: float, x: float, radius: float, random: np.random.Generator) -> np.ndarray:
    """Corners (y, x) of an irregular polygon of 4 to 6 corners inside a circle."""
    corners = random.integers(4, 7)
    angle = (
        random.uniform(0, 2 * np.pi) + (np.arange(corners) + random.uniform(-0.25, 0.25, corners)) * 2 * np.pi / corners
    )
    length = radius * random.uniform(0.85, 1.0, corners)
    return np.stack([y + length * np.sin(angle), x + length * np.cos(angle)], 1)
