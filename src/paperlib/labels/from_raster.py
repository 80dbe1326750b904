"""Polygons from an existing land cover raster, by a mapping table to a nomenclature.

Such rasters are most reliable inside large homogeneous patches and least along their borders. Patches are therefore
eroded, large ones are cut, and some of each class are drawn, spread over the scene. The polygons repeat the errors of the
raster: look at them over the image before trusting a score.
"""

import math
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
import xarray as xr
from affine import Affine
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.features import shapes
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window
from scipy.ndimage import binary_dilation, distance_transform_edt
from scipy.spatial import cKDTree
from skimage.measure import label

from .. import ground
from ..errors import InputError, InputWarning
from ..nomenclature import LandCover
from ..scenes.rasters import read_header
from ..scenes.windowing import windows
from .classes import NUMBER

#: The raster is read and cut in blocks of this many pixels a side.
BLOCK = 1024
#: Polygons that a class needs: for training, validation and test one each.
NEEDED = 3
#: Metres of a projection differ from those on the ground by up to this share; then the projection's count.
SCALE = 2e-3
#: The scene is divided into this many cells a side; polygons are drawn from all of them in turn.
CELLS = 8


def draw_labels(
    raster: str | Path,
    mapping: dict[int, int],
    scene: xr.DataArray,
    legend: tuple[LandCover, ...],
    per_class: int = 50,
    erosion_m: float = 20,
    min_area_m2: float = 500,
    max_area_m2: float = 20_000,
    seed: int = 0,
    test: float = 0.3,
) -> gpd.GeoDataFrame:
    """Polygons of homogeneous patches of a land cover raster, as `polygons.load_polygons` reads them from a file.

    Parameters
    ----------
    raster: any raster with class codes in its first band, in any CRS. If it is not on the scene's grid, each pixel of the
        scene takes the raster pixel nearest to its centre.
    mapping: source code -> class code; codes that it does not name are no class.
    scene: its grid and CRS are those of the result; its pixels are not read.
    legend: the classes, with names and colours.
    per_class: polygons of each class, if there are as many patches.
    erosion_m: metres on the ground between a polygon and pixels of other classes, pixels without class, and the scene's
        edge.
    min_area_m2, max_area_m2: square metres on the ground. Smaller patches are left out, larger ones cut; between pieces,
        and between patches of different blocks of `BLOCK` pixels, one pixel is left free.
    seed: the same seed gives the same polygons.
    test: share of each class that is marked as the test set; 0 leaves that to `splitting.split`.

    Returns columns polygon_id, code, class_name, colour, set ("pool", "test"), geometry, in the scene's CRS. All pixels of a
    polygon are of its class, and no pixel is in two polygons. The `CELLS` x `CELLS` cells of the scene give polygons in
    turn, each the patch farthest from those drawn before. Warns with `InputWarning` of classes with fewer than `per_class`
    patches, and of those left out because they have fewer than the `NEEDED` that a run needs. Raises `InputError` for a
    raster that cannot be used, and if no patch is found.
    """
    most, least = _check(mapping, scene, legend, per_class, erosion_m, (min_area_m2, max_area_m2), test)
    random = np.random.default_rng(seed)
    shift, found = random.integers(math.isqrt(most) + 1, size=2), []
    seen: set[int] = set()
    for inner, corner, codes in _blocks(Path(raster), mapping, scene, erosion_m, seen):
        pieces, patches = _patches(_eroded(codes, scene, erosion_m)[inner], corner, most, shift)
        row, column = (patches[name] * CELLS // scene.sizes[dim] for name, dim in (("row", "y"), ("column", "x")))
        patches = patches.assign(cell=(row * CELLS + column).astype(int))[patches["pixels"] >= least]
        # A cell never gives more than these.
        patches = patches.sample(frac=1, random_state=random).groupby(["code", "cell"]).head(per_class)
        found.append(patches.assign(geometry=_outlines(pieces, patches["piece"].to_numpy(), corner, scene)))
    table = pd.concat(found, ignore_index=True)
    if table.empty:
        raise InputError(
            f"{raster} has no patch of {min_area_m2:g} m2 or more in the scene, {erosion_m:g} m inside its class. Its "
            f"codes there: {sorted(seen)}; the mapping knows {sorted(mapping)}.",
            "Check both, or lower --erosion and --smallest.",
            kind="labels.patches",
        )
    chosen = _enough(table.loc[_draw(table, legend, per_class, random)], legend, per_class)
    return _finish(chosen, legend, per_class, test, scene.rio.crs, random)


def _check(mapping, scene, legend, per_class, erosion, areas, test) -> tuple[int, int]:
    """The largest and the smallest number of pixels of a polygon. Raises `InputError` for a choice that cannot be met."""
    unknown = sorted(set(mapping.values()) - {cover.code for cover in legend})
    if unknown or not mapping:
        known = ", ".join(f"{cover.code} {cover.name}" for cover in legend)
        raise InputError(
            f"The mapping leads to {unknown or 'no class'}; the nomenclature has {known}.",
            "Correct the mapping, or give another --nomenclature.",
            kind="labels.mapping",
        )
    pixel = math.prod(_step(scene))
    most, least = int(areas[1] / pixel * (1 + SCALE)), max(1, math.ceil(areas[0] / pixel * (1 - SCALE)))
    if per_class < 1 or erosion < 0 or not 0 <= test < 1 or not areas[0] >= 0 or least > most:
        raise InputError(
            f"per_class = {per_class}, erosion = {erosion:g} m, areas {areas[0]:g} to {areas[1]:g} m2, test = {test:g}.",
            f"Expected are --per-class of 1 or more, --erosion of 0 or more, --smallest and --largest that a number of "
            f"pixels of {pixel:.0f} m2 fits, and a share --test below 1.",
            kind="labels.choice",
        )
    return most, least


def _step(scene: xr.DataArray) -> tuple[float, float]:
    """Height and width of a pixel in metres on the ground."""
    return ground.pixel_size(scene.rio.transform(), scene.rio.crs, (scene.sizes["y"], scene.sizes["x"]))


def _enough(chosen: pd.DataFrame, legend: tuple[LandCover, ...], per_class: int) -> pd.DataFrame:
    """The polygons of classes that have enough of them; warns of the others."""
    counts = chosen["code"].value_counts()
    few = [cover for cover in legend if 0 < counts.get(cover.code, 0) < min(NEEDED, per_class)]
    if not few:
        return chosen
    names = ", ".join(f"{cover.name} ({counts[cover.code]})" for cover in few)
    warning = InputWarning(
        f"Classes with fewer than {NEEDED} patches are left out: {names}.",
        "Lower --erosion and --smallest, or draw polygons of them by hand.",
        kind="labels.patches",
    )
    warnings.warn(warning, stacklevel=3)
    kept = chosen[~chosen["code"].isin([cover.code for cover in few])]
    if kept.empty:
        raise InputError(warning.problem, warning.fix, kind=warning.kind)
    return kept


def _blocks(path: Path, mapping, scene, erosion: float, seen: set) -> Iterator[tuple[tuple, tuple, np.ndarray]]:
    """Of each block: where it lies in what is read, its first row and column in the scene, and class codes (y, x).

    0 is no class. One pixel without class is put around all, which is also what lies beyond the scene. `seen` collects
    the source codes.
    """
    header = read_header(path)
    if header.dtype.kind not in "iu":
        raise InputError(
            f"{path} holds {header.dtype}; whole numbers, the codes of classes, are expected.",
            "Give a raster of classes.", kind="labels.raster",
        )  # fmt: skip
    # What the raster does not reach must be no class.
    nodata = next(code for code in range(256) if code not in mapping) if header.nodata is None else header.nodata
    shape = scene.sizes["y"], scene.sizes["x"]
    grid = {"transform": scene.rio.transform(), "height": shape[0], "width": shape[1], "crs": scene.rio.crs}
    halo = math.ceil(erosion / min(_step(scene))) + 1
    try:
        with (
            rasterio.open(path) as source,
            WarpedVRT(source, resampling=Resampling.nearest, src_nodata=nodata, nodata=nodata, **grid) as warped,
        ):
            for part in windows(shape, BLOCK, halo):
                raw = warped.read(1, window=Window.from_slices(*part.read))
                seen.update(np.unique(raw).tolist())
                codes = np.zeros(raw.shape, np.uint8)
                for code, target in mapping.items():
                    if code != nodata:
                        codes[raw == code] = target
                inner = tuple(slice(one.start + 1, one.stop + 1) for one in part.inner)
                yield inner, tuple(one.start for one in part.core), np.pad(codes, 1)
    except RasterioError as error:
        raise InputError(
            f"{path} cannot be read ({error}).", "Is it complete? Get it again.", kind="labels.raster"
        ) from error


def _eroded(codes: np.ndarray, scene: xr.DataArray, metres: float) -> np.ndarray:
    """Codes (y, x), 0 where the square of a pixel is nearer than `metres` to the square of a pixel of another code."""
    step = _step(scene)
    result = np.zeros_like(codes)
    for code in np.unique(codes[codes > 0]):
        own = codes == code
        # Between squares, not centres: as far as from the centre to the nearest pixel that touches another code's.
        gap = distance_transform_edt(~binary_dilation(~own, np.ones((3, 3))), sampling=step)
        result[own & (gap >= metres * (1 - SCALE) - 1e-6)] = code
    return result


def _patches(codes: np.ndarray, corner: tuple, most: int, shift: np.ndarray) -> tuple[np.ndarray, pd.DataFrame]:
    """Numbers of connected patches (y, x), 0 outside; and of each its number, code, pixels, and its middle (row, column).

    Patches of more than `most` pixels are cut along the lines of a regular grid, which has its place in the scene, as
    rows and columns of the middle have.
    """
    codes = codes.copy()
    for axis, start in enumerate(corner):
        if start > 0:  # else a patch could touch one of the block before
            codes[(slice(None),) * axis + (0,)] = 0
    pieces = label(codes, connectivity=1)
    side = math.isqrt(most) + 1
    rows, columns = (np.arange(n) + start + own for n, start, own in zip(codes.shape, corner, shift, strict=True))
    lines = (rows % side == 0)[:, None] | (columns % side == 0)
    codes[lines & (np.bincount(pieces.ravel()) > most)[pieces]] = 0
    pieces = label(codes, connectivity=1)
    pixels = np.bincount(pieces.ravel())
    table = pd.DataFrame({"piece": np.arange(len(pixels)), "code": 0, "pixels": pixels})
    table.loc[pieces.ravel(), "code"] = codes.ravel()
    for axis, name in enumerate(("row", "column")):
        places = np.arange(codes.shape[axis]) + corner[axis] + 0.5
        weights = np.broadcast_to(np.expand_dims(places, 1 - axis), codes.shape)
        table[name] = np.bincount(pieces.ravel(), weights.ravel()) / np.maximum(pixels, 1)
    return pieces, table[1:]


def _outlines(pieces: np.ndarray, wanted: np.ndarray, corner: tuple, scene: xr.DataArray) -> list:
    """Outlines of the wanted pieces in metres, in their order."""
    transform = scene.rio.transform() @ Affine.translation(corner[1], corner[0])
    found = shapes(pieces.astype(np.int32), np.isin(pieces, wanted), connectivity=4, transform=transform)
    outlines = {int(number): shapely.geometry.shape(outline) for outline, number in found}
    return [outlines[number] for number in wanted]


def _draw(table: pd.DataFrame, legend, per_class: int, random: np.random.Generator) -> list[int]:
    """Rows of the patches that are drawn, class by class."""
    drawn: list[int] = []
    places = table[["row", "column"]].to_numpy()
    for cover in legend:
        rows = np.flatnonzero(table["code"] == cover.code)
        near = cKDTree(places[drawn]).query(places[rows])[0] if drawn else np.full(len(rows), np.inf)
        drawn += rows[_spread(places[rows], table["cell"].to_numpy()[rows], near, per_class, random)].tolist()
    return drawn


def _spread(places, cells, near, number: int, random: np.random.Generator) -> list[int]:
    """Indices of up to `number` places (n, 2), from all cells (n,) in turn, each the one farthest from those before.

    `near` (n,): the distance of each place from what was drawn before.
    """
    left = {cell: np.flatnonzero(cells == cell) for cell in np.unique(cells)}
    chosen: list[int] = []
    while left and len(chosen) < number:
        for cell in random.permutation(list(left))[: number - len(chosen)]:
            best = left[cell][near[left[cell]].argmax()]
            chosen.append(int(best))
            near = np.minimum(near, np.hypot(*(places - places[best]).T))
            left[cell] = left[cell][left[cell] != best]
        left = {cell: members for cell, members in left.items() if len(members)}
    return chosen


def _own_codes(covers: list[LandCover]) -> list[int] | list[str]:
    """Codes as the nomenclature has them: numbers where all are."""
    codes = [cover.own_code for cover in covers]
    return [int(code) for code in codes] if all(re.fullmatch(NUMBER, code) for code in codes) else codes


def _finish(chosen: pd.DataFrame, legend, per_class: int, test: float, crs, random) -> gpd.GeoDataFrame:
    """The columns that `draw_labels` promises. Warns of classes with fewer polygons than asked for."""
    covers = {cover.code: cover for cover in legend}
    sets = pd.Series("pool", chosen.index)
    for rows in chosen.groupby("code").groups.values():
        number = min(round(test * len(rows)), len(rows) - 2)  # training and validation need one each
        sets[random.permutation(rows)[: max(0, number)]] = "test"
    counts = chosen["code"].value_counts()
    few = [f"{cover.name} {counts.get(cover.code, 0)}" for cover in legend if counts.get(cover.code, 0) < per_class]
    if few:
        problem = f"Fewer than {per_class} polygons of {', '.join(few)}: no more patches are there."
        warnings.warn(
            InputWarning(problem, "Lower --erosion or --smallest for more.", kind="labels.patches"), stacklevel=3
        )
    return gpd.GeoDataFrame(
        {
            "polygon_id": np.arange(1, len(chosen) + 1),
            "code": _own_codes([covers[code] for code in chosen["code"]]),
            "class_name": [covers[code].name for code in chosen["code"]],
            "colour": [covers[code].colour for code in chosen["code"]],
            "set": sets.to_numpy(),
        },
        geometry=chosen["geometry"].to_list(),
        crs=crs,
    )
