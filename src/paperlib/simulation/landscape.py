"""The simulated landscape: which class, cover type and object each pixel of 10 m belongs to, and polygons inside objects.

A plain of rectangular parcels in the manner of south-western France: fields, meadows, fallow, vines, orchards and bare
parcels, woods with irregular edges and stands of different trees, hedges, towns of several districts, villages, roads, a
river, ponds, lakes, quarries. All of it is assumed, nothing measured.
"""

from itertools import pairwise
from typing import NamedTuple

import geopandas as gpd
import numpy as np
from rasterio.features import shapes
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter, label
from scipy.spatial import cKDTree
from shapely.geometry import shape
from skimage.draw import line

from .. import nomenclature
from ..errors import InputError
from . import layout


class Cover(NamedTuple):
    """A cover type of the simulated scene.

    code: of its class. share: among the parcels (0: drawn by other means). parts: mean share of each material in its
    objects, the prevailing one first. unity: concentration of the Dirichlet distribution of those shares, so the larger,
    the more alike the objects. patches: how unevenly the materials lie within an object (0: everywhere the same mixture).
    """

    code: int
    share: float
    parts: dict[str, float]
    unity: float
    patches: float


#: Cover types by name. "field" is green cover over bare soil through the year, see `scene.SEASONS`.
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

LEAST = 6  # pixels of a polygon
#: Pixels from the class's border: the second interpreter draws larger polygons, and up to the border.
BORDER = {"test": 1, "pool": 2}
#: How often the first interpreter draws the next polygon in the object of one before; the second never does while there
#: are others. So validation polygons are less independent of training than test polygons are (assumed).
NEXT_DOOR = 0.5


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
    cover = _kinds({name: one.share for name, one in COVERS.items()}, parcels, random)
    objects = parcels.copy()

    wooded = _smooth(size, 12, random)
    woods = wooded > np.quantile(wooded, 0.72)
    _cut_up(cover, objects, woods, _STANDS, 420, random)
    hedges = (parcels != np.roll(parcels, 1, 1)) & (random.random(parcels.max() + 1) < 0.15)[parcels]
    cover[hedges] = NAMES.index("broad-leaved wood")

    towns, number = np.zeros((size, size), bool), max(3, round(size / 170))
    for _ in range(number):
        _blob(towns, size * np.sqrt(0.09 / number / np.pi) * random.uniform(0.75, 1.2), random)
    for _ in range(max(4, round(size**2 * 5e-5))):
        _blob(towns, random.uniform(4, 12), random)
    _cut_up(cover, objects, towns, _DISTRICTS, 600, random)
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


