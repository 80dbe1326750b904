"""Polygons of the simulated scene: how many of each class, how large, and where they lie."""

from importlib.resources import files

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from rasterio.features import shapes
from scipy.ndimage import binary_dilation, distance_transform_edt, label
from shapely.geometry import shape

from .. import nomenclature
from ..errors import InputError
from .landscape import Landscape

POOL_POLYGONS, TEST_POLYGONS = 290, 131

_table = pd.read_csv(files(__package__) / "polygons.csv", index_col="code")
#: Labelled pixels by class code, in a scene of 2048 x 2048 pixels with as many polygons as above.
POOL_PIXELS, TEST_PIXELS = _table["pool"].to_dict(), _table["test"].to_dict()

LEAST = 6  # pixels of a polygon
#: Pixels between a polygon and the border of its class. Test polygons are larger and reach the border, as those of a second
#: interpreter.
BORDER = {"test": 1, "pool": 2}
#: How often the next polygon of the pool is drawn in an object that has one already; test polygons avoid this. Validation
#: polygons are therefore less independent of training polygons than test polygons are (assumed).
SAME_OBJECT = 0.5


def plan_polygons(part: str, polygons: int, size: int) -> dict[int, tuple[int, int]]:
    """Number of polygons and of pixels by class code, of `polygons` polygons in a scene of `size` x `size` pixels.

    Pixels are those of `POOL_PIXELS` or `TEST_PIXELS` (`part` "pool" or "test"), in proportion to the number of
    polygons and to the side of the scene, and at most 4 % of the scene for each class. The numbers of polygons are
    proportional to the square root of `POOL_PIXELS` (assumed). Raises `InputError` for fewer polygons than every class
    needs.
    """
    table, all_polygons, least = {
        "pool": (POOL_PIXELS, POOL_POLYGONS, 3), "test": (TEST_PIXELS, TEST_POLYGONS, 2),
    }[part]  # fmt: skip
    if polygons < least * len(table):
        raise InputError(
            f"{polygons} polygons do not suffice for {len(table)} classes.", f"Ask for {least} or more for each class.",
            kind="simulation.polygons",
        )  # fmt: skip
    weight = np.sqrt(list(POOL_PIXELS.values()))
    exact = least + (polygons - least * len(weight)) * weight / weight.sum()
    number = exact.astype(int)
    number[np.argsort(number - exact)[: polygons - number.sum()]] += 1
    scale = polygons / all_polygons * size / 2048
    return {
        code: (count, max(LEAST * count, round(min(pixels * scale, 0.04 * size**2))))
        for (code, pixels), count in zip(table.items(), number.tolist(), strict=True)
    }


def draw_polygons(
    landscape: Landscape, transform: Affine, crs: str, pool: int, test: int, random: np.random.Generator
) -> gpd.GeoDataFrame:
    """Polygons inside objects of the landscape: `pool` for training and validation, `test` for testing.

    Test polygons are drawn as by a second interpreter, see `BORDER` and `SAME_OBJECT`.

    Columns polygon_id, code, class_name, set, geometry. Polygons do not overlap, and all pixels of a polygon have its class.
    Numbers and pixels follow `plan_polygons`, up to half of the inner pixels of a class. Raises `InputError` where the scene
    has no room for the polygons.
    """
    size = len(landscape.cover)
    plans = {part: plan_polygons(part, number, size) for part, number in (("test", test), ("pool", pool))}
    free, rows = np.ones((size, size), bool), []
    for cover in nomenclature.CLASSES:
        inside = distance_transform_edt(np.pad(landscape.codes == cover.code, 1))[1:-1, 1:-1]
        used = np.zeros(landscape.objects.max() + 1, int)
        for part, plan in plans.items():
            number, pixels = plan[cover.code]
            pixels = min(pixels, int(0.5 * (inside >= 2).sum()))  # leaves room for other polygons
            weights = np.sort(random.lognormal(0, 0.5, number))[::-1]
            for index in range(number):
                size_wanted = max(LEAST, round(pixels * weights[index] / weights[index:].sum()))
                order = np.where(used == 1, -1, used) if part == "pool" and random.random() < SAME_OBJECT else used
                placed = _region(inside, BORDER[part], free, landscape.objects, order, size_wanted, random)
                if placed is None:
                    raise InputError(
                        f"The simulated scene of {size} x {size} pixels has no room for {pool} + {test} polygons "
                        f"(class {cover.name}).",
                        "Ask for fewer polygons (scene.pool, scene.test) or a larger scene (scene.size).",
                        kind="simulation.room",
                    )
                window, region, object_number = placed
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


def _region(
    inside: np.ndarray,
    border: int,
    free: np.ndarray,
    objects: np.ndarray,
    used: np.ndarray,
    pixels: int,
    random: np.random.Generator,
) -> tuple[tuple[slice, slice], np.ndarray, int] | None:
    """A free region of about `pixels` pixels in one of the objects with the lowest `used`.

    It extends into neighbouring objects of the class where its own object is too small.

    Parameters
    ----------
    inside: distance in pixels to the border of the class, (y, x); 0 outside the class.
    border: least distance of the region.
    free: pixels that no polygon occupies, bool (y, x).
    objects: object numbers (y, x).
    used: order in which objects are taken, (object,).

    Returns the window, the region in it, bool (y, x), and the number of the object; None with fewer than `LEAST` free
    pixels.
    """
    room = free & (inside >= border)
    room = room if room.any() else free & (inside >= 1)
    places = np.flatnonzero(room & (inside >= min(np.sqrt(pixels / np.pi) / 2, inside.max() / 2)))
    places = places if len(places) else np.flatnonzero(room)
    places = random.permutation(places)[:2000] if len(places) < 100_000 else random.choice(places, 2000)
    best, best_size = None, LEAST - 1
    places = places[np.argsort(used[objects.flat[places]], kind="stable")]
    for tries, place in enumerate([*places[:12], *places[12::20]], start=1):
        y, x = divmod(int(place), len(inside))
        half = int(1.5 * np.sqrt(pixels)) + 3
        window = slice(max(0, y - half), y + half + 1), slice(max(0, x - half), x + half + 1)
        middle = y - window[0].start, x - window[1].start
        dy, dx = np.ogrid[
            -middle[0] : room[window].shape[0] - middle[0], -middle[1] : room[window].shape[1] - middle[1]
        ]
        far = np.hypot(dy, dx) + 0.5 * np.sqrt(pixels) * (
            objects[window] != objects[y, x]
        )  # pixels of the same object first
        connected = _around(room[window], middle)
        enough = np.sort(far[connected])[: min(pixels, connected.sum())][-1]
        region = _around(connected & (far <= enough), middle)
        if region.sum() > best_size:
            best, best_size = (window, region, objects[y, x]), region.sum()
        if best_size >= 0.95 * pixels or (best and tries >= 12):
            break
    return best


def _around(mask: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """The connected part of a mask (y, x) that contains `place`."""
    parts = label(mask)[0]
    return parts == parts[place]