def _kinds(shares: dict[str, float], parcels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Cover type (y, x) of parcels (y, x), drawn by these shares."""
    weights = np.array(list(shares.values()))
    kinds = np.array([NAMES.index(name) for name in shares])
    return kinds[random.choice(len(kinds), parcels.max() + 1, p=weights / weights.sum())][parcels]


def _cut_up(cover, objects, where, shares, area, random) -> None:
    """Make stands of woods, or districts of towns, of about `area` pixels there."""
    parts = _parcels(len(cover), random, area)
    cover[where], objects[where] = _kinds(shares, parts, random)[where], objects.max() + 1 + parts[where]


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


def _blob(image, radius, random, value=True, objects=None, number=0) -> None:
    """Draw a roundish object with an uneven outline of a mean radius into an image (y, x), and its number in `objects`."""
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


def plan_polygons(part: str, polygons: int, size: int) -> dict[int, tuple[int, int]]:
    """Polygons and pixels of each class code in a part ("pool", "test") of `polygons` polygons.

    Pixels are those of Table 2 (pool) or 3 (test) in a scene of 2048 pixels with as many polygons as the paper has;
    fewer in proportion to the polygons and to the side of the scene. No class takes more than 4 % of the scene. Polygons
    are in proportion to the square root of the pixels in Table 2 (assumed: the paper prints no numbers by class).
    """
    table, paper_polygons, least = {
        "pool": (layout.POOL_PIXELS, layout.POOL_POLYGONS, 3), "test": (layout.TEST_PIXELS, layout.TEST_POLYGONS, 2),
    }[part]  # fmt: skip
    if polygons < least * len(table):
        raise InputError(f"{polygons} polygons for {len(table)} classes: {least} a class or more are needed.")
    weight = np.sqrt(list(layout.POOL_PIXELS.values()))
    exact = least + (polygons - least * len(weight)) * weight / weight.sum()
    number = exact.astype(int)
    number[np.argsort(number - exact)[: polygons - number.sum()]] += 1
    scale = polygons / paper_polygons * size / 2048
    return {
        code: (count, max(LEAST * count, round(min(pixels * scale, 0.04 * size**2))))
        for (code, pixels), count in zip(table.items(), number.tolist(), strict=True)
    }


def draw_polygons(
    landscape: Landscape, transform, crs: str, pool: int, test: int, random: np.random.Generator
) -> gpd.GeoDataFrame:
    """Polygons well inside objects: `pool` for training and validation, `test` by another interpreter's habits.

    Columns polygon_id, code, class_name, set, geometry. None overlaps another; all pixels of one have its class. Numbers
    and pixels are those of `plan_polygons`, but half of the inner pixels of a class at most. Raises `InputError` where the
    scene has no room for them.
    """
    size = len(landscape.cover)
    plans = {part: plan_polygons(part, number, size) for part, number in (("test", test), ("pool", pool))}
    free, rows = np.ones((size, size), bool), []
    for cover in nomenclature.CLASSES:
        inside = distance_transform_edt(np.pad(landscape.codes == cover.code, 1))[1:-1, 1:-1]
        used = np.zeros(landscape.objects.max() + 1, int)
        for part, plan in plans.items():
            number, pixels = plan[cover.code]
            pixels = min(pixels, int(0.5 * (inside >= 2).sum()))  # leaves room for the others
            weights = np.sort(random.lognormal(0, 0.5, number))[::-1]
            for index in range(number):
                wish = max(LEAST, round(pixels * weights[index] / weights[index:].sum()))
                turn = np.where(used == 1, -1, used) if part == "pool" and random.random() < NEXT_DOOR else used
                found = _region(inside, BORDER[part], free, landscape.objects, turn, wish, random)
                if found is None:
                    raise InputError(
                        f"The simulated scene of {size} pixels has no room for {pool} + {test} polygons (class "
                        f"{cover.name}): ask for fewer (scene.pool, scene.test) or a larger scene (scene.size)."
                    )
                window, region, object_number = found
                free[window] &= ~binary_dilation(region)
                used[object_number] += 1 if part == "pool" else 1000
                pixels -= region.sum()
                corner = transform @ transform.translation(window[1].start, window[0].start)
                ((outline, _),) = shapes(region.astype(np.uint8), region, transform=corner)
                rows.append(
                    (cover.code, cover.name, part, shape(outline).buffer(-0.2 * transform.a, join_style="mitre"))
                )
    table = gpd.GeoDataFrame(rows, columns=["code", "class_name", "set", "geometry"], crs=crs)
    table.insert(0, "polygon_id", np.arange(1, len(table) + 1))
    return table


def _region(inside, border, free, objects, used, wish, random) -> tuple[tuple[slice, slice], np.ndarray, int] | None:
    """A free region of about `wish` pixels around a place in one of the least used objects, and into like neighbours.

    Window, region (y, x bool) in it, and number of the object; None where not even `LEAST` pixels are free.
    """
    room = free & (inside >= border)
    room = room if room.any() else free & (inside >= 1)
    places = np.flatnonzero(room & (inside >= min(np.sqrt(wish / np.pi) / 2, inside.max() / 2)))
    places = places if len(places) else np.flatnonzero(room)
    places = random.permutation(places)[:2000] if len(places) < 100_000 else random.choice(places, 2000)
    best, best_size = None, LEAST - 1
    places = places[np.argsort(used[objects.flat[places]], kind="stable")]
    for tries, place in enumerate([*places[:12], *places[12::20]], start=1):
        y, x = divmod(int(place), len(inside))
        half = int(1.5 * np.sqrt(wish)) + 3
        window = slice(max(0, y - half), y + half + 1), slice(max(0, x - half), x + half + 1)
        middle = y - window[0].start, x - window[1].start
        dy, dx = np.ogrid[
            -middle[0] : room[window].shape[0] - middle[0], -middle[1] : room[window].shape[1] - middle[1]
        ]
        far = np.hypot(dy, dx) + 0.5 * np.sqrt(wish) * (objects[window] != objects[y, x])  # its own object first
        connected = _around(room[window], middle)
        enough = np.sort(far[connected])[: min(wish, connected.sum())][-1]
        region = _around(connected & (far <= enough), middle)
        if region.sum() > best_size:
            best, best_size = (window, region, objects[y, x]), region.sum()
        if best_size >= 0.95 * wish or (best and tries >= 12):
            break
    return best


def _around(mask: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """The connected part of a mask (y, x) that holds `place`."""
    parts = label(mask)[0]
    return parts == parts[place]
